/**
 * The journal: every exchange and every webhook attempt, in one bounded ring a world. An entry keeps what passed by
 * reference and is made presentable (redacted, cut, parsed) only when it is read, so that writing one costs next to
 * nothing.
 */

import type { WebhookEventName } from '../contracts/schemas.ts'
import type { Cut } from '../recordings/har.ts'
import type { RuleContext } from './scenarios/scenarioRun.ts'
import type { TraceSpan } from './trace.ts'
import type { Window } from './world/limits.ts'
import type { MemoryBudget, MemoryHolder } from './world/memoryBudget.ts'

/** Bodies are kept up to here. */
export const maxBodyBytes = 64 * 1024
/** A world's journal holds at most this many bytes; the oldest entries go first. */
const maxJournalBytes = 32 * 1024 * 1024
/** What a rule that counted the call takes, roughly. */
const countedBytes = 64
/** What an entry takes beside its bodies, roughly. */
const entryBytes = 1024

/** revoked: it was valid, and is no more. */
export type KeyValidity = 'none' | 'valid' | 'invalid' | 'revoked'

/** The world of an entry, as far as the journal needs to know it. */
export interface JournalWorld {
  /** What it is called in reports and logs. */
  readonly name: string
  /** Six characters that its request_ids begin with. */
  readonly tag: string
  /** Its API key, to be taken out of all that is shown; undefined for calls without one. */
  readonly key: string | undefined
  /** Its X-Mock-World. */
  readonly partition: string | undefined
  /** When it had to make room for others, ms since the epoch; undefined for one that never had to. */
  readonly evictedAt: number | undefined
  readonly journal: Journal
  readonly clock: { now(): number }
}

/** What is to be known of a world that makes a new beginning. */
export const evictionText = (at: number): string =>
  `this world was evicted at ${new Date(at).toISOString()} to make room for others; what it held before is gone`

/** What is known of a request when it arrives. */
export interface ExchangeStart {
  /** The n-th request of its world; a text where the request_id comes from somewhere else. */
  readonly id: number | string
  readonly world: JournalWorld
  /** The operation's id, such as getJob; undefined where no route matched. */
  readonly operation: string | undefined
  /** The world's time, ms since the epoch. */
  readonly at: number
  /** The machine's time, to measure with. */
  readonly startedAt: number
  readonly method: string
  readonly url: string
  /** Name, value, name, value, … as they came. */
  readonly requestHeaders: readonly string[]
  /** What its headers take, unless they are the same as those of the call before. */
  readonly headerBytes: number
  readonly keyState: KeyValidity
  /** Which request of its connection it is, from 1; 0 where that is not known. */
  readonly placeOnConnection: number
  /** The same for all requests of a connection; 0 where it is not known. */
  readonly connection: number
}

/**
 * A request and its answer: one entry of the journal, complete once the answer is recorded. Ten thousand are kept, so it
 * holds numbers and shared texts; what can be worked out from them is worked out when it is read. What only the steps of
 * the request need is in its RequestContext.
 */
export class Exchange implements ExchangeStart {
  readonly kind = 'exchange'
  /** Its place among all entries of the mock, from 1; 0 until it is in the journal. */
  seq = 0
  id: number | string
  readonly world: JournalWorld
  readonly operation: string | undefined
  at: number
  readonly startedAt: number
  readonly method: string
  url: string
  readonly requestHeaders: readonly string[]
  readonly headerBytes: number
  keyState: KeyValidity
  readonly placeOnConnection: number
  readonly connection: number
  requestBody: string | undefined = undefined
  /** Of an upload only this is kept. */
  upload: UploadNote | undefined = undefined
  jobId: string | null = null
  /** 0 without an answer. */
  status = 0
  ms = 0
  /** When its answer was ready, by the world's time: the delay of a scenario is included. */
  endedAt = 0
  /** Set where they differ from those that every answer has. */
  responseHeaders: Record<string, string> | undefined = undefined
  responseBody: string | Buffer | undefined = undefined
  /** Thousandths of a credit that the call reserved. */
  credits = 0
  /** The limits in the answer's headers, as this call left them. */
  window: Window | undefined = undefined
  remaining = 0
  endsAt = 0
  jobWindow: Window | undefined = undefined
  jobRemaining = 0
  jobEndsAt = 0
  /** What the scenario decided; undefined where none is active. */
  ruleContext: RuleContext | undefined = undefined
  /** The client disconnected before it had its answer. */
  aborted = false
  /** It gets no more of an answer, and its client still waits: endedAt is not known yet. */
  isOpen = false
  /** The trace that it belongs to: its client's; one of its own with --otlp; else none. */
  trace: TraceSpan | undefined = undefined
  /** How long its job had been due and without its output by then, real ms; undefined for any other. */
  outputWaitMs: number | undefined = undefined
  /** Set where a recording has answered: its id is then the recorded one. */
  played: Played | undefined = undefined

  constructor(start: ExchangeStart) {
    this.id = start.id
    this.world = start.world
    this.operation = start.operation
    this.at = start.at
    this.startedAt = start.startedAt
    this.method = start.method
    this.url = start.url
    this.requestHeaders = start.requestHeaders
    this.headerBytes = start.headerBytes
    this.keyState = start.keyState
    this.placeOnConnection = start.placeOnConnection
    this.connection = start.connection
  }

  /** Unique over all worlds by the tag, within this one by the number (ERR-6). */
  get requestId(): string {
    return typeof this.id === 'string' ? this.id : `req_${this.world.tag}${this.id.toString(36).padStart(6, '0')}`
  }

