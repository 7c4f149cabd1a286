/** GO-3 and CR-3: what a create may cost when it is sent twice. */
import { delayOf, type Fact } from '../client.ts'
import { broke, callText, type Finding, kept, outcome, type Rule, time } from '../rule.ts'

export const oneJob: Rule = {
  id: 'idempotency.one-job',
  clauses: ['GO-3', 'ID-1'],
  title: 'A create that is tried again carries the Idempotency-Key of its first try, so that no job is doubled',
  advice:
    'Draw one Idempotency-Key for each job that you mean to make, keep it with the job, and send the same one on every try.',
  provoke: ['answer-lost-job-created'],
  judge: client =>
    retriedCreates(client.chains).flatMap(([failed, next]): Finding[] => {
      if (failed.idempotencyKey !== undefined && failed.idempotencyKey === next.idempotencyKey)
        return [kept('sent the create again with the same Idempotency-Key', failed, next)]
      const how = next.idempotencyKey === undefined ? 'without an Idempotency-Key' : 'with another Idempotency-Key'
      const isDoubled = failed.jobId !== undefined && next.jobId !== undefined && failed.jobId !== next.jobId
      return isDoubled
        ? [
            broke(
              `sent the create again ${how}: the jobs ${failed.jobId} and ${next.jobId} were made of one`,
              failed,
              next,
            ),
          ]
        : []
    }),
  reason: client =>
    retriedCreates(client.chains).length > 0
      ? 'a create was tried again without its Idempotency-Key, but whether a job was doubled by it was not seen'
      : undefined,
}

/** Creates that may have made a job though they seemed to fail, and their retries. */
const retriedCreates = (chains: readonly (readonly Fact[])[]): [failed: Fact, next: Fact][] =>
  chains
    .filter(([first]) => first?.operation === 'createJob')
    .flatMap(chain => chain.slice(1).map((next, i): [Fact, Fact] => [chain[i] as Fact, next]))
    .filter(([{ status }]) => status !== 429)

/** Somebody may have topped up in between. */
const sameAccountForMs = 10 * 60_000

export const noRetryWithoutCredits: Rule = {
  id: 'credits.no-retry',
  clauses: ['ERR-3', 'CR-3'],
  title: 'What was refused for want of credits (402) is sent again only when there are credits',
  advice: 'Stop at 402 insufficient_credits and tell whoever can top up; waiting alone brings no credits.',
  provoke: ['insufficient-credits', 'credits-run-out-midway'],
  judge(client) {
    const findings: Finding[] = []
    const refused = new Map<number, Fact>()
    for (const call of client.calls) {
      const before = refused.get(call.intent)
      if (before !== undefined) {
        const delay = delayOf(before, call)
        if (call.status === 402 && delay >= 0 && delay < sameAccountForMs)
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
      if (!told.has(call)) findings.push(kept('did not send it again after 402', call))
    return findings
  },
}
