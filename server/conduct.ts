/** The grade of a client, from the mock's own journal: for tests in this process, and for GET /__mock/conduct. */

import { fingerprintOf, mayBeFingerprint } from '../base/fingerprint.ts'
import { defined } from '../base/inputs.ts'
import { durationToMs, refuseUnknown } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { plural } from '../base/text.ts'
import { conductOptionNames } from '../client/commands.ts'
import type { ConductOptions, WorldSelector } from '../client/mock.ts'
import { knownRule } from '../conduct/expectation.ts'
import { checkRuleOptions, defaultMaxPollTimeMs, grade } from '../conduct/grade.ts'
import type { ConductReport } from '../conduct/report.ts'
import { type Traffic, trafficOf } from '../recordings/traffic.ts'
import type { Entry } from './journal.ts'
import { harEntryOf } from './journalHar.ts'
import type { Mock } from './mock.ts'
import type { World } from './world/world.ts'
import { isWorldSelected } from './world/worlds.ts'

/** Grades the client of a key; without one, all clients. Throws a ConfigError for a name that is no rule and no clause. */
export function conductOf(mock: Mock, selector: WorldSelector, options: ConductOptions = {}): ConductReport {
  refuseUnknown(options, conductOptionNames)
  const { maxPollTime, require = [], ended = false, stoppedAt, silentSince, alone, level, rules } = options
  checkRuleOptions(options)
  for (const name of require) knownRule(name)
  const worlds = [...mock.worlds].filter(one => isWorldSelected(one, selector))
  const evicted = worlds.reduce((sum, one) => sum + one.journal.evicted, 0)
  const own = worlds.flatMap(one => [...one.journal])
  const entries = [...own, ...keyless(mock, new Set(worlds))]
  entries.sort((a, b) => beganAt(a) - beganAt(b) || a.seq - b.seq)
  const name = nameOf(mock, selector)
  return grade(trafficIn(mock, entries), {
    about: {
      understudy: packageVersion,
      source: 'the journal of the mock',
      ...(evicted > 0 && {
        incomplete: `${plural(evicted, 'entry', 'entries')} of the journal had to make room; raise journalEntries`,
      }),
    },
    ...(name !== undefined && { key: selector.world === undefined ? name : `${name}/${selector.world}` }),
    now: ended ? Number.POSITIVE_INFINITY : (worlds[0] ?? mock).clock.now(),
    maxPollTimeMs: maxPollTime === undefined ? defaultMaxPollTimeMs : durationToMs(maxPollTime),
    unsigned: mock.config.webhookSecret === undefined,
    require,
    lateMs: Math.max(0, ...worlds.map(({ clock }) => clock.lateMs)),
    ...defined({ stoppedAt, silentSince, isAlone: alone, level, ruleSet: rules }),
  })
}

/** Files and legacy downloads are asked for without a key: whose they are, the ids in their paths say. */
function* keyless({ worlds }: Mock, of: ReadonlySet<World>): Generator<Entry> {
  for (const world of worlds) {
    if (world.key !== undefined || of.has(world)) continue
    for (const entry of world.journal) {
      const owner = worlds.ofPath(entry.url)
      if (owner !== undefined && of.has(owner)) yield entry
    }
  }
}

const beganAt = (entry: Entry): number => (entry.kind === 'webhook' ? entry.at - entry.ms : entry.at)

function* trafficIn({ journal }: Mock, entries: readonly Entry[]): Generator<Traffic> {
  for (const entry of entries) {
    yield trafficOf(harEntryOf(entry, journal), { number: entry.seq, base: undefined, fingerprint: fingerprintOf })
  }
}

/** A key is told by its fingerprint, whether it was given as that or as itself. */
function nameOf({ worlds }: Mock, { key }: WorldSelector): string | undefined {
  if (key === undefined || key === 'anonymous') return key
  const isFingerprint =
    mayBeFingerprint(key) && [...worlds].some(one => one.key !== undefined && fingerprintOf(one.key) === key)
  return isFingerprint ? key : fingerprintOf(key)
}
