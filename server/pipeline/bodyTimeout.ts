/**
 * A client that began a body and sends no more of it is answered 408. However slow it is, one that goes on is let to its
 * end: only time without any byte counts.
 */
import type { IncomingMessage } from 'node:http'
import { laterReal } from '../../base/clock.ts'
import { apiError } from '../errors.ts'
import { isStillWaiting } from './expect.ts'

/** It is looked so often in that time whether something came. */
const looks = 4

/** To be called when a request arrives; `limitMs` is real time, as the client is. */
export function limitIdleBody(request: IncomingMessage, limitMs: number): void {
  const { headers } = request
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
  // Most bodies came with their head: by then they are whole.
  process.nextTick(() => {
    if (!isOver(request)) watch(request, limitMs)
  })
}

function watch(request: IncomingMessage, limitMs: number): void {
  const { socket } = request
  let seen = socket.bytesRead
  let idleLooks = 0
  let cancel = laterReal(limitMs / looks, look)
  request.once('close', () => cancel())

  function look(): void {
    if (isOver(request)) return
    idleLooks = socket.bytesRead === seen && isWaiting(request) ? idleLooks + 1 : 0
    seen = socket.bytesRead
    if (idleLooks < looks) {
      cancel = laterReal(limitMs / looks, look)
      return
    }
    // To whom reads the body: the error is answered as any other of it.
    request.emit('error', apiError('request_incomplete', `${limitMs} ms passed without a byte of its body`))
  }
}

const isOver = ({ complete, readableEnded, destroyed }: IncomingMessage): boolean =>
  complete || readableEnded || destroyed

/** Whether it is the client's turn: somebody reads the body, and all that came of it is read. */
const isWaiting = (request: IncomingMessage): boolean =>
  request.listenerCount('error') > 0 &&
  request.readableLength === 0 &&
  !request.socket.isPaused() &&
  !isStillWaiting(request)
