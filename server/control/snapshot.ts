/** /__mock/snapshot: a world as one JSON document, and a world from one. */
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import type { Play } from '../scenarios/play.ts'
import {
  accountOf,
  type PlayedScenario,
  restoreAccount,
  restoreSnapshot,
  type Snapshot,
  takeSnapshot,
} from '../world/snapshot.ts'
import type { WorldSelector } from '../world/worlds.ts'
import { worldOf } from './select.ts'

export function snapshot(mock: Mock, selector: WorldSelector): Snapshot {
  const world = worldOf(mock, selector)
  const play = mock.director.playOf(world)
  return takeSnapshot(world, play && playedOf(play))
}

/** Resets the key's world and puts it into the state of the document. `baseUrl` is where its files are found now. */
export function restore(
  mock: Mock,
  document: Snapshot,
  selector: WorldSelector & { key: string },
  baseUrl: string,
): void {
  const world = worldOf(mock, selector)
  // Looked at before anything is lost: a scenario that can't be played refuses the whole document.
  const scenario = document.scenario && mock.director.library.take(document.scenario.source, false)
  const ids = document.jobs.map(({ view }) => view.id)
  if (new Set(ids).size < ids.length) throw apiError('invalid_field', 'two jobs of the snapshot have one id')
  mock.worlds.resetWorld(world)
  mock.worlds.alias(document.tag, world)
  let play: Play | undefined
  if (scenario && document.scenario) {
    if (mock.director.playOf(world)?.scenario.name !== scenario.name) mock.director.put(scenario, selector.key, false)
    play = mock.director.playOf(world)
  }
  restoreSnapshot(world, document, baseUrl, play?.account)
  if (play && document.scenario) restorePlay(play, document.scenario, play.account !== world.account)
}

function playedOf(play: Play): PlayedScenario {
  return {
    source: JSON.parse(JSON.stringify(play.scenario.source)),
    started_at: play.startedAt ?? null,
    calls: play.calls,
    met: [...play.met],
    fired: [...play.fired],
    fired_at: play.firedAt.map(at => at ?? null),
    identities: Object.fromEntries(play.identities),
    account: accountOf(play.account),
  }
}

function restorePlay(play: Play, saved: PlayedScenario, hasOwnAccount: boolean): void {
  play.startedAt = saved.started_at ?? undefined
  play.calls = saved.calls
  play.scenario.rules.forEach((_, i) => {
    play.met[i] = saved.met[i] ?? 0
    play.fired[i] = saved.fired[i] ?? 0
    play.firedAt[i] = saved.fired_at[i] ?? undefined
  })
  for (const [identity, count] of Object.entries(saved.identities)) play.identities.set(identity, count)
  if (hasOwnAccount) restoreAccount(play.account, saved.account)
}
