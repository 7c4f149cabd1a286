/** /docs/guide/: README and docs/ as a site, from the files that `npm run docs:site` makes. */
import { existsSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { lazy } from '../../base/lazy.ts'
import { siteFolder } from '../../base/paths.ts'
import { openFile } from '../sendFile.ts'

const loadPages = lazy(() => import('./pages.ts'))

const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    // What a diagram, a code block and the theme say of their own looks.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
}

/** `folder` is where the site lies; where there is none, a page says how to make it. */
export function registerSite(app: FastifyInstance, onRequest: onRequestHookHandler, folder = siteFolder): void {
  app.get('/docs/guide', { onRequest }, (_request, reply) => reply.redirect('/docs/guide/'))
  // The site's own page of that name says to start a mock: here is one.
  app.get('/docs/guide/api.html', { onRequest }, (_request, reply) => reply.redirect('/docs'))
  app.get<{ Params: { '*': string } }>('/docs/guide/*', { onRequest }, async (request, reply) => {
    if (!existsSync(join(folder, 'index.html'))) {
      const { unbuiltPage } = await loadPages()
      return reply.code(404).headers(headers).type('text/html; charset=utf-8').send(unbuiltPage())
    }
    return sendPage(request, reply, folder)
  })
}

async function sendPage(
  { raw, params }: FastifyRequest<{ Params: { '*': string } }>,
  reply: FastifyReply,
  root: string,
): Promise<FastifyReply> {
  const path = params['*']
  // The names of these change with what is in them.
  const cacheControl = path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
  const { 'if-none-match': match, 'if-modified-since': since } = raw.headers
  const asked = asking(raw, { 'if-none-match': match, 'if-modified-since': since })
  const file = await openFile(asked, `/${encodeURI(path)}`, root)
  if (file.type === 'file')
    return reply
      .code(file.statusCode)
      .headers({ ...file.headers, ...headers, 'cache-control': cacheControl, ...typeOf(path) })
      .send(file.stream)
  file.stream.destroy()
  const missing = await openFile(asking(raw, {}), '/404.html', root)
  return reply
    .code(404)
    .headers({ ...missing.headers, ...headers })
    .send(missing.stream)
}

/** The request with no headers but these: pages are sent whole or not at all. */
const asking = (raw: FastifyRequest['raw'], headers: IncomingHttpHeaders): FastifyRequest['raw'] =>
  Object.create(raw, { headers: { value: headers } })

/** A scenario is for reading, not for saving. */
const typeOf = (path: string): Record<string, string> =>
  path.endsWith('.yaml') ? { 'content-type': 'text/plain; charset=utf-8' } : {}
