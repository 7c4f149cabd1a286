/** SARIF: a rule is a rule of conduct, a result is a breach of it, at the route that the client called. */

import { shorten } from '../../base/text.ts'
import { noPlace, placeOf, type SarifPlace, type SarifResult, type SarifRule, sarifText } from '../../reports/sarif.ts'
import { isFailing } from '../grade.ts'
import type { ConductEvidence, ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductSarif(report: ConductReport): string {
  const { understudy, ok, why, source, key, calls, webhooks, rules } = report
  const lacks = shared.conductShortfalls(report)
  const warning = shared.incompleteText(report)
  const notifications = [
    ...[...lacks.rules].map(([id, lack]) => ({ level: 'error', text: `${id}: ${lack}` }) as const),
    ...lacks.others.map(text => ({ level: 'error', text }) as const),
    ...(warning === undefined ? [] : [{ level: 'warning', text: warning } as const]),
  ]
  return sarifText(
    { understudy, ok, why, properties: { source, key, calls, webhooks }, notifications },
    rules.map(rule => ruleOf(report, rule)),
  )
}

const ruleOf = (report: ConductReport, rule: RuleResult): SarifRule => ({
  id: rule.id,
  title: `${shared.nameOf(rule)} ${rule.title}`,
  text: shorten(rule.title, 1000),
  help: shared.adviceText(rule),
  level: isFailing(rule, report.level) ? 'error' : 'note',
  tags: ['api', 'client', ...rule.clauses],
  // What is inconclusive is no result.
  results: (rule.verdict === 'failed' ? rule.evidence : [])
    .filter(({ passed }) => !passed)
    .map(evidence => resultOf(report, rule, evidence)),
})

function resultOf(report: ConductReport, rule: RuleResult, evidence: ConductEvidence): SarifResult {
  const place = placeIn(rule, evidence)
  return {
    message: `${shared.nameOf(rule)} failed at ${place.name}: ${shared.conductEvidenceText(report, evidence)}\n\nadvice: ${shared.adviceText(rule)}`,
    place,
    // What was said has times and counts in it that differ with every run, so it does not identify the breach.
    identity: [rule.id, place.name],
  }
}

/** The route of the last of its calls: that one was too much. */
function placeIn(rule: RuleResult, { entries }: ConductEvidence): SarifPlace {
  const calls = entries.flatMap(({ what }) => {
    const [, method, url = ''] = /^([A-Z]+) (\/[^\s?#]*)/.exec(what.slice(0, 2000)) ?? []
    return method === undefined ? [] : [{ method, url }]
  })
  const last = calls.at(-1)
  return last === undefined ? noPlace('rules', rule.id) : placeOf(last)
}
