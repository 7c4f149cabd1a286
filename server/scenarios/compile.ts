/**
 * From a scenario as it is written to one that can be played: times in ms, conditions as functions that explain
 * themselves, rules found by operation. What could never happen is refused here.
 */
import { type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import type { LimitSpec } from '../world/limits.ts'
import type { PlanChanges } from '../world/plan.ts'
import { compileJob } from './compileJob.ts'
import { compileThen, type Then } from './compileThen.ts'
import { type Call, type Condition, conditionsOf } from './conditions.ts'
import { type JobFormat, limitOf, msOf, type RuleFormat, type ScenarioFile } from './format.ts'
import { isGlobMatch } from './glob.ts'
import { didYouMean, type Problem } from './problems.ts'
import { RuleIndex } from './ruleIndex.ts'

export interface Scenario {
  readonly name: string
  readonly description: string
  readonly clauses: readonly string[]
  /** As it is written, with all that it extends. */
  readonly source: ScenarioFile
  readonly account: {
    credits: number | undefined
    requests: LimitSpec | undefined
    jobs: LimitSpec | undefined
    revokedAfterCalls: number | undefined
    revokedAfterMs: number | undefined
  }
  readonly jobs: PlanChanges | undefined
  readonly rules: readonly Rule[]
  /** Whether a rule asks for the state of the call's job. */
  readonly asksJobState: boolean
  /** The rules that could fit a call of an operation, in their order. */
  readonly rulesOf: ReadonlyMap<OperationId, RuleIndex>
}

export interface Rule {
  readonly index: number
  readonly name: string
  readonly operations: ReadonlySet<OperationId>
  /** Its route as it is written. */
  readonly routeText: string
  /** What the call itself has to be; asked in this order. */
  readonly conditions: readonly Condition[]
  /** Where there is a JSON body it is waited for: a condition asks for it, or chance tells requests apart by it. */
  readonly needsBody: boolean
  readonly calls: { from: number; to: number } | undefined
  readonly after: number
  readonly first: number
  readonly every: number
  readonly times: number
  readonly forMs: number
  readonly time: { fromMs: number; toMs: number } | undefined
  readonly probability: number | undefined
  readonly then: Then
}

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
  refuse: (problems: readonly Problem[]) => void,
): Scenario {
  const problems: Problem[] = []
  const own = written.rules ?? []
  const all = [...own, ...inherited]
  const rules = all.map((rule, index) =>
    compileRule(rule, index, written.jobs, ['rules', index], index < own.length ? problems : []),
  )
  problems.push(...namedTwice(rules.slice(0, own.length)), ...neverReached(rules.slice(0, own.length)))
  const jobs = compileJob(written.jobs, ['jobs'], problems)
  refuse(problems)
  const { credits, rate_limit, job_limit, revoked } = written.account ?? {}
  return {
    name: written.name ?? 'inline',
    description: written.description ?? '',
    clauses: written.clauses ?? [],
    source: { ...written, ...(all.length > 0 && { rules: all.map((rule, i) => ({ ...rule, name: rules[i]?.name })) }) },
    account: {
      credits,
      requests: limitOf(rate_limit),
      jobs: limitOf(job_limit),
      revokedAfterCalls: revoked?.after_calls,
      revokedAfterMs: msOf(revoked?.after),
    },
    jobs,
    rules,
    asksJobState: all.some(({ when }) => when?.job_state !== undefined),
    rulesOf: new Map(allOperations.map(id => [id, indexOf(rules, id)])),
  }
}

const indexOf = (rules: readonly Rule[], id: OperationId): RuleIndex =>
  new RuleIndex(
    rules.filter(rule => rule.operations.has(id)),
    hasJsonBody(operations[id]),
  )

function compileRule(
  rule: RuleFormat,
  index: number,
  jobs: JobFormat | undefined,
  path: Problem['path'],
  problems: Problem[],
): Rule {
  const { when = {} } = rule
  const say = (field: string[], message: string) => problems.push({ path: [...path, ...field], message })
  const touched = operationsOf(when.route, (found, hint) =>
    say(['when', 'route'], `${JSON.stringify(found)} is no route of the API${hint}`),
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
function hasTurn({ calls, after, first, every }: Pick<Rule, 'calls' | 'after' | 'first' | 'every'>): boolean {
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

const routeText = (id: OperationId): string => `${operations[id].method} ${operations[id].path}`

/** createJob, POST /v1/jobs, /v1/jobs, or with * for any characters. */
function isRoute(id: OperationId, asked: string): boolean {
  if (asked === id) return true
  const [path, method] = asked.split(' ').reverse() as [string, string | undefined]
  if (method !== undefined && method !== operations[id].method) return false
  // {id} means the same as {job_id}.
  const bare = (text: string) => text.replace(/\{\w+\}/g, '{}')
  return isGlobMatch(bare(path), bare(operations[id].path))
}

function callsOf(given: number | string | undefined): Rule['calls'] {
  if (given === undefined) return undefined
  if (typeof given === 'number') return { from: given, to: given }
  const [from, to] = given.split('-')
  return { from: Number(from), to: to ? Number(to) : Number.POSITIVE_INFINITY }
}

function timeOf(given: string | undefined): Rule['time'] {
  if (given === undefined) return undefined
  const [from, to] = given.split('-')
  return { fromMs: msOf(from) as number, toMs: to ? (msOf(to) as number) : Number.POSITIVE_INFINITY }
}

function* namedTwice(rules: readonly Rule[]): Generator<Problem> {
  const seen = new Set<string>()
  for (const { name, index } of rules) {
    if (seen.has(name)) yield { path: ['rules', index, 'name'], message: `there are two rules named ${name}` }
    seen.add(name)
  }
}

/** A rule behind one that takes every call which it could meet itself: one with no conditions, or with the same. */
function* neverReached(rules: readonly Rule[]): Generator<Problem> {
  const closed = new Map<string, Rule>()
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

const signatureOf = ({ conditions }: Rule): string =>
  conditions
    .map(({ what, expected }) => `${what}=${expected}`)
    .sort()
    .join('&')

/** Every call that meets its conditions fires it. */
const isAlways = (rule: Rule): boolean =>
  rule.calls === undefined &&
  rule.after === 0 &&
  rule.every === 1 &&
  rule.time === undefined &&
  rule.probability === undefined &&
  [rule.first, rule.times, rule.forMs].every(bound => bound === Number.POSITIVE_INFINITY)

/** Whether a rule's own conditions fit a call; its counts are the play's business. */
export const fits = (rule: Rule, call: Call): boolean => {
  for (const condition of rule.conditions) if (!condition.isMet(call)) return false
  return true
}
