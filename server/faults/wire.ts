/** What the faults share: an answer's bytes, and sending them in another way than Node would. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { realDelay } from '../../base/clock.ts'
import { rawSocketOf } from '../tls/rawSocket.ts'
import type { Answer, FaultWire } from './fault.ts'

/** Real ms between the last bytes and a reset: a client would lose what it has not read yet. */
const beforeResetMs = 30
/** Real ms that a client may take to read what was sent before a reset. */
const longestFlushMs = 30_000

/** The head's fields, with the whole body's length, whatever follows it; without any where the body comes in chunks. */
function headOf({ headers, body }: Answer, framing: 'length' | 'chunked' = 'length') {
  const length = body instanceof Readable ? headers['content-length'] : Buffer.byteLength(body)
  const known = Object.entries({ ...headers, 'content-length': framing === 'length' ? length : undefined })
  return Object.fromEntries(known.filter(([, value]) => value !== undefined)) as OutgoingHttpHeaders
}

export function writeHead({ response }: FaultWire, answer: Answer, framing?: 'chunked'): void {
  response.writeHead(answer.status, headOf(answer, framing))
}

/** The body in chunks, as they come. */
export async function* chunksOf({ body }: Answer): AsyncGenerator<Buffer> {
  if (body instanceof Readable) for await (const chunk of body) yield Buffer.from(chunk)
  else yield Buffer.from(body)
}

/** How long the body is, as its head says. */
export const lengthOf = ({ headers, body }: Answer): number =>
  body instanceof Readable ? Number(headers['content-length'] ?? 0) : Buffer.byteLength(body)

/** Resets once the client's system has all that was sent: a reset takes along what still waits to leave. */
export async function resetWhenSent(wire: FaultWire): Promise<void> {
  const socket = wire.response.socket
  for (let left = longestFlushMs; socket && left > 0 && !socket.destroyed; left -= beforeResetMs) {
    if (!(await isUnsent(rawSocketOf(socket)))) break
    await realDelay(beforeResetMs)
  }
  resetConnection(wire)
}

/** Whether bytes still wait in the system's send buffer, where the system says so: Linux does. */
async function isUnsent({ localPort = 0, remotePort = 0, localFamily }: Socket): Promise<boolean> {
  const table = await readFile(`/proc/net/tcp${localFamily === 'IPv6' ? '6' : ''}`, 'utf8').catch(() => '')
  const port = (number: number) => number.toString(16).toUpperCase().padStart(4, '0')
  const line = new RegExp(`:${port(localPort)} [0-9A-F]+:${port(remotePort)} [0-9A-F]{2} ([0-9A-F]{8}):`).exec(table)
  return line !== null && line[1] !== '00000000'
}

/** Does something to the connection: where requests are pipelined, when it is this answer's turn. */
function onSocket({ response }: FaultWire, run: (socket: Socket) => void): void {
  if (response.socket) run(response.socket)
  else response.once('socket', run)
}

export const closeConnection = (wire: FaultWire): void => onSocket(wire, socket => socket.end(() => socket.destroy()))
export const resetConnection = (wire: FaultWire): void =>
  onSocket(wire, socket => rawSocketOf(socket).resetAndDestroy())

/** Sends the head for the whole body, but only its first bytes; then `end` is left to do with the connection. */
export async function sendPart(
  answer: Answer,
  wire: FaultWire,
  afterBytes: number | undefined,
  end: (wire: FaultWire) => void | Promise<void>,
  framing?: 'chunked',
): Promise<void> {
  const { response } = wire
  let left = afterBytes ?? Math.floor(lengthOf(answer) / 2)
  // A header that was set before would be merged with these.
  if (framing === 'chunked') response.removeHeader('content-length')
  writeHead(wire, answer, framing)
  response.flushHeaders()
  for await (const chunk of chunksOf(answer)) {
    const part = chunk.subarray(0, left)
    left -= part.length
    if (part.length > 0) await new Promise(resolve => response.write(part, resolve))
    if (left === 0 || response.destroyed) break
  }
  await realDelay(beforeResetMs)
  await end(wire)
}

/** Waits by the world's clock; false when the client has gone meanwhile. */
export function pause({ clock, response }: FaultWire, ms: number): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false)
  return new Promise(resolve => {
    const gone = () => {
      clock.cancel(timer)
      resolve(false)
    }
    const timer = clock.after(
      ms,
      () => {
        response.off('close', gone)
        resolve(true)
      },
      // Its world was reset: there is nothing left to be answered from.
      () => response.destroy(),
    )
    response.once('close', gone)
  })
}

/** Sends the head by the byte, so many a second, then the body; then the connection is over, as Node knows nothing of it. */
export function sendHeadSlowly(answer: Answer, wire: FaultWire, perSecond: number): Promise<void> {
  const fields = Object.entries({
    ...headOf(answer),
    date: new Date(wire.clock.now()).toUTCString(),
    connection: 'close',
  })
  const lines = fields.flatMap(([name, value]) => [value].flat().map(one => `${name}: ${one}`))
  const head = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`, ...lines, '', ''].join('\r\n')
  return new Promise((resolve, reject) =>
    onSocket(wire, socket => {
      async function send(): Promise<void> {
        const pace = paceOf(wire, perSecond)
        for (const byte of Buffer.from(head, 'latin1')) {
          if (!(await pace(1))) return
          socket.write(Uint8Array.of(byte))
        }
        for await (const chunk of chunksOf(answer)) {
          if (socket.destroyed) return
          if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
        }
        socket.end()
      }
      send().then(resolve, reject)
    }),
  )
}

/** Sends all of the answer, then closes though the client may still be sending. */
export async function sendAndClose(answer: Answer, wire: FaultWire): Promise<void> {
  const { response } = wire
  writeHead(wire, { ...answer, headers: { ...answer.headers, connection: 'close' } })
  for await (const chunk of chunksOf(answer)) await new Promise(resolve => response.write(chunk, resolve))
  onSocket(wire, socket => socket.destroy())
}

/** Sends the answer, `bytes` at a time, so many a second. */
export async function sendSlowly(answer: Answer, wire: FaultWire, bytes: number, perSecond: number): Promise<void> {
  const { response } = wire
  const pace = paceOf(wire, perSecond)
  writeHead(wire, answer)
  response.flushHeaders()
  for await (const chunk of chunksOf(answer)) {
    for (let at = 0; at < chunk.length; at += bytes) {
      const part = chunk.subarray(at, at + bytes)
      if (!(await pace(part.length))) return
      if (!response.write(part)) await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
  }
  response.end()
}

/** Reads the body at so many bytes a second. */
export function readSlowly(body: Readable, wire: FaultWire, perSecond: number): Readable {
  const pace = paceOf(wire, perSecond)
  // Small enough to notice soon that the client has gone.
  const slice = Math.max(1, Math.ceil(perSecond / 20))
  async function* paced() {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length; at += slice) {
        const part = chunk.subarray(at, at + slice)
        // An end would pass for that of a shorter body.
        if (!(await pace(part.length))) throw new Error('the client went away')
        yield part
      }
    }
  }
  return Readable.from(paced(), { objectMode: false })
}

/** Waits till so many more bytes are due; a timer that comes late is made up for by the next one. */
function paceOf(wire: FaultWire, perSecond: number): (bytes: number) => Promise<boolean> {
  const startedAt = wire.clock.now()
  let sent = 0
  return bytes => {
    sent += bytes
    return pause(wire, Math.max(0, startedAt + (sent / perSecond) * 1000 - wire.clock.now()))
  }
}
