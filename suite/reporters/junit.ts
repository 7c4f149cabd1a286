/** JUnit XML as Jenkins, GitLab and GitHub's actions read it: a testcase is a check, and its name never changes. */

import { oneLine, shorten } from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import { evidenceText, grouped, reasonOf } from '../../reports/evidence.ts'
import { ofRun, suiteXml, type TestCase } from '../../reports/junit.ts'
import type { CheckResult, Report } from '../report.ts'
import { suiteShortfalls } from './shared.ts'

export function suiteJunit(report: Report): string {
  const found = report.clauses.flatMap(({ id, evidence }) =>
    evidence.filter(({ holds }) => !holds).map(one => ({ clause: id, evidence: one })),
  )
  const listed = new Set(report.checks.map(({ id }) => id))
  const cases = [
    ...report.checks.map(check => ofCheck(report, check, found)),
    ...ofOthers(
      report,
      found.filter(({ evidence }) => !listed.has(evidence.check)),
    ),
    ...ofShortfalls(report),
  ]
  const { target, profile, seed, understudy, why } = report
  return suiteXml(report, { target, profile, seed, understudy, why }, cases)
}

/** A failure is read in a browser: the JSON report has all of it. */
const evidencePerCase = 5

interface Found {
  clause: string
  evidence: Evidence
}

function ofCheck(report: Report, check: CheckResult, all: Found[]): TestCase {
  const { id, title, verdict, reason = '', broken = [], ms } = check
  const name = `${id}: ${title}`
  const found = all.filter(({ evidence }) => evidence.check === id)
  const untold = `${broken.join(', ') || 'a clause'}: ${reason || 'broken'}`
  if (verdict === 'broken' || found.length > 0) return { id, name, ms, failure: failureOf(report, found, untold) }
  return verdict === 'holds' ? { id, name, ms } : { id, name, ms, skipped: reasonOf(check) }
}

/** Evidence of no listed check, such as what --explore found: a testcase for each clause that it broke. */
function ofOthers(report: Report, all: Found[]): TestCase[] {
  const nameOf = ({ evidence, clause }: Found) => `${evidence.check}: ${clause}`
  return grouped(all, nameOf).map(found => ({
    id: found[0].evidence.check,
    name: nameOf(found[0]),
    failure: failureOf(report, found, nameOf(found[0])),
  }))
}

const ofShortfalls = (report: Report): TestCase[] =>
  suiteShortfalls(report).map(({ clause, why }) =>
    clause === undefined ? ofRun(why) : { id: 'required', name: `required: ${clause}`, failure: { message: why } },
  )

function failureOf(report: Report, found: Found[], untold: string) {
  const [first] = found
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : ''
  const message = first
    ? `${first.clause}: expected ${shorten(first.evidence.expected, 300)}, found ${shorten(first.evidence.found, 300)}${more}`
    : untold
  const text = found
    .slice(0, evidencePerCase)
    .map(({ clause, evidence }) => `clause     ${oneLine(clause)}\n${evidenceText(report, evidence)}`)
  return { message, text: text.join('\n\n') }
}
