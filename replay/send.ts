/** Sends one request as a client did, and reports how it ended. Nothing is sent twice: cuts are what is looked for. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { laterReal, monotonicMs } from '../base/clock.ts'
import { type Content, joinedHeaders, type Trust, tlsOptions, tlsTrust, writeBody } from '../base/wire.ts'
import type { Cut } from '../recordings/har.ts'

export interface ReplayRequest {
  method: string
  url: string
  headers: Record<string, string>
  content: Content | undefined
  /** ms without an end after which the client gives up. */
  timeoutMs: number
  /** Bytes of the body after which the client goes away. */
  leavesAfterBytes?: number
}

export interface Reply {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  /** Of a text answer. */
  text: string
  /** Bytes of the body. */
  size: number
  cut: Cut | undefined
  /** Real ms, by one clock. */
  startedAt: number
  endedAt: number
}

export interface Sender {
  send(out: ReplayRequest): Promise<Reply>
  close(): void
}

/** More text than any answer of the API has. */
const maxTextBytes = 8 * 1024 * 1024
/** Servers let a connection idle for some seconds: one that is used again sooner is never stale. */
const idleMs = 500
const noConnection = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$|CERT|SELF_SIGNED/

export function makeSender(trust: Trust, signal?: AbortSignal): Sender {
  const common = { keepAlive: true, timeout: idleMs }
  const http = new HttpAgent(common)
  const https = new HttpsAgent({ ...common, ...tlsOptions(tlsTrust(trust)) })
  return {
    send: out => exchange(out, { http, https }, signal),
    close() {
      http.destroy()
      https.destroy()
    },
  }
}

function exchange(
  out: ReplayRequest,
  agents: { http: HttpAgent; https: HttpsAgent },
  signal: AbortSignal | undefined,
): Promise<Reply> {
  const startedAt = monotonicMs()
  const url = new URL(out.url)
  const isTls = url.protocol === 'https:'
  const { method, headers, content } = out
  const options: RequestOptions = {
    method,
    headers: { ...headers, ...(sendsLength(out) && { 'content-length': content?.size ?? 0 }) },
    agent: isTls ? agents.https : agents.http,
    ...(signal && { signal }),
  }
  return new Promise(resolve => {
    const call = (isTls ? httpsRequest : httpRequest)(url, options)
    let answer: IncomingMessage | undefined
    let size = 0
    let text = ''
    let isOver = false
    const end = (cut: Cut | undefined) => {
      if (isOver) return
      isOver = true
      cancel()
      // An answer may come before the whole body was sent: the rest of that is of no use.
      if (cut !== undefined || !call.writableFinished) call.destroy()
      const status = answer?.statusCode ?? 0
      resolve({ status, headers: joinedHeaders(answer), text, size, cut, startedAt, endedAt: monotonicMs() })
    }
    const failed = (error?: Error) => {
      const { code = '' } = (error ?? {}) as NodeJS.ErrnoException
      const when = answer !== undefined ? 'in_body' : call.writableFinished ? 'before_head' : 'in_request'
      const how = noConnection.test(code)
        ? 'no_connection'
        : code === 'ECONNRESET' || code === 'EPIPE'
          ? 'reset'
          : 'closed'
      end({ by: 'server', when, how, ...(answer && { bytes: size }) })
    }
    const cancel = laterReal(out.timeoutMs, () =>
      end({ by: 'server', when: answer === undefined ? 'before_head' : 'in_body', how: 'silence' }),
    )
    call.on('error', error => failed(error))
    call.on('response', (got: IncomingMessage) => {
      answer = got
      const isText = /json|text|html|xml/i.test(got.headers['content-type'] ?? 'text')
      const decoder = new TextDecoder()
      got.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (isText && size <= maxTextBytes) text += decoder.decode(chunk, { stream: true })
      })
      got.on('end', () => end(got.complete ? undefined : { by: 'server', when: 'in_body', how: 'closed', bytes: size }))
      got.on('error', error => failed(error))
      got.on('aborted', () => failed())
    })
    const isDone = () => isOver || answer !== undefined
    writeBody(call, content, isDone, out.leavesAfterBytes).then(isWhole => {
      if (!isWhole) end({ by: 'client', when: 'in_request', how: 'closed' })
    }, failed)
  })
}

const sendsLength = ({ method, content }: ReplayRequest): boolean =>
  content !== undefined || /^(POST|PUT|PATCH)$/.test(method)
