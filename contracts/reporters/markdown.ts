/** For the summary of a CI job: $GITHUB_STEP_SUMMARY, or a comment. */
import type { ClauseResult, Report, Verdict } from '../suite/report.ts'
import { escapeMarkup } from './markup.ts'
import { brokenEvidence, evidenceText, exploredText, extensionsOf, having, spentText, untried, when } from './shared.ts'
import { oneLine, plural, shorten } from './text.ts'

export const icons: Record<Verdict, string> = { broken: '❌', not_tried: '⚪', holds: '✅' }

export function markdown(report: Report): string {
  const { target, profile, seed, started_at, why, ok, changes } = report
  const broken = having(report, 'broken')
  const groups = untried(report)
  const extensions = extensionsOf(report).map(inline)
  const blocks = [
    `## ${ok ? icons.holds : icons.broken} ${inline(why)}`,
    inline(`${target}, profile ${profile}, seed ${seed}, ${when(started_at)}`),
    ...(changes ? [inline(changes.text)] : []),
    ...(broken.length > 0 ? ['### Broken', ...broken.flatMap(clause => details(report, clause))] : []),
    ...(groups.length > 0 ? ['### Not tried', groups.map(notTried).join('\n')] : []),
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
  const { shown, more } = brokenEvidence(clause)
  const texts = shown.map(evidence => evidenceText(report, evidence))
  return folded(clause.id, `(${clause.level}) ${shorten(oneLine(clause.text), 100)}`, [
    inline(clause.text),
    ...evidenceBlocks(texts, more),
  ])
}

/** What is broken, to be unfolded. */
export const folded = (id: string, text: string, blocks: readonly string[]): string[] => [
  `<details><summary>${icons.broken} <b>${escapeMarkup(oneLine(id))}</b> ${escapeMarkup(oneLine(text))}</summary>`,
  ...blocks,
  '</details>',
]

export const evidenceBlocks = (texts: readonly string[], more: number): string[] => [
  ...(texts.length > 0 ? texts.map(fence) : ['No evidence was kept.']),
  ...(more > 0 ? [`${plural(more, 'more piece')} of evidence: the json report has them all.`] : []),
]

function notTried({ reason, needs, clauses }: ReturnType<typeof untried>[number]): string {
  const asked = needs.length > 0 ? ` (needs ${inline(needs.join('; '))})` : ''
  return `- ${inline(reason)}${asked}: ${clauses.map(({ id }) => inline(id)).join(', ')}`
}

function table({ clauses }: Report): string {
  const rows = clauses.map(({ verdict, id, text }) => [icons[verdict], id, shorten(oneLine(text), 120)])
  return tableText(['', 'Clause', 'The documented sentence'], rows)
}

export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `|${cells.map(cell => (cell === '' ? ' ' : ` ${inline(cell)} `)).join('|')}|`
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

function notes({ clauses }: Report): string[] {
  const lines = clauses.flatMap(({ id, notes }) => notes.map(note => `- ${inline(id)}: ${inline(note)}`))
  return lines.length === 0 ? [] : ['### Where the documentation leaves a choice', lines.join('\n')]
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '|': '&#124;', $: '&#36;' }

/** Text that means nothing to Markdown. The pipe is an entity, as a table splits at one whatever stands before it. */
export const inline = (text: string): string =>
  oneLine(text).replace(/[&<>|$\\`*_[\]~#]/g, sign => entities[sign] ?? `\\${sign}`)

/** The fence has more backticks than the text has in a row. */
export function fence(text: string): string {
  const ticks = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)))
  return `${ticks}text\n${text}\n${ticks}`
}
