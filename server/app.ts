/**
 * The one factory, for users, tests and benchmarks alike. Nothing listens yet: startMock() does that.
 *
 * How a request flows: exchange opened (request_id, world) → recording (serve --replay) → scenario decides (error? fault?
 * delay? pass on) → key → limits → body → idempotency → schema → route → serializer → what the scenario makes of the answer
 * → exchange closed (headers, journal, metrics, log). The steps of each route are in routes/index.ts, in this order.
 *
 * Who opens an exchange, and who closes it. All open it by openExchange(), and close it by record():
 *
 *   what came                               opened by                          closed by
 *   an operation of the API                 openRoute, its first onRequest     closeExchange, in onSend
 *   … answered by a rule or cut by a fault  the same                           answerAsTold or enact, pipeline/scenario.ts
 *   … answered by a recording               the same                           playCall, playback/
 *   a path or method that no route has      the onRequest hook below           closeExchange, in onSend
 *   … or that Fastify refuses by itself     frameworkErrors below              closeExchange, called by answerFrameworkError
 *   what Node refuses (bad HTTP, Expect,    refuse, pipeline/rawErrors.ts      the same, as it writes the answer
 *     CONNECT)
 *   /__mock, /metrics, /docs, /openapi.json openInternal: not in the journal   closeExchange, which only logs errors
 *   … of a page that may not use /__mock    guardControl opens it anew          closeExchange, in onSend
 */

import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { Clock } from '../base/clock.ts'
import type { Config } from './config.ts'
import { answerControlPreflight } from './control/guard.ts'
import { registerControl } from './control/index.ts'
import { ApiError, toApiError } from './errors.ts'
import { type Exchange, Feed } from './journal.ts'
import { JournalReader } from './journalView.ts'
import { Metrics } from './metrics.ts'
import type { Mock } from './mock.ts'
import { limitIdleBody } from './pipeline/bodyTimeout.ts'
import type { RequestContext } from './pipeline/context.ts'
import { answerPreflight, readableFor } from './pipeline/cors.ts'
import { attach, closeExchange, openExchange } from './pipeline/exchange.ts'
import { holdContinue, isStillWaiting } from './pipeline/expect.ts'
import { jsonParser, refuseContentType, unsupportedContentType } from './pipeline/jsonBody.ts'
import { KnownRoutes, noRoute } from './pipeline/noRoute.ts'
import { answerNodesOwn, answerRawErrors } from './pipeline/rawErrors.ts'
import { originForm } from './pipeline/target.ts'
import { serializerCompiler, validatorCompiler } from './pipeline/validation.ts'
import { answerRecorded } from './playback/answerRecorded.ts'
import { Playback } from './playback/playback.ts'
import { answerBrowser } from './routes/browser.ts'
import { registerDesk } from './routes/desk.ts'
import { registerDocs } from './routes/docs.ts'
import { registerRoutes } from './routes/index.ts'
import { ActiveScenarios } from './scenarios/activeScenarios.ts'
import { Uploads } from './uploads.ts'
import { Webhooks } from './webhooks.ts'
import { Worlds } from './world/worlds.ts'

/** A JSON body may have this many bytes. */
const maxJsonBytes = 1024 * 1024

export interface App {
  readonly fastify: FastifyInstance
  readonly mock: Mock
}

/** Builds the mock for a complete configuration; `log` gets a line for each answer. */
export function buildApp(config: Config, log: Logger): App {
  const mock = assemble(config, log)
  return { fastify: buildServer(mock), mock }
}

