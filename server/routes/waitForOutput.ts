/** A poll for a job that is due, and whose output is still being made: it may wait a moment for it. */
import { monotonicMs, realDelay } from '../../base/clock.ts'
import type { Exchange } from '../journal.ts'
import type { JobRecord } from '../world/jobStore.ts'

/** ms of real time: a short clip is made by then. */
const longestMs = 1_000

/** Resolves when the output is there, or the moment is over; the journal will say how long the job had waited by then. */
export async function waitForOutput({ making, waitsSince = 0 }: JobRecord, exchange: Exchange): Promise<void> {
  const over = new AbortController()
  await Promise.race([making?.done, realDelay(longestMs, over.signal)])
  over.abort()
  exchange.outputWaitMs = monotonicMs() - waitsSince
}
