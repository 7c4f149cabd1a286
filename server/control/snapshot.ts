/** /__mock/snapshot: a world as one JSON document, and a world from one. */

import type { WorldSelector } from '../../client/mock.ts'
import type { Snapshot } from '../../client/snapshotFormat.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import type { ScenarioRun } from '../scenarios/scenarioRun.ts'
import { scenarioOfKey } from '../testValues.ts'
import {
  accountOf,
  type PlayedScenario,
  restoreLimits,
  restoreSnapshot,
  takeSnapshot,
  whatIsWrong,
} from '../world/snapshot.ts'
import type { World } from '../world/world.ts'
import { fingerprintOfWorld } from '../world/worlds.ts'
import { worldOf } from './select.ts'

export const snapshot = (mock: Mock, selector: WorldSelector): Snapshot => snapshotOf(mock, worldOf(mock, selector))

export function snapshotOf(mock: Mock, world: World): Snapshot {
  const run = mock.scenarios.findRun(world)
  return takeSnapshot(world, run && playedOf(run), run?.account.credits)
}

/**
 * Resets the key's world and puts it into the state of the document. `baseUrl` is where its files are found now. Throws,
 * and has changed nothing, for a document that can't be right, or whose scenario this key can't play.
 */
export function restore(
  mock: Mock,
  document: Snapshot,
  selector: WorldSelector & { key: string },
  baseUrl: string,
): void {
  const { scenarios, worlds } = mock
  const world = worldOf(mock, selector)
  const wrong = whatIsWrong(document)
  if (wrong !== undefined) throw apiError('invalid_field', wrong)
  const saved = document.scenario
  const scenario = saved && scenarios.library.restore(saved.source)
  const isSame = (run: ScenarioRun | undefined) =>
    JSON.stringify(run?.scenario.source) === JSON.stringify(scenario?.source)
  if (
    scenario &&
    world.key !== undefined &&
    scenarioOfKey(world.key) !== undefined &&
    !isSame(scenarios.runOf(world))
  ) {
    throw apiError(
      'invalid_field',
      "the snapshot plays another scenario than the one that the key's name asks for; expected another key",
    )
  }
  worlds.resetWorld(world)
  worlds.alias(document.tag, world)
  if (scenario && !isSame(scenarios.runOf(world))) scenarios.put(scenario, fingerprintOfWorld(world), false)
  const run = scenario && scenarios.runOf(world)
  restoreSnapshot(world, document, baseUrl, run?.account)
  if (run && saved) restorePlay(run, saved)
}

function playedOf(run: ScenarioRun): PlayedScenario {
  return {
    source: JSON.parse(JSON.stringify(run.scenario.source)),
    started_at: run.startedAt ?? null,
    calls: run.calls,
    met: [...run.met],
    fired: [...run.fired],
    fired_at: run.firedAt.map(at => at ?? null),
    identities: [...run.identities],
    account: accountOf(run.account),
  }
}

function restorePlay(run: ScenarioRun, saved: PlayedScenario): void {
  run.startedAt = saved.started_at ?? undefined
  run.calls = saved.calls
  run.scenario.rules.forEach((_, i) => {
    run.met[i] = saved.met[i] ?? 0
    run.fired[i] = saved.fired[i] ?? 0
    run.firedAt[i] = saved.fired_at[i] ?? undefined
  })
  for (const [identity, count] of saved.identities as [number, number][]) run.identities.set(identity, count)
  if (run.account.credits !== run.world.account.credits) run.account.credits.setBalance(saved.account.balance)
  if (run.account.limits !== run.world.account.limits) restoreLimits(run.account.limits, saved.account)
}

/** Worlds as new, and with them what was switched on for them by PUT; a recording that is played begins anew. */
export function resetAll({ worlds, scenarios, playback }: Mock, selector: WorldSelector): void {
  worlds.reset(selector)
  playback?.rewind(selector)
  if (selector.world === undefined) scenarios.end(selector.key)
}
