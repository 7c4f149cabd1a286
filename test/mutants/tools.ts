/**
 * What broken and different servers are made with: the real mock, built as everybody builds it, then changed in one
 * place before it listens. Hooks of the root come before a route's own, and behind closeExchange() on the way out, so
 * the journal has what the mock meant to say and the client gets what the mutant made of it.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { pino } from 'pino'
import type { RunningMock } from '../../client/mock.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import { type ErrorCaseName, errorCases } from '../../contracts/errors.ts'
import { type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import type { WebhookEventName } from '../../contracts/schemas.ts'
import { type App, buildApp } from '../../server/app.ts'
import { type Config, completeConfig, type MockOptions } from '../../server/config.ts'
import { toFastifyPath } from '../../server/routes/index.ts'
import { listen } from '../../server/start.ts'
import type { JobRecord } from '../../server/world/jobStore.ts'
import type { World } from '../../server/world/world.ts'
import type { SuiteClock } from '../../suite/environment.ts'
import type { Api } from './client.ts'

/** The mock with one documented sentence broken in one place. */
export interface Mutant {
  id: string
  /** What the suite has to accuse. */
  breaks: readonly ClauseId[]
  /** What it may accuse too: their own sentences are contradicted by the same fault. All others are innocent. */
  also?: readonly ClauseId[]
  what: string
  /** explore: it shows only after a sequence of calls that no fixed check would make. */
  needs?: 'explore'
  /** Calls on which it answers otherwise than the mock does, where an ordinary session shows nothing. */
  shows?: (api: Api) => Promise<void>
  apply(app: App): void
}

/** A server that is not a mock of ours, and contradicts no sentence of API.md. */
export interface Variant {
  id: string
  what: string
  apply(app: App): void
}

/** How far the mock's clock is stepped before what falls due may happen. */
const stepMs = 20

/**
 * The mock's clock as the suite's: who waits steps it, and goes on once the webhooks that fell due are delivered. Between
 * the waits it runs as time does.
 */
export const steppedClock = ({ mock }: App): SuiteClock => ({
  now: () => mock.clock.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0 && !signal?.aborted; left -= stepMs) {
      mock.clock.step(Math.min(left, stepMs))
      await mock.webhooks.settled()
      await new Promise(setImmediate)
    }
  },
})

/** Starts a mutant or a variant on a free port of loopback, silent, as startMock() starts the mock. */
export async function startMutant(
  { apply }: Pick<Mutant | Variant, 'apply'>,
  options: MockOptions = {},
): Promise<RunningMock & { suiteClock: SuiteClock }> {
  const config = completeConfig({ port: 0, logLevel: 'silent', outputs: 'canned', ...options })
  const app = buildApp(config, pino({ level: config.logLevel }))
  apply(app)
  return { ...(await listen(app)), suiteClock: steppedClock(app) }
}

// biome-ignore lint/suspicious/noExplicitAny: a mutant changes whatever is there
export type Json = any

/** Which routes: one, some, or all of the API's, those that no route meets included. /__mock is never meant. */
export type Where = OperationId | readonly OperationId[] | '*'

export interface Answer {
  status: number
  headers: Record<string, string | number | string[] | undefined>
  /** The parsed JSON, or a text where it is none. */
  body: Json
}

const operationsByRoute = new Map(
  Object.entries<Operation>(operations).map(([id, { method, path }]) => [
    `${method} ${toFastifyPath(path)}`,
    id as OperationId,
  ]),
)

const isMeant = (where: Where, request: FastifyRequest): boolean => {
  const found = operationsByRoute.get(`${request.method} ${request.routeOptions.url}`)
  if (where === '*') return found !== undefined || request.is404
  return found !== undefined && [where].flat().includes(found)
}

