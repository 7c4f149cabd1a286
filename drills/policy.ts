/** How a client behaves that does as the documentation says (RL-3), for the drills that play one. */
import type { SeededRandom } from '../base/seed.ts'
import type { LoadResponse } from './load/wire.ts'

/** RL-3, in ms: 1-2 s, 2-4 s, 4-8 s, then 8-16 s as the cap; `who` and `attempt` decide where in between. */
export function backoffMs(random: SeededRandom, who: string, attempt: number): number {
  const base = Math.min(1000 * 2 ** attempt, 8_000)
  return random.between(base, base * 2, `backoff ${who}`, attempt)
}

/** ms that an answer asks to wait (RL-2); 0 where it asks nothing. */
export function retryAfterMs({ headers }: Pick<LoadResponse, 'headers'>): number {
  const value = Number(headers['retry-after'] ?? 0)
  return Number.isFinite(value) && value > 0 ? value * 1000 : 0
}

/** ERR-3: capacity, server errors and no answer are worth another try, and so is 409 "still in flight" (ID-1). */
export const isRetried = (status: number): boolean => status === 0 || status === 409 || status === 429 || status >= 500

/** RL-3: polls begin 2 s apart and slow down to 10 s. */
export const pollPauseMs = (poll: number): number => Math.min(2_000 * 1.5 ** poll, 10_000)
