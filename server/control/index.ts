/**
 * Everything under /__mock, and /metrics: the mock in the user's hand. None of it is part of the API, so none of it is
 * in the journal. Off loopback it is closed, unless an admin token is set and sent.
 */
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { openInternal } from '../pipeline/exchange.ts'
import { sendContinue } from '../pipeline/expect.ts'
import { requireAdminToken } from '../pipeline/key.ts'
import { isLoopback } from '../webhooks.ts'
import type { WorldSelector } from '../world/worlds.ts'
import { type JournalRoute, journalPage, journalStream } from './journal.ts'
import { journalQuery, keyBody, keyQuery } from './schemas.ts'

export function registerControl(app: FastifyInstance, mock: Mock): void {
  const opened = openInternal(mock)
  const onRequest = isLoopback(mock.config.host)
    ? [opened]
    : [opened, mock.config.adminToken === undefined ? refuseRemote : requireAdminToken(mock)]

  app.get<JournalRoute>('/__mock/journal', { onRequest, schema: { querystring: journalQuery } }, journalPage(mock))
  app.get<JournalRoute>(
    '/__mock/journal/stream',
    { onRequest, exposeHeadRoute: false, schema: { querystring: journalQuery } },
    journalStream(mock),
  )
  app.delete<{ Querystring: WorldSelector }>(
    '/__mock/journal',
    { onRequest, schema: { querystring: keyQuery } },
    async ({ query }) => {
      mock.journal.clear(query)
      return { cleared: query.world ?? query.key ?? 'all' }
    },
  )
  app.post<{ Body: WorldSelector }>(
    '/__mock/reset',
    { onRequest, preParsing: sendContinue, preValidation: noBodyIsEmpty, schema: { body: keyBody } },
    async ({ body }) => {
      mock.worlds.reset(body)
      return { reset: body.world ?? body.key ?? 'all' }
    },
  )
  app.post<{ Params: { delivery_id: string } }>(
    '/__mock/webhooks/:delivery_id/redeliver',
    { onRequest },
    async ({ params }) => {
      const id = params.delivery_id
      const world = mock.worlds.ofId(id)
      if (world && (await mock.webhooks.redeliver(world, id))) return { redelivered: id }
      throw apiError(
        'route_not_found',
        `there is no delivery ${JSON.stringify(id)} to send again; GET /__mock/journal?kind=webhook lists them`,
      )
    },
  )
  app.get('/metrics', { onRequest: opened }, async (_request, reply) => {
    const { text, contentType } = await mock.metrics.render(mock.worlds)
    return reply.type(contentType).send(text)
  })
}

const refuseRemote: onRequestHookHandler = (_request, _reply, done) => {
  done(apiError('route_not_found', '/__mock is closed off loopback; start the mock with --admin-token to open it'))
}

const noBodyIsEmpty: onRequestHookHandler = (request, _reply, done) => {
  request.body ??= {}
  done()
}
