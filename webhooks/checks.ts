/** What a receiver of webhooks is tried with, and what a careful one answers. Only its answers are seen, not what it does. */
import type { ClauseId } from '../contracts/clauses.ts'
import { webhookEvents } from '../contracts/schemas.ts'
import type { Attempt, Sender } from './sender.ts'

export interface ReceiverCheck {
  /** receiver.what; stable, as reports name it. */
  id: string
  /** What a receiver does that passes it. */
  title: string
  clauses: readonly ClauseId[]
  /** must: who fails it loses webhooks or takes forged ones. should: good practice. */
  level: 'must' | 'should'
  advice: string
  /** What it can't do without. */
  needs?: 'secret' | 'nextSecret'
  /** A refusal is what is wanted: it proves something only where a good delivery is taken. */
  wantsRefusal?: true
  run(sender: Sender): Promise<ReceiverFinding[]>
}

export interface ReceiverFinding {
  passed: boolean
  expected: string
  attempt: Attempt
}

const taken = (attempt: Attempt, what: string): ReceiverFinding => ({
  passed: attempt.status >= 200 && attempt.status < 300,
  expected: `${what}: 2xx within ${attempt.withinMs / 1000} s`,
  attempt,
})

const refused = (attempt: Attempt, what: string): ReceiverFinding => ({
  passed: attempt.status >= 400 && attempt.status < 500,
  expected: `${what}: refused with a 4xx, such as 401`,
  attempt,
})

const answered = (attempt: Attempt, what: string): ReceiverFinding => ({
  passed: attempt.status >= 200 && attempt.status < 500,
  expected: `${what}: 2xx, or refused with a 4xx`,
  attempt,
})

const hour = 3_600_000
const parallel = 20
/** As metadata of a job may be. */
const largeBytes = 256 * 1024

