/**
 * What judges recorded traffic: one observer per theme. It sees each call in the order of their beginnings, keeps small
 * facts of it and never a body, and says what keeps a clause or contradicts it. Nothing is sent: where a recording leaves
 * two readings, there is no finding.
 */

import type { ClauseId } from '../../clauses.ts'
import type { Call, Hook } from '../../traffic.ts'
import type { Ledger } from './ledger.ts'

/** A call, and how much of it was recorded. */
export interface Observed {
  call: Call
  /** Its place in the order of the recording, from 0: evidence is fetched by it. */
  index: number
  /** It was sent to the API, and not to another host, such as one that keeps the files. */
  isOurs: boolean
  /** An answer came to its end, and its headers are there. */
  isWhole: boolean
  /** The answer's body is all there, or surely empty. */
  hasBody: boolean
  /** It was answered 2xx, whole. */
  isGood: boolean
}

export interface Place {
  pointer?: string
  /** Which documented variant was seen, where there is a choice. */
  note?: string
}

/** Writes down whether a fact holds, of the call at `index`. */
export type Look = (
  index: number,
  clauses: ClauseId | readonly ClauseId[],
  holds: boolean,
  expected: string,
  found: string,
  place?: Place,
) => void

export interface Watch {
  call?(seen: Observed): void
  hook?(hook: Hook, index: number): void
  /** Nothing more comes: what waited for later calls is judged by what is known. */
  end?(): void
}

export interface Observer {
  id: string
  title: string
  clauses: readonly ClauseId[]
  /** It looks at calls of other hosts too. */
  looksElsewhere?: true
  watch(look: Look, ledger: Ledger): Watch
}

/**
 * ms by which one call has to begin behind another's end before they count as one after the other: recordings have
 * whole ms, cut off at both ends.
 */
export const slackMs = 2

export const isBehind = (later: { at: number }, earlier: { endedAt: number }): boolean =>
  earlier.endedAt + slackMs <= later.at

/** A key that can be told from another: one that was taken out of the recording can't. */
export const isTold = (key: string): boolean => !/^(anonymous|redacted)(\/|$)/.test(key)

/** FNV-1a twice, 53 bits: tells one body from another without keeping it. */
export function fingerprint(text: string): number {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x85ebca6b) + 1
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11)
}

/** A copy: a piece of a long text would keep all of it in memory. */
export const own = (text: string): string => JSON.parse(JSON.stringify(text)) as string
