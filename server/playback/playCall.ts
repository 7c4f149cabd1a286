/** Plays one recorded call: its time, its answer or its cut, and the webhooks that followed it. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Cut } from '../../recordings/har.ts'
import type { Answer, FaultWire } from '../faults/fault.ts'
import { closeConnection, pause, resetConnection, sendPart, sendSlowly, writeHead } from '../faults/wire.ts'
import type { Mock } from '../mock.ts'
import { askForBody } from '../pipeline/expect.ts'
import { record } from '../pipeline/record.ts'
import { ownBaseUrl } from '../routes/baseUrl.ts'
import { answerOf, bytesBeforeCut, type RecordedAnswer } from './answer.ts'
import { bodySize, isFile } from './bodies.ts'
import { playHooks } from './hooks.ts'
import type { Playback, RecordedMatch } from './playback.ts'
import { discard, isGone } from './requestBody.ts'
import { scaled, waitOf } from './time.ts'

/** A body that took no longer is sent at once. */
const minReceiveMs = 100

type Recorded = Exclude<RecordedMatch, { how: 'unknown' }>

interface PlaybackContext extends FaultWire {
  readonly mock: Mock
  readonly replay: Playback
  readonly recorded: Recorded
  readonly request: FastifyRequest
  readonly base: string
  /** When the request came, by the world's clock. */
  readonly startedAt: number
}

export async function playCall(
  mock: Mock,
  replay: Playback,
  recorded: Recorded,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { context, exchange } = request
  const { clock } = context.world
  const { entry, call } = recorded
  const scene: PlaybackContext = {
    mock,
    replay,
    recorded,
    request,
    base: ownBaseUrl(request),
    clock,
    response: reply.raw,
    startedAt: clock.now(),
  }
  if (call.requestId !== undefined) exchange.id = call.requestId
  exchange.jobId = call.jobId ?? null
  exchange.played = { number: replay.numberOf(recorded.i, entry), fault: entry._fault, cut: call.cut }
  try {
    await act(scene, call.cut, reply)
  } catch (error) {
    exchange.aborted = isGone(reply.raw)
    if (!exchange.aborted) mock.log.error({ err: error, request_id: exchange.requestId }, 'a recorded answer failed')
    reply.raw.destroy()
    // Once it is in the journal, only its answer has failed.
    if (exchange.seq === 0) write(scene, undefined)
  }
}

async function act(scene: PlaybackContext, cut: Cut | undefined, reply: FastifyReply): Promise<void> {
  const { mock, request, recorded } = scene
  const { entry } = recorded
  if (cut !== undefined) hold(scene)
  askForBody(request, reply)
  if (cut?.when === 'in_request') {
    await discard(request, cut.by === 'server' ? (cut.bytes ?? 1024) : undefined)
    if (cut.by === 'server') {
      write(scene, undefined)
      return resetConnection(scene)
    }
  } else await discard(request)
  if (cut?.by === 'client' && entry.response.status === 0) {
    // Nobody knows what it would have got: it waited in vain, and so it does again.
    await waited(scene, entry.time ?? 0)
    write(scene, undefined)
    return closeConnection(scene)
  }
  if (cut?.how === 'silence' && cut.when === 'before_head') return write(scene, undefined)
  const isThere = await waited(scene, waitOf(entry))
  if (!isThere || entry.response.status === 0 || cut?.when === 'before_head') {
    if (!isThere) request.exchange.aborted = true
    write(scene, undefined)
    return cut?.how === 'reset' || cut?.how === 'no_connection' ? resetConnection(scene) : closeConnection(scene)
  }
  const answer = answerOf(entry, scene.replay, scene.base)
  if (mock.config.mockHeaders) answer.headers['x-mock-replay'] = labelOf(scene)
  write(scene, answer)
  if (cut === undefined) await sendWhole(scene, answer)
  else await sendPart(partial(answer), scene, bytesBeforeCut(cut, answer), endOf(cut))
  if (recorded.how === 'played') playHooks(mock, scene.replay, recorded, request, scene.base)
}

/** "12", or "repeated 12". */
function labelOf({ replay, recorded: { how, i, entry } }: PlaybackContext): string {
  const number = replay.numberOf(i, entry)
  return how === 'played' ? String(number) : `repeated ${number}`
}

/** Waits till so much of the recording has passed since the request came; false when its client has gone meanwhile. */
async function waited(scene: PlaybackContext, ms: number): Promise<boolean> {
  const leftMs = scene.startedAt + scaled(scene.mock, ms) - scene.clock.now()
  return leftMs <= 0 ? !isGone(scene.response) : pause(scene, leftMs)
}

/** Into the journal, before any of it leaves. */
function write({ mock, request }: PlaybackContext, answer: RecordedAnswer | undefined): void {
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
function hold({ mock, response }: PlaybackContext): void {
  mock.held.add(response)
  response.once('close', () => mock.held.delete(response))
}

async function sendWhole(scene: PlaybackContext, answer: RecordedAnswer): Promise<void> {
  const { response, request, recorded, mock } = scene
  const { status, headers, body, announced } = answer
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    const length = announced ?? bodySize(body)
    return void response.writeHead(status, length === 0 ? headers : { ...headers, 'content-length': length }).end()
  }
  const receiveMs = scaled(mock, recorded.entry.timings?.receive ?? 0)
  const size = bodySize(body)
  if (receiveMs >= minReceiveMs && size > 0) {
    const perSecond = size / (receiveMs / 1000)
    return sendSlowly(whole(answer), scene, Math.max(1, Math.ceil(perSecond / 20)), perSecond)
  }
  writeHead(scene, whole(answer))
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