export const receiverChecks: readonly ReceiverCheck[] = [
  {
    id: 'receiver.valid',
    title: 'a delivery of each event is answered 2xx in time',
    clauses: ['WH-1', 'WH-2', 'WH-3'],
    level: 'must',
    advice:
      'Answer 2xx as soon as the delivery is stored, and do the work after that: what takes longer than 5 s is sent again.',
    async run(sender) {
      const found = []
      for (const event of webhookEvents) found.push(taken(await sender.send({ event }), `a good ${event}`))
      return found
    },
  },
  {
    id: 'receiver.duplicate',
    title: 'a delivery that comes again under its id is answered 2xx',
    clauses: ['WH-2', 'GO-3'],
    level: 'must',
    advice:
      'Keep the delivery ids that were taken; do nothing for one that is known, and answer it 2xx, or it comes again.',
    async run(sender) {
      const id = sender.deliveryId()
      const data = sender.job('completed')
      const first = taken(await sender.send({ event: 'job.completed', id, data }), 'the first')
      return [first, taken(await sender.send({ event: 'job.completed', id, data }), 'the same delivery again')]
    },
  },
  {
    id: 'receiver.replayed',
    title: 'a delivery that comes again to the byte does no harm',
    clauses: ['WH-2', 'GO-3'],
    level: 'must',
    advice: 'Take each delivery id once. A replay may be refused or answered 2xx; it must not end in a 5xx.',
    async run(sender) {
      const first = await sender.send({ event: 'job.completed' })
      return [taken(first, 'the first'), answered(await sender.resend(first), 'the same bytes again')]
    },
  },
  {
    id: 'receiver.out-of-order',
    title: 'job.started after job.completed is answered 2xx',
    clauses: ['WH-1', 'JOB-4'],
    level: 'must',
    advice: 'Take what is known of a job only forwards: a late job.started changes nothing, and is answered 2xx.',
    async run(sender) {
      const { id } = sender.job('completed')
      const completed = await sender.send({ event: 'job.completed', data: sender.job('completed', id) })
      const started = await sender.send({ event: 'job.started', data: sender.job('processing', id) })
      return [taken(completed, 'job.completed'), taken(started, 'job.started after it')]
    },
  },
  {
    id: 'receiver.parallel',
    title: `${parallel} deliveries at once are answered 2xx in time`,
    clauses: ['WH-3'],
    level: 'must',
    advice: 'Put deliveries in a queue: when many jobs end at once, their webhooks come at once.',
    async run(sender) {
      const all = await Promise.all(Array.from({ length: parallel }, () => sender.send({ event: 'job.completed' })))
      return all.map(attempt => taken(attempt, `one of ${parallel} at once`))
    },
  },
  {
    id: 'receiver.wrong-signature',
    title: 'a wrong signature is refused',
    clauses: ['WH-2'],
    level: 'must',
    needs: 'secret',
    wantsRefusal: true,
    advice: 'Compute the HMAC over timestamp + "." + the raw body, and compare it in constant time; refuse with 401.',
    run: async sender => [
      refused(await sender.send({ event: 'job.completed', secret: 'another secret' }), 'signed with another secret'),
    ],
  },
  {
    id: 'receiver.unsigned',
    title: 'a delivery without a signature is refused',
    clauses: ['WH-2'],
    level: 'must',
    needs: 'secret',
    wantsRefusal: true,
    advice: 'Where a secret is set, a missing signature is a wrong one.',
    run: async sender => [refused(await sender.send({ event: 'job.completed', secret: null }), 'not signed')],
  },
  {
    id: 'receiver.tampered',
    title: 'a body or a timestamp that was changed after it was signed is refused',
    clauses: ['WH-2'],
    level: 'must',
    needs: 'secret',
    wantsRefusal: true,
    advice: 'The signature covers the timestamp and the raw bytes of the body: verify it before the body is parsed.',
    async run(sender) {
      const body = await sender.send({
        event: 'job.completed',
        change: one => ({ ...one, body: one.body.replace('"completed"', '"failed"') }),
      })
      const later = new Date(sender.now() + 1000).toISOString()
      const time = await sender.send({
        event: 'job.completed',
        change: one => ({ ...one, headers: { ...one.headers, 'x-webhook-timestamp': later } }),
      })
      return [refused(body, 'its body was changed'), refused(time, 'its timestamp was changed')]
    },
  },
  {
    id: 'receiver.stale',
    title: 'a good signature over an old timestamp is refused',
    clauses: ['WH-2'],
    level: 'should',
    needs: 'secret',
    wantsRefusal: true,
    advice:
      'Refuse what is off by more than five minutes: a delivery that was once seen can then not be sent again later.',
    run: async sender => [
      refused(await sender.send({ event: 'job.completed', at: sender.now() - hour }), 'rightly signed, an hour ago'),
    ],
  },
  {
    id: 'receiver.rotated',
    title: 'while the secret changes, deliveries signed with either are taken',
    clauses: ['WH-2'],
    level: 'should',
    needs: 'nextSecret',
    advice: 'Hold two secrets while they change, and take what either of them has signed.',
    async run(sender) {
      const next = await sender.send({ event: 'job.completed', secret: sender.nextSecret ?? null })
      return [
        taken(next, 'signed with the next secret'),
        taken(await sender.send({ event: 'job.completed' }), 'signed with the old one'),
      ]
    },
  },
  {
    id: 'receiver.without-id',
    title: 'a delivery without an id does no harm',
    clauses: ['WH-2'],
    level: 'should',
    advice: 'Fall back to the event and the job; or refuse with a 400. A 5xx makes it come again.',
    run: async sender => [
      answered(await sender.send({ event: 'job.completed', id: null }), 'without X-Webhook-Delivery-Id'),
    ],
  },
  {
    id: 'receiver.changed-retry',
    title: 'another body under a known delivery id does no harm',
    clauses: ['WH-2', 'GO-3'],
    level: 'should',
    advice: 'The delivery id was taken: answer 2xx and change nothing, or refuse with a 4xx.',
    async run(sender) {
      const id = sender.deliveryId()
      const data = sender.job('completed')
      const first = await sender.send({ event: 'job.completed', id, data })
      const changed = await sender.send({ event: 'job.completed', id, data: { ...data, progress: 99 } })
      return [taken(first, 'the first'), answered(changed, 'another body under its id')]
    },
  },
  {
    id: 'receiver.malformed',
    title: 'a body that is no JSON is refused, and breaks nothing',
    clauses: ['WH-1'],
    level: 'should',
    wantsRefusal: true,
    advice: "Answer what can't be parsed with a 400.",
    async run(sender) {
      const broken = await sender.send({ event: 'job.completed', rawBody: '{"event":"job.completed","data":' })
      return [
        refused(broken, 'half of a JSON text, rightly signed'),
        taken(await sender.send({ event: 'job.completed' }), 'a good one after it'),
      ]
    },
  },
  {
    id: 'receiver.unknown-event',
    title: 'an event that is not known yet is answered 2xx',
    clauses: ['WH-1'],
    level: 'should',
    advice: 'Answer 2xx and do nothing: an API may add events.',
    run: async sender => [taken(await sender.send({ event: 'job.archived' }), 'an event named job.archived')],
  },
  {
    id: 'receiver.large',
    title: `a delivery of ${largeBytes / 1024} KiB is answered 2xx`,
    clauses: ['WH-1', 'JOB-1'],
    level: 'should',
    advice: 'Raise the limit of JSON bodies: a job carries its metadata, and many frameworks stop at 100 kB.',
    async run(sender) {
      const data = { ...sender.job('completed'), metadata: { note: 'x'.repeat(largeBytes) } }
      return [taken(await sender.send({ event: 'job.completed', data }), 'large metadata')]
    },
  },
  {
    id: 'receiver.slow',
    title: 'a delivery whose body takes two seconds to arrive is answered 2xx',
    clauses: ['WH-1'],
    level: 'should',
    advice: 'Wait for the body for longer than a second or two: networks have slow days.',
    run: async sender => [
      taken(await sender.send({ event: 'job.completed', overMs: 2_000 }), 'a body in ten pieces, 0.2 s apart'),
    ],
  },
]
