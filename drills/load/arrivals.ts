/**
 * The open model: the n-th request is due at a moment that is fixed beforehand, whatever became of those before it. A
 * server that is slow gets no rest by that, and no request that a pause kept from being sent goes uncounted.
 */
import { monotonicMs, realDelay } from '../../base/clock.ts'

export interface Arrivals {
  /** Requests a second. */
  rate: number
  durationMs: number
  /** monotonicMs() of the first. */
  startAt: number
  signal: AbortSignal
}

/**
 * Calls `start` for each request when it is due: with its number, when it was due (monotonicMs) and by how many ms this
 * process is late itself. Resolves when the last has begun.
 */
export async function arrive(
  { rate, durationMs, startAt, signal }: Arrivals,
  start: (n: number, dueAt: number, lagMs: number) => void,
): Promise<void> {
  const everyMs = 1000 / rate
  const total = dueWithin(rate, durationMs)
  for (let n = 0; n < total; ) {
    const now = monotonicMs()
    for (; n < total && !signal.aborted; n++) {
      const dueAt = startAt + n * everyMs
      if (dueAt > now) break
      start(n, dueAt, now - dueAt)
    }
    if (signal.aborted) return
    if (n < total) await realDelay(Math.max(0, startAt + n * everyMs - monotonicMs()), signal)
  }
}

/** How many requests a rate makes in a time. */
export const dueWithin = (rate: number, durationMs: number): number =>
  Math.max(1, Math.round((rate * durationMs) / 1000))