  get bytes(): number {
    return (
      entryBytes +
      this.headerBytes +
      this.url.length +
      (this.requestBody?.length ?? 0) +
      (this.responseBody?.length ?? 0) +
      (this.ruleContext?.counted.length ?? 0) * countedBytes
    )
  }
}

/** What a recording had to do with an answer. */
export interface Played {
  /** The number of the recorded call. */
  readonly number: number
  readonly fault: string | undefined
  /** How the exchange ended without a whole answer. */
  readonly cut: Cut | undefined
}

export interface UploadNote {
  filename: string
  /** Bytes. */
  size: number
  type: string
  sha256: string
}

/** One attempt to deliver a webhook (WH-3). */
export interface DeliveryAttempt {
  readonly kind: 'webhook'
  seq: number
  readonly world: JournalWorld
  readonly at: number
  readonly deliveryId: string
  readonly event: WebhookEventName
  readonly jobId: string
  readonly url: string
  /** 1 for the first, counting on over retries and redeliveries. */
  readonly attempt: number
  /** What the receiver answered; 0 without an answer. */
  readonly status: number
  readonly ms: number
  readonly error: string | null
  /** When it is tried again, ms since the epoch by the world's clock; null when it isn't. */
  readonly nextTryAt: number | null
  /** What the scenario had wrong with it. */
  readonly fault: string | undefined
  /** Of the call that has made or started the job. */
  readonly trace: TraceSpan | undefined
  readonly requestHeaders: readonly string[]
  readonly requestBody: string
  readonly bytes: number
}

export type Entry = Exchange | DeliveryAttempt

/**
 * One copy of what is the same in each of a client's calls: a poller sends the same headers again and again, and ten
 * thousand copies of them would only keep the garbage collector busy.
 */
export class Headers {
  #last: readonly string[] = []
  /** What the headers seen last take beyond those before them. */
  bytes = 0

  same(headers: readonly string[]): readonly string[] {
    const last = this.#last
    if (last.length === headers.length) {
      let i = 0
      while (i < headers.length && headers[i] === last[i]) i++
      this.bytes = 0
      if (i === headers.length) return last
    }
    this.bytes = headers.reduce((sum, text) => sum + text.length, 0)
    this.#last = headers
    return headers
  }
}

/** The last entries of one world. */
export class Journal implements MemoryHolder {
  /** What its client's calls have in common. */
  readonly headers = new Headers()
  readonly #capacity: number
  readonly #budget: MemoryBudget
  #entries: (Entry | undefined)[] = []
  /** Where the oldest entry is, once the ring is full or was cut. */
  #oldest = 0
  #size = 0
  #bytes = 0
  #evicted = 0
  #lastEvictedSeq = 0

  constructor(capacity: number, budget: MemoryBudget) {
    this.#capacity = capacity
    this.#budget = budget
    budget.add(this)
  }

  /** What its entries take, roughly. */
  get bytes(): number {
    return this.#bytes
  }

  push(entry: Entry): void {
    const bytes = entry.bytes
    while (this.#size > 0 && (this.#size === this.#capacity || this.#bytes + bytes > maxJournalBytes)) this.#evict()
    const next = this.#oldest + this.#size
    const at = next >= this.#capacity ? next - this.#capacity : next
    this.#entries[at] = entry
    this.#size++
    this.#bytes += bytes
    this.#budget.use(bytes)
  }

  /** The newest one stays. */
  evictBytes(bytes: number): number {
    const before = this.#bytes
    while (this.#size > 1 && before - this.#bytes < bytes) this.#evict()
    return before - this.#bytes
  }

  /** Its world is gone. */
  discard(): void {
    this.clear()
    this.#budget.remove(this)
  }

  /** Completes an exchange that was written down before all of it was known; nothing, where it has made room already. */
  amend(seq: number, complete: (exchange: Exchange) => void): void {
    // It is among the last: nothing else has to be looked through.
    for (let i = this.#size - 1; i >= 0; i--) {
      const entry = this.#entries[(this.#oldest + i) % this.#capacity] as Entry
      if (entry.seq < seq) return
      if (entry.seq !== seq || entry.kind !== 'exchange') continue
      const before = entry.bytes
      complete(entry)
      this.#bytes += entry.bytes - before
      this.#budget.use(entry.bytes - before)
      return
    }
  }

  get size(): number {
    return this.#size
  }

  /** Entries that had to make room since the journal was last cleared. */
  get evicted(): number {
    return this.#evicted
  }

  /** The newest of them: what is later than this is all there. */
  get lastEvictedSeq(): number {
    return this.#lastEvictedSeq
  }

  clear(): void {
    this.#entries = []
    this.#oldest = 0
    this.#size = 0
    this.#budget.use(-this.#bytes)
    this.#bytes = 0
    this.#evicted = 0
    this.#lastEvictedSeq = 0
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<Entry> {
    for (let i = 0; i < this.#size; i++) yield this.#entries[(this.#oldest + i) % this.#capacity] as Entry
  }

  #evict(): void {
    const entry = this.#entries[this.#oldest] as Entry
    this.#entries[this.#oldest] = undefined
    this.#bytes -= entry.bytes
    this.#budget.use(-entry.bytes)
    this.#lastEvictedSeq = entry.seq
    this.#evicted++
    this.#size--
    this.#oldest = this.#oldest + 1 === this.#capacity ? 0 : this.#oldest + 1
  }
}

/** Gives entries their order over all worlds, and tells who listens. */
export class Feed {
  #seq = 0
  readonly #listeners = new Set<(entry: Entry) => void>()

  write(entry: Entry): void {
    entry.seq = ++this.#seq
    entry.world.journal.push(entry)
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener(entry)
  }

  /** Calls `listener` with each new entry until the returned function is called. */
  listen(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
