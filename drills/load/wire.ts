/**
 * Requests on real connections, as many at once as are due. A connection carries one request at a time; one that is free
 * is taken again, a new one is made when none is, and beyond `maxConnections` a request waits. Nothing is retried here:
 * what fails has failed.
 */
import type { ConnectionOptions } from 'node:tls'
import type { Client, Dispatcher } from 'undici'
import { laterReal, monotonicMs } from '../../base/clock.ts'
import { type TlsTrust, tlsOptions } from '../../base/wire.ts'
import type { Outbound } from '../calls.ts'

export interface LoadResponse {
  /** 0: no answer came. */
  status: number
  /** Names in lower case. */
  headers: Readonly<Record<string, string | string[]>>
  /** Empty where nobody wanted it. */
  body: Buffer
  /** Whether somebody did, so that the body is whole. */
  kept: boolean
  /** Why no answer came. */
  error?: string
  /** monotonicMs() at which it was sent, and at which it ended. */
  sentAt: number
  endedAt: number
  /** It had to wait for a connection. */
  waited: boolean
  /** ms from when it was handed over to when it was sent, where that is this process's own fault. */
  ownLagMs?: number
}

/** What sends a drill's requests: from this thread, or from several of their own. */
export interface LoadSender {
  /** Requests that were begun and have not ended. */
  readonly inFlight: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** How busy the busiest of its own threads has been since the last time that this was asked, 0 to 1; 0 without any. */
  utilization(): number
  /** Counts what something else has received. */
  received(bytes: number): void
  /** `wants` says whether the body of an answer is worth keeping; `done` is called once, with an answer or without. */
  send(out: Outbound, wants: (status: number) => boolean, done: (answered: LoadResponse) => void): void
  /** Ends everything at once; what is underway ends as failed. */
  close(): Promise<void>
}

export interface WireOptions {
  base: string
  maxConnections: number
  timeoutMs: number
  tls?: TlsTrust
}

type Wants = (status: number) => boolean
type SentRequest = Pick<Outbound, 'method' | 'path' | 'headers' | 'body' | 'needsBody'>
interface Waiting {
  out: SentRequest
  wants: Wants
  done: (answered: LoadResponse) => void
}

interface Flight {
  readonly deadline: number
  controller: Dispatcher.DispatchController | undefined
  isLate: boolean
}

/** A request that nobody answers is ended at most so long after its time. */
const deadlineCheckMs = 25
const nobody = Buffer.alloc(0)

/** undici is loaded now: who only starts a mock would wait for it. */
export async function openWire(options: WireOptions): Promise<LoadConnections> {
  const { Client } = await import('./undiciClient.ts')
  return new LoadConnections(options, (origin, settings) => new Client(origin, settings))
}

type Connect = (origin: string, settings: Client.Options) => Client

export class LoadConnections implements LoadSender {
  readonly #options: WireOptions
  readonly #tls: ConnectionOptions | undefined
  readonly #connect: Connect
  readonly #origin: string
  readonly #prefix: string
  readonly #idle: Client[] = []
  readonly #all = new Set<Client>()
  #waiting: Waiting[] = []
  #nextWaiting = 0
  /** In the order in which they were sent, which is that of their deadlines. */
  readonly #flights = new Set<Flight>()
  #stopChecks: (() => void) | undefined
  #isClosed = false
  bytesSent = 0
  bytesReceived = 0

  constructor(options: WireOptions, connect: Connect) {
    this.#options = options
    this.#tls = options.tls && tlsOptions(options.tls)
    this.#connect = connect
    const { origin, pathname } = new URL(options.base)
    this.#origin = origin
    this.#prefix = pathname.replace(/\/+$/, '')
  }

  get inFlight(): number {
    return this.#flights.size + this.#waiting.length - this.#nextWaiting
  }

  utilization(): number {
    return 0
  }

  received(bytes: number): void {
    this.bytesReceived += bytes
  }

