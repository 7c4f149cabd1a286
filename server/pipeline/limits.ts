/** Rate limits (RL-1, RL-2): per key, and per client address for calls without one. */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { apiError } from '../errors.ts'
import type { Window } from '../world/limits.ts'

export function takeRequest(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { exchange } = request
  const { world, at } = exchange
  const window = exchange.keyState === 'valid' ? world.limits.requests : world.limits.requestsFrom(request.ip, at)
  if (window === undefined) return done()
  exchange.window = window
  done(window.take(at) ? undefined : tooMany(window, at))
}

/** Job creations have a limit of their own, beside that of all requests. */
export function takeJob(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { exchange } = request
  const window = exchange.world.limits.jobs
  if (window === undefined) return done()
  exchange.window ??= window
  if (exchange.window !== window) exchange.jobWindow = window
  done(window.take(exchange.at) ? undefined : tooMany(window, exchange.at))
}

function tooMany(window: Window, now: number) {
  const seconds = window.secondsLeft(now)
  const detail = `${window.limit} ${window.name} in ${window.windowMs / 1000} s; wait ${seconds} s`
  return apiError('rate_limited', detail, { 'retry-after': String(seconds) })
}
