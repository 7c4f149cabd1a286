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
 *   a path or method that no route has      refuseUnknown below                closeExchange, in onSend
 *   … or that Fastify refuses by itself     frameworkErrors below              closeExchange, called by answerFrameworkError
 *   what Node refuses (bad HTTP, Expect,    refuse, pipeline/rawErrors.ts      the same, as it writes the answer
 *     CONNECT)
 *   /__mock, /metrics, /docs, /openapi.json openInternal: not in the journal   closeExchange, which only logs errors
 *   … of a page that may not use /__mock    guardControl opens it anew         closeExchange, in onSend
 */

import type { Server as HttpsServer } from 'node:https'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HookHandlerDoneFunction,
} from 'fastify'
import { Clock } from '../base/clock.ts'
import { lazy } from '../base/lazy.ts'
import type { Config } from './config.ts'
import { answerControlPreflight } from './control/guard.ts'
import { ApiError, toApiError } from './errors.ts'
import { type Exchange, Feed } from './journal.ts'
import { JournalReader } from './journalView.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import type { Mock } from './mock.ts'
import { Outputs } from './outputs/outputs.ts'
import { limitIdleBody } from './pipeline/bodyTimeout.ts'
import type { RequestContext } from './pipeline/context.ts'
import { answerPreflight, readableFor } from './pipeline/cors.ts'
import { attach, closeExchange, openExchange, openInternal } from './pipeline/exchange.ts'
import { holdContinue, isStillWaiting } from './pipeline/expect.ts'
import { jsonParser, refuseContentType, unsupportedContentType } from './pipeline/jsonBody.ts'
import { KnownRoutes, noRoute } from './pipeline/noRoute.ts'
import { answerNodesOwn, answerPlainHttp, answerRawErrors } from './pipeline/rawErrors.ts'
import { originForm } from './pipeline/target.ts'
import { serializerCompiler, validatorCompiler } from './pipeline/validation.ts'
import { answerRecorded } from './playback/answerRecorded.ts'
import { Playback } from './playback/playback.ts'
import { answerBrowser } from './routes/browser.ts'
import { registerRoutes } from './routes/index.ts'
import { ActiveScenarios } from './scenarios/activeScenarios.ts'
import type { SpanSender } from './spans.ts'
import { TlsGate } from './tls/gate.ts'
import type { TlsMaterial } from './tls/material.ts'
import { Uploads } from './uploads.ts'
import { Webhooks } from './webhooks.ts'
import { Worlds } from './world/worlds.ts'

/** A JSON body may have this many bytes. */
const maxJsonBytes = 1024 * 1024

export interface App {
  readonly fastify: FastifyInstance
  readonly mock: Mock
}

/** What has to be made or loaded before the mock is built, by prepareParts(). */
export interface AppParts {
  tls?: TlsMaterial | undefined
  spans?: SpanSender | undefined
}

/** Builds the mock for a complete configuration; `log` gets a line for each answer. */
export function buildApp(config: Config, log: Log, { tls, spans }: AppParts = {}): App {
  const gate = tls && new TlsGate(tls, config, log)
  const mock = assemble(config, log, gate, spans)
  if (spans !== undefined) mock.feed.listen(entry => spans.write(entry, mock))
  const { app, refuseUnknown } = makeServer(mock, gate)
  const loadOwn = lazy(() => makeOwnServer(mock))
  let own: FastifyInstance | undefined
  app.addHook('onRequest', (request, reply, done) => {
    limitIdleBody(request.raw, config.bodyTimeout)
    if (!request.is404) return done()
    if (!isOwnPath(request.url)) return refuseUnknown(request, reply, done)
    loadOwn().then(
      loaded => {
        own = loaded
        reply.hijack()
        own.routing(request.raw, reply.raw)
      },
      error => openInternal(mock)(request, reply, () => done(error)),
    )
  })
  app.addHook('onClose', () => own?.close())
  holdContinue(app.server)
  answerNodesOwn(mock, app.server)
  gate?.guard(app.server as unknown as HttpsServer, socket => answerPlainHttp(mock, socket))
  registerRoutes(app, mock)
  return { fastify: app, mock }
}

/** A server without a port, over a mock that there is: a mutant that is asked for by a header has one with the API's routes. */
export function buildServer(mock: Mock, register = registerRoutes): FastifyInstance {
  const { app, refuseUnknown } = makeServer(mock)
  app.addHook('onRequest', (request, reply, done) => (request.is404 ? refuseUnknown(request, reply, done) : done()))
  register(app, mock)
  return app
}

