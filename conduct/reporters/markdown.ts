/** For the summary of a CI job: $GITHUB_STEP_SUMMARY, or a comment. */

import { oneLine, shorten } from '../../base/text.ts'
import { evidenceBlocks, folded, icons, inline, tableText } from '../../reports/markdown.ts'

import type { ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductMarkdown(report: ConductReport): string {
  const { source, why, ok, rules } = report
  const broken = shared.rulesWith(rules, 'broken')
  const groups = shared.notSeenGroups(report)
  const kept = shared.rulesWith(rules, 'kept')
  const keys = shared.keysText(report)
  const warning = shared.incompleteText(report)
  const blocks = [
    `## ${ok ? icons.holds : icons.broken} ${inline(why)}`,
    inline(`${shared.whoText(report)}, ${shorten(source, 300)}, ${shared.seenText(report)}`),
    ...(keys === undefined ? [] : [inline(`keys found: ${keys}`)]),
    ...(warning === undefined ? [] : [`> ⚠️ ${inline(warning)}`]),
    ...(broken.length > 0 ? ['### Broken', ...broken.flatMap(rule => details(report, rule))] : []),
    ...(groups.length > 0 ? ['### Not seen', groups.map(notSeen(report)).join('\n')] : []),
    ...(kept.length > 0 ? ['### Kept', tableText(['', 'Rule', 'Clause', 'What the client does'], kept.map(row))] : []),
  ]
  return `${blocks.join('\n\n')}\n`
}

function details(report: ConductReport, rule: RuleResult): string[] {
  const { shown, more } = shared.breachesOf(rule)
  const texts = shown.map(evidence => shared.conductEvidenceText(report, evidence))
  const title = oneLine(shorten(rule.title, 500))
  return folded(shorten(rule.id, 100), `(${shorten(rule.clause, 30)}) ${shorten(title, 120)}`, [
    ...(title.length > 120 ? [inline(title)] : []),
    ...evidenceBlocks(texts, more),
    `**Advice:** ${inline(shared.adviceText(rule))}`,
  ])
}

const notSeen = (report: ConductReport) => {
  const lacks = shared.conductShortfalls(report).rules
  return ({ title, rules }: shared.NotSeen): string =>
    [`- ${inline(title)}`, ...rules.map(rule => `  - ${ruleText(rule, lacks.has(rule.id))}`)].join('\n')
}

function ruleText(rule: RuleResult, isRequired: boolean): string {
  const reason = shared.ownReason(rule)
  const title = shorten(oneLine(rule.title), 200)
  return `${inline(shared.nameOf(rule))}${isRequired ? ' **required**' : ''} ${inline(title)}${reason ? `: ${inline(reason)}` : ''}`
}

const row = ({ id, clause, title }: RuleResult): string[] => [
  icons.holds,
  shorten(id, 100),
  clause,
  shorten(oneLine(title), 200),
]
