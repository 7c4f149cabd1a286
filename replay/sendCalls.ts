/** Sends the calls of a recording again, one by one or at once as they were, and looks at what comes of each. */

import { parse } from '../contracts/answers.ts'
import type { HarEntry } from '../recordings/har.ts'
import type { HarSource } from '../recordings/read.ts'
import type { RecordedCall } from '../recordings/traffic.ts'
import { contentDifferences, outcomeDifference, type ReplayedResponse, type ResponseDifference } from './compare.ts'
import { Groups, type Pair } from './groups.ts'
import type { Ids } from './ids.ts'
import type { ReplayLedger } from './ledger.ts'
import type { Flight, Pace } from './pace.ts'
import { ownerNameOf, type ScheduledReplay, trafficIn } from './plan.ts'
import type { Prepared, Preparer } from './prepare.ts'
import type { Reply, Sender } from './send.ts'
import { isEarlierState, isEnd, type States, stateOf } from './states.ts'

export interface ReplayTarget {
  source: HarSource
  plan: ScheduledReplay
  ids: Ids
  states: States
  pace: Pace
  sender: Sender
  preparer: Preparer
  ledger: ReplayLedger
  strict: boolean
  /** Owners whose jobs were asked for more often than recorded: their limits stand elsewhere. */
  hurried: Set<string>
  /** ms that a job may take to come as far as it had come. */
  jobTimeoutMs: number
  signal: AbortSignal
  /** Called after each call that is over. */
  onSent: () => void
}

/** At most so many at once, whatever the recording's clock says. */
const maxFlights = 1_000

export async function sendCalls(context: ReplayTarget): Promise<void> {
  const { source, plan, ids, pace, ledger, signal } = context
  const flights = new Set<Flight>()
  const groups = new Groups(
    plan.groupSize,
    pair => alike(context, pair),
    pair => differ(context, pair),
  )
  let place = -1
  for (const { entry, traffic } of trafficIn(source, plan.base)) {
    place++
    if (signal.aborted) break
    if (plan.skip[place] !== undefined) continue
    const call = traffic as RecordedCall
    const [at, end, group] = [plan.at[place] as number, plan.end[place] as number, plan.group[place] as number]
    const before = [...flights].filter(flight => flight.end <= at || flights.size >= maxFlights)
    if (before.length > 0) await pace.waitFor(before)
    // Where clocks were apart, an id may be asked for before the recording says that it was there.
    if (call.jobId !== undefined && !ids.has(call.jobId) && flights.size > 0) await pace.waitFor(makersIn(flights))
    const prepared = await ready(context, { entry, call, group, place }, groups, flights)
    if (prepared === undefined) {
      groups.over(group)
      continue
    }
    await pace.until(at, prepared.place)
    if (signal.aborted) break
    const flight: Flight = {
      at,
      end,
      place: prepared.place,
      isDone: false,
      isHeld: isHeldIn(entry, end - at),
      isSilent: call.cut?.how === 'silence',
      done: Promise.resolve(),
    }
    if (makers.has(call.operation ?? '')) makersAt.add(flight)
    ledger.sent(call)
    flight.done = exchange(context, { call, group }, prepared, pair => groups.differ(pair)).then(() => {
      flight.isDone = true
      flights.delete(flight)
      makersAt.delete(flight)
      pace.ended(end, prepared.place)
      groups.over(group, flight.done)
      context.onSent()
    })
    flights.add(flight)
    groups.sent(group, flight.done)
  }
  await pace.waitFor([...flights])
  groups.close()
}

const makers: ReadonlySet<string> = new Set(['createJob', 'uploadVideo', 'uploadVideoLegacy'])
const makersAt = new WeakSet<Flight>()
const makersIn = (flights: Iterable<Flight>): Flight[] => [...flights].filter(flight => makersAt.has(flight))

/** A mock whose clock stands still holds these answers back. */
const isHeldIn = (entry: HarEntry, ms: number): boolean =>
  entry._cut === undefined && ((entry._delay_ms ?? 0) > 0 || entry._fault !== undefined || ms >= 50)

