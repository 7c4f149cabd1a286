/** What a rule does, from how it is written: errors, bodies, delays, faults; what could never act is refused. */

import type { JobFormat, ThenFormat } from '../../client/scenarioFormat.ts'
import { type ErrorCaseName, errorCases } from '../../contracts/errors.ts'
import { type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import type { Fault } from '../faults/fault.ts'
import { faults } from '../faults/index.ts'
import type { PlanChanges } from '../world/plan.ts'
import { compileJob, mergeJobs } from './compileJob.ts'
import { msOf } from './format.ts'
import type { ScenarioProblem } from './problems.ts'
import { compileRetryAfter, type RetryAfter } from './retryAfter.ts'

export interface Then {
  readonly error: ErrorCaseName | undefined
  readonly message: string | undefined
  readonly status: number | undefined
  /** undefined: the answer keeps the one that it has. */
  readonly retryAfter: RetryAfter | undefined
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

const hasBody = ({ body }: Operation): boolean => body !== undefined

/** Headers that say where an answer ends. */
const framing = ['content-length', 'transfer-encoding', 'trailer', 'upgrade']

/** A code stands for the case that its documentation shows. */
const caseOfCode: Record<string, ErrorCaseName> = { invalid_request: 'invalid_field', not_found: 'job_not_found' }

/** `jobs` is what the scenario says of all jobs: a rule's job goes over it. */
export function compileThen(
  given: ThenFormat,
  touched: OperationId[],
  jobs: JobFormat | undefined,
  path: ScenarioProblem['path'],
  problems: ScenarioProblem[],
): Then {
  const say = (field: string, message: string) => problems.push({ path: [...path, field], message })
  const fault = faultOf(given.fault)
  // A broken envelope needs an error to break; with `pass`, it is the real one.
  const code =
    given.error ??
    (fault?.name === 'broken_envelope' && given.body === undefined && given.pass === undefined
      ? 'internal_error'
      : undefined)
  const error = code === undefined ? undefined : ((code in errorCases ? code : caseOfCode[code]) as ErrorCaseName)
  const hasAnswer = error !== undefined || given.body !== undefined || fault?.name === 'proxy_html'
  const ends = fault !== undefined && !fault.fault.needsAnswer
  const pass = given.pass ?? (hasAnswer || ends ? 'never' : 'before_delay')
  const touches = (fits: (operation: Operation) => boolean) =>
    touched.length === 0 || touched.some(id => fits(operations[id]))
  if (error !== undefined && given.body !== undefined) say('body', 'stands beside `error`; expected one of the two')
  const wait = given.retry_after === undefined && error === 'rate_limited' ? 1 : given.retry_after
  const retryAfter = wait === undefined ? undefined : compileRetryAfter(wait, problem => say('retry_after', problem))
  if (given.status !== undefined && fault?.fault.setsStatus) {
    say('status', `stands beside ${fault.name}, which has a status of its own; expected it there, or not at all`)
  }
  for (const name of Object.keys(given.headers ?? {})) {
    const lower = name.toLowerCase()
    if (framing.includes(lower)) say('headers', `${name} belongs to how the answer is sent; expected a fault for that`)
    if (lower === 'retry-after' && error === 'rate_limited' && given.headers?.[name] !== null) {
      say('headers', `${name} would say another thing than RateLimit; expected retry_after (RL-2)`)
    }
  }
  if (given.message !== undefined && error === undefined) say('message', 'has no `error` to be the message of')
  if (given.patch !== undefined && given.body !== undefined)
    say('patch', 'stands beside `body`; expected one of the two')
  if (pass === 'never' && !hasAnswer && !ends) {
    say('pass', 'is never, and nothing else answers; expected an `error`, a `body`, or a fault that needs no answer')
  }
  // One that works on the answer as well has enough to do.
  const readsOnly = fault?.fault.receive !== undefined && fault.fault.send === undefined
  if (readsOnly && !touches(hasBody)) say('fault', `${fault.name} can never act: no call of the route has a body`)
  if (readsOnly && pass === 'never') say('pass', `is never, so ${fault.name} would have no body to read`)
  if (given.job !== undefined && !touches(({ path }) => path === '/v1/jobs' || path.endsWith('/start'))) {
    say('job', 'can never act: only POST /v1/jobs and POST /v1/jobs/{job_id}/start make or start a job')
  }
  if (given.job !== undefined && pass === 'never')
    say('job', 'can never act: the call is not passed on, so no job is made')
  return {
    error,
    message: given.message,
    status: given.status,
    retryAfter,
    headers: compileHeaders(given.headers),
    body: bodyOf(given.body),
    patch: given.patch,
    delay: delayOf(given.delay, [...path, 'delay'], problems),
    fault,
    pass,
    job: given.job && compileJob(mergeJobs(jobs, given.job), [...path, 'job'], problems),
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

const compileHeaders = (given: ThenFormat['headers']): Then['headers'] =>
  Object.fromEntries(
    Object.entries(given ?? {}).map(([name, value]) => [name.toLowerCase(), value === null ? null : String(value)]),
  )

function bodyOf(given: unknown): Then['body'] {
  if (given === undefined) return undefined
  const isJson = typeof given !== 'string'
  return { text: isJson ? JSON.stringify(given) : given, isJson }
}

function delayOf(
  given: ThenFormat['delay'],
  path: ScenarioProblem['path'],
  problems: ScenarioProblem[],
): Delay | undefined {
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
