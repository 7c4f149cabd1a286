/** WH-1 to WH-3: what arrives at the suite's own listener. */

import { plural } from '../../base/text.ts'
import { field } from '../../contracts/answers.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import { isIso8601 } from '../../contracts/judge.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { webhookEvents } from '../../contracts/schemas.ts'
import type { Check } from '../check.ts'
import type { Answering, Delivery } from '../environment.ts'
import type { Probe } from '../probe.ts'

/** Deliveries come with the job, and a little later. */
const withinMs = 5_000
/** WH-3: 10 s apart, of which a slow endpoint may make more. */
const retryWithinMs = 25_000
const longPauseMs = 1_000

const webhookHeaders = ({ headers }: Pick<Delivery, 'headers'>) => ({
  event: headers['x-webhook-event'] ?? 'none',
  id: headers['x-webhook-delivery-id'] ?? 'none',
  timestamp: headers['x-webhook-timestamp'] ?? 'none',
  signature: headers['x-webhook-signature'],
})

/** A delivery as a report shows it: as the call that it is. */
function shown({ headers, body, answered }: Delivery, url: string): ObservedExchange {
  const sent = { method: 'POST', url, headers, body }
  return {
    sent,
    operation: undefined,
    status: answered,
    headers: {},
    text: '',
    json: undefined,
    bytes: new Uint8Array(),
    ms: 0,
  }
}

interface Hooked {
  url: string
  id: string
  deliveries: Delivery[]
  job: ObservedExchange
}

/** A job whose webhooks are listened to until its end is told. */
async function hooked(t: Probe, name: string, fields: Record<string, unknown>, seconds?: number): Promise<Hooked> {
  const listener = t.environment.listener ?? t.need('listener')
  const { url, deliveries } = listener.open(t.environment.tag(name))
  const id = t.idOf(await t.create({ ...fields, webhook_url: url }, seconds === undefined ? {} : { seconds }))
  const { answers: polls } = await t.finish(id)
  // The start may be told after the end; and what never comes is not waited for without an end.
  await listener.until(() => distinct(deliveries).length >= 2, withinMs)
  return { url, id, deliveries: distinct(deliveries), job: polls.at(-1) as ObservedExchange }
}

const success = (t: Probe): Promise<Hooked> => t.run.once('hooked', () => hooked(t, 'success', { model: 'light' }))

/** Without what was sent once more: a delivery may come twice, as its id is there to tell. */
function distinct(deliveries: readonly Delivery[]): Delivery[] {
  const exchange = new Set<string>()
  return deliveries.filter(delivery => {
    const name = `${eventOf(delivery)} ${webhookHeaders(delivery).id}`
    return !exchange.has(name) && exchange.add(name)
  })
}

/** By the body; one that says none is told by its header. */
const eventOf = (delivery: Pick<Delivery, 'headers' | 'body'>): string => {
  const event = parsed(delivery)?.event
  return typeof event === 'string' ? event : webhookHeaders(delivery).event
}

interface Event {
  event?: unknown
  data?: { id?: unknown; status?: unknown; output_url?: unknown }
}

function parsed({ body }: Pick<Delivery, 'body'>): Event | undefined {
  try {
    return JSON.parse(body) as Event
  } catch {
    return undefined
  }
}

const isDocumented = (event: string): boolean => (webhookEvents as readonly string[]).includes(event)

function expectEvents(
  t: Probe,
  { deliveries, url, id, job }: Hooked,
  names: readonly (typeof webhookEvents)[number][],
): void {
  const events = deliveries.map(delivery => String(parsed(delivery)?.event))
  // In which order they come, and whether there are more of other names, is not documented.
  const told = events.filter(event => isDocumented(event))
  const more = [...new Set(events.filter(event => !isDocumented(event)))]
  const place = { exchange: job, pointer: '/webhook_events' }
  t.expect(
    'WH-1',
    told.toSorted().join() === names.toSorted().join(),
    `the events ${names.join(', ')}`,
    events.join(', ') || 'none',
    {
      ...(deliveries[0] ? { exchange: shown(deliveries[0], url) } : place),
      ...(more.length > 0 && { note: `more events: ${more.join(', ')}` }),
    },
  )
  for (const delivery of deliveries) {
    const exchange = shown(delivery, url)
    const look = (clause: ClauseId, holds: boolean, expected: string, found: unknown, pointer: string) =>
      t.expect(clause, holds, expected, found, { exchange, pointer })
    const body = parsed(delivery)
    if (
      !look(
        'WH-1',
        typeof body?.data === 'object' && body.data !== null,
        'JSON {event, data: {job}}',
        delivery.body.slice(0, 200),
        '',
      )
    )
      continue
    const type = delivery.headers['content-type'] ?? 'none'
    look('WH-1', /json/i.test(type), 'Content-Type: application/json', type, 'header Content-Type')
    const { event, data } = body as Required<Event>
    look('WH-1', data.id === id, id, data.id, '/data/id')
    if (event === 'job.completed') {
      look('WH-1', data.status === 'completed', 'completed', data.status, '/data/status')
      look('WH-1', typeof data.output_url === 'string', 'a URL', data.output_url, '/data/output_url')
    }
    if (event === 'job.failed') look('WH-1', data.status === 'failed', 'failed', data.status, '/data/status')
  }
}

