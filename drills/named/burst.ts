/**
 * Finds a key's limit: a closed model, as fast as the connections go (autocannon), until it is met. Every 429 is held
 * against the contract, and its Retry-After is waited for.
 */

import type { Client } from 'autocannon'
import { monotonicMs } from '../../base/clock.ts'
import { plural } from '../../base/text.ts'
import type { Outbound } from '../calls.ts'
import type { LoadResponse } from '../load/wire.ts'
import { retryAfterMs } from '../policy.ts'
import { inUnit } from '../reporters/numbers.ts'
import { flat } from '../sampler.ts'
import type { DrillSession } from '../session.ts'
import { refuseKey, Workload } from '../workload.ts'
import type { Drill } from './drill.ts'

export const burst: Drill = {
  title: "send as fast as possible: what is a key's rate limit, and is each Retry-After correct?",
  clauses: ['RL-1', 'RL-2', 'GO-2', 'ERR-1', 'ERR-5'],
  takes: ['calls', 'connections', 'secondKey', 'maxWait'],
  defaults: { calls: 200, connections: 20 },
  thresholds: [
    'retry_after_violations = 0',
    'header_mismatches = 0',
    'shared_limit = 0',
    'no_response = 0',
    '5xx = 0',
    'broken = 0',
  ],
  limit: 'default',
  plan: ({ calls = 1, maxWait = 0 }) => ({ requests: calls + 2 * others + 1, ms: maxWait + 10_000, jobs: 0 }),
  async run(session) {
    const { calls = 1, connections = 1 } = session.settings
    const { main = '', second } = session.setup.keys
    const out = new Workload(session, main).listCall(1)
    session.model = 'closed'
    session.beginLoad(`${plural(calls, 'request')} on ${plural(Math.min(calls, connections), 'connection')}`, 0)
    const amount = Math.min(calls, session.setup.maxRequests ?? calls)
    const answers = await flood(session, out, amount, connections)
    session.endLoad(answers.at(-1)?.endedAt)
    const [first] = answers
    if (first) refuseKey(out, first)
    for (const answered of answers) session.judge(out, answered)
    const limited = answers.filter(({ status }) => status === 429)
    session.found.set('limited', limited.length)
    tellLimit(session, answers)
    if (session.due < amount && !session.stopped)
      return `of ${plural(amount, 'request')} only ${session.due} ended with a known outcome: the server closes its connections`
    if (limited.length === 0)
      return `no 429 came in ${plural(answers.length, 'request')}; more --calls may meet the limit`
    if (second === undefined) session.note('whether two keys share a limit needs a second one (--second-key)')
    else await askOther(session, out, second)
    await waitAndAsk(session, out, limited.at(-1) as LoadResponse)
    return undefined
  },
}

/** autocannon gives up after so many connections that failed; without a bound it would try for ever. */
const mostErrors = 50

/** Sends them all; the answers in the order in which they came. */
const flood = (session: DrillSession, out: Outbound, calls: number, connections: number): Promise<LoadResponse[]> =>
  session.setup.closesConnections
    ? floodAnew(session, out, calls, connections)
    : floodKept(session, out, calls, Math.min(calls, connections))

/** Where each answer ends its connection, autocannon loses those that were underway: the other drills' connections don't. */
async function floodAnew(
  session: DrillSession,
  out: Outbound,
  calls: number,
  connections: number,
): Promise<LoadResponse[]> {
  const answers: LoadResponse[] = []
  let left = calls
  const sender = async () => {
    while (left-- > 0 && !session.stopped) {
      const answered = await session.ask({ ...out, needsBody: true })
      if (answered.status > 0) answers.push(answered)
    }
  }
  await Promise.all(Array.from({ length: connections }, sender))
  return answers
}

async function floodKept(
  session: DrillSession,
  out: Outbound,
  calls: number,
  connections: number,
): Promise<LoadResponse[]> {
  const { setup, settings } = session
  const answers: LoadResponse[] = []
  // Loaded now: nothing but a burst needs it.
  const { default: autocannon } = await import('autocannon')
  let latest: Pick<LoadResponse, 'status' | 'headers' | 'body'> | undefined
  return new Promise((resolve, reject) => {
    const instance = autocannon(
      {
        url: setup.base + out.path,
        amount: calls,
        connections,
        timeout: Math.ceil(settings.timeout / 1000),
        bailout: mostErrors,
        ...(setup.maxRate !== undefined && { overallRate: setup.maxRate }),
        tlsOptions: setup.tls,
        requests: [
          {
            method: 'GET',
            path: new URL(setup.base + out.path).pathname + new URL(setup.base + out.path).search,
            headers: { ...out.headers },
            // Told just before the client's own event of the same answer, which has the time.
            onResponse: (status, body, _context, headers) => {
              latest = { status, body: Buffer.from(body), headers: lowerCase(headers ?? {}) }
            },
          },
        ],
        setupClient: (client: Client) => {
          client.on('response', (_status, _bytes, ms) => {
            if (!latest) return
            const endedAt = monotonicMs()
            const answered: LoadResponse = { ...latest, kept: true, sentAt: endedAt - ms, endedAt, waited: false }
            answers.push(answered)
            session.counted(out, answered)
          })
        },
      },
      (error, result) => {
        setup.signal.removeEventListener('abort', stop)
        if (error) return reject(error)
        const endedAt = monotonicMs()
        const nothing = { status: 0, headers: {}, body: Buffer.alloc(0), kept: false, endedAt, waited: false }
        for (let i = 0; i < result.errors; i++) {
          const isTimeout = i < result.timeouts
          const tookMs = isTimeout ? settings.timeout : 0
          const error = isTimeout ? `no answer within ${settings.timeout / 1000} s` : 'cut before an answer'
          session.counted(out, { ...nothing, error, sentAt: endedAt - tookMs })
        }
        resolve(answers)
      },
    )
    const stop = () => instance.stop?.()
    setup.signal.addEventListener('abort', stop, { once: true })
  })
}

