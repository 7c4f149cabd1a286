/** GO-3 and CR-3: what a create may cost when it is sent twice. */
import { type Client, type ClientCall, mayPass, waitAfter } from '../client.ts'
import { broke, type ConductRule, callText, kept, outcome, type RuleFinding, time } from '../rule.ts'
import { leastMs } from './errors.ts'

export const oneJob: ConductRule = {
  id: 'idempotency.one-job',
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
      ? 'a create was tried again without its Idempotency-Key, but whether a job was doubled by it was not seen'
      : undefined,
}

/** Creates that may have made a job though they seemed to fail, each with what was sent of the same next. */
function retriedCreates(client: Client): [failed: ClientCall, next: ClientCall][] {
  const creates = client.calls.filter(({ operation }) => operation === 'createJob')
  return creates.flatMap((failed): [ClientCall, ClientCall][] => {
    if (!mayPass(failed) || failed.status === 429) return []
    const same = creates.filter(other => other !== failed && other.sameBody === failed.sameBody)
    const own = same.find(other => other.at >= failed.endedAt && other.idempotencyKey === failed.idempotencyKey)
    if (own !== undefined) return [[failed, own]]
    // With another key it may be another job's: not where it is the only one of the kind, and comes right after it.
    const isAlone = same.every(other => other.at >= failed.endedAt || other.endedAt <= failed.at)
    const next = same.find(other => other.at >= failed.endedAt)
    return next !== undefined && isAlone && waitAfter(failed, next) <= retriedWithinMs ? [[failed, next]] : []
  })
}

const retriedWithinMs = 20_000

export const noRetryWithoutCredits: ConductRule = {
  id: 'credits.no-retry',
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
