/** TAP 14: a test point is a rule. */

import { oneLine, shorten } from '../../base/text.ts'
import { type TapPoint, tapText } from '../../reports/tap.ts'

import type { ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductTap(report: ConductReport): string {
  const lacks = shared.conductShortfalls(report)
  const points = report.rules.map(rule => point(report, rule, lacks.rules.get(rule.id)))
  for (const message of lacks.others)
    points.push({ ok: false, name: 'the client is graded green', diagnostic: { message } })
  const about = [`${shared.whoText(report)}: ${oneLine(report.source)}, ${shared.seenText(report)}`]
  const warning = shared.incompleteText(report)
  return tapText(points, [...about, ...(warning === undefined ? [] : [warning]), report.why])
}

function point(report: ConductReport, rule: RuleResult, lack: string | undefined): TapPoint {
  const { clause, verdict } = rule
  const name = `${shared.nameOf(rule)}: ${shorten(oneLine(rule.title), 120)}`
  const advice = shared.adviceText(rule)
  if (lack !== undefined) return { ok: false, name, diagnostic: { message: lack, clause, advice } }
  if (verdict === 'kept') return { ok: true, name }
  if (verdict === 'not_seen') return { ok: true, name, skip: shared.notSeenText(rule) }
  const { shown, more } = shared.breachesOf(rule)
  const evidence = shown.map(one => ({ said: shared.saidText(report, one), entries: shared.entryLines(one) }))
  return { ok: false, name, diagnostic: { clause, evidence, more: more || undefined, advice } }
}
