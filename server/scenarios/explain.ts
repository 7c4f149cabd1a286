/**
 * Why a call was answered as it was: every rule that was considered, each of its conditions met or not, and which rule
 * came nearest. Worked out from the journal's entry when somebody asks, so that a call itself costs nothing more.
 */

import { plural } from '../../base/text.ts'
import type { ExplainedCondition, ExplainedRule, Explanation } from '../../client/mock.ts'
import { parse } from '../../contracts/answers.ts'
import { type OperationId, routeOf } from '../../contracts/operations.ts'
import { type Exchange, evictionText } from '../journal.ts'
import { findTestKey } from '../testValues.ts'
import type { Then } from './compileThen.ts'
import type { RuleRequest } from './conditions.ts'
import { stepsOf } from './explainSteps.ts'
import { describeRetryAfter } from './retryAfter.ts'
import type { ScenarioRule } from './rule.ts'
import { activationSources, type Counted, maxCounted, type RuleContext } from './scenarioRun.ts'

export function explain(exchange: Exchange): Explanation {
  const { ruleContext, operation } = exchange
  const fired = ruleContext?.fired
  const decided = ruleContext?.decider
  const base = {
    request_id: exchange.requestId,
    ...(exchange.trace !== undefined && { trace_id: exchange.trace.traceId }),
    route: routeOf(operation),
    status: exchange.status,
    scenario: decided?.scenario.name ?? null,
    source: decided?.activation.source ?? null,
    why: decided ? activationSources[decided.activation.source] : 'no scenario was active for this call',
    rule: fired?.rule.name ?? null,
    reasons: fired ? [] : reasonsOf(exchange),
    steps: stepsOf(exchange),
  }
  if (!ruleContext || !decided || operation === undefined) return { ...base, rules: [], nearest: null }
  const call = new PastCall(exchange)
  const rules = decided.scenario.rules.map((rule): ExplainedRule => {
    const conditions = conditionsOf(rule, operation, ruleContext, call)
    return { rule: rule.name, verdict: verdictOf(rule, ruleContext), conditions, does: doesOf(rule.then) }
  })
  const [nearest] = rules
    .filter(({ verdict }) => verdict === 'not_met')
    .map(({ rule, conditions }) => ({ rule, unmet: conditions.filter(({ met }) => !met), met: conditions.length }))
    // Of two that lack as much, the one that had more.
    .sort((a, b) => a.unmet.length - b.unmet.length || b.met - a.met)
  return { ...base, rules, nearest: nearest ? { rule: nearest.rule, unmet: nearest.unmet } : null }
}

