/** One testcase; without a failure and a reason why it was skipped, it passed. */

import { oneLine } from '../base/text.ts'
import { type Markup, markup } from './markup.ts'
export interface TestCase {
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
export function suiteXml(run: Run, properties: Record<string, string>, given: readonly TestCase[]): string {
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

export const ofRun = (why: string): TestCase => ({ id: 'run', name: 'run: it is green', failure: { message: why } })

export function testcase({ id, name, ms = 0, failure, skipped }: TestCase): Markup {
  const start = markup`\n    <testcase classname="understudy.${oneLine(id.split('.')[0] ?? '')}" name="${oneLine(name)}" time="${seconds(ms)}"`
  if (failure)
    return markup`${start}>\n      <failure type="broken" message="${oneLine(failure.message)}">${failure.text ?? ''}</failure>\n    </testcase>`
  if (skipped === undefined) return markup`${start}/>`
  return markup`${start}>\n      <skipped message="${oneLine(skipped)}"/>\n    </testcase>`
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)
