/** One call through the recorder: passed on as it streams, errors and cuts included, and written down when it is over. */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { laterReal, monotonicMs, realDelay } from '../base/clock.ts'
import { wordsFor } from '../base/send.ts'
import type { Cut } from '../recordings/har.ts'
import { RecordedBody, type Store } from './body.ts'
import { entryOf } from './entry.ts'
import { Form } from './form.ts'
import { pairsOf, toTarget } from './headers.ts'
import { Links, maxLinkedBytes } from './links.ts'
import { sendEnvelope } from './refusal.ts'
import { isPlain, type ResponseWriter, responseWriterFor } from './responseWriter.ts'
import type { UpstreamConnection } from './upstreamConnection.ts'

export interface RelaySession extends Store {
  /** The target's base URL, without a slash at its end. */
  base: string
  /** The recorder's. */
  url: string
  upstreamFor(client: Socket): UpstreamConnection
  /** Calls so far; how many of them failed, and how many were cut. */
  tally: { calls: number; failed: number; cut: number }
  isStopping: boolean
}

/** Real ms between the last bytes and a reset: a client that has not read them by then takes it for a mere end. */
const beforeResetMs = 100

/** How long a target that has answered may leave the rest of the request untaken, in real ms. */
const restMs = 500

/** A client that leaves after a wait of so many real ms has given up on the answer. */
const silenceMs = 1000

export class RelayedExchange {
  readonly #session: RelaySession
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #target: URL
  readonly #connection: UpstreamConnection
  readonly #client: Socket
  readonly #number: number
  readonly #at = monotonicMs()
  #placeOnConnection = 0
  readonly #sent: RecordedBody | Form
  #waitsForContinue: boolean
  #upstream: ClientRequest | undefined
  #socket: Socket | undefined
  #isConnected = false
  #peer: { ip?: string; port?: string } = {}
  #wasReset = false
  #answer: IncomingMessage | undefined
  #got: RecordedBody | undefined
  #writer: ResponseWriter | undefined
  /** When the client had sent all of it. */
  #askedAt: number | undefined
  #sentAt: number | undefined
  #headAt: number | undefined
  #endAt: number | undefined
  /** No more of the request comes, or is of interest. */
  #isRequestOver = false
  #stopRestLimit: () => void = () => {}
  #isSettled = false
  #cut: Cut | undefined
  #done: () => void = () => {}

  constructor(session: RelaySession, request: IncomingMessage, response: ServerResponse, waitsForContinue: boolean) {
    this.#session = session
    this.#request = request
    this.#response = response
    this.#waitsForContinue = waitsForContinue
    this.#target = new URL(session.base)
    this.#client = request.socket
    this.#connection = session.upstreamFor(this.#client)
    this.#number = ++session.tally.calls
    session.secrets.noteRequest(request.rawHeaders, request.url ?? '')
    const { 'content-type': type, 'content-encoding': encoding } = request.headers
    this.#sent = /^multipart\/form-data/i.test(type ?? '')
      ? new Form(session, type ?? '')
      : new RecordedBody(session, { type, encoding, isRequest: true })
  }

