/** From a drill's thresholds to k6's: which metric each is held against, and why some have none. */
import { usualMix } from '../calls.ts'
import { dueWithin } from '../load/arrivals.ts'
import { stepRates } from '../named/ramp.ts'
import type { DrillName } from '../report.ts'
import type { Complete } from '../session.ts'
import type { MetricName, Threshold } from '../thresholds.ts'
import { decimal } from './code.ts'

export interface K6Threshold {
  of: Threshold
  /** A metric of k6's or of the script's. */
  metric: string
  /** What its requests are tagged with: load:yes is all of the load, call:create one call of it. */
  tags: readonly string[]
  /** p(99), rate, count, … */
  aggregate: string
  op: '<' | '<=' | '>' | '>=' | '=='
  limit: number
  /** A count of what all instances do together: each is held to its part. */
  isShared?: true
  /** A ramp's step is over when it breaks. */
  endsStep?: true
}

export interface NotInK6 {
  of: Threshold
  why: string
}

const percentiles: Partial<Record<MetricName, string>> = {
  p50: 'p(50)',
  p90: 'p(90)',
  p95: 'p(95)',
  p99: 'p(99)',
  'p99.9': 'p(99.9)',
  max: 'max',
}

const rates: Partial<Record<MetricName, string>> = {
  errors: 'errors',
  '4xx': 'status_4xx',
  '429': 'status_429',
  '5xx': 'status_5xx',
  no_response: 'no_response',
}

/** The script counts these itself; one alone is too many for most. */
const counters: readonly MetricName[] = [
  'lost',
  'doubled',
  'broken',
  'limited',
  'retry_after_violations',
  'header_mismatches',
  'shared_limit',
  'given_up',
]
/** The script works these out itself, one value or a few, of which the worst counts. */
const trends: readonly MetricName[] = ['recovery', 'slowdown', 'memory', 'handles']

export function mapped(of: Threshold, drill: DrillName, settings: Complete): K6Threshold | NotInK6 {
  const { metric, call, limit } = of
  const op = of.op === '=' ? '==' : of.op
  const load = call === undefined ? ['load:yes'] : [`call:${call}`]
  const isRamp = drill === 'ramp'
  const p = percentiles[metric]
  if (p !== undefined && call === 'journey')
    return { of, metric: 'journey_duration', tags: [], aggregate: p, op, limit }
  if (p !== undefined)
    return { of, metric: 'http_req_duration', tags: load, aggregate: p, op, limit, ...(isRamp && { endsStep: true }) }
  const rate = rates[metric]
  if (rate !== undefined)
    return {
      of,
      metric: rate,
      tags: load,
      aggregate: 'rate',
      op,
      limit: limit / 100,
      ...(isRamp && { endsStep: true }),
    }
  if (metric === 'finished') return { of, metric, tags: [], aggregate: 'rate', op, limit: limit / 100 }
  if (metric === 'completed') return completed(of, drill, settings)
  if (metric === 'throughput') return throughput(of, drill, settings)
  if (metric === 'retry_after_violations' && drill === 'recover')
    return { of, why: 'after a wait the slot may have gone to another user: that breaks no promise' }
  if (counters.includes(metric)) return { of, metric, tags: [], aggregate: 'count', op, limit }
  if (trends.includes(metric)) return { of, metric, tags: [], aggregate: 'max', op, limit }
  return { of, why: reasons[metric] ?? 'k6 has nothing that would tell' }
}

const reasons: Partial<Record<MetricName, string>> = {
  knee: 'k6 judges a threshold, and does not search: the step before the one whose thresholds ended the run is the knee',
  drift: 'k6 holds a metric against a number, and not against the same metric of some time before',
}

/** Of those that are due: how many that is, is known beforehand. k6 may begin one more than are due. */
function completed(of: Threshold, drill: DrillName, settings: Complete): K6Threshold {
  const op = of.op === '=' ? '>=' : of.op
  // A ramp's limit is of each step, which knows what is due in it.
  const limit = drill === 'ramp' ? of.limit / 100 : (of.limit / 100) * dueOf(drill, settings)
  return { of, metric: 'answered', tags: ['load:yes'], aggregate: 'count', op, limit, isShared: true }
}

/** k6's own rate of a counter divides by the whole run, setup() and all. */
function throughput(of: Threshold, drill: DrillName, { duration = 0 }: Complete): K6Threshold | NotInK6 {
  const op = of.op === '=' ? '==' : of.op
  if (drill === 'ramp') return { of, why: 'it is of all steps together, and how many come is not known beforehand' }
  if (drill === 'burst') return { of, why: 'k6 divides by the whole run, the wait after the burst included' }
  const about = { of, metric: 'ended', tags: [], op, isShared: true } as const
  if (drill === 'journey' || drill === 'recover') return { ...about, aggregate: 'rate', limit: of.limit }
  return { ...about, aggregate: 'count', limit: (of.limit * duration) / 1000 }
}

/** Requests that are due in all; 0 where the server's own pace decides. */
export function dueOf(drill: DrillName, { rate = 1, duration = 0, ...settings }: Complete): number {
  if (drill === 'ramp') return stepsOf(settings).reduce((sum, step) => sum + step.due, 0)
  return drill === 'sustain' || drill === 'soak' || drill === 'outage' ? dueWithin(rate, duration) : 0
}

export const stepsOf = ({
  from = 1,
  to = 1,
  steps = 2,
  stepTime = 0,
}: Pick<Complete, 'from' | 'to' | 'steps' | 'stepTime'>) =>
  stepRates(from, to, steps).map(rate => ({ rate, due: dueWithin(rate, stepTime) }))

/** "http_req_duration{load:yes}" */
export const thresholdKey = (metric: string, tags: readonly string[]): string =>
  tags.length === 0 ? metric : `${metric}{${tags.join(',')}}`

/** A literal: 'p(99)<500'; a template, where the instances share the limit. */
export function expressionOf({ aggregate, op, limit, isShared }: K6Threshold, of = ''): string {
  if (isShared) return `\`${aggregate}${op}\${${of}${decimal(limit)} / instances}\``
  return `'${aggregate}${op}${decimal(limit)}'`
}

export const mixOf = ({ mix = usualMix }: Pick<Complete, 'mix'>) => mix
