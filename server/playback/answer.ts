/** An answer as it was recorded, ready to be sent. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { Cut, HarEntry } from '../../recordings/har.ts'
import { answerBodyOf, bodySize, isFile, type PlaybackBody } from './bodies.ts'
import type { Playback } from './playback.ts'

export interface RecordedAnswer {
  readonly status: number
  readonly headers: Record<string, string | string[]>
  readonly body: PlaybackBody
  /** Bytes that its head announces; undefined where it announced none, or the whole body is there. */
  readonly announced: number | undefined
}

/** Of one connection (RFC 9110, 7.6.1), of one moment, or worked out anew. */
const ownHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'date',
  'content-length',
  'x-mock-replay',
])

/** `base` is the mock's own base URL: links that began with the recorded one lead to it. */
export function answerOf(entry: HarEntry, playback: Playback, base: string): RecordedAnswer {
  const { response } = entry
  const recorded = answerBodyOf(entry, playback.folder)
  const isJson = typeof recorded === 'string' && /^\s*[[{]/.test(recorded)
  const body = isJson ? playback.ledTo(base, recorded, entry) : recorded
  const headers: RecordedAnswer['headers'] = {}
  let length: number | undefined
  for (const { name, value } of response.headers) {
    const lower = name.toLowerCase()
    if (lower === 'content-length' && /^\d+$/.test(value)) length = Number(value)
    if (!ownHeaders.has(lower) && isSendable(lower, value)) add(headers, lower, value)
  }
  // A HAR has bodies unpacked; only one that is as long as it was on the wire is still packed.
  if (headers['content-encoding'] !== undefined && bodySize(recorded) !== length) delete headers['content-encoding']
  if (typeof headers.location === 'string')
    headers.location = JSON.parse(playback.ledTo(base, JSON.stringify(headers.location), entry))
  return { status: response.status, headers, body, announced: announcedOf(entry, length, recorded, body) }
}

function announcedOf(
  entry: HarEntry,
  length: number | undefined,
  recorded: PlaybackBody,
  body: PlaybackBody,
): number | undefined {
  const isCut = entry._cut?.when === 'in_body'
  const isStandIn = isFile(recorded) && recorded.isStandIn === true
  const missing = isStandIn ? 0 : Math.max(0, (length ?? 0) - bodySize(recorded))
  if (length !== undefined) return isCut || missing > 0 ? bodySize(body) + missing : undefined
  // The journal has what would have been sent, without its length; what came in chunks has none.
  const isChunked = entry.response.headers.some(({ name }) => name.toLowerCase() === 'transfer-encoding')
  return isCut && !isChunked && (entry._cut?.bytes ?? 0) < bodySize(body) ? bodySize(body) : undefined
}

/** How many bytes of the body had arrived; half of it where nobody knows, as the faults have it. */
export function bytesBeforeCut({ bytes }: Cut, { body, announced }: RecordedAnswer): number {
  const size = bodySize(body)
  if (bytes !== undefined) return Math.min(bytes, size)
  return announced !== undefined && announced > size ? size : Math.floor(size / 2)
}

/** Another tool's recording may hold what HTTP/1.1 has not, such as :status. */
function isSendable(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

function add(headers: RecordedAnswer['headers'], name: string, value: string): void {
  const before = headers[name]
  headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
}
