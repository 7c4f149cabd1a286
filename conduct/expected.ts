/** The failures of a grade that a list expects (--expected-failures). */
import { summaryText } from '../contracts/verdict.ts'
import { type ExpectedFailures, readExpectedFailures, settleExpected } from '../reports/expectedFailures.ts'
import { isFailing, isRule, namesOfRules, shouldText } from './grade.ts'
import type { ConductReport } from './report.ts'

/** Reads the list. Throws a ConfigError that names the line for what is no rule. */
export const readExpectedRules = (file: string, hasScenarios = false): ExpectedFailures =>
  readExpectedFailures(file, {
    nameOf: name => (isRule(name) ? name : undefined),
    expected: `a rule: ${namesOfRules().filter(isRule).join(', ')}`,
    hasScenarios,
  })

/** The same report, where what is listed fails nothing, and what is listed and passes does. */
export function withExpected(report: ConductReport, list: ExpectedFailures | undefined): ConductReport {
  if (list === undefined) return report
  const settled = settleExpected(
    list,
    report.rules.map(({ id, verdict }) => ({ name: id, verdict })),
  )
  const rules = report.rules.map(rule =>
    rule.verdict === 'failed' && settled.isExpected({ name: rule.id, verdict: rule.verdict })
      ? { ...rule, expected: true }
      : rule,
  )
  const { level, required, calls, webhooks } = report
  if (calls + webhooks === 0) return report
  return {
    ...report,
    rules,
    ok: required.missing.length === 0 && settled.problems.length === 0 && !rules.some(rule => isFailing(rule, level)),
    why: [
      `${summaryText(report.summary)}${shouldText(rules, level)}`,
      ...settled.note,
      ...(required.missing.length > 0 ? [`required, but not passed: ${required.missing.join(', ')}`] : []),
      ...settled.problems,
    ].join('; '),
    expected: settled.report,
  }
}
