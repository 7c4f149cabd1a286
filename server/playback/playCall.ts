/** Plays one recorded call: its time, its answer or its cut, and the webhooks that followed it. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Cut } from '../../recordings/har.ts'
import { ApiError } from '../errors.ts'
import type { Answer, FaultWire } from '../faults/fault.ts'
import { closeConnection, pause, resetConnection, sendPart, sendSlowly, writeHead } from '../faults/wire.ts'
import type { Mock } from '../mock.ts'
import { askForBody } from '../pipeline/expect.ts'
import { record } from '../pipeline/record.ts'
import { ownBaseUrl } from '../routes/baseUrl.ts'
import { answerOf, bytesBeforeCut, type RecordedAnswer } from './answer.ts'
import { bodySize, isFile } from './bodies.ts'
import type { Playback, RecordedMatch } from './playback.ts'
import { discard, isGone } from './requestBody.ts'
import { scaled, waitOf } from './time.ts'
import { playWebhooks } from './webhooks.ts'

/** A body that took no longer is sent at once. */
const minReceiveMs = 100

type Recorded = Exclude<RecordedMatch, { how: 'unknown' }>

interface PlayedCall extends FaultWire {
  readonly mock: Mock
  readonly playback: Playback
  readonly recorded: Recorded
  readonly request: FastifyRequest
  readonly base: string
  /** When the request came, by the world's clock. */
  readonly startedAt: number
}

export async function playCall(
  mock: Mock,
  playback: Playback,
  recorded: Recorded,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { context, exchange } = request
  const { clock } = context.world
  const { entry, call } = recorded
  const playing: PlayedCall = {
    mock,
    playback,
    recorded,
    request,
    base: ownBaseUrl(request),
    clock,
    response: reply.raw,
    // A recorded answer claims nothing.
    release: () => {},
    startedAt: clock.now(),
  }
  if (call.requestId !== undefined) exchange.id = call.requestId
  exchange.jobId = call.jobId ?? null
  exchange.played = { number: playback.numberOf(recorded.i), fault: entry._fault, cut: call.cut }
  try {
    await play(playing, call.cut, reply)
  } catch (error) {
    // Its body never came to an end: it is answered by us.
    if (error instanceof ApiError && exchange.seq === 0) throw error
    exchange.aborted = isGone(reply.raw)
    if (!exchange.aborted) mock.log.error({ err: error, request_id: exchange.requestId }, 'a recorded answer failed')
    reply.raw.destroy()
    // Once it is in the journal, only its answer has failed.
    if (exchange.seq === 0) write(playing, undefined)
  }
}

async function play(playing: PlayedCall, cut: Cut | undefined, reply: FastifyReply): Promise<void> {
  const { mock, request, recorded } = playing
  const { entry } = recorded
  if (cut !== undefined) hold(playing)
  askForBody(request, reply)
  if (cut?.when === 'in_request') {
    await discard(request, cut.by === 'server' ? (cut.bytes ?? 1024) : undefined)
    if (cut.by === 'server') {
      write(playing, undefined)
      return resetConnection(playing)
    }
  } else await discard(request)
  if (cut?.by === 'client' && entry.response.status === 0) {
    // Nobody knows what it would have got: it waited in vain, and so it does again.
    await waited(playing, entry.time ?? 0)
    write(playing, undefined)
    return closeConnection(playing)
  }
  if (cut?.how === 'silence' && cut.when === 'before_head') return write(playing, undefined)
  const isThere = await waited(playing, waitOf(entry))
  if (!isThere || entry.response.status === 0 || cut?.when === 'before_head') {
    if (!isThere) request.exchange.aborted = true
    write(playing, undefined)
    return cut?.how === 'reset' || cut?.how === 'no_connection' ? resetConnection(playing) : closeConnection(playing)
  }
  const answer = answerOf(entry, playing.playback, playing.base)
  if (mock.config.mockHeaders) answer.headers['x-mock-replay'] = labelOf(playing)
  write(playing, answer)
  if (cut === undefined) await sendWhole(playing, answer)
  else await sendPart(partial(answer), playing, bytesBeforeCut(cut, answer), endOf(cut))
  if (recorded.how === 'played') playWebhooks(mock, playing.playback, recorded, request, playing.base)
}

/** "12", or "repeated 12". */
function labelOf({ playback, recorded: { how, i } }: PlayedCall): string {
  const number = playback.numberOf(i)
  return how === 'played' ? String(number) : `repeated ${number}`
}

/** Waits till so much of the recording has passed since the request came; false when its client has gone meanwhile. */
async function waited(playing: PlayedCall, ms: number): Promise<boolean> {
  const leftMs = playing.startedAt + scaled(playing.mock, ms) - playing.clock.now()
  return leftMs <= 0 ? !isGone(playing.response) : pause(playing, leftMs)
}

/** Into the journal, before any of it leaves. */
function write({ mock, request }: PlayedCall, answer: RecordedAnswer | undefined): void {
  const { context, exchange } = request
  exchange.status = answer?.status ?? 0
  if (answer !== undefined) {
    const length = answer.announced ?? bodySize(answer.body)
    exchange.responseHeaders = { ...(answer.headers as Record<string, string>), 'content-length': String(length) }
    if (typeof answer.body === 'string') exchange.responseBody = answer.body
  }
  record(mock, context)
}

/** The connection is the fault's; when the mock closes, it goes away with it. */
function hold({ mock, response }: PlayedCall): void {
  mock.held.add(response)
  response.once('close', () => mock.held.delete(response))
}

async function sendWhole(playing: PlayedCall, answer: RecordedAnswer): Promise<void> {
  const { response, request, recorded, mock } = playing
  const { status, headers, body, announced } = answer
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    const length = announced ?? bodySize(body)
    return void response.writeHead(status, length === 0 ? headers : { ...headers, 'content-length': length }).end()
  }
  const receiveMs = scaled(mock, recorded.entry.timings?.receive ?? 0)
  const size = bodySize(body)
  if (receiveMs >= minReceiveMs && size > 0) {
    const perSecond = size / (receiveMs / 1000)
    return sendSlowly(whole(answer), playing, Math.max(1, Math.ceil(perSecond / 20)), perSecond)
  }
  writeHead(playing, whole(answer))
  if (isFile(body)) await pipeline(streamOf(answer), response)
  else response.end(body)
}

const whole = (answer: RecordedAnswer): Answer => {
  const { status, headers, body } = answer
  if (!isFile(body)) return { status, headers, body }
  return { status, headers: { ...headers, 'content-length': body.size }, body: streamOf(answer) }
}

/** As a stream, so that its head says how long it would have been. */
const partial = (answer: RecordedAnswer): Answer => ({
  status: answer.status,
  headers: { ...answer.headers, 'content-length': answer.announced },
  body: streamOf(answer),
})

function streamOf({ body }: RecordedAnswer): Readable {
  if (!isFile(body)) return Readable.from([Buffer.from(body)], { objectMode: false })
  return createReadStream(body.path, { start: body.start, end: body.start + body.size - 1 })
}

function endOf({ how }: Cut): (wire: FaultWire) => void {
  if (how === 'reset' || how === 'no_connection') return resetConnection
  return how === 'silence' ? () => {} : closeConnection
}
