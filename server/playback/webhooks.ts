/** The webhooks of a recorded call, sent to whoever makes the call now. */
import type { FastifyRequest } from 'fastify'
import type { WebhookEventName } from '../../contracts/schemas.ts'
import type { Mock } from '../mock.ts'
import type { Playback, TimedWebhook } from './playback.ts'
import { scaled } from './time.ts'

/** Sends them at their times after the answer, by the world's clock. */
export function playWebhooks(
  mock: Mock,
  playback: Playback,
  { i, call }: { i: number; call: { jobId: string | undefined } },
  { context, exchange }: FastifyRequest,
  base: string,
): void {
  const { world } = context
  const asked = webhookUrlIn(exchange.requestBody)
  if (asked !== undefined && call.jobId !== undefined) playback.webhookUrls.set(call.jobId, asked)
  for (const webhook of playback.webhooksOf(i)) {
    const ms = scaled(mock, webhook.offsetMs)
    if (ms <= 0) send(webhook)
    else world.clock.after(ms, () => send(webhook))
  }

  function send(recorded: TimedWebhook): void {
    const { entry, webhook } = playback.webhook(recorded)
    const url = playback.webhookUrls.get(webhook.jobId ?? '') ?? webhook.url
    if (!URL.canParse(url)) return
    mock.webhooks.play(world, {
      id: webhook.deliveryId,
      event: webhook.event as WebhookEventName,
      jobId: webhook.jobId ?? '',
      url,
      body: playback.ledTo(base, webhook.body, entry),
      fault: webhook.fault,
    })
  }
}

function webhookUrlIn(body: string | undefined): string | undefined {
  if (body === undefined || !body.includes('webhook_url')) return undefined
  try {
    const { webhook_url: url } = JSON.parse(body) as { webhook_url?: unknown }
    return typeof url === 'string' && /^https?:/i.test(url) && URL.canParse(url) ? url : undefined
  } catch {
    return undefined
  }
}
