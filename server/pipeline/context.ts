/** What the steps of one request share beside its journal entry: gone when the request is over. */
import type { Exchange } from '../journal.ts'
import type { Account } from '../world/account.ts'
import type { World } from '../world/world.ts'

export class RequestContext {
  /** The request and its answer, as the journal will have it. */
  readonly exchange: Exchange
  readonly world: World
  /** Not a call of the API, such as /__mock: it has a request_id, and is not recorded. */
  readonly isInternal: boolean
  /** Whose credits and limits the call takes from: its world's, unless a scenario has its own. */
  account: Account
  /** Of a file, which needs no key: the world of its job or upload, whose clock counts. */
  subject: World | undefined = undefined
  /** Set while the request holds its Idempotency-Key, with the scope that the key is unique in (ID-1). */
  idempotencyKey: string | undefined = undefined
  /** What makes a request the same one again (ID-1). */
  fingerprint: string | undefined = undefined
  /** The answer is the first one again (ID-1). */
  replayed = false

  constructor(exchange: Exchange, world: World, isInternal: boolean) {
    this.exchange = exchange
    this.world = world
    this.isInternal = isInternal
    this.account = world.account
  }
}