  /** Resolves when it is written down. */
  run(): Promise<void> {
    const over = new Promise<void>(resolve => {
      this.#done = resolve
    })
    this.#placeOnConnection = this.#connection.begin()
    this.#client.once('close', this.#onGone)
    this.#request.on('error', () => {})
    this.#request.once('end', () => {
      this.#askedAt = monotonicMs()
    })
    this.#response.on('error', () => {})
    this.#response.once('finish', () => this.#settleIfOver())
    // The target has closed this connection, and the client does not know it yet: nothing can be answered.
    if (this.#client.writableEnded)
      this.#cutBy('server', 'before_head', 'closed', 'the target had closed the connection')
    else if (this.#isSmallJson()) this.#collect()
    else this.#stream()
    return over
  }

  /** The recorder ends: so does the call. */
  stop(): void {
    if (!this.#isSettled) this.#client.destroy()
  }

  /** The client's base URL: it may know the recorder by another name than we do. */
  get #shown(): string {
    const { host = '' } = this.#request.headers
    return /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host) ? `http://${host}` : this.#session.url
  }

  /** In what it is sent, the target finds its own URLs; their length differs, so that it is there as a whole first. */
  #isSmallJson(): boolean {
    const { headers } = this.#request
    const length = Number(headers['content-length'] ?? 0)
    return (
      length > 0 &&
      length <= maxLinkedBytes &&
      /json/i.test(headers['content-type'] ?? '') &&
      isPlain(headers['content-encoding'])
    )
  }

  #collect(): void {
    // The body is asked for by us, as nothing of it can go out before all of it is here.
    if (this.#waitsForContinue) this.#response.writeContinue()
    this.#waitsForContinue = false
    const links = new Links([this.#shown, this.#session.url], this.#session.base)
    const chunks: Buffer[] = []
    this.#request.on('data', chunk => {
      const linked = links.push(chunk)
      chunks.push(linked)
      this.#sent.push(linked)
    })
    this.#request.once('end', () => {
      const rest = links.end()
      this.#sent.push(rest)
      this.#isRequestOver = true
      const whole = Buffer.concat([...chunks, rest])
      this.#open(whole.length)?.end(whole)
      this.#settleIfOver()
    })
  }

  #stream(): void {
    const request = this.#request
    const upstream = this.#open()
    if (this.#waitsForContinue || request.headers['transfer-encoding'] !== undefined) upstream?.flushHeaders()
    else if (Number(request.headers['content-length'] ?? 0) > 0) upstream?.flushHeaders()
    request.on('data', (chunk: Buffer) => {
      if (this.#isSettled) return
      const waits = [this.#sent.push(chunk), this.#pass(chunk)].filter(wait => wait !== undefined)
      if (waits.length === 0) return
      request.pause()
      Promise.all(waits).then(() => request.resume())
    })
    request.once('end', () => {
      this.#isRequestOver = true
      if (upstream?.destroyed === false) upstream.end()
      this.#limitRest()
      this.#settleIfOver()
    })
  }

  #pass(chunk: Buffer): Promise<unknown> | undefined {
    const upstream = this.#upstream
    if (upstream === undefined || upstream.destroyed) return undefined
    // Once the answer has ended, Node tells of no 'drain' any more: it is the chunk itself that says when it is out.
    let go = () => {}
    const isTaken = upstream.write(chunk, () => go())
    this.#limitRest()
    if (isTaken) return undefined
    return new Promise<void>(resolve => {
      go = () => {
        upstream.off('close', go)
        resolve()
      }
      upstream.once('close', go)
    })
  }

  /**
   * After the whole answer the rest of the request still goes to the target, as the next call comes over the same
   * connection. If it takes none of it, the rest is thrown away, and the next call gets a connection of its own.
   */
  #limitRest(): void {
    const upstream = this.#upstream
    if (upstream === undefined || this.#answer?.complete !== true) return
    this.#stopRestLimit()
    this.#stopRestLimit = laterReal(restMs, () => {
      if (upstream.destroyed || upstream.writableFinished || upstream.writableLength === 0) return
      if (this.#socket) this.#connection.leave(this.#socket)
      upstream.destroy()
    })
  }

  #open(contentLength?: number): ClientRequest | undefined {
    const { method = 'GET', url = '/', rawHeaders } = this.#request
    const { protocol, hostname, port, host, pathname } = this.#target
    const isTls = protocol === 'https:'
    try {
      const upstream = (isTls ? httpsRequest : httpRequest)({
        agent: this.#connection.agent,
        protocol,
        hostname: hostname.replace(/^\[|\]$/g, ''),
        ...(port !== '' && { port }),
        method,
        path: pathname.replace(/\/+$/, '') + url,
        maxHeaderSize: 128 * 1024,
        headers: toTarget(rawHeaders, {
          method,
          host,
          ...(contentLength !== undefined && { contentLength }),
          keepExpect: this.#waitsForContinue,
        }),
      })
      this.#upstream = upstream
      upstream.once('socket', socket => this.#watch(socket, upstream, isTls))
      upstream.once('finish', () => {
        this.#sentAt = monotonicMs()
      })
      upstream.on('continue', () => {
        this.#waitsForContinue = false
        this.#response.writeContinue()
      })
      upstream.once('response', answer => this.#take(answer))
      upstream.on('error', error => this.#onFailure(error))
      upstream.once('close', () => this.#onUpstreamClose())
      return upstream
    } catch (error) {
      this.#noConnection(error as Error)
      return undefined
    }
  }

  #watch(socket: Socket, upstream: ClientRequest, isTls: boolean): void {
    this.#socket = socket
    this.#connection.watch(socket)
    this.#isConnected = upstream.reusedSocket || (!isTls && !socket.connecting)
    socket.once(isTls ? 'secureConnect' : 'connect', this.#onConnect)
    socket.on('error', this.#onSocketError)
  }

  readonly #onConnect = (): void => {
    this.#isConnected = true
  }

  readonly #onSocketError = (error: NodeJS.ErrnoException): void => {
    if (/^(ECONNRESET|EPIPE|ECONNABORTED|ETIMEDOUT)$/.test(error.code ?? '')) this.#wasReset = true
  }

  #take(answer: IncomingMessage): void {
    if (this.#isSettled) return
    const { secrets, base } = this.#session
    const { remoteAddress, localPort } = answer.socket
    this.#peer = { ...(remoteAddress && { ip: remoteAddress }), ...(localPort && { port: String(localPort) }) }
    this.#answer = answer
    this.#headAt = monotonicMs()
    secrets.noteAnswer(answer.rawHeaders)
    const got = new RecordedBody(this.#session, {
      type: answer.headers['content-type'],
      encoding: answer.headers['content-encoding'],
    })
    this.#got = got
    answer.on('error', () => {})
    answer.once('close', () => {
      if (!answer.complete) this.#cutByServer('in_body', 'the answer was cut in its body')
    })
    // Without a body that was waited for, there is no telling where the next request begins.
    if (this.#waitsForContinue) this.#response.shouldKeepAlive = false
    try {
      const prefix = this.#target.pathname.replace(/\/+$/, '')
      const writer = responseWriterFor(answer, this.#response, { base, prefix, shown: this.#shown })
      this.#writer = writer
      answer.on('data', (chunk: Buffer) => {
        const waits = [got.push(chunk), writer.push(chunk)].filter(wait => wait !== undefined)
        if (waits.length === 0) return
        answer.pause()
        Promise.all(waits).then(() => answer.resume())
      })
      answer.once('end', () => {
        if (!answer.complete) return
        this.#endAt = monotonicMs()
        writer.end()
        this.#limitRest()
        if (this.#waitsForContinue) this.#isRequestOver = true
      })
    } catch (error) {
      this.#cutByServer('before_head', `its answer can't be passed on: ${(error as Error).message}`)
    }
  }

  #onFailure(error: Error): void {
    // With an answer, its own end tells how it ended.
    if (this.#isSettled || this.#answer !== undefined) return
    if (!this.#isConnected) return this.#noConnection(error)
    // Node's own words for a connection that was closed; a reset is told by the socket.
    const isClosed = error.message === 'socket hang up'
    if (!isClosed) this.#onSocketError(error)
    const when = this.#upstream?.writableFinished ? 'before_head' : 'in_request'
    this.#cutByServer(
      when,
      isClosed ? 'the connection was closed before an answer came' : wordsFor(error, this.#target),
    )
  }

  /** After its answer the target takes no more of the request. */
  #onUpstreamClose(): void {
    if (this.#upstream?.writableFinished || this.#isRequestOver) return
    this.#isRequestOver = true
    this.#request.resume()
    this.#settleIfOver()
  }

  #noConnection(error: Error): void {
    const why = wordsFor(error, this.#target)
    this.#cut = { by: 'server', when: 'before_head', how: 'no_connection', message: why }
    this.#endAt = monotonicMs()
    if (this.#waitsForContinue) {
      this.#response.shouldKeepAlive = false
      this.#isRequestOver = true
    }
    const message = this.#session.secrets.clean(`The recorder could not reach the target: ${why}`)
    sendEnvelope(this.#response, 502, 'internal_error', message, this.#number)
  }

  #cutByServer(when: Cut['when'], message: string): void {
    if (this.#isSettled) return
    const how = this.#wasReset ? 'reset' : 'closed'
    const isInBody = when === 'in_body'
    this.#cutBy('server', when, how, message)
    const ready = isInBody ? this.#writer?.cut() : undefined
    if (ready === undefined) return this.#hangUp(how)
    ready.then(() => (how === 'reset' ? realDelay(beforeResetMs) : undefined)).then(() => this.#hangUp(how))
  }

  /** The client meets what we have met. */
  #hangUp(how: 'reset' | 'closed'): void {
    const end = (socket: Socket) =>
      void (how === 'reset' ? socket.resetAndDestroy() : socket.end(() => socket.destroy()))
    // Where requests are pipelined, it is not this one's turn yet.
    if (this.#response.socket) end(this.#response.socket)
    else if (!this.#client.destroyed) this.#response.once('socket', end)
  }

  readonly #onGone = (): void => {
    if (this.#isSettled) return
    const isOver = this.#response.writableFinished || this.#cut !== undefined
    if (isOver) return this.#settle()
    const { isStopping } = this.#session
    const when = this.#answer !== undefined ? 'in_body' : this.#request.complete ? 'before_head' : 'in_request'
    const waitedMs = this.#askedAt === undefined ? 0 : monotonicMs() - this.#askedAt
    if (when === 'before_head' && waitedMs >= silenceMs && !isStopping)
      this.#cutBy('server', when, 'silence', `no answer came; the client gave up after ${Math.round(waitedMs)} ms`)
    else this.#cutBy('client', when, 'closed', isStopping ? 'the recorder was stopped' : undefined)
    this.#upstream?.destroy()
  }

  #cutBy(by: Cut['by'], when: Cut['when'], how: Cut['how'], message: string | undefined): void {
    const bytes = when === 'in_body' ? this.#got?.size : when === 'in_request' ? this.#sent.size : undefined
    this.#cut = { by, when, how, ...(bytes !== undefined && { bytes }), ...(message !== undefined && { message }) }
    this.#endAt ??= monotonicMs()
    this.#settle()
  }

  #settleIfOver(): void {
    if (this.#response.writableFinished && this.#isRequestOver) this.#settle()
  }

  #settle(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#endAt ??= monotonicMs()
    this.#client.off('close', this.#onGone)
    this.#socket
      ?.off('error', this.#onSocketError)
      .off('connect', this.#onConnect)
      .off('secureConnect', this.#onConnect)
    // What the target has cut is hung up on in its own way.
    if (this.#cut?.by !== 'server' || this.#cut.how === 'no_connection') this.#connection.end()
    this.#write().then(this.#done, this.#done)
  }

  async #write(): Promise<void> {
    const { writer, secrets, tally, base } = this.#session
    const { method = '', url = '', httpVersion, rawHeaders, complete } = this.#request
    const answer = this.#answer
    const cut = this.#cut
    const comments: string[] = []
    const broken = (error: Error) => ({ comment: `a body was not kept: ${error.message}` })
    const body = await this.#sent.finish(complete, false).catch(broken)
    const content = (await this.#got?.finish(answer?.complete === true).catch(broken)) ?? {}
    if (!complete && cut === undefined) comments.push("the answer was over before all of the request's body was sent")
    const host = this.#target.host
    writer.add(
      entryOf(
        {
          number: this.#number,
          at: this.#at,
          sentAt: this.#sentAt,
          headAt: this.#headAt,
          endAt: this.#endAt ?? this.#at,
          method,
          url: base + url,
          httpVersion: `HTTP/${httpVersion}`,
          headers: [...pairsOf(rawHeaders)].flatMap(([name, value]) => [name, /^host$/i.test(name) ? host : value]),
          requestSize: this.#sent.size,
          body,
          answer: answer && {
            status: answer.statusCode ?? 0,
            statusText: answer.statusMessage ?? '',
            httpVersion: `HTTP/${answer.httpVersion}`,
            headers: answer.rawHeaders,
          },
          answerSize: this.#got?.size ?? 0,
          content,
          serverIp: this.#peer.ip,
          connection: this.#peer.port,
          placeOnConnection: this.#placeOnConnection,
          cut,
          comments,
        },
        secrets,
      ),
    )
    if (cut !== undefined && cut.how !== 'no_connection') tally.cut++
    else if (cut !== undefined || (answer?.statusCode ?? 0) >= 400) tally.failed++
  }
}
