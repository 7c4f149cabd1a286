/** Two runs side by side, and of each number whether it changed: `method` says how that is told from noise. */
import { ConfigError } from '../base/options.ts'
import { formatCount, oneLine, shorten } from '../base/text.ts'
import { problemsOf } from '../contracts/judge.ts'
import { requireReportVersion } from '../reports/document.ts'

import { type DrillPoint, DrillReport, type Percentiles, statusClasses } from './report.ts'
import * as numbers from './reporters/numbers.ts'
import { most, quantileName, quantiles, totalOf } from './reporters/shared.ts'
import { effectiveShare, holm, proportions, signedRank, twoSided } from './statistics.ts'

/** unchanged: the difference may be chance. inconclusive: two reports are not enough to tell. A change is neither good nor bad. */
export type ComparisonOutcome = 'changed' | 'unchanged' | 'inconclusive'

export interface Compared {
  /** p99, create.p99, 5xx, create.5xx, a fact's id, or "memory, highest". */
  metric: string
  kind: 'throughput' | 'latency' | 'answers' | 'fact' | 'gauge'
  /** As in a report; of a gauge whatever the server counts in. */
  unit: string
  a: number | null
  b: number | null
  /** b / a; null where one of them is nothing. */
  ratio: number | null
  outcome: ComparisonOutcome
  /** Corrected for how many were tried; only of what was. */
  p?: number
  /** How it was judged, or why it was not. */
  why: string
}

type Side = Pick<DrillReport, 'drill' | 'target' | 'seed' | 'started_at' | 'verdict' | 'why'>

export interface Comparison {
  a: Side
  b: Side
  /** What makes the two not comparable. */
  warnings: string[]
  metrics: Compared[]
  /** How a change is told from noise. */
  method: string
  /** What changed, in a sentence. */
  text: string
}

const surely = 0.01
const closest = 1.05
const fewestIntervals = 20

export const comparisonMethod = `A number changed where chance alone makes a difference like it in fewer than 1 of 100 comparisons (p < ${surely} after Holm's correction for all that were tried) and where it is more than ${Math.round((closest - 1) * 100)} %. Throughput, p50, p90 and p99 are compared interval by interval (Wilcoxon's signed-rank test, with neighbours that are alike counted for fewer), from ${fewestIntervals} intervals on. Shares of answers: a two-proportion z test with Yates' correction, which takes each answer to fail by itself. All else is shown, and inconclusive. What changed between two runs need not be the server's doing: a machine that was busier is a change, too.`

export function compareDrills(a: DrillReport, b: DrillReport): Comparison {
  const trials = [...throughput(a, b), ...latencies(a, b), ...answers(a, b), ...facts(a, b), ...gauges(a, b)]
  const tried = trials.filter(({ z }) => z !== undefined)
  const ps = holm(tried.map(({ z = 0 }) => twoSided(z)))
  const metrics = trials.map(trial => judged(trial, ps[tried.indexOf(trial)]))
  return {
    a: sideOf(a),
    b: sideOf(b),
    warnings: warningsOf(a, b),
    metrics,
    method: comparisonMethod,
    text: comparisonSentence(metrics),
  }
}

const sideOf = ({ drill, target, seed, started_at, verdict, why }: DrillReport): Side => ({
  drill,
  target,
  seed,
  started_at,
  verdict,
  why,
})

/** A number of both runs, with how far apart they are in standard deviations where that could be told. */
interface Trial extends Pick<Compared, 'metric' | 'kind' | 'unit' | 'a' | 'b' | 'why'> {
  z?: number | undefined
}

function judged({ z, ...trial }: Trial, p: number | undefined): Compared {
  const { a, b } = trial
  const ratio = a !== null && b !== null && a !== 0 && b !== 0 ? b / a : a === b && a !== null ? 1 : null
  if (z === undefined || p === undefined) return { ...trial, ratio, outcome: 'inconclusive' }
  const isClose = ratio !== null && ratio < closest && 1 / ratio < closest
  if (p >= surely || isClose) return { ...trial, ratio, p, outcome: 'unchanged' }
  // The whole and its parts lean to opposite sides: some intervals of one run were far off, and no sentence holds for it.
  if (Math.sign((b ?? 0) - (a ?? 0)) !== Math.sign(z))
    return { ...trial, ratio, p, outcome: 'inconclusive', why: 'most intervals lean the other way' }
  return { ...trial, ratio, p, outcome: 'changed' }
}

type Interval = readonly [a: DrillPoint, b: DrillPoint]

/** The intervals that both runs have. */
function pairsOf(a: DrillReport, b: DrillReport): Interval[] {
  if (a.series.every_ms !== b.series.every_ms) return []
  const others = new Map(b.series.points.map(point => [point.at_ms, point]))
  return a.series.points.flatMap(point => {
    const other = others.get(point.at_ms)
    return other === undefined ? [] : [[point, other] as const]
  })
}

/** The field's differences, interval by interval: of latencies as a factor, as a slow interval differs by more. */
const differences = (pairs: readonly Interval[], field: 'completed' | 'p50' | 'p90' | 'p99'): number[] =>
  pairs.flatMap(([{ [field]: one }, { [field]: other }]) => {
    if (one === null || other === null) return []
    return [field === 'completed' ? other - one : Math.log(Math.max(other, 1e-3) / Math.max(one, 1e-3))]
  })

