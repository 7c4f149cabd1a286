/** ERR-3 and ERR-4: which failures a client tries again, and which it doesn't. */
import {
  type Client,
  type ClientCall,
  type ClientWebhook,
  isAfter,
  isClientError,
  isSilent,
  mayPass,
  restMs,
  retriedWithinMs,
  waitAfter,
} from '../client.ts'
import { broke, type ConductRule, callText, kept, outcome, type RuleFinding, time, tooShort } from '../rule.ts'
import { isLongWait } from './limits.ts'

/** A person may have mended something in the meantime, or looks once more. */
const unchangedForMs = { GET: 60_000, POST: 10 * 60_000 }

export const clientErrorsNotRetried: ConductRule = {
  id: 'errors.client-errors-not-retried',
  level: 'must',
  since: '2026-11',
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
/**
 * What can be sent again without harm: anything that was refused with 429, as nothing was made of it, any GET, and a POST
 * that has an Idempotency-Key. RFC 9110 9.2.2 advises against repeating any other POST.
 */
const mayBeRepeated = ({ status, cut, method, idempotencyKey }: ClientCall): boolean =>
  (cut === undefined && status === 429) || method === 'GET' || method === 'HEAD' || idempotencyKey !== undefined

export const retried: ConductRule = {
  id: 'errors.retried',
  level: 'must',
  since: '2026-11',
  clauses: ['ERR-3', 'ERR-4', 'GO-2'],
  title:
    'What failed with 429 is tried again; so is a GET, or a POST with an Idempotency-Key, that failed with a 5xx or without an answer',
  advice:
    'Retry 429, 5xx, timeouts and cut connections with backoff (1-2, 2-4, 4-8, then 8-16 s), at least once, before you give up. Many HTTP libraries leave a POST alone, 429 included, and few have a time-out by default: switch both on, and send a create with an Idempotency-Key so that a retry is safe.',
  provoke: ['internal-error-once', 'rate-limited-then-ok', 'processing-failed', 'connection-reset', 'timeout-504'],
  judge(client, { stoppedAt }) {
    const isRetry = new Set(client.chains.flatMap(chain => chain.slice(1)))
    return client.calls.flatMap(call => {
      if (!mayPass(call) || isRetry.has(call) || !worthwhile.includes(call.operation)) return []
      // Who is asked to wait so long may well give up.
      if (isLongWait(call)) return []
      const [next] = client.again(call)
      if (next !== undefined && waitAfter(call, next) > retriedWithinMs) return []
      if (next !== undefined)
        return mayBeRepeated(call)
          ? kept(`tried ${callText(call)} again ${time(waitAfter(call, next))} after ${outcome(call)}`, call, next)
          : []
      if (!mayBeRepeated(call) || isWaiting(call, stoppedAt) || isSettledOtherwise(client, call)) return []
      if (mayComeBack(call, stoppedAt)) return []
      // RL-2: a 429 says when to come back; one that does not may be a quota that no wait heals.
      if (call.status === 429 && call.retryAfterMs === undefined) return []
      return broke(`never tried ${callText(call)} again after ${outcome(call)}`, call)
    })
  },
  reason: client =>
    client.calls.some(call => mayPass(call) && worthwhile.includes(call.operation) && !mayBeRepeated(call))
      ? 'a POST without an Idempotency-Key failed in a way that leaves open whether it was done: it may be left alone'
      : undefined,
}

/** It had not given the call up when the watch ended, or when it was ended from outside. */
export const isWaiting = ({ isOpen, cut, endedAt }: ClientCall, stoppedAt: number): boolean =>
  isOpen || (cut !== undefined && endedAt >= stoppedAt - 50)

/** It was ended from outside before its wait after this failure need have been over. */
const mayComeBack = ({ endedAt, retryAfterMs = 0 }: ClientCall, stoppedAt: number): boolean =>
  stoppedAt < endedAt + retryAfterMs + restMs

/** It was tried before, somebody pulled the plug, or the client found out in another way. */
function isSettledOtherwise(client: Client, call: ClientCall): boolean {
  // Whoever is ended goes away from all that is under way.
  if (call.cut?.by === 'client' && client.calls.every(({ at }) => at <= call.endedAt)) return true
  const after = ({ endedAt }: { endedAt: number }) => endedAt >= call.at
  // Whatever it was refused with before: this was a further try.
  const isTryOf = (other: ClientCall) =>
    other.number !== call.number && other.purpose === call.purpose && (mayPass(other) || other.status >= 400)
  if (client.calls.some(isTryOf)) return true
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
  level: 'must',
  since: '2026-11',
  tolerance: '100 ms',
  clauses: ['RL-3'],
  title: 'After a failure that names no time to wait, a client waits a second or more before it tries again',
  advice:
    'Wait 1-2 s before the first retry, and longer before each one that follows: a server in trouble is not helped by more calls.',
  provoke: ['outage-of-30s', 'internal-error-once', 'connection-reset'],
  judge(client, { isAlone }) {
    const found = client.chains.flatMap(chain =>
      chain.slice(1).flatMap((next, i): (RuleFinding & { next: ClientCall })[] => {
        const failed = chain[i] as ClientCall
        // Who was told when to come back, was told.
        if (failed.retryAfterMs !== undefined) return []
        const delay = waitedBefore(client, failed, next)
        if (delay === undefined || (i === 0 && isResent(failed, delay))) return []
        const said = `tried ${callText(next)} again ${time(delay)} after ${outcome(failed)}`
        const finding = delay < leastMs ? tooShort(leastMs - delay, said, failed, next) : kept(said, failed, next)
        return [{ ...finding, next }]
      }),
    )
    // Two that use one key may ask for the same, each at its own time: once that looks like haste.
    const hasty = found.filter(({ kept }) => !kept)
    const isChance = !isAlone && hasty.length === 1 && hasty[0]?.next.method === 'GET'
    return found.filter(({ kept }) => kept || !isChance).map(({ next: _, ...finding }) => finding)
  },
  reason: client =>
    client.chains.some(chain =>
      chain.some((call, i) => i > 0 && waitedBefore(client, chain[i - 1] as ClientCall, call) === undefined),
    )
      ? 'a call that nobody answered was closed only when the next try began: how long the client had waited by then is not to be seen'
      : undefined,
}

/** What is closed so shortly before the next try may have been closed because of it. */
const closedForNextMs = 100
const lengthOf = ({ at, endedAt }: ClientCall): number => endedAt - at

/**
 * How long a client waited before a try. One whose library closes the old connection only with the next try (urllib3 sleeps
 * first) waits from its time-out on, while the call seems to go on: that time-out shows in the last call of those that it gave
 * up. Undefined: it does not show.
 */
function waitedBefore(client: Client, failed: ClientCall, next: ClientCall): number | undefined {
  const delay = waitAfter(failed, next)
  if (!isSilent(failed) || delay > closedForNextMs || lengthOf(failed) < leastMs) return delay
  const silent = client.calls.filter(isSilent)
  const shortest = Math.min(...silent.map(lengthOf))
  const isKnown = silent.some(
    call => lengthOf(call) <= shortest + closedForNextMs && !client.calls.some(other => isClosedFor(call, other)),
  )
  return isKnown ? delay + lengthOf(failed) - shortest : undefined
}

/** Whether it ended when the other began, or a little later. */
const isClosedFor = (call: ClientCall, other: ClientCall): boolean =>
  other.number !== call.number &&
  other.at > call.at &&
  isAfter(call, other) &&
  other.at - call.endedAt <= closedForNextMs

/**
 * Many HTTP libraries send a call again by themselves, once and at once, when a kept connection turns out to be closed:
 * browsers, curl and Go those of any method (RFC 9112, 9.3.1), Java, aiohttp and Ruby a GET on a new connection too.
 */
const isResent = ({ method, cut, isReused }: ClientCall, delay: number): boolean =>
  cut?.by === 'server' &&
  cut.how !== 'silence' &&
  ((method === 'GET' && cut.when === 'before_head') || (isReused && cut.when !== 'in_body' && delay < atOnceMs))

/** Some 130 ms were measured; a busy machine takes longer. */
const atOnceMs = 500
