/**
 * Idempotency records (ID-1): the first good answer to a key, given again to the same request. An answer that was an
 * error is not kept: the client is told to retry those (ERR-3), and may do so with the same key.
 */
import { apiError } from '../errors.ts'
import type { MemoryBudget, MemoryHolder } from './memoryBudget.ts'

/** How long an answer is kept, where nothing else is said. */
export const idempotencyMs = 24 * 60 * 60 * 1000
/** A world keeps this many; the oldest goes first. */
const maxRecords = 10_000
/** What one takes beside its texts, roughly. */
const recordBytes = 300

interface Record {
  /** What the request was, as a hash; for an upload it is known only at its end. */
  fingerprint: string | undefined
  answer: unknown
  inFlight: boolean
  expiresAt: number
}

/** A record as a snapshot has it. */
export interface KeptAnswer {
  key: string
  fingerprint: string
  answer: string
  expires_at: number
}

export class Idempotency implements MemoryHolder {
  readonly #records = new Map<string, Record>()
  readonly #memory: MemoryBudget
  bytes = 0

  constructor(memory: MemoryBudget) {
    this.#memory = memory
    memory.add(this)
  }

  /**
   * Claims `key` for one request. Returns the first answer when the same request was answered before, or undefined
   * when this is the first: the caller then has to settle() or release() it. Throws 409 while the first is in flight
   * and 422 for another body. An answer is kept for `keptMs`.
   */
  claim(key: string, fingerprint: string | undefined, now: number, keptMs: number): { answer: unknown } | undefined {
    const record = this.#records.get(key)
    if (record?.inFlight) throw apiError('idempotency_in_flight')
    if (record && record.expiresAt > now) {
      // An upload's fingerprint is not known yet: match() compares it when the file is here.
      if (fingerprint === undefined) return undefined
      return this.match(key, fingerprint)
    }
    this.#delete(key)
    if (this.#records.size >= maxRecords) this.#dropOldest()
    this.#set(key, { fingerprint, answer: undefined, inFlight: true, expiresAt: now + keptMs })
    return undefined
  }

  /** The first answer to `key`, if it has one; 422 when that was to another body. */
  match(key: string, fingerprint: string): { answer: unknown } | undefined {
    const record = this.#records.get(key)
    if (record === undefined || record.inFlight) return undefined
    if (record.fingerprint !== fingerprint) throw apiError('idempotency_mismatch')
    return { answer: record.answer }
  }

  settle(key: string, fingerprint: string, answer: unknown): void {
    const record = this.#records.get(key)
    if (!record) return
    const before = sizeOf(key, record)
    record.fingerprint = fingerprint
    record.answer = answer
    record.inFlight = false
    this.#count(sizeOf(key, record) - before)
  }

  /** The request failed: the key is free for a retry. */
  release(key: string): void {
    if (this.#records.get(key)?.inFlight) this.#delete(key)
  }

  /** The answers that are kept, for a snapshot. */
  records(): KeptAnswer[] {
    return [...this.#records].flatMap(([key, { fingerprint, answer, inFlight, expiresAt }]) =>
      inFlight || fingerprint === undefined
        ? []
        : [{ key, fingerprint, answer: String(answer), expires_at: expiresAt }],
    )
  }

  restore(kept: readonly KeptAnswer[]): void {
    for (const { key, fingerprint, answer, expires_at } of kept) {
      this.#set(key, { fingerprint, answer, inFlight: false, expiresAt: expires_at })
    }
  }

  evictBytes(bytes: number): number {
    const before = this.bytes
    while (before - this.bytes < bytes && this.#dropOldest()) {}
    return before - this.bytes
  }

  /** Its world is gone, or begins anew. */
  discard(): void {
    this.#memory.remove(this)
    this.#records.clear()
    this.#count(-this.bytes)
  }

  #dropOldest(): boolean {
    for (const [key, record] of this.#records) {
      if (record.inFlight) continue
      this.#delete(key)
      return true
    }
    return false
  }

  #set(key: string, record: Record): void {
    this.#delete(key)
    this.#records.set(key, record)
    this.#count(sizeOf(key, record))
  }

  #delete(key: string): void {
    const record = this.#records.get(key)
    if (record === undefined) return
    this.#records.delete(key)
    this.#count(-sizeOf(key, record))
  }

  #count(bytes: number): void {
    this.bytes += bytes
    this.#memory.use(bytes)
  }
}

const sizeOf = (key: string, { fingerprint = '', answer }: Record): number =>
  recordBytes + key.length + fingerprint.length + (typeof answer === 'string' ? answer.length : 0)