/** The same for what is not of the API: made with its first call, so that each mock starts the sooner. */
async function makeOwnServer(mock: Mock): Promise<FastifyInstance> {
  const { registerOwnRoutes } = await import('./ownRoutes.ts')
  const app = buildServer(mock, registerOwnRoutes)
  // Before that it is a promise itself, which an async function would wait for and lose.
  await app.ready()
  return app
}

const isOwnPath = (url: string): boolean => /^\/(__mock|docs|metrics|openapi\.json)(?![\w.-])/.test(decoded(url))

function decoded(url: string): string {
  try {
    return decodeURI(url)
  } catch {
    return url
  }
}

type Step = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

/** A Fastify with all that the API's routes and the mock's own have in common. */
function makeServer(mock: Mock, gate?: TlsGate): { app: FastifyInstance; refuseUnknown: Step } {
  const http = { requireHostHeader: false }
  const app = fastify({
    // The exchange writes its own line: one an answer, with request_id and job_id.
    logger: false,
    bodyLimit: maxJsonBytes,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // The types know the two apart; what is a server of HTTP/1.1 is the same to all that follows.
    ...(gate === undefined ? { http } : { https: { ...http, ...gate.serverOptions } as unknown as null }),
    routerOptions: { maxParamLength: 16 * 1024 },
    rewriteUrl: originForm,
    frameworkErrors: (error, request, reply) => {
      attach(request, openExchange(mock, undefined, request.raw))
      answerFrameworkError(error, request, reply)
    },
    clientErrorHandler: (error, socket) => answerRawErrors(mock, error, socket),
  })
  app.decorate('links', mock.config)
  app.decorateRequest('exchange', null as unknown as Exchange)
  app.decorateRequest('context', null as unknown as RequestContext)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, jsonParser(app))
  app.addContentTypeParser('*', refuseContentType)
  const routes = new KnownRoutes()
  app.addHook('onRoute', route => routes.add(route))
  app.addHook('onSend', closeExchange(mock))
  app.setErrorHandler((error, request, reply) => {
    const isNoType = (error as { code?: string }).code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
    answerError(isNoType ? unsupportedContentType(request) : error, request, reply)
  })
  app.setNotFoundHandler((request, reply) => answerError(noRoute(request, routes), request, reply))
  return { app, refuseUnknown }

  /** For a path or method that no route has: refused before its body is looked at, and nobody has opened its exchange. */
  function refuseUnknown(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (answerBrowser(mock, request, reply)) return
    attach(request, openExchange(mock, undefined, request.raw))
    if (answerPreflight(mock, request, reply) || answerControlPreflight(mock, request, reply)) return
    const { origin } = request.raw.headers
    if (origin !== undefined) readableFor(origin, mock.config.cors, reply)
    if (mock.playback === undefined) return done(noRoute(request, routes))
    answerRecorded(mock, mock.playback)(request, reply, refused => done(refused ?? noRoute(request, routes)))
  }

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
      mock.log.error({ err: thrown, request_id: requestId }, 'a bug in the mock')
    if (error.headers) reply.headers(error.headers)
    if (isStillWaiting(request.raw)) reply.header('connection', 'close')
    reply.code(error.status).type('application/json; charset=utf-8').send(error.envelope(requestId))
  }
}

function assemble(config: Config, log: Log, tls?: TlsGate, spans?: SpanSender): Mock {
  // First, as it may be refused: nothing has been made yet that would have to be taken away.
  const playback = config.replay === undefined ? undefined : new Playback(config.replay)
  const clock = new Clock()
  const feed = new Feed()
  const metrics = new Metrics()
  const scenarios = new ActiveScenarios(config.scenarios, config.scenario, log)
  const webhooks = new Webhooks(config, feed, metrics, log)
  const uploads = new Uploads(config.dataDir)
  const outputs = new Outputs(config, uploads, log)
  const worlds = new Worlds(config, clock, {
    makeOutput: (world, job) => outputs.begin(world, job),
    announce: (world, event, job) => webhooks.announce(world, event, job),
    forget: world => {
      outputs.forget(world)
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
    outputs,
    webhooks,
    metrics,
    scenarios,
    log,
    playback,
    internalCalls: 0,
    incidents: new Map(),
    nextIncident: 1,
    held: new Set(),
    tls,
    spans,
  }
}