/** What the mock by itself had for its error. */
function reasonsOf({ status, responseBody, world, ruleContext }: Exchange): string[] {
  if (status < 400) return []
  const { evictedAt } = world
  const { error } = (parse(String(responseBody ?? '')) ?? {}) as { error?: { code: string; message: string } }
  const testKey = world.key === undefined ? undefined : findTestKey(world.key)
  const account = ruleContext?.decider.scenario.source.account
  return [
    ...(error ? [`${error.code}: ${error.message}`] : []),
    ...(evictedAt === undefined ? [] : [evictionText(evictedAt)]),
    ...(testKey ? [`the key starts with ${testKey.prefix}: ${testKey.effect.replaceAll('`', '')}`] : []),
    ...(account ? [`the scenario gives the key an account of its own: ${JSON.stringify(account)}`] : []),
  ]
}

function verdictOf({ index }: ScenarioRule, { fired, waitsAt }: RuleContext): ExplainedRule['verdict'] {
  if (fired) return index === fired.rule.index ? 'fired' : index > fired.rule.index ? 'not_reached' : 'not_met'
  return waitsAt !== undefined && index >= waitsAt ? 'not_asked' : 'not_met'
}

function conditionsOf(
  rule: ScenarioRule,
  operation: OperationId | string,
  ruleContext: RuleContext,
  call: RuleRequest,
): ExplainedCondition[] {
  const { sinceStart, counted } = ruleContext
  const own: ExplainedCondition[] = [
    {
      what: 'route',
      expected: rule.routeText,
      found: routeOf(operation) ?? 'none',
      met: rule.operations.has(operation as OperationId),
    },
    ...rule.conditions.map(condition => ({
      what: condition.what,
      expected: condition.expected,
      found: condition.found(call),
      met: condition.isMet(call),
    })),
  ]
  // The rest is only asked of calls that fitted so far.
  const count = counted.find(({ rule: { index } }) => index === rule.index)
  if (count !== undefined) return [...own, ...boundsOf(rule, count, sinceStart)]
  // It was not asked: it had had all of its calls before, or more rules counted the call than are kept.
  const isSpent = own.every(({ met }) => met) && verdictOf(rule, ruleContext) === 'not_met'
  if (!isSpent) return own
  const found = counted.length < maxCounted ? 'a later one' : 'not kept, as too many rules counted the call'
  return [...own, { what: 'calls', expected: turnOf(rule), found, met: false }]
}

function* boundsOf(
  rule: ScenarioRule,
  { n, fired, unmet, draw }: Counted,
  sinceStart: number,
): Generator<ExplainedCondition> {
  const { time, times, forMs, probability } = rule
  const turn = turnOf(rule)
  const bound = (what: Counted['unmet'], expected: string, found: string): ExplainedCondition => ({
    what: String(what),
    expected,
    found,
    met: unmet !== what,
  })
  const seconds = (ms: number) => `${ms / 1000} s`
  if (turn !== '') yield bound('calls', turn, `call ${n}`)
  if (time)
    yield bound('time', `from ${seconds(time.fromMs)} to ${seconds(time.toMs)}`, seconds(Math.round(sinceStart)))
  if (times < Number.POSITIVE_INFINITY) yield bound('times', `at most ${times}`, `had fired ${plural(fired, 'time')}`)
  if (forMs < Number.POSITIVE_INFINITY)
    yield bound('for', `${seconds(forMs)} since it first fired`, `had fired ${plural(fired, 'time')}`)
  if (probability !== undefined && draw !== undefined) {
    yield bound('probability', `less than ${probability}`, `drew ${draw.toFixed(6)}`)
  }
}

function turnOf({ calls, after, first, every }: ScenarioRule): string {
  const parts = []
  if (calls) parts.push(calls.to === calls.from ? `call ${calls.from}` : `calls from ${calls.from} to ${calls.to}`)
  if (after > 0) parts.push(`behind the first ${after}`)
  if (first !== Number.POSITIVE_INFINITY) parts.push(first === 1 ? 'the first only' : `the first ${first} only`)
  if (every > 1) parts.push(`every ${every}th`)
  return parts.join(', ')
}

const outcomes = { completed: 'the job completes', failed: 'the job fails', stuck: 'the job gets stuck' }

/** What a rule does, in words. */
export function doesOf(then: Then): string {
  const parts: string[] = []
  const wait =
    typeof then.delay === 'number'
      ? `waits ${then.delay / 1000} s`
      : then.delay && `waits ${then.delay[0]?.ms} to ${then.delay.at(-1)?.ms} ms`
  if (then.pass === 'before_delay') parts.push('passes the call on')
  if (wait) parts.push(wait)
  if (then.pass === 'after_delay') parts.push('passes the call on')
  if (then.job) parts.push(then.job.outcome ? outcomes[then.job.outcome] : 'says how the job goes')
  if (then.error) parts.push(`answers with the error ${then.error}${then.message ? ` "${then.message}"` : ''}`)
  if (then.retryAfter !== undefined) parts.push(describeRetryAfter(then.retryAfter))
  if (then.body) parts.push('answers with a body of its own')
  if (then.patch) parts.push(`changes ${Object.keys(then.patch).join(', ')} of the answer`)
  if (then.status) parts.push(`sets the status ${then.status}`)
  if (then.fault) parts.push(then.fault.fault.explain(then.fault.params))
  return parts.join(', then ')
}

/** A call read from the journal again. */
export class PastCall implements RuleRequest {
  readonly method: string
  readonly url: string
  readonly key: string | undefined
  readonly jobState: string | undefined
  readonly #headers = new Map<string, string>()
  readonly body: unknown

  constructor(exchange: Exchange) {
    const { requestHeaders } = exchange
    for (let i = 0; i < requestHeaders.length; i += 2) {
      this.#headers.set((requestHeaders[i] as string).toLowerCase(), requestHeaders[i + 1] as string)
    }
    this.method = exchange.method
    this.url = exchange.url
    this.key = this.header('x-api-key')
    this.jobState = exchange.ruleContext?.jobState
    this.body = parsed(exchange.requestBody)
  }

  header(name: string): string | undefined {
    return this.#headers.get(name)
  }
}

function parsed(body: string | undefined): unknown {
  try {
    return body === undefined ? undefined : JSON.parse(body)
  } catch {
    return undefined
  }
}
