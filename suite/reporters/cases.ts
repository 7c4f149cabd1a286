/** A report of the suite as test cases: a case per check for JUnit and CTRF, a case per clause for TAP. */

import { oneLine, shorten, shortenText } from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import { answerText, evidenceText, grouped, reasonOf } from '../../reports/evidence.ts'
import { runCase, type TestCase, type TestRun } from '../../reports/testCase.ts'
import type { CheckResult, ClauseResult, Report } from '../report.ts'
import { failedEvidence, suiteShortfalls } from './shared.ts'

export function checkRun(report: Report): TestRun {
  const found = report.clauses.flatMap(({ id, evidence }) =>
    evidence.filter(({ passed }) => !passed).map(one => ({ clause: id, evidence: one })),
  )
  const listed = new Set(report.checks.map(({ id }) => id))
  const others = found.filter(({ evidence }) => !listed.has(evidence.check))
  return runOf(report, [
    ...report.checks.map(check => checkCase(report, check, found)),
    ...otherCases(report, others),
    ...suiteShortfalls(report).map(lackCase),
  ])
}

export function clauseRun(report: Report): TestRun {
  const lacks = suiteShortfalls(report)
  const known = new Set(report.clauses.map(({ id }) => id))
  const others = lacks.filter(({ clause }) => clause === undefined || !known.has(clause))
  return runOf(report, [
    ...report.clauses.map(clause => clauseCase(clause, lacks.find(lack => lack.clause === clause.id)?.why)),
    ...others.map(lackCase),
  ])
}

const runOf = (report: Report, cases: TestCase[]): TestRun => {
  const { understudy, ok, why, ms, started_at, target, profile, seed } = report
  return { understudy, ok, why, ms, started_at, properties: { target, profile, seed }, cases }
}

/** A failure is read in a browser: the JSON report has all of it. */
const evidencePerCase = 5

interface Found {
  clause: string
  evidence: Evidence
}

function checkCase(report: Report, check: CheckResult, all: Found[]): TestCase {
  const { id, title, reason = '', failed = [], ms } = check
  const about = { id, name: `${id}: ${title}`, suite: suiteOf(id), ms }
  const found = all.filter(({ evidence }) => evidence.check === id)
  const untold = `${failed.join(', ') || 'a clause'}: ${reason || 'failed'}`
  if (check.verdict === 'failed' || found.length > 0) return { ...about, ...failureOf(report, found, untold) }
  return check.verdict === 'passed'
    ? { ...about, verdict: 'passed' }
    : { ...about, verdict: check.verdict, message: reasonOf(check) }
}

/** The theme: "jobs" of "jobs.states". */
const suiteOf = (id: string): string => id.split('.')[0] ?? ''

/** Evidence of no listed check, such as what --explore found: a case for each clause that failed in it. */
function otherCases(report: Report, all: Found[]): TestCase[] {
  const nameOf = ({ evidence, clause }: Found) => `${evidence.check}: ${clause}`
  return grouped(all, nameOf).map(found => {
    const [{ evidence }] = found
    const name = nameOf(found[0])
    return { id: name, name, suite: suiteOf(evidence.check), ...failureOf(report, found, name) }
  })
}

const lackCase = ({ clause, why }: ReturnType<typeof suiteShortfalls>[number]): TestCase =>
  clause === undefined
    ? runCase(why)
    : { id: `required.${clause}`, name: `required: ${clause}`, suite: 'required', verdict: 'failed', message: why }

function failureOf(report: Report, found: Found[], untold: string): Pick<TestCase, 'verdict' | 'message' | 'text'> {
  const [first] = found
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : ''
  const message = first
    ? `${first.clause}: expected ${shorten(first.evidence.expected, 300)}, found ${shorten(first.evidence.found, 300)}${more}`
    : untold
  const text = found
    .slice(0, evidencePerCase)
    .map(({ clause, evidence }) => `clause     ${oneLine(clause)}\n${evidenceText(report, evidence)}`)
  // A test runner knows no failure that fails nothing: it is skipped there, and says that it failed.
  const known = new Set(report.clauses.filter(({ expected }) => expected).map(({ id }) => id))
  const isExpected = found.length > 0 && found.every(({ clause }) => known.has(clause))
  return {
    verdict: isExpected ? 'skipped' : 'failed',
    message: isExpected ? `failed, as expected: ${message}` : message,
    text: text.join('\n\n'),
  }
}

function clauseCase(clause: ClauseResult, lack: string | undefined): TestCase {
  const { id, text, level, verdict } = clause
  const about = { id, name: `${id} ${shorten(oneLine(text), 120)}`, suite: level }
  if (lack !== undefined) return { ...about, verdict: 'failed', message: oneLine(lack) }
  if (verdict === 'passed') return { ...about, verdict }
  if (verdict !== 'failed') return { ...about, verdict, message: reasonOf(clause) }
  const { shown, more } = failedEvidence(clause)
  if (clause.expected) return { ...about, verdict: 'skipped', message: 'failed, as expected' }
  return { ...about, verdict, details: { level, evidence: shown.map(detailsOf), more: more || undefined } }
}

const detailsOf = ({ check, expected, found, pointer, request, response, curl }: Evidence) => ({
  check,
  expected: shortenText(expected, 1000),
  found: shortenText(found, 1000),
  at: pointer,
  request: request && shortenText(`${request.method} ${request.url}`, 1000),
  answer: response && answerText(response),
  body: response?.body && shortenText(response.body, 800),
  curl,
})