function expectHeaders(t: Probe, { deliveries, url }: Hooked): void {
  // A body that tells of something else is WH-1's matter.
  const isDue =
    deliveries.every(delivery => typeof parsed(delivery)?.event === 'string') &&
    new Set(deliveries.map(eventOf)).size === deliveries.length
  const ids = new Set<string>()
  for (const delivery of deliveries) {
    const exchange = shown(delivery, url)
    const { event, id, timestamp } = webhookHeaders(delivery)
    const name = parsed(delivery)?.event
    if (typeof name === 'string' && isDue)
      t.expect('WH-2', event === name, name, event, { exchange, pointer: 'header X-Webhook-Event' })
    t.expect('WH-2', id !== 'none' && id !== '' && !ids.has(id), 'an id of its own', id, {
      exchange,
      pointer: 'header X-Webhook-Delivery-Id',
    })
    t.expect('WH-2', isIso8601(timestamp), 'a time, ISO 8601', timestamp, {
      exchange,
      pointer: 'header X-Webhook-Timestamp',
    })
    ids.add(id)
  }
}

/** WH-2: over the very bytes of the body, each try by its own timestamp. */
function expectSigned(t: Probe, deliveries: readonly Delivery[], url: string): void {
  const { webhookSecret, hmac } = t.environment
  if (webhookSecret === undefined) return
  const expected = 'sha256= and the HMAC of timestamp, a dot and the raw body'
  for (const delivery of deliveries) {
    const { timestamp, signature } = webhookHeaders(delivery)
    const due = `sha256=${hmac(webhookSecret, `${timestamp}.${delivery.body}`)}`
    const place = { exchange: shown(delivery, url), pointer: 'header X-Webhook-Signature' }
    t.expect('WH-2', signature?.toLowerCase() === due, expected, signature ?? 'none', place)
  }
}

