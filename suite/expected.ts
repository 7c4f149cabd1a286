/** The broken clauses that a list expects (--expected-failures). */
import { type ClauseId, clauses } from '../contracts/clauses.ts'
import { type ExpectedFailures, readExpectedFailures, settleExpected } from '../reports/expectedFailures.ts'
import type { Report } from './report.ts'

/** Reads the list. Throws a ConfigError that names the line for what is no clause. */
export const readExpectedClauses = (file: string): ExpectedFailures =>
  readExpectedFailures(file, {
    nameOf: name => (name.toUpperCase() in clauses ? (name.toUpperCase() as ClauseId) : undefined),
    expected: `a clause, such as ${Object.keys(clauses).slice(0, 3).join(', ')}`,
  })

/** The same report, where what is listed fails nothing, and what is listed and passes does. */
export function withExpectedClauses(report: Report, list: ExpectedFailures | undefined): Report {
  if (list === undefined) return report
  const settled = settleExpected(
    list,
    report.clauses.map(({ id, verdict }) => ({ name: id, verdict })),
  )
  const results = report.clauses.map(clause =>
    clause.verdict === 'failed' && settled.isExpected({ name: clause.id, verdict: clause.verdict })
      ? { ...clause, expected: true }
      : clause,
  )
  // What else is wrong with the run stands behind its sums.
  const [sums = '', ...others] = report.why.split('; ')
  const isUnexpected = results.some(({ verdict, expected }) => verdict === 'failed' && !expected)
  return {
    ...report,
    clauses: results,
    ok: !isUnexpected && others.length === 0 && settled.problems.length === 0,
    why: [sums, ...settled.note, ...others, ...settled.problems].join('; '),
    expected: settled.report,
  }
}
