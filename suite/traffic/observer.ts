/**
 * What judges recorded traffic: one observer per theme. It sees each call in the order of their beginnings, keeps small
 * facts of it and never a body, and says what keeps a clause or contradicts it. Nothing is sent: where a recording leaves
 * two readings, there is no finding.
 */

import type { ClauseId } from '../../contracts/clauses.ts'
import type { Observed, RecordedWebhook } from '../../recordings/traffic.ts'
import type { TrafficLedger } from './ledger.ts'

export interface EvidencePlace {
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
  place?: EvidencePlace,
) => void

export interface Watch {
  call?(exchange: Observed): void
  webhook?(webhook: RecordedWebhook, index: number): void
  /** Nothing more comes: what waited for later calls is judged by what is known. */
  end?(): void
}

export interface Observer {
  id: string
  title: string
  clauses: readonly ClauseId[]
  /** It looks at calls of other hosts too. */
  looksElsewhere?: true
  watch(look: Look, ledger: TrafficLedger): Watch
}

/**
 * ms by which one call has to begin behind another's end before they count as one after the other: recordings have
 * whole ms, cut off at both ends.
 */
export const slackMs = 2

export const isAfter = (later: { at: number }, earlier: { endedAt: number }): boolean =>
  earlier.endedAt + slackMs <= later.at

/** A key that can be told from another: one that was taken out of the recording can't. */
export const isTold = (key: string): boolean => !/^(anonymous|redacted)(\/|$)/.test(key)
