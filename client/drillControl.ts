/**
 * What a drill can do with its target besides loading it: ask it something, and, where it is the mock, have keys with the
 * limits that the drill needs and switch scenarios on and off.
 */
import type { Outgoing } from '../base/http.ts'
import type { Transport } from '../base/send.ts'
import { parse } from '../contracts/answers.ts'

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

/** undefined where the target is no mock, or keeps its /__mock closed. */
export async function findDrillControl({
  base,
  send,
  tag,
  headers,
  adminToken,
}: Asked): Promise<MockControl | undefined> {
  const ask = async (method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> => {
    const out: Outgoing = {
      method,
      url: `${base}/__mock/${path}`,
      headers: {
        ...headers,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(adminToken !== undefined && { 'X-Admin-Token': adminToken }),
      },
      ...(body !== undefined && { content: new TextEncoder().encode(JSON.stringify(body)) }),
      timeoutMs: withinMs,
    }
    const { status, bytes } = await send(out)
    return { status, json: parse(new TextDecoder().decode(bytes)) }
  }
  const { json } = await ask('GET', 'clock')
  if (typeof (json as { frozen?: unknown } | undefined)?.frozen !== 'boolean') return undefined
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
      const { status, json } = await ask('PUT', 'scenario', { scenario, key })
      if (status === 200) return undefined
      return (json as { error?: { message?: string } } | undefined)?.error?.message ?? `it was answered ${status}`
    },
    async endScenario(key) {
      const { status } = await ask('DELETE', `scenario?key=${encodeURIComponent(key)}`)
      return status === 200 ? undefined : `the mock answered ${status}`
    },
  }
}
