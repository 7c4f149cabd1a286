/**
 * What a drill can do with its target besides loading it: ask it something, and, where it is the mock, have keys with the
 * limits that the drill needs and switch scenarios on and off.
 */
import type { Transport } from '../base/send.ts'
import { findControl, messageIn } from './control.ts'

export interface Limit {
  calls: number
  /** ms of the window. */
  perMs: number
}

export interface MockControl {
  /** A key that nothing was done with yet. Without a limit it has none; 'default' leaves it those of the mock. */
  freshKey(what: string, limit?: Limit | 'default'): Promise<string>
  /** Plays a scenario for a key; says why it can't. */
  startScenario(name: string, key: string): Promise<string | undefined>
  /** Says why it could not. */
  endScenario(key: string): Promise<string | undefined>
}

interface Asked {
  base: string
  send: Transport['send']
  tag: (what: string) => string
  headers: Readonly<Record<string, string>>
  adminToken?: string | undefined
}

const withinMs = 10_000
/** Plenty for any drill, and as much as an account may have. */
const manyCredits = 1_000_000_000

/** undefined where the target is not a mock, or keeps its /__mock closed. */
export async function findDrillControl({
  base,
  send,
  tag,
  headers,
  adminToken,
}: Asked): Promise<MockControl | undefined> {
  const ask = await findControl({ base, send, headers, adminToken, timeoutMs: withinMs })
  if (ask === undefined) return undefined
  return {
    async freshKey(what, limit) {
      const key = `test_drill_${tag(what)}`
      const limits =
        limit === 'default'
          ? {}
          : { rate_limit: limit === undefined ? 0 : { calls: limit.calls, per: `${limit.perMs}ms` }, job_limit: 0 }
      await ask('POST', 'keys', { key, credits: manyCredits, ...limits })
      return key
    },
    async startScenario(scenario, key) {
      const answer = await ask('PUT', 'scenario', { scenario, key })
      return answer.status === 200 ? undefined : messageIn(answer)
    },
    async endScenario(key) {
      const { status } = await ask('DELETE', `scenario?key=${encodeURIComponent(key)}`)
      return status === 200 ? undefined : `the mock answered ${status}`
    },
  }
}
