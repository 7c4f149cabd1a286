/** For the summary of a CI job: $GITHUB_STEP_SUMMARY, or a comment. */

import { oneLine, shorten } from '../../base/text.ts'
import { evidenceText, when } from '../../reports/evidence.ts'
import { evidenceBlocks, folded, inline, tableText } from '../../reports/markdown.ts'
import { icons, okVerdict, withVerdict } from '../../reports/verdicts.ts'
import type { ClauseResult, Report } from '../report.ts'
import { exploredText, extensionsOf, failedEvidence, skippedGroups, spentText } from './shared.ts'

export function suiteMarkdown(report: Report): string {
  const { target, profile, seed, started_at, why, ok, changes } = report
  const failed = withVerdict(report.clauses, 'failed')
  const groups = skippedGroups(report)
  const extensions = extensionsOf(report).map(inline)
  const blocks = [
    `## ${icons[okVerdict(ok)]} ${inline(why)}`,
    inline(`${target}, profile ${profile}, seed ${seed}, ${when(started_at)}`),
    ...(changes ? [inline(changes.text)] : []),
    ...(failed.length > 0 ? ['### Failed', ...failed.flatMap(clause => details(report, clause))] : []),
    ...(groups.length > 0 ? ['### Skipped', groups.map(skipped).join('\n')] : []),
    '### Clauses',
    table(report),
    ...notes(report),
    ...(extensions.length > 0
      ? [`Error codes beyond the documented ones (no violation): ${extensions.join(', ')}`]
      : []),
    `Spent: ${inline(spentText(report))}${report.explored ? `; explored ${inline(exploredText(report.explored))}` : ''}`,
  ]
  return `${blocks.join('\n\n')}\n`
}

function details(report: Report, clause: ClauseResult): string[] {
  const { shown, more } = failedEvidence(clause)
  const texts = shown.map(evidence => evidenceText(report, evidence))
  return folded(clause.id, `(${clause.level}) ${shorten(oneLine(clause.text), 100)}`, [
    inline(clause.text),
    ...evidenceBlocks(texts, more),
  ])
}

function skipped({ reason, needs, clauses }: ReturnType<typeof skippedGroups>[number]): string {
  const asked = needs.length > 0 ? ` (needs ${inline(needs.join('; '))})` : ''
  return `- ${inline(reason)}${asked}: ${clauses.map(({ id }) => inline(id)).join(', ')}`
}

function table({ clauses }: Report): string {
  const rows = clauses.map(({ verdict, id, text }) => [icons[verdict], id, shorten(oneLine(text), 120)])
  return tableText(['', 'Clause', 'The documented sentence'], rows)
}

function notes({ clauses }: Report): string[] {
  const lines = clauses.flatMap(({ id, notes }) => notes.map(note => `- ${inline(id)}: ${inline(note)}`))
  return lines.length === 0 ? [] : ['### Where the documentation leaves a choice', lines.join('\n')]
}
