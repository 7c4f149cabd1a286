import { createHmac } from 'node:crypto'

/** X-Webhook-Signature of a body that is sent at a timestamp (WH-2). */
export const webhookSignature = (secret: string, timestamp: string, body: string): string =>
  `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`
