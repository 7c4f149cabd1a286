/** Drives into the limit, backs off as RL-3 says, and measures it against the best that the limit allows. */
import { plural } from '../../base/text.ts'
import type { Outbound } from '../calls.ts'
import { backoffMs, isRetried, retryAfterMs } from '../policy.ts'
import { inUnit } from '../reporters/numbers.ts'
import type { DrillSession } from '../session.ts'
import { refuseKey, Workload } from '../workload.ts'
import type { Drill } from './drill.ts'

export const recover: Drill = {
  title: 'provoke 429s and back off as RL-3 says: does every request succeed, and how soon?',
  clauses: ['RL-2', 'RL-3', 'GO-2'],
  takes: ['calls', 'users', 'maxWait', 'maxConnections'],
  defaults: { calls: 60, users: 10 },
  thresholds: ['given_up = 0', 'slowdown < 3x', 'no_response = 0', '5xx = 0', 'broken = 0'],
  limit: { calls: 20, perMs: 5_000 },
  plan: ({ calls = 1 }) => ({ requests: calls * 5, ms: 10 * 60_000, jobs: 0 }),
  async run(session) {
    const { calls = 1, users = 1 } = session.settings
    const out = new Workload(session, session.setup.keys.main ?? '').listCall(1)
    session.model = 'users'
    session.beginLoad(`${plural(users, 'user')}, ${plural(calls, 'request')}`, 0)
    const seen: Seen = { limited: 0, givenUp: 0, waits: 0, limit: undefined, windowMs: 0 }
    let next = 0
    const work = async (user: number) => {
      while (next < calls && !session.stopped) {
        const n = next++
        if (!(await untilThrough(session, `${user}.${n}`, out, seen))) seen.givenUp++
      }
    }
    await Promise.all(Array.from({ length: users }, (_, user) => work(user)))
    session.endLoad()
    return tell(session, seen, calls)
  },
}

interface Seen {
  limited: number
  givenUp: number
  waits: number
  /** Requests that the limit lets through in a window, and ms of the window, as its headers say. */
  limit: number | undefined
  windowMs: number
}

const mostTries = 20

async function untilThrough(session: DrillSession, who: string, out: Outbound, seen: Seen): Promise<boolean> {
  for (let attempt = 0; attempt < mostTries && !session.stopped; attempt++) {
    const answered = await session.ask(out)
    if (answered.status >= 200 && answered.status < 300) return true
    refuseKey(out, answered)
    if (!isRetried(answered.status)) return false
    const askedMs = retryAfterMs(answered)
    if (answered.status === 429) {
      seen.limited++
      const limit = Number(answered.headers['x-ratelimit-limit'])
      if (limit > 0) seen.limit = limit
      seen.windowMs = Math.max(seen.windowMs, windowOf(String(answered.headers['ratelimit-policy'] ?? '')) ?? 0)
    }
    if (askedMs > session.settings.maxWait) {
      session.note(`a Retry-After of ${askedMs / 1000} s is more than --max-wait`)
      return false
    }
    seen.waits++
    await session.sleep(Math.max(askedMs, backoffMs(session.setup.random, who, attempt)))
  }
  return false
}

/** ms of the window that RateLimit-Policy tells: "default";q=100;w=60 */
function windowOf(policy: string): number | undefined {
  const seconds = /;\s*w=(\d+)/.exec(policy)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

function tell(
  session: DrillSession,
  { limited, givenUp, waits, limit, windowMs }: Seen,
  calls: number,
): string | undefined {
  session.found.set('limited', limited)
  // Stopped by our own hand, none was given up, and nobody knows how long it would have taken.
  if (session.stopped) return undefined
  session.found.set('given_up', givenUp)
  session.fact(
    'through',
    'got through',
    `${calls - givenUp} of ${calls}, with ${plural(waits, 'wait')}`,
    calls - givenUp,
    '',
  )
  session.fact('limited', 'answers of 429', String(limited), limited, '')
  const tookMs = session.loadEndAt - session.loadAt
  session.fact('took', 'till all were through', inUnit(tookMs, 'ms'), tookMs, 'ms')
  if (limited === 0) return `no 429 came in ${plural(calls, 'request')}; more --calls may meet the limit`
  if (limit === undefined || windowMs === 0) {
    session.note(
      'the 429s do not name both a limit and its window (RateLimit-Policy), so that there is no best possible time to compare with (RL-2)',
    )
    return undefined
  }
  const bestMs = Math.floor((calls - 1) / limit) * windowMs
  session.fact(
    'best',
    'best possible',
    `${inUnit(bestMs, 'ms')}, with ${plural(limit, 'request')} in ${windowMs / 1000} s`,
    bestMs,
    'ms',
  )
  if (bestMs === 0) return undefined
  const slowdown = tookMs / bestMs
  session.found.set('slowdown', slowdown)
  session.fact('slowdown', 'against the best possible', inUnit(slowdown, 'x'), slowdown, 'x')
  return undefined
}
