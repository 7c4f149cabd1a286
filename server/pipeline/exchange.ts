/**
 * The first and the last step of every request: its exchange is opened with a request_id and a world, and closed with
 * the headers that every answer has, its entry in the journal, its line in the log and its count in the metrics.
 */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { monotonicMs } from '../clock.ts'
import { apiError } from '../errors.ts'
import { Exchange, maxBodyBytes } from '../journal.ts'
import { redactUrl } from '../journalView.ts'
import type { Mock } from '../mock.ts'
import { secondsLeft, type Window } from '../world/limits.ts'
import { maxNameLength } from '../world/worlds.ts'
import { settleIdempotency } from './idempotency.ts'

/** Opens the exchange of a request to `operation`; undefined where no route met. */
export function openExchange(mock: Mock, operation: string | undefined) {
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    open(mock, operation, request)
    const split = request.headers['x-mock-world'] as string | undefined
    if (split !== undefined && split.length > maxNameLength) {
      return done(
        apiError('invalid_field', `X-Mock-World has ${split.length} characters; expected ${maxNameLength} at the most`),
      )
    }
    // Node answers this itself, without an envelope, unless it is told not to look.
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0')
      return done(apiError('malformed_http', 'the header Host is missing'))
    done()
  }
}

export function open(mock: Mock, operation: string | undefined, request: FastifyRequest): void {
  const { headers, method, url, rawHeaders } = request.raw
  const key = headers['x-api-key'] as string | undefined
  const split = headers['x-mock-world'] as string | undefined
  const found = key === undefined ? undefined : mock.worlds.ofKey(key, split)
  const world = found ?? mock.worlds.anonymous(key === undefined ? split : undefined)
  const keyState = found ? 'valid' : key === undefined ? 'none' : 'invalid'
  const startedAt = monotonicMs()
  world.lastUsed = startedAt
  world.clock.catchUp()
  const at = world.clock.now(startedAt)
  const requestHeaders = world.journal.headers.same(rawHeaders)
  const exchange = new Exchange(
    world.nextRequest++,
    world,
    operation,
    at,
    startedAt,
    method as string,
    url as string,
    requestHeaders,
    keyState,
  )
  exchange.headerBytes = world.journal.headers.bytes
  request.exchange = exchange
}

/** Opens the exchange of a call that is none of the API's: it is told apart by its id, and not kept. */
export function openInternal(mock: Mock) {
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { method, url } = request.raw
    const id = `req_mock${(mock.internalCalls++).toString(36).padStart(6, '0')}`
    request.exchange = new Exchange(id, mock.worlds.anonymous(), undefined, 0, 0, method ?? '', url ?? '', [], 'none')
    done()
  }
}

/** Closes the exchange, as the answer's head is about to leave: whoever has the answer finds its entry. */
export function closeExchange(mock: Mock) {
  return (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: null, payload: unknown) => void,
  ): void => {
    const { exchange } = request
    reply.headers(answerHeaders(exchange))
    exchange.status = reply.statusCode
    if (exchange.isInternal) {
      if (exchange.status >= 400) log(mock, exchange)
      return done(null, payload)
    }
    exchange.ms = monotonicMs() - exchange.startedAt
    const isText = typeof payload === 'string'
    if (isText) exchange.responseBody = payload
    // What every good JSON answer has in common is worked out when it is read.
    if (exchange.status !== 200 || exchange.replayed || !(isText || Buffer.isBuffer(payload))) {
      exchange.responseHeaders = reply.getHeaders() as Record<string, string>
      exchange.aborted = request.raw.destroyed && !request.raw.complete
    }
    if (exchange.idempotencyKey !== undefined) settleIdempotency(exchange)
    record(mock, exchange)
    done(null, payload)
  }
}

/** Writes a finished exchange to journal, log, metrics and usage. */
export function record(mock: Mock, exchange: Exchange): void {
  const { operation, status, ms, world } = exchange
  mock.metrics.answered(operation, status, ms)
  exchange.requestBody = cut(exchange.requestBody)
  exchange.responseBody = cut(exchange.responseBody)
  mock.feed.write(exchange)
  if (exchange.keyState === 'valid' && operation !== undefined) world.usage.called(exchange)
  if (mock.log.isLevelEnabled('info')) log(mock, exchange)
}

function log(mock: Mock, exchange: Exchange): void {
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