/** Changes every answer of these routes, good or not, that is a text; files go through onFile(). */
export function onAnswer(app: App, where: Where, change: (answer: Answer, request: FastifyRequest) => void): void {
  app.fastify.addHook('onSend', (request, reply, payload, done) => {
    if (!isMeant(where, request) || !isText(payload)) return done(null, payload)
    const answer: Answer = { status: reply.statusCode, headers: reply.getHeaders(), body: parsed(payload.toString()) }
    change(answer, request)
    writeHead(answer, request, reply)
    const { body } = answer
    done(null, typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body))
  })
}

const isText = (payload: unknown): payload is string | Buffer => typeof payload === 'string' || Buffer.isBuffer(payload)

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Usage shows the exchange's status, so that has to be the one that was answered. */
function writeHead(
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  for (const name of Object.keys(reply.getHeaders())) if (headers[name] === undefined) reply.removeHeader(name)
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.header(name, value)
  reply.code(status)
  if (request.exchange) request.exchange.status = status
}

/** Changes the JSON of good answers, in place. */
export const rewriteJson = (app: App, where: Where, change: (body: Json, request: FastifyRequest) => void): void =>
  onAnswer(app, where, (answer, request) => {
    if (answer.status < 300 && typeof answer.body === 'object' && answer.body !== null) change(answer.body, request)
  })

/** Changes every job that GET /v1/jobs/{id} and the list show. */
export const rewriteJobs = (app: App, change: (job: Json, request: FastifyRequest) => void): void =>
  rewriteJson(app, ['getJob', 'listJobs'], (body, request) => {
    for (const job of body.jobs ?? [body]) change(job, request)
  })

/** Changes errors: all of them, or those of one code. */
export const rewriteErrors = (
  app: App,
  where: Where,
  code: string | undefined,
  change: (error: Json, answer: Answer, request: FastifyRequest) => void,
): void =>
  onAnswer(app, where, (answer, request) => {
    const error = answer.status < 300 ? undefined : answer.body?.error
    if (error && (code === undefined || error.code === code)) change(error, answer, request)
  })

/** Answers a code with another status. */
export const restatus = (app: App, where: Where, code: string, status: number): void =>
  rewriteErrors(app, where, code, (_error, answer) => {
    answer.status = status
  })

/** Answers a case of the catalogue, as its message tells it, with another status. */
export const restatusCase = (app: App, where: Where, name: ErrorCaseName, status: number): void =>
  onCase(app, where, name, answer => {
    answer.status = status
  })

export const onCase = (
  app: App,
  where: Where,
  name: ErrorCaseName,
  change: (answer: Answer, request: FastifyRequest) => void,
): void =>
  rewriteErrors(app, where, errorCases[name].code, ({ message }, answer, request) => {
    if (message.startsWith(errorCases[name].message)) change(answer, request)
  })

/** Sets a header of 429 answers, or takes it out. */
export const setLimitHeader = (
  app: App,
  names: string | readonly string[],
  value: (old: string | undefined) => string | undefined,
): void =>
  onAnswer(app, '*', ({ status, headers }) => {
    if (status !== 429) return
    for (const name of [names].flat()) headers[name] = value(headers[name]?.toString())
  })

/** Looks at a request before anything else does: its headers can still be changed. */
export const asItArrives = (app: App, where: Where, act: (request: FastifyRequest) => void): void => {
  app.fastify.addHook('onRequest', (request, _reply, done) => {
    if (isMeant(where, request)) act(request)
    done()
  })
}

type Step = (request: FastifyRequest, reply: FastifyReply) => unknown

/** When key and limits are passed, before the body is read. It may throw an apiError(). */
export const afterKey = (app: App, where: Where, act: Step): void => {
  app.fastify.addHook('preParsing', (request, reply, payload, done) => {
    takeStep(where, act, request, reply, error => done(error, payload))
  })
}

/** When the body is read, before idempotency and schema look at it. It may throw an apiError(), or give a sent reply. */
export const beforeValidation = (app: App, where: Where, act: Step): void => {
  app.fastify.addHook('preValidation', (request, reply, done) => takeStep(where, act, request, reply, done))
}

/** In the place of the route's handler, or before it. It may throw an apiError(), or give a sent reply. */
export const beforeRoute = (app: App, where: Where, act: Step): void => {
  app.fastify.addHook('preHandler', (request, reply, done) => takeStep(where, act, request, reply, done))
}

