/** GET /__mock/report: what `understudy report` asks for. */

import { packageVersion } from '../../base/paths.ts'
import { redactBody, redactField, withoutSecrets } from '../../base/redaction.ts'
import { operatingSystem } from '../../base/system.ts'
import type { BugReport } from '../../client/bugReport.ts'
import type { WorldSelector } from '../../client/mock.ts'
import type { Snapshot } from '../../client/snapshotFormat.ts'
import type { Mock } from '../mock.ts'
import type { World } from '../world/world.ts'
import { isWorldSelected } from '../world/worlds.ts'
import { stateOf } from './keys.ts'
import { activeScenario } from './scenarios.ts'
import { snapshotOf } from './snapshot.ts'

/** A mock may have thousands of worlds; what went wrong is in one of the last. */
const maxWorlds = 20

/** Of the worlds that fit, those that were called last. */
export function bugReport(mock: Mock, selector: WorldSelector = {}): BugReport {
  const { config, worlds, journal } = mock
  const fitting = [...worlds].filter(world => isWorldSelected(world, selector))
  const byName = new Map(fitting.map(world => [world.name, world]))
  const called = journal.select(selector).map(({ world }) => world.name)
  // Worlds that were prepared and never called come last.
  const names = new Set([...called.reverse(), ...byName.keys()])
  const chosen = [...names].slice(0, maxWorlds).map(name => byName.get(name) as World)
  const secrets = [config.adminToken, config.webhookSecret, config.webhookNextSecret, config.tlsPassphrase]
  const about = {
    understudy: packageVersion,
    node: process.version,
    os: operatingSystem(),
    seed: config.seed,
    options: plain(config, secrets),
    scenario: plain(activeScenario(mock, {}), secrets),
  }
  return {
    ...about,
    worlds: chosen.map(world => ({
      ...stateOf(mock, world),
      snapshot: shownSnapshot(mock, world, [...secrets, world.key]),
    })),
    worlds_left_out: fitting.length - chosen.length,
  }
}

/** Secrets are known by their names, and taken out wherever their values are. */
const plain = <T>(value: T, secrets: readonly (string | undefined)[]): T =>
  withoutSecrets(JSON.parse(JSON.stringify(value), redactField), secrets) as T

/** What a client has sent may hold secrets of its own, in metadata and in URLs. The rest stays as it is, and can be restored. */
function shownSnapshot(mock: Mock, world: World, secrets: readonly (string | undefined)[]): Snapshot {
  const snapshot = snapshotOf(mock, world)
  const { jobs, idempotency, usage, scenario } = snapshot
  const clean = <T>(value: T): T => JSON.parse(redactBody(JSON.stringify(value), 'application/json')) as T
  const shown = {
    ...snapshot,
    jobs: jobs.map(job => ({ ...job, view: clean(job.view), plan: clean(job.plan) })),
    idempotency: idempotency.map(record => ({ ...record, answer: redactBody(record.answer, 'application/json') })),
    usage: { ...usage, events: usage.events.map(clean) },
    ...(scenario && { scenario: { ...scenario, source: clean(scenario.source) } }),
  }
  return withoutSecrets(shown, secrets) as Snapshot
}