/** Of enough intervals; `why` is the same for all of them. */
function byIntervals(values: readonly number[]): { z: number; why: string } | undefined {
  if (values.length < fewestIntervals) return undefined
  return { z: signedRank(values) * Math.sqrt(effectiveShare(values)), why: `${formatCount(values.length)} intervals` }
}

function throughput(a: DrillReport, b: DrillReport): Trial[] {
  const found = byIntervals(differences(pairsOf(a, b), 'completed'))
  const ends = { a: a.load.per_second, b: b.load.per_second }
  return [{ metric: 'throughput', kind: 'throughput', unit: '/s', ...ends, why: 'too few intervals', ...found }]
}

function latencies(a: DrillReport, b: DrillReport): Trial[] {
  const pairs = pairsOf(a, b)
  const trialOf = (
    call: string,
    name: (typeof quantiles)[number],
    one: Percentiles | null,
    other: Percentiles | null,
  ): Trial => {
    const judged = call === '' && (name === 'p50' || name === 'p90' || name === 'p99')
    const found = judged ? byIntervals(differences(pairs, name)) : undefined
    const why = unjudged(call, name)
    const metric = `${call}${quantileName(name)}`
    return { metric, kind: 'latency', unit: 'ms', a: one?.[name] ?? null, b: other?.[name] ?? null, why, ...found }
  }
  return [
    ...quantiles.map(name => trialOf('', name, a.latency, b.latency)),
    ...callsOf(a, b).flatMap(([call, one, other]) =>
      (['p50', 'p95'] as const).map(name => trialOf(`${call}.`, name, one?.latency ?? null, other?.latency ?? null)),
    ),
  ]
}

function unjudged(call: string, name: (typeof quantiles)[number]): string {
  if (call !== '') return 'one call has no intervals'
  if (name === 'max') return 'one answer makes it'
  if (name === 'p999') return 'a handful of answers make it'
  return name === 'p95' ? 'no interval has it' : 'too few intervals'
}

type Call = DrillReport['calls'][number]

/** Every call of either run; not where it is the only one of both, as the whole is the same then. */
function callsOf(a: DrillReport, b: DrillReport): [call: string, a: Call | undefined, b: Call | undefined][] {
  const names = [...new Set([...a.calls, ...b.calls].map(({ call }) => call))]
  if (names.length < 2) return []
  const find = ({ calls }: DrillReport, name: string) => calls.find(({ call }) => call === name)
  return names.map(name => [shorten(oneLine(name), 40), find(a, name), find(b, name)])
}

/** 2xx is what the others leave. */
const toldClasses = statusClasses.filter(name => name !== '2xx')

function answers(a: DrillReport, b: DrillReport): Trial[] {
  const all: [string, Pick<Call, 'statuses'> | undefined, Pick<Call, 'statuses'> | undefined][] = [['', a, b]]
  for (const [call, one, other] of callsOf(a, b)) all.push([`${call}.`, one, other])
  return all.flatMap(([call, one, other]) =>
    toldClasses.flatMap((name): Trial[] => {
      const [part, otherPart] = [one?.statuses[name] ?? 0, other?.statuses[name] ?? 0]
      const [whole, otherWhole] = [one, other].map(of => (of ? totalOf(of.statuses) : 0)) as [number, number]
      if (part + otherPart === 0) return []
      const ends = { a: shareOf(part, whole), b: shareOf(otherPart, otherWhole) }
      const why = `${formatCount(part)} of ${formatCount(whole)} against ${formatCount(otherPart)} of ${formatCount(otherWhole)}`
      const z = whole > 0 && otherWhole > 0 ? proportions(part, whole, otherPart, otherWhole) : undefined
      return [{ metric: `${call}${name}`, kind: 'answers', unit: '%', ...ends, why, z }]
    }),
  )
}

const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : (100 * part) / whole)

const once = 'one value a run'

function facts(a: DrillReport, b: DrillReport): Trial[] {
  const ids = [...new Set([...a.facts, ...b.facts].filter(({ value }) => value !== undefined).map(({ id }) => id))]
  return ids.map(id => {
    const [one, other] = [a, b].map(report => report.facts.find(fact => fact.id === id))
    const unit = one?.unit ?? other?.unit ?? ''
    return { metric: id, kind: 'fact', unit, a: one?.value ?? null, b: other?.value ?? null, why: once }
  })
}

function gauges(a: DrillReport, b: DrillReport): Trial[] {
  const names = [...new Set([...a.series.gauges, ...b.series.gauges].map(({ name }) => name))]
  return names.flatMap(name => {
    const [one, other] = [a, b].map(({ series }) => series.gauges.find(gauge => gauge.name === name))
    const values = [one, other].map(gauge => (gauge?.points ?? []).map(([, value = 0]) => value))
    const unit = one?.unit ?? other?.unit ?? ''
    const trial = (what: string, of: (values: readonly number[]) => number | undefined): Trial => {
      const ends = { a: of(values[0] ?? []) ?? null, b: of(values[1] ?? []) ?? null }
      return { metric: `${name}, ${what}`, kind: 'gauge', unit, ...ends, why: once }
    }
    return [trial('last', all => all.at(-1)), trial('highest', most)]
  })
}

