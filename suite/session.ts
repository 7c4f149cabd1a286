/** What all checks of a run share: what they have found, and a budget that nobody gets past. */

import { formatDuration, plural } from '../base/text.ts'
import type { Finding } from '../contracts/judge.ts'
import { type ObservedExchange, type Redact, redactor } from '../contracts/observedExchange.ts'
import type { SuiteEnvironment } from './environment.ts'

/** Ends a check: what follows can't be tried. */
export class NotTried extends Error {
  readonly needs: readonly string[]
  constructor(reason: string, needs: readonly string[] = []) {
    super(reason)
    this.needs = needs
  }
}

/** Ends the run: the user wants no more of it, or its time is over. */
export class Stopped extends Error {}

/** A finding, and which check made it. */
export interface Recorded extends Finding {
  check: string
  /** The answer shows it by itself, whatever was asked before. */
  byItself?: true
  /** Where it takes more than the one call to see it. */
  curl?: string
}

/** What all checks of a run share. */
export class Run {
  readonly environment: SuiteEnvironment
  readonly signal: AbortSignal | undefined
  readonly findings: Recorded[] = []
  /** request_ids so far, by what they were given to (ERR-6). */
  readonly ids = new Map<string, string>()
  readonly jobIds = new Set<string>()
  readonly statuses = new Map<number, number>()
  /** Why the endpoint can no longer be asked. */
  gone: string | undefined
  /** Every answer in order, where somebody wants to tell how it came to something. */
  trace: ObservedExchange[] | undefined
  readonly #memo = new Map<string, Promise<unknown>>()
  readonly #maxCredits: number
  /** A draft that nobody starts, to see whether it waits. */
  watched: { id: string; status: string } | undefined
  /** Drafts start by themselves: what is charged, and when, can't be told any more. */
  draftsStart = false
  /** The spelling of the key's header: another where the documented one is refused (AUTH-1). */
  keyHeader = 'X-Api-Key'
  /** A job that never ended, and how many did. */
  stuck: string | undefined
  endedJobs = 0
  requests = 0
  sentBytes = 0
  credits = 0

  readonly #maxTimeMs: number
  readonly #startedAt: number

  constructor(
    environment: SuiteEnvironment,
    {
      maxCredits,
      maxTimeMs,
      signal,
    }: { maxCredits: number; maxTimeMs?: number | undefined; signal?: AbortSignal | undefined },
  ) {
    this.environment = environment
    this.#maxCredits = maxCredits
    this.#maxTimeMs = maxTimeMs ?? Number.POSITIVE_INFINITY
    this.#startedAt = environment.now()
    this.signal = signal
  }

  get isTimeOver(): boolean {
    return this.environment.now() - this.#startedAt >= this.#maxTimeMs
  }

  /** Why no more may be sent: the time is over, or the user wants no more. */
  get ended(): string | undefined {
    if (this.isTimeOver) return `the run took longer than ${formatDuration(this.#maxTimeMs)} (--max-time)`
    return this.signal?.aborted ? 'the run was stopped' : undefined
  }

  /** Throws Stopped where the run has ended. */
  goOn(): void {
    if (this.ended !== undefined) throw new Stopped(this.ended)
  }

  /** As things stand: the keys that were drawn on the way are secrets too. */
  get redact(): Redact {
    return redactor(this.environment.secrets)
  }

  /** Takes findings back: what was seen later shows that they accuse the wrong clause. */
  withdraw(wrong: readonly Recorded[]): void {
    this.findings.splice(0, Number.POSITIVE_INFINITY, ...this.findings.filter(finding => !wrong.includes(finding)))
  }

  /** Does a thing once for all checks; who comes later gets the same, or the same failure. */
  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#memo.get(name) as Promise<T> | undefined) ?? make()
    this.#memo.set(name, made)
    return made
  }

  /** Takes credits from the budget before they are spent; what was taken stays taken, whatever comes of it. */
  reserve(credits: number): void {
    if (this.credits + credits > this.#maxCredits) {
      const left = Math.max(0, this.#maxCredits - this.credits)
      throw new NotTried(
        `it would cost ${plural(round(credits), 'credit')}, and ${round(left)} are left of the budget`,
        ['--max-credits'],
      )
    }
    this.credits += credits
  }

  /** What an endpoint has charged beyond what was put aside counts against the budget as well. */
  charged(credits: number, reserved: number): void {
    if (credits > reserved) this.credits += credits - reserved
  }
}

export const round = (credits: number): number => Math.round(credits * 1000) / 1000
