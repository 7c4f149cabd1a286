/** ERR-3 and ERR-4: which failures a client tries again, and which it doesn't. */
import { type Client, type ClientCall, type ClientWebhook, isClientError, mayPass, waitAfter } from '../client.ts'
import { broke, type ConductRule, callText, kept, outcome, type RuleFinding, time } from '../rule.ts'

/** A person may have mended something in the meantime, or looks once more. */
const unchangedForMs = { GET: 60_000, POST: 10 * 60_000 }

export const clientErrorsNotRetried: ConductRule = {
  id: 'errors.client-errors-not-retried',
  clauses: ['ERR-3', 'ERR-4'],
  title: 'A request that was refused with a 4xx (400, 401, 404, …) is not sent again unchanged',
  advice:
    'Treat 4xx other than 402, 409 and 429 as final: show or log the message, fix the payload, the key or the id, and do not put it into the retry loop.',
  provoke: ['invalid-request', 'job-not-found', 'key-revoked-midway', 'upload-rejected'],
  judge(client) {
    const findings: RuleFinding[] = []
    /** The refusals of each request, one soon after the other. */
    const rows = new Map<number, ClientCall[]>()
    for (const call of client.calls) {
      const row = rows.get(call.intent) ?? []
      const refused = row.at(-1)
      if (refused !== undefined && !isRepeat(client, refused, call)) row.length = 0
      if (isClientError(call)) row.push(call)
      else if (row.length > 0 && !mayPass(call)) row.length = 0
      rows.set(call.intent, row)
      // Two places of one app may each ask once; whoever sends something, sends it on purpose.
      if (isClientError(call) && row.length === (call.method === 'GET' ? 3 : 2)) findings.push(brokenBy(row))
    }
    const repeated = new Set(findings.flatMap(({ facts }) => facts))
    for (const call of client.calls) {
      if (isClientError(call) && !repeated.has(call))
        findings.push(kept(`did not send it again and again after ${outcome(call)}`, call))
    }
    return findings
  },
}

function brokenBy(row: readonly ClientCall[]): RuleFinding {
  const [first, second] = row as [ClientCall, ClientCall]
  const how = `${time(waitAfter(first, second))} after it was refused with ${outcome(first)}, unchanged`
  return broke(`sent ${callText(second)} again ${how}`, ...row)
}

function isRepeat(client: Client, refused: ClientCall, call: ClientCall): boolean {
  const delay = waitAfter(refused, call)
  if (delay < 0 || delay > (call.method === 'GET' ? unchangedForMs.GET : unchangedForMs.POST)) return false
  // Of an upload only its length may be known: another file may have the same.
  const [a, b] = [refused.file, call.file]
  if (a !== undefined && b !== undefined && (a.filename !== b.filename || a.type !== b.type)) return false
  // ERR-4: "Job not completed" asks the client to poll, and to come back then.
  const isLook = ({ operation, at, endedAt }: ClientCall) =>
    (operation === 'getJob' || operation === 'listJobs') && at >= refused.at && endedAt <= call.at + 1
  const isTold = ({ event, at, endedAt }: ClientWebhook) =>
    event === 'job.completed' && endedAt >= refused.at && at <= call.at
  const mayBeReady = client.calls.some(isLook) || client.hooksOf(refused.jobId).some(isTold)
  return !(refused.operation === 'getDownload' && refused.status === 400 && mayBeReady)
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
/** What comes later is no retry, but a new attempt of somebody. */
const retriedWithinMs = 5 * 60_000

export const retried: ConductRule = {
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
      if (next !== undefined && waitAfter(call, next) > retriedWithinMs) return []
      if (next !== undefined)
        return kept(`tried ${callText(call)} again ${time(waitAfter(call, next))} after ${outcome(call)}`, call, next)
      if (isSettledOtherwise(client, call)) return []
      return broke(`never tried ${callText(call)} again after ${outcome(call)}`, call)
    })
  },
}

/** It was tried before, somebody pulled the plug, or the client found out in another way. */
function isSettledOtherwise(client: Client, call: ClientCall): boolean {
  // Whoever is ended goes away from all that is under way.
  if (call.cut?.by === 'client' && client.calls.every(({ at }) => at <= call.endedAt)) return true
  const after = ({ endedAt }: { endedAt: number }) => endedAt >= call.at
  if (client.calls.some(other => other.number !== call.number && other.purpose === call.purpose && mayPass(other)))
    return true
  if (call.operation === 'getJob') return client.hooksOf(call.jobId).some(after)
  // The job's output_url leads there as well.
  if (call.operation === 'getDownload')
    return client.ofJob(call.jobId).some(other => other.operation === 'getOutputFile' && after(other))
  return call.operation === 'createJob' && client.calls.some(other => other.operation === 'listJobs' && after(other))
}

/** RL-3's first wait is a second at least; a little less is a timer's matter. */
export const leastMs = 900

export const noHammering: ConductRule = {
  id: 'errors.no-hammering',
  clauses: ['ERR-3', 'RL-3'],
  title: 'After a 5xx or a lost answer a client waits a second or more before it tries again',
  advice:
    'Wait 1-2 s before the first retry, and longer before each one that follows: a server in trouble is not helped by more calls.',
  provoke: ['outage-of-30s', 'internal-error-once', 'connection-reset'],
  judge: client =>
    client.chains.flatMap(chain => {
      const found = chain.slice(1).flatMap((next, i) => {
        const failed = chain[i] as ClientCall
        // When a client gave up on a silent server is not known to the millisecond.
        if (failed.status === 429 || failed.cut?.how === 'silence') return []
        const delay = waitAfter(failed, next)
        if (i === 0 && isResent(failed, delay)) return []
        const said = `tried ${callText(next)} again ${time(delay)} after ${outcome(failed)}`
        return delay < leastMs ? broke(said, failed, next) : kept(said, failed, next)
      })
      // Two that use one key may ask for the same, each at its own time: once in a row that looks like haste.
      const isChance = chain[0]?.method === 'GET' && found.filter(({ kept }) => !kept).length === 1
      return isChance ? found.filter(({ kept }) => kept) : found
    }),
}

/**
 * Many HTTP libraries send a call again by themselves, once and at once, when a kept connection turns out to be closed:
 * browsers, curl and Go those of any method (RFC 9112, 9.3.1), Java, aiohttp and Ruby a GET on a new connection too.
 */
const isResent = ({ method, cut, isReused }: ClientCall, delay: number): boolean =>
  cut?.by === 'server' &&
  ((method === 'GET' && cut.when === 'before_head') || (isReused && cut.when !== 'in_body' && delay < atOnceMs))

/** Some 130 ms were measured; a busy machine takes longer. */
const atOnceMs = 500
