/** RL-2: who is told how long to wait, waits that long. */
import { type ClientCall, waitAfter } from '../client.ts'
import { broke, type ConductRule, callText, kept, time } from '../rule.ts'

/** Timers are not exact. */
const slackMs = 50

export const retryAfter: ConductRule = {
  id: 'limits.retry-after',
  clauses: ['RL-2', 'RL-3', 'GO-2'],
  title: 'After a 429 a client waits for the seconds of Retry-After before it comes back',
  advice:
    'Read Retry-After (whole seconds) and wait at least that long, plus jitter; use your own backoff only where it is longer.',
  provoke: ['rate-limited-then-ok', 'rate-limited-burst'],
  judge: client =>
    client.chains.flatMap(chain =>
      chain.slice(1).flatMap((next, i) => {
        const failed = chain[i] as ClientCall
        if (failed.status !== 429 || failed.retryAfterMs === undefined) return []
        const delay = waitAfter(failed, next)
        const said = `came back with ${callText(next)} after ${time(delay)}, asked to wait ${time(failed.retryAfterMs)}`
        return delay < failed.retryAfterMs - slackMs ? broke(said, failed, next) : kept(said, failed, next)
      }),
    ),
}
