/** The contract under load: a sample of the answers is held against the same schemas and rules as the suite's. */

import { parse } from '../contracts/answers.ts'
import type { Finding } from '../contracts/judge.ts'
import { judge } from '../contracts/judge.ts'
import { exchangeOf, type ObservedExchange, type Redact } from '../contracts/observedExchange.ts'
import type { Outbound } from './calls.ts'
import type { LoadResponse } from './load/wire.ts'
import type { Breach } from './report.ts'

/** The report shows this many kinds of breach; `count` tells of the rest of each. */
const mostBreaches = 20

export class Sampler {
  readonly #gapMs: number
  readonly #base: string
  readonly #redact: Redact
  /** When the next of each kind may be taken. */
  #nextGood = 0
  #nextBad = 0
  readonly #ids = new Map<string, string>()
  readonly #breaches = new Map<string, Breach>()
  judged = 0
  /** Answers that break a clause. */
  broken = 0

  /** `perSecond` good answers a second are taken, and as many bad ones. */
  constructor(perSecond: number, base: string, redact: Redact) {
    this.#gapMs = perSecond === 0 ? Number.POSITIVE_INFINITY : 1000 / perSecond
    this.#base = base
    this.#redact = redact
  }

  /** Whether an answer of this status that comes now is one to take. */
  wants(status: number, now: number): boolean {
    if (this.#gapMs === Number.POSITIVE_INFINITY) return false
    return now >= (status >= 200 && status < 300 ? this.#nextGood : this.#nextBad)
  }

  take(out: Outbound, answered: LoadResponse, atMs: number): void {
    const { status, endedAt } = answered
    if (status >= 200 && status < 300) this.#nextGood = endedAt + this.#gapMs
    else this.#nextBad = endedAt + this.#gapMs
    this.judge(seenOf(out, answered, this.#base), atMs)
  }

  /** Judges an answer, whether it is one of the sample or not. */
  judge(seen: ObservedExchange, atMs: number): void {
    this.judged++
    const wrong = judge(seen, this.#ids).filter(({ holds }) => !holds)
    if (wrong.length > 0) this.broken++
    for (const finding of wrong) this.#note(finding, seen, atMs)
  }

  #note({ clauses, expected, found, pointer }: Finding, seen: ObservedExchange, atMs: number): void {
    const kind = JSON.stringify([seen.operation, clauses, expected, pointer])
    const known = this.#breaches.get(kind)
    if (known) {
      known.count++
      return
    }
    if (this.#breaches.size >= mostBreaches) return
    this.#breaches.set(kind, {
      clauses: [...clauses],
      count: 1,
      at_ms: Math.round(atMs),
      evidence: {
        check: seen.operation ?? `${seen.sent.method} ${seen.sent.url}`,
        passed: false,
        expected,
        found: this.#redact(found),
        ...(pointer !== undefined && { pointer }),
        ...exchangeOf(seen, this.#redact),
      },
    })
  }

  breaches(): Breach[] {
    return [...this.#breaches.values()].sort((a, b) => b.count - a.count)
  }
}

/** As the suite sees an exchange. */
export function seenOf(out: Outbound, answered: LoadResponse, base: string): ObservedExchange {
  const { method, path, headers, body, form, operation } = out
  const { status, body: bytes, sentAt, endedAt } = answered
  const text = bytes.toString('utf8')
  return {
    sent: {
      method,
      url: base + path,
      headers,
      ...(typeof body === 'string' && { body }),
      ...(form && { form }),
    },
    operation,
    status,
    headers: flat(answered.headers),
    text,
    json: parse(text),
    bytes,
    ms: endedAt - sentAt,
  }
}

export const flat = (headers: LoadResponse['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
