/** Rate limits (RL-1, RL-2, GO-2). */
import { apiError } from '../../server/errors.ts'
import { secondsLeft } from '../../server/world/limits.ts'
import type { World } from '../../server/world/world.ts'
import { afterKey, asItArrives, type Mutant, onCase, setLimitHeader } from './tools.ts'

const header = (
  id: string,
  what: string,
  names: string | readonly string[],
  value: (old: string | undefined) => string | undefined,
  also: Mutant['also'] = [],
): Mutant => ({ id, breaks: ['RL-2'], also, what, apply: app => setLimitHeader(app, names, value) })

const classic = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

const limited = (seconds: number) => apiError('rate_limited', undefined, { 'retry-after': String(seconds) })

export const limits: readonly Mutant[] = [
  header('retry-after-missing', '429 has no Retry-After', 'retry-after', () => undefined),
  header('retry-after-date', 'Retry-After is a date', 'retry-after', seconds =>
    new Date(Date.now() + Number(seconds) * 1000).toUTCString(),
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
    apply(app) {
      const told = new Set<World>()
      const again = new WeakSet<object>()
      onCase(app, '*', 'rate_limited', (_answer, { context, exchange }) => {
        if (exchange.ruleContext === undefined && !again.has(exchange)) told.add(context.world)
      })
      // Only a call that the real limits let pass comes here.
      afterKey(app, '*', ({ context, exchange }) => {
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
    apply: app =>
      afterKey(app, '*', ({ exchange }) => {
        if (exchange.keyState !== 'valid' || exchange.window === undefined) return
        for (const { account, clock } of app.mock.worlds) {
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
    apply(app) {
      const banned = new WeakSet<World>()
      onCase(app, '*', 'rate_limited', (_answer, { context, exchange }) => {
        if (exchange.ruleContext === undefined) banned.add(context.world)
      })
      afterKey(app, '*', ({ context, exchange }) => {
        if (banned.has(context.world) && exchange.keyState === 'valid') throw limited(1)
      })
    },
  },
  {
    id: 'burst-not-refused',
    breaks: ['GO-2'],
    also: ['RL-1'],
    what: 'no burst is refused, though the key has a limit',
    apply: app =>
      asItArrives(app, '*', ({ raw: { headers } }) => {
        const key = headers['x-api-key'] as string | undefined
        const world =
          key === undefined ? undefined : app.mock.worlds.ofKey(key, headers['x-mock-world'] as string | undefined)
        world?.account.limits.set(0, 0)
      }),
  },
  {
    id: 'legacy-not-limited',
    breaks: ['RL-1'],
    also: ['GO-2'],
    what: 'calls without a key are not counted',
    apply: app =>
      asItArrives(app, '*', ({ headers }) => {
        app.mock.worlds.anonymous(headers['x-mock-world'] as string | undefined).account.limits.requestsFrom = () =>
          undefined
      }),
  },
]
