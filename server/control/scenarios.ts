/** /__mock/scenario and /__mock/scenarios: what is active, what there is, and why a call was answered as it was. */

import { loadYaml } from '../../base/yaml.ts'
import { type ActivationState, traceIdIn } from '../../client/commands.ts'
import type { ActiveScenario, Explanation, ScenarioChoice, WorldSelector } from '../../client/mock.ts'
import { type PlacedProblem, problemText, ScenarioError } from '../../client/scenarioError.ts'
import { routeOf } from '../../contracts/operations.ts'
import { apiError } from '../errors.ts'
import type { Exchange } from '../journal.ts'
import type { Mock } from '../mock.ts'
import type { Scenario } from '../scenarios/compiledScenario.ts'
import { explain } from '../scenarios/explain.ts'
import type { Library } from '../scenarios/library.ts'

import { type Activation, activationSources } from '../scenarios/scenarioRun.ts'
import { fingerprintOfWorld } from '../world/worlds.ts'
import { worldOf } from './select.ts'

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

export interface ActivationQuery {
  rule?: string
  times: number
  /** A time up to 60s. */
  wait?: string
}

/** What was switched on by POST. Throws for one that was ended. */
export function findActivation({ scenarios }: Mock, id: string): Activation {
  const found = scenarios.findActivation(id)
  if (found) return found
  throw apiError(
    'control_not_found',
    `no scenario is switched on with the id ${JSON.stringify(id)}; expected one that POST /__mock/scenario answered`,
  )
}

/** How often each rule has fired since it was switched on, in all worlds. */
export const countsOf = (activation: Activation): Record<string, number> =>
  Object.fromEntries(activation.scenario.rules.map(({ name }) => [name, activation.count(name)]))

/** What POST /__mock/scenario and /__mock/scenario/{id} answer. */
export const activationState = (activation: Activation): ActivationState => ({
  id: activation.id,
  scenario: activation.scenario.name,
  counts: countsOf(activation),
})

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

/** All that is wrong with a scenario, with lines and columns, instead of a refusal; undefined where nothing is. */
export function problemsOf(take: () => unknown): { valid: false; problems: readonly PlacedProblem[] } | undefined {
  try {
    take()
    return undefined
  } catch (error) {
    if (error instanceof ScenarioError) return { valid: false, problems: error.problems }
    throw error
  }
}

/** A scenario as its file has it, with its comments; what has no file, or a JSON one, is written anew. */
export function yamlOf(library: Library, name: string): string {
  const text = library.textOf(name)
  if (text !== undefined) return text
  return loadYaml().stringify(library.get(name).source)
}

/** Why a call was answered as it was; throws where the journal has none of that id. */
/** The one request of a trace. Throws the API's error where there are more, and names them. */
function onlyOneOf({ journal }: Mock, trace: string): Exchange | undefined {
  if (traceIdIn(trace) === undefined) return undefined
  const found = journal.select({ trace, kind: 'exchange' }) as Exchange[]
  if (found.length < 2) return found[0]
  const shown = found
    .slice(0, mostNamed)
    .map(one => `${one.requestId} (${routeOf(one.operation) ?? one.method}, ${one.status})`)
  const more = found.length > mostNamed ? `, and ${found.length - mostNamed} more` : ''
  throw apiError(
    'invalid_field',
    `the trace has ${found.length} requests; expected the request_id of one: ${shown.join(', ')}${more}`,
  )
}

const mostNamed = 20

export function explainRequest(mock: Mock, requestId: string): Explanation {
  const exchange = mock.journal.find(requestId) ?? onlyOneOf(mock, requestId)
  if (exchange) return mock.journal.redact(explain(exchange), exchange)
  throw apiError(
    'control_not_found',
    `the journal has no request ${JSON.stringify(requestId)}; expected the request_id of an answer, which is in X-Request-Id too`,
  )
}
