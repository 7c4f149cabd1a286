/** For people at a terminal: what failed and its evidence first, then the numbers, the verdict in one sentence last. */

import { formatCount, formatDuration, oneLine, plural, shorten, wrap } from '../../base/text.ts'
import type { Paint } from '../../reports/ansi.ts'
import { type EvidenceRow, rowLines, when } from '../../reports/evidence.ts'
import { indent, layoutOf, type PrettyOptions, paragraphs } from '../../reports/layout.ts'
import { marks, verdictColours } from '../../reports/verdicts.ts'

import type { DrillReport, ThresholdResult } from '../report.ts'
import * as numbers from './numbers.ts'
import * as shared from './shared.ts'
import { spark } from './spark.ts'

export function drillPretty(report: DrillReport, options?: PrettyOptions): string {
  const page: Page = { report, ...layoutOf(options) }
  const thresholds = shared.thresholdsOf(report)
  const parts = [
    head(page),
    ...thresholds.filter(({ verdict }) => verdict === 'failed').map(one => threshold(page, one)),
    ...breaches(page),
    ...thresholds
      .filter(({ verdict }) => verdict === 'inconclusive' || verdict === 'skipped')
      .map(one => threshold(page, one)),
    passed(page, thresholds),
    calls(page),
    overTime(page),
    failures(page),
    list(page, 'Load', shared.loadRows(report)),
    list(page, 'Found', shared.factRows(report)),
    list(page, 'Jobs', shared.jobRows(report)),
    gauges(page),
    list(page, 'The load generator', shared.generatorRows(report)),
    contract(page),
    notes(page),
    verdict(page),
  ]
  return paragraphs(parts.map(lines => lines.map(line => line.trimEnd())))
}

interface Page {
  report: DrillReport
  paint: Paint
  width: number
}

function head({ report, paint, width }: Page): string[] {
  const { understudy, drill, target, seed, started_at, complete, settings } = report
  const facts = `understudy ${understudy}, seed ${seed}, ${when(started_at)}`
  const given = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  const stopped = complete ? [] : [paint.yellow('It was stopped before its end.')]
  return [
    paint.bold(oneLine(`${drill}: ${target}`)),
    paint.dim(oneLine(facts)),
    ...(given.length === 0 ? [] : wrap(oneLine(given.join(', ')), width).map(paint.dim)),
    ...stopped,
  ]
}

function threshold({ paint, width }: Page, { verdict, text, said }: ThresholdResult): string[] {
  const tone = paint[verdictColours[verdict]]
  const title = `${marks[verdict]} ${shorten(oneLine(text), width - 18)}${verdict === 'failed' ? '' : ` (${verdict})`}`
  return [tone(paint.bold(title)), ...indent(wrap(shorten(oneLine(said), 1000), width - 2))]
}

function passed(page: Page, thresholds: ThresholdResult[]): string[] {
  const rows = thresholds
    .filter(({ verdict }) => verdict === 'passed')
    .map(
      ({ text, said }): EvidenceRow => [`${marks.passed} ${shorten(oneLine(text), 60)}`, shorten(oneLine(said), 500)],
    )
  return labelled(page, rows, page.paint.green)
}

const breaches = ({ report, paint, width }: Page): string[][] =>
  report.contract.breaches.map(breach => [
    paint.red(paint.bold(`${marks.failed} ${oneLine(shared.breachTitle(breach))}`)),
    ...indent(rowLines(shared.breachRows(breach.evidence), width - 2, paint.dim)),
  ])

const calls = (page: Page): string[] => [
  page.paint.bold('Calls, in ms from when each was due'),
  ...tableLines(page, shared.callsTable(page.report)),
]

/** A column narrower than this is no longer read. */
const narrowest = 24

/**
 * Columns as wide as they have to be, numbers at the right. What is too wide goes on below: a text at the end within its
 * column, other columns led by the first one again.
 */
export function tableLines({ paint, width }: Pick<Page, 'paint' | 'width'>, table: shared.Table): string[] {
  const { head, text = [] } = table
  const led = Math.max(narrowest, Math.floor(width / 3))
  const rows = table.rows.map(([first = '', ...rest]) => [shorten(oneLine(first), led), ...rest.map(oneLine)])
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0)))
  const last = head.length - 1
  const left = width - widths.slice(0, last).reduce((sum, one) => sum + one + 2, 0)
  const below = width - (widths[0] ?? 0) - 2
  if (text.includes(last)) widths[last] = Math.min(widths[last] ?? 0, left < narrowest ? below : left)
  const blocks: number[][] = [[]]
  let used = widths[0] ?? 0
  for (let i = 1; i <= last; i++) {
    const more = 2 + (widths[i] ?? 0)
    if (used + more > width && blocks.at(-1)?.length) {
      blocks.push([])
      used = widths[0] ?? 0
    }
    blocks.at(-1)?.push(i)
    used += more
  }
  const aligned = (cell: string, i: number) =>
    i === 0 || text.includes(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
  const lines = (cells: readonly string[], block: number[]) => {
    const [first = '', ...rest] = text.includes(last) ? wrap(cells[last] ?? '', widths[last] ?? 0) : [cells[last] ?? '']
    const line = [0, ...block].map(i => aligned(i === last ? first : (cells[i] ?? ''), i)).join('  ')
    const indented = line.length - (widths[last] ?? 0)
    return [line.trimEnd(), ...(block.includes(last) ? rest.map(more => ' '.repeat(indented) + more) : [])]
  }
  return blocks.flatMap(block => [...lines(head, block).map(paint.dim), ...rows.flatMap(row => lines(row, block))])
}

