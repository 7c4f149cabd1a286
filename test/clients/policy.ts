/**
 * How a client behaves, in small pieces: each can be replaced by a bad one. Those of here do as the documentation says
 * (ERR-3, ERR-4, RL-3, WH-2, ID-1).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { monotonicMs } from '../../base/clock.ts'
import type { Answer, Clip, Delivery, Environment } from './environment.ts'

/** A call as the client wants it, before the policy has had its say. */
export interface Ask {
  method: 'GET' | 'POST'
  /** Below the base URL; or a whole URL that the API has given. */
  path: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  /** A name for what is done, the same on every try; for calls that change something. */
  idempotencyKey?: string
}

export interface Policy {
  /** Whether an answer is worth another try. */
  isRetried(answer: Answer, ask: Ask): boolean
  /** ms to wait before the next try; `retry` counts from 0. */
  pauseMs(retry: number, answer: Answer, random: () => number): number
  /** Tries of one call, the first included. */
  tries: number
  /** How long an answer is waited for. */
  timeoutMs: number
  /** Idempotency-Key of a try, counted from 0. */
  idempotencyKeyOf(key: string, attempt: number): string | undefined
  /** The URL of a call. */
  urlOf(environment: Environment, path: string): string
  /** Whether X-Api-Key goes along. */
  sendsKey(environment: Environment, url: string): boolean

  /** Done before anything else. */
  prepare(environment: Environment): Ask[]
  /** What is uploaded of a clip, and how large the client says that it will be where that isn't so. */
  fileOf(clip: Clip): Pick<Clip, 'filename' | 'type' | 'bytes'> & { announcedBytes?: number }
  /** The job's metadata. */
  metadataOf(environment: Environment): Record<string, string>
  /** Whether the download is asked for before anything is known of the job. */
  asksDownloadFirst: number

  /** ms before a poll; `poll` counts from 0. */
  pollPauseMs(poll: number, random: () => number): number
  /** How long a job is polled that comes to no end. */
  patienceMs: number
  /** Polls of a job that is over. */
  pollsAfterEnd: number

  /** The status that a webhook is answered with; undefined keeps its sender waiting. */
  answerHook(delivery: Delivery, isKnown: boolean, environment: Environment): number | undefined
  /** Whether a webhook is acted on; `isKnown`: one of its delivery id was before. */
  believesHook(delivery: Delivery, isKnown: boolean, environment: Environment): boolean
}

/** Capacity, server errors and lost or unreadable answers (ERR-3), and a first try that is still in flight (ID-1). */
export const isWorthRetrying = (answer: Answer): boolean =>
  answer.status === 409 || answer.status === 429 || answer.status >= 500 || isLost(answer)

/** No answer, half an answer, or one that is not JSON where JSON was asked for. */
export function isLost({ status, isWhole, headers, bytes }: Answer): boolean {
  if (status === 0 || !isWhole) return true
  if (status >= 300 || headers['content-type']?.startsWith('application/json') !== true) return false
  try {
    JSON.parse(bytes.toString())
    return false
  } catch {
    return true
  }
}

/** RL-3: 1-2 s, 2-4 s, 4-8 s, then 8-16 s. */
export const backoffMs = (retry: number, random: () => number): number =>
  Math.min(1_000 * 2 ** retry, 8_000) * (1 + random())

/** RL-2: what an answer asks to wait, in seconds or until a date; 0 where it asks nothing that can be read. */
export function retryAfterMs({ headers, at }: Answer): number {
  const asked = headers['retry-after'] ?? ''
  if (/^\d+$/.test(asked)) return Number(asked) * 1_000
  return /^[A-Z][a-z]{2}, /.test(asked) ? Math.max(0, Date.parse(asked) - at) : 0
}

/** Who is asked to wait longer gives up, and says so. */
const longestWaitMs = 5 * 60_000
export const isWorthWaiting = (answer: Answer): boolean => retryAfterMs(answer) <= longestWaitMs

/** WH-2. */
export function isSigned({ signature, timestamp, body }: Delivery, secret: string): boolean {
  const right = Buffer.from(`sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`)
  const given = Buffer.from(signature ?? '')
  return given.length === right.length && timingSafeEqual(given, right)
}

/** A signature is as good as its time is near: an old one may be a copy that somebody has kept. */
const freshMs = 5 * 60_000
export const isFresh = ({ timestamp }: Delivery): boolean =>
  // Webhooks have the real time, whatever was done to the mock's clock.
  Math.abs(monotonicMs() - Date.parse(timestamp)) <= freshMs

const isTrusted = (delivery: Delivery, { webhookSecret }: Environment): boolean =>
  isSigned(delivery, webhookSecret) && isFresh(delivery)

/** The parts of the API that know the caller by its key; files and /health don't ask for one. */
const needsKey = (path: string): boolean => path.startsWith('/v1/') || path.startsWith('/api/')

export const good: Policy = {
  isRetried: answer => isWorthRetrying(answer) && isWorthWaiting(answer),
  // What is asked for, and a little more, so that not all come back at once.
  pauseMs: (retry, answer, random) => Math.max(retryAfterMs(answer) + random() * 1_000, backoffMs(retry, random)),
  tries: 5,
  timeoutMs: 30_000,
  idempotencyKeyOf: key => key,
  urlOf: ({ base }, path) => (path.startsWith('http') ? path : base + path),
  sendsKey: ({ base }, url) => url.startsWith(base) && needsKey(url.slice(base.length)),

  prepare: () => [],
  fileOf: clip => clip,
  metadataOf: () => ({ project: 'spring campaign' }),
  asksDownloadFirst: 0,

  pollPauseMs: (poll, random) => Math.min(2_000 * 1.5 ** poll, 8_000) * (1 + random() / 4),
  patienceMs: 20 * 60_000,
  pollsAfterEnd: 0,

  answerHook: (delivery, _isKnown, environment) => (isTrusted(delivery, environment) ? 204 : 401),
  believesHook: (delivery, isKnown, environment) => !isKnown && isTrusted(delivery, environment),
}
