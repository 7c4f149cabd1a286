/** /__mock/scenario and /__mock/scenarios: what is active, what there is, and why a call was answered as it was. */

import type { ScenarioFile } from '../../client/scenarioFormat.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import type { ActiveScenario } from '../scenarios/activeScenarios.ts'
import type { Scenario } from '../scenarios/compiledScenario.ts'
import { type Explanation, explain } from '../scenarios/explain.ts'
import { type PlacedProblem, problemText } from '../scenarios/problems.ts'

import { type Activation, activationSources } from '../scenarios/scenarioRun.ts'
import { fingerprintOfWorld, type WorldSelector } from '../world/worlds.ts'
import { worldOf } from './select.ts'

/** A scenario by its name, or as it is written in a file. */
export type ScenarioChoice = string | ScenarioFile

/**
 * Switches a scenario on, for every key or one, above what was put before. A name has to be known; an object need not be
 * in any file.
 */
export function useScenario(mock: Mock, choice: ScenarioChoice, key: string | undefined): Activation {
  const { library } = mock.scenarios
  const world = key === undefined ? undefined : worldOf(mock, { key })
  const scenario = typeof choice === 'string' ? library.get(choice) : library.take(choice, false)
  return mock.scenarios.put(scenario, world && fingerprintOfWorld(world), typeof choice === 'string')
}

/** The same in the place of what was put for the key, or for every key, before. */
export function putScenario(mock: Mock, choice: ScenarioChoice, key: string | undefined): void {
  mock.scenarios.endOthers(useScenario(mock, choice, key))
}

/** What is active for a key; without one, for every key that has nothing narrower. */
export function activeScenario(mock: Mock, selector: WorldSelector): ActiveScenario {
  if (selector.key !== undefined || selector.world !== undefined) return mock.scenarios.active(worldOf(mock, selector))
  const activation = mock.scenarios.forAll()
  if (!activation)
    return {
      scenario: null,
      source: null,
      why: 'none is switched on for every key; ask with ?key= for one',
      overridden: [],
    }
  const { scenario, source } = activation
  return {
    scenario: scenario.name,
    source,
    why: activationSources[source],
    description: scenario.description,
    clauses: scenario.clauses,
    rules: scenario.rules.map(({ name }) => ({ name, fired: activation.count(name) })),
    overridden: [],
  }
}

export interface ScenarioSummary {
  name: string
  description: string
  clauses: readonly string[]
  rules: readonly string[]
  /** What is wrong with its file; the last good one is still played. */
  problems?: string[]
}

export const listScenarios = ({ scenarios }: Mock): ScenarioSummary[] =>
  scenarios.library.list().map(({ name, scenario, problems }) => ({
    ...(scenario ? summaryOf(scenario) : { name, description: '', clauses: [], rules: [] }),
    ...(problems && { problems: problems.map((problem: PlacedProblem) => problemText(problem)) }),
  }))

export const summaryOf = ({ name, description, clauses, rules }: Scenario): ScenarioSummary => ({
  name,
  description,
  clauses,
  rules: rules.map(rule => rule.name),
})

/** Why a call was answered as it was; throws where the journal has none of that id. */
export function explainRequest(mock: Mock, requestId: string): Explanation {
  const exchange = mock.journal.find(requestId)
  if (exchange) return mock.journal.redact(explain(exchange), exchange)
  throw apiError(
    'route_not_found',
    `the journal has no request ${JSON.stringify(requestId)}; expected the request_id of an answer, which is in X-Request-Id too`,
  )
}
