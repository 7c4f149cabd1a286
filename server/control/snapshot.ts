/** /__mock/snapshot: a world as one JSON document, and a world from one. */
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
import { fingerprintOfWorld, type WorldSelector } from '../world/worlds.ts'
import { worldOf } from './select.ts'

export function snapshot(mock: Mock, selector: WorldSelector): Snapshot {
  const world = worldOf(mock, selector)
  const play = mock.scenarios.findPlay(world)
  return takeSnapshot(world, play && playedOf(play), play?.account.credits)
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
  const { scenarios: director, worlds } = mock
  const world = worldOf(mock, selector)
  const wrong = whatIsWrong(document)
  if (wrong !== undefined) throw apiError('invalid_field', wrong)
  const saved = document.scenario
  const scenario = saved && director.library.restore(saved.source)
  const isSame = (play: ScenarioRun | undefined) =>
    JSON.stringify(play?.scenario.source) === JSON.stringify(scenario?.source)
  if (
    scenario &&
    world.key !== undefined &&
    scenarioOfKey(world.key) !== undefined &&
    !isSame(director.playOf(world))
  ) {
    throw apiError(
      'invalid_field',
      "the snapshot plays another scenario than the one that the key's name asks for; expected another key",
    )
  }
  worlds.resetWorld(world)
  worlds.alias(document.tag, world)
  if (scenario && !isSame(director.playOf(world))) director.put(scenario, fingerprintOfWorld(world), false)
  const play = scenario && director.playOf(world)
  restoreSnapshot(world, document, baseUrl, play?.account)
  if (play && saved) restorePlay(play, saved)
}

function playedOf(play: ScenarioRun): PlayedScenario {
  return {
    source: JSON.parse(JSON.stringify(play.scenario.source)),
    started_at: play.startedAt ?? null,
    calls: play.calls,
    met: [...play.met],
    fired: [...play.fired],
    fired_at: play.firedAt.map(at => at ?? null),
    identities: [...play.identities],
    account: accountOf(play.account),
  }
}

function restorePlay(play: ScenarioRun, saved: PlayedScenario): void {
  play.startedAt = saved.started_at ?? undefined
  play.calls = saved.calls
  play.scenario.rules.forEach((_, i) => {
    play.met[i] = saved.met[i] ?? 0
    play.fired[i] = saved.fired[i] ?? 0
    play.firedAt[i] = saved.fired_at[i] ?? undefined
  })
  for (const [identity, count] of saved.identities as [number, number][]) play.identities.set(identity, count)
  if (play.account.credits !== play.world.account.credits) play.account.credits.setBalance(saved.account.balance)
  if (play.account.limits !== play.world.account.limits) restoreLimits(play.account.limits, saved.account)
}