function overTime(page: Page): string[] {
  const { report, paint, width } = page
  const { points, every_ms } = report.series
  if (points.length < 2) return []
  const perSecond = (value: number) => (value * 1000) / every_ms
  const lines: [string, (number | null)[], (value: number) => string][] = [
    ['p50', points.map(({ p50 }) => p50), numbers.millis],
    ['p99', points.map(({ p99 }) => p99), numbers.millis],
    ['completed', points.map(({ completed }) => perSecond(completed)), numbers.rate],
    ['429', points.map(({ statuses }) => perSecond(statuses['429'])), numbers.rate],
    ['errors', points.map(({ statuses }) => perSecond(shared.errorTotal(statuses))), numbers.rate],
  ]
  const shown = lines
    .filter(([label, values]) => !(label === '429' || label === 'errors') || values.some(value => value !== 0))
    .map(([label, values, say]) => {
      const top = shared.most(values.filter(value => value !== null))
      const highest = top === undefined ? numbers.noNumber : `up to ${say(top)}`
      return `${paint.dim(label.padEnd(11))}${spark(values, width - 11 - 17).padEnd(Math.min(points.length, width - 28))}  ${paint.dim(highest)}`
    })
  return [paint.bold(`Over time, from 0 to ${formatDuration(points.length * every_ms)}`), ...shown, ...markLines(page)]
}

/** As many as a person reads; the JSON report has all. */
const marksShown = 8

function markLines({ report, width }: Page): string[] {
  const rows = shared.markRows(report)
  const rest = rows.length - marksShown
  const lines = rows
    .slice(0, marksShown)
    .map(([at, label]) => `${' '.repeat(11)}${shorten(`${at}: ${oneLine(label)}`, width - 11)}`)
  return rest > 0 ? [...lines, `${' '.repeat(11)}and ${formatCount(rest)} more`] : lines
}

function failures(page: Page): string[] {
  const { more, ...table } = shared.failuresTable(page.report)
  if (table.rows.length === 0) return []
  const rest = more === 0 ? [] : [`and ${plural(more, 'more kind')}: the json report has them all`]
  return [page.paint.bold('What failed'), ...tableLines(page, table), ...rest]
}

function gauges(page: Page): string[] {
  const table = shared.gaugesTable(page.report)
  return table.rows.length === 0 ? [] : [page.paint.bold("The server's own numbers"), ...tableLines(page, table)]
}

const list = (page: Page, title: string, rows: EvidenceRow[]): string[] =>
  rows.length === 0 ? [] : [page.paint.bold(title), ...labelled(page, rows)]

function labelled({ paint, width }: Page, rows: EvidenceRow[], tone = paint.dim): string[] {
  const widths = rows.map(([name]) => oneLine(name).length + 2)
  const column = Math.min(28, Math.max(0, ...widths))
  return rows.flatMap(([name, text]) => {
    const label = oneLine(name)
    const lines = wrap(oneLine(text), width - column)
    const start = label.length + 2 > column ? wrap(label, width).map(tone) : []
    return [
      ...start,
      ...lines.map((line, i) => tone((i === 0 && start.length === 0 ? label : '').padEnd(column)) + line),
    ]
  })
}

const contract = ({ report, paint, width }: Page): string[] => [
  paint.bold('The contract under load'),
  ...wrap(oneLine(shared.contractText(report)), width),
]

function notes({ report, paint, width }: Page): string[] {
  if (report.notes.length === 0) return []
  const lines = report.notes.flatMap(note =>
    wrap(oneLine(note), width - 2).map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`)),
  )
  return [paint.bold('To be known'), ...lines]
}

function verdict({ report, paint }: Page): string[] {
  const outcome = shared.outcomeOf(report)
  // Not wrapped: whoever reads the last line of a log wants all of it.
  return [paint.bold(paint[verdictColours[outcome]](`${marks[outcome]} ${oneLine(report.why)}`))]
}
