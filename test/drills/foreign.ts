/**
 * A server of known behaviour, which knows nothing of the mock: what a drill measures on it is known beforehand. It
 * answers as documented, after a fixed service time, with a token bucket a key, pauses that are planned, and flaws on order.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { examples } from '../../contracts/examples.ts'
import { listening } from '../suite/checking.ts'

export interface Behaviour {
  /** ms that each answer takes. */
  serviceMs?: number
  /** Answers one request after the other, so that the capacity is 1000 / serviceMs a second. */
  isSerial?: boolean
  /** No answer leaves the server for so long from when the n-th poll comes; what came in it goes out at its end. */
  pause?: { fromPoll: number; forMs: number }
  /**
   * So many calls of a key pass in a window, which begins with the first; sinceLast: which ends so long after the last, so that a
   * burst is within one however slow the machine is. Retry-After is twice as long then.
   */
  limit?: { calls: number; perMs: number; sinceLast?: boolean }
  /** All keys together. */
  isLimitShared?: boolean
  /** Added to what Retry-After says, in s. */
  retryAfterError?: number
  /** Called with each answer before it goes out. */
  alter?: (answer: Answer, request: { method: string; path: string; n: number }) => Answer | undefined
  /** Creates that make two jobs, and creates whose job is not there afterwards: every n-th. */
  doubleEvery?: number
  loseEvery?: number
  /** Whether the same Idempotency-Key gives the same job; true unless told otherwise. */
  isIdempotent?: boolean
  /** The list shows no metadata: doubles are not to be seen there. */
  hidesMetadata?: boolean
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body: unknown
}

export interface Foreign {
  url: string
  /** Requests by "METHOD /path" with ids as {id}. */
  counts: Map<string, number>
  behaviour: Behaviour
  /** Every job that was made, lost or not. */
  jobs: { id: string; metadata: unknown }[]
}

const now = (): number => performance.now()