/** What makes the two not comparable, so that a difference may be for that alone. */
function warningsOf(a: DrillReport, b: DrillReport): string[] {
  const warnings: string[] = []
  const differ = (what: string, one: string, other: string) => {
    if (one !== other) warnings.push(`${what} differs: ${shorten(one, 100)} and ${shorten(other, 100)}`)
  }
  differ('the drill', a.drill, b.drill)
  differ('the target', a.target, b.target)
  differ('the load model', a.load.model, b.load.model)
  for (const name of new Set([...Object.keys(a.settings), ...Object.keys(b.settings)]))
    differ(name, a.settings[name] ?? 'not given', b.settings[name] ?? 'not given')
  const [rate, otherRate] = [a, b].map(({ load }) => (load.ms > 0 ? (load.due * 1000) / load.ms : 0)) as [
    number,
    number,
  ]
  if (farApart(rate, otherRate)) differ('the rate that was due', numbers.rate(rate), numbers.rate(otherRate))
  if (farApart(a.load.ms, b.load.ms))
    differ('how long the load was on', numbers.millis(a.load.ms), numbers.millis(b.load.ms))
  differ('the interval of the series', `${a.series.every_ms} ms`, `${b.series.every_ms} ms`)
  for (const [call, one, other] of callsOf(a, b)) {
    const [share, otherShare] = [mixOf(a, one), mixOf(b, other)]
    if (Math.abs(share - otherShare) > 2)
      differ(`the share of ${call} in the mix`, numbers.percent(share), numbers.percent(otherShare))
  }
  differ('the version of understudy', a.understudy, b.understudy)
  for (const [name, { verdict, complete, generator }] of [['A', a] as const, ['B', b] as const]) {
    if (verdict === 'inconclusive' || generator.bottleneck)
      warnings.push(`${name} is inconclusive: its machine could not drive the load, so its times are not the server's`)
    if (!complete) warnings.push(`${name} was stopped before its end`)
  }
  return warnings
}

const farApart = (a: number, b: number): boolean => Math.max(a, b) > closest * Math.min(a, b)

const mixOf = (report: DrillReport, call: Call | undefined): number =>
  shareOf(call ? totalOf(call.statuses) : 0, totalOf(report.statuses)) ?? 0

/** A sentence has no room for thirty of them. */
const namedInText = 6

function comparisonSentence(metrics: readonly Compared[]): string {
  const of = (outcome: ComparisonOutcome) => metrics.filter(one => one.outcome === outcome)
  const changed = of('changed').map(one => `${oneLine(one.metric)} ${sentence(one)}`)
  const named = changed.slice(0, namedInText).join(', ')
  const more = changed.length > namedInText ? ` and ${formatCount(changed.length - namedInText)} more` : ''
  const start = changed.length === 0 ? 'B differs from A in nothing for sure' : `B differs from A in ${named}${more}`
  return `${start}; ${formatCount(of('unchanged').length)} unchanged, ${formatCount(of('inconclusive').length)} inconclusive`
}

const sentence = ({ ratio, a, b, unit }: Compared): string =>
  ratio === null || unit === '%'
    ? `(${numbers.anyUnit(a, unit)} to ${numbers.anyUnit(b, unit)})`
    : `(${numbers.ratio(ratio)})`

/** A report as `--reporter json` wrote it. Throws a ConfigError that names the file where it is anything else. */
export function readDrillReport(text: string, file: string): DrillReport {
  const value = parsed(text, file)
  if (isSuiteReport(value))
    throw new ConfigError(`${file} is a report of understudy check; expected one of understudy drill`)
  if (isDrillReport(value)) requireReportVersion(value, file, 'understudy drill')
  const problems = problemsOf(DrillReport, value)
  if (problems.length === 0) return value as DrillReport
  const told = problems
    .slice(0, 3)
    .map(({ pointer, expected, found }) => `${pointer || 'the whole'} is ${found}; expected ${expected}`)
  const more = problems.length > 3 ? `, and ${formatCount(problems.length - 3)} more` : ''
  throw new ConfigError(`${file} is not a report of understudy drill: ${told.join(', ')}${more}`)
}

const isDrillReport = (value: unknown): boolean => typeof value === 'object' && value !== null && 'drill' in value

const isSuiteReport = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'clauses' in value && 'profile' in value

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const asked = 'expected the JSON that understudy drill --reporter json writes'
    if (text.trim() === '') throw new ConfigError(`${file} is empty; ${asked}`)
    const { message } = error as SyntaxError
    const position = /position (\d+)/.exec(message)?.[1] ?? (/end of JSON/.test(message) ? text.length : undefined)
    const before = text.slice(0, Number(position ?? 0)).split('\n')
    const place = position === undefined ? '' : ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
    throw new ConfigError(`${file} is not JSON${place}: ${oneLine(message)}; ${asked}`)
  }
}
