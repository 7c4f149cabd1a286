/** What pretty, markdown and html say of a report: the same rows and cells, which each of them escapes in its own way. */

import { formatCount, formatDuration, formatSize, oneLine, plural, shorten } from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import type { Verdict } from '../../contracts/verdict.ts'
import { type EvidenceRow, evidenceRows } from '../../reports/evidence.ts'
import { withVerdict, worstFirst } from '../../reports/verdicts.ts'

import {
  type Breach,
  type DrillReport,
  type Percentiles,
  type Statuses,
  statusClasses,
  type ThresholdResult,
} from '../report.ts'
import * as numbers from './numbers.ts'

/** The verdict on the run as a whole: one that is not green though nothing failed proves nothing. */
export const outcomeOf = ({ ok, verdict }: DrillReport): Verdict =>
  verdict === 'passed' && !ok ? 'inconclusive' : verdict

/** A table as it is shown everywhere; the first column is text, and `text` tells which of the others are. */
export interface Table {
  head: readonly string[]
  rows: string[][]
  text?: readonly number[]
}

export const totalOf = (statuses: Statuses): number => statusClasses.reduce((sum, name) => sum + statuses[name], 0)

/** As the metric `errors` has them: all that ended neither 2xx nor 429. */
export const errorTotal = (statuses: Statuses): number => totalOf(statuses) - statuses['2xx'] - statuses['429']

/** The calls, and all of them together where there are several. */
const callsOf = ({ calls, latency, statuses }: DrillReport): DrillReport['calls'] =>
  calls.length === 1 ? calls : [...calls, { call: 'all', statuses, latency }]

/** 3xx only where there are any: an API has none as a rule. */
const classesOf = ({ statuses }: DrillReport) => statusClasses.filter(name => name !== '3xx' || statuses['3xx'] > 0)

