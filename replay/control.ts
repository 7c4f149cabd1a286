/**
 * What the mock's own /__mock does for a replay: the scenario that was played when it was recorded, and the time. With
 * speed instant the time of the replayed keys stands still but for what the recording says has passed, so that limits,
 * windows and jobs meet their calls as they did then, without anybody waiting.
 */
import { type ControlTarget, findControl } from '../client/control.ts'
import type { Sender } from './send.ts'

/** A key's world, or the one of its X-Mock-World; "anonymous" is nobody's. */
export interface WorldPlace {
  key: string
  world?: string
}

export interface Control {
  /** Switches a scenario on for a key. Gives why it can't be. */
  play(key: string, scenario: string): Promise<string | undefined>
  setSpeed(place: WorldPlace, speed: number): Promise<void>
  freeze(place: WorldPlace, isFrozen: boolean): Promise<void>
  step(place: WorldPlace, ms: number): Promise<void>
  /** Ends what was switched on, and lets the time go on as it did. */
  close(): Promise<void>
}

const withinMs = 5_000
/** By this header a call says which rule met it when it was recorded, where that was left to chance. */
export const ruleHeader = 'x-understudy-replay-rule'

/** undefined where the target is not a mock, or keeps its /__mock closed. */
export async function findReplayControl(
  base: string,
  sender: Sender,
  headers: Record<string, string>,
): Promise<Control | undefined> {
  const ask = await findControl({ base, send: sentBy(sender), headers, timeoutMs: withinMs })
  if (ask === undefined) return undefined

  const played = new Set<string>()
  const touched = new Map<string, WorldPlace>()
  const clock = async (place: WorldPlace, change: object): Promise<void> => {
    touched.set(`${place.key}/${place.world ?? ''}`, place)
    await ask('POST', 'clock', { ...place, ...change })
  }
  return {
    async play(key, scenario) {
      const { status, json: source } = await ask('GET', `scenarios/${encodeURIComponent(scenario)}`)
      if (status !== 200) return `the scenario ${scenario} is not known there: it was not switched on`
      const put = await ask('PUT', 'scenario', { key, scenario: leavingNothingToChance(source) ?? scenario })
      if (put.status !== 200) return `the scenario ${scenario} could not be switched on (${put.status})`
      played.add(key)
      return undefined
    },
    setSpeed: (place, speed) => clock(place, { speed }),
    freeze: (place, isFrozen) => clock(place, { freeze: isFrozen }),
    step: async (place, ms) => void (await ask('POST', 'clock', { ...place, step: `${ms}ms` })),
    async close() {
      for (const key of played) await ask('DELETE', `scenario?key=${encodeURIComponent(key)}`)
      for (const place of touched.values()) await ask('POST', 'clock', { ...place, freeze: false, speed: 1 })
    },
  }
}

/** The control routes are asked on the same connections as the recorded calls are sent. */
const sentBy =
  (sender: Sender): ControlTarget['send'] =>
  async ({ content, ...out }) => {
    const bytes = content as Uint8Array | undefined
    const { status, text } = await sender.send({
      ...out,
      headers: { ...out.headers },
      content: bytes && { size: bytes.length, chunks: () => [bytes] },
    })
    return { status, bytes: new TextEncoder().encode(text) }
  }

interface Rule {
  name?: string
  when?: { probability?: number; time?: string; calls?: unknown; header?: Record<string, unknown> }
  for?: string
  [bound: string]: unknown
}

/**
 * A scenario's rules that fire by chance or by the time fire here for whom they fired when it was recorded, and however often:
 * another key draws other lots, and a call that comes a little later now would miss the end of a rule's time.
 * undefined where nothing is left to chance.
 */
function leavingNothingToChance(source: unknown): object | undefined {
  const { rules } = source as { rules?: Rule[] }
  if (rules === undefined || !rules.some(isByChance)) return undefined
  return {
    ...(source as object),
    rules: rules.map(rule => {
      if (!isByChance(rule) || rule.name === undefined) return rule
      const { after: _a, first: _f, every: _e, times: _n, for: _for, ...bare } = rule
      const { probability: _p, time: _t, calls: _c, ...when } = rule.when ?? {}
      return { ...bare, when: { ...when, header: { ...when.header, [ruleHeader]: rule.name } } }
    }),
  }
}

const isByChance = ({ when, for: ms }: Rule): boolean =>
  when?.probability !== undefined || when?.time !== undefined || ms !== undefined
