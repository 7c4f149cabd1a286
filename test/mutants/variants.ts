/** Servers that are no mock of ours and contradict no sentence of API.md: whoever accuses one is wrong. */
import { createHash } from 'node:crypto'
import { openVariants } from './openVariants.ts'
import { renameIds, showStatesAs } from './shown.ts'
import {
  changeConfig,
  onAnswer,
  rewriteErrors,
  rewriteJobs,
  rewriteJson,
  setLimitHeader,
  type Variant,
} from './tools.ts'
import { wireVariants } from './wireVariants.ts'

const digestOf = (id: string): string => createHash('sha256').update(id).digest('hex')

const uuidOf = (id: string): string => digestOf(id).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-a$4-$5')

const numberOf = (id: string): string => `9${BigInt(`0x${digestOf(id).slice(0, 14)}`)}`

const accepted = (id: string, status: number, what: string): Variant => ({
  id,
  what,
  apply: app =>
    onAnswer(app, 'createJob', answer => {
      if (answer.status === 200) answer.status = status
    }),
})

const createdAt = (id: string, what: string, change: (text: string) => string): Variant => ({
  id,
  what,
  apply: app =>
    rewriteJobs(app, job => {
      job.created_at = change(job.created_at)
    }),
})

export const variants: readonly Variant[] = [
  accepted('create-201', 201, 'a create is answered 201'),
  accepted('create-202', 202, 'a create is answered 202'),
  {
    id: 'draft-is-pending',
    what: 'a draft is pending: the page that knows no created',
    apply: app => showStatesAs(app, { created: 'pending' }),
  },
  {
    id: 'queued-is-created',
    what: 'a job that is queued is created: the page that knows no pending',
    apply: app => showStatesAs(app, { pending: 'created' }),
  },
  {
    id: 'other-messages',
    what: 'all messages are in other words',
    apply(app) {
      rewriteErrors(app, '*', undefined, error => {
        error.message = `Das ging leider nicht (${error.message.length}) – bitte prüfen.`
      })
      rewriteJson(app, ['createJob', 'startJob'], body => {
        body.message = 'ok'
      })
    },
  },
  {
    id: 'more-fields',
    what: 'good answers have more fields than are documented',
    apply: app =>
      rewriteJson(app, '*', body => {
        const parts = [body, ...(body.jobs ?? []), ...(body.events ?? []), ...(body.webhook_events ?? [])]
        for (const part of parts) Object.assign(part, { api_version: '2', links: { self: null }, tags: [] })
      }),
  },
  {
    id: 'list-members',
    what: 'the list says more of itself',
    apply: app =>
      rewriteJson(app, 'listJobs', body => {
        const next = body.offset + body.jobs.length
        Object.assign(body, {
          object: 'list',
          next_offset: next < body.total ? next : null,
          has_more: next < body.total,
        })
      }),
  },
  { id: 'ids-uuid', what: 'ids are UUIDs', apply: app => renameIds(app, uuidOf) },
  { id: 'ids-numeric', what: 'ids are numbers, as texts', apply: app => renameIds(app, numberOf) },
  {
    id: 'not-found-is-invalid-request',
    what: '404 has the documented code invalid_request',
    apply: app =>
      rewriteErrors(app, '*', 'not_found', error => {
        error.code = 'invalid_request'
      }),
  },
  {
    id: 'second-start-409',
    what: 'the start of a job that was started is answered 409',
    apply: app =>
      onAnswer(app, 'startJob', (answer, { context, exchange }) => {
        const { message = '' } = answer.body
        if (answer.status >= 300 || context.replayed || !message.endsWith('already')) return
        answer.status = 409
        answer.body = { error: { code: 'invalid_request', message, request_id: exchange.requestId } }
      }),
  },
  {
    id: 'no-limits',
    what: 'there are no rate limits but those that are asked for',
    apply: app => changeConfig(app, { rateLimit: 0, jobLimit: 0 }),
  },
  {
    id: 'retry-after-generous',
    what: 'Retry-After waits longer than is needed',
    apply: app => setLimitHeader(app, 'retry-after', seconds => String(Number(seconds) + 1)),
  },
  {
    id: 'ratelimit-both-drafts',
    what: "429 has an older draft's RateLimit headers too",
    apply: app =>
      onAnswer(app, '*', ({ status, headers }) => {
        if (status !== 429) return
        headers['ratelimit-limit'] = headers['x-ratelimit-limit']
        headers['ratelimit-remaining'] = headers['x-ratelimit-remaining']
        headers['ratelimit-reset'] = headers['retry-after']
      }),
  },
  {
    id: 'download-url-elsewhere',
    what: 'download_url is another URL than output_url',
    apply(app) {
      rewriteJson(app, 'getDownload', body => {
        body.download_url = `${body.download_url.replace('/files/outputs/', '/cdn/v2/')}?expires=9999999999&sig=a%2Fb`
      })
      app.fastify.server.prependListener('request', request => {
        request.url = request.url?.replace(/^\/cdn\/v2\//, '/files/outputs/')
      })
    },
  },
  {
    id: 'billing-in-other-words',
    what: 'billing_status has other words for the same',
    apply(app) {
      const words: Record<string, string> = { pending: 'reserved', charged: 'billed', not_charged: 'waived' }
      rewriteJobs(app, job => {
        job.billing_status = words[job.billing_status] ?? job.billing_status
      })
    },
  },
  {
    id: 'duration-known-late',
    what: 'duration_seconds is null until the job is completed',
    apply: app =>
      rewriteJobs(app, job => {
        if (job.status !== 'completed') job.duration_seconds = null
      }),
  },
  {
    id: 'progress-fraction',
    what: 'progress is no whole number',
    apply: app =>
      rewriteJobs(app, job => {
        if (job.status === 'processing') job.progress += 0.25
      }),
  },
  {
    id: 'more-events',
    what: 'the usage events have rows of other days too, behind the recent ones',
    apply: app =>
      rewriteJson(app, 'getUsageEvents', body => {
        const old = {
          job_id: null,
          endpoint: 'GET /v1/jobs',
          status: 200,
          credits: 0,
          time: '2024-02-29T12:00:00.000Z',
        }
        const more = [1, 2, 3].map(n => ({ request_id: `req_old${n}`, ...old }))
        body.events = [...body.events, ...more].slice(0, Number(body.limit))
      }),
  },
  createdAt('created-at-without-ms', 'created_at has no milliseconds', text => text.replace(/\.\d+/, '')),
  createdAt('created-at-zero-offset', 'created_at ends in +00:00', text => text.replace('Z', '+00:00')),
  ...wireVariants,
  ...openVariants,
]
