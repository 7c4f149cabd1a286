/** X-Request-Id (ERR-6), and the limits as the IETF draft and as everybody else writes them (RL-2). */

import type { Exchange } from '../journal.ts'
import { secondsLeft, type Window } from '../world/limits.ts'

export function answerHeaders(exchange: Exchange): Record<string, string> {
  const headers = limitHeaders(exchange)
  const { ruleContext } = exchange
  ruleContext?.decider.addHeaders(headers, ruleContext.fired)
  return headers
}

export function limitHeaders(exchange: Exchange): Record<string, string> {
  const { requestId, window, remaining, endsAt, jobWindow, at } = exchange
  if (jobWindow !== undefined) return headersOfTwo(exchange, jobWindow)
  if (window === undefined) return { 'x-request-id': requestId }
  return {
    'x-request-id': requestId,
    'ratelimit-policy': window.policy,
    ratelimit: itemOf(window, remaining, endsAt, at),
    'x-ratelimit-limit': window.limitText,
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil(endsAt / 1000)),
  }
}

export function headersOfTwo(exchange: Exchange, jobs: Window): Record<string, string> {
  const { requestId, window, remaining, endsAt, jobRemaining, jobEndsAt, at } = exchange
  const jobsItem = itemOf(jobs, jobRemaining, jobEndsAt, at)
  // The classic headers know one limit only: the one that is nearer.
  const isJobs = window === undefined || jobRemaining < remaining
  return {
    'x-request-id': requestId,
    'ratelimit-policy': window ? `${window.policy}, ${jobs.policy}` : jobs.policy,
    ratelimit: window ? `${itemOf(window, remaining, endsAt, at)}, ${jobsItem}` : jobsItem,
    'x-ratelimit-limit': isJobs ? jobs.limitText : window.limitText,
    'x-ratelimit-remaining': String(isJobs ? jobRemaining : remaining),
    'x-ratelimit-reset': String(Math.ceil((isJobs ? jobEndsAt : endsAt) / 1000)),
  }
}

export const itemOf = ({ name }: Window, remaining: number, endsAt: number, now: number): string =>
  `"${name}";r=${remaining};t=${secondsLeft(endsAt, now)}`