/** The call as it is to be sent now; undefined where something in it never came. */
async function ready(
  context: ReplayTarget,
  { entry, call, group, place }: { entry: HarEntry; call: RecordedCall; group: number; place: number },
  groups: Groups,
  flights: Set<Flight>,
): Promise<Prepared | undefined> {
  const { preparer, ledger, pace } = context
  for (;;) {
    const prepared = await preparer.prepare(entry, call, place)
    if (prepared.note !== undefined) ledger.note(call, prepared.note)
    const { lost } = prepared
    if (typeof lost === 'object') {
      const others = new Set(groups.flights(lost.group))
      const awaited = [...flights].filter(({ done }) => others.has(done))
      // Another call of its group may still bring it.
      if (awaited.length > 0) {
        await pace.waitFor(awaited)
        continue
      }
    }
    if (lost === undefined) return prepared
    const why = typeof lost === 'string' ? lost : `needs ${lost.what} of call ${lost.call}`
    ledger.notSent(call, prepared.request.url, why, typeof lost === 'string' ? 'harness' : 'target')
    // What is missing in a row of calls is what the first of them needed.
    if (typeof lost === 'object') context.ids.lose(call.json, lost)
    else lose(context.ids, call, group)
    return undefined
  }
}

/** What would have come of a call never will. */
const lose = (ids: Ids, { json, operation, number }: RecordedCall, group: number): void =>
  ids.lose(json, {
    call: number,
    group,
    what: operation === 'createJob' ? 'the job' : isUpload(operation) ? 'the upload' : 'what came',
  })

const isUpload = (operation: string | undefined): boolean => operation?.startsWith('uploadVideo') === true

/** One call: sent, sent once more while its job lags behind, and compared. */
async function exchange(
  context: ReplayTarget,
  { call, group }: { call: RecordedCall; group: number },
  prepared: Prepared,
  differs: (pair: Pair) => void,
): Promise<void> {
  const { states, signal, ledger } = context
  const recorded = recordedOf(call)
  let reply = await context.sender.send(prepared.request)
  let found = answeredOf(call, prepared, reply)
  const firstSentAt = reply.startedAt
  let waited = 0
  let repeats = 0
  while (lags(context, recorded, found, call) && waited < context.jobTimeoutMs && !signal.aborted) {
    waited += await context.pace.pause(pauseOf(call, found, states), prepared.place)
    repeats++
    context.hurried.add(ownerNameOf(call))
    ledger.repeated(call)
    reply = await context.sender.send(prepared.request)
    found = answeredOf(call, prepared, reply)
  }
  if (signal.aborted && reply.cut !== undefined) return
  if (repeats > 0 && !lags(context, recorded, found, call))
    ledger.lagged(call, call.operation === 'getJob' || call.operation === 'getDownload')
  finish(context, { call, group, recorded, found }, { startedAt: firstSentAt, endedAt: reply.endedAt }, differs)
}

/** Whether the same call is worth sending again: the job has not come as far as it had when this was recorded. */
function lags(
  { states, hurried }: ReplayTarget,
  recorded: ReplayedResponse,
  found: ReplayedResponse,
  call: RecordedCall,
): boolean {
  if (recorded.status < 200 || recorded.status >= 300) return false
  // What was asked for more often than recorded has used up the limit.
  if (found.status === 429) return hurried.has(ownerNameOf(call))
  if (call.jobId === undefined) return false
  if (call.operation === 'getJob') return isEarlierState(stateOf(recorded.json), stateOf(found.json))
  return call.operation === 'getDownload' && found.status === 400 && !isEnd(states.lastFound(call.jobId))
}

const longestPauseMs = 2_000

function pauseOf(call: RecordedCall, found: ReplayedResponse, states: States): number {
  const retryAfter = Number(found.headers['retry-after'])
  if (found.status === 429 && retryAfter > 0) return retryAfter * 1000
  return Math.min(longestPauseMs, Math.max(20, states.gapOf(call.jobId ?? '', call.at)))
}

