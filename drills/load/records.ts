/**
 * What became of every request: one row of numbers each, and no histogram, so that every percentile is exact and can be
 * told of any second and any call afterwards. 30 bytes a request.
 */
import { type DrillPoint, type Percentiles, type StatusClass, type Statuses, statusClasses } from '../report.ts'

/** Sent later than this after it was due, a request is late; by the second, the load is another one. */
export const lateMs = 25
const veryLateMs = 100

export interface RequestRow {
  call: number
  /** ms from the start of the load. */
  due: number
  sent: number
  ended: number
  status: number
  /** How much of the lateness was this process's own: ms between when it was due and when its turn came. */
  lagMs: number
}

export class Records {
  readonly calls: string[] = []
  readonly #callIndex = new Map<string, number>()
  #size = 0
  #call = new Uint8Array(1024)
  #class = new Uint8Array(1024)
  #due = new Float64Array(1024)
  #sent = new Float64Array(1024)
  #ended = new Float64Array(1024)
  #lag = new Float32Array(1024)
  late = 0
  waited = 0
  /** Late by this process's own fault. */
  ownLate = 0
  ownVeryLate = 0
  /** How all of them ended, so far. */
  readonly tally = noStatuses()
  /** ms from the start of the load to the end of the last. */
  lastEnd = 0

  get size(): number {
    return this.#size
  }

  callOf(name: string): number {
    let index = this.#callIndex.get(name)
    if (index === undefined) {
      index = this.calls.push(name) - 1
      this.#callIndex.set(name, index)
    }
    return index
  }

  add({ call, due, sent, ended, status, lagMs }: RequestRow): void {
    const i = this.#size++
    if (i === this.#call.length) this.#grow()
    this.#call[i] = call
    const kind = classIndexOf(status)
    this.#class[i] = kind
    this.tally[statusClasses[kind] as StatusClass]++
    this.#due[i] = due
    this.#sent[i] = sent
    this.#ended[i] = ended
    this.#lag[i] = lagMs
    if (ended > this.lastEnd) this.lastEnd = ended
    if (lagMs > lateMs) this.ownLate++
    if (lagMs > veryLateMs) this.ownVeryLate++
    if (sent - due > lateMs) {
      this.late++
      // What it waited beyond its own turn, it waited for a connection.
      if (lagMs <= lateMs) this.waited++
    }
  }

  #grow(): void {
    const size = this.#call.length * 2
    const grown = <T extends Uint8Array | Float32Array | Float64Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    this.#call = grown(this.#call, new Uint8Array(size))
    this.#class = grown(this.#class, new Uint8Array(size))
    this.#due = grown(this.#due, new Float64Array(size))
    this.#sent = grown(this.#sent, new Float64Array(size))
    this.#ended = grown(this.#ended, new Float64Array(size))
    this.#lag = grown(this.#lag, new Float32Array(size))
  }

