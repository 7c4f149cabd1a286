/** How an answer leaves for the client: at once, or with the target's URLs made the recorder's. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { laterReal } from '../base/clock.ts'
import { forwarded } from './headers.ts'
import { Links, linkFrom, maxLinkedBytes } from './links.ts'

export interface ResponseWriter {
  /** A promise where the client needs a while to take it. */
  push(chunk: Buffer): Promise<unknown> | undefined
  /** The answer is whole. */
  end(): void
  /** It never will be: what there is of it goes out, and then resolves. */
  cut(): Promise<unknown>
}

/** How long a small answer's head waits for the whole of it, as its length is told there. */
const patienceMs = 100

export function responseWriterFor(
  answer: IncomingMessage,
  response: ServerResponse,
  { base, prefix, shown }: { base: string; prefix: string; shown: string },
): ResponseWriter {
  const { rawHeaders, statusCode = 502, statusMessage = '' } = answer
  let last: Promise<unknown> | undefined

  const open = (contentLength?: number | 'unknown'): void => {
    const headers = forwarded(rawHeaders, (name, value) => {
      if (name === 'location' || name === 'content-location') return shownUrl(value)
      if (name !== 'content-length' || contentLength === undefined) return value
      return contentLength === 'unknown' ? undefined : String(contentLength)
    })
    response.sendDate = false
    if (/\bclose\b/i.test(answer.headers.connection ?? '')) response.shouldKeepAlive = false
    response.writeHead(statusCode, statusMessage, headers)
    response.flushHeaders()
  }
  const write = (chunk: Buffer): Promise<unknown> | undefined => {
    if (chunk.length === 0 || response.destroyed) return undefined
    let isTaken = true
    last = new Promise<void>(resolve => {
      response.once('close', resolve)
      isTaken = response.write(chunk, () => {
        response.off('close', resolve)
        resolve()
      })
    })
    return isTaken ? undefined : last
  }
  /** Below the recorder's base URL; where the target's has a path, that may stand in front of a relative one. */
  const shownUrl = (url: string): string =>
    prefix !== '' && url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : linkFrom(url, base, shown)

  const declared = answer.headers['content-length']
  if (!isLinked(answer, response)) {
    open()
    return { push: write, end: () => void response.end(), cut: async () => last }
  }

  const links = new Links([base], shown)
  let held: Buffer[] | undefined = []
  let size = 0
  const release = (contentLength: number | 'unknown' | undefined): Promise<unknown> | undefined => {
    if (held === undefined) return undefined
    stopWaiting()
    const ready = Buffer.concat(held)
    held = undefined
    open(contentLength)
    return write(ready)
  }
  // One that comes slowly is passed on slowly: its length is left open then.
  const stopWaiting = laterReal(patienceMs, () => void release('unknown'))
  const pass = (chunk: Buffer): Promise<unknown> | undefined => {
    if (held === undefined) return write(chunk)
    held.push(chunk)
    return undefined
  }
  return {
    push(chunk) {
      const isOver = size > maxLinkedBytes
      size += chunk.length
      if (isOver) return write(chunk)
      if (size <= maxLinkedBytes) return pass(links.push(chunk))
      pass(Buffer.concat([links.push(chunk), links.end()]))
      return release('unknown')
    },
    end() {
      pass(links.end())
      release(declared === undefined ? undefined : size + links.delta)
      response.end()
    },
    async cut() {
      pass(links.end())
      release(declared === undefined ? undefined : Number(declared) + links.delta)
      await last
    },
  }
}

/** JSON that is whole, not packed, and small as far as it is known. */
function isLinked({ headers, statusCode }: IncomingMessage, { req }: ServerResponse): boolean {
  if (req.method === 'HEAD' || statusCode === 204 || statusCode === 304 || statusCode === 206) return false
  if (!/json/i.test(headers['content-type'] ?? '') || !isPlain(headers['content-encoding'])) return false
  return Number(headers['content-length'] ?? 0) <= maxLinkedBytes
}

export const isPlain = (encoding: string | undefined): boolean => encoding === undefined || /^identity$/i.test(encoding)
