/**
 * The first and the last step of every request: its exchange is opened with a request_id and a world, and closed with
 * the headers that every answer has, its entry in the journal, its line in the log and its count in the metrics.
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { monotonicMs } from '../../base/clock.ts'
import { withExact } from '../../base/exactNumbers.ts'
import { type OperationId, operations } from '../../contracts/operations.ts'
import { apiError } from '../errors.ts'
import { Exchange } from '../journal.ts'
import type { Mock } from '../mock.ts'
import { newTrace, readTrace } from '../trace.ts'
import { maxNameLength } from '../world/worlds.ts'
import { RequestContext } from './context.ts'
import { readableFor } from './cors.ts'
import { answerHeaders } from './headers.ts'
import { settleIdempotency } from './idempotency.ts'
import { forgetTypeOfNothing } from './jsonBody.ts'
import { closeInStages } from './linger.ts'
import { log, record } from './record.ts'
import { answerByRule } from './scenario.ts'
import { hostProblem } from './target.ts'
import { keepUnread } from './unread.ts'

/** What an exchange is opened from: a request of node:http, or what is left of one that could not be read. */
export type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'> & { socket?: Socket }

/** What a connection is called, and how many requests have come on it. */
interface Connection {
  readonly id: number
  requests: number
}

const connections = new WeakMap<Socket, Connection>()
let nextConnection = 1

/** Of what could not be read as a request. */
const unknownConnection: Readonly<Connection> = { id: 0, requests: 0 }

/** The connection of a request, which counts it. */
function countedOn(socket: Socket | undefined): Readonly<Connection> {
  if (socket === undefined) return unknownConnection
  let known = connections.get(socket)
  if (known === undefined) {
    known = { id: nextConnection++, requests: 0 }
    connections.set(socket, known)
  }
  known.requests++
  return known
}

/** Opens the exchange of every request of the API; `operation` is undefined where no route matched. */
export function openExchange(mock: Mock, operation: string | undefined, head: RequestHead): RequestContext {
  const { headers } = head
  const connection = countedOn(head.socket)
  const key = headers['x-api-key'] as string | undefined
  const partition = headers['x-mock-world'] as string | undefined
  const found = key === undefined ? undefined : mock.worlds.ofKey(key, partition)
  const world = found ?? mock.worlds.anonymous(key === undefined ? partition : undefined)
  const startedAt = monotonicMs()
  world.lastUsed = startedAt
  world.clock.catchUp()
  const requestHeaders = world.journal.headers.same(head.rawHeaders)
  const exchange = new Exchange({
    id: world.nextRequest++,
    world,
    operation,
    at: world.clock.now(startedAt),
    startedAt,
    method: head.method ?? '',
    url: head.url ?? '',
    requestHeaders,
    headerBytes: world.journal.headers.bytes,
    keyState: found ? (found.revoked ? 'revoked' : 'valid') : key === undefined ? 'none' : 'invalid',
    connection: connection.id,
    placeOnConnection: connection.requests,
  })
  const { traceparent } = headers
  if (traceparent !== undefined)
    exchange.trace = readTrace(traceparent as string, headers.tracestate as string | undefined)
  if (mock.spans !== undefined) exchange.trace ??= newTrace()
  return new RequestContext(exchange, world, false)
}

/** Makes the open exchange known to the steps that follow. */
export function attach(request: FastifyRequest, context: RequestContext): void {
  request.context = context
  request.exchange = context.exchange
}

/** The first step of a request to `operation`. */
export function openRoute(mock: Mock, operation: OperationId) {
  const { tag } = operations[operation]
  const isFile = tag === 'files'
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const context = openExchange(mock, operation, request.raw)
    attach(request, context)
    // Before anything can refuse the call: a page may read its refusal too.
    const { origin } = request.raw.headers
    if (origin !== undefined) readableFor(origin, mock.config.cors, reply)
    if (isFile) findSubject(mock, request)
    if (tag !== 'uploads') forgetTypeOfNothing(request.raw)
    const partition = request.headers['x-mock-world'] as string | undefined
    if (partition !== undefined && partition.length > maxNameLength) {
      return done(
        apiError('invalid_field', `X-Mock-World has ${partition.length} characters; expected at most ${maxNameLength}`),
      )
    }
    // The same headers as those of the call before have been looked at.
    if (context.exchange.headerBytes === 0) return done()
    const problem = hostProblem(request.raw)
    done(problem === undefined ? undefined : apiError('malformed_http', problem))
  }
}

/** A file is requested without a key, and yet by the client whose job it is. */
function findSubject({ worlds }: Mock, { context, params }: FastifyRequest): void {
  const { job_id, video_id } = params as { job_id?: string; video_id?: string }
  context.subject = worlds.ofId(job_id ?? video_id ?? '')
  if (context.subject !== undefined) context.exchange.at = context.subject.clock.now()
}

/** The first step of a call that is not of the API: it gets a request_id of its own kind, and is not recorded. */
export function openInternal(mock: Mock) {
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { method, url, socket } = request.raw
    const connection = countedOn(socket)
    const world = mock.worlds.anonymous()
    const exchange = new Exchange({
      id: `req_mock${(mock.internalCalls++).toString(36).padStart(6, '0')}`,
      world,
      operation: undefined,
      at: 0,
      startedAt: 0,
      method: method ?? '',
      url: url ?? '',
      requestHeaders: [],
      headerBytes: 0,
      keyState: 'none',
      connection: connection.id,
      placeOnConnection: connection.requests,
    })
    attach(request, new RequestContext(exchange, world, true))
    forgetTypeOfNothing(request.raw)
    done()
  }
}

/** Closes the exchange as the answer's head is about to leave: when a client has the answer, the journal has its entry. */
export function closeExchange(mock: Mock) {
  return (
    request: FastifyRequest,
    reply: FastifyReply,
    made: unknown,
    done: (error: null, payload: unknown) => void,
  ): void => {
    const { exchange, context, raw } = request
    const payload = typeof made === 'string' ? withExact(made) : made
    closeInStages(raw)
    exchange.status = reply.statusCode
    if (typeof payload === 'string') exchange.responseBody = payload
    if (context.isInternal) {
      reply.header('x-request-id', exchange.requestId)
      if (exchange.status >= 400) log(mock, exchange)
      return done(null, payload)
    }
    // What was done is kept for a retry, whatever a scenario makes of its answer.
    if (context.idempotencyKey !== undefined) settleIdempotency(context)
    const fired = exchange.ruleContext?.fired
    if (fired !== undefined) return answerByRule(mock, fired, request, reply, payload, done)
    reply.headers(answerHeaders(exchange))
    // What every good JSON answer has in common is worked out when it is read.
    if (exchange.status !== 200 || context.replayed || !(typeof payload === 'string' || Buffer.isBuffer(payload))) {
      exchange.responseHeaders = reply.getHeaders() as Record<string, string>
      exchange.aborted = raw.destroyed && !raw.complete
    }
    record(mock, context)
    keepUnread(request)
    done(null, payload)
  }
}
