/**
 * The last 15 minutes in numbers, by real time: how many answers of each status in each 5 s, and how long they took. An
 * answer costs a few additions; percentiles are worked out when somebody asks.
 */
import type { NumbersPoint } from '../client/desk.ts'
import type { Exchange } from './journal.ts'

export const stepMs = 5_000
const steps = 180

/** Latencies are told apart by an eighth of an octave, some 9 %, from here on. */
const shortestMs = 0.02
const perOctave = 8
const classes = 24 * perOctave

interface Step {
  /** Which 5 s since the epoch. */
  n: number
  count: number
  fromSeq: number
  toSeq: number
  readonly statuses: Map<number, number>
  readonly latencies: Uint32Array
  slowest: NumbersPoint['slowest'] | undefined
}

export class Recent {
  readonly #ring: Step[] = []
  #current: Step | undefined

  /** Takes an exchange that is in the journal; `now`: when its answer was ready, by the machine's clock, ms since the epoch. */
  answered(exchange: Exchange, now: number): void {
    const n = Math.floor(now / stepMs)
    const step = this.#current?.n === n ? this.#current : this.#enter(n)
    const { status, ms, seq } = exchange
    if (step.count === 0) step.fromSeq = seq
    step.toSeq = seq
    step.count++
    step.statuses.set(status, (step.statuses.get(status) ?? 0) + 1)
    const at = ms <= shortestMs ? 0 : Math.min(classes - 1, Math.ceil(Math.log2(ms / shortestMs) * perOctave))
    step.latencies[at] = (step.latencies[at] as number) + 1
    if (step.slowest === undefined || ms > step.slowest.ms)
      step.slowest = { request_id: exchange.requestId, job_id: exchange.jobId, ms: Math.round(ms * 1000) / 1000 }
  }

  /** Oldest first; those without an answer are left out. */
  points(now: number): NumbersPoint[] {
    const oldest = Math.floor(now / stepMs) - steps
    return this.#ring
      .filter(({ n }) => n > oldest)
      .sort((a, b) => a.n - b.n)
      .map(pointOf)
  }

  #enter(n: number): Step {
    const at = n % steps
    const latencies = this.#ring[at]?.latencies.fill(0) ?? new Uint32Array(classes)
    const step: Step = { n, count: 0, fromSeq: 0, toSeq: 0, statuses: new Map(), latencies, slowest: undefined }
    this.#ring[at] = step
    this.#current = step
    return step
  }
}

function pointOf({ n, count, fromSeq, toSeq, statuses, latencies, slowest }: Step): NumbersPoint {
  return {
    at: new Date(n * stepMs).toISOString(),
    count,
    from_seq: fromSeq,
    to_seq: toSeq,
    statuses: Object.fromEntries(statuses),
    p50: percentile(latencies, count, 0.5),
    p95: percentile(latencies, count, 0.95),
    p99: percentile(latencies, count, 0.99),
    slowest: slowest as NumbersPoint['slowest'],
  }
}

function percentile(latencies: Uint32Array, count: number, share: number): number {
  let left = Math.ceil(count * share)
  for (let i = 0; i < latencies.length; i++) {
    left -= latencies[i] as number
    if (left <= 0) return Number((shortestMs * 2 ** (i / perOctave)).toPrecision(3))
  }
  return 0
}
