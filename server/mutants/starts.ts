/** Drafts and starts (JOB-3). */
import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest } from 'fastify'
import { apiError } from '../errors.ts'
import { createJob, startJob } from '../world/jobs.ts'
import { beforeRoute, beforeValidation, type Json, jobIdOf, overcharging, ownJobOf, rewriteJson } from './change.ts'
import type { Mutant } from './mutant.ts'

/** Whether the body has something else than the draft. */
function isOverriding(request: FastifyRequest): boolean {
  const job = ownJobOf(request)?.view as Json
  return Object.entries((request.body ?? {}) as Json).some(
    ([name, value]) => job !== undefined && !isDeepStrictEqual(job[name], value),
  )
}

export const startMutants: readonly Mutant[] = [
  {
    id: 'draft-starts-at-once',
    breaks: ['JOB-3'],
    also: ['JOB-1', 'JOB-4'],
    what: 'auto_start false makes no difference',
    apply: mutation =>
      beforeRoute(mutation, 'createJob', request => {
        const body = request.body as Json
        if (body.auto_start === false) mutation.acted(request)
        body.auto_start = true
      }),
  },
  {
    id: 'draft-starts-when-read',
    breaks: ['JOB-3'],
    also: ['ID-1', 'JOB-4'],
    what: 'a draft that is read is started',
    apply: mutation =>
      rewriteJson(mutation, 'getJob', (_shown, request) => {
        const job = ownJobOf(request)
        const { world } = request.context
        if (job?.view.status !== 'created' || job.price >= world.account.credits.available) return
        startJob(world, job, {})
        mutation.showsLater(job.view.id)
      }),
  },
  {
    id: 'start-overrides-ignored',
    breaks: ['JOB-3'],
    also: ['JOB-7'],
    what: 'overrides at the start make no difference',
    apply: mutation =>
      beforeRoute(mutation, 'startJob', request => {
        if (isOverriding(request)) mutation.showsLater(jobIdOf(request))
        // What would be refused is taken (JOB-7).
        if ((request.body as Json)?.output_format === 'mp4') mutation.acted(request)
        request.body = {}
      }),
  },
  {
    id: 'start-webhook-override-ignored',
    breaks: ['JOB-3'],
    what: 'of the overrides, webhook_url makes no difference',
    apply: mutation =>
      beforeRoute(mutation, 'startJob', request => {
        const body = request.body as Json
        if (body.webhook_url !== undefined) mutation.showsLater(jobIdOf(request))
        delete body.webhook_url
      }),
  },
  {
    id: 'start-overrides-reset-the-rest',
    breaks: ['JOB-3'],
    what: 'an override sets what is not overridden back to its default',
    apply: mutation =>
      beforeRoute(mutation, 'startJob', request => {
        const defaults = { model: 'original', output_format: 'webm', bg_type: 'transparent' }
        const given = request.body as Json
        if (Object.keys(given).length === 0) return
        request.body = { ...defaults, ...given }
        if (isOverriding(request)) mutation.showsLater(jobIdOf(request))
      }),
  },
  {
    id: 'start-needs-body',
    breaks: ['JOB-3'],
    what: 'a start without a body is refused',
    apply: mutation =>
      beforeValidation(mutation, 'startJob', request => {
        if (request.body === undefined || request.headers['content-length'] === '0') throw apiError('invalid_json')
      }),
  },
  {
    id: 'start-refuses-drafts',
    breaks: ['JOB-3'],
    what: 'a draft can not be started',
    apply: mutation =>
      beforeRoute(mutation, 'startJob', request => {
        if (ownJobOf(request)?.view.status === 'created') throw apiError('invalid_field')
      }),
  },
  {
    id: 'second-start-charges',
    breaks: ['JOB-3'],
    also: ['GO-3', 'CR-1'],
    what: 'a second start is charged for again',
    apply(mutation) {
      const charge = overcharging(mutation)
      rewriteJson(mutation, 'startJob', ({ message }, request) => {
        const job = message.endsWith('already') ? ownJobOf(request) : undefined
        if (job) charge(request.context.world, job.price)
      })
    },
  },
  {
    id: 'second-start-makes-another-job',
    breaks: ['JOB-3'],
    also: ['GO-3'],
    what: 'a second start makes another job',
    apply: mutation =>
      rewriteJson(mutation, 'startJob', (accepted, request) => {
        const job = accepted.message.endsWith('already') ? ownJobOf(request) : undefined
        if (!job) return
        const other = createJob(request.context.world, { ...job.view, auto_start: true } as Json, job.baseUrl)
        accepted.id = other.view.id
        accepted.status = other.view.status
      }),
  },
  {
    id: 'completed-starts-again',
    breaks: ['JOB-3'],
    also: ['GO-3', 'JOB-4'],
    what: 'the start of a completed job runs it again',
    apply: mutation =>
      beforeRoute(mutation, 'startJob', request => {
        const job = ownJobOf(request)
        if (job?.view.status !== 'completed') return
        mutation.acted(request)
        request.context.world.jobs.move(job, 'failed')
        job.view.output_url = null
      }),
  },
]
