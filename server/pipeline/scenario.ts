/**
 * The scenario's step on the way of a request: it decides before the key is looked at, or, where a rule needs the body,
 * when that is here; and what it decided is carried out, on the way in and on the way out.
 */

import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, preParsingHookHandler } from 'fastify'
import type { OperationId } from '../../contracts/operations.ts'
import { type ApiError, apiError } from '../errors.ts'
import type { Answer, FaultWire } from '../faults/fault.ts'
import { pause } from '../faults/wire.ts'
import type { Mock } from '../mock.ts'
import type { Then } from '../scenarios/compileThen.ts'
import type { RuleRequest } from '../scenarios/conditions.ts'
import { retryAfterFields, secondsAsked } from '../scenarios/retryAfter.ts'
import { type FiredRule, RuleContext, type ScenarioRun } from '../scenarios/scenarioRun.ts'
import { Window } from '../world/limits.ts'
import type { World } from '../world/world.ts'
import type { RequestContext } from './context.ts'
import { askForBody } from './expect.ts'
import { answerHeaders } from './headers.ts'
import { releaseIdempotency } from './idempotency.ts'
import { record } from './record.ts'
import { keepUnread } from './unread.ts'

/** Looks for the scenario of a request, and lets its rules decide. */
export function decideScenario(mock: Mock, operation: OperationId) {
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { context, exchange } = request
    const { headers } = request.raw
    const asked = headers['x-mock-scenario'] as string | undefined
    const fault = headers['x-mock-fault'] as string | undefined
    let run: ScenarioRun | undefined
    let decided: ScenarioRun | undefined
    const world = subjectOf(mock, context, request)
    try {
      run = asked === undefined ? mock.scenarios.runOf(world) : mock.scenarios.runOfHeader(world, asked)
      decided = fault === undefined ? run : mock.scenarios.runOfFault(world, fault, operation)
    } catch (error) {
      return done(error as Error)
    }
    if (decided === undefined || isLeftOut(decided, operation)) return done()
    const played = run ?? decided
    const at = world === context.world ? exchange.at : world.clock.now()
    exchange.ruleContext = new RuleContext(played, decided, played.since(at))
    context.account = played.account
    if (exchange.keyState === 'valid' && run?.isRevoked()) exchange.keyState = 'revoked'
    decide(mock, operation, exchange.ruleContext, false, request, reply, done)
  }
}

/** The rest of the decision, for calls whose body has arrived. */
export function decideWithBody(mock: Mock, operation: OperationId) {
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { ruleContext } = request.exchange
    if (ruleContext?.waitsAt === undefined) return done()
    decide(mock, operation, ruleContext, true, request, reply, done)
  }
}

function decide(
  mock: Mock,
  operation: OperationId,
  ruleContext: RuleContext,
  hasBody: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
  done: HookHandlerDoneFunction,
): void {
  const { decider, waitsAt = 0 } = ruleContext
  ruleContext.waitsAt = undefined
  if (hasNoRule(decider, operation)) return done()
  const call = new LiveCall(mock, request)
  const decision = decider.decide(operation, call, ruleContext.sinceStart, hasBody, waitsAt, ruleContext.counted)
  if (decider.scenario.asksJobState) ruleContext.jobState = call.jobState
  if (decision === undefined) return done()
  if ('waitsForBodyAt' in decision) {
    ruleContext.waitsAt = decision.waitsForBodyAt
    return done()
  }
  ruleContext.fired = decision
  applyRule(mock, decision, request, reply, done)
}

/** Whoever waits for the server to be up makes no call that counts, unless a rule names it. */
const isLeftOut = (run: ScenarioRun, operation: OperationId): boolean =>
  operation === 'getHealth' && hasNoRule(run, operation)

const hasNoRule = (run: ScenarioRun, operation: OperationId): boolean =>
  run.scenario.rulesOf.get(operation)?.isEmpty === true

/** A file and a keyless download belong to the job or upload that their path names: its key's scenario is theirs. */
function subjectOf(mock: Mock, { exchange, world }: RequestContext, request: FastifyRequest): World {
  if (exchange.keyState !== 'none') return world
  const { job_id, video_id } = request.params as { job_id?: string; video_id?: string }
  const id = job_id ?? video_id
  return (id === undefined ? undefined : mock.worlds.ofId(id)) ?? world
}

class LiveCall implements RuleRequest {
  readonly #mock: Mock
  readonly #request: FastifyRequest

