/**
 * All worlds of one mock, found by key (and X-Mock-World), or by the tag that every id begins with.
 */

import { hash, timingSafeEqual } from 'node:crypto'
import { Clock } from '../../base/clock.ts'
import { fingerprintOf, mayBeFingerprint } from '../../base/fingerprint.ts'
import { tagOf } from '../../base/seed.ts'
import type { WorldSelector } from '../../client/mock.ts'
import type { AdminKey, WebhookEventName } from '../../contracts/schemas.ts'
import type { Config } from '../config.ts'
import { findTestKey, testKeyPrefix } from '../testValues.ts'
import type { JobRecord, Making } from './jobStore.ts'
import { MemoryBudget } from './memoryBudget.ts'
import { World } from './world.ts'

/** So many names of evicted worlds are remembered, the last ones. */
const maxEvictedNames = 10_000
/** Longer keys and world names are no keys of ours. */
export const maxNameLength = 200

/** The same of a world: "anonymous" for that of calls without a key. */
export const fingerprintOfWorld = ({ key }: World): string => (key === undefined ? 'anonymous' : fingerprintOf(key))

/** Equal, in a time that doesn't tell how much of it was right. */
export const sameSecret = (a: string, b: string): boolean =>
  timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))

interface KeyRecord extends AdminKey {
  key: string
}

export function isWorldSelected(
  { key, partition }: Pick<World, 'key' | 'partition'>,
  selector: WorldSelector,
): boolean {
  if (selector.world !== undefined && partition !== selector.world) return false
  if (selector.key === undefined) return true
  if (key === undefined) return selector.key === 'anonymous'
  return key === selector.key || (mayBeFingerprint(selector.key) && fingerprintOf(key) === selector.key)
}

/** What the rest of the mock wants to be told. */
export interface WorldEvents {
  /** Something that a webhook may be sent for (WH-1). */
  announce: (world: World, event: WebhookEventName, job: JobRecord) => void
  /** A job is being processed: its output is begun, where there is something to be waited for. */
  makeOutput: (world: World, job: JobRecord) => Making | undefined
  /** A world was reset, or made room: what is kept for it elsewhere can go. */
  forget: (world: World) => void
  /** It made room, and what it held is gone for good. */
  evicted: (world: World) => void
  /** So many of its finished jobs made room for others. */
  jobsEvicted: (world: World, jobs: number) => void
}

export class Worlds {
  readonly #config: Config
  readonly #root: Clock
  readonly #events: WorldEvents
  readonly #journals: MemoryBudget
  readonly #memory: MemoryBudget
  readonly #byName = new Map<string, World>()
  readonly #byTag = new Map<string, World>()
  /** Keys made by POST /v1/admin/keys, and test keys that were disabled, by the key itself. */
  readonly #keys = new Map<string, KeyRecord>()
  /** When those that held something were evicted, by what they are found by. */
  readonly #evictions = new Map<string, Pick<World, 'key' | 'partition'> & { at: number }>()
  /** Keys that POST /__mock/keys has drawn so far. */
  nextMadeKey = 0
  #evicted = 0
  /** Journal entries that went with their worlds, and the newest of them. */
  evictedEntries = 0
  lastEvictedSeq = 0

  constructor(config: Config, root: Clock, events: WorldEvents) {
    this.#config = config
    this.#root = root
    this.#events = events
    this.#journals = new MemoryBudget(config.journalBytes)
    this.#memory = new MemoryBudget(config.jobBytes)
  }

