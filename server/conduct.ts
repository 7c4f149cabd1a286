/** The grade of a client, from the mock's own journal: for tests in this process, and for GET /__mock/conduct. */

import { fingerprintOf } from '../base/fingerprint.ts'
import { packageVersion } from '../base/paths.ts'
import { refuseRenamed } from '../base/renamed.ts'
import { plural } from '../base/text.ts'
import { defaultMaxPollTimeMs, grade, isRuleOrClause, namesOfRules, resultsFor } from '../conduct/grade.ts'
import type { ConductReport, RuleResult } from '../conduct/report.ts'
import { type Traffic, trafficOf } from '../recordings/traffic.ts'
import type { Entry } from './journal.ts'
import { harEntryOf } from './journalHar.ts'
import type { Mock } from './mock.ts'
import type { World } from './world/world.ts'
import { isWorldSelected, type WorldSelector } from './world/worlds.ts'

export interface ConductOptions {
  /** The longest that a job may be polled that doesn't end, ms by the mock's clock; 30 min by default. */
  maxPollTimeMs?: number
  /** Clauses or rules that have to be kept for the report to be ok. */
  require?: readonly string[]
  /** Until when the client was watched, ms by the mock's clock; now by default. Infinity for one that has ended. */
  now?: number
}

/** Grades the client of a key; without one, all clients. Throws a RangeError for a name that is no rule and no clause. */
export function conductOf(mock: Mock, selector: WorldSelector, options: ConductOptions = {}): ConductReport {
  refuseRenamed(options)
  for (const name of options.require ?? []) knownRule(name)
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
    now: options.now ?? (worlds[0] ?? mock).clock.now(),
    maxPollTimeMs: options.maxPollTimeMs ?? defaultMaxPollTimeMs,
    unsigned: mock.config.webhookSecret === undefined,
    require: options.require ?? [],
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
  const isFingerprint = [...worlds].some(one => one.key !== undefined && fingerprintOf(one.key) === key)
  return isFingerprint ? key : fingerprintOf(key)
}

/** The name as it is known. Throws a RangeError for one that no rule has. */
export function knownRule(name: string): string {
  if (isRuleOrClause(name)) return name
  throw new RangeError(
    `There is no rule of conduct or clause ${JSON.stringify(name)}; expected one of ${namesOfRules().join(', ')}`,
  )
}

/** A client did not keep what was expected of it. The message has the evidence and what to do. */
export class ConductError extends Error {
  readonly report: ConductReport

  constructor(message: string, report: ConductReport) {
    super(message)
    this.name = 'ConductError'
    this.report = report
  }
}

export interface ConductExpectation {
  /**
   * Resolves when each of the rules, or some rule of each of the clauses, passed and none failed; rejects with a
   * ConductError that has the evidence when one failed, or when the situation never arose.
   */
  toKeep(...names: [string, ...string[]]): Promise<ConductReport>
  /** Resolves when no rule failed; skipped rules do not matter. */
  toBreakNothing(): Promise<ConductReport>
}

export const expectationOn = (report: () => ConductReport): ConductExpectation => ({
  async toKeep(...names) {
    const described = report()
    for (const name of names) {
      const results = resultsFor(described.rules, knownRule(name))
      const broken = results.filter(({ verdict }) => verdict === 'failed')
      if (broken.length > 0) throw new ConductError(`${name} failed\n${broken.map(brokenText).join('\n')}`, described)
      if (results.every(({ verdict }) => verdict === 'skipped'))
        throw new ConductError(`${name} was skipped\n${results.map(unseenText).join('\n')}`, described)
    }
    return described
  },
  async toBreakNothing() {
    const described = report()
    if (described.calls + described.webhooks === 0) throw new ConductError(described.why, described)
    const broken = described.rules.filter(({ verdict }) => verdict === 'failed')
    if (broken.length > 0) throw new ConductError(`${described.why}\n${broken.map(brokenText).join('\n')}`, described)
    return described
  },
})

const shownPieces = 3

function brokenText({ id, clause, title, evidence, advice }: RuleResult): string {
  const pieces = evidence
    .slice(0, shownPieces)
    .flatMap(({ said, entries }) => [
      `    ${said}`,
      ...entries.map(({ number, time, what }) => `      #${number} ${time.slice(11, 23)} ${what}`),
    ])
  const more = evidence.length > shownPieces ? [`    and ${evidence.length - shownPieces} more`] : []
  return [`  ${id} (${clause}): ${title}`, ...pieces, ...more, `    advice: ${advice}`].join('\n')
}

const unseenText = ({ id, reason, provoke }: RuleResult): string =>
  `  ${id}: ${reason}${provoke.length > 0 ? `; provoke it with the scenario ${provoke.join(' or ')}` : ''}`
