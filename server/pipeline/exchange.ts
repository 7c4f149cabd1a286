/**
 * The first and the last step of every request: its exchange is opened with a request_id and a world, and closed with
 * the headers that every answer has, its entry in the journal, its line in the log and its count in the metrics.
 */

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { monotonicMs } from '../../base/clock.ts'
import { type OperationId, operations } from '../../contracts/operations.ts'
import { apiError } from '../errors.ts'
import { Exchange } from '../journal.ts'
import type { Mock } from '../mock.ts'
import { maxNameLength } from '../world/worlds.ts'
import { answerHeaders } from './headers.ts'
import { settleIdempotency } from './idempotency.ts'
import { log, record } from './record.ts'
import { answerAsTold } from './scenario.ts'
import { keepUnread } from './unread.ts'

/** Opens the exchange of a request to `operation`; undefined where no route met. */
export function openExchange(mock: Mock, operation: OperationId) {
  const isFile = operations[operation].tag === 'files'
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    open(mock, operation, request)
    if (isFile) findSubject(mock, request)
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

/** A file is asked for without a key, and yet by the client whose job it is. */
function findSubject({ worlds }: Mock, { exchange, params }: FastifyRequest): void {
  const { job_id, video_id } = params as { job_id?: string; video_id?: string }
  exchange.subject = worlds.ofId(job_id ?? video_id ?? '')
  if (exchange.subject !== undefined) exchange.at = exchange.subject.clock.now()
}

export function open(mock: Mock, operation: string | undefined, request: FastifyRequest): void {
  const { headers, method, url, rawHeaders } = request.raw
  const key = headers['x-api-key'] as string | undefined
  const split = headers['x-mock-world'] as string | undefined
  const found = key === undefined ? undefined : mock.worlds.ofKey(key, split)
  const world = found ?? mock.worlds.anonymous(key === undefined ? split : undefined)
  const keyState = found ? (found.revoked ? 'revoked' : 'valid') : key === undefined ? 'none' : 'invalid'
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
    const { exchange, raw } = request
    exchange.status = reply.statusCode
    if (typeof payload === 'string') exchange.responseBody = payload
    if (exchange.isInternal) {
      reply.header('x-request-id', exchange.requestId)
      if (exchange.status >= 400) log(mock, exchange)
      return done(null, payload)
    }
    // What was done is kept for a retry, whatever a scenario makes of its answer.
    if (exchange.idempotencyKey !== undefined) settleIdempotency(exchange)
    const act = exchange.scene?.act
    if (act !== undefined) return answerAsTold(mock, act, request, reply, payload, done)
    reply.headers(answerHeaders(exchange))
    // What every good JSON answer has in common is worked out when it is read.
    if (exchange.status !== 200 || exchange.replayed || !(typeof payload === 'string' || Buffer.isBuffer(payload))) {
      exchange.responseHeaders = reply.getHeaders() as Record<string, string>
      exchange.aborted = raw.destroyed && !raw.complete
    }
    record(mock, exchange)
    keepUnread(request)
    done(null, payload)
  }
}
