/** What the recorder answers by itself, in the envelope that the API's clients know. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

export function sendEnvelope(
  response: ServerResponse,
  status: number,
  code: 'internal_error' | 'invalid_request',
  message: string,
  number: number,
): void {
  if (response.headersSent || response.destroyed) return
  const body = envelope(code, message, number)
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body)
}

/** CONNECT is for a proxy that a client was told to use; this is one that it takes for the endpoint. */
export function refuseConnect(socket: Duplex): void {
  const body = envelope('invalid_request', asProxy, 0)
  socket.on('error', () => {})
  socket.end(
    `HTTP/1.1 501 Not Implemented\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

const asProxy =
  'understudy record is a reverse proxy: give its URL as the base URL of the API, not as a proxy (HTTP_PROXY)'

/** Why a request is no call of the target; undefined where it is one. */
export function refusalOf(url: string, upgrade: string | undefined): string | undefined {
  if (!url.startsWith('/') && url !== '*') return asProxy
  // An offer may be passed over (RFC 9110, 7.8), as h2c and TLS are by whoever does not know them; a client that wants a
  // WebSocket can't do without.
  if (/(^|,)\s*websocket\s*(\/|,|$)/i.test(upgrade ?? ''))
    return `understudy record does not pass on an upgrade to ${upgrade}`
  return undefined
}

/** An id of its own, as each answer has one (ERR-6): it is in no log of the target's. */
const envelope = (code: string, message: string, number: number): string =>
  JSON.stringify({ error: { code, message, request_id: `req_recorder_${number}` } })
