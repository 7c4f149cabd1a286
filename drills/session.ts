/** One run of a drill: what it sends with, what it knows of its target, and what it has found so far. */
import { type EventLoopUtilization, type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { monotonicMs, realDelay } from '../base/clock.ts'
import type { SeededRandom } from '../base/seed.ts'
import type { TlsTrust } from '../base/wire.ts'
import type { MockControl } from '../client/drillControl.ts'
import { codeOf } from '../contracts/judge.ts'
import type { Redact } from '../contracts/observedExchange.ts'
import type { Outbound } from './calls.ts'
import type { JobLedger } from './ledger.ts'
import { Records } from './load/records.ts'
import type { LoadResponse, LoadSender } from './load/wire.ts'
import type { DrillSettings } from './options.ts'
import type { DrillFact, DrillReport, Mark } from './report.ts'
import { type Sampler, seenOf } from './sampler.ts'
import type { MetricName, Threshold } from './thresholds.ts'

/** Settings with the drill's defaults, so that whatever it takes is there. */
export type Complete = DrillSettings &
  Required<Pick<DrillSettings, 'timeout' | 'jobTimeout' | 'maxWait' | 'sample' | 'maxConnections' | 'seed'>>

export interface DrillSetup {
  base: string
  settings: Complete
  thresholds: readonly Threshold[]
  keys: { main?: string; second?: string }
  control: MockControl | undefined
  wire: LoadSender
  sampler: Sampler
  ledger: JobLedger
  random: SeededRandom
  redact: Redact
  /** Aborted: the drill ends at once, with a report of what was done. */
  signal: AbortSignal
  headers: Readonly<Record<string, string>>
  clip: { name: string; type: string; bytes: Uint8Array; seconds: number; path?: string }
  tls: TlsTrust
  /** It says so of its connections. */
  closesConnections: boolean
  /** Waited beyond a Retry-After, in ms: timers and the way there are not exact. */
  graceMs: number
  /** Requests a second that no drill goes beyond. */
  maxRate: number | undefined
  /** More requests than these end the drill. */
  maxRequests: number | undefined
  /** A GET of any URL: of an output, of metrics. Never throws. */
  fetch: (url: string) => Promise<LoadResponse>
}

/** Why a URL was not asked for: it is no fault of the server's. */
export const elsewhere = 'another machine, which is not asked without --allow-remote'

/** When a request was due, and what it is counted as. */
export interface Due {
  /** monotonicMs(); now, where it is not said. */
  dueAt?: number
  lagMs?: number
  /** false: it is counted nowhere, as it is no part of the load. */
  counts?: boolean
}

interface Failure {
  call: string
  what: string
  count: number
  at_ms: number
}

const mostFailures = 1_000

export class DrillSession {
  readonly setup: DrillSetup
  readonly records = new Records()
  /** Spans that are no requests: from an upload to its finished output. */
  readonly journeys = new Records()
  readonly marks: Mark[] = []
  readonly facts: DrillFact[] = []
  readonly notes: string[] = []
  readonly gauges: DrillReport['series']['gauges'] = []
  /** What thresholds are held against, beside what the records tell. */
  readonly found = new Map<MetricName, number>()
  /** Thresholds that the drill judged by itself, such as those of a ramp's steps. */
  readonly judged = new Map<Threshold, { found: number | null; said: string; holds: boolean | null }>()
  model: DrillReport['load']['model'] = 'open'
  phase = 'getting ready'
  /** ms of the load as it is planned. */
  plannedMs = 0
  /** monotonicMs() at which the load began and ended. */
  loadAt = monotonicMs()
  loadEndAt = 0
  due = 0
  sent = 0
  /** When each request was due, in ms from the start of the load. */
  readonly dueTimes: number[] = []
  readonly failures = new Map<string, Failure>()
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: loopResolutionMs })
  #nextTurn = 0
  /** Requests in all, the preparation among them. */
  #begun = 0
  /** Answers in all. */
  answers = 0
  #elu: EventLoopUtilization = performance.eventLoopUtilization()
  /** Of the load: how late this process's loop was, in ms, and how busy, 0 to 1. */
  generator = { p99Ms: 0, maxMs: 0, utilization: 0 }

  /** Called when a bound is met: the drill ends then. */
  onBound: () => void = () => {}

  constructor(setup: DrillSetup) {
    this.setup = setup
  }

  /** A bound of the user's, or of what is not on this machine. */
  bound(option: string): void {
    if (this.stopped) return
    this.note(`${option} ended it`)
    this.onBound()
  }

  get settings(): Complete {
    return this.setup.settings
  }

  get stopped(): boolean {
    return this.setup.signal.aborted
  }

  /** ms since the load began. */
  now(): number {
    return monotonicMs() - this.loadAt
  }

  sleep(ms: number): Promise<void> {
    return realDelay(ms, this.setup.signal)
  }

  beginLoad(phase: string, plannedMs: number): void {
    this.loadAt = monotonicMs()
    this.phase = phase
    this.plannedMs = plannedMs
    this.#loop.reset()
    this.#loop.enable()
    this.#elu = performance.eventLoopUtilization()
    this.setup.wire.utilization()
  }

  endLoad(at = monotonicMs()): void {
    if (this.loadEndAt !== 0) return
    this.loadEndAt = at
    this.#loop.disable()
    const delayOf = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / 1e6 - loopResolutionMs) : 0)
    this.generator = {
      p99Ms: delayOf(this.#loop.percentile(99)),
      maxMs: delayOf(this.#loop.max),
      utilization: Math.max(performance.eventLoopUtilization(this.#elu).utilization, this.setup.wire.utilization()),
    }
  }

  fact(id: string, label: string, text: string, value?: number, unit?: DrillFact['unit']): void {
    this.facts.push({ id, label, text, ...(value !== undefined && { value }), ...(unit !== undefined && { unit }) })
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  /** Sends one request; calls `done` when it ended, with an answer or without. */
  send(
    out: Outbound,
    { dueAt = monotonicMs(), lagMs = 0, counts = true }: Due,
    done?: (answered: LoadResponse) => void,
  ): void {
    if (counts) {
      this.due++
      this.dueTimes.push(dueAt - this.loadAt)
    }
    const { maxRate, maxRequests } = this.setup
    if (++this.#begun === maxRequests) this.bound('--max-requests')
    if (maxRate !== undefined) this.#nextTurn = Math.max(this.#nextTurn, monotonicMs()) + 1000 / maxRate
    const call = this.records.callOf(out.call)
    const wants = (status: number) => status < 200 || status >= 300 || this.setup.sampler.wants(status, monotonicMs())
    this.setup.wire.send(out, wants, answered => {
      // Cut by our own hand, it says nothing of the server.
      if (answered.status > 0) this.answers++
      if (!(this.stopped && answered.status === 0)) {
        if (counts) this.#count(out, call, dueAt, lagMs, answered)
        this.#look(out, answered)
      }
      done?.(answered)
    })
  }

  /** The same for who goes on with the answer; within the bound on the rate, where there is one. */
  async ask(out: Outbound, due: Due = {}): Promise<LoadResponse> {
    const { maxRate } = this.setup
    if (maxRate !== undefined) {
      while (this.#nextTurn > monotonicMs() && !this.stopped) await this.sleep(this.#nextTurn - monotonicMs())
    }
    return new Promise(resolve => this.send(out, due, resolve))
  }

  /** Counts an exchange that something else has sent, and that was due when it was sent. */
  counted(out: Outbound, answered: LoadResponse): void {
    this.due++
    this.dueTimes.push(answered.sentAt - this.loadAt)
    this.setup.wire.received(answered.body.length)
    if (answered.status > 0) this.answers++
    this.#count(out, this.records.callOf(out.call), answered.sentAt, 0, answered)
  }

  #count(out: Outbound, call: number, dueAt: number, lagMs: number, answered: LoadResponse): void {
    const { status, sentAt, endedAt, ownLagMs = 0 } = answered
    const due = dueAt - this.loadAt
    this.sent++
    this.records.add({
      call,
      due,
      sent: sentAt - this.loadAt,
      ended: endedAt - this.loadAt,
      status,
      lagMs: lagMs + ownLagMs,
    })
    if (status >= 200 && status < 400) return
    this.failed(out.call, requestLabel(answered), due)
  }

  failed(call: string, what: string, atMs: number): void {
    const key = `${call} ${what}`
    const known = this.failures.get(key)
    if (known) known.count++
    else if (this.failures.size < mostFailures)
      this.failures.set(key, { call, what, count: 1, at_ms: Math.max(0, Math.round(atMs)) })
  }

  #look(out: Outbound, answered: LoadResponse): void {
    const { status, kept, endedAt } = answered
    if (status === 0 || out.operation === undefined) return
    // A body that nobody wanted was not kept.
    if (kept && this.setup.sampler.wants(status, endedAt)) this.setup.sampler.take(out, answered, endedAt - this.loadAt)
  }

  /** Holds one answer against the contract, whether it is in the sample or not. */
  judge(out: Outbound, answered: LoadResponse): void {
    const { base, sampler } = this.setup
    sampler.judge(seenOf(out, answered, base), answered.endedAt - this.loadAt)
  }
}

/** A finer one would itself be load. */
const loopResolutionMs = 10

/** "503 internal_error", "cut before an answer": failures are counted by it. */
export function requestLabel({ status, body, error }: LoadResponse): string {
  if (status === 0) return error ?? 'no answer'
  let code: string | undefined
  try {
    code = codeOf({ json: JSON.parse(body.toString('utf8')) })
  } catch {
    // An answer that is not JSON has no code.
  }
  return code === undefined ? String(status) : `${status} ${code.slice(0, 60)}`
}