function takeStep(
  where: Where,
  act: Step,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  let given: unknown
  try {
    given = isMeant(where, request) ? act(request, reply) : undefined
  } catch (error) {
    return done(error as Error)
  }
  if (given !== reply) done()
}

export interface OutputFile {
  status: number
  headers: Answer['headers']
  bytes: Buffer
}

/** Changes what an output_url or a download_url leads to. */
export function onFile(app: App, change: (file: OutputFile, request: FastifyRequest) => void | Promise<void>): void {
  app.fastify.addHook('onSend', async (request, reply, payload) => {
    if (!isMeant('getOutputFile', request) || request.method !== 'GET' || reply.statusCode >= 300) return payload
    const chunks: Buffer[] = []
    for await (const chunk of payload as AsyncIterable<Buffer>) chunks.push(chunk)
    const file = { status: reply.statusCode, headers: reply.getHeaders(), bytes: Buffer.concat(chunks) }
    await change(file, request)
    file.headers['content-length'] = file.bytes.length
    writeHead(file, request, reply)
    return file.bytes
  })
}

/** Told of each event of a job, whether a webhook is sent for it or not. `send` sends it, or another one. */
export function onJobEvent(
  app: App,
  act: (event: WebhookEventName, job: JobRecord, world: World, send: (event: WebhookEventName) => void) => void,
): void {
  const { webhooks } = app.mock
  const announce = webhooks.announce.bind(webhooks)
  webhooks.announce = (world, event, job) => act(event, job, world, sent => announce(world, sent, job))
}

/** Takes credits away, in thousandths, and owns up to it in the usage: what a client can see of a wrong charge. */
export function overcharging(app: App): (world: World, thousandths: number) => void {
  const extra = new WeakMap<object, number>()
  rewriteJson(app, 'getUsageSummary', (body, { context }) => {
    const credits = (extra.get(context.world.usage) ?? 0) / 1000
    for (const row of [body, body.daily.at(-1)]) row.credits_used += credits
  })
  return (world, thousandths) => {
    const credits = world.account.credits
    credits.setBalance(credits.balance - thousandths)
    extra.set(world.usage, (extra.get(world.usage) ?? 0) + thousandths)
  }
}

/** Changes every job as it comes into being, before it is paid for. */
export function onNewJob(app: App, change: (job: JobRecord) => void): void {
  const seen = new WeakSet<object>()
  afterKey(app, '*', ({ context }) => {
    const { jobs } = context.world
    if (seen.has(jobs)) return
    seen.add(jobs)
    const add = jobs.add.bind(jobs)
    jobs.add = job => {
      change(job)
      add(job)
    }
  })
}

/** Shows states under other names, wherever a state is shown. */
export const renameStates = (app: App, names: Record<string, string>): void =>
  rewriteJson(app, ['createJob', 'startJob', 'getJob', 'listJobs'], body => {
    for (const shown of body.jobs ?? [body]) shown.status = names[shown.status] ?? shown.status
  })

export const keyOf = ({ headers }: FastifyRequest): string => String(headers['x-api-key'])

export const idempotencyKeyOf = ({ headers }: FastifyRequest): string | undefined =>
  headers['idempotency-key']?.toString()

/** The id of the job that a call's path names. */
export const jobIdOf = ({ params }: FastifyRequest): string => (params as { job_id?: string }).job_id ?? ''

/** The job that a call's path names, if it is the key's own. */
export const ownJobOf = (request: FastifyRequest): JobRecord | undefined =>
  request.context.world.jobs.get(jobIdOf(request))

/** Counts one more under a name, and says how many there are now. */
export function countOn(counts: Map<string, number>, name: string): number {
  const count = (counts.get(name) ?? 0) + 1
  counts.set(name, count)
  return count
}

/** Options of a mock that is built already. */
export const changeConfig = ({ mock }: App, change: Partial<Config>): void => void Object.assign(mock.config, change)
