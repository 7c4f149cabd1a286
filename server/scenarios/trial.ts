/** What a scenario would have made of calls that were answered already. Nothing is played: each world's part begins anew. */
import type { ScenarioTrial } from '../../client/desk.ts'
import type { OperationId } from '../../contracts/operations.ts'
import { operations, routeOf } from '../../contracts/operations.ts'
import type { Entry, Exchange } from '../journal.ts'
import type { World } from '../world/world.ts'
import type { Scenario } from './compiledScenario.ts'
import { doesOf, PastCall } from './explain.ts'
import { Activation, ScenarioRun } from './scenarioRun.ts'

/** `entries` in the order in which they came; `worldOf` finds the world of an entry, which may be gone. */
export function tryScenario(
  scenario: Scenario,
  entries: readonly Entry[],
  worldOf: (exchange: Exchange) => World | undefined,
): ScenarioTrial {
  const activation = new Activation('put_all', scenario, false)
  const runs = new Map<World, ScenarioRun>()
  const calls: ScenarioTrial['calls'] = []
  let limited = 0
  for (const exchange of entries) {
    const world = exchange.kind === 'exchange' ? worldOf(exchange) : undefined
    if (exchange.kind !== 'exchange' || world === undefined) continue
    const run = runs.get(world) ?? new ScenarioRun(activation, world)
    runs.set(world, run)
    const fired = firedBy(run, exchange)
    const rule = fired ?? (isOverLimit(run, exchange) ? limitOfScenario : null)
    if (rule === limitOfScenario) limited++
    const { seq, requestId, operation, status } = exchange
    calls.push({ seq, request_id: requestId, route: routeOf(operation), status, rule })
  }
  const rules = scenario.rules.map(({ name, then }) => ({ name, fired: activation.count(name), does: doesOf(then) }))
  const hasLimit = scenario.account.requests !== undefined || scenario.account.jobs !== undefined
  return {
    scenario: scenario.name,
    rules: hasLimit
      ? [...rules, { name: limitOfScenario, fired: limited, does: 'answers 429 until the window ends' }]
      : rules,
    calls,
    notes: notesOf(scenario),
  }
}

/** What its own limits refuse is no rule's doing. */
const limitOfScenario = '(its limit)'

function firedBy(run: ScenarioRun, exchange: Exchange): string | undefined {
  const { operation, at } = exchange
  if (operation === undefined || !run.scenario.rulesOf.has(operation as OperationId)) return undefined
  const decision = run.decide(operation as OperationId, new PastCall(exchange), run.since(at), true, 0, [])
  return decision !== undefined && 'rule' in decision ? decision.rule.name : undefined
}

/** Of the limits that the scenario itself gives the key; the key's own were counted when the call came. */
function isOverLimit({ scenario, account }: ScenarioRun, { keyState, operation, at }: Exchange): boolean {
  if (keyState !== 'valid' || operation === undefined) return false
  const isCreation = operation === 'createJob'
  const windows = [
    scenario.account.requests === undefined ? undefined : account.limits.requests,
    scenario.account.jobs === undefined || !isCreation ? undefined : account.limits.jobs,
  ].filter(window => window !== undefined)
  if (operations[operation as OperationId].tag === 'files') return false
  if (windows.every(window => window.hasRoom(at))) {
    for (const window of windows) window.take()
    return false
  }
  return true
}

function notesOf({ asksJobState, account }: Scenario): string[] {
  const { credits, revokedAfterCalls, revokedAfterMs } = account
  return [
    'Each call is taken as it came: what a client would have done after another answer is not known.',
    ...(asksJobState ? ["A job's state of then is known only where a scenario asked for it."] : []),
    ...(credits === undefined ? [] : ['What its credits would have refused is not worked out.']),
    ...(revokedAfterCalls === undefined && revokedAfterMs === undefined
      ? []
      : ['When its key would have been revoked is not worked out.']),
  ]
}
