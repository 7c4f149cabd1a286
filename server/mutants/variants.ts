/** Servers that are no mock of ours and contradict no sentence of API.md: whoever accuses one is wrong. */

import { createHash } from 'node:crypto'
import { operations as documented, type Operation } from '../../contracts/operations.ts'
import { changeConfig, onAnswer, rewriteErrors, rewriteJobs, rewriteJson, setLimitHeader } from './change.ts'
import type { Variant } from './mutant.ts'
import { openVariants } from './openVariants.ts'
import { renameIds, showStatesAs } from './shown.ts'
import { wireVariants } from './wireVariants.ts'

const operations: Readonly<Record<string, Operation>> = documented

const digestOf = (id: string): string => createHash('sha256').update(id).digest('hex')

const uuidOf = (id: string): string => digestOf(id).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-a$4-$5')

const numberOf = (id: string): string => `9${BigInt(`0x${digestOf(id).slice(0, 14)}`)}`

const accepted = (id: string, status: number, what: string): Variant => ({
  id,
  grants: 'JOB-2',
  what,
  apply: mutation =>
    onAnswer(mutation, 'createJob', answer => {
      if (answer.status === 200) answer.status = status
    }),
})

const createdAt = (id: string, what: string, change: (text: string) => string): Variant => ({
  id,
  grants: 'JOB-5',
  what,
  apply: mutation =>
    rewriteJobs(mutation, job => {
      job.created_at = change(job.created_at)
    }),
})

export const variants: readonly Variant[] = [
  accepted('create-201', 201, 'a create is answered 201'),
  accepted('create-202', 202, 'a create is answered 202'),
  {
    id: 'draft-is-pending',
    grants: 'JOB-4',
    what: 'a draft is pending: the page that knows no created',
    apply: mutation => showStatesAs(mutation, { created: 'pending' }),
  },
  {
    id: 'queued-is-created',
    grants: 'JOB-4',
    what: 'a job that is queued is created: the page that knows no pending',
    apply: mutation => showStatesAs(mutation, { pending: 'created' }),
  },
  {
    id: 'other-messages',
    grants: 'ERR-1',
    what: 'all messages are in other words',
    apply(mutation) {
      rewriteErrors(mutation, '*', undefined, error => {
        error.message = `Das ging leider nicht (${error.message.length}) – bitte prüfen.`
      })
      rewriteJson(mutation, ['createJob', 'startJob'], body => {
        body.message = 'ok'
      })
    },
  },
  {
    id: 'more-fields',
    grants: 'JOB-5',
    what: 'good answers have more fields than are documented',
    apply: mutation =>
      rewriteJson(mutation, '*', body => {
        const parts = [body, ...(body.jobs ?? []), ...(body.events ?? []), ...(body.webhook_events ?? [])]
        for (const part of parts) Object.assign(part, { api_version: '2', links: { self: null }, tags: [] })
      }),
  },
  {
    id: 'list-members',
    grants: 'JOB-6',
    what: 'the list says more of itself',
    apply: mutation =>
      rewriteJson(mutation, 'listJobs', body => {
        const next = body.offset + body.jobs.length
        Object.assign(body, {
          object: 'list',
          next_offset: next < body.total ? next : null,
          has_more: next < body.total,
        })
      }),
  },
  { id: 'ids-uuid', grants: 'JOB-2', what: 'ids are UUIDs', apply: mutation => renameIds(mutation, uuidOf) },
  {
    id: 'ids-numeric',
    grants: 'JOB-2',
    what: 'ids are numbers, as texts',
    apply: mutation => renameIds(mutation, numberOf),
  },
  {
    id: 'not-found-is-invalid-request',
    grants: 'ERR-2',
    what: '404 has the documented code invalid_request',
    apply: mutation =>
      rewriteErrors(mutation, '*', 'not_found', error => {
        error.code = 'invalid_request'
      }),
  },
  {
    id: 'second-start-409',
    grants: 'JOB-3',
    what: 'the start of a job that was started is answered 409',
    apply: mutation =>
      onAnswer(mutation, 'startJob', (answer, { context, exchange }) => {
        const { message = '' } = answer.body
        if (answer.status >= 300 || context.replayed || !message.endsWith('already')) return
        answer.status = 409
        answer.body = { error: { code: 'invalid_request', message, request_id: exchange.requestId } }
      }),
  },
  {
    id: 'no-limits',
    grants: 'RL-1',
    what: 'there are no rate limits but those that are asked for',
    apply(mutation) {
      changeConfig(mutation, { rateLimit: 0, jobLimit: 0 })
      // Its answers say no limit.
      onAnswer(mutation, '*', ({ headers }, request) => {
        const id = request.exchange?.operation
        const isLimited = id !== undefined && operations[id]?.limits !== undefined
        if (isLimited && headers['x-ratelimit-limit'] === undefined) mutation.acted(request)
      })
    },
  },
  {
    id: 'retry-after-generous',
    grants: 'RL-2',
    what: 'Retry-After waits longer than is needed',
    apply: mutation => setLimitHeader(mutation, 'retry-after', seconds => String(Number(seconds) + 1)),
  },
  {
    id: 'ratelimit-both-drafts',
    grants: 'RL-2',
    what: "429 has an older draft's RateLimit headers too",
    apply: mutation =>
      onAnswer(mutation, '*', ({ status, headers }) => {
        if (status !== 429) return
        headers['ratelimit-limit'] = headers['x-ratelimit-limit']
        headers['ratelimit-remaining'] = headers['x-ratelimit-remaining']
        headers['ratelimit-reset'] = headers['retry-after']
      }),
  },
  {
    id: 'download-url-elsewhere',
    grants: 'DL-1',
    what: 'download_url is another URL than output_url',
    apply(mutation) {
      rewriteJson(mutation, 'getDownload', body => {
        body.download_url = `${body.download_url.replace('/files/outputs/', '/cdn/v2/')}?expires=9999999999&sig=a%2Fb`
      })
      mutation.fastify.server.prependListener('request', request => {
        request.url = request.url?.replace(/^\/cdn\/v2\//, '/files/outputs/')
      })
    },
  },
  {
    id: 'billing-in-other-words',
    grants: 'JOB-5',
    what: 'billing_status has other words for the same',
    apply(mutation) {
      const words: Record<string, string> = { pending: 'reserved', charged: 'billed', not_charged: 'waived' }
      rewriteJobs(mutation, job => {
        job.billing_status = words[job.billing_status] ?? job.billing_status
      })
    },
  },
  {
    id: 'duration-known-late',
    grants: 'JOB-5',
    what: 'duration_seconds is null until the job is completed',
    apply: mutation =>
      rewriteJobs(mutation, job => {
        if (job.status !== 'completed') job.duration_seconds = null
      }),
  },
  {
    id: 'progress-fraction',
    grants: 'JOB-5',
    what: 'progress is no whole number',
    apply: mutation =>
      rewriteJobs(mutation, job => {
        // In a job that failed on the way too, or it would have gone back.
        if (job.progress > 0 && job.progress < 100) job.progress += 0.25
      }),
  },
  {
    id: 'more-events',
    grants: 'US-2',
    what: 'the usage events have rows of other days too, behind the recent ones',
    apply: mutation =>
      rewriteJson(mutation, 'getUsageEvents', body => {
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