  /**
   * The world of a key, made on first use; undefined when the key isn't valid (AUTH-1). `split` is X-Mock-World: it
   * divides a key into worlds, for an app whose key is fixed.
   */
  ofKey(key: string, partition: string | undefined): World | undefined {
    const found = this.#byName.get(partition === undefined ? key : idOf(key, partition))
    if (found !== undefined && (this.#keys.size === 0 || !this.#isDisabled(key))) return found
    if (!this.#isValid(key) || (partition !== undefined && partition.length > maxNameLength)) return undefined
    return this.#make(key, partition)
  }

  /**
   * The worlds that fit. A key's is made where it has none yet, so that a test can set things up before its first call;
   * undefined when the key isn't valid, or a fingerprint that no key of here has.
   */
  select(selector: WorldSelector): World[] | undefined {
    const found = [...this].filter(world => isWorldSelected(world, selector))
    if (found.length > 0 || selector.key === undefined) return found
    const made =
      selector.key === 'anonymous' ? this.anonymous(selector.world) : this.ofKey(selector.key, selector.world)
    return made && [made]
  }

  /** Lets a world be found by the ids of another one too: that it was restored from. */
  alias(tag: string, world: World): void {
    if (!this.#byTag.has(tag)) this.#byTag.set(tag, world)
  }

  /** The one world of legacy calls without a key (AUTH-2), and of all that can't be told whose it is. */
  anonymous(partition?: string): World {
    const cut = partition?.slice(0, maxNameLength)
    return this.#byName.get(idOf(undefined, cut)) ?? this.#make(undefined, cut)
  }

  /** The world that a job, upload or delivery id belongs to. */
  ofId(id: string): World | undefined {
    return this.#byTag.get(id.slice(id.indexOf('_') + 1, id.indexOf('_') + 1 + tagSize))
  }

  /** The world whose job or upload a path names: what is asked for there without a key is asked for by its client. */
  ofPath(path: string): World | undefined {
    const id = /\/((?:job|vid)_\w+)/.exec(path)?.[1]
    return id === undefined ? undefined : this.ofId(id)
  }

  *[Symbol.iterator](): Generator<World> {
    yield* this.#byName.values()
  }

  get size(): number {
    return this.#byName.size
  }

  /** Makes the worlds that fit as new, all of them without a selector; the others stay untouched. */
  reset(selector: WorldSelector = {}): void {
    for (const world of this) {
      if (isWorldSelected(world, selector)) this.resetWorld(world)
    }
    for (const [id, evicted] of this.#evictions) if (isWorldSelected(evicted, selector)) this.#evictions.delete(id)
  }

  resetWorld(world: World): void {
    this.#events.forget(world)
    world.reset(this.#root)
  }

  close(): void {
    for (const world of this) world.clock.close()
  }

  /** AD-1: the keys that were made or disabled, without the keys themselves. */
  listKeys(): AdminKey[] {
    return [...this.#keys.values()].map(({ key, ...shown }) => shown)
  }

  createKey(clientId: string, note: string | undefined): KeyRecord {
    const key = `key_${tagOf(32, this.#config.seed, 'key', this.#keys.size)}`
    return this.#record(key, clientId, note ?? null)
  }

  /** Disables or enables a key by its fingerprint: one that was made here, or a test key that was used. */
  setDisabled(fingerprint: string, disabled: boolean): AdminKey | undefined {
    let record = [...this.#keys.values()].find(({ key_fingerprint }) => key_fingerprint === fingerprint)
    if (!record) {
      const used = [...this].find(world => world.key !== undefined && fingerprintOf(world.key) === fingerprint)
      if (used?.key === undefined) return undefined
      record = this.#record(used.key, 'test key', null)
    }
    record.disabled = disabled
    const { key, ...shown } = record
    return shown
  }

  #record(key: string, clientId: string, note: string | null): KeyRecord {
    const record = {
      key,
      key_fingerprint: fingerprintOf(key),
      client_id: clientId,
      note,
      disabled: false,
      created_at: new Date(this.#root.now()).toISOString(),
    }
    this.#keys.set(key, record)
    return record
  }

  #isDisabled(key: string): boolean {
    return this.#keys.get(key)?.disabled === true
  }

  #isValid(key: string): boolean {
    if (key.length > maxNameLength || /[\s,]/.test(key) || this.#isDisabled(key) || findTestKey(key)?.invalid)
      return false
    return key.startsWith(testKeyPrefix) || this.#keys.has(key)
  }

  #make(key: string | undefined, partition: string | undefined): World {
    const id = idOf(key, partition)
    const counted = this.#byName.size - (this.#byName.has(keyless) ? 1 : 0)
    if (id !== keyless && counted >= this.#config.maxWorlds) this.#makeRoom()
    const name =
      (key === undefined ? 'anonymous' : fingerprintOf(key)) + (partition === undefined ? '' : `/${partition}`)
    const world = new World({
      name,
      tag: this.#freeTag(id),
      key,
      partition: partition,
      evictedAt: this.#evictions.get(id)?.at,
      config: this.#config,
      journals: this.#journals,
      memory: this.#memory,
      clock: new Clock(this.#root),
      testKey: key === undefined ? undefined : findTestKey(key),
      announce: this.#events.announce,
      makeOutput: this.#events.makeOutput,
      jobsEvicted: this.#events.jobsEvicted,
    })
    this.#byName.set(id, world)
    this.#byTag.set(world.tag, world)
    return world
  }

  /** Drawn from the world's own name, so that no other world changes it; drawn again where two would meet. */
  #freeTag(id: string): string {
    for (let n = 0; ; n++) {
      // A world that went and came back must not give its request ids again.
      const tag = tagOf(tagSize, this.#config.seed, 'world', id, this.#evicted, n)
      if (!this.#byTag.has(tag)) return tag
    }
  }

  /** One that holds nothing goes first, then one without unfinished jobs; of those the least recently used. */
  #makeRoom(): void {
    let chosen: [string, World] | undefined
    for (const entry of this.#byName) {
      if (entry[0] === keyless) continue
      const isSooner = chosen && (lossOf(entry[1]) - lossOf(chosen[1]) || entry[1].lastUsed - chosen[1].lastUsed) < 0
      if (!chosen || isSooner) chosen = entry
    }
    if (!chosen) return
    this.#evicted++
    this.#byName.delete(chosen[0])
    if (lossOf(chosen[1]) > 0) this.#rememberEviction(...chosen)
    for (const [tag, world] of this.#byTag) if (world === chosen[1]) this.#byTag.delete(tag)
    this.#events.forget(chosen[1])
    const { journal } = chosen[1]
    this.evictedEntries += journal.size + journal.evicted
    for (const entry of journal) this.lastEvictedSeq = Math.max(this.lastEvictedSeq, entry.seq)
    this.lastEvictedSeq = Math.max(this.lastEvictedSeq, journal.lastEvictedSeq)
    chosen[1].discard()
    this.#events.evicted(chosen[1])
  }

  #rememberEviction(id: string, { key, partition }: World): void {
    this.#evictions.delete(id)
    this.#evictions.set(id, { key, partition, at: this.#root.now() })
    const [oldest] = this.#evictions.keys()
    if (this.#evictions.size > maxEvictedNames && oldest !== undefined) this.#evictions.delete(oldest)
  }
}

/** What would be lost with a world: nothing; finished jobs, uploads or what was prepared; unfinished jobs. */
const lossOf = ({ jobs, nextUpload, isPrepared }: World): number =>
  jobs.unfinished > 0 ? 2 : jobs.size > 0 || nextUpload > 0 || isPrepared ? 1 : 0

const tagSize = 6

/** What a world is found by. No header has a line break in it, so no key can be taken for another world's id. */
const idOf = (key: string | undefined, partition: string | undefined): string =>
  (key ?? '\n') + (partition === undefined ? '' : `\n${partition}`)

/** The world of all calls without a key, those to the mock itself among them: it takes no other one's place, and stays. */
const keyless = idOf(undefined, undefined)
