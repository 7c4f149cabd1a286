/** States and their order, and what a job shows (JOB-4, JOB-5, GO-7). */
import type { ClauseId } from '../../contracts/clauses.ts'
import { apiError } from '../errors.ts'
import { beforeRoute, type Json, ownJobOf, renameStates, rewriteJobs, rewriteJson } from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

/** A job that shows one thing wrong. */
const showing = (id: string, what: string, change: (job: Json) => void, also: readonly ClauseId[] = []): Mutant => ({
  id: `job-${id}`,
  breaks: ['JOB-5'],
  also,
  what,
  apply: mutation => rewriteJobs(mutation, change),
})

/** Calls `change` with each look at a job and which look at it in this state it is, from 1. */
function atEachLook(mutation: Mutation, change: (job: Json, look: number) => void): void {
  const looks = new Map<string, number>()
  rewriteJson(mutation, 'getJob', job => {
    const key = `${job.id} ${job.status}`
    looks.set(key, (looks.get(key) ?? 0) + 1)
    change(job, looks.get(key) as number)
  })
}

export const stateMutants: readonly Mutant[] = [
  {
    id: 'state-queued',
    breaks: ['JOB-4'],
    also: ['JOB-2'],
    what: 'pending is called queued',
    apply: mutation => renameStates(mutation, { pending: 'queued' }),
  },
  {
    id: 'state-error',
    breaks: ['JOB-4'],
    what: 'failed is called error',
    apply: mutation => renameStates(mutation, { failed: 'error' }),
  },
  {
    id: 'state-done',
    breaks: ['JOB-4'],
    what: 'completed is called done',
    apply: mutation => renameStates(mutation, { completed: 'done' }),
  },
  {
    id: 'completed-flips',
    breaks: ['JOB-4'],
    what: 'a completed job is processing again when one looks a second time',
    apply: mutation =>
      atEachLook(mutation, (job, look) => {
        if (job.status === 'completed' && look % 2 === 0) job.status = 'processing'
      }),
  },
  {
    id: 'failed-flips',
    breaks: ['JOB-4'],
    what: 'a failed job is pending again when one looks a second time',
    apply: mutation =>
      atEachLook(mutation, (job, look) => {
        if (job.status === 'failed' && look % 2 === 0) Object.assign(job, { status: 'pending', error: null })
      }),
  },
  {
    id: 'processing-goes-back',
    breaks: ['JOB-4'],
    what: 'a job that waits shows processing first, and pending then',
    apply: mutation =>
      atEachLook(mutation, (job, look) => {
        if (job.status === 'pending' && look === 1) job.status = 'processing'
      }),
  },
  {
    id: 'progress-goes-back',
    breaks: ['JOB-4'],
    what: 'progress is less at every second look',
    apply: mutation =>
      atEachLook(mutation, (job, look) => {
        if (look % 2 === 0) job.progress = Math.max(0, job.progress - 15)
      }),
  },
  {
    id: 'failed-stays-failed',
    breaks: ['JOB-4'],
    what: 'a failed job can not be started again',
    apply: mutation =>
      beforeRoute(mutation, 'startJob', request => {
        if (ownJobOf(request)?.view.status === 'failed') throw apiError('invalid_field')
      }),
  },
  showing('progress-101', 'progress is 101 at the end', job => {
    if (job.status === 'completed') job.progress = 101
  }),
  showing('progress-text', 'progress is a text', job => {
    job.progress = `${job.progress}%`
  }),
  showing('id-missing', 'a job shows no id', job => {
    delete job.id
  }),
  showing(
    'output-url-null',
    'a completed job has no output_url',
    job => {
      job.output_url = null
    },
    ['DL-3'],
  ),
  showing('error-null', 'a failed job has no error', job => {
    job.error = null
  }),
  showing('error-object', "a failed job's error is the envelope's", job => {
    if (job.error) job.error = { code: 'internal_error', message: job.error }
  }),
  showing('created-at-epoch', 'created_at is a number', job => {
    job.created_at = Date.parse(job.created_at)
  }),
  showing('created-at-without-zone', 'created_at has no time zone', job => {
    job.created_at = job.created_at.replace('T', ' ').slice(0, 19)
  }),
  showing('created-at-elsewhere', 'created_at is the time of another zone', job => {
    const there = new Date(Date.parse(job.created_at) + 2 * 60 * 60 * 1000)
    job.created_at = there.toISOString().replace('Z', '+02:00')
  }),
  showing('duration-text', 'duration_seconds is a text', job => {
    job.duration_seconds = `${job.duration_seconds}s`
  }),
  showing('billing-number', 'billing_status is a number', job => {
    job.billing_status = job.billing_status === 'charged' ? 1 : 0
  }),
  showing('webhook-url-hidden', 'webhook_url is null though one was given', job => {
    job.webhook_url = null
  }),
  showing('webhook-events-missing', 'there are no webhook_events', job => {
    delete job.webhook_events
  }),
  showing('webhook-events-delivered', 'a webhook that was sent is called delivered', job => {
    for (const event of job.webhook_events) if (event.status === 'sent') event.status = 'delivered'
  }),
  showing('webhook-events-all-sent', 'a webhook that failed is called sent', job => {
    for (const event of job.webhook_events) event.status = 'sent'
  }),
  showing(
    'model-missing',
    'a job does not show its model',
    job => {
      delete job.model
    },
    ['GO-7', 'JOB-1'],
  ),
  showing(
    'output-format-missing',
    'a job does not show its output_format',
    job => {
      delete job.output_format
    },
    ['GO-7', 'JOB-1'],
  ),
  {
    id: 'job-video-url-missing',
    breaks: ['GO-7'],
    also: ['JOB-5', 'JOB-1'],
    what: 'a job does not show what its video was',
    apply: mutation =>
      rewriteJobs(mutation, job => {
        delete job.video_url
      }),
  },
]
