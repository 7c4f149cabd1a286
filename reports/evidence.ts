/** A piece of evidence for people: the same rows and lines in every format. */

import { formatDuration, shorten, shortenText, visible, wrap } from '../base/text.ts'
import type { Evidence } from '../contracts/evidence.ts'

/** A clause that a thousand answers broke is told by three that differ; the JSON report has all. */
const evidencePerClause = 3

export interface Differing<Piece> {
  shown: Piece[]
  /** How many are not shown: the same again, or beyond the limit. */
  more: number
}

/** The first of those that differ. */
export function differing<Piece>(
  all: readonly Piece[],
  sameness: (piece: Piece) => string,
  most = evidencePerClause,
): Differing<Piece> {
  const first = new Map<string, Piece>()
  for (const piece of all) {
    if (first.size === most) break
    const key = sameness(piece)
    if (!first.has(key)) first.set(key, piece)
  }
  return { shown: [...first.values()], more: all.length - first.size }
}

/** A label and its text, which may have several lines; safe to print. */
export type EvidenceRow = readonly [label: string, text: string]

const labelWidth = 11

/** What evidence is told with: the checks, by whose titles it is known what was tried. */
export type Titles = { checks: readonly { id: string; title: string }[] }

/** One piece of evidence, as a person reads it: from what was checked to how to see it again. */
export function evidenceRows({ checks }: Titles, evidence: Evidence): EvidenceRow[] {
  const { check, expected, found, pointer, request, response, curl } = evidence
  const title = check === 'explore' ? 'a generated sequence' : checks.find(({ id }) => id === check)?.title
  const rows: [string, string | undefined][] = [
    ['check', title === undefined ? check : `${check}: ${title}`],
    ['expected', shortenText(expected, 1000)],
    ['found', shortenText(found, 1000)],
    ['at', pointer && shortenText(pointer, 300)],
    ['request', request && shortenText(`${request.method} ${request.url}`, 1000)],
    ['sent', curl === undefined && request?.body ? shortenText(request.body, 800) : undefined],
    ['answer', response && answerText(response)],
    ['headers', headersText(evidence)],
    ['body', response?.body && shortenText(response.body, 800)],
    ['reproduce', curl],
  ]
  return rows.flatMap(([label, text]) => (text ? [[label, visible(text)] as const] : []))
}

/** The rows as lines. The command stands on lines of its own at the left: it is there to be copied. */
export function rowLines(
  rows: EvidenceRow[],
  width = Number.POSITIVE_INFINITY,
  paint = (label: string) => label,
): string[] {
  return rows.flatMap(([label, text]) => {
    if (label === 'reproduce') return [paint(label), ...text.split('\n')]
    const gutter = label === 'body' || label === 'sent' ? '│ ' : ''
    const lines = wrap(text, width - labelWidth - gutter.length)
    return lines.map((line, i) => paint((i === 0 ? label : '').padEnd(labelWidth)) + gutter + line)
  })
}

/** The same for a file: rows as plain text. */
export const evidenceText = (report: Titles, evidence: Evidence): string =>
  rowLines(evidenceRows(report, evidence)).join('\n')

/** "404 in 12 ms" */
export function answerText({ status, ms }: NonNullable<Evidence['response']>): string {
  const answered = status === 0 ? 'no answer came' : String(status)
  return ms === undefined ? answered : `${answered} in ${formatDuration(ms)}`
}

/** Why it was skipped; cut, as it may cite the endpoint. */
export const reasonOf = ({ reason }: { reason?: string }): string => shorten(reason ?? 'no reason was given', 300)

/** Those of the same key together, in the order in which the keys come up. */
export function grouped<Item>(items: readonly Item[], key: (item: Item) => string): [Item, ...Item[]][] {
  const groups = new Map<string, [Item, ...Item[]]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return [...groups.values()]
}

/** "2026-11-20 12:00:03 UTC" */
export const when = (iso: string): string => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')

const telling =
  /^(content-(type|length|range)|accept-ranges|location|retry-after|www-authenticate|(x-)?ratelimit.*|x-request-id)$/i

/** The few headers that tell something, and the one that the pointer names. */
function headersText({ pointer = '', response }: Evidence): string {
  const named = pointer.replace(/^header /, '').toLowerCase()
  const shown = Object.entries(response?.headers ?? {}).filter(
    ([name]) => telling.test(name) || name.toLowerCase() === named,
  )
  return shown
    .slice(0, 12)
    .map(([name, value]) => `${shortenText(name, 100)}: ${shortenText(value, 200)}`)
    .join('\n')
}