export async function foreign(t: Test, behaviour: Behaviour = {}): Promise<Foreign> {
  const counts = new Map<string, number>()
  const jobs: { id: string; metadata: unknown; isLost: boolean }[] = []
  const byKey = new Map<string, string>()
  const windows = new Map<string, { endsAt: number; used: number }>()
  let busyUntil = 0
  let polls = 0
  let pausedUntil = 0
  let n = 0
  let url = ''

  const error = (status: number, code: string, headers: Record<string, string> = {}): Answer => ({
    status,
    headers,
    body: { error: { code, message: `It is ${code}`, request_id: `req_${n}` } },
  })
  const shown = ({ id, metadata }: (typeof jobs)[number]) => ({
    ...examples.Job,
    id,
    output_url: `${url}/out/${id}`,
    ...(self.behaviour.hidesMetadata ? { metadata: {} } : { metadata }),
  })

  function create(body: { metadata?: unknown }, idempotencyKey: string | undefined): Answer {
    const { doubleEvery = 0, loseEvery = 0, isIdempotent = true } = self.behaviour
    const known = idempotencyKey !== undefined && isIdempotent ? byKey.get(idempotencyKey) : undefined
    if (known !== undefined) return { status: 200, body: { ...examples.JobAccepted, id: known } }
    const make = (isLost = false) => {
      const id = `job_${jobs.length}`
      jobs.unshift({ id, metadata: body.metadata, isLost })
      return id
    }
    const creates = counts.get('POST /v1/jobs') ?? 0
    const id = make(loseEvery > 0 && creates % loseEvery === 0)
    if (doubleEvery > 0 && creates % doubleEvery === 0) make()
    if (idempotencyKey !== undefined) byKey.set(idempotencyKey, id)
    return { status: 200, body: { ...examples.JobAccepted, id } }
  }

  function answer(
    method: string,
    path: string,
    query: URLSearchParams,
    body: string,
    headers: IncomingMessage['headers'],
  ): Answer {
    const there = jobs.filter(({ isLost }) => !isLost)
    const id = path.split('/').at(-1) ?? ''
    if (path === '/health') return { status: 200, body: { status: 'ok' } }
    if (path.startsWith('/out/')) return { status: 200, body: 'a file' }
    if (headers['x-api-key'] === 'wrong') return error(401, 'invalid_api_key')
    if (path === '/v1/uploads') return { status: 200, body: { ...examples.Upload, video_url: `${url}/up/short.mp4` } }
    if (method === 'POST' && path === '/v1/jobs') return create(JSON.parse(body), headers['idempotency-key'] as string)
    if (path === '/v1/jobs') {
      const [limit, offset] = [Number(query.get('limit')), Number(query.get('offset'))]
      return {
        status: 200,
        body: { jobs: there.slice(offset, offset + limit).map(shown), total: there.length, limit, offset },
      }
    }
    const job = there.find(one => one.id === id)
    if (!job) return error(404, 'not_found')
    if (path.startsWith('/v1/jobs/')) return { status: 200, body: shown(job) }
    return { status: 200, body: { ...examples.Download, download_url: `${url}/out/${id}` } }
  }

  /** undefined: it passes, and what is left. */
  function limited(key: string): { refused?: Answer; headers: Record<string, string> } {
    const { limit, isLimitShared, retryAfterError = 0 } = self.behaviour
    if (!limit) return { headers: {} }
    const name = isLimitShared ? 'all' : key
    const at = now()
    let window = windows.get(name)
    if (!window || at >= window.endsAt) {
      window = { endsAt: at + limit.perMs, used: 0 }
      windows.set(name, window)
    }
    if (limit.sinceLast) window.endsAt = at + limit.perMs
    const isOver = window.used >= limit.calls
    if (!isOver) window.used++
    const leftSeconds = Math.ceil((window.endsAt - at) / 1000)
    const remaining = limit.calls - window.used
    const headers = {
      'x-ratelimit-limit': String(limit.calls),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': String(leftSeconds),
      'ratelimit-policy': `"default";q=${limit.calls};w=${limit.perMs / 1000}`,
      ratelimit: `"default";r=${remaining};t=${leftSeconds}`,
    }
    if (!isOver) return { headers }
    const retryAfter = String(Math.max(1, leftSeconds * (limit.sinceLast ? 2 : 1) + retryAfterError))
    return { refused: error(429, 'rate_limited', { ...headers, 'retry-after': retryAfter }), headers }
  }

  /** ms from now at which an answer may leave. */
  function waitMs(path: string): number {
    const { serviceMs = 0, isSerial = false, pause } = self.behaviour
    const at = now()
    if (path.startsWith('/v1/jobs/') && ++polls === pause?.fromPoll) pausedUntil = at + pause.forMs
    let leaves = at + serviceMs
    if (isSerial) {
      leaves = Math.max(busyUntil, at) + serviceMs
      busyUntil = leaves
    }
    return Math.max(leaves, pausedUntil) - at
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => reply(request, response, Buffer.concat(chunks).toString('latin1')))
    request.on('error', () => {})
    response.on('error', () => {})
  })

  function reply(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { method = '', headers } = request
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://x')
    n++
    const name = `${method} ${path.replace(/\/(job_|out\/)[^/]+$/, '/{id}')}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
    const isFree = path === '/health' || path.startsWith('/__mock')
    const { refused, headers: limits } = isFree ? { headers: {} } : limited(String(headers['x-api-key']))
    const usual = refused ?? answer(method, path, searchParams, body, headers)
    const altered = self.behaviour.alter ? self.behaviour.alter(usual, { method, path, n }) : usual
    const send = () => {
      if (altered === undefined) return void request.socket.destroy()
      const text = typeof altered.body === 'string' ? altered.body : JSON.stringify(altered.body)
      response
        .writeHead(altered.status, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...limits,
          ...altered.headers,
        })
        .end(text)
    }
    const wait = isFree ? 0 : waitMs(path)
    if (wait > 0) setTimeout(send, wait).unref()
    else send()
  }

  const self: Foreign = { url: '', counts, behaviour, jobs }
  url = `http://127.0.0.1:${await listening(t, server)}`
  self.url = url
  return self
}
