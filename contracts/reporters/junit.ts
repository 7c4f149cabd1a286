/** JUnit XML as Jenkins, GitLab and GitHub's actions read it: a testcase is a check, and its name never changes. */
import type { CheckResult, Evidence, Report } from '../suite/report.ts'
import { type Markup, markup } from './markup.ts'
import { evidenceText, reasonOf, shortfalls } from './shared.ts'
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
  if (!report.ok && !cases.some(({ failed }) => failed)) cases.push(ofRun(report, report.why))
  const counts = markup`tests="${cases.length}" failures="${cases.filter(({ failed }) => failed).length}" errors="0" skipped="${cases.filter(({ skipped }) => skipped).length}" time="${seconds(report.ms)}" timestamp="${report.started_at}"`
  const { target, profile, seed, understudy, why } = report
  const properties = Object.entries({ target, profile, seed, understudy, why }).map(
    ([name, value]) => markup`\n      <property name="${name}" value="${oneLine(value)}"/>`,
  )
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="understudy" ${counts}>
  <testsuite name="understudy" ${counts}>
    <properties>${properties}
    </properties>${cases.map(({ xml }) => xml)}
  </testsuite>
</testsuites>
`.markup
}

interface Case {
  xml: Markup
  failed?: boolean
  skipped?: boolean
}

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
  if (verdict === 'broken' || found.length > 0)
    return { failed: true, xml: testcase(id, name, ms, failure(report, found, untold)) }
  if (verdict === 'holds') return { xml: testcase(id, name, ms) }
  const skipped = markup`\n      <skipped message="${oneLine(reasonOf(check))}"/>`
  return { skipped: true, xml: testcase(id, name, ms, skipped) }
}

/** Evidence of no listed check, such as what --explore found: a testcase for each clause that it broke. */
function ofOthers(report: Report, all: Found[]): Case[] {
  const groups = new Map<string, Found[]>()
  for (const found of all) {
    const key = `${found.evidence.check}: ${found.clause}`
    groups.set(key, [...(groups.get(key) ?? []), found])
  }
  return [...groups].map(([name, found]) => ({
    failed: true,
    xml: testcase(found[0]?.evidence.check ?? '', name, 0, failure(report, found, name)),
  }))
}

const ofShortfalls = (report: Report): Case[] =>
  shortfalls(report).map(({ clause, why }) =>
    clause === undefined
      ? ofRun(report, why)
      : { failed: true, xml: testcase('required', `required: ${clause}`, 0, failure(report, [], why)) },
  )

const ofRun = (report: Report, why: string): Case => ({
  failed: true,
  xml: testcase('run', 'run: it is green', 0, failure(report, [], why)),
})

function testcase(check: string, name: string, ms: number, content?: Markup): Markup {
  const start = markup`\n    <testcase classname="understudy.${oneLine(check.split('.')[0] ?? '')}" name="${oneLine(name)}" time="${seconds(ms)}"`
  return content ? markup`${start}>${content}\n    </testcase>` : markup`${start}/>`
}

function failure(report: Report, found: Found[], untold: string): Markup {
  const [first] = found
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : ''
  const message = first
    ? `${first.clause}: expected ${shorten(first.evidence.expected, 300)}, found ${shorten(first.evidence.found, 300)}${more}`
    : untold
  const text = found
    .slice(0, evidencePerCase)
    .map(({ clause, evidence }) => `clause     ${oneLine(clause)}\n${evidenceText(report, evidence)}`)
  return markup`\n      <failure type="broken" message="${oneLine(message)}">${text.join('\n\n')}</failure>`
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)
