/** CTRF, the Common Test Report Format (ctrf.io): one JSON document that CI tools of many makers read. */
import { formatJson, visible } from '../base/text.ts'
import { countVerdicts, type Verdict } from '../contracts/verdict.ts'
import { completeCases, type TestCase, type TestRun } from './testCase.ts'

/** CTRF has no word for inconclusive; `rawStatus` keeps ours. */
const statuses: Record<Verdict, 'passed' | 'failed' | 'skipped' | 'other'> = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  inconclusive: 'other',
}

export function ctrfText(run: TestRun): string {
  const { name = 'understudy', understudy, ok, why, properties } = run
  const cases = completeCases(run)
  const { inconclusive, ...counts } = countVerdicts(cases)
  // A grade of traffic has no time of its own: 0 says that nobody measured it.
  const start = run.started_at === undefined ? 0 : Date.parse(run.started_at) || 0
  const duration = Math.round(run.ms ?? 0)
  return formatJson({
    reportFormat: 'CTRF',
    specVersion: '0.0.0',
    generatedBy: 'understudy',
    results: {
      tool: { name, version: understudy },
      summary: {
        tests: cases.length,
        ...counts,
        pending: 0,
        other: inconclusive,
        start,
        stop: start + duration,
        duration,
        extra: { ok, why: visible(why) },
      },
      tests: cases.map(testOf),
      environment: { extra: { ...properties } },
    },
  })
}

const testOf = ({ id, name, suite, verdict, fault, ms = 0, message, text, details }: TestCase) => ({
  testId: id,
  name,
  status: statuses[verdict],
  rawStatus: verdict,
  duration: Math.round(ms),
  suite: [suite],
  ...(message !== undefined && { message }),
  ...(text !== undefined && { trace: text }),
  ...((fault !== undefined || details !== undefined) && {
    extra: { ...(fault !== undefined && { fault }), ...details },
  }),
})