  /** Latency from when each was due, in order of size; of one call, of a span of due times, or of all. */
  latencies({
    call,
    from = Number.NEGATIVE_INFINITY,
    to = Number.POSITIVE_INFINITY,
    since = 'due',
    withoutOwn = false,
  }: Select = {}): Float64Array {
    const index = call === undefined ? -1 : (this.#callIndex.get(call) ?? -2)
    const start = since === 'due' ? this.#due : this.#sent
    const found = new Float64Array(this.#size)
    let n = 0
    for (let i = 0; i < this.#size; i++) {
      const due = this.#due[i] as number
      if ((index !== -1 && this.#call[i] !== index) || due < from || due >= to) continue
      found[n++] = (this.#ended[i] as number) - (start[i] as number) - (withoutOwn ? (this.#lag[i] as number) : 0)
    }
    return found.subarray(0, n).sort()
  }

  statuses({ call, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: Select = {}): Statuses {
    const index = call === undefined ? -1 : (this.#callIndex.get(call) ?? -2)
    const found = noStatuses()
    for (let i = 0; i < this.#size; i++) {
      const due = this.#due[i] as number
      if ((index !== -1 && this.#call[i] !== index) || due < from || due >= to) continue
      found[statusClasses[this.#class[i] as number] as StatusClass]++
    }
    return found
  }

  /** The first and the last due time of those that ended so, in ms. */
  span(classes: readonly StatusClass[], from = 0): { first: number; last: number } | undefined {
    const wanted = new Set(classes.map(name => statusClasses.indexOf(name)))
    let first = Number.POSITIVE_INFINITY
    let last = Number.NEGATIVE_INFINITY
    for (let i = 0; i < this.#size; i++) {
      const due = this.#due[i] as number
      if (due < from || !wanted.has(this.#class[i] as number)) continue
      first = Math.min(first, due)
      last = Math.max(last, due)
    }
    return last === Number.NEGATIVE_INFINITY ? undefined : { first, last }
  }

  /** How many had ended by then. */
  endedBy(ms: number): number {
    let count = 0
    for (let i = 0; i < this.#size; i++) if ((this.#ended[i] as number) <= ms) count++
    return count
  }

  /** Those that ended in the span, however long ago they were due: for a live view. */
  recent(from: number, to: number): { completed: number; latencies: Float64Array; statuses: Statuses } {
    const statuses = noStatuses()
    const found: number[] = []
    // They are in the order in which they ended.
    for (let i = this.#size - 1; i >= 0 && (this.#ended[i] as number) >= from; i--) {
      if ((this.#ended[i] as number) >= to) continue
      found.push((this.#ended[i] as number) - (this.#due[i] as number))
      statuses[statusClasses[this.#class[i] as number] as StatusClass]++
    }
    return { completed: found.length, latencies: Float64Array.from(found).sort(), statuses }
  }

  /** The run in intervals of `everyMs`; `dueCounts` are the requests that were due in each, whether they ended or not. */
  series(everyMs: number, untilMs: number, dueCounts: readonly number[]): DrillPoint[] {
    const intervals = Math.max(1, Math.ceil(untilMs / everyMs))
    const place = (ms: number) => Math.min(intervals - 1, Math.max(0, Math.floor(ms / everyMs)))
    const points = Array.from({ length: intervals }, (_, i) => ({
      due: dueCounts[i] ?? 0,
      sent: 0,
      completed: 0,
      statuses: noStatuses(),
      latencies: [] as number[],
    }))
    for (let i = 0; i < this.#size; i++) {
      const own = points[place(this.#due[i] as number)] as (typeof points)[number]
      own.statuses[statusClasses[this.#class[i] as number] as StatusClass]++
      own.latencies.push((this.#ended[i] as number) - (this.#due[i] as number))
      ;(points[place(this.#sent[i] as number)] as (typeof points)[number]).sent++
      ;(points[place(this.#ended[i] as number)] as (typeof points)[number]).completed++
    }
    let inFlight = 0
    return points.map(({ due, sent, completed, statuses, latencies }, i) => {
      const sorted = Float64Array.from(latencies).sort()
      inFlight += sent - completed
      const at = (p: number) => (sorted.length === 0 ? null : rounded(percentile(sorted, p)))
      return {
        at_ms: i * everyMs,
        due,
        sent,
        completed,
        in_flight: inFlight,
        p50: at(50),
        p90: at(90),
        p99: at(99),
        max: at(100),
        statuses,
      }
    })
  }
}

interface Select {
  call?: string | undefined
  /** Due times, in ms from the start of the load. */
  from?: number
  to?: number
  since?: 'due' | 'sent'
  /** Without what this process was late by itself. */
  withoutOwn?: boolean
}

export function noStatuses(): Statuses {
  return { '2xx': 0, '3xx': 0, '4xx': 0, '429': 0, '5xx': 0, none: 0 }
}

function classIndexOf(status: number): number {
  if (status === 429) return 3
  if (status >= 200 && status < 600) return [0, 1, 2, 4][Math.floor(status / 100) - 2] as number
  return 5
}

/** The nearest rank: the smallest value that at least p % of them don't exceed. */
export const percentile = (sorted: Float64Array, p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length - 1e-9) - 1))] as number

/** Microseconds are as exact as it gets. */
export const rounded = (ms: number): number => Math.round(ms * 1000) / 1000

export function percentilesOf(sorted: Float64Array): Percentiles | null {
  if (sorted.length === 0) return null
  const at = (p: number) => rounded(percentile(sorted, p))
  return {
    count: sorted.length,
    min: rounded(sorted[0] as number),
    mean: rounded(sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: at(100),
  }
}

/** Points of the percentile curve, closer together the nearer they are to 100. */
export function curveOf(sorted: Float64Array): [number, number][] {
  if (sorted.length === 0) return []
  const curve: [number, number][] = []
  for (let rest = 1; rest * sorted.length >= 1; rest /= 1.25) {
    const p = Math.round((1 - rest) * 1e8) / 1e6
    curve.push([p, rounded(percentile(sorted, p))])
  }
  curve.push([100, rounded(percentile(sorted, 100))])
  return curve
}
