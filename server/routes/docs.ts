/** GET /openapi.json and GET /docs: made from the contract when first asked for, with nothing from another host. */
import type { FastifyInstance } from 'fastify'
import { buildOpenApi } from '../../contracts/openapi.ts'
import { clausesPage, errorsPage, operationsPage, testValuesPage } from '../docsPages.ts'
import type { Mock } from '../mock.ts'
import { packageVersion } from '../paths.ts'
import { openInternal } from '../pipeline/exchange.ts'

export function registerDocs(app: FastifyInstance, mock: Mock): void {
  const onRequest = openInternal(mock)
  let document: string | undefined
  app.get('/openapi.json', { onRequest }, async (_request, reply) => {
    document ??= JSON.stringify(buildOpenApi(packageVersion), null, 2)
    return reply.type('application/json; charset=utf-8').send(document)
  })
  const pages = {
    '/docs': operationsPage,
    '/docs/errors': errorsPage,
    '/docs/clauses': clausesPage,
    '/docs/test-values': testValuesPage,
  }
  for (const [path, page] of Object.entries(pages)) {
    app.get(path, { onRequest }, async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
        .send(page()),
    )
  }
}
