/** From what a drill found to whether it is good: each threshold, then the whole. */
import { plural } from '../base/text.ts'
import type { InconclusiveFault, Verdict } from '../contracts/verdict.ts'
import { percentile, type Records } from './load/records.ts'
import type { DrillPoint, Generator, StatusClass, Statuses, ThresholdResult, Unit } from './report.ts'
import { inUnit } from './reporters/numbers.ts'
import { holds, type MetricName, metricOf, type Threshold, thresholdText } from './thresholds.ts'

const percentiles: Partial<Record<MetricName, number>> = { p50: 50, p90: 90, p95: 95, p99: 99, 'p99.9': 99.9, max: 100 }
/** Which classes of answers a share counts. */
const classesOf: Partial<Record<MetricName, readonly StatusClass[]>> = {
  errors: ['3xx', '4xx', '5xx', 'none'],
  '4xx': ['4xx'],
  '429': ['429'],
  '5xx': ['5xx'],
  no_response: ['none'],
}

/** What can be told of any span of a run. */
export interface Measured {
  records: Records
  /** Spans that are no requests: journeys. */
  journeys: Records
  due: number
  own: OwnLate
  loadMs: number
  /** What the drill found by itself. */
  found: ReadonlyMap<MetricName, number>
}

/** The metric over the whole load; null where nothing tells. */
export function measure(
  { metric, call }: Pick<Threshold, 'metric' | 'call'>,
  { records, journeys, due, loadMs, found }: Measured,
  span: { from?: number; to?: number } = {},
): number | null {
  const p = percentiles[metric]
  const from = call === 'journey' ? journeys : records
  if (p !== undefined) {
    const sorted = from.latencies({ call, ...span })
    return sorted.length === 0 ? null : percentile(sorted, p)
  }
  const classes = classesOf[metric]
  if (classes) return shareOf(from.statuses({ call, ...span }), classes)
  if (metric === 'throughput') return loadMs === 0 ? null : (records.endedBy(loadMs) / loadMs) * 1000
  if (metric === 'completed') {
    const { none } = records.statuses()
    return due === 0 ? null : ((records.size - none) / due) * 100
  }
  return found.get(metric) ?? null
}

/** In %; null of none. */
function shareOf(statuses: Statuses, classes: readonly StatusClass[]): number | null {
  const total = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  return total === 0 ? null : (classes.reduce((sum, name) => sum + statuses[name], 0) / total) * 100
}

export function judgeThreshold(
  threshold: Threshold,
  measured: Measured,
  points: readonly DrillPoint[],
  everyMs: number,
): ThresholdResult {
  const { metric, call, op, limit } = threshold
  const { unit } = metricOf(metric)
  const found = measure(threshold, measured)
  const about = { text: thresholdText(threshold), metric, ...(call !== undefined && { call }), op, limit, unit }
  if (found === null) return { ...about, found, ...skippedFor('the drill found nothing to measure it by') }
  // Judged as it is, and rounded only to be shown: one in a million is not none.
  const value = Math.round(found * 1e6) / 1e6
  if (holds(threshold, found)) return { ...about, found: value, verdict: 'passed', said: inUnit(value, unit) }
  const at = firstFailed(threshold, points)
  const when = at === undefined ? '' : `, first in the ${everyMs < 1000 ? `${everyMs} ms` : 'second'} at ${seconds(at)}`
  return {
    ...about,
    found: value,
    verdict: 'failed',
    ...(at !== undefined && { at_ms: at }),
    said: `${inUnit(value, unit)}${gapText(threshold, value, unit)}${when}`,
  }
}

/** A threshold that nothing was measured for. */
export const skippedFor = (reason: string) => ({ verdict: 'skipped', reason, said: reason }) as const

/** The first interval that breaks it by itself. Of a single call the series does not tell. */
function firstFailed(threshold: Threshold, points: readonly DrillPoint[]): number | undefined {
  const { metric, call } = threshold
  if (call !== undefined) return undefined
  const classes = classesOf[metric]
  const valueAt = (point: DrillPoint): number | null => {
    if (classes) return shareOf(point.statuses, classes)
    if (metric === 'p50' || metric === 'p90' || metric === 'p99' || metric === 'max') return point[metric]
    if (metric === 'p95' || metric === 'p99.9') return point.max
    return null
  }
  return points.find(point => {
    const value = valueAt(point)
    return value !== null && !holds(threshold, value)
  })?.at_ms
}

/** ", 312 ms over (62 %)" */
function gapText({ op, limit }: Threshold, value: number, unit: Unit): string {
  if (op === '=' && limit === 0) return ''
  const gap = Math.abs(value - limit)
  const share = limit === 0 ? '' : ` (${Math.round((gap / limit) * 100)} %)`
  return `, ${inUnit(gap, unit === '%' ? '%' : unit)} ${value > limit ? 'over' : 'under'}${unit === '%' ? '' : share}`
}

