/**
 * What a fault is: a small file that says what it does to a request's body, to the answer, or to the connection. The
 * scenario format, X-Mock-Fault, `explain` and the README's table are made from what it tells of itself.
 */
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { JSONSchema } from 'json-schema-to-ts'
import type { Clock } from '../../base/clock.ts'
import type { Cut } from '../../recordings/har.ts'

/** An answer that has not left yet. A fault changes it in place. */
export interface Answer {
  status: number
  headers: Record<string, number | string | string[] | undefined>
  body: string | Buffer | Readable
}

/** The connection that a fault takes over. */
export interface FaultWire {
  readonly response: ServerResponse
  /** The world's: what takes time follows it. */
  readonly clock: Clock
  /** Frees what the request has claimed: a client that comes back right after a cut finds its Idempotency-Key free. */
  release(): void
}

type Params = Record<string, JSONSchema>

type Value<S> = S extends { enum: readonly (infer E)[] } ? E : S extends { type: 'integer' } ? number : string

/** The parameters by their schemas; one with a default is always there. */
type Given<P extends Params> = {
  [Name in keyof P]: P[Name] extends { default: unknown } ? Value<P[Name]> : Value<P[Name]> | undefined
}

export interface Fault<P extends Params = Params> {
  /** What the client meets, in one line. */
  readonly summary: string
  readonly params: P
  /** What it does with these parameters, for `explain`. */
  explain(params: Given<P>): string
  /** Takes the place of the request's body: how it is read. */
  receive?(params: Given<P>, body: Readable, wire: FaultWire): Readable
  /** Changes the answer; `n` counts the rule's firings from 0. */
  change?(params: Given<P>, answer: Answer, n: number): void
  /** Sends the answer in its own way, or ends the connection. `answer` is missing where nothing has made one. */
  send?(params: Given<P>, answer: Answer | undefined, wire: FaultWire): void | Promise<void>
  /** Where it ends the exchange without a whole answer, and how that looks from outside. */
  readonly cuts?: Pick<Cut, 'when' | 'how'>
  /** Whether it decides the answer's status itself. */
  readonly setsStatus?: true
  /** Whether it has nothing to work on without an answer. */
  readonly needsAnswer: boolean
}

/** A fault, with its parameters' types taken from their schemas. */
export const fault = <const P extends Params>(definition: Fault<P>): Fault => definition as unknown as Fault

export const bytesPerSecond = (byDefault: number) =>
  ({
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000_000,
    default: byDefault,
    description: `Bytes a second; ${byDefault} by default.`,
  }) as const

export const afterBytes = {
  type: 'integer',
  minimum: 0,
  description: 'Bytes of the body that arrive; half of it by default.',
} as const
