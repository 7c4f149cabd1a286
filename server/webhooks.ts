/**
 * Webhooks (WH-1 to WH-3): each event of a job is POSTed, signed, and tried again when it isn't answered 2xx in 5 s.
 * Every attempt is an entry of the journal. They go to loopback only, unless a host is allowed by name.
 */

import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { monotonicMs, realTimeout, wallClockMs } from '../base/clock.ts'
import { withExact } from '../base/exactNumbers.ts'
import { isLoopback, loopbackOnly } from '../base/loopback.ts'
import { packageVersion } from '../base/paths.ts'
import { webhookSignature } from '../base/webhookSignature.ts'
import type { WebhookDelivery, WebhookEventName } from '../contracts/schemas.ts'
import type { Config } from './config.ts'
import type { Feed } from './journal.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { TraceSpan } from './trace.ts'
import type { JobRecord, JobStore } from './world/jobStore.ts'
import type { MemoryBudget, MemoryHolder } from './world/memoryBudget.ts'
import type { WebhookFault } from './world/plan.ts'
import type { World } from './world/world.ts'

/** WH-3. The wait for an answer is real time, as the receiver is; the wait between tries follows clock and speed. */
const answerWithinMs = 5_000
/** More of an answer is not read. */
const maxAnswerBytes = 64 * 1024
const retries = 3
const retryAfterMs = 10_000
/** A world's deliveries: so many underway at once, so many waiting, so many remembered for a redelivery. */
const maxUnderway = 16
const maxWaiting = 1_000
const maxRemembered = 1_000
/** A job shows the state of its last so many deliveries. */
const maxShown = 1_000
/** What a signature is made with that is to be wrong. */
const wrongSecret = 'not the secret of this endpoint'

interface Delivery {
  readonly id: string
  readonly world: World
  /** The world's jobs when it was made: after a reset it belongs to a past that is gone. */
  readonly jobs: JobStore
  readonly event: WebhookEventName
  readonly jobId: string
  /** Told how it went; undefined for one that a recording has. */
  readonly job: JobRecord | undefined
  readonly url: string
  readonly body: string
  /** Of the call that has made or started the job. */
  readonly trace: TraceSpan | undefined
  attempts: number
  /** What the first attempt was sent with, where a later one is to be the same to the byte. */
  sentHeaders?: Record<string, string>
  /** What the scenario has wrong with it. */
  readonly fault: WebhookFault | undefined
}

/** What a recording knows of a delivery. */
export interface RecordedDelivery {
  readonly id: string
  readonly event: WebhookEventName
  readonly jobId: string
  readonly url: string
  readonly body: string
  /** What was wrong with it. */
  readonly fault: string | undefined
}

/** One attempt as it is about to be sent: what a mutant may change. */
export interface WebhookAttempt {
  readonly world: World
  readonly event: WebhookEventName
  readonly url: string
  /** 1 for the first with this delivery id. */
  readonly attempt: number
  method: string
  headers: Record<string, string>
  body: string
}

interface Outcome {
  /** 0 without an answer. */
  status: number
  error: string | null
}

/** What a delivery takes beside its body, roughly. */
const deliveryBytes = 512

/** One world's deliveries: bounded, and each job's events in their order. */
class DeliveryQueue implements MemoryHolder {
  /** For a redelivery; the oldest go first. */
  readonly #remembered = new Map<string, Delivery>()
  readonly #memory: MemoryBudget
  readonly waiting: Delivery[] = []
  /** Jobs with an event underway for the first time; their next event waits for it. */
  readonly jobsUnderway = new Set<string>()
  /** By job: what a scenario sends after its turn. */
  readonly heldBack = new Map<string, Delivery>()
  underway = 0
  bytes = 0

  constructor(memory: MemoryBudget) {
    this.#memory = memory
    memory.add(this)
  }

  find(id: string): Delivery | undefined {
    return this.#remembered.get(id)
  }

