/**
 * Everything under /__mock, and /metrics: the mock in the user's hand. None of it is part of the API, so none of it is
 * in the journal. Off loopback it is closed, unless an admin token is set and sent.
 */

import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { monotonicMs } from '../../base/clock.ts'
import { packageVersion } from '../../base/paths.ts'
import { fileDate } from '../../base/text.ts'
import type { KeyChangeBody, TlsFaultBody } from '../../client/commands.ts'
import type { JobChange, ScenarioChoice, WorldSelector } from '../../client/mock.ts'
import { type Snapshot, snapshotFormat } from '../../client/snapshotFormat.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { unpack } from '../pipeline/contentCoding.ts'
import { openInternal } from '../pipeline/exchange.ts'
import { sendContinue } from '../pipeline/expect.ts'
import { ownBaseUrl } from '../routes/baseUrl.ts'
import { showOutputFile } from '../routes/download.ts'

import { type ClockChange, changeClock, readClock } from './clock.ts'
import { type ConductRoute, conductRoute } from './conduct.ts'
import type { TrialBody } from './drafts.ts'
import { guardControl } from './guard.ts'
import { changeJob } from './jobs.ts'
import { type JournalRoute, journalPage, journalRecording, waitAtMost } from './journal.ts'
import { journalStream } from './journalStream.ts'
import { defaultKey, listKeys, setKey } from './keys.ts'
import { numbersOf } from './numbers.ts'
import { ControlDocument } from './openapi.ts'
import { bugReport } from './report.ts'
import {
  type ActivationQuery,
  activationState,
  activeScenario,
  explainRequest,
  findActivation,
  listScenarios,
  problemsOf,
  putScenario,
  summaryOf,
  useScenario,
  yamlOf,
} from './scenarios.ts'
import * as schemas from './schemas.ts'
import { resetAll, restore, snapshot } from './snapshot.ts'
import { tlsOf, tlsPart, useTlsFault } from './tls.ts'
import { type JobsQuery, listJobs, listWorlds, type WorldsQuery } from './worlds.ts'

const {
  activationQuery,
  clockBody,
  conductQuery,
  draftBody,
  harQuery,
  incidentQuery,
  jobChangeBody,
  jobsQuery,
  journalQuery,
  keyBody,
  keyChangeSchema: keyChangeBody,
  keyQuery,
  restoreQuery,
  scenarioBody,
  scenarioQuery,
  tlsFaultBody,
  trialBody,
  worldsQuery,
} = schemas

