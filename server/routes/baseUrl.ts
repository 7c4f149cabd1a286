import type { FastifyRequest } from 'fastify'

/** The last one that was asked for: a client's calls all have the same, and its jobs keep it. */
let last = { host: '', url: '' }

/** Where the client reached the mock: links that it is given lead back the same way, through a port mapping too. */
export function ownBaseUrl(request: FastifyRequest): string {
  const host = request.headers.host ?? ''
  if (host !== '' && host === last.host) return last.url
  const isHost = /^[\w.:[\]-]+$/.test(host)
  const url = isHost ? `http://${host}` : localUrl(request)
  if (isHost) last = { host, url }
  return url
}

function localUrl({ socket }: FastifyRequest): string {
  const address = socket.localAddress ?? '127.0.0.1'
  return `http://${address.includes(':') ? `[${address}]` : address}:${socket.localPort}`
}