  remember(delivery: Delivery): void {
    const before = this.#remembered.get(delivery.id)
    this.#remembered.set(delivery.id, delivery)
    if (this.#remembered.size > maxRemembered) this.#dropOldest()
    this.#count(sizeOf(delivery) - (before === undefined ? 0 : sizeOf(before)))
  }

  evictBytes(bytes: number): number {
    const before = this.bytes
    while (this.#remembered.size > 0 && before - this.bytes < bytes) this.#dropOldest()
    return before - this.bytes
  }

  /** Its world is gone, or begins anew. */
  discard(): void {
    this.#memory.remove(this)
    this.#remembered.clear()
    this.#count(-this.bytes)
  }

  #dropOldest(): void {
    const [oldest] = this.#remembered.values()
    if (oldest === undefined) return
    this.#remembered.delete(oldest.id)
    this.#count(-sizeOf(oldest))
  }

  #count(bytes: number): void {
    this.bytes += bytes
    this.#memory.use(bytes)
  }
}

const sizeOf = ({ body }: Delivery): number => deliveryBytes + body.length

export class Webhooks {
  /** A mutant's: gives what is sent in an attempt's place, or 'lost' for nothing, which the mock takes for arrived. */
  alter: ((attempt: WebhookAttempt) => Promise<WebhookAttempt | 'lost'>) | undefined
  readonly #config: Config
  readonly #feed: Feed
  readonly #metrics: Metrics
  readonly #log: Log
  readonly #queues = new WeakMap<World, DeliveryQueue>()
  readonly #stop = new AbortController()
  readonly #underway = new Set<Promise<void>>()

  constructor(config: Config, feed: Feed, metrics: Metrics, log: Log) {
    this.#config = config
    this.#feed = feed
    this.#metrics = metrics
    this.#log = log
  }

