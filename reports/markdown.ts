import { oneLine, plural } from '../base/text.ts'
import { escapeMarkup } from './markup.ts'
import { icons } from './verdicts.ts'

/** What failed, to be unfolded. */
export const folded = (id: string, text: string, blocks: readonly string[]): string[] => [
  `<details><summary>${icons.failed} <b>${escapeMarkup(oneLine(id))}</b>${text === '' ? '' : ` ${escapeMarkup(oneLine(text))}`}</summary>`,
  ...blocks,
  '</details>',
]

export const evidenceBlocks = (texts: readonly string[], more: number): string[] => [
  ...(texts.length > 0 ? texts.map(fence) : ['No evidence was kept.']),
  ...(more > 0 ? [`${plural(more, 'more piece')} of evidence: the json report has them all.`] : []),
]

export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean = () => false,
): string {
  const line = (cells: readonly string[]) =>
    `|${cells.map(cell => (cell === '' ? ' ' : ` ${inline(cell)} `)).join('|')}|`
  return [line(head), `|${head.map((_, i) => (isNumber(i) ? ' ---: |' : ' --- |')).join('')}`, ...rows.map(line)].join(
    '\n',
  )
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
