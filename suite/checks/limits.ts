/** RL-1, RL-2, GO-2, ERR-5: a burst, what its 429 says, and whether waiting helps. */

import { plural } from '../../base/text.ts'
import { describeResponse } from '../../contracts/answers.ts'
import { codeOf } from '../../contracts/judge.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import type { Check } from '../check.ts'
import type { CallOptions, Probe } from '../probe.ts'
import { NotTried } from '../session.ts'

const atOnce = 10
/** What a limited key of the mock is given: small, so that nobody has to wait long. */
const smallLimit = { calls: 3, seconds: 1 }

/** How long the suite waits for a limit that it has set itself. */
const aidedWaitMs = 10_000

interface Burst {
  /** The key that was limited. */
  key: string
  refused: ObservedExchange
  /** What another key was answered at the same moment. */
  others: ObservedExchange[]
}

/** Calls until the first 429, a few at a time; whatever comes of those underway is waited for. */
async function until429(
  t: Probe,
  path: string,
  options: CallOptions,
  clause: 'GO-2' | 'RL-1',
): Promise<ObservedExchange> {
  const { mockSupport } = t.environment
  const most = mockSupport ? smallLimit.calls * 4 : t.environment.burst
  let last: ObservedExchange | undefined
  for (let sent = 0; sent < most; sent += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, most - sent) }, () =>
      t.get(path, { ...options, takes429: true }),
    )
    const answers = await Promise.all(some)
    last = answers.at(-1)
    const refused = answers.findLast(({ status }) => status === 429) ?? answers.find(({ status }) => status >= 400)
    if (refused) return refused
  }
  // Where the suite has set the limit itself, it is there; elsewhere there may be none.
  if (mockSupport && last)
    t.expect(clause, false, `429, as the limit is ${smallLimit.calls} calls`, `${most} calls were answered`, {
      exchange: last,
    })
  return t.must(false, `no 429 within ${plural(most, 'call')} (--burst)`)
}

/** The one burst on a key; what other keys are answered meanwhile is asked at once. */
const burst = (t: Probe): Promise<Burst> =>
  t.run.once('burst', async () => {
    const { mockSupport, keys } = t.environment
    const key = mockSupport ? await mockSupport.limitedKey(smallLimit.calls, smallLimit.seconds) : t.key
    const unlimited = [keys.second, mockSupport && (await mockSupport.limitedKey(smallLimit.calls, smallLimit.seconds))]
    const refused = await until429(t, list, { key }, 'GO-2')
    const others: ObservedExchange[] = []
    for (const other of unlimited)
      if (other !== undefined) others.push(await t.get(list, { key: other, takes429: true }))
    return { key, refused, others }
  })

const list = '/v1/jobs?limit=1'

export const limitChecks: readonly Check[] = [
  {
    id: 'limits.burst',
    title: 'a burst is answered 429; waiting as long as Retry-After says is enough',
    clauses: ['RL-2', 'GO-2', 'ERR-5'],
    costs: { burst: 150 },
    needs: ['key'],
    async run(t: Probe) {
      const { key, refused } = await burst(t)
      const isLimit = refused.status === 429
      t.expect('GO-2', isLimit, 'a burst is answered 429', describeResponse(refused), { exchange: refused })
      if (!isLimit) return t.must(false, `a burst is answered ${describeResponse(refused)}`)
      const code = codeOf(refused)
      t.expect('ERR-5', code === 'rate_limited', '429 rate_limited', describeResponse(refused), {
        exchange: refused,
        pointer: '/error/code',
      })
      const said = refused.headers['retry-after'] ?? ''
      if (/^\d+$/.test(said)) {
        const waitMs = Number(said) * 1000
        t.must(waitMs <= t.environment.maxWaitMs, `Retry-After is ${said} s, longer than the suite waits (--max-wait)`)
        await t.sleep(waitMs + t.environment.graceMs)
        const next = await t.get(list, { key, takes429: true })
        const pointer = 'header Retry-After'
        t.expect('RL-2', next.status !== 429, `an answer after the ${said} s of Retry-After`, describeResponse(next), {
          exchange: next,
          pointer,
        })
      }
      // GO-2 asks for a client that backs off, whatever Retry-After is worth: call() does.
      const options = { key, ...(t.environment.mockSupport && { maxWaitMs: aidedWaitMs }) }
      const through = await t.get(list, options).catch(error => {
        if (error instanceof NotTried) return undefined
        throw error
      })
      const found = through === undefined ? 'only 429, however long it waits' : describeResponse(through)
      t.expect('GO-2', through?.status === 200, 'a client that backs off gets through', found, {
        exchange: through ?? refused,
      })
    },
  },
  {
    id: 'limits.per-key',
    title: "one key's limit is not another's",
    clauses: ['RL-1'],
    costs: { burst: 150 },
    needs: ['key', 'secondKey'],
    async run(t: Probe) {
      const { refused, others } = await burst(t)
      t.must(refused.status === 429, `a burst is answered ${describeResponse(refused)}`)
      for (const exchange of others)
        t.expect('RL-1', exchange.status !== 429, 'an answer to another key', describeResponse(exchange), {
          exchange,
        })
    },
  },
  {
    id: 'limits.per-address',
    title: 'calls without a key have a limit of their own',
    clauses: ['RL-1'],
    costs: { burst: 150 },
    needs: ['key'],
    async run(t: Probe) {
      const { mockSupport } = t.environment
      const headers = await mockSupport?.limitedAddress(smallLimit.calls, smallLimit.seconds)
      const options = { key: null, ...(headers && { headers }) }
      const refused = await until429(t, '/api/pricing', options, 'RL-1')
      t.must(refused.status === 429, `a burst without a key is answered ${describeResponse(refused)}`)
      const keyed = await t.get(list, { takes429: true })
      t.expect('RL-1', keyed.status !== 429, 'an answer to a call with a key', describeResponse(keyed), {
        exchange: keyed,
      })
    },
  },
]
