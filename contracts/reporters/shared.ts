/** What several reporters read off a report in the same way. */
import type { CheckResult, ClauseResult, Evidence, Report, Verdict } from '../suite/report.ts'
import { count, cut, duration, oneLine, plural, shorten, size, visible, wrap } from './text.ts'

/** Not to be told by colour alone. */
export const marks: Record<Verdict, string> = { holds: '✓', broken: '✗', not_tried: '–' }

/** "not tried" */
export const wordsOf = (verdict: string): string => verdict.replace('_', ' ')

export const having = ({ clauses }: Report, verdict: Verdict): ClauseResult[] =>
  clauses.filter(clause => clause.verdict === verdict)

/** A clause that a thousand answers broke is told by three that differ; the JSON report has all. */
const evidencePerClause = 3
const sameness = ({ expected, found, pointer }: Evidence): string => JSON.stringify([expected, found, pointer])

/** The evidence that broke a clause, and how much more of it there is. */
export const brokenEvidence = ({ evidence }: ClauseResult): Differing<Evidence> =>
  differing(
    evidence.filter(({ holds }) => !holds),
    sameness,
  )

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
export type Row = readonly [label: string, text: string]

const labelWidth = 11

/** What evidence is told with: the checks, by whose titles it is known what was tried. */
export type Titles = { checks: readonly Pick<CheckResult, 'id' | 'title'>[] }

/** One piece of evidence, as a person reads it: from what was checked to how to see it again. */
export function evidenceRows({ checks }: Titles, evidence: Evidence): Row[] {
  const { check, expected, found, pointer, request, response, curl } = evidence
  const title = check === 'explore' ? 'a sequence that nobody wrote' : checks.find(({ id }) => id === check)?.title
  const rows: [string, string | undefined][] = [
    ['check', title === undefined ? check : `${check}: ${title}`],
    ['expected', cut(expected, 1000)],
    ['found', cut(found, 1000)],
    ['at', pointer && cut(pointer, 300)],
    ['request', request && cut(`${request.method} ${request.url}`, 1000)],
    ['sent', curl === undefined && request?.body ? cut(request.body, 800) : undefined],
    ['answer', response && answerText(response)],
    ['headers', headersText(evidence)],
    ['body', response?.body && cut(response.body, 800)],
    ['reproduce', curl],
  ]
  return rows.flatMap(([label, text]) => (text ? [[label, visible(text)] as const] : []))
}

/** The rows as lines. The command stands on lines of its own at the left: it is there to be copied. */
export function rowLines(rows: Row[], width = Number.POSITIVE_INFINITY, paint = (label: string) => label): string[] {
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
  return ms === undefined ? answered : `${answered} in ${duration(ms)}`
}

/** Why it was not tried; cut, as it may cite the endpoint. */
export const reasonOf = ({ reason }: { reason?: string }): string => shorten(reason ?? 'no reason was given', 300)

/** The clauses that were not tried, by why they were not. */
export function untried(report: Report): { reason: string; needs: readonly string[]; clauses: ClauseResult[] }[] {
  const alike = grouped(having(report, 'not_tried'), one => JSON.stringify([reasonOf(one), one.needs ?? []]))
  return alike.map(([first, ...rest]) => ({
    reason: reasonOf(first),
    needs: first.needs ?? [],
    clauses: [first, ...rest],
  }))
}

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

/**
 * Why a run is not green beside its broken clauses, so that no format calls a run good that is not: a required clause
 * that was not tried, by its id, or the run as such, for instance when it was stopped early.
 */
export function shortfalls(report: Report): { clause?: string; why: string }[] {
  const verdicts = new Map(report.clauses.map(clause => [clause.id, clause]))
  const missing = report.required.missing.filter(id => verdicts.get(id)?.verdict !== 'broken')
  const found = missing.map(clause => ({
    clause,
    why: `required, but not tried: ${reasonOf(verdicts.get(clause) ?? { reason: 'it is not in this report' })}`,
  }))
  const unsaid = !report.ok && found.length === 0 && having(report, 'broken').length === 0
  return unsaid ? [{ why: report.why }] : found
}

/** What the clause was at the baseline, where it is broken only since. */
export const brokeSince = ({ changes }: Report, id: string): Verdict | undefined =>
  changes?.changes.find(({ clause, to }) => clause === id && to === 'broken')?.from

/** "2026-11-20 12:00:03 UTC" */
export const when = (iso: string): string => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')

/** "213 requests, 12 credits, 3.4 MB sent, in 41.2 s" */
export function spentText({ spent: { requests, credits, sent_bytes }, ms }: Report): string {
  return `${plural(requests, 'request')}, ${plural(credits, 'credit')}, ${size(sent_bytes)} sent, in ${duration(ms)}`
}

/** What the endpoint called its own errors, and may have called them at any length. */
export const extensionsOf = ({ extensions }: Report): string[] => extensions.map(code => oneLine(shorten(code, 80)))

/** "200 sequences of 1,432 calls, seed 7f3a" */
export const exploredText = ({ sequences, calls, seed }: NonNullable<Report['explored']>): string =>
  `${plural(sequences, 'sequence')} of ${count(calls)} calls, seed ${seed}`

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
    .map(([name, value]) => `${cut(name, 100)}: ${cut(value, 200)}`)
    .join('\n')
}
