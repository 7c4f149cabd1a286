/** A grade as test cases: a case is a rule, and its name never changes. */

import { oneLine, shorten } from '../../base/text.ts'
import { runCase, type TestCase, type TestRun } from '../../reports/testCase.ts'
import { failedWord } from '../../reports/verdicts.ts'
import { isFailing } from '../grade.ts'
import type { ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductRun(report: ConductReport): TestRun {
  const { source, key, calls, webhooks, understudy, ok, why, incomplete, started_at } = report
  const lacks = shared.conductShortfalls(report)
  return {
    understudy,
    ok,
    why,
    started_at,
    properties: {
      source,
      key,
      calls: String(calls),
      webhooks: String(webhooks),
      ...(incomplete !== undefined && { incomplete }),
    },
    cases: [
      ...report.rules.map(rule => ruleCase(report, rule, lacks.rules.get(rule.id))),
      ...lacks.others.map(runCase),
    ],
  }
}

/** A failure is read in a browser: the JSON report has all of it. */
const evidencePerCase = 5

function ruleCase(report: ConductReport, rule: RuleResult, lack: string | undefined): TestCase {
  const { id, clause, verdict, provoke } = rule
  const about = {
    id,
    name: `${shared.nameOf(rule)}: ${oneLine(shorten(rule.title, 300))}`,
    suite: id.split('.')[0] ?? '',
  }
  const advice = shared.adviceText(rule)
  if (lack !== undefined)
    return {
      ...about,
      verdict: 'failed',
      message: lack,
      text: `advice     ${advice}`,
      details: { clause, advice, provoke },
    }
  if (verdict === 'passed') return { ...about, verdict }
  if (verdict === 'inconclusive') return { ...about, verdict, fault: rule.fault, message: shared.skippedText(rule) }
  if (verdict !== 'failed')
    return { ...about, verdict, message: shared.skippedText(rule), details: { clause, provoke } }
  const { shown, more } = shared.breachesOf(rule, evidencePerCase)
  const [first] = shown
  const others = shown.length - 1 + more
  // A test runner knows no failure that fails nothing: it is skipped there, and says that it failed.
  const isMild = !isFailing(rule, report.level)
  const evidence = shown.map(one => ({ said: shared.saidText(report, one), entries: shared.entryLines(one) }))
  return {
    ...about,
    verdict: isMild ? ('skipped' as const) : verdict,
    message: `${isMild ? `${failedWord(rule)}: ` : ''}${clause}: ${first ? shared.saidText(report, first) : 'failed'}${others > 0 ? ` (and ${others} more)` : ''}`,
    text: [...shown.map(one => shared.conductEvidenceText(report, one)), `advice     ${advice}`].join('\n\n'),
    details: { clause, evidence, more: more || undefined, advice },
  }
}