const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(2))} s`

/** From this share of late requests on, a slow server may be this machine; where so many were very late, the load was another. */
const strained = 0.01
const overrun = 0.1
const mostLate = 0.25
const busy = 0.98
const slowLoopMs = 100

export interface Loop {
  /** ms that this process's event loop was late by. */
  p99Ms: number
  maxMs: number
  /** 0 to 1. */
  utilization: number
}

/** What of the requests that were due began late by this process's own fault. */
export interface OwnLate {
  due: number
  late: number
  veryLate: number
}

/** Why the load was another one than was asked for, whatever came of it. */
function overrunText({ utilization }: Loop, { due, late, veryLate }: OwnLate): string | undefined {
  if (due > 0 && late / due > mostLate) return `${percent(late / due)} of the requests began late by its own fault`
  if (due > 0 && veryLate / due > overrun)
    return `${percent(veryLate / due)} of the requests began more than 100 ms late by its own fault`
  if (utilization > busy && due > 0 && late / due > strained)
    return `its event loop was busy for ${percent(utilization)} of the time`
  return undefined
}

/**
 * Whether a threshold that failed would have passed but for this process: where its own lateness is taken off, or, where
 * it can't be, where it was late often enough to matter.
 */
export function isExcused(
  threshold: Threshold,
  measured: Measured,
  loop: Loop,
  span: { from?: number; to?: number } = {},
): boolean {
  const { records, own } = measured
  const { metric, call } = threshold
  if (!metricOf(metric).timing) return false
  if (overrunText(loop, own) !== undefined) return true
  const p = percentiles[metric]
  // Of the others only this one is a time, which a loop that stood still may have added to.
  if (metric === 'recovery')
    return holds(threshold, (measured.found.get('recovery') ?? Number.POSITIVE_INFINITY) - loop.maxMs)
  if (p === undefined) return false
  const sorted = records.latencies({ call, ...span, withoutOwn: true })
  const slow = loop.p99Ms > slowLoopMs ? loop.p99Ms : 0
  return sorted.length > 0 && holds(threshold, percentile(sorted, p) - slow)
}

const shareOfLate = ({ due, late }: OwnLate): number => (due === 0 ? 0 : late / due)

/** Whether this process kept up with the load that it was to make; `excused` is what it stands in for, in a word. */
export function generatorOf(loop: Loop, own: OwnLate, excused: readonly string[] = []): Generator {
  const share = shareOfLate(own)
  const excuse = `${excused.join(', ')} would have passed but for ${percent(share)} of the requests that began late by its own fault, and ${Math.round(loop.p99Ms)} ms that its event loop was late by at p99`
  const bottleneck = overrunText(loop, own) ?? (excused.length > 0 ? excuse : undefined)
  return {
    late: own.late,
    late_share: Math.round(share * 1e6) / 1e6,
    loop_p99_ms: Math.round(loop.p99Ms * 100) / 100,
    loop_max_ms: Math.round(loop.maxMs * 100) / 100,
    utilization: Math.round(loop.utilization * 1000) / 1000,
    bottleneck: bottleneck !== undefined,
    text:
      bottleneck === undefined
        ? `${share > strained ? 'it was strained, which changed no verdict' : 'it kept up'}: ${own.late} of ${own.due} began late by its own fault, event loop ${percent(loop.utilization)} busy`
        : `this machine could not make the load: ${bottleneck}`,
  }
}

const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`

export interface DrillResult {
  verdict: Verdict
  fault?: InconclusiveFault
  ok: boolean
  why: string
}

/** A slow generator excuses what has to do with time, and nothing else: a broken envelope is one however late it was asked for. */
export const excuse = (result: ThresholdResult): ThresholdResult => ({
  ...result,
  verdict: 'inconclusive',
  fault: 'harness',
})

export interface Inconclusive {
  why: string
  fault: InconclusiveFault
}

export function judgeDrill({
  thresholds,
  given,
  generator,
  complete,
  inconclusive,
}: {
  thresholds: readonly ThresholdResult[]
  /** Those that the user asked for. */
  given: ReadonlySet<ThresholdResult>
  generator: Generator
  complete: boolean
  /** What the drill itself says. */
  inconclusive?: Inconclusive | undefined
}): DrillResult {
  const failed = thresholds.filter(({ verdict }) => verdict === 'failed')
  const [first] = failed
  if (first) {
    const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : ''
    const why = `${plural(failed.length, 'threshold')} failed: ${first.text}: ${first.said}${more}`
    return { verdict: 'failed', ok: false, why }
  }
  const skipped = thresholds.find(one => one.verdict === 'skipped' && given.has(one))
  const found: Inconclusive | undefined =
    (complete ? undefined : { why: 'it was stopped before its end', fault: 'harness' }) ??
    inconclusive ??
    // First what no other machine would tell either.
    (skipped && { why: `nothing tells of ${skipped.text}: ${skipped.said}`, fault: faultOf(skipped) }) ??
    (generator.bottleneck ? { why: generator.text, fault: 'harness' } : undefined)
  if (found !== undefined)
    return { verdict: 'inconclusive', ok: false, why: `inconclusive: ${found.why}`, fault: found.fault }
  const passed = thresholds.filter(({ verdict }) => verdict === 'passed').length
  return { verdict: 'passed', ok: true, why: `${plural(passed, 'threshold')} passed` }
}

/** A gauge is the server's to give; all else is for the drill to measure. */
const faultOf = ({ metric }: ThresholdResult): InconclusiveFault =>
  metric === 'memory' || metric === 'handles' ? 'target' : 'harness'
