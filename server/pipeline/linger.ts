/**
 * Closing in stages (RFC 9112, 9.6). An answer may leave while its client is still sending: a refusal of an upload. To close
 * the connection then would reset it, and many a client would lose the answer. So: answer, half-close, read on and throw
 * away for a while, close.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { laterReal } from '../../base/clock.ts'

/** Real ms: so long in all, and so long without a byte. */
const lingerMs = 30_000
const idleMs = 5_000

const lingering = new WeakSet<Socket>()

/** To be called before an answer: Node then closes by this, where it would have closed at once. */
export function closeInStages(request: IncomingMessage): void {
  const { socket, headers } = request
  if (request.complete || (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined))
    return
  // A request that a fault has cut has no socket any more.
  if (!socket || socket.destroyed || lingering.has(socket)) return
  lingering.add(socket)
  const closeNow = socket.destroySoon.bind(socket)
  socket.destroySoon = () => {
    if (request.complete || socket.destroyed) return closeNow()
    const close = () => socket.destroy()
    socket.once('close', laterReal(lingerMs, close))
    socket.setTimeout(idleMs, close)
    request.once('end', close)
    request.resume()
    socket.end()
  }
}
