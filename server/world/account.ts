/** What a key may do: its credits and its limits. A scenario can put another account in the place of the world's own. */
import type { Credits } from './credits.ts'
import type { Limits } from './limits.ts'

export interface Account {
  readonly credits: Credits
  readonly limits: Limits
  /** ms that an Idempotency-Key is remembered (ID-1). */
  readonly idempotencyMs: number
}