function finish(
  context: ReplayTarget,
  pair: Pair,
  times: { startedAt: number; endedAt: number },
  differs: (pair: Pair) => void,
): void {
  const { call, recorded, found } = pair
  const { ledger } = context
  if (call.cut?.by === 'client') {
    if (recorded.json !== undefined && found.json !== undefined) context.ids.learn(recorded.json, found.json)
    return
  }
  if (outcomeDifference(recorded, found) !== undefined) {
    const why = chanceIn(pair, context)
    if (why !== undefined) return ledger.note(call, why)
    lose(context.ids, call, pair.group)
    return differs(pair)
  }
  alike(context, pair)
  const state = stateDifference(context, pair, times)
  if (state !== undefined) ledger.differs(pair, state)
}

function stateDifference(
  { states }: ReplayTarget,
  pair: Pair,
  times: { startedAt: number; endedAt: number },
): ResponseDifference | undefined {
  const { call, recorded, found } = pair
  const { jobId, operation } = call
  if (jobId === undefined || found.cut !== undefined) return undefined
  const [before, now] = [stateOf(recorded.json), stateOf(found.json)]
  if (operation === 'getJob' && recorded.status === 200)
    return states.polled(jobId, before, now, { at: call.at, ...times })
  if (recorded.status < 200 || recorded.status >= 300) return undefined
  if (operation === 'startJob') states.started(jobId)
  // A draft is none that goes by itself.
  const isDraft = [before, now].map(state => state === 'created')
  return operation === 'createJob' && before !== undefined && now !== undefined && isDraft[0] !== isDraft[1]
    ? { what: 'state', pointer: '/status', expected: before, found: now }
    : undefined
}

/** Differences that say nothing of the endpoint: which of two things came first. */
function chanceIn({ call, recorded, found }: Pair, { states, hurried }: ReplayTarget): string | undefined {
  if (recorded.status === 429 && found.status < 400 && found.status >= 200 && hurried.has(ownerNameOf(call)))
    return 'it met the limit when it was recorded; here that had moved on, as a job was waited for longer'
  if (call.operation === 'getDownload' && recorded.status === 400 && found.status === 200) {
    const isEarly = call.jobId === undefined || states.lastRecorded(call.jobId) !== 'completed'
    return isEarly && /not completed/i.test(recorded.text)
      ? 'its job was completed earlier than when it was recorded'
      : undefined
  }
  const pair = [recorded.status, found.status]
  if (call.idempotencyKey !== undefined && pair.includes(409) && pair.some(status => status >= 200 && status < 300))
    return 'the same Idempotency-Key was in flight on one side, and had its answer on the other'
  return undefined
}

/** Two answers of one outcome: what else they differ in, and what is learnt from them. */
function alike({ ids, ledger, strict }: ReplayTarget, pair: Pair): void {
  const { call, recorded, found } = pair
  if (recorded.json !== undefined && found.json !== undefined) ids.learn(recorded.json, found.json)
  for (const name of ['etag', 'last-modified']) {
    const [before, now] = [recorded.headers[name], found.headers[name]]
    if (before !== undefined && now !== undefined) ids.set(before, now)
  }
  for (const one of contentDifferences(call.operation, recorded, found, { ids, strict })) ledger.differs(pair, one)
}

function differ({ ledger }: ReplayTarget, pair: Pair): void {
  const found = outcomeDifference(pair.recorded, pair.found)
  if (found !== undefined) ledger.differs(pair, found)
}

const isJsonType = (headers: Readonly<Record<string, string>>): boolean =>
  /[/+]json\b/i.test(headers['content-type'] ?? '')

function recordedOf(call: RecordedCall): ReplayedResponse {
  const isWhole = !call.text.endsWith('… (cut)')
  const json = call.json ?? (isJsonType(call.headers) && call.text !== '' ? parse(call.text) : undefined)
  // A recorder that keeps no bodies leaves them out.
  const isKept = call.text !== '' || call.headers['content-length'] === '0' || !isJsonType(call.headers)
  return { ...call, json: isWhole ? json : undefined, hasBody: isWhole && isKept }
}

function answeredOf(call: RecordedCall, { request }: Prepared, reply: Reply): ReplayedResponse {
  const { status, headers, text, cut, startedAt, endedAt } = reply
  return {
    sent: { method: request.method, url: request.url, headers: request.headers },
    operation: call.operation,
    status,
    headers,
    text,
    json: text === '' ? undefined : parse(text),
    bytes: new Uint8Array(),
    ms: endedAt - startedAt,
    cut,
    hasBody: cut === undefined,
  }
}