  constructor(mock: Mock, request: FastifyRequest) {
    this.#mock = mock
    this.#request = request
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return this.#request.url
  }

  get key(): string | undefined {
    return this.header('x-api-key')
  }

  get body(): unknown {
    return this.#request.body
  }

  header(name: string): string | undefined {
    const found = this.#request.raw.headers[name]
    return Array.isArray(found) ? found.join(', ') : found
  }

  get jobState(): string | undefined {
    const { job_id: id } = this.#request.params as { job_id?: string }
    if (id === undefined) return undefined
    const world = subjectOf(this.#mock, this.#request.context, this.#request)
    world.clock.catchUp()
    return world.jobs.get(id)?.view.status
  }
}

/** The way in: the delay, and what the call gets instead of the real handler. */
function applyRule(
  mock: Mock,
  fired: FiredRule,
  request: FastifyRequest,
  reply: FastifyReply,
  done: HookHandlerDoneFunction,
): void {
  const { context } = request
  const { pass, error, body, fault } = fired.rule.then
  // All the rest happens when the answer is ready.
  if (pass === 'before_delay') return done()
  const wire = wireOf(context, reply)

  async function enter(): Promise<void> {
    if (!(await waited(wire, fired))) return abandon(mock, context)
    if (pass === 'after_delay') return done()
    if (error !== undefined) return done(errorOf(fired.rule.then, context))
    if (body !== undefined || fault?.fault.change) return void reply.send(body?.text ?? '')
    record(mock, context)
    keepUnread(request)
    if (fault?.fault.cuts?.how === 'silence') timeSilence(context, reply)
    hold(mock, reply)
    await fault?.fault.send?.(fault.params, undefined, wire)
  }

  enter().catch(error => failed(mock, context, reply, error))
}

/** Nobody is there any more to be answered. */
function abandon(mock: Mock, context: RequestContext): void {
  context.exchange.aborted = true
  record(mock, context)
}

/** How the body is read, where the rule says so. The upload's file and a JSON body both come through here. */
export function readByRule(request: FastifyRequest, reply: FastifyReply, body: Readable): Readable {
  const fault = request.exchange.ruleContext?.fired?.rule.then.fault
  return fault?.fault.receive?.(fault.params, body, wireOf(request.context, reply)) ?? body
}

/** For bodies that Fastify reads. */
export const receiveByRule: preParsingHookHandler = (request, reply, payload, done) => {
  askForBody(request, reply)
  done(null, request.exchange.ruleContext === undefined ? payload : readByRule(request, reply, payload as Readable))
}

/** The way out: what the rule makes of the answer, after the delay. A fault may send it itself, or end the connection. */
export function answerByRule(
  mock: Mock,
  fired: FiredRule,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const { context, exchange } = request
  const { pass, fault } = fired.rule.then
  const wire = wireOf(context, reply)

  async function answer(): Promise<void> {
    if (isGone(reply)) {
      exchange.status = 0
      exchange.responseBody = undefined
    }
    if (isGone(reply) || (pass === 'before_delay' && !(await waited(wire, fired)))) {
      destroy(payload)
      return abandon(mock, context)
    }
    const answer: Answer = {
      status: reply.statusCode,
      headers: reply.getHeaders(),
      body: (payload ?? '') as Answer['body'],
    }
    change(answer, fired, context)
    if (answer.body !== payload) destroy(payload)
    for (const name of Object.keys(reply.getHeaders())) if (answer.headers[name] === undefined) reply.removeHeader(name)
    const headers = Object.fromEntries(Object.entries(answer.headers).filter(([, value]) => value !== undefined))
    reply.code(answer.status).headers(headers)
    exchange.status = answer.status
    exchange.responseHeaders = headers as Record<string, string>
    if (!(answer.body instanceof Readable)) exchange.responseBody = answer.body
    exchange.aborted = request.raw.destroyed && !request.raw.complete
    record(mock, context)
    keepUnread(request)
    if (fault?.fault.send === undefined) return done(null, answer.body)
    hold(mock, reply)
    if (fault.fault.cuts?.how === 'silence') timeSilence(context, reply)
    // A fault that sends none of the body would leave its file open.
    reply.raw.once('close', () => destroy(answer.body))
    await fault.fault.send(fault.params, answer, wire)
  }

  answer().catch(error => failed(mock, context, reply, error))
}

/** A fault's own error must not take the mock down. */
function failed(mock: Mock, context: RequestContext, { raw }: FastifyReply, error: unknown): void {
  const { exchange } = context
  // What is under way breaks off when its client goes away.
  if (!raw.destroyed) mock.log.error({ err: error, request_id: exchange.requestId }, 'a bug in a fault')
  raw.destroy()
  // Once it is in the journal, only its answer has failed.
  if (exchange.seq > 0) return
  exchange.status = 0
  record(mock, context)
}

/** How long a client waits for an answer that never comes is known when it gives up. */
function timeSilence({ world, subject = world, exchange }: RequestContext, { raw }: FastifyReply): void {
  exchange.isOpen = true
  raw.once('close', () =>
    world.journal.amend(exchange.seq, entry => {
      entry.isOpen = false
      entry.endedAt = subject.clock.now()
    }),
  )
}

/** The connection is the fault's now; when the mock closes, it goes away with it. */
function hold({ held }: Mock, { raw }: FastifyReply): void {
  held.add(raw)
  raw.once('close', () => held.delete(raw))
}

const waited = (wire: FaultWire, { overAt }: FiredRule): boolean | Promise<boolean> => {
  const leftMs = overAt - wire.clock.now()
  return leftMs <= 0 || pause(wire, leftMs)
}

/** The connection is closed: by its client, or by a fault that has cut the request's body. */
const isGone = ({ raw }: FastifyReply): boolean => raw.destroyed || raw.socket?.destroyed === true

function change(answer: Answer, { rule, n }: FiredRule, context: RequestContext): void {
  const { then } = rule
  if (then.error !== undefined && then.pass !== 'never') {
    const error = errorOf(then, context)
    replace(answer, JSON.stringify(error.envelope(context.exchange.requestId)), 'application/json; charset=utf-8')
    answer.status = error.status
  }
  Object.assign(answer.headers, answerHeaders(context.exchange))
  if (then.body !== undefined) {
    replace(answer, then.body.text, then.body.isJson ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8')
    answer.status = 200
  }
  const changed = then.patch && patched(answer.body, then.patch)
  if (changed !== undefined) replace(answer, changed, answer.headers['content-type'])
  if (then.status !== undefined) answer.status = then.status
  if (then.retryAfter !== undefined) {
    const fields = retryAfterFields(then.retryAfter, context.world.clock.now())
    answer.headers['retry-after'] = fields.length > 1 ? fields : fields[0]
  }
  for (const [name, value] of Object.entries(then.headers)) answer.headers[name] = value ?? undefined
  const { body } = answer
  then.fault?.fault.change?.(then.fault.params, answer, n)
  if (answer.body !== body) replace(answer, answer.body, answer.headers['content-type'])
}

/** Headers that belong to the body that was there before. */
const bodyHeaders = ['content-length', 'content-range', 'accept-ranges', 'etag', 'last-modified']

function replace(answer: Answer, body: Answer['body'], type: Answer['headers'][string]): void {
  answer.body = body
  answer.headers = { ...answer.headers, 'content-type': type }
  for (const name of bodyHeaders) delete answer.headers[name]
}

/** RFC 7396 on what is JSON; undefined for anything else, which stays as it is. */
function patched(body: Answer['body'], patch: Record<string, unknown>): string | undefined {
  if (body instanceof Readable) return undefined
  try {
    return JSON.stringify(mergePatch(JSON.parse(body.toString()), patch))
  } catch {
    return undefined
  }
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged
}

/** The rule's error. A rate_limited brings its limit's headers along, as the real one does (RL-2). */
function errorOf(then: Then, { exchange, account }: RequestContext): ApiError {
  const { error, message, retryAfter } = then
  const found = apiError(error as NonNullable<Then['error']>)
  if (error === 'rate_limited') {
    exchange.window = account.limits.requests ?? new Window('requests', 100, 60_000)
    exchange.remaining = 0
    exchange.endsAt = exchange.at + secondsAsked(retryAfter ?? []) * 1000
  }
  if (message !== undefined) found.message = message
  return found
}

const destroy = (payload: unknown): void => {
  if (payload instanceof Readable) payload.destroy()
}

const wireOf = (context: RequestContext, { raw }: FastifyReply): FaultWire => ({
  response: raw,
  clock: (context.exchange.ruleContext?.decider.world ?? context.world).clock,
  release: () => releaseIdempotency(context),
})
