/**
 * What Node refuses before there is a request: a line that its parser can't read, headers that are too large, a request
 * that never ends, an Expect it doesn't know, a CONNECT. They get the same envelope, journal entry and log line as all
 * others.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ApiError, apiError, toApiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { openExchange } from './exchange.ts'
import { closeInStages } from './linger.ts'
import { record } from './record.ts'

/** Answers on the bare socket, as there is no response object yet. */
export function answerRawErrors(
  mock: Mock,
  error: Error & { code?: string; bytesParsed?: number },
  socket: Duplex,
): void {
  // The client has gone, or has its answer already: nothing can be said any more.
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  // Pipelined requests that came whole before the bad one are answered first, or this would pass for their answer.
  const current = (socket as Duplex & { _httpMessage?: ServerResponse })._httpMessage
  // A request that ends early has an exchange of its own, which is closed as broken off.
  if (current && error.code === 'HPE_INVALID_EOF_STATE') return void socket.destroy()
  if (current?.req.complete) {
    return void current.once('finish', () => answerRawErrors(mock, error, socket))
  }
  const { head, body } = refuse(mock, toApiError(error))
  socket.end(head + body)
}

/** Has Node's other own answers made by us. */
export function answerNodesOwn(mock: Mock, server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const expected = apiError(
      'expectation_failed',
      `the header Expect is ${JSON.stringify(request.headers.expect)}; expected 100-continue`,
    )
    const { status, headers, body } = refuse(mock, expected, request)
    closeInStages(request)
    response.writeHead(status, headers).end(body)
  })
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    const { head, body } = refuse(
      mock,
      apiError('method_not_allowed', 'CONNECT; this is not a proxy', { allow: 'GET, POST' }),
      request,
    )
    socket.end(head + body)
  })
}

/** Answers who speaks plain HTTP to a mock that speaks TLS. */
export function answerPlainHttp(mock: Mock, socket: Duplex): void {
  const { head, body } = refuse(
    mock,
    apiError('malformed_http', 'plain HTTP, where the mock speaks TLS; expected a URL that begins with https://'),
  )
  socket.end(head + body)
}

function refuse(mock: Mock, error: ApiError, request?: IncomingMessage) {
  // Without its headers, as they may not have been read: the key's world is not looked for.
  const { method = '', url = '', rawHeaders = [] } = request ?? {}
  const context = openExchange(mock, undefined, { method, url, headers: {}, rawHeaders })
  const { exchange } = context
  const body = JSON.stringify(error.envelope(exchange.requestId))
  const headers: Record<string, string> = {
    ...error.headers,
    'x-request-id': exchange.requestId,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  exchange.status = error.status
  exchange.responseHeaders = headers
  exchange.responseBody = body
  record(mock, context)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n`
  return { status: error.status, headers, head, body }
}
