/** Webhooks (WH-1 to WH-3). */
import { createHmac } from 'node:crypto'
import { onJobEvent } from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'
import { type AlteredDelivery, onDelivery } from './onDelivery.ts'

type Clause = 'WH-1' | 'WH-2'

const delivering = (
  clause: Clause,
  id: string,
  what: string,
  change: (delivery: AlteredDelivery) => unknown,
  also: Mutant['also'] = [],
): Mutant => ({
  id: `webhook-${id}`,
  breaks: [clause],
  also,
  what,
  apply: mutation => onDelivery(mutation, delivery => (change(delivery) === 'lost' ? 'lost' : undefined)),
})

const signing = (id: string, what: string, sign: AlteredDelivery['sign']): Mutant =>
  delivering('WH-2', id, what, delivery => {
    delivery.sign = sign
  })

const announcing = (
  id: string,
  what: string,
  apply: (mutation: Mutation) => void,
  also: Mutant['also'] = [],
): Mutant => ({
  id: `webhook-${id}`,
  breaks: ['WH-1'],
  also,
  what,
  apply,
})

const hmac = (secret: string, text: string) => createHmac('sha256', secret).update(text)

export const webhookMutants: readonly Mutant[] = [
  announcing('never-sent', 'no webhook is ever sent', mutation => onJobEvent(mutation, () => {}), ['JOB-5']),
  announcing(
    'started-missing',
    'job.started is never sent',
    mutation =>
      onJobEvent(mutation, (event, _job, _world, send) => {
        if (event !== 'job.started') send(event)
      }),
    ['JOB-5'],
  ),
  announcing(
    'events-swapped',
    'job.completed is sent when a job starts, and job.started when it completes',
    mutation =>
      onJobEvent(mutation, (event, _job, _world, send) => {
        if (event === 'job.failed') send(event)
        else send(event === 'job.started' ? 'job.completed' : 'job.started')
      }),
    ['JOB-5'],
  ),
  announcing(
    'failed-says-completed',
    'a job that fails sends job.completed',
    mutation =>
      onJobEvent(mutation, (event, _job, _world, send) => {
        send(event === 'job.failed' ? 'job.completed' : event)
      }),
    ['JOB-5'],
  ),
  delivering('WH-1', 'other-shape', 'the body is {type, job}', delivery => {
    const { event, data } = delivery.json
    delivery.json = { type: event, job: data }
  }),
  delivering('WH-1', 'flat', 'the job stands beside the event', delivery => {
    const { event, data } = delivery.json
    delivery.json = { ...data, event }
  }),
  delivering('WH-1', 'output-url-missing', 'job.completed has no output_url', ({ json }) => {
    delete json.data.output_url
  }),
  delivering('WH-1', 'status-stale', 'the job that has completed is said to be processing', ({ json }) => {
    json.data.status = 'processing'
  }),
  delivering('WH-1', 'put', 'events are PUT', delivery => {
    delivery.method = 'PUT'
  }),
  delivering('WH-1', 'as-form', 'the body is a form', delivery => {
    delivery.headers['Content-Type'] = 'application/x-www-form-urlencoded'
    delivery.encode = json => new URLSearchParams({ payload: JSON.stringify(json) }).toString()
  }),
  delivering('WH-2', 'event-header-wrong', 'X-Webhook-Event is job.updated whatever it is', ({ headers }) => {
    headers['X-Webhook-Event'] = 'job.updated'
  }),
  delivering('WH-2', 'event-header-missing', 'there is no X-Webhook-Event', ({ headers }) => {
    delete headers['X-Webhook-Event']
  }),
  delivering('WH-2', 'delivery-id-constant', 'all deliveries have the same id', ({ headers }) => {
    headers['X-Webhook-Delivery-Id'] = 'whd_1'
  }),
  delivering('WH-2', 'delivery-id-missing', 'there is no X-Webhook-Delivery-Id', ({ headers }) => {
    delete headers['X-Webhook-Delivery-Id']
  }),
  delivering('WH-2', 'timestamp-epoch', 'X-Webhook-Timestamp is a number of seconds', ({ headers }) => {
    const at = Date.parse(headers['X-Webhook-Timestamp'] ?? '')
    headers['X-Webhook-Timestamp'] = String(Math.floor(at / 1000))
  }),
  signing('signature-missing', 'nothing is signed though a secret is set', () => undefined),
  signing(
    'signature-body-only',
    'the timestamp is not signed',
    (secret, _timestamp, body) => `sha256=${hmac(secret, body).digest('hex')}`,
  ),
  signing(
    'signature-base64',
    'the signature is in base64',
    (secret, timestamp, body) => `sha256=${hmac(secret, `${timestamp}.${body}`).digest('base64')}`,
  ),
  signing('signature-bare', 'the signature has no sha256= before it', (secret, timestamp, body) =>
    hmac(secret, `${timestamp}.${body}`).digest('hex'),
  ),
]
