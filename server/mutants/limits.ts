/** Rate limits (RL-1, RL-2, GO-2). */
import type { FastifyRequest } from 'fastify'
import { wallClockMs } from '../../base/clock.ts'
import { apiError } from '../errors.ts'
import { secondsLeft, type Window } from '../world/limits.ts'
import type { World } from '../world/world.ts'
import { afterKey, asItArrives, onCase, setLimitHeader } from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

const header = (
  id: string,
  what: string,
  names: string | readonly string[],
  value: (old: string | undefined) => string | undefined,
  also: Mutant['also'] = [],
): Mutant => ({ id, breaks: ['RL-2'], also, what, apply: mutation => setLimitHeader(mutation, names, value) })

const classic = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

/** A limit that is used up begins anew: only then is an answer another one than the mock's. */
function keepRoom(mutation: Mutation, request: FastifyRequest, { clock }: World, window: Window | undefined): void {
  if (window === undefined || window.remaining > 0 || clock.now() >= window.endsAt) return
  window.restore(0, window.endsAt)
  mutation.acted(request)
}

const limited = (seconds: number) => apiError('rate_limited', undefined, { 'retry-after': String(seconds) })

export const limitMutants: readonly Mutant[] = [
  header('retry-after-missing', '429 has no Retry-After', 'retry-after', () => undefined),
  header('retry-after-date', 'Retry-After is a date', 'retry-after', seconds =>
    new Date(wallClockMs() + Number(seconds) * 1000).toUTCString(),
  ),
  header(
    'retry-after-short',
    'Retry-After is a second short',
    'retry-after',
    seconds => String(Math.max(0, Number(seconds) - 1)),
    ['GO-2'],
  ),
  header('retry-after-fraction', 'Retry-After has a fraction', 'retry-after', seconds => `${seconds}.5`),
  header('ratelimit-missing', '429 has no RateLimit headers', ['ratelimit', 'ratelimit-policy'], () => undefined),
  header('x-ratelimit-missing', '429 has no X-RateLimit headers', classic, () => undefined),
  header('x-ratelimit-reset-missing', '429 has no X-RateLimit-Reset', 'x-ratelimit-reset', () => undefined),
  {
    id: 'retry-after-once-more',
    breaks: ['RL-2'],
    also: ['GO-2'],
    what: 'who has waited as told is refused once more',
    apply(mutation) {
      const told = new Set<World>()
      const again = new WeakSet<object>()
      onCase(mutation, '*', 'rate_limited', (_answer, { context, exchange }) => {
        if (exchange.ruleContext === undefined && !again.has(exchange)) told.add(context.world)
      })
      // Only a call that the real limits let pass comes here.
      afterKey(mutation, '*', ({ context, exchange }) => {
        if (!told.delete(context.world)) return
        again.add(exchange)
        throw limited(1)
      })
    },
  },
  {
    id: 'limit-shared-by-keys',
    breaks: ['RL-1'],
    what: 'when one key has used up its limit, all others that have one are refused too',
    apply: mutation =>
      afterKey(mutation, '*', ({ exchange }) => {
        if (exchange.keyState !== 'valid' || exchange.window === undefined) return
        for (const { account, clock } of mutation.mock.worlds) {
          const { requests } = account.limits
          const isUsedUp = requests !== undefined && requests !== exchange.window && requests.remaining === 0
          const seconds = isUsedUp ? secondsLeft(requests.endsAt, clock.now()) : 0
          if (seconds > 0) throw limited(seconds)
        }
      }),
  },
  {
    id: 'limited-forever',
    breaks: ['GO-2'],
    also: ['RL-2'],
    what: 'a key that was refused once is refused for good',
    apply(mutation) {
      const banned = new WeakSet<World>()
      onCase(mutation, '*', 'rate_limited', (_answer, { context, exchange }) => {
        if (exchange.ruleContext === undefined) banned.add(context.world)
      })
      afterKey(mutation, '*', ({ context, exchange }) => {
        if (banned.has(context.world) && exchange.keyState === 'valid') throw limited(1)
      })
    },
  },
  {
    id: 'burst-not-refused',
    breaks: ['GO-2'],
    also: ['RL-1'],
    what: 'no burst is refused, though the key has a limit',
    apply: mutation =>
      asItArrives(mutation, '*', request => {
        const { headers } = request.raw
        const key = headers['x-api-key'] as string | undefined
        const world =
          key === undefined ? undefined : mutation.mock.worlds.ofKey(key, headers['x-mock-world'] as string | undefined)
        if (world !== undefined) keepRoom(mutation, request, world, world.account.limits.requests)
        if (world !== undefined) keepRoom(mutation, request, world, world.account.limits.jobs)
      }),
  },
  {
    id: 'legacy-not-limited',
    breaks: ['RL-1'],
    also: ['GO-2'],
    what: 'calls without a key are not counted',
    apply: mutation =>
      asItArrives(mutation, '*', request => {
        const { headers, ip } = request
        if (headers['x-api-key'] !== undefined) return
        const world = mutation.mock.worlds.anonymous(headers['x-mock-world'] as string | undefined)
        keepRoom(mutation, request, world, world.account.limits.requestsFrom(ip, world.clock.now()))
      }),
  },
]
