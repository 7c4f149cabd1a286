/** Rate limits (RL-1, RL-2): per key, and per client address for calls without one. */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { apiError } from '../errors.ts'
import { secondsLeft, type Window } from '../world/limits.ts'

export function takeRequest(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { exchange } = request
  const { world, at } = exchange
  const window = exchange.keyState === 'valid' ? world.limits.requests : world.limits.requestsFrom(request.ip, at)
  if (window === undefined) return done()
  const isIn = window.take(at)
  exchange.window = window
  exchange.remaining = window.remaining
  exchange.endsAt = window.endsAt
  done(isIn ? undefined : tooMany(window, at))
}

/** Job creations have a limit of their own, beside that of all requests. */
export function takeJob(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { exchange } = request
  const window = exchange.world.limits.jobs
  if (window === undefined) return done()
  const isIn = window.take(exchange.at)
  exchange.jobWindow = window
  exchange.jobRemaining = window.remaining
  done(isIn ? undefined : tooMany(window, exchange.at))
}

function tooMany({ limit, name, windowMs, endsAt }: Window, now: number) {
  const seconds = secondsLeft(endsAt, now)
  const detail = `${limit} ${name} in ${windowMs / 1000} s; wait ${seconds} s`
  return apiError('rate_limited', detail, { 'retry-after': String(seconds) })
}
