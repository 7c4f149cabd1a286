/**
 * What a drill has to keep, as text: `p99 < 500ms`, `create.p99 < 1s`, `5xx < 0.1%`, `lost = 0`. One grammar for options,
 * files, reports and k6; a threshold that is given takes the place of the drill's own on the same metric.
 */

import { parseDuration } from '../base/duration.ts'
import { ConfigError } from '../base/options.ts'
import { loadYaml } from '../base/yaml.ts'
import { callNames } from './calls.ts'
import type { DrillName, ThresholdResult, Unit } from './report.ts'

export type Op = ThresholdResult['op']

export interface Threshold {
  metric: MetricName
  /** undefined: all calls together. */
  call?: string
  op: Op
  /** In the metric's unit: ms, %, 1/s, or a bare count. */
  limit: number
  /** It is the user's own: a drill that can't measure it is inconclusive. */
  isGiven?: true
}

interface Metric {
  unit: Unit
  help: string
  /** Takes a call before it: create.p99. */
  ofCall?: true
  /** A slow generator could have caused it, so that it is no ground to blame a server. */
  timing?: true
  /** The drills that find it; all of them without it. */
  drills?: readonly DrillName[]
}

const latency = (help: string) => ({ unit: 'ms', help, ofCall: true, timing: true }) as const
const share = (help: string) => ({ unit: '%', help, ofCall: true }) as const
const open = ['sustain', 'ramp', 'outage', 'soak'] as const