  /** Sends an event of a job that has a webhook_url; the job is told how it went (JOB-5). */
  announce(world: World, event: WebhookEventName, job: JobRecord): void {
    const { webhook_url: url } = job.view
    if (url === null || this.#stop.signal.aborted) return
    const queue = this.#queueOf(world)
    const id = `whd_${world.tag}${world.random.id('delivery', world.nextDelivery++)}`
    const body = withExact(JSON.stringify({ event, data: job.view }))
    const fault = job.plan.webhooks[event]
    const jobId = job.view.id
    const { trace } = job
    const delivery = { id, world, jobs: world.jobs, event, jobId, job, url, body, trace, attempts: 0, fault }
    queue.remember(delivery)
    // What comes last has nothing to come after: only job.started can be held back.
    if (fault?.type === 'out_of_order' && event === 'job.started') return void queue.heldBack.set(jobId, delivery)
    if (fault?.type === 'late') world.clock.after(fault.lateMs, () => this.#send(queue, delivery))
    else this.#send(queue, delivery)
  }

  /** Sends a recorded delivery now, signed anew. What was sent twice is given twice, under the same id. */
  play(world: World, recorded: RecordedDelivery): void {
    if (this.#stop.signal.aborted) return
    const queue = this.#queueOf(world)
    const { id, event, jobId, url, body } = recorded
    const fault = faultOf(recorded.fault)
    const again = queue.find(id)
    const made = {
      id,
      world,
      jobs: world.jobs,
      event,
      jobId,
      job: undefined,
      url,
      body,
      trace: undefined,
      attempts: 0,
      fault,
    }
    const delivery = again?.body === body && again.url === url ? again : made
    queue.remember(delivery)
    if (fault?.type === 'lost') this.#record(delivery, { status: 0, error: null }, 0, null)
    else this.#enter(delivery)
  }

  /** Sends an event as often as the scenario has it, and what was held back for it behind it. */
  #send(queue: DeliveryQueue, delivery: Delivery): void {
    const { fault, jobId } = delivery
    // The API believes that it was sent: so the job says, and only the journal knows better.
    if (fault?.type === 'lost') this.#record(delivery, { status: 0, error: null }, 0, null)
    else for (let copies = copiesOf(fault); copies > 0; copies--) this.#enter(delivery)
    if (fault?.type === 'replayed') delivery.world.clock.after(fault.lateMs, () => this.#enter(delivery))
    const held = queue.heldBack.get(jobId)
    if (held === undefined) return
    queue.heldBack.delete(jobId)
    this.#enter(held)
  }

  /** Puts a delivery in the line of those that wait to be sent. */
  #enter(delivery: Delivery): void {
    const { world } = delivery
    if (delivery.jobs !== world.jobs || this.#stop.signal.aborted) return
    const queue = this.#queueOf(world)
    if (queue.waiting.length >= maxWaiting) {
      this.#record(delivery, { status: 0, error: `dropped: ${maxWaiting} deliveries are waiting already` }, 0, null)
      return
    }
    queue.waiting.push(delivery)
    this.#work(queue)
  }

  /** Sends a past delivery once more, with its id; false when there is none of that id. */
  async redeliver(world: World, deliveryId: string): Promise<boolean> {
    const delivery = this.#queues.get(world)?.find(deliveryId)
    if (!delivery || delivery.jobs !== world.jobs) return false
    await this.#attempt(delivery, false)
    return true
  }

  /** A world was reset or is gone: nothing that waits in it is sent any more. */
  forget(world: World): void {
    this.#queues.get(world)?.discard()
    this.#queues.delete(world)
  }

  /** Resolves when every attempt that is underway has its answer: then it is time for a test to step the clock again. */
  async settled(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway)
  }

  /** Breaks off what is underway. */
  close(): void {
    this.#stop.abort()
  }

  #queueOf(world: World): DeliveryQueue {
    let queue = this.#queues.get(world)
    if (!queue) {
      queue = new DeliveryQueue(world.memory)
      this.#queues.set(world, queue)
    }
    return queue
  }

  #work(queue: DeliveryQueue): void {
    while (queue.underway < maxUnderway) {
      const next = queue.waiting.findIndex(({ jobId }) => !queue.jobsUnderway.has(jobId))
      const delivery = queue.waiting[next]
      if (!delivery) return
      queue.waiting.splice(next, 1)
      queue.underway++
      queue.jobsUnderway.add(delivery.jobId)
      const attempt = this.#attempt(delivery, true).finally(() => {
        this.#underway.delete(attempt)
        queue.underway--
        queue.jobsUnderway.delete(delivery.jobId)
        this.#work(queue)
      })
      this.#underway.add(attempt)
    }
  }

  async #attempt(delivery: Delivery, mayRetry: boolean): Promise<void> {
    const { world } = delivery
    if (delivery.jobs !== world.jobs) return
    delivery.attempts++
    const body = bodyOf(delivery)
    let refusal: Outcome | undefined
    let headers: Record<string, string> = {}
    const span = delivery.trace?.child()
    try {
      refusal = this.#refusalOf(delivery.url)
      headers = this.#headersOf(delivery, body, span)
    } catch (error) {
      // Of a snapshot or a recording: what is no URL, or no time that a header could say, fails this delivery only.
      refusal = { status: 0, error: `not sent: ${(error as Error).message}` }
    }
    const sentAt = monotonicMs()
    const outcome = refusal ?? (await this.#deliver(delivery, body, headers))
    if (this.#stop.signal.aborted || delivery.jobs !== world.jobs) return
    const failed = outcome.error !== null
    const waitMs = this.#config.speed === 'instant' ? 0 : retryAfterMs / this.#config.speed
    const again = failed && mayRetry && !refusal && delivery.attempts <= retries
    this.#record(delivery, outcome, monotonicMs() - sentAt, again ? waitMs : null, headers, body, span)
    if (!again) return
    world.clock.after(waitMs, () => {
      const queue = this.#queueOf(world)
      queue.waiting.push(delivery)
      this.#work(queue)
    })
  }

  async #deliver(delivery: Delivery, body: string, headers: Record<string, string>): Promise<Outcome> {
    const { world, event, url, attempts } = delivery
    const meant: WebhookAttempt = { world, event, url, attempt: attempts, method: 'POST', headers, body }
    const sent = this.alter === undefined ? meant : await this.alter(meant)
    return sent === 'lost' ? { status: 200, error: null } : this.#post(sent)
  }

  #headersOf(delivery: Delivery, body: string, span: TraceSpan | undefined): Record<string, string> {
    const { id, event, fault, sentHeaders } = delivery
    if (sentHeaders !== undefined) return sentHeaders
    const agoMs = fault?.type === 'stale' ? fault.lateMs : 0
    // Real time, whatever the world's clock says: a receiver compares it with its own, and refuses what is off by minutes.
    const timestamp = new Date(wallClockMs() - agoMs).toISOString()
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      'User-Agent': `understudy/${packageVersion}`,
      'X-Webhook-Event': event,
      ...(fault?.type !== 'without_id' && { 'X-Webhook-Delivery-Id': id }),
      'X-Webhook-Timestamp': timestamp,
      ...span?.headers,
    }
    const secret = this.#secretFor(fault)
    if (secret !== undefined) {
      headers['X-Webhook-Signature'] = webhookSignature(secret, timestamp, body)
    }
    if (fault?.type === 'replayed') delivery.sentHeaders = headers
    return headers
  }

  #secretFor(fault: WebhookFault | undefined): string | undefined {
    const { webhookSecret, webhookNextSecret } = this.#config
    // A wrong signature is one even where the mock has no secret: a receiver that checks has to refuse it.
    if (fault?.type === 'bad_signature') return wrongSecret
    if (fault?.type !== 'rotated_secret' || webhookSecret === undefined) return webhookSecret
    return webhookNextSecret ?? `${webhookSecret}_next`
  }

  #post({ method, url, headers, body }: WebhookAttempt): Promise<Outcome> {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest
    const timeout = realTimeout(answerWithinMs)
    return new Promise<Outcome>(resolve => {
      const request = send(url, {
        method,
        // A connection each: nothing stays open, and no receiver is taken for alive by an old socket.
        agent: false,
        ...(!this.#config.webhookAllow.includes(hostOf(url)) && { lookup: loopbackOnly }),
        headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
        signal: AbortSignal.any([this.#stop.signal, timeout]),
      })
      request.once('response', response => {
        const status = response.statusCode ?? 0
        const isGood = status >= 200 && status < 300
        let size = 0
        // Read to its end: a receiver whose caller hangs up at the head may break its work off. Bounded in bytes and time.
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxAnswerBytes) response.destroy()
        })
        response.once('error', () => {})
        response.once('close', () => resolve({ status, error: isGood ? null : `answered ${status}; expected 2xx` }))
      })
      request.once('error', (error: NodeJS.ErrnoException) => {
        const late = timeout.aborted ? `no answer within ${answerWithinMs / 1000} s` : (error.code ?? error.message)
        resolve({ status: 0, error: late })
      })
      request.end(body)
    }).catch((error: Error) => ({ status: 0, error: `not sent: ${error.message}` }))
  }

  /** Where webhooks may not go: an attempt that is recorded, but never sent. */
  #refusalOf(url: string): Outcome | undefined {
    const host = hostOf(url)
    if (isLoopback(host) || this.#config.webhookAllow.includes(host)) return undefined
    return { status: 0, error: `not sent: ${host} is not loopback; allow it with --webhook-allow ${host}` }
  }

  /** A line for each attempt: a receiver that gets none is found in the log. */
  #logAttempt(delivery: Delivery, { status, error }: Outcome, ms: number, next_try_in_ms: number | null): void {
    const { id, event, jobId, attempts, fault } = delivery
    const url = loggedUrl(delivery.url)
    const how = fault?.type === 'lost' ? 'lost, as the scenario has it' : (error ?? `answered ${status}`)
    const next = next_try_in_ms === null ? '' : `, next try in ${next_try_in_ms / 1000} s`
    const line = `webhook ${event} to ${url}: ${how}  ${id}, attempt ${attempts}${next}`
    const fields = {
      webhook: event,
      delivery_id: id,
      job_id: jobId,
      url,
      status,
      error,
      attempt: attempts,
      ms,
      next_try_in_ms,
      trace_id: delivery.trace?.traceId,
    }
    if (error === null) this.#log.info(fields, line)
    else this.#log.warn(fields, line)
  }

  #record(
    delivery: Delivery,
    outcome: Outcome,
    ms: number,
    nextTryInMs: number | null,
    headers = {},
    body = delivery.body,
    span = delivery.trace?.child(),
  ): void {
    if (delivery.job !== undefined) showDelivery(delivery.job, delivery, outcome.error === null ? 'sent' : 'failed')
    this.#metrics.webhookAttempted(outcome.error === null)
    this.#logAttempt(delivery, outcome, ms, nextTryInMs)
    const now = delivery.world.clock.now()
    this.#feed.write({
      kind: 'webhook',
      seq: 0,
      world: delivery.world,
      at: now,
      deliveryId: delivery.id,
      event: delivery.event,
      jobId: delivery.jobId,
      url: delivery.url,
      attempt: delivery.attempts,
      ...outcome,
      ms,
      nextTryAt: nextTryInMs === null ? null : now + nextTryInMs,
      fault: delivery.fault?.type,
      trace: span,
      requestHeaders: Object.entries<string>(headers).flat(),
      requestBody: body,
      bytes: 1024 + body.length,
    })
  }
}