export function registerControl(app: FastifyInstance, mock: Mock): void {
  const opened = openInternal(mock)
  const onRequest = [opened, ...guardControl(mock)]

  const document = new ControlDocument()
  app.addHook('onRoute', route => document.add(route))
  app.get('/__mock/openapi.json', { onRequest }, async request => document.at(ownBaseUrl(request)))

  const read = (querystring: object) => ({ onRequest, schema: { querystring } })
  const write = (body: object) => ({
    onRequest,
    preParsing: [sendContinue, unpack],
    preValidation: noBodyIsEmpty,
    schema: { body },
  })

  // By this a client knows that it has a mock before it, and of which version. A person who looks is shown the desk.
  app.get('/__mock', { onRequest }, async (request, reply) => {
    if (/\btext\/html\b/.test(request.headers.accept ?? '')) return reply.redirect('__mock/')
    return { understudy: packageVersion, key: defaultKey, seed: mock.config.seed, ...tlsPart(mock) }
  })
  app.get<JournalRoute>('/__mock/journal', { onRequest, schema: { querystring: journalQuery } }, journalPage(mock))
  app.get<JournalRoute>(
    '/__mock/journal/stream',
    { onRequest, exposeHeadRoute: false, schema: { querystring: journalQuery } },
    journalStream(mock),
  )
  app.get<ConductRoute>('/__mock/conduct', read(conductQuery), conductRoute(mock))
  app.get<JournalRoute>('/__mock/journal.har', read(harQuery), journalRecording(mock))
  app.delete<{ Querystring: WorldSelector }>(
    '/__mock/journal',
    { onRequest, schema: { querystring: keyQuery } },
    async ({ query }) => {
      mock.journal.clear(query)
      return { cleared: query.world ?? query.key ?? 'all' }
    },
  )
  app.post<{ Body: WorldSelector }>('/__mock/reset', write(keyBody), async ({ body }) => {
    resetAll(mock, body)
    return { reset: body.world ?? body.key ?? 'all' }
  })
  app.post<{ Params: { delivery_id: string } }>(
    '/__mock/webhooks/:delivery_id/redeliver',
    { onRequest },
    async ({ params }) => {
      const id = params.delivery_id
      const world = mock.worlds.ofId(id)
      if (world && (await mock.webhooks.redeliver(world, id))) return { redelivered: id }
      throw apiError(
        'control_not_found',
        `there is no delivery ${JSON.stringify(id)} to send again; GET /__mock/journal?kind=webhook lists them`,
      )
    },
  )
  app.get<{ Querystring: WorldSelector }>('/__mock/scenario', read(keyQuery), async ({ query }) =>
    activeScenario(mock, query),
  )
  app.put<{ Body: { scenario: ScenarioChoice; key?: string } }>(
    '/__mock/scenario',
    write(scenarioBody),
    async ({ body }) => {
      putScenario(mock, body.scenario, body.key)
      return activeScenario(mock, { key: body.key })
    },
  )
  app.delete<{ Querystring: WorldSelector }>('/__mock/scenario', read(keyQuery), async ({ query }) => {
    const ended = mock.scenarios.end(query.key)
    return { ended, active: activeScenario(mock, query) }
  })
  // PUT takes the place of what was put before; what is posted comes above it, and each can be ended by itself.
  app.post<{ Body: { scenario: ScenarioChoice; key?: string } }>(
    '/__mock/scenario',
    write(scenarioBody),
    async ({ body }) => activationState(useScenario(mock, body.scenario, body.key)),
  )
  app.get<{ Params: { id: string }; Querystring: ActivationQuery }>(
    '/__mock/scenario/:id',
    read(activationQuery),
    async ({ params, query, raw }) => {
      const activation = findActivation(mock, params.id)
      if (query.rule === undefined || query.wait === undefined) return activationState(activation)
      const met = await waitAtMost(query.wait, raw, waited =>
        activation.wait(query.rule as string, query.times, waited),
      )
      return { met, ...activationState(activation) }
    },
  )
  app.delete<{ Params: { id: string } }>('/__mock/scenario/:id', { onRequest }, async ({ params }) => {
    const activation = findActivation(mock, params.id)
    mock.scenarios.endActivation(activation)
    return activationState(activation)
  })
  app.get('/__mock/scenarios', { onRequest }, async () => {
    await mock.scenarios.library.readAll()
    return { scenarios: listScenarios(mock) }
  })
  // In a scope of its own: a scenario may come as YAML too, whose errors then have lines and columns.
  app.register(async scope => {
    scope.addContentTypeParser(yamlTypes, { parseAs: 'string' }, (_request, body, done) => done(null, body))
    scope.post<{ Body: unknown; Querystring: { validate: boolean; problems: boolean } }>(
      '/__mock/scenarios',
      { onRequest, preParsing: [sendContinue, unpack], schema: { querystring: scenarioQuery } },
      async ({ body, query }) => {
        const { library } = mock.scenarios
        const keep = !query.validate
        const take = () => (typeof body === 'string' ? library.takeText(body, keep) : library.take(body, keep))
        if (query.problems) return problemsOf(take) ?? { valid: true, problems: [] }
        return { valid: true, added: keep, ...summaryOf(take()) }
      },
    )
  })
  app.post<{ Body: { seqs: number[]; name: string } }>('/__mock/scenarios/draft', write(draftBody), async ({ body }) =>
    (await drafts()).draftOfCalls(mock, body.seqs, body.name),
  )
  app.post<{ Body: TrialBody }>('/__mock/scenarios/try', write(trialBody), async ({ body }) =>
    (await drafts()).trialOf(mock, body),
  )
  app.get<{ Params: { name: string } }>(
    '/__mock/scenarios/:name',
    { onRequest },
    async ({ params, headers }, reply) => {
      const { library } = mock.scenarios
      if (!/\byaml\b/.test(headers.accept ?? '')) return library.get(params.name).source
      return reply.type('application/yaml; charset=utf-8').send(yamlOf(library, params.name))
    },
  )
  app.delete<{ Params: { name: string } }>('/__mock/scenarios/:name', { onRequest }, async ({ params }) => {
    if (mock.scenarios.library.remove(params.name)) return { removed: params.name }
    throw apiError(
      'control_not_found',
      `no scenario ${JSON.stringify(params.name)} was added by POST /__mock/scenarios`,
    )
  })
  app.get<{ Params: { request_id: string } }>('/__mock/explain/:request_id', { onRequest }, async ({ params }) =>
    explainRequest(mock, params.request_id),
  )
  app.get<{ Querystring: WorldSelector }>('/__mock/clock', read(keyQuery), async ({ query }) => readClock(mock, query))
  app.post<{ Body: ClockChange & WorldSelector }>('/__mock/clock', write(clockBody), async ({ body }) =>
    changeClock(mock, body, body),
  )
  app.get<{ Querystring: WorldSelector }>('/__mock/keys', read(keyQuery), async ({ query }) => ({
    keys: listKeys(mock, query),
  }))
  app.post<{ Body: KeyChangeBody }>('/__mock/keys', write(keyChangeBody), async ({ body }) => setKey(mock, body))
  app.get<{ Querystring: WorldsQuery }>('/__mock/worlds', read(worldsQuery), async ({ query }) =>
    listWorlds(mock, query),
  )
  app.get<{ Querystring: JobsQuery }>('/__mock/jobs', read(jobsQuery), async ({ query }) => listJobs(mock, query))
  app.get<{ Params: { job_id: string } }>(
    '/__mock/jobs/:job_id/output',
    { onRequest, exposeHeadRoute: false },
    showOutputFile(mock),
  )
  app.get('/__mock/numbers', { onRequest }, async () => numbersOf(mock))
  app.post<{ Params: { job_id: string }; Body: JobChange & WorldSelector }>(
    '/__mock/jobs/:job_id',
    write(jobChangeBody),
    async ({ params, body }) => changeJob(mock, params.job_id, body, body),
  )
  app.get<{ Querystring: WorldSelector }>('/__mock/snapshot', read(restoreQuery), async ({ query }) =>
    snapshot(mock, query),
  )
  app.put<{ Querystring: WorldSelector & { key: string }; Body: Snapshot }>(
    '/__mock/snapshot',
    {
      ...write(snapshotFormat),
      bodyLimit: maxSnapshotBytes,
      schema: { body: snapshotFormat, querystring: restoreQuery },
    },
    async request => {
      restore(mock, request.body, request.query, ownBaseUrl(request))
      return { restored: request.body.jobs.length, clock: readClock(mock, request.query) }
    },
  )
  app.get('/__mock/tls', { onRequest }, async () => tlsOf(mock).state())
  app.post<{ Body: TlsFaultBody }>('/__mock/tls', write(tlsFaultBody), async ({ body }) => useTlsFault(mock, body))
  app.delete('/__mock/tls', { onRequest }, async () => tlsOf(mock).end())
  app.get('/__mock/report', { onRequest }, async () => bugReport(mock))
  app.get<{ Querystring: WorldSelector }>('/__mock/incident', read(keyQuery), async (request, reply) => {
    const bytes = (await incidents()).incidentZip(mock, request.query, ownBaseUrl(request))
    const disposition = `attachment; filename="understudy-incident-${fileDate(monotonicMs())}.zip"`
    return reply.type('application/zip').header('content-disposition', disposition).send(Buffer.from(bytes))
  })
  app.register(async scope => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post<{ Body: Buffer | undefined; Querystring: { name: string } }>(
      '/__mock/incidents',
      { onRequest, bodyLimit: maxSnapshotBytes, preParsing: sendContinue, schema: { querystring: incidentQuery } },
      async ({ body, query }) => (await incidents()).openIncident(mock, query.name, body ?? Buffer.alloc(0)),
    )
  })
  app.get<{ Params: { id: string } }>('/__mock/incidents/:id', { onRequest }, async ({ params }) =>
    (await incidents()).findIncident(mock, params.id),
  )
  app.get('/metrics', { onRequest }, async (request, reply) => {
    const { text, contentType } = await mock.metrics.render(mock.worlds, request.headers.accept)
    return reply.type(contentType).send(text)
  })
}

// What few mocks are asked for is loaded when it is, so that each starts as soon as before.
const drafts = () => import('./drafts.ts')
const incidents = () => import('./incidents.ts')

const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml']

/** A snapshot of a world with 100,000 jobs has some 60 MB. */
const maxSnapshotBytes = 128 * 1024 * 1024

const noBodyIsEmpty: onRequestHookHandler = (request, _reply, done) => {
  request.body ??= {}
  done()
}
