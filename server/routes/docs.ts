/** GET /openapi.json and GET /docs: loaded and made from the contract when first asked for, with nothing from another host. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { lazy } from '../../base/lazy.ts'
import { isLoopback } from '../../base/loopback.ts'
import { packageRoot, packageVersion } from '../../base/paths.ts'
import { type Place, tlsFlags } from '../docs/lines.ts'
import { registerSite } from '../docs/site.ts'
import type { Mock } from '../mock.ts'
import { openInternal } from '../pipeline/exchange.ts'
import { ownBaseUrl } from './baseUrl.ts'

const policy =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const loadOpenApi = lazy(() => import('../../contracts/openapi.ts'))
const loadTryScript = lazy(() => import('../docs/tryScript.ts'))
const loadOperations = lazy(() => import('../docs/operations.ts'))
const loadPages = lazy(() => import('../docs/pages.ts'))
const loadScenariosPage = lazy(() => import('../docs/scenariosPage.ts'))

export function registerDocs(app: FastifyInstance, mock: Mock): void {
  const onRequest = openInternal(mock)
  let document: string | undefined
  app.get('/openapi.json', { onRequest }, async (request, reply) => {
    const { buildOpenApi } = await loadOpenApi()
    document ??= JSON.stringify(buildOpenApi(packageVersion), null, 2)
    return sendText(request, reply.type('application/json; charset=utf-8'), document)
  })
  for (const [path, make] of Object.entries(pages)) {
    app.get(path, { onRequest }, async (request, reply) => {
      const html = await make(mock, placeOf(mock, request))
      reply.header('content-security-policy', policy)
      return sendText(request, reply.type('text/html; charset=utf-8'), html)
    })
  }
  app.get('/docs/try.js', { onRequest }, async (request, reply) => {
    const { tryScript } = await loadTryScript()
    return sendText(request, reply.type('text/javascript; charset=utf-8'), tryScript)
  })
  // What the lines to paste upload.
  app.get('/docs/short.mp4', { onRequest }, async (_request, reply) =>
    reply.type('video/mp4').send(await readFile(join(packageRoot, 'fixtures', 'clips', 'short.mp4'))),
  )
  registerSite(app, onRequest)
}

/** Each page is loaded when it is asked for: to read all scenarios takes a while. */
const pages: Readonly<Record<string, (mock: Mock, place: Place) => Promise<string>>> = {
  '/docs': async (_mock, place) => (await loadOperations()).operationsPage(place),
  '/docs/webhooks': async (_mock, place) => (await loadPages()).webhooksPage(place),
  '/docs/errors': async () => (await loadPages()).errorsPage(),
  '/docs/clauses': async () => (await loadPages()).clausesPage(),
  '/docs/test-values': async (_mock, place) => (await loadPages()).testValuesPage(place),
  '/docs/faults': async (_mock, place) => (await loadPages()).faultsPage(place),
  '/docs/control': async (_mock, place) => (await loadPages()).controlPage(place),
  '/docs/scenarios': async (mock, place) => (await loadScenariosPage()).scenariosPage(mock, place),
}

const placeOf = ({ config, tls }: Mock, request: FastifyRequest): Place => ({
  base: ownBaseUrl(request),
  isGuarded: !isLoopback(config.host),
  tls: tlsFlags(config, tls?.ca),
})

/** With an ETag: 304 to who has it already. */
function sendText(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  reply.headers({ etag: tag, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' })
  const known = String(request.headers['if-none-match'] ?? '').split(/\s*,\s*/)
  return known.some(one => one.replace(/^W\//, '') === tag) ? reply.code(304).send() : reply.send(text)
}
