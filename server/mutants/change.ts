/**
 * What broken and different servers are made with: the real mock, built as everybody builds it, then changed in one
 * place before it listens. Hooks of the root come before a route's own, and behind closeExchange() on the way out, so
 * the journal has what the mock meant to say and the client gets what the mutant made of it. Whoever changes an answer
 * says so to the mutation.
 */
import { isDeepStrictEqual } from 'node:util'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCaseName, errorCases } from '../../contracts/errors.ts'
import { type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import type { WebhookEventName } from '../../contracts/schemas.ts'
import type { Config } from '../config.ts'
import { toFastifyPath } from '../routes/index.ts'
import type { JobRecord } from '../world/jobStore.ts'
import { viewOf } from '../world/jobs.ts'
import type { World } from '../world/world.ts'
import { type Mutation, messageOf } from './mutation.ts'

// biome-ignore lint/suspicious/noExplicitAny: a mutant changes whatever is there
export type Json = any

/** Which routes: one, some, or all of the API's, those that no route meets included. /__mock is never meant. */
export type Where = OperationId | readonly OperationId[] | '*'

export interface MutableAnswer {
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
export function onAnswer(
  mutation: Mutation,
  where: Where,
  change: (answer: MutableAnswer, request: FastifyRequest) => void,
): void {
  mutation.showsAt(where)
  mutation.fastify.addHook('onSend', (request, reply, payload, done) => {
    if (!isMeant(where, request) || !isText(payload)) return done(null, payload)
    const before = payload.toString()
    const answer: MutableAnswer = { status: reply.statusCode, headers: reply.getHeaders(), body: parsed(before) }
    const healthy = messageOf(reply, before)
    const head = { status: answer.status, headers: { ...answer.headers } }
    change(answer, request)
    const { status, headers, body } = answer
    const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)
    // What is written as it was is left as it was: numbers that are too large for JSON.parse() too.
    const isSame = isDeepStrictEqual(body, parsed(before))
    if (isSame && (typeof body !== 'string' || text === before) && isDeepStrictEqual({ status, headers }, head))
      return done(null, payload)
    mutation.acted(request, healthy)
    writeHead(answer, request, reply)
    done(null, text)
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
  { status, headers }: Pick<MutableAnswer, 'status' | 'headers'>,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  for (const name of Object.keys(reply.getHeaders())) if (headers[name] === undefined) reply.removeHeader(name)
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.header(name, value)
  reply.code(status)
  if (request.exchange) request.exchange.status = status
}

/** Changes the JSON of good answers, in place. */
export const rewriteJson = (
  mutation: Mutation,
  where: Where,
  change: (body: Json, request: FastifyRequest) => void,
): void =>
  onAnswer(mutation, where, (answer, request) => {
    if (answer.status < 300 && typeof answer.body === 'object' && answer.body !== null) change(answer.body, request)
  })

/** Changes every job that GET /v1/jobs/{id} and the list show. */
export const rewriteJobs = (mutation: Mutation, change: (job: Json, request: FastifyRequest) => void): void =>
  rewriteJson(mutation, ['getJob', 'listJobs'], (body, request) => {
    for (const job of body.jobs ?? [body]) change(job, request)
  })

/** A job for a list: as the answer shows it already, where it does. A view that is made now may be further on its way, which is no fault. */
export const jobIn = ({ jobs }: Json, world: World, job: JobRecord): Json =>
  // As JSON has it: a field that is undefined is none.
  jobs.find(({ id }: Json) => id === job.view.id) ?? JSON.parse(JSON.stringify(viewOf(world, job)))

/** Changes errors: all of them, or those of one code. */
export const rewriteErrors = (
  mutation: Mutation,
  where: Where,
  code: string | undefined,
  change: (error: Json, answer: MutableAnswer, request: FastifyRequest) => void,
): void =>
  onAnswer(mutation, where, (answer, request) => {
    const error = answer.status < 300 ? undefined : answer.body?.error
    if (error && (code === undefined || error.code === code)) change(error, answer, request)
  })

/** Answers a code with another status. */
export const restatus = (mutation: Mutation, where: Where, code: string, status: number): void =>
  rewriteErrors(mutation, where, code, (_error, answer) => {
    answer.status = status
  })

/** Answers a case of the catalogue, as its message tells it, with another status. */
export const restatusCase = (mutation: Mutation, where: Where, name: ErrorCaseName, status: number): void =>
  onCase(mutation, where, name, answer => {
    answer.status = status
  })

export const onCase = (
  mutation: Mutation,
  where: Where,
  name: ErrorCaseName,
  change: (answer: MutableAnswer, request: FastifyRequest) => void,
): void =>
  rewriteErrors(mutation, where, errorCases[name].code, ({ message }, answer, request) => {
    if (message.startsWith(errorCases[name].message)) change(answer, request)
  })

/** Sets a header of 429 answers, or takes it out. */
export const setLimitHeader = (
  mutation: Mutation,
  names: string | readonly string[],
  value: (old: string | undefined) => string | undefined,
): void =>
  onAnswer(mutation, '*', ({ status, headers }) => {
    if (status !== 429) return
    for (const name of [names].flat()) headers[name] = value(headers[name]?.toString())
  })

/** Looks at a request before anything else does: its headers can still be changed. */
export const asItArrives = (mutation: Mutation, where: Where, act: (request: FastifyRequest) => void): void => {
  mutation.showsAt(where)
  mutation.fastify.addHook('onRequest', (request, _reply, done) => {
    if (isMeant(where, request)) act(request)
    done()
  })
}

type Step = (request: FastifyRequest, reply: FastifyReply) => unknown

/** When key and limits are passed, before the body is read. It may throw an apiError(). */
export const afterKey = (mutation: Mutation, where: Where, act: Step): void => {
  mutation.showsAt(where)
  mutation.fastify.addHook('preParsing', (request, reply, payload, done) => {
    takeStep(mutation, where, act, request, reply, error => done(error, payload))
  })
}

/** When the body is read, before idempotency and schema look at it. It may throw an apiError(), or give a sent reply. */
export const beforeValidation = (mutation: Mutation, where: Where, act: Step): void => {
  mutation.fastify.addHook('preValidation', (request, reply, done) =>
    takeStep(mutation, where, act, request, reply, done),
  )
}

/** In the place of the route's handler, or before it. It may throw an apiError(), or give a sent reply. */
export const beforeRoute = (mutation: Mutation, where: Where, act: Step): void => {
  mutation.fastify.addHook('preHandler', (request, reply, done) => takeStep(mutation, where, act, request, reply, done))
}

function takeStep(
  mutation: Mutation,
  where: Where,
  act: Step,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  if (!isMeant(where, request)) return done()
  // Before the step: a reply that it sends is on its way when it returns.
  const retract = mutation.acting(request)
  let given: unknown
  try {
    given = act(request, reply)
  } catch (error) {
    return done(error as Error)
  }
  if (given === reply) return
  retract()
  done()
}

export interface OutputFile {
  status: number
  headers: MutableAnswer['headers']
  bytes: Buffer
}

/** Changes what an output_url or a download_url leads to. */
export function onFile(
  mutation: Mutation,
  change: (file: OutputFile, request: FastifyRequest) => void | Promise<void>,
): void {
  mutation.fastify.addHook('onSend', async (request, reply, payload) => {
    if (!isMeant('getOutputFile', request) || request.method !== 'GET' || reply.statusCode >= 300) return payload
    const chunks: Buffer[] = []
    for await (const chunk of payload as AsyncIterable<Buffer>) chunks.push(chunk)
    const file = { status: reply.statusCode, headers: reply.getHeaders(), bytes: Buffer.concat(chunks) }
    const healthy = messageOf(reply, `(${file.bytes.length} bytes)`)
    const before = { ...file, headers: { ...file.headers } }
    await change(file, request)
    if (!isDeepStrictEqual(file, before)) mutation.acted(request, healthy)
    file.headers['content-length'] = file.bytes.length
    writeHead(file, request, reply)
    return file.bytes
  })
}

/** Told of each event of a job, whether a webhook is sent for it or not. `send` sends it, or another one. */
export function onJobEvent(
  mutation: Mutation,
  act: (event: WebhookEventName, job: JobRecord, world: World, send: (event: WebhookEventName) => void) => void,
): void {
  const { webhooks } = mutation.mock
  const announce = webhooks.announce.bind(webhooks)
  webhooks.announce = (world, event, job) => {
    if (!mutation.isMeant(world)) return announce(world, event, job)
    let isSame = false
    act(event, job, world, sent => {
      isSame ||= sent === event
      announce(world, sent, job)
    })
    const { webhook_url: url } = job.view
    if (isSame || url === null) return
    const body = JSON.stringify({ event, data: job.view })
    mutation.altered({ method: 'POST', headers: { 'X-Webhook-Event': event }, body }, undefined, url)
  }
}

/** Takes credits away, in thousandths, and owns up to it in the usage: what a client can see of a wrong charge. */
export function overcharging(mutation: Mutation): (world: World, thousandths: number) => void {
  const extra = new WeakMap<object, number>()
  rewriteJson(mutation, 'getUsageSummary', (body, { context }) => {
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
export function onNewJob(mutation: Mutation, change: (job: JobRecord) => void): void {
  const seen = new WeakSet<object>()
  afterKey(mutation, 'createJob', ({ context }) => {
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
export const renameStates = (mutation: Mutation, names: Record<string, string>): void =>
  rewriteJson(mutation, ['createJob', 'startJob', 'getJob', 'listJobs'], body => {
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
export const changeConfig = ({ mock }: Mutation, change: Partial<Config>): void =>
  void Object.assign(mock.config, change)

/** Changes what the mock's own journal says. */
export function changeJournal(mutation: Mutation, change: (entries: Json[]) => Json[]): void {
  const { journal } = mutation.mock
  const read = journal.read.bind(journal) as (...given: unknown[]) => { entries: Json[] }
  journal.read = ((...given: unknown[]) => {
    const page = read(...given)
    const entries = change(page.entries)
    if (isDeepStrictEqual(entries, page.entries)) return page
    mutation.changedJournal(JSON.stringify(page.entries), JSON.stringify(entries))
    return { ...page, entries }
  }) as typeof journal.read
}
