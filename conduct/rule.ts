/** What a rule of conduct is: a sentence, and a pure function that looks for it in what a client did. */
import type { ClauseId } from '../contracts/clauses.ts'
import type { Client, ClientCall, ClientWebhook } from './client.ts'

/** The ids of the rules, which reports and tests name. */
export type RuleId =
  | 'errors.client-errors-not-retried'
  | 'errors.retried'
  | 'errors.no-hammering'
  | 'retries.grow'
  | 'retries.jitter'
  | 'retries.bounded'
  | 'retries.total-time'
  | 'limits.retry-after'
  | 'limits.http-date'
  | 'limits.no-early-return'
  | 'calls.time-out'
  | 'idempotency.one-job'
  | 'idempotency.key-on-retry'
  | 'credits.jobs-per-intent'
  | 'credits.no-retry'
  | 'polling.pace'
  | 'polling.slows-down'
  | 'polling.stops'
  | 'polling.gives-up'
  | 'download.after-completion'
  | 'secrets.key-not-in-url'
  | 'secrets.key-not-in-body'
  | 'secrets.key-only-where-needed'
  | 'webhooks.in-time'
  | 'webhooks.answers-2xx'
  | 'webhooks.duplicates'
  | 'webhooks.signature'
  | 'webhooks.fresh'
  | 'webhooks.replay'
  | 'webhooks.fallback'
  | 'uploads.acceptable'
  | 'goLive.paths'
  | 'goLive.audit'
  | 'observability.request-id'

/** One situation in which the rule speaks, and what the client did in it. */
export interface RuleFinding {
  kept: boolean
  /** What the client did: "came back after 0.3 s, though asked to wait 2 s". */
  said: string
  /** By which it is seen. */
  facts: readonly (ClientCall | ClientWebhook)[]
  /** By how many ms the limit was missed, of a breach that the harness's own lateness could have made. */
  missedByMs?: number
}

export interface Grading {
  /** Until when the client was watched, ms since the epoch. Infinity: it has ended, and sends nothing more. */
  now: number
  /** When it was ended from outside, ms since the epoch: what it waited for then, it has not given up. */
  stoppedAt: number
  /**
   * From when on it printed nothing until it ended with exit code 0, ms since the epoch. Infinity: it told of its end by its
   * exit code, or nobody knows.
   */
  silentSince: number
  /** Only one program uses the key: what is sent twice, it has sent twice. */
  isAlone: boolean
  /** The longest that a job may be polled that doesn't end, ms. */
  maxPollTimeMs: number
  /** The server is known to have no secret to sign webhooks with. */
  unsigned: boolean
}

/** must: a breach harms the server, costs money, or contradicts what the documentation asks outright. should: the rest. */
export const ruleLevels = ['must', 'should'] as const
export type RuleLevel = (typeof ruleLevels)[number]

/** Each has the rules of those before it, so that a rule which is new breaks nobody who has chosen one. Oldest first. */
export const ruleSets = ['2026-11', '2026-12'] as const
export type RuleSet = (typeof ruleSets)[number]
export const newestRuleSet: RuleSet = '2026-12'

export interface ConductRule {
  /** theme.what; stable, as reports and tests name it. */
  id: RuleId
  level: RuleLevel
  /** The first rule set that has it. */
  since: RuleSet
  /** How much less than the limit is let pass, as a timer is not exact: "50 ms". */
  tolerance?: string
  /** The clause that it comes from; behind it, others that say so too. */
  clauses: readonly [ClauseId, ...ClauseId[]]
  /** What a client does that keeps it. */
  title: string
  /** What a developer does about it. */
  advice: string
  /** Scenarios that bring the situation about. */
  provoke: readonly string[]
  /** Why nobody can see it from outside. */
  unseen?: string
  /** Each situation that arose. */
  judge(client: Client, grading: Grading): RuleFinding[]
  /** Why nothing is said of a situation that arose. */
  reason?(client: Client): string | undefined
  /** What is missing for the situation to arise, where more is known than that it never did. */
  missing?(client: Client): string | undefined
}

export const kept = (said: string, ...facts: RuleFinding['facts']): RuleFinding => ({ kept: true, said, facts })
export const broke = (said: string, ...facts: RuleFinding['facts']): RuleFinding => ({ kept: false, said, facts })
/** A wait that was so many ms too short. */
export const tooShort = (missedByMs: number, said: string, ...facts: RuleFinding['facts']): RuleFinding => ({
  kept: false,
  said,
  facts,
  missedByMs,
})

/** "30 ms", "1.3 s", "3 min" */
export function time(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`
  return `${seconds >= 10 ? Math.round(seconds) : Math.round(seconds * 10) / 10} s`
}

/** "429 rate_limited", "no answer" */
export const outcome = ({ status, code, cut }: ClientCall): string =>
  cut === undefined && status > 0 ? [status, code].filter(Boolean).join(' ') : 'no whole answer'

/** "POST /v1/jobs" without what a reader does not need. */
export const callText = ({ method, path }: ClientCall): string => `${method} ${path.split('?', 1)[0]}`
