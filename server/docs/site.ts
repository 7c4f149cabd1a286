/** /docs/guide/: README and docs/ as a site, from the files that `npm run docs:site` makes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { lazy } from '../../base/lazy.ts'
import { siteFolder } from '../../base/paths.ts'
import { sendStatic } from '../routes/staticFile.ts'

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
  request: FastifyRequest<{ Params: { '*': string } }>,
  reply: FastifyReply,
  root: string,
): Promise<FastifyReply> {
  const path = request.params['*']
  const sent = await sendStatic(request, reply, root, path, { ...headers, ...typeOf(path) })
  return sent ?? (await sendStatic(request, reply.code(404), root, '404.html', headers, true)) ?? reply.send()
}

/** A scenario is for reading, not for saving. */
const typeOf = (path: string): Record<string, string> =>
  path.endsWith('.yaml') ? { 'content-type': 'text/plain; charset=utf-8' } : {}
