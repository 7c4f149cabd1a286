/** For the summary of a CI job: $GITHUB_STEP_SUMMARY, or a comment. */

import { oneLine, shorten } from '../../base/text.ts'
import { evidenceBlocks, folded, inline, tableText } from '../../reports/markdown.ts'
import { failedWord, icons, okVerdict, withVerdict } from '../../reports/verdicts.ts'

import type { ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductMarkdown(report: ConductReport): string {
  const { source, why, ok, rules } = report
  const failed = withVerdict(rules, 'failed')
  const unclear = withVerdict(rules, 'inconclusive')
  const groups = shared.skippedGroupsOf(report)
  const passed = withVerdict(rules, 'passed')
  const keys = shared.keysText(report)
  const warning = shared.incompleteText(report)
  const blocks = [
    `## ${icons[okVerdict(ok)]} ${inline(why)}`,
    inline(`${shared.whoText(report)}, ${shorten(source, 300)}, ${shared.seenText(report)}`),
    ...(keys === undefined ? [] : [inline(`keys found: ${keys}`)]),
    ...(warning === undefined ? [] : [`> ⚠️ ${inline(warning)}`]),
    inline(shared.gradingText(report)),
    ...(failed.length > 0 ? ['### Failed', ...failed.flatMap(rule => details(report, rule))] : []),
    ...(unclear.length > 0
      ? [
          '### Inconclusive',
          unclear.map(rule => `- ${inline(`${shared.nameOf(rule)}: ${rule.reason ?? ''}`)}`).join('\n'),
        ]
      : []),
    ...(groups.length > 0 ? ['### Skipped', groups.map(skipped(report)).join('\n')] : []),
    ...(passed.length > 0
      ? ['### Passed', tableText(['', 'Rule', 'Clause', 'What the client does'], passed.map(row))]
      : []),
  ]
  return `${blocks.join('\n\n')}\n`
}

function details(report: ConductReport, rule: RuleResult): string[] {
  const { shown, more } = shared.breachesOf(rule)
  const texts = shown.map(evidence => shared.conductEvidenceText(report, evidence))
  const title = oneLine(shorten(rule.title, 500))
  const word = rule.expected || rule.level === 'should' ? `${failedWord(rule)}: ` : ''
  return folded(shorten(rule.id, 100), `(${shorten(rule.clause, 30)}) ${word}${shorten(title, 120)}`, [
    ...(title.length > 120 ? [inline(title)] : []),
    ...evidenceBlocks(texts, more),
    `**Advice:** ${inline(shared.adviceText(rule))}`,
  ])
}

const skipped = (report: ConductReport) => {
  const lacks = shared.conductShortfalls(report).rules
  return ({ title, rules }: shared.SkippedGroup): string =>
    [`- ${inline(title)}`, ...rules.map(rule => `  - ${ruleText(rule, lacks.has(rule.id))}`)].join('\n')
}

function ruleText(rule: RuleResult, isRequired: boolean): string {
  const reason = shared.ownReason(rule)
  const title = shorten(oneLine(rule.title), 200)
  return `${inline(shared.nameOf(rule))}${isRequired ? ' **required**' : ''} ${inline(title)}${reason ? `: ${inline(reason)}` : ''}`
}

const row = ({ id, clause, title }: RuleResult): string[] => [
  icons.passed,
  shorten(id, 100),
  clause,
  shorten(oneLine(title), 200),
]
