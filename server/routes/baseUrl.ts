/** Where links lead that the mock makes: video_url, output_url, download_url, those in webhooks. */
import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'

declare module 'fastify' {
  interface FastifyInstance {
    links: Pick<Config, 'publicUrl' | 'trustProxy' | 'cors'>
  }
}

/** The last one that was asked for: a client's calls all have the same, and its jobs keep it. */
let last = { host: '', isTls: false, url: '' }

/**
 * --public-url where that is set; with --trust-proxy where the proxy says that the client reached it (RFC 7239, and
 * X-Forwarded-*); else the client's own Host, through a port mapping too.
 */
export function ownBaseUrl(request: FastifyRequest): string {
  const { publicUrl, trustProxy } = request.server.links
  if (publicUrl !== undefined) return publicUrl
  const forwarded = trustProxy ? forwardedUrl(request) : undefined
  if (forwarded !== undefined) return forwarded
  const host = request.headers.host ?? ''
  const isTls = isEncrypted(request)
  if (host !== '' && host === last.host && isTls === last.isTls) return last.url
  const url = `${isTls ? 'https' : 'http'}://${isHost(host) ? host : localHost(request)}`
  if (isHost(host)) last = { host, isTls, url }
  return url
}

const isHost = (text: string): boolean => /^[\w.:[\]-]+$/.test(text)

/** The first proxy's word counts: it is the one that the client reached. */
function forwardedUrl(request: FastifyRequest): string | undefined {
  const { headers } = request
  const first = (name: string) =>
    String(headers[name] ?? '')
      .split(',')[0]
      ?.trim() ?? ''
  const forwarded = new Map(
    first('forwarded')
      .split(';')
      .map(pair => /^\s*(\w+)\s*=\s*"?([^"]*)"?\s*$/.exec(pair) ?? [])
      .map(([, name = '', value = '']) => [name.toLowerCase(), value]),
  )
  const proto = (forwarded.get('proto') ?? first('x-forwarded-proto')).toLowerCase()
  const named = forwarded.get('host') ?? first('x-forwarded-host')
  const port = first('x-forwarded-port')
  const prefix = first('x-forwarded-prefix').replace(/\/+$/, '')
  const isSaid = proto === 'http' || proto === 'https'
  if (!isSaid && named === '') return undefined
  let host = isHost(named) ? named : (headers.host ?? '')
  if (!isHost(host)) return undefined
  const isPort = /^\d{1,5}$/.test(port) && port !== (proto === 'https' ? '443' : '80')
  if (isPort && !/:\d+$/.test(host)) host = `${host}:${port}`
  return `${isSaid ? proto : isEncrypted(request) ? 'https' : 'http'}://${host}${/^(\/[\w.~%-]+)+$/.test(prefix) ? prefix : ''}`
}

/** Whether the client has come over TLS. */
const isEncrypted = ({ raw }: FastifyRequest): boolean =>
  (raw.socket as Socket & { encrypted?: boolean }).encrypted === true

function localHost({ socket }: FastifyRequest): string {
  const address = socket.localAddress ?? '127.0.0.1'
  return `${address.includes(':') ? `[${address}]` : address}:${socket.localPort}`
}
