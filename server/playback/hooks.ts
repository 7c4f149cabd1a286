/** The webhooks of a recorded call, sent to whoever makes the call now. */
import type { FastifyRequest } from 'fastify'
import type { WebhookEventName } from '../../contracts/schemas.ts'
import type { Mock } from '../mock.ts'
import type { Playback, RecordedHook } from './playback.ts'
import { scaled } from './time.ts'

/** Sends them at their times after the answer, by the world's clock. */
export function playHooks(
  mock: Mock,
  replay: Playback,
  { i, call }: { i: number; call: { jobId: string | undefined } },
  { context, exchange }: FastifyRequest,
  base: string,
): void {
  const { world } = context
  const asked = webhookUrlIn(exchange.requestBody)
  if (asked !== undefined && call.jobId !== undefined) replay.webhookUrls.set(call.jobId, asked)
  for (const hook of replay.hooksOf(i)) {
    const ms = scaled(mock, hook.offsetMs)
    if (ms <= 0) send(hook)
    else world.clock.after(ms, () => send(hook))
  }

  function send(recorded: RecordedHook): void {
    const { entry, hook } = replay.hook(recorded)
    const url = replay.webhookUrls.get(hook.jobId ?? '') ?? hook.url
    if (!URL.canParse(url)) return
    mock.webhooks.play(world, {
      id: hook.deliveryId,
      event: hook.event as WebhookEventName,
      jobId: hook.jobId ?? '',
      url,
      body: replay.ledTo(base, hook.body, entry),
      fault: hook.fault,
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
