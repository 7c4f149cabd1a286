/** POST /__mock/scenarios/draft and /__mock/scenarios/try: a scenario made of calls, and one tried against them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../base/options.ts'
import type { ScenarioDraftAnswer, ScenarioTrial } from '../../client/desk.ts'
import type { ScenarioChoice, WorldSelector } from '../../client/mock.ts'
import { harText } from '../../recordings/write.ts'
import { apiError } from '../errors.ts'
import type { Entry } from '../journal.ts'
import { harEntryOf } from '../journalHar.ts'
import type { Mock } from '../mock.ts'
import { scenarioFromRecording } from '../scenarios/fromHar.ts'
import { tryScenario } from '../scenarios/trial.ts'

/** Makes a scenario that repeats what went wrong in the entries with these numbers. Throws where nothing did. */
export function draftOfCalls(mock: Mock, seqs: readonly number[], name: string): ScenarioDraftAnswer {
  const wanted = new Set(seqs)
  const entries = mock.journal.select({}).filter(({ seq }) => wanted.has(seq))
  if (entries.length === 0)
    throw apiError('invalid_field', 'seqs: the journal has none of these entries; they may have had to make room')
  const schema = 'https://unpkg.com/understudy/scenarios/scenario.schema.json'
  const text = [...harText(harOf(mock, entries))].join('')
  const made = asRefused('name', () =>
    withFile('calls.har', text, file => scenarioFromRecording(file, { name, schema })),
  )
  if (made) return made
  throw apiError(
    'invalid_field',
    `seqs: nothing went wrong in ${entries.length === 1 ? 'this call' : `these ${entries.length} calls`}; expected one that failed, was cut or was slow`,
  )
}

function* harOf(mock: Mock, entries: readonly Entry[]) {
  for (const entry of entries) yield harEntryOf(entry, mock.journal)
}

/** What is wrong with what was given is said to who gave it. */
export function asRefused<T>(what: string, use: () => T): T {
  try {
    return use()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw apiError('invalid_field', `${what}: ${error.message.replace(/\S*understudy-desk-[^/\\]*[/\\]/g, '')}`)
  }
}

/** Hands a file to what reads files only; it is gone afterwards. */
export function withFile<T>(name: string, content: string | Uint8Array, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-desk-'))
  try {
    const file = join(folder, name)
    writeFileSync(file, content)
    return use(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface TrialBody extends WorldSelector {
  /** As YAML, by its name, or as an object. */
  scenario: ScenarioChoice
  /** The newest so many calls. */
  limit: number
}

/** What a scenario would have made of the last calls. Throws a ScenarioError for one that can't be played. */
export function trialOf(mock: Mock, { scenario: choice, limit, ...selector }: TrialBody): ScenarioTrial {
  const { library } = mock.scenarios
  const scenario =
    typeof choice !== 'string'
      ? library.take(choice, false)
      : choice.includes('\n')
        ? library.takeText(choice, false)
        : library.get(choice)
  const entries = mock.journal.select({ ...selector, kind: 'exchange' }).slice(-limit)
  const worlds = new Map([...mock.worlds].map(world => [world.journal, world]))
  return tryScenario(scenario, entries, ({ world }) => worlds.get(world.journal))
}
