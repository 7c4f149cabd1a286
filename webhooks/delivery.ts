/** A webhook as the API sends it (WH-1, WH-2), with whatever is to be wrong with it. */
import { webhookSignature } from '../base/webhookSignature.ts'

export interface Delivery {
  headers: Readonly<Record<string, string>>
  body: string
}

export interface DeliveryParts {
  event: string
  data: object
  /** undefined: it has none. */
  id: string | undefined
  /** ms since the epoch. */
  at: number
  /** undefined: it is not signed. */
  secret: string | undefined
}

/** Signed as WH-2 has it. `body` takes the place of event and data. */
export function deliveryOf(
  { event, data, id, at, secret }: DeliveryParts,
  body = JSON.stringify({ event, data }),
): Delivery {
  const timestamp = new Date(at).toISOString()
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-webhook-event': event,
      ...(id !== undefined && { 'x-webhook-delivery-id': id }),
      'x-webhook-timestamp': timestamp,
      ...(secret !== undefined && { 'x-webhook-signature': webhookSignature(secret, timestamp, body) }),
    },
  }
}
