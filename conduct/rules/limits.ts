/** RL-2: who is told how long to wait, waits that long. */
import { type Client, type ClientCall, mayPass, waitAfter } from '../client.ts'
import { type ConductRule, callText, kept, type RuleFinding, time, tooShort } from '../rule.ts'

/** Timers are not exact. */
const slackMs = 50
const tolerance = `${slackMs} ms`
/** RL-1's own limits ask for no more; what does is a matter of its own. */
const longMs = 60_000

export const retryAfter: ConductRule = {
  id: 'limits.retry-after',
  level: 'must',
  since: '2026-11',
  tolerance,
  clauses: ['RL-2', 'RL-3', 'GO-2'],
  title: 'After an answer with Retry-After (429, 503, 413) a client waits for its seconds before it comes back',
  advice:
    'Read Retry-After (whole seconds) and wait at least that long, plus jitter; use your own backoff only where it is longer.',
  provoke: ['rate-limited-then-ok', 'retry-after-on-503', 'rate-limited-burst'],
  judge: client => returnsOf(client, call => call.retryAfter === 'seconds' && (call.retryAfterMs ?? 0) <= longMs),
}

export const httpDate: ConductRule = {
  id: 'limits.http-date',
  level: 'must',
  since: '2026-12',
  tolerance,
  clauses: ['RL-2', 'RL-3', 'GO-2'],
  title: 'A Retry-After that is an HTTP-date is waited for like one in seconds',
  advice:
    'Where Retry-After is not a whole number, read it as an HTTP-date (RFC 9110 10.2.3) and wait until then; a date that has passed asks for nothing.',
  provoke: ['retry-after-date', 'retry-after-past'],
  judge: client => returnsOf(client, call => call.retryAfter === 'date' && (call.retryAfterMs ?? 0) <= longMs),
}

export const noEarlyReturn: ConductRule = {
  id: 'limits.no-early-return',
  level: 'must',
  since: '2026-12',
  tolerance,
  clauses: ['RL-2', 'RL-3', 'GO-2'],
  title: 'A wait of more than a minute is waited out, or given up: a client does not come back early',
  advice:
    'Do not cut a long Retry-After down to a cap of your own: where it is longer than you can wait, give up and say so.',
  provoke: ['retry-after-61s', 'retry-after-a-day'],
  judge: (client, { now }) => [
    ...returnsOf(client, isLongWait),
    ...waitsGivenUp(client, now).map(call => kept(notBackText(call), call)),
  ],
}

/** A wait that a client may give up instead. */
export const isLongWait = ({ retryAfterMs = 0 }: ClientCall): boolean => retryAfterMs > longMs

/** Calls that were asked to come back after more than a minute by a client that has ended, and never did. */
export const waitsGivenUp = (client: Client, now: number): ClientCall[] =>
  now === Number.POSITIVE_INFINITY
    ? client.calls.filter(call => isLongWait(call) && mayPass(call) && client.again(call).length === 0)
    : []

export const notBackText = (call: ClientCall): string =>
  `did not come back with ${callText(call)}: asked to wait ${askedText(call)}`

/** How each came back that was told when. */
function returnsOf(client: Client, isAsked: (call: ClientCall) => boolean): RuleFinding[] {
  return client.chains.flatMap(chain =>
    chain.slice(1).flatMap((next, i) => {
      const failed = chain[i] as ClientCall
      const { retryAfterMs } = failed
      if (retryAfterMs === undefined || !isAsked(failed)) return []
      const delay = waitAfter(failed, next)
      const said = `came back with ${callText(next)} after ${time(delay)}, asked to wait ${askedText(failed)}`
      const missed = retryAfterMs - slackMs - delay
      return missed > 0 ? tooShort(missed, said, failed, next) : kept(said, failed, next)
    }),
  )
}

const askedText = ({ retryAfterMs = 0, retryAfter: how }: ClientCall): string =>
  how === 'date' ? `${time(retryAfterMs)}, until a date` : time(retryAfterMs)