const lowerCase = (headers: object): LoadResponse['headers'] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

function tellLimit(session: DrillSession, answers: readonly LoadResponse[]): void {
  const passed = answers.filter(({ status }) => status >= 200 && status < 300)
  session.fact('passed', 'got through', `${passed.length} of ${answers.length}`, passed.length, '')
  const first = answers.findIndex(({ status }) => status === 429)
  if (first >= 0) {
    const at = (answers[first] as LoadResponse).endedAt - session.loadAt
    session.fact(
      'first_429',
      'first 429',
      `the ${first + 1}. answer, ${inUnit(at, 'ms')} after the start`,
      first + 1,
      '',
    )
  }
  const wrong = inconsistent(answers)
  session.found.set('header_mismatches', wrong.length)
  if (wrong.length > 0)
    session.fact(
      'header_mismatches',
      'limit headers',
      `${wrong.length} contradict what was seen: ${wrong[0]}`,
      wrong.length,
      '',
    )
  else {
    const limit = passed.map(({ headers }) => headers['x-ratelimit-limit']).find(value => value !== undefined)
    const told = limit ?? answers.map(({ headers }) => headers['x-ratelimit-limit']).find(value => value !== undefined)
    session.fact(
      'header_mismatches',
      'limit headers',
      told === undefined ? 'none was sent' : `they tell a limit of ${told}, and agree with what was seen`,
    )
  }
}

/** What the limit headers say that can't be, one text for each answer that says it (RL-2). */
export function inconsistent(answers: readonly Pick<LoadResponse, 'status' | 'headers'>[]): string[] {
  const wrong: string[] = []
  const told = answers.map(({ status, headers }) => ({ status, headers: flat(headers) }))
  const limits = new Set(told.flatMap(({ headers }) => headers['x-ratelimit-limit'] ?? []))
  const limit = limits.size === 1 ? Number([...limits][0]) : Number.NaN
  for (const { status, headers } of told) {
    const remaining = headers['x-ratelimit-remaining']
    if (limits.size > 1) wrong.push(`X-RateLimit-Limit is now ${[...limits].join(', now ')}`)
    else if (remaining === undefined) continue
    else if (status === 429 && Number(remaining) !== 0) wrong.push(`429 with X-RateLimit-Remaining ${remaining}`)
    else if (status !== 429 && (Number(remaining) < 0 || Number(remaining) >= limit))
      wrong.push(`X-RateLimit-Remaining ${remaining} of a limit of ${limit}, with a call counted`)
    else {
      const draft = /(?:^|;)\s*r=(\d+)/.exec(headers.ratelimit ?? '')?.[1]
      if (draft !== undefined && draft !== remaining)
        wrong.push(`RateLimit says ${draft}, X-RateLimit-Remaining ${remaining}`)
    }
  }
  return wrong
}

/** Enough to see it, few enough for any limit. */
const others = 3

/** While the first key is at its limit, another one is not (RL-1). */
async function askOther(session: DrillSession, first: Outbound, key: string): Promise<void> {
  session.phase = 'asking with the second key'
  const out = new Workload(session, key).listCall(1)
  let refused = 0
  let told = 0
  for (let i = 0; i < others; i++) {
    // A limit that lifts meanwhile proves nothing of who shares it.
    const [own, other] = await Promise.all([session.ask(first), session.ask(out)])
    refuseKey(out, other, '--second-key')
    if (own.status !== 429) continue
    told++
    if (other.status === 429) refused++
  }
  if (told === 0) return session.note('the limit of the first key was over before a second key could be tried')
  session.found.set('shared_limit', refused)
  session.fact(
    'shared_limit',
    'a second key meanwhile',
    refused === 0 ? 'got through: it has a limit of its own' : `${refused} of ${plural(told, 'call')} answered 429`,
    refused,
    '',
  )
}

/** Waiting so long is enough: RFC 9110's Retry-After is always enough (RL-2). */
async function waitAndAsk(session: DrillSession, out: Outbound, refused: LoadResponse): Promise<void> {
  const waitMs = retryAfterMs(refused)
  if (waitMs === 0) return session.note('the last 429 has no Retry-After in whole seconds to wait for (RL-2)')
  if (waitMs > session.settings.maxWait)
    return session.note(
      `its Retry-After of ${waitMs / 1000} s is more than --max-wait ${session.settings.maxWait / 1000}s`,
    )
  session.phase = `waiting ${waitMs / 1000} s, as Retry-After says`
  const from = session.now()
  await session.sleep(refused.endedAt + waitMs + session.setup.graceMs - monotonicMs())
  if (session.stopped) return
  session.marks.push({
    label: `Retry-After: ${waitMs / 1000} s`,
    from_ms: Math.round(from),
    to_ms: Math.round(session.now()),
    kind: 'wait',
  })
  const answered = await session.ask(out)
  const isViolated = answered.status === 429
  session.found.set('retry_after_violations', isViolated ? 1 : 0)
  session.fact(
    'retry_after_violations',
    'after Retry-After',
    isViolated
      ? `still 429 after the ${waitMs / 1000} s that it asked for`
      : `${answered.status} after the ${waitMs / 1000} s that it asked for`,
    isViolated ? 1 : 0,
    '',
  )
}
