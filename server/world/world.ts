/**
 * A world: all that one key has and does. Worlds share nothing, so what happens in one never shows in another; tests
 * that run at the same time only choose different keys.
 */

import { Clock } from '../../base/clock.ts'
import { SeededRandom } from '../../base/seed.ts'
import type { WebhookEventName } from '../../contracts/schemas.ts'
import type { Config } from '../config.ts'
import { apiError } from '../errors.ts'
import { Journal } from '../journal.ts'
import type { TestKey } from '../testValues.ts'
import type { Account } from './account.ts'
import { Credits } from './credits.ts'
import { Idempotency, idempotencyMs } from './idempotency.ts'
import { type JobRecord, JobStore, type Making, sizeOfJob } from './jobStore.ts'
import { Limits } from './limits.ts'
import type { MemoryBudget } from './memoryBudget.ts'
import { Usage } from './usage.ts'

/** A world keeps this many jobs; the one that finished first makes room. */
export const maxJobs = 100_000

export interface WorldOptions {
  /** What it is called in reports and logs: the key's fingerprint, and the X-Mock-World behind a slash. */
  name: string
  /** Six characters that its ids begin with: a job or file is found by them without a key. */
  tag: string
  /** The key itself, so that it can be taken out of all that is shown; undefined for keyless calls. */
  key: string | undefined
  /** The X-Mock-World that it was split off by. */
  partition: string | undefined
  /** When one of the same name had to make room for others. */
  evictedAt: number | undefined
  config: Config
  /** What the journals of all worlds share. */
  journals: MemoryBudget
  /** What their jobs, deliveries and idempotency records share. */
  memory: MemoryBudget
  clock: Clock
  testKey: TestKey | undefined
  /** Told of each event that a webhook may be sent for (WH-1). */
  announce: (world: World, event: WebhookEventName, job: JobRecord) => void
  /** Begins the output of a job that is being processed; undefined where nothing is to be waited for. */
  makeOutput: (world: World, job: JobRecord) => Making | undefined
  /** Told of finished jobs that made room. */
  jobsEvicted: (world: World, jobs: number) => void
}

export class World {
  readonly name: string
  readonly tag: string
  readonly key: string | undefined
  readonly partition: string | undefined
  /** Its own: what goes on in other worlds never changes a draw. */
  readonly random: SeededRandom
  /** When what it held before was evicted, ms since the epoch; a reset makes it as new. */
  evictedAt: number | undefined
  readonly config: Config
  readonly journal: Journal
  /** What its jobs, deliveries and idempotency records share with those of other worlds. */
  readonly memory: MemoryBudget
  clock: Clock
  jobs!: JobStore
  account!: Account
  idempotency!: Idempotency
  usage!: Usage
  /** The number of the next job, upload, delivery: what their chance is drawn from. */
  nextJob!: number
  nextUpload!: number
  nextDelivery!: number
  /** The number of the next request: counts on over a reset, so no request_id is given twice (ERR-6). */
  nextRequest = 0
  /** The key was revoked by hand: its calls are answered 401 until it is restored, or the world reset. */
  revoked = false
  /** By the machine's clock; the world that was used least recently makes room for new ones. */
  lastUsed = 0
  /** Made ready by POST /__mock/keys: its limits and credits are not to be forgotten before it is used. */
  isPrepared = false
  readonly #options: WorldOptions

  constructor(options: WorldOptions) {
    this.#options = options
    this.name = options.name
    this.tag = options.tag
    this.key = options.key
    this.partition = options.partition
    this.evictedAt = options.evictedAt
    this.random = new SeededRandom(options.config.seed, options.name)
    this.config = options.config
    this.clock = options.clock
    this.memory = options.memory
    this.journal = new Journal(options.config.journalEntries, options.journals)
    this.#begin()
  }

  /** Makes the world as new: its jobs, credits, limits, usage, idempotency records and journal. */
  reset(root: Clock): void {
    this.clock.close()
    this.clock = new Clock(root)
    this.journal.clear()
    this.evictedAt = undefined
    this.#begin()
  }

  announce(event: WebhookEventName, job: JobRecord): void {
    this.#options.announce(this, event, job)
  }

  makeOutput(job: JobRecord): Making | undefined {
    return this.#options.makeOutput(this, job)
  }

  /** Before a job with these inputs is made; gives what it will take. Throws 429 where no finished one is left that could make room. */
  makeRoomForJob(inputs: object): number {
    const bytes = sizeOfJob(inputs)
    const isFull = this.jobs.size >= maxJobs && !this.jobs.dropOldestFinished()
    if (!isFull && this.memory.makeRoomFor(bytes)) return bytes
    const what = isFull ? `${maxJobs} jobs are unfinished` : `unfinished jobs take all of ${this.memory.maxBytes} bytes`
    throw apiError('rate_limited', `${what}; wait until some have finished`, { 'retry-after': '60' })
  }

  /** It is gone, and holds no memory any more. */
  discard(): void {
    this.clock.close()
    this.journal.discard()
    this.jobs.discard()
    this.idempotency.discard()
  }

  #begin(): void {
    const { config, testKey } = this.#options
    this.revoked = false
    this.jobs?.discard()
    this.jobs = new JobStore(this.memory, jobs => this.#options.jobsEvicted(this, jobs))
    this.idempotency?.discard()
    this.idempotency = new Idempotency(this.memory)
    this.usage = new Usage()
    this.nextJob = 0
    this.nextUpload = 0
    this.nextDelivery = 0
    const limits = new Limits(testKey?.requests ?? config.rateLimit, config.jobLimit)
    if (testKey?.requests) limits.requests?.useUp(this.clock.now())
    this.account = { credits: new Credits(testKey?.credits ?? config.credits), limits, idempotencyMs }
  }
}
