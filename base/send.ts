/** Sends requests over real sockets, and says in words why no answer came. */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { monotonicMs } from './clock.ts'
import { type Incoming, NoAnswer, type Outgoing } from './http.ts'
import { defined } from './inputs.ts'
import { isLoopback, loopbackOnly } from './loopback.ts'
import { contentSize } from './multipart.ts'
import { joinedHeaders, type Trust, tlsOptions, tlsTrust, writeBody } from './wire.ts'

/** An output of more is no output of a short clip. */
const maxBodyBytes = 256 * 1024 * 1024
/** A large upload may take a second longer for each of these. */
const slowestBytesPerSecond = 1024 * 1024

export interface Transport {
  send(out: Outgoing): Promise<Incoming>
  close(): void
}

export function makeTransport(trust: Trust, signal?: AbortSignal): Transport {
  const common = { keepAlive: true, maxSockets: 64 }
  const tls = tlsOptions(tlsTrust(trust))
  const http = new HttpAgent(common)
  const https = new HttpsAgent({ ...common, ...tls })
  const send = async (out: Outgoing, again = true): Promise<Incoming> => {
    const url = new URL(out.url)
    if (trust.onlyLoopback && !isLoopback(url.hostname))
      throw new NoAnswer(`${url.hostname} is not this machine, and nothing else may be asked`)
    const isTls = url.protocol === 'https:'
    const shared = isTls ? https : http
    // A POST that is cut must not be sent again, as it may have cost something: a fresh connection is never stale.
    const isFresh = out.method !== 'GET' || !again
    const own = !isFresh ? undefined : isTls ? new HttpsAgent({ ...common, ...tls }) : new HttpAgent(common)
    const options = {
      agent: own ?? shared,
      method: out.method,
      headers: out.headers,
      ...defined({ signal, lookup: trust.onlyLoopback ? loopbackOnly : undefined }),
    }
    const attempt = await exchange(out, url, isTls ? httpsRequest : httpRequest, options).finally(() => own?.destroy())
    if (!('stale' in attempt)) return attempt
    // The server closed an idle connection at the moment of its use: that is how keep-alive goes, not a fault.
    if (again) return send(out, false)
    throw new NoAnswer('the connection was cut before an answer came')
  }
  return {
    send,
    close: () => {
      http.destroy()
      https.destroy()
    },
  }
}

function exchange(
  out: Outgoing,
  url: URL,
  request: typeof httpRequest,
  options: RequestOptions,
): Promise<Incoming | { stale: true }> {
  const startedAt = monotonicMs()
  const { content } = out
  const size = contentSize(content)
  const withinMs = out.timeoutMs + (size / slowestBytesPerSecond) * 1000
  return new Promise((resolve, reject) => {
    const headers = { ...options.headers, ...(out.method !== 'GET' && { 'Content-Length': size }) } as Record<
      string,
      string
    >
    const call = request(url, { ...options, headers })
    let isAnswered = false
    const deadline = setTimeout(() => {
      call.destroy(
        new NoAnswer(
          `no ${isAnswered ? 'whole ' : ''}answer within ${withinMs < 10_000 ? Number((withinMs / 1000).toPrecision(3)) : Math.round(withinMs / 1000)} s`,
        ),
      )
    }, withinMs)
    const fail = (error: Error) => {
      clearTimeout(deadline)
      const { code } = error as NodeJS.ErrnoException
      if (call.reusedSocket && !isAnswered && code === 'ECONNRESET') resolve({ stale: true })
      else reject(error instanceof NoAnswer ? error : new NoAnswer(wordsFor(error, url), { cause: error }))
    }
    call.on('response', answer => {
      isAnswered = true
      read(answer).then(bytes => {
        clearTimeout(deadline)
        // An answer may come before the whole body was sent: the rest of that is of no use.
        if (!call.writableFinished) call.destroy()
        resolve({
          status: answer.statusCode ?? 0,
          headers: joinedHeaders(answer),
          bytes,
          ms: monotonicMs() - startedAt,
        })
      }, fail)
    })
    call.on('error', error => {
      if (!isAnswered) fail(error)
    })
    if (content === undefined || content instanceof Uint8Array) call.end(content)
    else writeBody(call, content, () => isAnswered).catch(fail)
  })
}

async function read(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer) {
      size += (chunk as Buffer).length
      if (size > maxBodyBytes) throw new NoAnswer(`the answer is larger than ${maxBodyBytes} bytes`)
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    if (error instanceof NoAnswer) throw error
    throw new NoAnswer(`the answer was cut after ${size} bytes of its body`)
  }
  return Buffer.concat(chunks)
}

/** Why there was no answer, and what to do about it. */
export function wordsFor(error: Error, { hostname, port, protocol }: URL): string {
  const { code = '' } = error as NodeJS.ErrnoException
  const at = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
  if (code === 'ECONNREFUSED') return `nothing listens at ${at}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `there is no host ${hostname}`
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection was cut before an answer came'
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT') return `${at} can not be reached`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return handshakeWords(error, at)
  if (code.startsWith('HPE_')) return `what came is not HTTP/1.1 (${code})`
  if (isOfCertificate(code)) return certificateWords(error, hostname)
  return error.message || code || 'no answer came'
}

/** Whether the server's certificate was refused, and not the connection. */
export const isOfCertificate = (code: string): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code) && !code.startsWith('ERR_SSL')

function certificateWords(error: NodeJS.ErrnoException & { cert?: { subjectaltname?: string } }, host: string): string {
  const { code = '', cert } = error
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = cert?.subjectaltname?.replace(/(DNS|IP Address):/g, '') ?? 'another host'
    return `its certificate is for ${names}, not for ${host} (${code}); reach it by a name that is in it`
  }
  if (code === 'CERT_HAS_EXPIRED') return `its certificate has expired (${code}); it has to be renewed there`
  return `its certificate is not trusted (${code}); give its authority with --ca FILE`
}

/** Where there is no plain TLS server, or one that doesn't want us. */
function handshakeWords({ message, code }: NodeJS.ErrnoException, at: string): string {
  const [, alert] = /(?:alert|ALERT)[ _]([\w ]+)/.exec(`${message} ${code}`) ?? []
  if (/certificate.required/i.test(`${message} ${code}`))
    return `${at} asks for a certificate of the client; give one with --client-cert FILE`
  if (alert !== undefined)
    return `${at} refused the TLS handshake (alert ${alert.trim().toLowerCase().replaceAll('_', ' ')})`
  return `${at} does not speak TLS; is it http:// instead?`
}
