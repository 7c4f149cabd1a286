/** What each library is brought into: one request against a mock that fails in one way. */
import type { RuleFormat } from '../../client/scenarioFormat.ts'

export interface Situation {
  readonly method: 'GET' | 'POST'
  /** What the mock does; a rule is for every call of the situation. */
  readonly rules: readonly RuleFormat[]
  /** The time-out that the library is given, ms; without one it has its own. */
  readonly timeout?: number
  /** Run so many times: only several runs show jitter. */
  readonly runs?: number
}

/** A program is stopped after so long, ms: who waits longer is said to wait. */
export const watchedMs = 40_000
/** The time-out, where one is given. */
const shortTimeout = 2000

const always = (then: RuleFormat['then']): RuleFormat[] => [{ name: 'fails', then }]
const once = (then: RuleFormat['then'], first = 1): RuleFormat[] => [{ name: 'fails', first, then }]
const limited = (retryAfter: unknown): RuleFormat['then'] =>
  ({ error: 'rate_limited', retry_after: retryAfter }) as RuleFormat['then']
/** The job is made, and its answer is lost: what is sent again without an Idempotency-Key makes it once more. */
const done = { pass: 'before_delay' } as const

export const situations = {
  get503: { method: 'GET', rules: always({ error: 'internal_error', status: 503 }), runs: 4 },
  get503After: { method: 'GET', rules: once({ error: 'internal_error', status: 503, retry_after: 3 }) },
  get429Seconds: { method: 'GET', rules: once(limited(3)) },
  get429Date: { method: 'GET', rules: once(limited({ date: '4s' })) },
  get429Zero: { method: 'GET', rules: once(limited(0), 2) },
  get429Past: { method: 'GET', rules: once(limited({ date: '-5s' }), 2) },
  get429Day: { method: 'GET', rules: always(limited('1d')) },
  get503Day: { method: 'GET', rules: always({ error: 'internal_error', status: 503, retry_after: '1d' }) },
  post429: { method: 'POST', rules: once(limited(2)) },
  post500: { method: 'POST', rules: always({ ...done, error: 'internal_error' }) },
  postReset: { method: 'POST', rules: always({ ...done, fault: 'reset' }) },
  postTimeout: { method: 'POST', rules: always({ ...done, fault: 'no_answer' }), timeout: shortTimeout },
  postSilence: { method: 'POST', rules: always({ fault: 'no_answer' }) },
  post402: { method: 'POST', rules: always({ error: 'insufficient_credits' }) },
  post400: { method: 'POST', rules: always({ error: 'invalid_request' }) },
} as const satisfies Record<string, Situation>

export type SituationName = keyof typeof situations
export const situationNames = Object.keys(situations) as SituationName[]
