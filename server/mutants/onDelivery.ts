/** Webhooks that are broken on their way: what is sent is another thing than the mock meant. Retries are the mock's. */
import { isDeepStrictEqual } from 'node:util'
import { webhookSignature } from '../../base/webhookSignature.ts'
import type { WebhookAttempt } from '../webhooks.ts'
import type { Json } from './change.ts'
import type { Mutation } from './mutation.ts'

export interface AlteredDelivery {
  method: string
  /** By the names that the mock wrote, without the signature: that is made behind the change. */
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
export function onDelivery(
  mutation: Mutation,
  change: (delivery: AlteredDelivery) => 'lost' | undefined | Promise<undefined>,
): void {
  const { webhooks, config } = mutation.mock
  const before = webhooks.alter
  webhooks.alter = async meant => {
    if (!mutation.isMeant(meant.world)) return before === undefined ? meant : before(meant)
    const { 'X-Webhook-Signature': signature, ...headers } = meant.headers
    const delivery: AlteredDelivery = {
      method: meant.method,
      headers: { ...headers },
      json: JSON.parse(meant.body),
      attempt: meant.attempt,
      encode: JSON.stringify,
      sign: webhookSignature,
    }
    const fate = change(delivery)
    if (fate === 'lost') {
      mutation.altered(meant, undefined, meant.url)
      return fate
    }
    await fate
    const sent = sentFor(delivery, meant, signature !== undefined ? config.webhookSecret : undefined)
    const isSame = isDeepStrictEqual(
      [sent.method, sent.headers, sent.body],
      [meant.method, meant.headers, JSON.stringify(JSON.parse(meant.body))],
    )
    if (isSame && fate === undefined) return meant
    mutation.altered(meant, sent, meant.url)
    return sent
  }
}

function sentFor(delivery: AlteredDelivery, meant: WebhookAttempt, secret: string | undefined): WebhookAttempt {
  const { method, headers, json } = delivery
  const body = delivery.encode(json)
  const isLower = 'x-webhook-timestamp' in headers
  const timestamp = headers[isLower ? 'x-webhook-timestamp' : 'X-Webhook-Timestamp'] ?? ''
  const signature = secret === undefined ? undefined : delivery.sign(secret, timestamp, body)
  const name = isLower ? 'x-webhook-signature' : 'X-Webhook-Signature'
  return { ...meant, method, body, headers: { ...headers, ...(signature !== undefined && { [name]: signature }) } }
}