export const metrics = {
  p50: latency('latency that half of the requests stay under, from when each was due'),
  p90: latency('the same for 90 %'),
  p95: latency('the same for 95 %'),
  p99: latency('the same for 99 %'),
  'p99.9': latency('the same for 99.9 %'),
  max: latency('the slowest'),
  errors: share('requests that ended neither 2xx nor 429'),
  '4xx': share('answers of 4xx without 429'),
  '429': share('answers of 429'),
  '5xx': share('answers of 5xx'),
  no_response: share('requests without an answer: cut, refused, timed out'),
  throughput: { unit: '/s', help: 'completed requests a second', timing: true },
  completed: { unit: '%', help: 'requests that got an answer, of those due', drills: open },
  lost: { unit: '', help: 'jobs that were accepted and are not there' },
  doubled: { unit: '', help: 'jobs beyond the first of one create' },
  broken: { unit: '', help: 'answers that break a clause, of those looked at' },
  limited: { unit: '', help: 'answers of 429 that came at all (GO-2)', drills: ['burst', 'recover'] },
  retry_after_violations: {
    unit: '',
    help: 'calls refused again after the wait that Retry-After asked for (RL-2)',
    drills: ['burst', 'recover'],
  },
  header_mismatches: {
    unit: '',
    help: 'answers whose limit headers contradict what was seen (RL-2)',
    drills: ['burst'],
  },
  shared_limit: { unit: '', help: 'calls of a second key refused for those of the first (RL-1)', drills: ['burst'] },
  knee: { unit: '/s', help: 'the highest rate at which the other thresholds passed', timing: true, drills: ['ramp'] },
  finished: { unit: '%', help: 'journeys that came to their output', drills: ['journey'] },
  recovery: {
    unit: 'ms',
    help: 'time from the end of the outage to the last failure',
    timing: true,
    drills: ['outage'],
  },
  given_up: { unit: '', help: 'requests that never got through, retries and all', drills: ['outage', 'recover'] },
  slowdown: {
    unit: 'x',
    help: 'time till all were through, by the best possible under the limit',
    timing: true,
    drills: ['recover'],
  },
  memory: { unit: '%', help: "growth of the server's resident memory over the run", drills: ['soak'] },
  handles: { unit: '%', help: "growth of the server's open handles over the run", drills: ['soak'] },
  drift: { unit: '%', help: 'growth of the p50 over the run', timing: true, drills: ['soak'] },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof metrics

/** Names that metrics had before. */
const renamedMetrics = new Map<string, MetricName>([
  ['lies', 'retry_after_violations'],
  ['none', 'no_response'],
  ['shared', 'shared_limit'],
  ['headers', 'header_mismatches'],
])

const table: Readonly<Record<string, Metric>> = metrics
export const metricOf = (name: MetricName): Metric => table[name] as Metric

/** `journey` is no call of the API: its latency is the time to the finished output. */
const prefixes = [...callNames, 'journey']

/** Reads one; throws a ConfigError that begins with `where`. */
export function parseThreshold(text: string, where = '--threshold'): Threshold {
  const wrong = (what: string): never => {
    throw new ConfigError(`${where} is ${JSON.stringify(text)}; ${what}`)
  }
  const found = /^\s*(?:([a-z_]+)\.)?([\w]+(?:\.9)?)\s*(<=|>=|<|>|=)\s*([\d.]+)\s*(ms|s|m|h|%|\/s|x)?\s*$/.exec(text)
  if (!found) return wrong('expected a metric, one of < <= > >= =, and a value, such as "p99 < 500ms" or "5xx < 1%"')
  const [, call, name = '', op, digits = '', unit = ''] = found
  const renamed = renamedMetrics.get(name)
  if (renamed !== undefined) wrong(`the metric ${name} is now called ${renamed}`)
  const metric = table[name]
  if (!metric) return wrong(`there is no metric ${name}; expected one of ${Object.keys(metrics).join(', ')}`)
  if (call !== undefined && !metric.ofCall) wrong(`${name} is not told by call`)
  if (call !== undefined && !prefixes.includes(call))
    wrong(`there is no call ${call}; expected one of ${prefixes.join(', ')}`)
  const limit = metric.unit === 'ms' ? timeOf(digits, unit) : Number(digits)
  const isFit = metric.unit === 'ms' ? limit !== undefined : unit === metric.unit || (unit === '' && limit === 0)
  if (!isFit || limit === undefined || !Number.isFinite(limit)) return wrong(expectedUnit[metric.unit](name))
  return { metric: name as MetricName, ...(call !== undefined && { call }), op: op as Op, limit }
}

const timeOf = (digits: string, unit: string): number | undefined =>
  Number(digits) === 0 && unit === '' ? 0 : parseDuration(digits + unit)

const expectedUnit: Record<Unit, (name: string) => string> = {
  ms: name => `${name} is a time; expected a value such as 500ms or 2s`,
  '%': name => `${name} is a share; expected a value such as 0.5%`,
  '/s': name => `${name} is a rate; expected a value such as 100/s`,
  x: name => `${name} is a ratio; expected a value such as 1.5x`,
  '': name => `${name} is a count; expected a bare number`,
}

/** As it is written, and as reports show it: "create.p99 < 500ms". */
export const thresholdText = ({ metric, call, op, limit }: Threshold): string =>
  `${call === undefined ? '' : `${call}.`}${metric} ${op} ${limitText(limit, metricOf(metric).unit)}`

const limitText = (limit: number, unit: Unit): string =>
  unit === 'ms' && limit >= 1000 && limit % 100 === 0 ? `${limit / 1000}s` : `${limit}${unit}`

/** Reads a file of them: a list in YAML or JSON, or a map of metric to condition. */
export function parseThresholds(content: string, file: string): Threshold[] {
  const where = `--thresholds ${file}`
  let value: unknown
  try {
    value = loadYaml().parse(content)
  } catch (error) {
    throw new ConfigError(`${where} is not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  if (Array.isArray(value)) {
    return value.map((one, i) =>
      typeof one === 'string'
        ? parseThreshold(one, `${where}, entry ${i + 1},`)
        : wrongFile(where, `entry ${i + 1} is not a text`),
    )
  }
  if (typeof value !== 'object' || value === null) return wrongFile(where, 'it has no entries')
  return Object.entries(value).map(([name, condition]) =>
    parseThreshold(`${name} ${/^[<>=]/.test(String(condition)) ? '' : '= '}${condition}`, `${where}, ${name},`),
  )
}

function wrongFile(where: string, what: string): never {
  throw new ConfigError(`${where}: ${what}; expected a list such as\n- p99 < 500ms\n- 5xx < 1%`)
}

/** The drill's own, but for the metrics that are given. Throws for a metric that this drill does not find. */
export function thresholdsFor(drill: DrillName, own: readonly string[], given: readonly Threshold[]): Threshold[] {
  for (const one of given) {
    const { drills } = metricOf(one.metric)
    if (one.call === 'journey' && drill !== 'journey')
      throw new ConfigError(
        `the threshold ${JSON.stringify(thresholdText(one))} means nothing to ${drill}, which makes no journeys`,
      )
    if (drills && !drills.includes(drill)) {
      throw new ConfigError(
        `the threshold ${JSON.stringify(thresholdText(one))} means nothing to ${drill}; ${one.metric} is found by ${drills.join(', ')}`,
      )
    }
  }
  const nameOf = ({ metric, call }: Threshold) => `${call ?? ''}.${metric}`
  const replaced = new Set(given.map(nameOf))
  return [
    ...own.map(text => parseThreshold(text)).filter(one => !replaced.has(nameOf(one))),
    ...given.map(one => ({ ...one, isGiven: true as const })),
  ]
}

export function holds({ op, limit }: Pick<Threshold, 'op' | 'limit'>, found: number): boolean {
  if (op === '<') return found < limit
  if (op === '<=') return found <= limit
  if (op === '>') return found > limit
  if (op === '>=') return found >= limit
  return found === limit
}
