/** WH-1 to WH-3: webhooks that were recorded where they arrived. */

import { redacted } from '../../base/redaction.ts'
import { jsonValueText } from '../../base/text.ts'
import { field } from '../../contracts/answers.ts'
import { isIso8601 } from '../../contracts/judge.ts'
import { jobStates, webhookEvents } from '../../contracts/schemas.ts'
import { own } from './ledger.ts'
import type { Observer } from './observer.ts'

const shownAs = (value: unknown): string => JSON.stringify(value) ?? 'missing'

/** The state that an event tells of. */
const stateOf: Readonly<Record<string, string>> = { 'job.completed': 'completed', 'job.failed': 'failed' }

export const webhooks: Observer = {
  id: 'traffic.webhooks',
  title: 'a webhook has its headers, an id of its own, and tells of its job',
  clauses: ['WH-1', 'WH-2', 'WH-3'],
  watch(look) {
    const deliveries = new Map<string, { about: string; refused: boolean }>()
    return {
      webhook({ headers, json, deliveryId, status, url }, index) {
        const header = (name: string): string | undefined => headers[name]
        const event = field({ json }, 'event')
        // Another service's webhooks may have headers of the same names.
        const named = [event, header('x-webhook-event')].filter(name => typeof name === 'string')
        if (!named.some(name => (name as string).startsWith('job.')) || Object.keys(headers).length === 0) return
        const tell = (clause: 'WH-1' | 'WH-2', holds: boolean, expected: string, found: unknown, pointer: string) =>
          look(index, clause, holds, expected, typeof found === 'string' ? found : shownAs(found), { pointer })
        if (json !== undefined) {
          // Events of other names beside the documented ones are no violation.
          tell('WH-1', typeof event === 'string', `an event, such as ${webhookEvents.join(', ')}`, event, '/event')
          const data = { json: field({ json }, 'data') }
          const [id, state] = [field(data, 'id'), field(data, 'status')]
          tell('WH-1', typeof id === 'string' && id !== '', "the job's id", id, '/data/id')
          const due = stateOf[String(event)]
          const isState = due === undefined ? (jobStates as readonly unknown[]).includes(state) : state === due
          tell('WH-1', isState, due ?? `one of ${jobStates.join(', ')}`, state, '/data/status')
          if (event === 'job.completed') {
            const output = field(data, 'output_url')
            tell('WH-1', typeof output === 'string' && output !== '', 'a URL', output, '/data/output_url')
          }
        }
        const [name, timestamp, signature] = [
          header('x-webhook-event'),
          header('x-webhook-timestamp'),
          header('x-webhook-signature'),
        ]
        tell(
          'WH-2',
          name !== undefined && (json === undefined || name === event),
          `the event, ${event}`,
          name ?? 'missing',
          'header X-Webhook-Event',
        )
        tell('WH-2', isIso8601(timestamp), 'a time, ISO 8601', timestamp ?? 'missing', 'header X-Webhook-Timestamp')
        if (signature !== undefined && signature !== redacted)
          tell(
            'WH-2',
            /^sha256=[0-9a-f]{64}$/i.test(signature),
            '"sha256=" and 64 hex digits',
            'another form',
            'header X-Webhook-Signature',
          )
        if (header('x-webhook-delivery-id') === undefined || deliveryId === '')
          return tell('WH-2', false, 'an id', 'missing', 'header X-Webhook-Delivery-Id')
        const about = `${url} ${jsonValueText(field({ json: field({ json }, 'data') }, 'id'))} ${event}`
        const known = deliveries.get(deliveryId)
        const isRefused = status < 200 || status >= 300
        if (known === undefined) deliveries.set(own(deliveryId), { about: own(about), refused: isRefused })
        const isOwn = known === undefined || known.about === about
        tell(
          'WH-2',
          isOwn,
          'an id that no other event has',
          isOwn ? deliveryId : `${deliveryId}, which another event had`,
          'header X-Webhook-Delivery-Id',
        )
        if (known?.refused && isOwn)
          look(index, 'WH-3', true, 'what was not answered 2xx comes again, with its id', deliveryId)
        if (known) known.refused = isRefused
      },
    }
  },
}
