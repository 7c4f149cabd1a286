/**
 * Webhooks that are broken on their way: the mock sends them to a relay of the mutant's own, which changes them and
 * sends them on. What the receiver answers goes back, so retries are the mock's.
 */

import { createHmac } from 'node:crypto'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { isLoopback } from '../../base/loopback.ts'
import type { App } from '../../server/app.ts'

import type { JobRecord } from '../../server/world/jobStore.ts'
import type { Json } from './tools.ts'

export interface Delivery {
  method: string
  /** By the names that the mock wrote. Content-Length and the signature are made behind the change. */
  headers: Record<string, string>
  /** The body: {event, data}. */
  json: Json
  /** 1 for the first with this delivery id. */
  readonly attempt: number
  encode(json: Json): string
  /** The X-Webhook-Signature; undefined for none. */
  sign(secret: string, timestamp: string, body: string): string | undefined
}

/** Changes every delivery; 'lost' lets the mock believe that it arrived. A wait holds it up. */
export function onDelivery(app: App, change: (delivery: Delivery) => 'lost' | undefined | Promise<undefined>): void {
  const attempts = new Map<string, number>()
  const relay = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy())
  })
  app.fastify.addHook('onReady', () => new Promise<void>(resolve => relay.listen(0, '127.0.0.1', resolve)))
  app.fastify.addHook('onClose', async () => {
    relay.closeAllConnections()
    relay.close()
  })
  rerouteTo(app, () => (relay.address() as AddressInfo).port)

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const to = new URL(request.url ?? '', 'http://relay').searchParams.get('to') as string
    const headers = headersOf(request)
    const id = headers['X-Webhook-Delivery-Id'] as string
    const attempt = (attempts.get(id) ?? 0) + 1
    attempts.set(id, attempt)
    const json = JSON.parse(await text(request))
    json.data.webhook_url = to
    const delivery: Delivery = { method: 'POST', headers, json, attempt, encode: JSON.stringify, sign: asDocumented }
    const fate = await change(delivery)
    const status = fate === 'lost' ? 200 : await send(to, delivery, app.mock.config.webhookSecret, response)
    response.writeHead(status).end()
  }
}

/** The mock is told another webhook_url for the sending alone: the job keeps its own. */
function rerouteTo({ mock: { webhooks } }: App, port: () => number): void {
  const announce = webhooks.announce.bind(webhooks)
  webhooks.announce = (world, event, job) => {
    const { webhook_url: url } = job.view
    if (url === null || !isLoopback(new URL(url).hostname)) return announce(world, event, job)
    const view = { ...job.view, webhook_url: `http://127.0.0.1:${port()}/?to=${encodeURIComponent(url)}` }
    const rerouted: JobRecord = new Proxy(job, {
      get: (target, name) => (name === 'view' ? view : Reflect.get(target, name)),
    })
    announce(world, event, rerouted)
  }
}

const asDocumented: Delivery['sign'] = (secret, timestamp, body) =>
  `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`

const leftOut = ['host', 'connection', 'content-length', 'x-webhook-signature']

/** With the names as they were written, which the parsed ones no longer tell. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (!leftOut.includes(name.toLowerCase())) headers[name] = rawHeaders[i + 1] as string
  }
  return headers
}

function send(url: string, delivery: Delivery, secret: string | undefined, back: ServerResponse): Promise<number> {
  const { method, headers, json } = delivery
  const body = delivery.encode(json)
  const isLower = 'x-webhook-timestamp' in headers
  const timestamp = headers[isLower ? 'x-webhook-timestamp' : 'X-Webhook-Timestamp'] ?? ''
  const signature = secret && delivery.sign(secret, timestamp, body)
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method,
      agent: false,
      headers: {
        ...headers,
        ...(signature && { [isLower ? 'x-webhook-signature' : 'X-Webhook-Signature']: signature }),
        'Content-Length': Buffer.byteLength(body),
      },
    })
    // The mock gave up waiting: so do we.
    back.once('close', () => request.destroy())
    request.once('error', reject)
    request.once('response', response => {
      response.once('error', () => {})
      response.destroy()
      resolve(response.statusCode ?? 0)
    })
    request.end(body)
  })
}
