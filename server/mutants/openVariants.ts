/** Variants of what API.md leaves open, or does not say: each is a choice that an honest server may make. */

import { apiError } from '../errors.ts'
import {
  asItArrives,
  beforeRoute,
  beforeValidation,
  idempotencyKeyOf,
  type Json,
  jobIdOf,
  onAnswer,
  onJobEvent,
  onNewJob,
  rewriteJobs,
  rewriteJson,
} from './change.ts'
import { showsInUsage } from './credits.ts'
import type { Variant } from './mutant.ts'
import type { Mutation } from './mutation.ts'
import { onDelivery } from './onDelivery.ts'

/** CR-1: credits in whole ones, of whole seconds. */
function roundUp(mutation: Mutation): void {
  onNewJob(mutation, job => {
    showsInUsage(mutation, job)
    let { price } = job
    const perMinute = { original: 60, light: 45, pro: 180, human: 45 }
    Object.defineProperty(job, 'price', {
      get: () => {
        const seconds = Math.ceil((job.durationMs ?? 0) / 1000)
        const whole = Math.ceil((perMinute[job.view.model ?? 'original'] * seconds) / 60) * 1000
        return job.durationMs === undefined ? price : whole
      },
      set: (given: number) => {
        price = given
      },
    })
  })
}

/** JOB-7: mp4 where no background was named is opaque. */
function takeOpaque(mutation: Mutation): void {
  const unnamed = new Set<string>()
  const isUnnamed = (body: Json) => body?.bg_type === undefined && body?.background === undefined
  const bodies = new WeakSet<object>()
  beforeValidation(mutation, 'createJob', request => {
    const body = request.body as Json
    if (typeof body !== 'object' || body === null || !isUnnamed(body)) return
    bodies.add(request)
    if (body.output_format !== 'mp4') return
    body.bg_type = 'black'
    mutation.acted(request)
  })
  rewriteJson(mutation, 'createJob', ({ id }, request) => {
    if (bodies.has(request)) unnamed.add(id)
  })
  beforeRoute(mutation, 'startJob', request => {
    const body = request.body as Json
    if (body?.output_format !== 'mp4' || !isUnnamed(body) || !unnamed.has(jobIdOf(request))) return
    body.bg_type = 'black'
    mutation.acted(request)
  })
}

const summary = (id: string, what: string, change: (body: Json) => Json): Variant => ({
  id: `usage-${id}`,
  grants: 'US-1',
  what,
  apply: mutation =>
    onAnswer(mutation, 'getUsageSummary', answer => {
      if (answer.status < 300) answer.body = change(answer.body)
    }),
})

