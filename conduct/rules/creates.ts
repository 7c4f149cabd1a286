/** GO-3 and CR-3: what a create may cost when it is sent twice. */

import { plural } from '../../base/text.ts'
import { type Client, type ClientCall, isAfter, mayPass, restMs, retriedWithinMs, waitAfter } from '../client.ts'
import { broke, type ConductRule, callText, kept, outcome, type RuleFinding, time } from '../rule.ts'
import { leastMs } from './errors.ts'

export const oneJob: ConductRule = {
  id: 'idempotency.one-job',
  level: 'must',
  since: '2026-11',
  clauses: ['GO-3', 'ID-1'],
  title: 'A create that is tried again carries the Idempotency-Key of its first try, so that no job is doubled',
  advice:
    'Draw one Idempotency-Key for each job that you mean to make, keep it with the job, and send the same one on every try.',
  provoke: ['answer-lost-job-created'],
  judge: client =>
    retriedCreates(client).flatMap(([failed, next]): RuleFinding[] => {
      if (failed.idempotencyKey !== undefined && failed.idempotencyKey === next.idempotencyKey)
        return [kept('sent the create again with the same Idempotency-Key', failed, next)]
      const how = next.idempotencyKey === undefined ? 'without an Idempotency-Key' : 'with another Idempotency-Key'
      const isDoubled = failed.jobId !== undefined && next.jobId !== undefined && failed.jobId !== next.jobId
      const said = `sent the create again ${how}: the jobs ${failed.jobId} and ${next.jobId} were made of one`
      return isDoubled ? [broke(said, failed, next)] : []
    }),
  reason: client =>
    retriedCreates(client).length > 0
      ? 'a create was tried again without its Idempotency-Key, but no job was doubled by it'
      : undefined,
}

export const keyOnRetry: ConductRule = {
  id: 'idempotency.key-on-retry',
  level: 'should',
  since: '2026-12',
  clauses: ['GO-3', 'ID-1'],
  title: 'A create that failed with a 5xx, a time-out or a reset is sent again only under an Idempotency-Key',
  advice:
    'After a 5xx or without an answer nobody knows whether the job was made: retry a create only if it carries an Idempotency-Key, or look at GET /v1/jobs first. After a 429 it may be sent again as it is.',
  provoke: ['internal-error-once', 'connection-reset', 'timeout-504'],
  judge: client =>
    retriedCreates(client).flatMap(([failed, next]): RuleFinding[] => {
      if (failed.idempotencyKey !== undefined && failed.idempotencyKey === next.idempotencyKey)
        return [kept(`sent the create again after ${outcome(failed)}, with its Idempotency-Key`, failed, next)]
      // With a key of its own, or much later, it may be another's.
      if (next.idempotencyKey !== undefined || waitAfter(failed, next) > restMs) return []
      return [broke(`sent the create again after ${outcome(failed)}, without an Idempotency-Key`, failed, next)]
    }),
}

export const jobsPerIntent: ConductRule = {
  id: 'credits.jobs-per-intent',
  level: 'must',
  since: '2026-12',
  clauses: ['GO-3', 'CR-1'],
  title: 'One job is made, and paid for, of each that is meant',
  advice:
    'Count what is charged per order of your user, not per call: keep one Idempotency-Key with each order, and look for its job in GET /v1/jobs before you order again.',
  provoke: ['answer-lost-job-created', 'timeout-504-job-created', 'internal-error-job-created', 'slow-accept'],
  judge: client =>
    intentsOf(client).flatMap((tries): RuleFinding[] => {
      const made = [...new Map(tries.flatMap(call => (call.jobId === undefined ? [] : [[call.jobId, call] as const])))]
      if (made.length < 2) return made.length === 1 ? [kept('made one job, however often it was tried', ...tries)] : []
      // The key asked for one job; the server had forgotten it.
      const [key] = tries.map(({ idempotencyKey }) => idempotencyKey)
      if (key !== undefined && tries.every(({ idempotencyKey }) => idempotencyKey === key)) return []
      const credits = made.reduce((sum, [, call]) => sum + (call.credits ?? 0), 0)
      const cost = credits > 0 ? ` for ${plural(Math.round(credits * 1000) / 1000, 'credit')}` : ''
      return [
        broke(`${made.length} jobs${cost} were made of one intent: ${made.map(([id]) => id).join(', ')}`, ...tries),
      ]
    }),
  reason: client =>
    intentsOf(client).length > 0 ? 'a create was tried again, but whether each try made a job was not seen' : undefined,
}

/** Creates that mean the same job: each begun when the one before had failed in a way that leaves open what became of it. */
function intentsOf(client: Client): ClientCall[][] {
  const next = new Map(retriedCreates(client))
  const later = new Set(next.values())
  return [...next.keys()]
    .filter(first => !later.has(first))
    .map(first => {
      const tries = [first]
      for (let one = next.get(first); one !== undefined; one = next.get(one)) tries.push(one)
      return tries
    })
}

/** Creates that may have made a job though they seemed to fail, each with what was sent of the same next. */
function retriedCreates(client: Client): [failed: ClientCall, next: ClientCall][] {
  // What was refused with 429 has made nothing: the try behind it is what counts.
  const creates = client.calls.filter(({ operation, status }) => operation === 'createJob' && status !== 429)
  return creates.flatMap((failed, i): [ClientCall, ClientCall][] => {
    if (!mayPass(failed)) return []
    const isSame = (other: ClientCall) => other !== failed && other.sameBody === failed.sameBody
    const later = creates.slice(i + 1).filter(other => isSame(other) && isAfter(failed, other))
    const own = later.find(other => other.idempotencyKey === failed.idempotencyKey)
    if (own !== undefined && (own.idempotencyKey !== undefined || waitAfter(failed, own) <= retriedWithinMs))
      return [[failed, own]]
    // With another key it may be another job's: not where it is the only one of the kind, and comes right after it.
    const isAlone = creates.every(other => !isSame(other) || later.includes(other) || other.endedAt <= failed.at)
    const [next] = later
    return next !== undefined && isAlone && waitAfter(failed, next) <= retriedWithinMs ? [[failed, next]] : []
  })
}

export const noRetryWithoutCredits: ConductRule = {
  id: 'credits.no-retry',
  level: 'must',
  since: '2026-11',
  clauses: ['ERR-3', 'CR-3'],
  title: 'What was refused for want of credits (402) is sent again with backoff, or when there are credits',
  advice:
    'At 402 insufficient_credits tell someone who can top up; try again with backoff (1-2, 2-4, 4-8, then 8-16 s), if at all.',
  provoke: ['insufficient-credits', 'credits-run-out-midway'],
  judge(client) {
    const findings: RuleFinding[] = []
    const refused = new Map<number, ClientCall>()
    for (const call of client.calls) {
      const before = refused.get(call.intent)
      if (before !== undefined) {
        const delay = waitAfter(before, call)
        // ERR-3: retry with backoff, or top up.
        if (call.status === 402 && delay >= 0 && delay < leastMs)
          findings.push(
            broke(
              `sent ${callText(call)} again ${time(delay)} after ${outcome(before)}, and was refused again`,
              before,
              call,
            ),
          )
        refused.delete(call.intent)
      }
      if (call.status === 402) refused.set(call.intent, call)
    }
    const told = new Set(findings.flatMap(({ facts }) => facts))
    for (const call of refused.values())
      if (!told.has(call)) findings.push(kept('did not send it again at once after 402', call))
    return findings
  },
}
