/** What every sender over node:http needs: whom to trust, the body as fast as it is taken, the headers of an answer. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { type ConnectionOptions, createSecureContext, rootCertificates, type SecureContext } from 'node:tls'

export interface Trust {
  /** Take any certificate. */
  insecure?: boolean
  /** A certificate authority to trust beside the system's, as PEM. */
  ca?: string
  /** The client's own certificate, as PEM, for a server that asks for one (mutual TLS). */
  clientCert?: string
  /** Its private key, as PEM. */
  clientKey?: string
  /** Send to this machine alone, wherever a link, a redirect or a name leads to: else there is no answer. */
  onlyLoopback?: boolean
}

/** A body as it is sent. */
export interface Content {
  /** Bytes. */
  size: number
  chunks(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** Options of node:tls that can go to another thread. */
export interface TlsTrust {
  rejectUnauthorized: boolean
  ca?: string[]
  cert?: string
  key?: string
}

export const tlsTrust = ({ insecure, ca, clientCert, clientKey }: Trust): TlsTrust => ({
  rejectUnauthorized: insecure !== true,
  ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
  ...(clientCert !== undefined && clientKey !== undefined && { cert: clientCert, key: clientKey }),
})

const contexts = new Map<string, SecureContext>()

/** The same for node:tls, the certificates read once: the system's 150 take some 10 ms, which each connection would do again. */
export function tlsOptions({ rejectUnauthorized, ...certificates }: TlsTrust): ConnectionOptions {
  const { ca, cert, key } = certificates
  if (ca === undefined && cert === undefined) return { rejectUnauthorized }
  const name = JSON.stringify([ca?.at(-1), cert, key])
  const secureContext = contexts.get(name) ?? createSecureContext(certificates)
  contexts.set(name, secureContext)
  return { rejectUnauthorized, secureContext }
}

/**
 * Writes a body as fast as the other side takes it, and ends the request. Stops when the connection is gone or `isOver`,
 * and after `maxBytes`: then it resolves to false, with the request not ended.
 */
export async function writeBody(
  call: ClientRequest,
  content: Content | undefined,
  isOver: () => boolean,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  let sent = 0
  for await (const chunk of content?.chunks() ?? []) {
    if (isOver() || call.destroyed) return true
    const part = chunk.subarray(0, Math.max(0, maxBytes - sent))
    sent += part.length
    const isFull = part.length > 0 && !call.write(part)
    if (sent >= maxBytes) return false
    if (isFull) await drained(call)
  }
  if (!call.destroyed) call.end()
  return true
}

/** Resolves when there is room again, or when nothing more needs to be written. */
const drained = (call: ClientRequest): Promise<void> =>
  new Promise(resolve => {
    const events = ['drain', 'close', 'response']
    const go = () => {
      for (const event of events) call.off(event, go)
      resolve()
    }
    for (const event of events) call.once(event, go)
  })

/** An answer's headers: names in lower case, repeated ones joined by a comma. */
export function joinedHeaders(answer: IncomingMessage | undefined): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(answer?.headers ?? {}))
    found[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  return found
}