export const quantiles = ['p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const satisfies (keyof Percentiles)[]
export type Quantile = (typeof quantiles)[number]
export const quantileName = (name: Quantile): string => (name === 'p999' ? 'p99.9' : name)

/** Call by call, for a narrow page: times in ms, then answers by class. */
export function callsTable(report: DrillReport): Table {
  const classes = classesOf(report)
  const shown = ['p50', 'p95', 'p99', 'max'] as const
  return {
    head: ['call', 'count', ...shown, ...classes],
    rows: callsOf(report).map(({ call, statuses, latency }) => [
      name(call),
      formatCount(totalOf(statuses)),
      ...shown.map(quantile => numbers.cell(latency?.[quantile])),
      ...classes.map(status => formatCount(statuses[status])),
    ]),
  }
}

/** All that is known of the times; the last row is what a load generator would say that waits for answers. */
export function latencyTable(report: DrillReport): Table {
  const { service } = report
  const rows = [
    ...callsOf(report),
    ...(service === null ? [] : [{ call: 'all, from when it was sent', latency: service }]),
  ]
  return {
    head: ['call', 'count', 'min', 'mean', ...quantiles.map(quantileName)],
    rows: rows.map(({ call, latency }) => [
      name(call),
      formatCount(latency?.count ?? 0),
      numbers.cell(latency?.min),
      numbers.cell(latency?.mean),
      ...quantiles.map(quantile => numbers.cell(latency?.[quantile])),
    ]),
  }
}

export function answersTable(report: DrillReport): Table {
  const classes = classesOf(report)
  return {
    head: ['call', 'count', ...classes, 'errors'],
    rows: callsOf(report).map(({ call, statuses }) => [
      name(call),
      formatCount(totalOf(statuses)),
      ...classes.map(status => formatCount(statuses[status])),
      numbers.share(errorTotal(statuses), totalOf(statuses)),
    ]),
  }
}

/** A server may answer with a thousand different codes; the JSON report has all. */
const failuresShown = 12

export function failuresTable({ failures }: DrillReport): Table & { more: number } {
  return {
    head: ['call', 'count', 'first at', 'what'],
    text: [3],
    rows: failures
      .slice(0, failuresShown)
      .map(({ call, what, count: many, at_ms }) => [
        name(call),
        formatCount(many),
        numbers.moment(at_ms),
        cutTo(120, what),
      ]),
    more: Math.max(0, failures.length - failuresShown),
  }
}

export const thresholdsOf = ({ thresholds }: DrillReport): ThresholdResult[] =>
  worstFirst.flatMap(verdict => withVerdict(thresholds, verdict))

/** The server's numbers: how each began, ended, and went between. */
export function gaugesTable({ series }: DrillReport): Table {
  return {
    head: ['gauge', 'first', 'lowest', 'highest', 'last'],
    rows: series.gauges.map(({ name: label, unit, points }) => {
      const values = points.map(([, value = 0]) => value)
      const shown = [values[0], least(values), most(values), values.at(-1)]
      return [name(label), ...shown.map(value => numbers.gauge(value, cutTo(12, unit)))]
    }),
  }
}

export const least = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((a, b) => Math.min(a, b))
export const most = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((a, b) => Math.max(a, b))

const models: Record<DrillReport['load']['model'], string> = {
  open: 'open: requests are due at moments fixed beforehand, however slow the answers are',
  closed: 'closed: each connection sends when its last answer is in',
  users: 'users: each virtual user goes its way, with its pauses',
}

/** What was sent, and what came of it. */
export function loadRows({ load }: DrillReport): EvidenceRow[] {
  const { model, ms, due, sent, completed, late, waited, unfinished, per_second, bytes_sent, bytes_received } = load
  const waiting = waited === 0 ? '' : `, ${formatCount(waited)} of them for want of a free connection`
  return [
    ['Model', models[model]],
    [
      'Requests',
      `${formatCount(due)} due in ${formatDuration(ms)}, ${formatCount(sent)} sent, ${formatCount(completed)} completed`,
    ],
    ['Late', `${formatCount(late)} (${numbers.share(late, due)}) sent more than 25 ms after they were due${waiting}`],
    ['Unfinished', `${formatCount(unfinished)} neither answered nor failed at the end`],
    ['Throughput', `${numbers.rate(per_second)} completed`],
    ['Traffic', `${formatSize(bytes_sent)} sent, ${formatSize(bytes_received)} received`],
  ]
}

export const factRows = ({ facts }: DrillReport): EvidenceRow[] =>
  facts.map(({ label, text }) => [cutTo(60, label), cutTo(300, text)])

/** No more ids than a person reads; the JSON report has all. */
const idsShown = 10
const idsText = (ids: readonly string[]): string =>
  ids.length === 0
    ? '0'
    : `${formatCount(ids.length)}: ${ids
        .slice(0, idsShown)
        .map(id => cutTo(60, id))
        .join(', ')}${ids.length > idsShown ? ', …' : ''}`

/** The books: every job that was wanted, and what is there. */
export function jobRows({ jobs }: DrillReport): EvidenceRow[] {
  const { intended, accepted, refused, unanswered, lost, doubled, checked, text } = jobs
  if (intended === 0) return []
  const creates = `${plural(intended, 'create')}: ${formatCount(accepted)} accepted, ${formatCount(refused)} refused, ${formatCount(unanswered)} without an answer`
  return [
    ['Creates', creates],
    ['Lost', checked ? idsText(lost) : 'could not be counted'],
    ['Doubled', checked ? idsText(doubled) : 'could not be counted'],
    ...(checked ? [] : [['Why', cutTo(500, text)] as const]),
  ]
}

export function generatorRows({ generator, load }: DrillReport): EvidenceRow[] {
  const { late, late_share, loop_p99_ms, loop_max_ms, utilization, bottleneck, text } = generator
  return [
    ['Verdict', `${bottleneck ? 'the bottleneck: ' : ''}${cutTo(500, text)}`],
    [
      'Its own delays',
      `${formatCount(late)} of ${formatCount(load.due)} requests (${numbers.percent(100 * late_share)})`,
    ],
    [
      'Event loop',
      `busy ${numbers.percent(100 * utilization)}, p99 ${numbers.millis(loop_p99_ms)} late, at most ${numbers.millis(loop_max_ms)}`,
    ],
  ]
}

export const settingRows = ({ settings }: DrillReport): EvidenceRow[] =>
  Object.entries(settings).map(([name, value]) => [cutTo(60, name), cutTo(200, String(value))])

/** What happened when. */
export const markRows = (report: DrillReport): EvidenceRow[] =>
  report.marks
    .toSorted((a, b) => a.from_ms - b.from_ms)
    .map(({ label, from_ms, to_ms }) => [
      to_ms === undefined ? numbers.moment(from_ms) : `${numbers.moment(from_ms)} to ${numbers.moment(to_ms)}`,
      name(label),
    ])

/** "1,200 of 7,200 answers were held against the contract, and all keep it." */
export function contractText({ contract: { judged, of, breaches } }: DrillReport): string {
  const start = `${formatCount(judged)} of ${plural(of, 'answer')} ${judged === 1 ? 'was' : 'were'} held against the contract`
  if (judged === 0) return start
  if (breaches.length === 0) return `${start}; all keep it`
  const broken = [...new Set(breaches.flatMap(({ clauses }) => clauses))].sort()
  return `${start}; broken ${broken.length === 1 ? 'is' : 'are'} ${cutTo(300, broken.join(', '))}`
}

/** "ERR-1, RL-2: 17 answers, first at 20.3 s" */
export const breachTitle = ({ clauses, count: many, at_ms }: Breach): string =>
  `${cutTo(200, clauses.join(', ')) || 'the contract'}: ${plural(many, 'answer')}, first at ${numbers.moment(at_ms)}`

/** A drill has no list of checks: its evidence speaks for itself. */
export const noChecks = { checks: [] }
export const breachRows = (evidence: Evidence): EvidenceRow[] => evidenceRows(noChecks, evidence)

/** "create.p99" of create.p99 < 500ms: what a threshold is called whatever its limit is. */
export const metricName = ({ call, metric }: Pick<ThresholdResult, 'call' | 'metric'>): string =>
  call === undefined || metric.startsWith(`${call}.`) ? metric : `${call}.${metric}`

/** On one line and no longer than fits; before it is escaped no length is known. */
const cutTo = (length: number, text: string): string => shorten(oneLine(text), length)

const name = (text: string): string => cutTo(40, text)