/** The routes over a mock. A mutant that is asked for by a header has a server of its own, over the same worlds. */
export function buildServer(mock: Mock): FastifyInstance {
  const { config, log } = mock
  const app = fastify({
    // The exchange writes its own line: one an answer, with request_id and job_id.
    logger: false,
    bodyLimit: maxJsonBytes,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: 16 * 1024 },
    rewriteUrl: originForm,
    frameworkErrors: (error, request, reply) => {
      attach(request, openExchange(mock, undefined, request.raw))
      answerFrameworkError(error, request, reply)
    },
    clientErrorHandler: (error, socket) => answerRawErrors(mock, error, socket),
  })

  app.decorate('links', config)
  app.decorateRequest('exchange', null as unknown as Exchange)
  app.decorateRequest('context', null as unknown as RequestContext)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, jsonParser(app))
  app.addContentTypeParser('*', refuseContentType)
  const routes = new KnownRoutes()
  app.addHook('onRoute', route => routes.add(route))
  // Refused before its body is looked at: no route has opened an exchange for it.
  app.addHook('onRequest', (request, reply, done) => {
    limitIdleBody(request.raw, config.bodyTimeout)
    if (!request.is404) return done()
    if (answerBrowser(mock, request, reply)) return
    attach(request, openExchange(mock, undefined, request.raw))
    if (answerPreflight(mock, request, reply) || answerControlPreflight(mock, request, reply)) return
    const { origin } = request.raw.headers
    if (origin !== undefined) readableFor(origin, config.cors, reply)
    if (mock.playback === undefined) return done(noRoute(request, routes))
    answerRecorded(mock, mock.playback)(request, reply, refused => done(refused ?? noRoute(request, routes)))
  })
  app.addHook('onSend', closeExchange(mock))
  app.setErrorHandler((error, request, reply) => {
    const isNoType = (error as { code?: string }).code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
    answerError(isNoType ? unsupportedContentType(request) : error, request, reply)
  })
  app.setNotFoundHandler((request, reply) => answerError(noRoute(request, routes), request, reply))
  holdContinue(app.server)
  answerNodesOwn(mock, app.server)

  registerRoutes(app, mock)
  registerControl(app, mock)
  registerDesk(app, mock)
  registerDocs(app, mock)
  return app

  /** Fastify runs no hooks for these, so the exchange is closed by hand (ERR-6). */
  function answerFrameworkError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toApiError(thrown)
    const body = JSON.stringify(error.envelope(request.exchange.requestId))
    reply.code(error.status).type('application/json; charset=utf-8')
    closeExchange(mock)(request, reply, body, () => reply.send(body))
  }

  /** The one place that turns anything thrown into the envelope (ERR-1). */
  function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toApiError(thrown)
    const { requestId } = request.exchange
    // A scenario's internal_error is no bug of ours.
    if (error.case === 'internal_error' && !(thrown instanceof ApiError))
      log.error({ err: thrown, request_id: requestId }, 'a bug in the mock')
    if (error.headers) reply.headers(error.headers)
    if (isStillWaiting(request.raw)) reply.header('connection', 'close')
    reply.code(error.status).type('application/json; charset=utf-8').send(error.envelope(requestId))
  }
}

function assemble(config: Config, log: Logger): Mock {
  // First, as it may be refused: nothing has been made yet that would have to be taken away.
  const playback = config.replay === undefined ? undefined : new Playback(config.replay)
  const clock = new Clock()
  const feed = new Feed()
  const metrics = new Metrics()
  const scenarios = new ActiveScenarios(config.scenarios, config.scenario, log)
  const webhooks = new Webhooks(config, feed, metrics, log)
  const uploads = new Uploads(config.dataDir)
  const worlds = new Worlds(config, clock, {
    announce: (world, event, job) => webhooks.announce(world, event, job),
    forget: world => {
      uploads.forget(world)
      webhooks.forget(world)
      scenarios.forget(world)
    },
    evicted: world => {
      metrics.worldEvicted()
      // A prober's empty worlds come and go; what somebody may miss is said.
      if (world.jobs.size > 0 || world.isPrepared)
        log.warn(
          { world: world.name, jobs: world.jobs.size },
          'there were too many worlds: the least recently used made room',
        )
    },
    jobsEvicted: (world, jobs) => {
      const isNews = metrics.jobsEvicted(jobs)
      if (isNews) log.warn({ world: world.name, jobs }, 'finished jobs made room for others')
    },
  })
  const journal = new JournalReader(worlds, feed, config)
  return {
    config,
    clock,
    worlds,
    feed,
    journal,
    uploads,
    webhooks,
    metrics,
    scenarios,
    log,
    playback,
    internalCalls: 0,
    incidents: new Map(),
    nextIncident: 1,
    held: new Set(),
  }
}