export const webhookChecks: readonly Check[] = [
  {
    id: 'webhooks.events',
    title: 'a job tells of its start and of its completion',
    clauses: ['WH-1', 'WH-2'],
    costs: { credits: 1.5 },
    needs: ['key', 'listener'],
    async run(t: Probe) {
      const webhook = await success(t)
      expectEvents(t, webhook, ['job.started', 'job.completed'])
      t.must(webhook.deliveries.length > 0, 'no webhook came, so none could be looked at')
      expectHeaders(t, webhook)
    },
  },
  {
    id: 'webhooks.state',
    title: 'a job shows what became of its webhooks',
    clauses: ['JOB-5'],
    costs: { credits: 1.5 },
    needs: ['key', 'listener'],
    async run(t: Probe) {
      const { id, deliveries, url } = await success(t)
      t.must(deliveries.length > 0, 'no webhook came')
      let exchange = await t.job(id)
      const events = () =>
        Array.isArray(field(exchange, 'webhook_events')) ? (field(exchange, 'webhook_events') as unknown[]) : []
      // The last one is written down when its answer is there.
      for (
        const until = t.environment.now() + withinMs;
        events().length < deliveries.length && t.environment.now() < until;
      ) {
        await t.sleep(t.environment.pollMs)
        exchange = await t.job(id)
      }
      t.expect('JOB-5', events().length >= deliveries.length, "each event's delivery state", events(), {
        exchange,
        pointer: '/webhook_events',
      })
      const failed = events().find(event => (event as { status?: unknown })?.status === 'failed')
      t.expect('JOB-5', failed === undefined, 'sent, as each was answered 200', failed ?? 'sent', {
        exchange,
        pointer: '/webhook_events',
      })
      t.expect('JOB-5', field(exchange, 'webhook_url') === url, url, field(exchange, 'webhook_url'), {
        exchange,
        pointer: '/webhook_url',
      })
    },
  },
  {
    id: 'webhooks.failed',
    title: 'a job that fails tells so',
    clauses: ['WH-1'],
    costs: { credits: 60 },
    needs: ['key', 'listener', 'failingUrl'],
    async run(t: Probe) {
      const webhook = await hooked(t, 'failure', { video_url: t.environment.failingUrl }, 60)
      t.must(field(webhook.job, 'status') === 'failed', 'the video that should fail did not')
      expectEvents(t, webhook, ['job.started', 'job.failed'])
      expectHeaders(t, webhook)
    },
  },
  {
    id: 'webhooks.signature',
    title: 'a webhook is signed with the secret',
    clauses: ['WH-2'],
    costs: { credits: 1.5 },
    needs: ['key', 'listener', 'webhookSecret'],
    async run(t: Probe) {
      const { deliveries, url } = await success(t)
      t.must(deliveries.length > 0, 'no webhook came, so none could be looked at')
      expectSigned(t, deliveries, url)
    },
  },
  {
    id: 'webhooks.retry',
    title: 'a delivery that is answered 500: whether, when and with which id it is sent again',
    clauses: ['WH-3'],
    costs: { credits: 1.5, seconds: 30 },
    needs: ['key', 'listener'],
    async run(t: Probe) {
      const listener = t.environment.listener ?? t.need('listener')
      // The first event is refused each time, so that it takes all its retries; others are let through.
      const isFirst = (delivery: Pick<Delivery, 'headers' | 'body'>, [first]: readonly Delivery[]) =>
        first === undefined || eventOf(delivery) === eventOf(first)
      const answer: Answering = (delivery, before) => (isFirst(delivery, before) ? 500 : 200)
      const { url, deliveries } = listener.open(t.environment.tag('retry'), answer)
      const id = t.idOf(await t.create({ model: 'light', webhook_url: url }))
      const sameEvent = () => deliveries.filter(delivery => isFirst(delivery, deliveries))
      await listener.until(() => deliveries.length > 0, withinMs)
      t.must(deliveries.length > 0, 'no webhook came')
      for (let tries = 2; tries <= 4; tries++) {
        if (!(await listener.until(() => sameEvent().length >= tries, retryWithinMs))) break
      }
      // One more would come after a pause like the last: where that is short, it is waited for.
      const pauseMs = sameEvent().length === 4 ? (sameEvent()[3]?.at ?? 0) - (sameEvent()[2]?.at ?? 0) : longPauseMs
      if (pauseMs < longPauseMs) await listener.until(() => sameEvent().length > 4, 2 * pauseMs + 100)
      const tries = sameEvent()
      const first = tries[0] as Delivery
      const exchange = shown(first, url)
      const ids = new Set(tries.map(delivery => webhookHeaders(delivery).id))
      // WH-3 is open as a whole: whatever is seen is right, and noted.
      t.expect('WH-3', true, 'retries, or none', plural(tries.length - 1, 'retry', 'retries'), {
        exchange,
        note:
          tries.length === 1
            ? 'a webhook that is answered 500 is not sent again'
            : `${pausesOf(tries)}, ${ids.size === 1 ? 'with the same id' : 'with other ids'}`,
      })
      expectSigned(t, tries, url)
      if (tries.length === 4) await expectFailed(t, id, eventOf(first))
    },
  },
]

/** JOB-5: what never arrived is shown as failed. */
async function expectFailed(t: Probe, id: string, event: string): Promise<void> {
  let exchange = await t.job(id)
  const own = () => {
    const events = field(exchange, 'webhook_events')
    return Array.isArray(events) ? events.find(one => one?.event === event) : undefined
  }
  for (const until = t.environment.now() + withinMs; own() === undefined && t.environment.now() < until; ) {
    await t.sleep(t.environment.pollMs)
    exchange = await t.job(id)
  }
  // How an entry is written is not documented: one that does not say its event or its state can't be told.
  if (typeof own()?.status !== 'string') return
  const place = { exchange, pointer: '/webhook_events' }
  t.expect('JOB-5', own()?.status === 'failed', `failed, as ${event} was refused each time`, own(), place)
}

/** How long it waited between the tries: the times are the endpoint's own choice. */
function pausesOf(tries: readonly Delivery[]): string {
  const pauses = tries.slice(1).map(({ at }, i) => ((at - (tries[i]?.at ?? at)) / 1000).toFixed(1))
  return `a webhook was tried again after ${pauses.join(', ')} s`
}
