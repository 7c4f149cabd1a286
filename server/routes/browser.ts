/** What a browser asks for by itself: the mock's address leads to its docs, and its tab has an icon. Neither is a call of the API. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Mock } from '../mock.ts'
import { openInternal } from '../pipeline/exchange.ts'

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#4a3aff"/>' +
  '<circle cx="16" cy="12" r="5" fill="#fff"/><path d="M6 27a10 8 0 0 1 20 0z" fill="#fff"/></svg>'

/** Answers GET / of a browser, and GET /favicon.ico; false for all else. */
export function answerBrowser(mock: Mock, request: FastifyRequest, reply: FastifyReply): boolean {
  const { method, url, headers } = request
  if (method !== 'GET' && method !== 'HEAD') return false
  const isHome = url.split('?', 1)[0] === '/' && /\btext\/html\b/.test(headers.accept ?? '')
  if (!isHome && url !== '/favicon.ico') return false
  openInternal(mock)(request, reply, () => {})
  if (isHome) reply.redirect('/docs')
  else reply.type('image/svg+xml').header('cache-control', 'max-age=86400').send(icon)
  return true
}
