/** /__mock/keys: a key's world made ready for a test: its credits and limits, a top-up, its key revoked. */

import { monotonicMs } from '../../base/clock.ts'
import { tagOf } from '../../base/seed.ts'
import type { KeyChangeBody } from '../../client/commands.ts'
import type { KeyState, LimitState, WorldSelector } from '../../client/mock.ts'
import { jobStates } from '../../contracts/schemas.ts'
import type { Mock } from '../mock.ts'
import { limitOf } from '../scenarios/format.ts'
import type { Account } from '../world/account.ts'
import type { Window } from '../world/limits.ts'
import type { World } from '../world/world.ts'
import { fingerprintOfWorld } from '../world/worlds.ts'
import { worldOf, worldsOf } from './select.ts'

/** A key for who has none: it is as good as any other that starts with test_. */
export const defaultKey = 'test_key'

/** Makes or changes a key's world; without a key, one is drawn. */
export function setKey(mock: Mock, change: KeyChangeBody): KeyState {
  const drawn = change.key === undefined
  const key = change.key ?? `test_${tagOf(16, mock.config.seed, 'made key', mock.worlds.nextMadeKey++)}`
  const world = worldOf(mock, { key, world: change.world })
  world.isPrepared = true
  world.lastUsed = monotonicMs()
  const { credits, limits } = accountIn(mock, world)
  if (change.credits !== undefined) credits.set(change.credits)
  if (change.top_up !== undefined) credits.topUp(change.top_up)
  limits.set(limitOf(change.rate_limit), limitOf(change.job_limit))
  if (change.revoked !== undefined) world.revoked = change.revoked
  return { ...(drawn && { key }), ...stateOf(mock, world) }
}

/** Every world that fits, without any key. */
export const listKeys = (mock: Mock, selector: WorldSelector): KeyState[] =>
  (selector.key === undefined ? [...mock.worlds] : worldsOf(mock, selector)).map(world => stateOf(mock, world))

/** The account that calls take from: that of the scenario, where one has its own. */
export const accountIn = (mock: Mock, world: World): Account => mock.scenarios.findRun(world)?.account ?? world.account

/** What GET /__mock/keys tells of a world. */
export function stateOf(mock: Mock, world: World): KeyState {
  world.clock.catchUp()
  const run = mock.scenarios.findRun(world)
  const { credits, limits } = accountIn(mock, world)
  const now = world.clock.now()
  return {
    key_fingerprint: fingerprintOfWorld(world),
    world: world.partition ?? null,
    credits: { available: credits.available / 1000, reserved: (credits.balance - credits.available) / 1000 },
    rate_limit: limitState(limits.requests, now),
    job_limit: limitState(limits.jobs, now),
    revoked: world.revoked || run?.isKeyRevoked === true,
    scenario: run?.scenario.name ?? null,
    jobs: Object.fromEntries(jobStates.map(state => [state, world.jobs.count(state)])),
  }
}

const limitState = (window: Window | undefined, now: number): LimitState | null =>
  window === undefined
    ? null
    : {
        calls: window.limit,
        per_ms: window.windowMs,
        remaining: now < window.endsAt ? window.remaining : window.limit,
      }
