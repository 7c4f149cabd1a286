/**
 * Idempotency records (ID-1): the first good answer to a key, given again to the same request. An answer that was an
 * error is not kept: the client is told to retry those (ERR-3), and may do so with the same key.
 */
import { apiError } from '../errors.ts'

/** How long an answer is kept, where nothing else is said. */
export const idempotencyMs = 24 * 60 * 60 * 1000
/** A world keeps this many; the oldest goes first. */
const maxRecords = 10_000

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

export class Idempotency {
  readonly #records = new Map<string, Record>()

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
    this.#records.delete(key)
    if (this.#records.size >= maxRecords) this.#dropOldest()
    this.#records.set(key, { fingerprint, answer: undefined, inFlight: true, expiresAt: now + keptMs })
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
    record.fingerprint = fingerprint
    record.answer = answer
    record.inFlight = false
  }

  /** The request failed: the key is free for a retry. */
  release(key: string): void {
    if (this.#records.get(key)?.inFlight) this.#records.delete(key)
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
      this.#records.set(key, { fingerprint, answer, inFlight: false, expiresAt: expires_at })
    }
  }

  #dropOldest(): void {
    for (const [key, record] of this.#records) {
      if (record.inFlight) continue
      this.#records.delete(key)
      return
    }
  }
}
