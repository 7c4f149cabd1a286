/** JUnit XML, by the schema of Jenkins' xUnit plugin. An inconclusive case is an error: it says nothing of the target. */
import { oneLine } from '../base/text.ts'
import { countVerdicts } from '../contracts/verdict.ts'
import { type Markup, markup } from './markup.ts'
import { completeCases, type TestCase, type TestRun } from './testCase.ts'

export function junitText(run: TestRun): string {
  const { name = 'understudy', understudy, why, ms = 0, started_at } = run
  const cases = completeCases(run)
  const { failed, skipped, inconclusive } = countVerdicts(cases)
  const totals = markup`name="${oneLine(name)}" tests="${cases.length}" failures="${failed}" errors="${inconclusive}" time="${seconds(ms)}"`
  const time = started_at === undefined ? markup`` : markup` timestamp="${oneLine(started_at)}"`
  const properties = Object.entries({ ...run.properties, understudy, why }).map(
    ([name, value]) => markup`\n      <property name="${oneLine(name)}" value="${oneLine(value)}"/>`,
  )
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${totals}>
  <testsuite ${totals} skipped="${skipped}"${time}>
    <properties>${properties}
    </properties>${cases.map(testcase)}
  </testsuite>
</testsuites>
`.markup
}

function testcase({ name, suite, verdict, fault = 'harness', ms = 0, message = '', text = '' }: TestCase): Markup {
  const start = markup`\n    <testcase classname="understudy.${oneLine(suite)}" name="${name}" time="${seconds(ms)}"`
  const output = text === '' ? markup`` : markup`\n      <system-out>${text}</system-out>`
  if (verdict === 'passed') return text === '' ? markup`${start}/>` : markup`${start}>${output}\n    </testcase>`
  const line = oneLine(message)
  const result = {
    failed: markup`<failure type="failed" message="${line}">${text}</failure>`,
    inconclusive: markup`<error type="inconclusive.${fault}" message="${line}">${text}</error>`,
    skipped: markup`<skipped message="${line}"/>${output}`,
  }[verdict]
  return markup`${start}>\n      ${result}\n    </testcase>`
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)
