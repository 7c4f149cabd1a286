/**
 * From a scenario as it is written to one that can be played: times in ms, conditions as functions that explain
 * themselves, rules found by operation. What could never happen is refused here.
 */

import { didYouMean } from '../../base/didYouMean.ts'
import { isGlobMatch } from '../../base/glob.ts'
import type { JobFormat, RuleFormat, ScenarioFile } from '../../client/scenarioFormat.ts'
import { type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import type { Scenario } from './compiledScenario.ts'
import { compileJob } from './compileJob.ts'
import { compileThen } from './compileThen.ts'
import { conditionsOf, type RuleRequest } from './conditions.ts'
import { limitOf, msOf } from './format.ts'
import type { ScenarioProblem } from './problems.ts'
import type { ScenarioRule } from './rule.ts'
import { RuleIndex } from './ruleIndex.ts'

const anyOperation = (Object.keys(operations) as OperationId[]).filter(id => id !== 'getHealth')

/** What a rule on GET /health has to say by name: whoever waits for a server to be up is not to be kept waiting. */
const allOperations = Object.keys(operations) as OperationId[]

/**
 * Makes a scenario of what is written, and behind it the rules that it inherits, which were looked at where they stand.
 * Problems go to `refuse`, which throws.
 */
export function compile(
  written: ScenarioFile,
  inherited: readonly RuleFormat[],
  refuse: (problems: readonly ScenarioProblem[]) => void,
): Scenario {
  const problems: ScenarioProblem[] = []
  const own = written.rules ?? []
  const all = [...own, ...inherited]
  const rules = all.map((rule, index) =>
    compileRule(rule, index, written.jobs, ['rules', index], index < own.length ? problems : []),
  )
  problems.push(...namedTwice(rules.slice(0, own.length)), ...neverReached(rules.slice(0, own.length)))
  const jobs = compileJob(written.jobs, ['jobs'], problems)
  refuse(problems)
  const { credits, rate_limit, job_limit, revoked, idempotency_kept } = written.account ?? {}
  return {
    name: written.name ?? 'inline',
    description: written.description ?? '',
    clauses: written.clauses ?? [],
    lastsMs: msOf(written.lasts) ?? 0,
    source: { ...written, ...(all.length > 0 && { rules: all.map((rule, i) => ({ ...rule, name: rules[i]?.name })) }) },
    account: {
      credits,
      requests: limitOf(rate_limit),
      jobs: limitOf(job_limit),
      revokedAfterCalls: revoked?.after_calls,
      revokedAfterMs: msOf(revoked?.after),
      idempotencyMs: msOf(idempotency_kept),
    },
    jobs,
    rules,
    asksJobState: all.some(({ when }) => when?.job_state !== undefined),
    rulesOf: new Map(allOperations.map(id => [id, indexOf(rules, id)])),
  }
}

const indexOf = (rules: readonly ScenarioRule[], id: OperationId): RuleIndex =>
  new RuleIndex(
    rules.filter(rule => rule.operations.has(id)),
    hasJsonBody(operations[id]),
  )

function compileRule(
  rule: RuleFormat,
  index: number,
  jobs: JobFormat | undefined,
  path: ScenarioProblem['path'],
  problems: ScenarioProblem[],
): ScenarioRule {
  const { when = {} } = rule
  const say = (field: string[], message: string) => problems.push({ path: [...path, ...field], message })
  const touched = operationsOf(when.route, (found, hint) =>
    say(['when', 'route'], `${JSON.stringify(found)} is not a route of the API${hint}`),
  )
  const methods = when.method === undefined ? undefined : [when.method].flat()
  const fitting = touched.filter(id => {
    const { method } = operations[id] as Operation
    return !methods || methods.includes(method) || (method === 'GET' && methods.includes('HEAD'))
  })
  const known = (field: string, fits: (operation: Operation) => boolean, why: string) => {
    const left = fitting.filter(id => fits(operations[id]))
    if (fitting.length > 0 && left.length === 0) say(['when', field], `can never be met: ${why}`)
    return left
  }
  let left = fitting
  if (touched.length > 0 && fitting.length === 0)
    say(['when', 'method'], 'can never be met: its route has another method')
  if (when.body !== undefined) left = known('body', hasJsonBody, 'a call of its route has no JSON body')
  if (when.job_state !== undefined) left = known('job_state', hasJob, 'its route has no job_id in it')
  const turn = {
    calls: callsOf(when.calls),
    after: rule.after ?? 0,
    first: rule.first ?? Number.POSITIVE_INFINITY,
    every: rule.every ?? 1,
  }
  const { calls } = turn
  const time = timeOf(when.time)
  if (calls && calls.to < calls.from)
    say(['when', 'calls'], `is ${JSON.stringify(when.calls)}, which ends before it begins`)
  else if (!hasTurn(turn)) {
    say(
      calls ? ['when', 'calls'] : ['every'],
      'can never be met: it is the turn of no call, with after, first and every',
    )
  }
  if (time && time.toMs <= time.fromMs)
    say(['when', 'time'], `is ${JSON.stringify(when.time)}, which ends before it begins`)
  const then = compileThen(rule.then, left, jobs, [...path, 'then'], problems)
  return {
    index,
    name: rule.name ?? `rule-${index + 1}`,
    operations: new Set(left),
    conditions: conditionsOf(when),
    needsBody: when.body !== undefined || (when.probability ?? 1) < 1 || typeof then.delay === 'object',
    ...turn,
    routeText: when.route === undefined ? 'any route' : [when.route].flat().join(' or '),
    times: rule.times ?? Number.POSITIVE_INFINITY,
    forMs: msOf(rule.for) ?? Number.POSITIVE_INFINITY,
    time,
    probability: when.probability === 1 ? undefined : when.probability,
    then,
  }
}

/** Whether there is any call whose turn it is. */
function hasTurn({ calls, after, first, every }: Pick<ScenarioRule, 'calls' | 'after' | 'first' | 'every'>): boolean {
  const from = Math.max(every, (calls?.from ?? 1) - after)
  const next = Math.ceil(from / every) * every
  return next <= first && next + after <= (calls?.to ?? Number.POSITIVE_INFINITY)
}

const hasJsonBody = ({ body, tag }: Operation): boolean => body !== undefined && tag !== 'uploads'
const hasJob = ({ path }: Operation): boolean => path.includes('{job_id}')

/** The operations that a rule's `route` means. */
function operationsOf(
  route: string | readonly string[] | undefined,
  unknown: (found: string, hint: string) => void,
): OperationId[] {
  if (route === undefined) return anyOperation
  const found = new Set<OperationId>()
  for (const asked of [route].flat() as string[]) {
    const fitting = allOperations.filter(id => isRoute(id, asked))
    for (const id of fitting) found.add(id)
    if (fitting.length === 0) {
      unknown(
        asked,
        didYouMean(
          asked,
          allOperations.flatMap(id => [id, operations[id].path, routeText(id)]),
        ),
      )
    }
  }
  return [...found]
}

export const routeText = (id: OperationId): string => `${operations[id].method} ${operations[id].path}`

/** createJob, POST /v1/jobs, /v1/jobs, or with * for any characters. */
function isRoute(id: OperationId, asked: string): boolean {
  if (asked === id) return true
  const [path, method] = asked.split(' ').reverse() as [string, string | undefined]
  if (method !== undefined && method !== operations[id].method) return false
  // {id} means the same as {job_id}.
  const bare = (text: string) => text.replace(/\{\w+\}/g, '{}')
  return isGlobMatch(bare(path), bare(operations[id].path))
}

function callsOf(given: number | string | undefined): ScenarioRule['calls'] {
  if (given === undefined) return undefined
  if (typeof given === 'number') return { from: given, to: given }
  const [from, to] = given.split('-')
  return { from: Number(from), to: to ? Number(to) : Number.POSITIVE_INFINITY }
}

function timeOf(given: string | undefined): ScenarioRule['time'] {
  if (given === undefined) return undefined
  const [from, to] = given.split('-')
  return { fromMs: msOf(from) as number, toMs: to ? (msOf(to) as number) : Number.POSITIVE_INFINITY }
}

function* namedTwice(rules: readonly ScenarioRule[]): Generator<ScenarioProblem> {
  const seen = new Set<string>()
  for (const { name, index } of rules) {
    if (seen.has(name)) yield { path: ['rules', index, 'name'], message: `there are two rules named ${name}` }
    seen.add(name)
  }
}

/** A rule behind one that takes every call which it could meet itself: one with no conditions, or with the same. */
function* neverReached(rules: readonly ScenarioRule[]): Generator<ScenarioProblem> {
  const closed = new Map<string, ScenarioRule>()
  for (const rule of rules) {
    const own = signatureOf(rule)
    const blocking = [...rule.operations].map(id => closed.get(`${id} `) ?? closed.get(`${id} ${own}`))
    const [by] = blocking
    if (by && blocking.every(Boolean)) {
      yield { path: ['rules', rule.index], message: `can never be reached: ${by.name} takes every such call before it` }
    }
    if (!isAlways(rule)) continue
    for (const id of rule.operations) if (!closed.has(`${id} ${own}`)) closed.set(`${id} ${own}`, rule)
  }
}

const signatureOf = ({ conditions }: ScenarioRule): string =>
  conditions
    .map(({ what, expected }) => `${what}=${expected}`)
    .sort()
    .join('&')

/** Every call that meets its conditions fires it. */
const isAlways = (rule: ScenarioRule): boolean =>
  rule.calls === undefined &&
  rule.after === 0 &&
  rule.every === 1 &&
  rule.time === undefined &&
  rule.probability === undefined &&
  [rule.first, rule.times, rule.forMs].every(bound => bound === Number.POSITIVE_INFINITY)

/** Whether a rule's own conditions fit a call; its counts are the play's business. */
export const fits = (rule: ScenarioRule, call: RuleRequest): boolean => {
  for (const condition of rule.conditions) if (!condition.isMet(call)) return false
  return true
}
