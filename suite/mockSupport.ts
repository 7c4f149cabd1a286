/**
 * What the mock's own /__mock does for the suite: keys with limits of their own, errors at will, and its journal. The
 * suite lives in a world of its own (X-Mock-World), so nothing that the user has there is touched or used up.
 */

import { type AskControl, findControl } from '../client/control.ts'
import type { MockSupport, SuiteEnvironment } from './environment.ts'

export interface FoundMockSupport extends MockSupport {
  keys: Required<SuiteEnvironment['keys']>
  headers: Record<string, string>
  findInLogs: NonNullable<SuiteEnvironment['findInLogs']>
}

interface Asked {
  base: string
  send: SuiteEnvironment['send']
  keys: SuiteEnvironment['keys']
  tag: SuiteEnvironment['tag']
  /** ms that one answer may take. */
  timeoutMs: number
  adminToken?: string
  /** How many times as fast as the mock's own the time of the suite's keys passes. */
  speed: number
}

/** Plenty for a run, and no more than an account may have. */
const manyCredits = 1_000_000
const withinMs = 5_000

/** undefined where the target is not a mock, or keeps its /__mock closed. */
export async function findMockSupport({
  base,
  send,
  keys,
  tag,
  timeoutMs,
  adminToken,
  speed,
}: Asked): Promise<FoundMockSupport | undefined> {
  const world = tag('world')
  const control = await findControl({
    base,
    send,
    adminToken,
    timeoutMs: Math.min(timeoutMs, withinMs),
  }).catch(() => undefined)
  if (control === undefined) return undefined
  const ask = async (...given: Parameters<AskControl>): Promise<unknown> => {
    const { status, json } = await control(...given)
    return status === 200 ? json : undefined
  }

  const prepare = async (key: string, change: object): Promise<string | undefined> => {
    if ((await ask('POST', 'keys', { key, world, ...change })) === undefined) return undefined
    if (speed !== 1) await ask('POST', 'clock', { key, world, speed })
    return key
  }
  const unlimited = { rate_limit: 0, job_limit: 0 }
  const drawn = (what: string) => `test_suite_${tag(what)}`
  const main = await prepare(keys.main ?? drawn('main key'), { ...unlimited, credits: manyCredits })
  // A key that the mock does not take is the user's mistake: the run says so by itself.
  if (main === undefined) return undefined
  const second = await prepare(keys.second ?? drawn('second key'), { ...unlimited, credits: manyCredits })
  const emptyAccount = await prepare(keys.emptyAccount ?? drawn('empty account key'), { ...unlimited, credits: 0 })
  await prepare('anonymous', unlimited)
  let made = 0
  const limit = (calls: number, seconds: number) => ({ rate_limit: { calls, per: `${seconds}s` }, job_limit: 0 })
  return {
    keys: { main, second: second ?? drawn('second key'), emptyAccount: emptyAccount ?? drawn('empty account key') },
    headers: { 'X-Mock-World': world },
    async freshKey() {
      const key = drawn(`fresh key ${made++}`)
      await prepare(key, { ...unlimited, credits: manyCredits })
      return key
    },
    async limitedKey(calls, seconds) {
      const key = drawn(`limited key ${made++}`)
      await prepare(key, { ...limit(calls, seconds), credits: manyCredits })
      return key
    },
    async limitedAddress(calls, seconds) {
      const other = tag(`limited address ${made++}`)
      await ask('POST', 'keys', { key: 'anonymous', world: other, ...limit(calls, seconds) })
      return { 'X-Mock-World': other }
    },
    provoke: error => ({ 'X-Mock-Fault': error }),
    async findInLogs(ids) {
      const wanted = new Set(ids)
      const found = new Set<string>()
      const look = async (query: string): Promise<unknown> => {
        const page = (await ask('GET', `journal?${query}`)) as JournalPage | undefined
        for (const { request_id, job_id } of page?.entries ?? []) {
          for (const id of [request_id, job_id]) if (typeof id === 'string' && wanted.has(id)) found.add(id)
        }
        return page?.next
      }
      for (let since: unknown = 0; typeof since === 'number'; ) {
        since = await look(`world=${world}&limit=2000&since=${since}`)
      }
      // A call whose key nobody has can't be told whose it is: it is kept outside of the suite's world.
      for (const id of wanted) if (!found.has(id)) await look(`request_id=${encodeURIComponent(id)}`)
      return found
    },
  }
}

interface JournalPage {
  entries: { request_id?: unknown; job_id?: unknown }[]
  next: unknown
}
