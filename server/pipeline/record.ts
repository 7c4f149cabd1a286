/** What is written down of every answer: its entry in the journal, its line in the log, its count, its headers. */

import { redactUrl } from '../../contracts/redaction.ts'
import { monotonicMs } from '../clock.ts'
import { type Exchange, maxBodyBytes } from '../journal.ts'
import type { Mock } from '../mock.ts'
import { secondsLeft, type Window } from '../world/limits.ts'

/** Writes a finished exchange to journal, log, metrics and usage. */
export function record(mock: Mock, exchange: Exchange): void {
  const now = monotonicMs()
  exchange.ms = now - exchange.startedAt
  const { operation, status, ms, world } = exchange
  exchange.endedAt = (exchange.subject ?? world).clock.now(now)
  mock.metrics.answered(operation, status, ms)
  exchange.requestBody = cut(exchange.requestBody)
  exchange.responseBody = cut(exchange.responseBody)
  mock.feed.write(exchange)
  if (exchange.keyState === 'valid' && operation !== undefined) world.usage.called(exchange)
  if (mock.log.isLevelEnabled('info')) log(mock, exchange)
}

export function log(mock: Mock, exchange: Exchange): void {
  const { status, ms, world } = exchange
  const line = {
    request_id: exchange.requestId,
    job_id: exchange.jobId ?? undefined,
    method: exchange.method,
    url: redactUrl(exchange.url),
    status,
    ms: Math.round(ms * 1000) / 1000,
    world: world.name,
  }
  if (status >= 500) mock.log.error(line, 'answered')
  else mock.log.info(line, 'answered')
}

/** A long body is copied when it is cut, or the whole of it would stay in memory behind the cut. */
function cut<T extends string | Buffer | undefined>(body: T): T | string {
  if (typeof body !== 'string' || body.length <= maxBodyBytes) return body
  return Buffer.from(body.slice(0, maxBodyBytes)).toString()
}

/** X-Request-Id (ERR-6), and the limits as the IETF draft and as everybody else writes them (RL-2). */
export function answerHeaders(exchange: Exchange): Record<string, string> {
  const headers = limitHeaders(exchange)
  const { scene } = exchange
  scene?.decider.addHeaders(headers, scene.act)
  return headers
}

function limitHeaders(exchange: Exchange): Record<string, string> {
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

function headersOfTwo(exchange: Exchange, jobs: Window): Record<string, string> {
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

const itemOf = ({ name }: Window, remaining: number, endsAt: number, now: number): string =>
  `"${name}";r=${remaining};t=${secondsLeft(endsAt, now)}`
