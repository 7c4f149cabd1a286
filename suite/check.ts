/**
 * What a check is, and what it may use. A check knows HTTP as calls and answers only; who sends them, reads files and
 * listens for webhooks is handed in, so that nothing in here opens a socket.
 */

import type { FormPart, Sent } from '../base/http.ts'
import type { ClauseId } from '../contracts/clauses.ts'
import type { Costs, Need } from './needs.ts'
import type { Probe } from './probe.ts'

export interface Check {
  /** theme.what; stable, as reports and filters name it. */
  id: string
  /** The sentence that it tries. */
  title: string
  /** What it speaks for: each of these needs a finding before the check counts as done. */
  clauses: readonly ClauseId[]
  /** Anything but small calls. The profile `safe` leaves out what has a cost, `quick` a burst or an upload. */
  costs?: Costs
  needs?: readonly Need[]
  run(t: Probe): Promise<void>
}

export type { FormPart, Sent }
