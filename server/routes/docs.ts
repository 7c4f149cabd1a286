/** GET /openapi.json and GET /docs: loaded and made from the contract when first asked for, with nothing from another host. */
import type { FastifyInstance } from 'fastify'
import { packageVersion } from '../../base/paths.ts'
import { listScenarios } from '../control/scenarios.ts'
import type { Mock } from '../mock.ts'
import { openInternal } from '../pipeline/exchange.ts'

export function registerDocs(app: FastifyInstance, mock: Mock): void {
  const onRequest = openInternal(mock)
  let document: string | undefined
  app.get('/openapi.json', { onRequest }, async (_request, reply) => {
    const { buildOpenApi } = await import('../../contracts/openapi.ts')
    document ??= JSON.stringify(buildOpenApi(packageVersion), null, 2)
    return reply.type('application/json; charset=utf-8').send(document)
  })
  for (const [path, name] of Object.entries(pages)) {
    app.get(path, { onRequest }, async (_request, reply) => {
      const html = (await import('../docsPages.ts'))[name](listScenarios(mock))
      reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      return reply.type('text/html; charset=utf-8').send(html)
    })
  }
}

const pages = {
  '/docs': 'operationsPage',
  '/docs/errors': 'errorsPage',
  '/docs/clauses': 'clausesPage',
  '/docs/test-values': 'testValuesPage',
} as const