/** Without who is to be let in there, and what a query may hold: a log is shown to others. */
function loggedUrl(url: string): string {
  if (!URL.canParse(url)) return 'no URL'
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  if (shown.search !== '') shown.search = '?…'
  shown.hash = ''
  return shown.href.replace('?%E2%80%A6', '?…')
}

const hostOf = (url: string): string => new URL(url).hostname.toLowerCase()

const copiesOf = (fault: WebhookFault | undefined): number =>
  fault?.type === 'duplicate' ? fault.copies : fault?.type === 'changed_retry' ? 2 : 1

/** What an attempt sends: a retry that has changed says so in a field of its own. */
const bodyOf = ({ body, fault, attempts }: Delivery): string =>
  fault?.type === 'changed_retry' && attempts > 1 ? body.replace(/\}$/, ',"changed":true}') : body

const playedFaults: { [T in WebhookFault['type']]: WebhookFault & { type: T } } = {
  lost: { type: 'lost' },
  duplicate: { type: 'duplicate', copies: 1 },
  late: { type: 'late', lateMs: 0 },
  out_of_order: { type: 'out_of_order' },
  bad_signature: { type: 'bad_signature' },
  rotated_secret: { type: 'rotated_secret' },
  stale: { type: 'stale', lateMs: 600_000 },
  replayed: { type: 'replayed', lateMs: 0 },
  changed_retry: { type: 'changed_retry' },
  without_id: { type: 'without_id' },
}

/** When it was late, or out of turn, the recording's own times say; here it is only what it is called. */
const faultOf = (name: string | undefined): WebhookFault | undefined =>
  name !== undefined && Object.hasOwn(playedFaults, name) ? playedFaults[name as WebhookFault['type']] : undefined

/** JOB-5: the job shows each event's delivery state. */
function showDelivery(job: JobRecord, delivery: Delivery, status: WebhookDelivery['status']): void {
  job.json = undefined
  const { webhook_events: events } = job.view
  const shown = events.find(({ delivery_id }) => delivery_id === delivery.id)
  if (shown) shown.status = status
  else events.push({ event: delivery.event, status, delivery_id: delivery.id })
  // Of a job that is started again and again.
  if (events.length > maxShown) events.shift()
}
