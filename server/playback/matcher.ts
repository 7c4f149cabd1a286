/**
 * Which recorded call answers a request: the next one of the same request and body, else the next one of the same
 * request, within the world that its client is taken for. No files and no HTTP in here.
 */
import { distance } from 'fastest-levenshtein'
import type { BodyKey } from './keys.ts'

/** What is kept of a recorded call. */
interface Recorded {
  /** Its place in the recording. */
  readonly i: number
  /** undefined: its body isn't known, any will do. */
  readonly body: BodyKey | undefined
  isUsed: boolean
}

/** The calls of one world with the same method, path and query, in the order of the recording. */
interface Group {
  readonly calls: Recorded[]
  /** All before this one are used. */
  from: number
}

/** By request. */
type RecordedWorld = Map<string, Group>

export interface Asked {
  /** The fingerprint of the client's key, with its X-Mock-World behind a slash; undefined without a key. */
  readonly client: string | undefined
  readonly request: string
  /** undefined: its body is not looked at. */
  readonly body: BodyKey | undefined
}

/** More requests than these are not looked through for the nearest one. */
const maxCompared = 2_000

export class Matcher {
  /** What was recorded without a key, or all of it where there is but one key. */
  #shared: RecordedWorld = new Map()
  /** By the recorded name of the key's world, in the order of first appearance. */
  #worlds = new Map<string, RecordedWorld>()
  /** By client: the name of the recorded world that it is taken for. */
  readonly #bound = new Map<string, string>()

  add(i: number, world: string, request: string, body: BodyKey | undefined): void {
    const own = world.startsWith('anonymous') ? this.#shared : (this.#worlds.get(world) ?? new Map<string, Group>())
    if (own !== this.#shared) this.#worlds.set(world, own)
    push(own, request, { i, body, isUsed: false })
  }

  /** To be called when all were added. With one key only, it doesn't matter which key is sent, or whether one is. */
  complete(): void {
    if (this.#worlds.size > 1) return
    const [only = new Map<string, Group>()] = this.#worlds.values()
    for (const [request, { calls }] of this.#shared) for (const call of calls) push(only, request, call)
    for (const { calls } of only.values()) calls.sort((a, b) => a.i - b.i)
    this.#shared = only
    this.#worlds = new Map()
  }

  /** The place of the recorded call that is next, which is used up by that; undefined where there is none. */
  next(asked: Asked): number | undefined {
    const groups = this.#worldsOf(asked).flatMap(world => world.get(asked.request) ?? [])
    for (const fits of [hasBody(asked.body, 'exact'), hasBody(asked.body, 'loose'), () => true]) {
      for (const group of groups) {
        const call = firstUnused(group, fits)
        if (call !== undefined) return call.i
      }
    }
    return undefined
  }

  /** The last recorded call of a request whose calls are used up. */
  last(asked: Asked): number | undefined {
    const [group] = this.#worldsOf(asked).flatMap(world => world.get(asked.request) ?? [])
    return group?.calls.at(-1)?.i
  }

  /** The recorded request that comes nearest, and the place of its first call. */
  nearest(request: string): { request: string; i: number } | undefined {
    let best: { request: string; i: number } | undefined
    let least = Number.POSITIVE_INFINITY
    let compared = 0
    for (const world of [this.#shared, ...this.#worlds.values()]) {
      for (const [known, { calls }] of world) {
        if (compared++ >= maxCompared) return best
        const far = distance(request, known)
        if (far >= least) continue
        least = far
        best = { request: known, i: calls[0]?.i ?? 0 }
      }
    }
    return best
  }

  /** Whether there are several keys in the recording, and each is taken by another client's. */
  isTakenFor({ client }: Asked): boolean {
    return client !== undefined && this.#worlds.size > 0 && !this.#bound.has(client) && this.#free().length === 0
  }

  /** From the beginning again: for one client, or for all. */
  rewind(client?: string): void {
    const name = client === undefined ? undefined : this.#bound.get(client)
    if (client !== undefined && this.#worlds.size > 0) {
      this.#bound.delete(client)
      if (name !== undefined) rewind(this.#worlds.get(name) as RecordedWorld)
      return
    }
    this.#bound.clear()
    for (const world of [this.#shared, ...this.#worlds.values()]) rewind(world)
  }

  /** Where to look, in this order. */
  #worldsOf(asked: Asked): RecordedWorld[] {
    if (this.#worlds.size === 0) return [this.#shared]
    if (asked.client === undefined) return [this.#shared, ...this.#worlds.values()]
    const own = this.#bind(asked.client, asked)
    return own === undefined ? [this.#shared] : [own, this.#shared]
  }

  /**
   * A client is taken for the recorded one of the same key; else for the first that nobody is taken for yet and that has
   * sent this request, with this very body if there is one. It stays that one, unless only another one has sent this.
   */
  #bind(client: string, { request, body }: Asked): RecordedWorld | undefined {
    const bound = this.#worlds.get(this.#bound.get(client) ?? '')
    if (bound?.has(request) || (bound !== undefined && this.#shared.has(request))) return bound
    const free = this.#free().filter(([, world]) => world.has(request))
    const sameBody = ([, world]: [string, RecordedWorld]) =>
      firstUnused(world.get(request) as Group, call => call.body?.exact === body?.exact, false) !== undefined
    const [name, world] = free.find(([name]) => name === client) ?? free.find(sameBody) ?? free[0] ?? []
    if (name !== undefined) this.#bound.set(client, name)
    return world ?? bound
  }

  #free(): [string, RecordedWorld][] {
    const taken = new Set(this.#bound.values())
    return [...this.#worlds].filter(([name]) => !taken.has(name))
  }
}

function push(world: RecordedWorld, request: string, call: Recorded): void {
  const group = world.get(request)
  if (group === undefined) world.set(request, { calls: [call], from: 0 })
  else group.calls.push(call)
}

const hasBody = (asked: BodyKey | undefined, how: keyof BodyKey) => {
  const key = asked?.[how]
  return ({ body }: Recorded): boolean => key === undefined || body === undefined || body[how] === key
}

function firstUnused(group: Group, fits: (call: Recorded) => boolean, take = true): Recorded | undefined {
  const { calls } = group
  while (calls[group.from]?.isUsed) group.from++
  for (let n = group.from; n < calls.length; n++) {
    const call = calls[n] as Recorded
    if (call.isUsed || !fits(call)) continue
    if (take) call.isUsed = true
    return call
  }
  return undefined
}

function rewind(world: RecordedWorld): void {
  for (const group of world.values()) {
    group.from = 0
    for (const call of group.calls) call.isUsed = false
  }
}
