/** Drafts and starts (JOB-3). */
import { apiError } from '../../server/errors.ts'
import { createJob, startJob } from '../../server/world/jobs.ts'
import { beforeRoute, beforeValidation, type Json, type Mutant, overcharging, ownJobOf, rewriteJson } from './tools.ts'

export const starts: readonly Mutant[] = [
  {
    id: 'draft-starts-at-once',
    breaks: ['JOB-3'],
    also: ['JOB-1', 'JOB-4'],
    what: 'auto_start false makes no difference',
    apply: app =>
      beforeRoute(app, 'createJob', request => {
        Object.assign(request.body as Json, { auto_start: true })
      }),
  },
  {
    id: 'draft-starts-when-read',
    breaks: ['JOB-3'],
    also: ['ID-1', 'JOB-4'],
    what: 'a draft that is read is started',
    apply: app =>
      rewriteJson(app, 'getJob', (_shown, request) => {
        const job = ownJobOf(request)
        const { world } = request.context
        if (job?.view.status === 'created' && job.price < world.account.credits.available) startJob(world, job, {})
      }),
  },
  {
    id: 'start-overrides-ignored',
    breaks: ['JOB-3'],
    also: ['JOB-7'],
    what: 'overrides at the start make no difference',
    apply: app =>
      beforeRoute(app, 'startJob', request => {
        request.body = {}
      }),
  },
  {
    id: 'start-webhook-override-ignored',
    breaks: ['JOB-3'],
    what: 'of the overrides, webhook_url makes no difference',
    apply: app =>
      beforeRoute(app, 'startJob', request => {
        delete (request.body as Json).webhook_url
      }),
  },
  {
    id: 'start-overrides-reset-the-rest',
    breaks: ['JOB-3'],
    what: 'an override sets what is not overridden back to its default',
    apply: app =>
      beforeRoute(app, 'startJob', request => {
        const defaults = { model: 'original', output_format: 'webm', bg_type: 'transparent' }
        const given = request.body as Json
        if (Object.keys(given).length > 0) request.body = { ...defaults, ...given }
      }),
  },
  {
    id: 'start-needs-body',
    breaks: ['JOB-3'],
    what: 'a start without a body is refused',
    apply: app =>
      beforeValidation(app, 'startJob', request => {
        if (request.body === undefined || request.headers['content-length'] === '0') throw apiError('invalid_json')
      }),
  },
  {
    id: 'start-refuses-drafts',
    breaks: ['JOB-3'],
    what: 'a draft can not be started',
    apply: app =>
      beforeRoute(app, 'startJob', request => {
        if (ownJobOf(request)?.view.status === 'created') throw apiError('invalid_field')
      }),
  },
  {
    id: 'second-start-charges',
    breaks: ['JOB-3'],
    also: ['GO-3', 'CR-1'],
    what: 'a second start is charged for again',
    apply(app) {
      const charge = overcharging(app)
      rewriteJson(app, 'startJob', ({ message }, request) => {
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
    apply: app =>
      rewriteJson(app, 'startJob', (accepted, request) => {
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
    apply: app =>
      beforeRoute(app, 'startJob', request => {
        const job = ownJobOf(request)
        if (job?.view.status !== 'completed') return
        request.context.world.jobs.move(job, 'failed')
        job.view.output_url = null
      }),
  },
]
