/**
 * From a scenario as it is written to one that can be played: times in ms, conditions as functions that explain
 * themselves, rules found by operation. What could never happen is refused here.
 */
import { type ErrorCaseName, errorCases } from '../../contracts/errors.ts'
import { type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import { type JobState, webhookEvents } from '../../contracts/schemas.ts'
import type { Fault } from '../faults/fault.ts'
import { faults } from '../faults/index.ts'
import type { LimitSpec } from '../world/limits.ts'
import type { PlanChanges, WebhookFault } from '../world/plan.ts'
import { type Call, type Condition, conditionsOf } from './conditions.ts'
import { type JobFormat, limitOf, msOf, type RuleFormat, type ScenarioFile, type ThenFormat } from './format.ts'
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

export interface Then {
  readonly error: ErrorCaseName | undefined
  readonly message: string | undefined
  readonly status: number | undefined
  readonly retryAfter: number | undefined
  readonly headers: Record<string, string | null>
  /** The body as it is sent, and whether it is JSON. */
  readonly body: { text: string; isJson: boolean } | undefined
  readonly patch: Record<string, unknown> | undefined
  readonly delay: Delay | undefined
  readonly fault: { name: string; fault: Fault; params: Record<string, never> } | undefined
  readonly pass: 'before_delay' | 'after_delay' | 'never'
  readonly job: PlanChanges | undefined
}

/** A fixed delay in ms, or points of a distribution: at this share of the calls, so many ms or less. */
export type Delay = number | readonly { share: number; ms: number }[]

const anyOperation = (Object.keys(operations) as OperationId[]).filter(id => id !== 'getHealth')

/** What a rule on GET /health has to say by name: whoever waits for a server to be up is not to be kept waiting. */
const allOperations = Object.keys(operations) as OperationId[]

/** Makes a scenario of what is written, after the rules that it inherits. Problems go to `refuse`, which throws. */
export function compile(
  written: ScenarioFile,
  inherited: readonly RuleFormat[],
  refuse: (problems: readonly Problem[]) => void,
): Scenario {
  const problems: Problem[] = []
  const own = written.rules ?? []
  const all = [...own, ...inherited]
  const rules = all.map((rule, index) => {
    const found: Problem[] = []
    const compiled = compileRule(rule, index, ['rules', index], found)
    // What is inherited was looked at where it stands.
    if (index < own.length) problems.push(...found)
    return compiled
  })
  problems.push(...namedTwice(rules.slice(0, own.length)), ...neverReached(rules.slice(0, own.length)))
  const jobs = compileJob(written.jobs, ['jobs'], problems)
  refuse(problems)
  const { credits, rate_limit, job_limit, revoked } = written.account ?? {}
  return {
    name: written.name ?? 'inline',
    description: written.description ?? '',
    clauses: written.clauses ?? [],
    source: { ...written, ...(all.length > 0 && { rules: all }) },
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

function compileRule(rule: RuleFormat, index: number, path: Problem['path'], problems: Problem[]): Rule {
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
  const after = rule.after ?? 0
  const first = rule.first ?? Number.POSITIVE_INFINITY
  const calls = callsOf(when.calls)
  const time = timeOf(when.time)
  if (calls && calls.to < calls.from)
    say(['when', 'calls'], `is ${JSON.stringify(when.calls)}, which ends before it begins`)
  else if (calls && (calls.to <= after || calls.from > after + first)) {
    say(['when', 'calls'], 'can never be met: `after` and `first` leave these calls out')
  }
  if (time && time.toMs <= time.fromMs)
    say(['when', 'time'], `is ${JSON.stringify(when.time)}, which ends before it begins`)
  const then = compileThen(rule.then, left, [...path, 'then'], problems)
  return {
    index,
    name: rule.name ?? `rule-${index + 1}`,
    operations: new Set(left),
    conditions: conditionsOf(when),
    needsBody: when.body !== undefined || (when.probability ?? 1) < 1 || typeof then.delay === 'object',
    calls,
    after,
    first,
    every: rule.every ?? 1,
    times: rule.times ?? Number.POSITIVE_INFINITY,
    forMs: msOf(rule.for) ?? Number.POSITIVE_INFINITY,
    time,
    probability: when.probability === 1 ? undefined : when.probability,
    then,
  }
}

const hasJsonBody = ({ body, tag }: Operation): boolean => body !== undefined && tag !== 'uploads'
const hasJob = ({ path }: Operation): boolean => path.includes('{job_id}')
const hasBody = ({ body }: Operation): boolean => body !== undefined

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
  const pattern = path
    .replace(/[.+?^$()|[\]\\]/g, '\\$&')
    .replace(/\{\w+\}/g, '\\{\\w+\\}')
    .replaceAll('*', '.*')
  return new RegExp(`^${pattern}$`).test(operations[id].path)
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

/** A code stands for the case that its documentation shows. */
const caseOfCode: Record<string, ErrorCaseName> = { invalid_request: 'invalid_field', not_found: 'job_not_found' }

function compileThen(given: ThenFormat, touched: OperationId[], path: Problem['path'], problems: Problem[]): Then {
  const say = (field: string, message: string) => problems.push({ path: [...path, field], message })
  const fault = faultOf(given.fault)
  // A broken envelope needs an error to break.
  const code =
    given.error ?? (fault?.name === 'broken_envelope' && given.body === undefined ? 'internal_error' : undefined)
  const error = code === undefined ? undefined : ((code in errorCases ? code : caseOfCode[code]) as ErrorCaseName)
  const hasAnswer = error !== undefined || given.body !== undefined || fault?.name === 'proxy_html'
  const ends = fault !== undefined && !fault.fault.needsAnswer
  const pass = given.pass ?? (hasAnswer || ends ? 'never' : 'before_delay')
  const touches = (fits: (operation: Operation) => boolean) =>
    touched.length === 0 || touched.some(id => fits(operations[id]))
  if (error !== undefined && given.body !== undefined) say('body', 'stands beside `error`; expected one of the two')
  if (given.message !== undefined && error === undefined) say('message', 'has no `error` to be the message of')
  if (given.patch !== undefined && given.body !== undefined)
    say('patch', 'stands beside `body`; expected one of the two')
  if (pass === 'never' && !hasAnswer && !ends) {
    say('pass', 'is never, and nothing else answers; expected an `error`, a `body`, or a fault that needs no answer')
  }
  if (fault?.fault.receive && !touches(hasBody))
    say('fault', `${fault.name} can never act: no call of the route has a body`)
  if (fault?.fault.receive && pass === 'never') say('pass', `is never, so ${fault.name} would have no body to read`)
  if (given.job !== undefined && !touches(({ path }) => path === '/v1/jobs' || path.endsWith('/start'))) {
    say('job', 'can never act: only POST /v1/jobs and POST /v1/jobs/{job_id}/start make or start a job')
  }
  if (given.job !== undefined && pass === 'never')
    say('job', 'can never act: the call is not passed on, so no job is made')
  return {
    error,
    message: given.message,
    status: given.status,
    retryAfter: secondsOf(given.retry_after) ?? (error === 'rate_limited' ? 1 : undefined),
    headers: headersOf(given.headers),
    body: bodyOf(given.body),
    patch: given.patch,
    delay: delayOf(given.delay, [...path, 'delay'], problems),
    fault,
    pass,
    job: compileJob(given.job, [...path, 'job'], problems),
  }
}

function faultOf(given: unknown): Then['fault'] {
  if (given === undefined) return undefined
  const { type, ...params } = (typeof given === 'string' ? { type: given } : given) as { type: string }
  const found = faults[type] as Fault
  const defaults = Object.entries(found.params).map(([name, schema]) => [
    name,
    (schema as { default?: unknown }).default,
  ])
  return { name: type, fault: found, params: { ...Object.fromEntries(defaults), ...params } as Record<string, never> }
}

/** Retry-After has whole seconds; a fraction is rounded up, as waiting that long has to be enough (RL-2). */
function secondsOf(given: number | string | undefined): number | undefined {
  return typeof given === 'string' ? Math.ceil((msOf(given) as number) / 1000) : given
}

const headersOf = (given: ThenFormat['headers']): Then['headers'] =>
  Object.fromEntries(
    Object.entries(given ?? {}).map(([name, value]) => [name.toLowerCase(), value === null ? null : String(value)]),
  )

function bodyOf(given: unknown): Then['body'] {
  if (given === undefined) return undefined
  const isJson = typeof given !== 'string'
  return { text: isJson ? JSON.stringify(given) : given, isJson }
}

function delayOf(given: ThenFormat['delay'], path: Problem['path'], problems: Problem[]): Delay | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'string') return msOf(given)
  const points = Object.entries(given)
    .filter(([name]) => name.startsWith('p'))
    .map(([name, text]) => ({ name, share: Number(name.slice(1)) / 100, ms: msOf(text as string) as number }))
    .sort((a, b) => a.share - b.share)
  const [lowest, highest] = [points[0]?.ms ?? msOf(given.max) ?? 0, points.at(-1)?.ms ?? msOf(given.min) ?? 0]
  // Where nothing is said of the fastest and the slowest, they are half of the lowest and the highest that is.
  const all = [
    { name: 'min', share: 0, ms: msOf(given.min) ?? lowest / 2 },
    ...points,
    { name: 'max', share: 1, ms: msOf(given.max) ?? highest },
  ]
  const falling = all.findIndex((point, i) => i > 0 && point.ms < (all[i - 1] as { ms: number }).ms)
  if (falling > 0) {
    problems.push({
      path: (all[falling]?.name as string) in given ? [...path, all[falling]?.name as string] : path,
      message: `${all[falling]?.name} is less than ${all[falling - 1]?.name}; expected percentiles that rise`,
    })
  }
  return all.map(({ share, ms }) => ({ share, ms }))
}

function compileJob(given: JobFormat | undefined, path: Problem['path'], problems: Problem[]): PlanChanges | undefined {
  if (given === undefined) return undefined
  const timeline = timelineOf(given.timeline, [...path, 'timeline'], problems)
  if (given.timeline && (given.outcome ?? given.queue ?? given.duration ?? given.stuck_at) !== undefined) {
    problems.push({
      path: [...path, 'timeline'],
      message: 'stands beside outcome, queue, duration or stuck_at, which it decides itself',
    })
  }
  const changes: PlanChanges = {
    outcome: given.outcome,
    error: given.error,
    queueMs: msOf(given.queue),
    processingMs: msOf(given.duration),
    stuckAt: given.stuck_at,
    webhooks: webhooksOf(given.webhooks),
    ...timeline,
  }
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

/** JOB-4 holds for a timeline too: states by the documented moves, progress never back. */
function timelineOf(steps: JobFormat['timeline'], path: Problem['path'], problems: Problem[]): PlanChanges | undefined {
  if (steps === undefined) return undefined
  let at = 0
  let progress = 0
  let begunAt: number | undefined
  let state = 'pending' as JobState
  const points: { atMs: number; progress: number }[] = []
  steps.forEach((step, i) => {
    const say = (field: string, message: string) => problems.push({ path: [...path, i, field], message })
    const afterMs = msOf(step.after) as number
    if (afterMs < at) say('after', `is ${step.after}, earlier than the step before it`)
    at = Math.max(at, afterMs)
    if (state === 'completed' || state === 'failed') say('after', `can never come: the job has ${state} before (JOB-4)`)
    if (step.progress !== undefined && step.progress < progress)
      say('progress', `is ${step.progress}, less than before: progress never goes back (JOB-4)`)
    progress = Math.max(progress, step.progress ?? 0)
    if (step.status !== undefined) {
      if (step.status === 'processing' && state === 'processing') say('status', 'is processing already')
      if (begunAt === undefined && step.status !== 'processing')
        say('status', `is ${step.status}, but the job has not been processing before (JOB-4)`)
      if (step.status === 'processing') begunAt ??= at
      state = step.status
    } else if (begunAt === undefined) say('progress', 'comes before the job is processing (JOB-4)')
    if (step.progress !== undefined) points.push({ atMs: at - (begunAt ?? at), progress: step.progress })
  })
  const ends = state === 'completed' || state === 'failed'
  return {
    outcome: ends ? (state as 'completed' | 'failed') : 'stuck',
    queueMs: begunAt ?? at,
    processingMs: ends ? at - (begunAt ?? at) : Number.POSITIVE_INFINITY,
    points: points.filter(point => !ends || point.atMs < at - (begunAt ?? at)),
  }
}

const defaultCopies = 2
const defaultLateMs = 30_000

function webhooksOf(given: JobFormat['webhooks']): PlanChanges['webhooks'] {
  if (given === undefined) return undefined
  const isOne = typeof given === 'string' || 'type' in given
  return Object.fromEntries(
    webhookEvents.flatMap(event => {
      const fault = isOne ? given : (given as Record<string, typeof given>)[event]
      return fault === undefined ? [] : [[event, webhookFaultOf(fault as never)]]
    }),
  )
}

function webhookFaultOf(
  given: WebhookFault['type'] | { type: WebhookFault['type']; copies?: number; by?: string },
): WebhookFault {
  const { type, copies = defaultCopies, by } = typeof given === 'string' ? { type: given } : given
  return { type, copies, lateMs: msOf(by) ?? defaultLateMs } as WebhookFault
}

function* namedTwice(rules: readonly Rule[]): Generator<Problem> {
  const seen = new Set<string>()
  for (const { name, index } of rules) {
    if (seen.has(name)) yield { path: ['rules', index, 'name'], message: `there are two rules named ${name}` }
    seen.add(name)
  }
}

/** A rule behind one that every call meets which it could meet itself. */
function* neverReached(rules: readonly Rule[]): Generator<Problem> {
  const closed = new Map<OperationId, Rule>()
  for (const rule of rules) {
    const blocking = [...rule.operations].map(id => closed.get(id))
    const [by] = blocking
    if (by && blocking.every(Boolean)) {
      yield { path: ['rules', rule.index], message: `can never be reached: ${by.name} takes every such call before it` }
    }
    if (isAlways(rule)) for (const id of rule.operations) if (!closed.has(id)) closed.set(id, rule)
  }
}

const isAlways = (rule: Rule): boolean =>
  rule.conditions.length === 0 &&
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
