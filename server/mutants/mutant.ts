/** What a mutant is, and what a correct variant is. */
import type { ClauseId } from '../../contracts/clauses.ts'
import type { Mutation } from './mutation.ts'

/** What a client could notice it by. */
export const signs = ['status', 'field', 'body', 'header', 'file', 'timing', 'webhook'] as const
export type Sign = (typeof signs)[number]

/** must: a client that does not notice loses data, money or a user. */
export type Severity = 'must' | 'may'

/** What a client that does not notice a `must` loses. */
export const losses = ['data', 'money', 'users'] as const
export type Loss = (typeof losses)[number]

/** The mock with one documented sentence broken in one place. */
export interface Mutant {
  id: string
  /** What it breaks: a check that is worth its name accuses these. The first is the one it is listed by. */
  breaks: readonly ClauseId[]
  /** What may be accused too: their own sentences are contradicted by the same fault. All others are innocent. */
  also?: readonly ClauseId[]
  /** In a sentence, in the words of those who call the API. */
  what: string
  /** explore: it shows only after a sequence of calls that no fixed check would make. */
  needs?: 'explore'
  apply(mutation: Mutation): void
}

/** A server that is another one, and contradicts no documented sentence: it uses a freedom that they leave. */
export interface Variant {
  id: string
  /** What leaves the freedom: a clause of the API, or the standard of HTTP or JSON. */
  grants: ClauseId | `RFC ${9110 | 9112 | 8259}`
  what: string
  apply(mutation: Mutation): void
}

export const isMutant = (one: Mutant | Variant): one is Mutant => 'breaks' in one
