/** Rate limits (RL-1, RL-2): per key, and per client address for calls without one. */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { apiError } from '../errors.ts'
import { secondsLeft, type Window } from '../world/limits.ts'

/**
 * Counts a request against the key's limit, and a job's creation against that of creations too. All are looked at before
 * any is taken from, and Retry-After waits for the last of those that are used up: waiting that long is enough.
 */
export function takeLimits(alsoJobs: boolean) {
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { context, exchange } = request
    const { at } = exchange
    const { limits } = context.account
    const requests = exchange.keyState === 'valid' ? limits.requests : limits.requestsFrom(request.ip, at)
    const jobs = alsoJobs ? limits.jobs : undefined
    const mayRequest = requests === undefined || requests.hasRoom(at)
    const mayCreate = jobs === undefined || jobs.hasRoom(at)
    if (mayRequest && mayCreate) {
      requests?.take()
      jobs?.take()
    }
    if (requests) {
      exchange.window = requests
      exchange.remaining = requests.remaining
      exchange.endsAt = requests.endsAt
    }
    if (jobs) {
      exchange.jobWindow = jobs
      exchange.jobRemaining = jobs.remaining
      exchange.jobEndsAt = jobs.endsAt
    }
    if (mayRequest && mayCreate) return done()
    const usedUp = [...(mayRequest ? [] : [requests]), ...(mayCreate ? [] : [jobs])]
    done(tooMany(usedUp, at))
  }
}

function tooMany(usedUp: readonly Window[], now: number) {
  const last = usedUp.reduce((a, b) => (b.endsAt > a.endsAt ? b : a))
  const seconds = secondsLeft(last.endsAt, now)
  const detail = `${last.limit} ${last.name} in ${last.windowMs / 1000} s; wait ${seconds} s`
  return apiError('rate_limited', detail, { 'retry-after': String(seconds) })
}
