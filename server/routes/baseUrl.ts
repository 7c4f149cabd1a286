import type { FastifyRequest } from 'fastify'

/** Where the client reached the mock: links that it is given lead back the same way, through a port mapping too. */
export function baseUrlOf(request: FastifyRequest): string {
  const host = request.headers.host ?? ''
  if (/^[\w.:[\]-]+$/.test(host)) return `http://${host}`
  return `http://${request.socket.localAddress}:${request.socket.localPort}`
}
