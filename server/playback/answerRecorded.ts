/**
 * The recording's step on the way of a request, right behind the opened exchange: what was recorded is played, and what
 * was not is refused, or left to the live mock with its body untouched.
 */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify'
import { ApiError, apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { askForBody } from '../pipeline/expect.ts'
import { record } from '../pipeline/record.ts'
import { ownBaseUrl } from '../routes/baseUrl.ts'
import type { Playback } from './playback.ts'
import { playCall } from './playCall.ts'

/** Longer JSON is refused by the live mock; a recorded call of that request is then found by its order. */
const maxJsonBytes = 1024 * 1024

/** What was read of a body before it was clear that nobody has recorded its call. */
const readBodies = new WeakMap<FastifyRequest, Readable>()

export function answerRecorded(mock: Mock, playback: Playback) {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    answer(mock, playback, request, reply).then(isAnswered => {
      if (!isAnswered) done()
    }, done)
  }
}

/** Hands on the body that was read, as the request's own. */
export const giveBodyBack: preParsingHookHandler = (request, _reply, payload, done) => {
  done(null, readBodies.get(request) ?? payload)
}

async function answer(mock: Mock, playback: Playback, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const { context, exchange, headers, method } = request
  let text: string | undefined
  try {
    text = await readRequestText(request, reply)
  } catch (error) {
    if (error instanceof ApiError) throw error
    // The client went away before it had sent it all.
    exchange.aborted = true
    record(mock, context)
    return true
  }
  const found = playback.find({ method, path: request.url, headers, base: ownBaseUrl(request), text })
  if (found.how !== 'unknown') {
    await playCall(mock, playback, found, request, reply)
    return true
  }
  // Whoever waits for the server to be up asks for no recording.
  if (exchange.operation === 'getHealth') return false
  if (mock.config.mockHeaders) reply.header('x-mock-replay', 'not recorded')
  if (mock.config.replayFallback === 'mock') return false
  const error = apiError('route_not_found')
  const why = found.why.slice(0, 600)
  error.message = `${why[0]?.toUpperCase()}${why.slice(1)}; --replay-fallback mock has the live mock answer`
  throw error
}

/** A JSON body's text, which is also kept for the live mock; undefined for a body that is not JSON, or too long. */
async function readRequestText(request: FastifyRequest, reply: FastifyReply): Promise<string | undefined> {
  const { headers, raw } = request
  const length = Number(headers['content-length'] ?? 0)
  if (length === 0 && headers['transfer-encoding'] === undefined) return ''
  if (!/json/i.test(headers['content-type'] ?? '') || length > maxJsonBytes) return undefined
  askForBody(request, reply)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxJsonBytes) break
  }
  const read = Buffer.concat(chunks)
  const isWhole = size <= maxJsonBytes
  readBodies.set(request, isWhole ? Readable.from([read], { objectMode: false }) : Readable.from(joined(read, raw)))
  if (!isWhole) return undefined
  const text = read.toString()
  request.exchange.requestBody = text
  return text
}

async function* joined(read: Buffer, rest: Readable): AsyncGenerator<Buffer> {
  yield read
  for await (const chunk of rest) yield chunk
}