  send(out: SentRequest, wants: Wants, done: (answered: LoadResponse) => void): void {
    if (this.#isClosed) return refuseClosed(done)
    const client = this.#idle.pop() ?? this.#another()
    if (client) this.#dispatch(client, out, wants, done, false)
    else this.#waiting.push({ out, wants, done })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopChecks?.()
    const waiting = this.#waiting.slice(this.#nextWaiting)
    this.#waiting = []
    this.#nextWaiting = 0
    const now = monotonicMs()
    for (const { done } of waiting)
      done({ ...unanswered('the drill was stopped'), sentAt: now, endedAt: now, waited: true })
    await Promise.all([...this.#all].map(client => client.destroy(new Error('the drill was stopped'))))
  }

  #another(): Client | undefined {
    if (this.#all.size >= this.#options.maxConnections || this.#isClosed) return undefined
    const { timeoutMs } = this.#options
    const client = this.#connect(this.#origin, {
      pipelining: 1,
      // This one's own deadline is exact, and counts from the sending.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: timeoutMs, ...this.#tls },
    })
    this.#all.add(client)
    return client
  }

  #dispatch(
    client: Client,
    out: SentRequest,
    wants: Wants,
    done: (answered: LoadResponse) => void,
    waited: boolean,
  ): void {
    const { method, path, headers, body } = out
    const sentAt = monotonicMs()
    const flight: Flight = { deadline: sentAt + this.#options.timeoutMs, controller: undefined, isLate: false }
    this.#flights.add(flight)
    this.#stopChecks ??= laterReal(deadlineCheckMs, this.#checkDeadlines)
    this.bytesSent += body === undefined ? 0 : body.length
    let status = 0
    let answerHeaders: LoadResponse['headers'] = {}
    let chunks: Buffer[] | undefined
    const end = (error?: string) => {
      if (!this.#flights.delete(flight)) return
      const endedAt = monotonicMs()
      this.#free(client)
      const kept = chunks === undefined ? nobody : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
      done(
        error === undefined
          ? { status, headers: answerHeaders, body: kept, kept: chunks !== undefined, sentAt, endedAt, waited }
          : { ...unanswered(error), sentAt, endedAt, waited },
      )
    }
    const options: Dispatcher.DispatchOptions = {
      path: this.#prefix + path,
      method,
      headers: headers as Record<string, string>,
    }
    if (body !== undefined) options.body = body
    client.dispatch(options, {
      onRequestStart: controller => {
        flight.controller = controller
        // Its time ran out while the connection was made.
        if (flight.isLate) controller.abort(new Error('too late'))
      },
      onResponseStart: (_controller, statusCode, found) => {
        status = statusCode
        answerHeaders = found as LoadResponse['headers']
        if (out.needsBody || wants(statusCode)) chunks = []
      },
      onResponseData: (_controller, chunk) => {
        this.bytesReceived += chunk.length
        chunks?.push(chunk)
      },
      onResponseEnd: () => end(),
      onResponseError: (_controller, error) =>
        end(flight.isLate ? `no answer within ${this.#options.timeoutMs / 1000} s` : wordsFor(error, status)),
    })
  }

  #free(client: Client): void {
    const next = this.#waiting[this.#nextWaiting]
    if (next === undefined || this.#isClosed) {
      this.#idle.push(client)
      return
    }
    this.#nextWaiting++
    if (this.#nextWaiting > 1024 && this.#nextWaiting * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#nextWaiting)
      this.#nextWaiting = 0
    }
    // Not at once: the client is still in the midst of ending the one before.
    queueMicrotask(() => this.#dispatch(client, next.out, next.wants, next.done, true))
  }

  readonly #checkDeadlines = (): void => {
    const now = monotonicMs()
    for (const flight of this.#flights) {
      if (flight.deadline > now) break
      if (flight.isLate) continue
      flight.isLate = true
      flight.controller?.abort(new Error('too late'))
    }
    this.#stopChecks =
      this.#flights.size === 0 || this.#isClosed ? undefined : laterReal(deadlineCheckMs, this.#checkDeadlines)
  }
}

/** A drill that is stopped early still asks for this and that: it hears so at once, and waits for nothing. */
export function refuseClosed(done: (answered: LoadResponse) => void): void {
  const now = monotonicMs()
  queueMicrotask(() => done({ ...unanswered('the drill was stopped'), sentAt: now, endedAt: now, waited: true }))
}

/** What is known of a request without an answer. */
export const unanswered = (error: string) => ({ status: 0, headers: {}, body: nobody, kept: false, error })

/** Why there was no answer, in few words: they are counted. */
function wordsFor(error: Error, status: number): string {
  const { code = '', message } = ((error as { cause?: Error }).cause ?? error) as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return 'no connection in time'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no such host'
  if (code === 'EMFILE' || code === 'ENFILE' || code === 'EADDRNOTAVAIL')
    return `this machine has no more connections (${code})`
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
    return status === 0 ? 'cut before an answer' : 'cut in the midst of an answer'
  if (code.startsWith('HPE_')) return `no HTTP/1.1 (${code})`
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) return `its certificate is not trusted (${code})`
  return code || message || 'no answer'
}
