/** What is plotted of a report: one description from which the still pictures and the live ones are drawn alike. */
import { formatCount, formatDuration, oneLine, shorten } from '../../base/text.ts'
import { type DrillPoint, type DrillReport, type Mark, statusClasses } from '../report.ts'
import * as numbers from './numbers.ts'
import { errorTotal, least, metricName, most } from './shared.ts'

export interface Line {
  label: string
  /** A column of the data; of a gauge there is one. */
  column: string
  /** The name of a colour: see page.ts. */
  tone: string
  /** A bar is as wide as its interval; a line goes from the middle of one to that of the next. */
  shape: 'line' | 'area' | 'bar'
  dashed?: true
  thin?: true
}

export interface Plot {
  id: string
  kind: 'rate' | 'latency' | 'statuses' | 'curve' | 'gauge'
  title: string
  /** What a person who can't see it should know. */
  about: string
  unit: string
  lines: Line[]
  /** Each line begins where the one before it ends. */
  stacked?: true
  /** Counts of an interval, to be shown by the second. */
  perSecond?: true
  log?: boolean
  limits: { label: string; value: number }[]
  /** Of a gauge: which. */
  gauge?: number
}

type Columns = Record<string, (number | null)[]>

/** All that the page's script draws from: the report's series, a column per field. */
export interface PlotData {
  every_ms: number
  end_ms: number
  columns: Columns
  /** [1 / (1 - percentile / 100), latency]: what lies beyond is as far away as it is rare. */
  curve: [number, number][]
  gauges: { name: string; unit: string; points: [number, number][] }[]
  marks: Mark[]
  plots: Plot[]
}

export function plotData(report: DrillReport): PlotData {
  const { series, marks } = report
  const { points, gauges, every_ms } = series
  return {
    every_ms,
    end_ms: Math.max((points.at(-1)?.at_ms ?? 0) + every_ms, ...gauges.map(one => one.points.at(-1)?.[0] ?? 0)),
    columns: columnsOf(points),
    curve: curveOf(report),
    gauges: gauges.map(({ name, unit, points }) => ({
      name: label(name),
      unit: label(unit),
      points: points.map(([at, value]) => [at ?? 0, value ?? 0]),
    })),
    marks: marks.map(mark => ({ ...mark, label: label(mark.label) })),
    plots: plotsOf(report),
  }
}

const fields = ['at_ms', 'due', 'sent', 'completed', 'in_flight', 'p50', 'p90', 'p99', 'max'] as const

function columnsOf(points: readonly DrillPoint[]): Columns {
  const columns: Columns = {}
  for (const field of fields) columns[field] = points.map(point => point[field])
  for (const name of statusClasses) columns[name] = points.map(({ statuses }) => statuses[name])
  return columns
}

/** The slowest of n answers stands where the one in n does. */
function curveOf({ curve, latency }: DrillReport): [number, number][] {
  const farthest = Math.max(1, latency?.count ?? 1)
  const rarity = (percentile: number) => Math.min(farthest, 1 / Math.max(1 - percentile / 100, 1e-9))
  const points = curve.map(([percentile = 0, ms = 0]): [number, number] => [rarity(percentile), ms])
  return points.filter(([x], i) => x !== points[i + 1]?.[0])
}

/** From one range of ten to the next is more than a straight scale can show. */
const wideRange = 40

function plotsOf(report: DrillReport): Plot[] {
  const { points, gauges } = report.series
  return [
    ...(points.length < 2 ? [] : [latencyPlot(report), statusPlot(report), ratePlot(report)]),
    ...(report.curve.length < 2 ? [] : [curvePlot(report)]),
    ...gauges.flatMap(({ points }, i) => (points.length < 2 ? [] : [gaugePlot(report, i)])),
  ]
}

