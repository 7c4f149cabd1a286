/** ERR-3 and ERR-4: which failures a client tries again, and which it doesn't. */
import { type Client, delayOf, type Fact, isClientError, mayPass } from '../client.ts'
import { broke, callText, type Finding, kept, outcome, type Rule, time } from '../rule.ts'

/** A person may have mended something in the meantime. */
const unchangedForMs = 10 * 60_000

export const clientErrorsNotRetried: Rule = {
  id: 'errors.client-errors-not-retried',
  clauses: ['ERR-3', 'ERR-4'],
  title: 'A request that was refused with a 4xx (400, 401, 404, …) is not sent again unchanged',
  advice:
    'Treat 4xx other than 402, 409 and 429 as final: show or log the message, fix the payload, the key or the id, and do not put it into the retry loop.',
  provoke: ['invalid-request', 'job-not-found', 'key-revoked-midway', 'upload-rejected'],
  judge(client) {
    const findings: Finding[] = []
    const before = new Map<number, Fact>()
    for (const call of client.calls) {
      const refused = before.get(call.intent)
      if (refused !== undefined && isRepeat(client, refused, call))
        findings.push(
          broke(
            `sent ${callText(call)} again ${time(delayOf(refused, call))} after it was refused with ${outcome(refused)}, unchanged`,
            refused,
            call,
          ),
        )
      if (isClientError(call)) before.set(call.intent, call)
      else before.delete(call.intent)
    }
    const repeated = new Set(findings.flatMap(({ facts }) => facts))
    for (const call of client.calls) {
      if (isClientError(call) && !repeated.has(call))
        findings.push(kept(`did not send it again after ${outcome(call)}`, call))
    }
    return findings
  },
}

function isRepeat(client: Client, refused: Fact, call: Fact): boolean {
  const delay = delayOf(refused, call)
  if (delay < 0 || delay > unchangedForMs) return false
  // ERR-4: "Job not completed" asks the client to poll, and to come back then.
  const polled = ({ operation, at, endedAt }: Fact) =>
    operation === 'getJob' && at >= refused.at && endedAt <= call.at + 1
  return !(refused.operation === 'getDownload' && refused.status === 400 && client.ofJob(refused.jobId).some(polled))
}

/** What a user's work hangs on; a failed look at prices or usage may just be left. */
const worthwhile: readonly (string | undefined)[] = [
  'uploadVideo',
  'uploadVideoLegacy',
  'createJob',
  'startJob',
  'getJob',
  'getDownload',
  'getOutputFile',
]
/** Who is asked to wait longer may well give up. */
const longestWaitMs = 120_000

export const retried: Rule = {
  id: 'errors.retried',
  clauses: ['ERR-3', 'ERR-4', 'GO-2'],
  title: 'What failed with 429, with a 5xx or without an answer is tried again',
  advice:
    'Retry 429, 5xx, timeouts and cut connections with backoff (1-2, 2-4, 4-8, then 8-16 s), at least once, before you give up; send a create with an Idempotency-Key so that a retry is safe.',
  provoke: ['internal-error-once', 'rate-limited-then-ok', 'processing-failed', 'connection-reset', 'timeout-504'],
  judge(client) {
    const isRetry = new Set(client.chains.flatMap(chain => chain.slice(1)))
    return client.calls.flatMap(call => {
      if (!mayPass(call) || isRetry.has(call) || !worthwhile.includes(call.operation)) return []
      if ((call.retryAfterMs ?? 0) > longestWaitMs) return []
      const [next] = client.again(call)
      if (next !== undefined)
        return kept(`tried ${callText(call)} again ${time(delayOf(call, next))} after ${outcome(call)}`, call, next)
      if (isSettledOtherwise(client, call)) return []
      return broke(`never tried ${callText(call)} again after ${outcome(call)}`, call)
    })
  },
}

/** It was tried before, somebody pulled the plug, or the client found out in another way. */
function isSettledOtherwise(client: Client, call: Fact): boolean {
  if (call.cut?.by === 'client' && client.last === call) return true
  const after = ({ endedAt }: { endedAt: number }) => endedAt >= call.at
  if (client.calls.some(other => other.number !== call.number && other.purpose === call.purpose && mayPass(other)))
    return true
  if (call.operation === 'getJob') return client.hooksOf(call.jobId).some(after)
  return call.operation === 'createJob' && client.calls.some(other => other.operation === 'listJobs' && after(other))
}

/** RL-3's first wait is a second at least; a little less is a timer's matter. */
export const leastMs = 900

export const noHammering: Rule = {
  id: 'errors.no-hammering',
  clauses: ['ERR-3', 'RL-3'],
  title: 'After a 5xx or a lost answer a client waits a second or more before it tries again',
  advice:
    'Wait 1-2 s before the first retry, and longer before each one that follows: a server in trouble is not helped by more calls.',
  provoke: ['outage-of-30s', 'internal-error-once', 'connection-reset'],
  judge: client =>
    client.chains.flatMap(chain =>
      chain.slice(1).flatMap((next, i) => {
        const failed = chain[i] as Fact
        // When a client gave up on a silent server is not known to the millisecond.
        if (failed.status === 429 || failed.cut?.how === 'silence' || isStaleConnection(failed, i)) return []
        const delay = delayOf(failed, next)
        const said = `tried ${callText(next)} again ${time(delay)} after ${outcome(failed)}`
        return delay < leastMs ? broke(said, failed, next) : kept(said, failed, next)
      }),
    ),
}

/** Many HTTP libraries send a GET again by themselves, once, when a kept connection turns out to be closed. */
const isStaleConnection = ({ method, cut }: Fact, tries: number): boolean =>
  tries === 0 && method === 'GET' && cut?.when === 'before_head' && cut.by === 'server'