export const openVariants: readonly Variant[] = [
  {
    id: 'credits-rounded-up',
    grants: 'CR-1',
    what: 'credits are charged in whole ones, of whole seconds',
    apply: roundUp,
  },
  summary('days-are-rows', 'the daily rows are called days, and no number of days is told', ({ daily, ...body }) => ({
    ...body,
    days: daily,
  })),
  summary('by-day', 'the daily rows are fields named by their dates, beside totals of their own', body => {
    const { days: _, daily, ...totals } = body
    const rows = daily.map(({ date, credits_used }: Json) => [date, credits_used])
    return { totals, by_day: Object.fromEntries(rows), models: [] }
  }),
  {
    id: 'usage-counts-drafts',
    grants: 'US-1',
    what: 'total_jobs counts drafts too',
    apply: mutation =>
      rewriteJson(mutation, 'getUsageSummary', (body, { context }) => {
        body.total_jobs = context.world.jobs.page(1, 0, undefined).total
      }),
  },
  {
    id: 'mp4-without-background-is-opaque',
    grants: 'JOB-7',
    what: 'mp4 is taken where no background is named',
    apply: takeOpaque,
  },
  {
    id: 'list-called-data',
    grants: 'JOB-6',
    what: 'the list of jobs is called data, and says no total, limit or offset',
    apply: mutation =>
      onAnswer(mutation, 'listJobs', answer => {
        if (answer.status < 300) answer.body = { data: answer.body.jobs, has_more: false }
      }),
  },
  {
    id: 'list-bare',
    grants: 'JOB-6',
    what: 'the list of jobs is a bare list of short entries, at most 20',
    apply(mutation) {
      beforeValidation(mutation, 'listJobs', ({ query }) => {
        if (Number((query as Json).limit) > 20) throw apiError('invalid_field')
      })
      onAnswer(mutation, 'listJobs', answer => {
        if (answer.status < 300)
          answer.body = answer.body.jobs.map(({ id, status, created_at }: Json) => ({ id, status, created_at }))
      })
    },
  },
  {
    id: 'start-answers-job',
    grants: 'JOB-3',
    what: 'a start is answered with the job as it is',
    apply(mutation) {
      // Who sends a start again with its key gets the first answer again (ID-1), not the job as it is by then.
      const first = new Map<string, Json>()
      onAnswer(mutation, 'startJob', (answer, request) => {
        const { world, replayed } = request.context
        const job = answer.status < 300 ? world.jobs.get(answer.body.id) : undefined
        if (job === undefined) return
        const name = `${job.view.id} ${idempotencyKeyOf(request)}`
        answer.body = (replayed ? first.get(name) : undefined) ?? { ...job.view, webhook_events: [] }
        first.set(name, answer.body)
      })
    },
  },
  {
    id: 'start-answers-nothing',
    grants: 'JOB-3',
    what: 'a start is answered 200 and {}',
    apply: mutation =>
      onAnswer(mutation, 'startJob', answer => {
        if (answer.status < 300) answer.body = {}
      }),
  },
  {
    id: 'legacy-keys-not-looked-at',
    grants: 'AUTH-2',
    what: 'no key is looked at on /api/*: whoever knows a job can download it',
    apply: mutation =>
      asItArrives(mutation, ['getPricing', 'getDownload', 'uploadVideoLegacy'], request => {
        const { headers } = request.raw
        if (headers['x-api-key'] === undefined) return
        delete headers['x-api-key']
        // It counts as a call without one.
        mutation.acted(request)
      }),
  },
  {
    id: 'events-of-calls-as-texts',
    grants: 'US-2',
    what: 'of usage events, status is a text and time a number of seconds',
    apply: mutation =>
      rewriteJson(mutation, 'getUsageEvents', ({ events }) => {
        for (const event of events) {
          event.status = String(event.status)
          event.time = Math.floor(Date.parse(event.time) / 1000)
        }
      }),
  },
  {
    id: 'events-name-paths',
    grants: 'US-2',
    what: "a usage event's endpoint is the path as it was asked for, of refused calls too",
    apply: mutation =>
      rewriteJson(mutation, 'getUsageEvents', ({ events }) => {
        for (const event of events) if (event.job_id) event.endpoint = `GET /v1/jobs/${event.job_id}`
      }),
  },
  {
    id: 'price-per-second-a-text',
    grants: 'CR-2',
    what: 'price_per_second_cents is a text',
    apply: mutation =>
      rewriteJson(mutation, 'getPricing', body => {
        body.price_per_second_cents = '1.50'
      }),
  },
  {
    id: 'background-colour-in-hex',
    grants: 'JOB-1',
    what: "a background's color is a text such as #0080ff; a list of numbers is refused",
    apply(mutation) {
      mutation.showsWhere(['getJob', 'listJobs'], text => text.includes('"color":[0,128,255]'))
      beforeValidation(mutation, ['createJob', 'startJob'], ({ body }) => {
        const { background } = (body ?? {}) as Json
        if (background?.color === undefined) return
        if (typeof background.color !== 'string') throw apiError('invalid_field')
        background.color = [0, 128, 255]
      })
    },
  },
  {
    id: 'webhook-not-retried',
    grants: 'WH-3',
    what: 'what was not answered 2xx is not sent again',
    apply: mutation => onDelivery(mutation, ({ attempt }) => (attempt > 1 ? 'lost' : undefined)),
  },
  {
    id: 'webhook-retried-as-another',
    grants: 'WH-3',
    what: 'a delivery that is sent again has another id',
    apply: mutation =>
      onDelivery(mutation, ({ attempt, headers }) => {
        if (attempt > 1) headers['X-Webhook-Delivery-Id'] += `-${attempt}`
        return undefined
      }),
  },
  {
    id: 'webhook-timestamps-of-elsewhere',
    grants: 'WH-2',
    what: 'X-Webhook-Timestamp has an offset',
    apply: mutation =>
      onDelivery(mutation, ({ headers }) => {
        headers['X-Webhook-Timestamp'] = (headers['X-Webhook-Timestamp'] ?? '').replace('Z', '+02:00')
        return undefined
      }),
  },
  {
    id: 'webhook-ends-before-starts',
    grants: 'WH-1',
    what: 'of two webhooks the later one is told first',
    apply: mutation =>
      onJobEvent(mutation, (event, job, _world, send) => {
        if (event === 'job.started') return
        send(event)
        queueMicrotask(() => job.attempt > 0 && send('job.started'))
      }),
  },
  {
    id: 'jobs-show-more-of-inputs',
    grants: 'JOB-5',
    what: 'a job shows its nested inputs with all that they may have',
    apply: mutation =>
      rewriteJobs(mutation, job => {
        if (job.background) job.background = { type: null, color: null, image_url: null, ...job.background }
        if (job.text_prompt === '') job.text_prompt = null
      }),
  },
  {
    id: 'idempotent-get-signs-anew',
    grants: 'DL-3',
    what: 'each look at a job signs its URLs anew',
    apply(mutation) {
      let n = 0
      rewriteJobs(mutation, job => {
        if (job.output_url) job.output_url += `?signature=${n++}`
      })
    },
  },
]