function latencyPlot(report: DrillReport): Plot {
  const { points } = report.series
  const all = (field: 'p50' | 'p90' | 'p99' | 'max') =>
    points.map(point => point[field]).filter(value => value !== null && value > 0) as number[]
  const worst = points.reduce<DrillPoint | undefined>((a, b) => ((b.p99 ?? -1) > (a?.p99 ?? -1) ? b : a), undefined)
  const range = (field: 'p50' | 'p99') => `${numbers.millis(least(all(field)))} to ${numbers.millis(most(all(field)))}`
  return {
    id: 'latency',
    kind: 'latency',
    title: 'Latency',
    about: `From when each request was due. p50 went from ${range('p50')}, p99 from ${range('p99')}${worst?.p99 == null ? '' : `, worst in the interval at ${numbers.moment(worst.at_ms)}`}.`,
    unit: 'ms',
    lines: [
      { label: 'max', column: 'max', tone: 'grey', shape: 'line', thin: true },
      { label: 'p99', column: 'p99', tone: 'orange', shape: 'line' },
      { label: 'p90', column: 'p90', tone: 'teal', shape: 'line' },
      { label: 'p50', column: 'p50', tone: 'blue', shape: 'line' },
    ],
    log: (most(all('max')) ?? 1) / (least(all('p50')) ?? 1) > wideRange,
    limits: report.thresholds
      .filter(({ unit, metric, op }) => unit === 'ms' && op.startsWith('<') && /(^|\.)(p[\d.]+|max)$/.test(metric))
      .map(one => ({
        label: oneLine(`${metricName(one)} ${one.op} ${numbers.inUnit(one.limit, one.unit)}`),
        value: one.limit,
      })),
  }
}

function statusPlot({ series, statuses }: DrillReport): Plot {
  const shown = statusClasses.filter(name => statuses[name] > 0)
  const first = series.points.find(point => errorTotal(point.statuses) > 0)
  const counts = shown.map(name => `${statusName(name)} ${formatCount(statuses[name])}`).join(', ')
  return {
    id: 'statuses',
    kind: 'statuses',
    title: 'Answers by status',
    about: `By when the request was due: ${counts || 'no answers'}${first ? `; the first error in the interval at ${numbers.moment(first.at_ms)}` : '; no errors'}.`,
    unit: '/s',
    stacked: true,
    perSecond: true,
    lines: shown.map(name => ({
      label: statusName(name),
      column: name,
      tone: statusTones[name],
      shape: 'bar' as const,
    })),
    limits: [],
  }
}

const statusName = (name: string): string => (name === 'none' ? 'no answer' : name)
const statusTones = {
  '2xx': 'green',
  '3xx': 'teal',
  '4xx': 'yellow',
  '429': 'violet',
  '5xx': 'red',
  none: 'dark',
} as const

function ratePlot({ series, load }: DrillReport): Plot {
  const perSecond = (value: number) => (value * 1000) / series.every_ms
  const of = (field: 'due' | 'completed') => series.points.map(point => perSecond(point[field]))
  return {
    id: 'rate',
    kind: 'rate',
    title: 'Requests due and completed',
    about: `Up to ${numbers.rate(most(of('due')) ?? 0)} were due and up to ${numbers.rate(most(of('completed')) ?? 0)} completed; ${numbers.rate(load.per_second)} completed over ${formatDuration(load.ms)}.`,
    unit: '/s',
    perSecond: true,
    lines: [
      { label: 'completed', column: 'completed', tone: 'blue', shape: 'area' },
      { label: 'due', column: 'due', tone: 'grey', shape: 'line', dashed: true },
    ],
    limits: [],
  }
}

function curvePlot({ latency, curve }: DrillReport): Plot {
  const values = curve.map(([, ms = 0]) => ms).filter(ms => ms > 0)
  return {
    id: 'curve',
    kind: 'curve',
    title: 'Latency by percentile',
    about:
      latency === null
        ? 'No answer was timed.'
        : `Half of all answers came within ${numbers.millis(latency.p50)}, 99 % within ${numbers.millis(latency.p99)}, 99.9 % within ${numbers.millis(latency.p999)}, the slowest after ${numbers.millis(latency.max)}.`,
    unit: 'ms',
    lines: [{ label: 'latency', column: 'curve', tone: 'blue', shape: 'line' }],
    log: (most(values) ?? 1) / (least(values) ?? 1) > wideRange,
    limits: [],
  }
}

function gaugePlot({ series }: DrillReport, index: number): Plot {
  const { name = '', unit = '', points = [] } = series.gauges[index] ?? {}
  const values = points.map(([, value = 0]) => value)
  const say = (value: number | undefined) => numbers.gauge(value, label(unit))
  return {
    id: `gauge-${index + 1}`,
    kind: 'gauge',
    title: label(name),
    about: `${say(values[0])} at first, ${say(values.at(-1))} at last, between ${say(least(values))} and ${say(most(values))}.`,
    unit: label(unit),
    lines: [{ label: label(name), column: 'gauge', tone: 'blue', shape: 'area' }],
    limits: [],
    gauge: index,
  }
}

const label = (text: string): string => shorten(oneLine(text), 40)
