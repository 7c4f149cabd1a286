/** SARIF 2.1.0: a rule is a rule of conduct, a result is a breach of it, at the route that the client called. */

import { shorten, visible } from '../../base/text.ts'
import { located, noPlace, placeOf, plain, type SarifPlace, sarifText } from '../../reports/sarif.ts'

import type { ConductEvidence, ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductSarif(report: ConductReport): string {
  const { understudy, ok, why, source, key, calls, webhooks, rules } = report
  const lacks = shared.conductShortfalls(report)
  const warning = shared.incompleteText(report)
  return sarifText({
    tool: { driver: { name: 'Understudy', version: visible(understudy), rules: rules.map(ruleOf) } },
    invocations: [
      {
        executionSuccessful: true,
        exitCode: ok ? 0 : 1,
        exitCodeDescription: visible(why),
        toolExecutionNotifications: [
          ...[...lacks.rules].map(([id, lack]) => ({ level: 'error', message: plain(`${id}: ${lack}`) })),
          ...lacks.others.map(lack => ({ level: 'error', message: plain(lack) })),
          ...(warning === undefined ? [] : [{ level: 'warning', message: plain(warning) }]),
        ],
      },
    ],
    properties: { source, key, calls, webhooks },
    results: rules.flatMap((rule, ruleIndex) =>
      rule.evidence.filter(({ kept }) => !kept).map(evidence => resultOf(report, rule, ruleIndex, evidence)),
    ),
  })
}

const ruleOf = (rule: RuleResult) => ({
  id: rule.id,
  shortDescription: plain(shorten(`${shared.nameOf(rule)} ${rule.title}`, 250)),
  fullDescription: plain(shorten(rule.title, 1000)),
  help: plain(shared.adviceText(rule)),
  defaultConfiguration: { level: 'error' },
  properties: { tags: ['api', 'client', ...rule.clauses] },
})

function resultOf(report: ConductReport, rule: RuleResult, ruleIndex: number, evidence: ConductEvidence) {
  const place = placeIn(rule, evidence)
  return {
    ruleId: rule.id,
    ruleIndex,
    level: 'error',
    message: plain(
      `${shared.nameOf(rule)} is broken at ${place.name}: ${shared.conductEvidenceText(report, evidence)}\n\nadvice: ${shared.adviceText(rule)}`,
    ),
    // What was said has times and counts in it that differ with every run, so it is no part of what the breach is known by.
    ...located(place, [rule.id, place.name]),
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
