/** JUnit XML as Jenkins, GitLab and GitHub's actions read it: a testcase is a check, and its name never changes. */
import type { CheckResult, Evidence, Report } from '../suite/report.ts'
import { type Markup, markup } from './markup.ts'
import { evidenceText, grouped, reasonOf, shortfalls } from './shared.ts'
import { oneLine, shorten } from './text.ts'

export function junit(report: Report): string {
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

/** One testcase; without a failure and a reason why it was skipped, it passed. */
export interface Case {
  /** theme.what: the theme is its class. */
  id: string
  name: string
  ms?: number
  failure?: { message: string; text?: string }
  skipped?: string
}

interface Run {
  ok: boolean
  why: string
  ms?: number
  started_at?: string
}

/** The file. A run that is not green has a failure, whatever its cases say. */
export function suiteXml(run: Run, properties: Record<string, string>, given: readonly Case[]): string {
  const { ok, why, ms = 0, started_at } = run
  const cases = ok || given.some(({ failure }) => failure) ? given : [...given, ofRun(why)]
  const failures = cases.filter(({ failure }) => failure).length
  const skipped = cases.filter(({ skipped }) => skipped !== undefined).length
  const time = started_at === undefined ? markup`` : markup` timestamp="${started_at}"`
  const counts = markup`tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds(ms)}"${time}`
  const lines = Object.entries(properties).map(
    ([name, value]) => markup`\n      <property name="${name}" value="${oneLine(value)}"/>`,
  )
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="understudy" ${counts}>
  <testsuite name="understudy" ${counts}>
    <properties>${lines}
    </properties>${cases.map(testcase)}
  </testsuite>
</testsuites>
`.markup
}

export const ofRun = (why: string): Case => ({ id: 'run', name: 'run: it is green', failure: { message: why } })

/** A failure is read in a browser: the JSON report has all of it. */
const evidencePerCase = 5

interface Found {
  clause: string
  evidence: Evidence
}

function ofCheck(report: Report, check: CheckResult, all: Found[]): Case {
  const { id, title, verdict, reason = '', broken = [], ms } = check
  const name = `${id}: ${title}`
  const found = all.filter(({ evidence }) => evidence.check === id)
  const untold = `${broken.join(', ') || 'a clause'}: ${reason || 'broken'}`
  if (verdict === 'broken' || found.length > 0) return { id, name, ms, failure: failureOf(report, found, untold) }
  return verdict === 'holds' ? { id, name, ms } : { id, name, ms, skipped: reasonOf(check) }
}

/** Evidence of no listed check, such as what --explore found: a testcase for each clause that it broke. */
function ofOthers(report: Report, all: Found[]): Case[] {
  const nameOf = ({ evidence, clause }: Found) => `${evidence.check}: ${clause}`
  return grouped(all, nameOf).map(found => ({
    id: found[0].evidence.check,
    name: nameOf(found[0]),
    failure: failureOf(report, found, nameOf(found[0])),
  }))
}

const ofShortfalls = (report: Report): Case[] =>
  shortfalls(report).map(({ clause, why }) =>
    clause === undefined ? ofRun(why) : { id: 'required', name: `required: ${clause}`, failure: { message: why } },
  )

function testcase({ id, name, ms = 0, failure, skipped }: Case): Markup {
  const start = markup`\n    <testcase classname="understudy.${oneLine(id.split('.')[0] ?? '')}" name="${oneLine(name)}" time="${seconds(ms)}"`
  if (failure)
    return markup`${start}>\n      <failure type="broken" message="${oneLine(failure.message)}">${failure.text ?? ''}</failure>\n    </testcase>`
  if (skipped === undefined) return markup`${start}/>`
  return markup`${start}>\n      <skipped message="${oneLine(skipped)}"/>\n    </testcase>`
}

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

const seconds = (ms: number): string => (ms / 1000).toFixed(3)
