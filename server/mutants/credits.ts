/** What jobs cost, and what they cost nothing (CR-1 to CR-3). */
import type { JobStart, Model } from '../../contracts/schemas.ts'
import type { Account } from '../world/account.ts'
import { Credits } from '../world/credits.ts'
import type { JobRecord } from '../world/jobStore.ts'
import { createJob, startJob } from '../world/jobs.ts'
import { Limits } from '../world/limits.ts'
import {
  beforeRoute,
  type Json,
  onCase,
  onJobEvent,
  onNewJob,
  overcharging,
  ownJobOf,
  rewriteJobs,
  rewriteJson,
} from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

/** Another price than the documented one shows where credits are told. */
export function showsInUsage(mutation: Mutation, job: JobRecord): void {
  mutation.showsLater(job.view.id, ['getUsageEvents'])
  mutation.showsWhere(['getUsageSummary'], (text, { context }) => {
    const own = context.world.jobs.get(job.view.id)
    return own?.view.status === 'completed' && /"credits_used":0*[1-9.]/.test(text)
  })
}

/** One model at another price than the documented one; what can be paid for is still told by that. */
const priced = (model: Model, perMinute: number, documented: number): Mutant => ({
  id: `${model}-charged-${perMinute}`,
  breaks: ['CR-1'],
  what: `${model} is charged ${perMinute} credits a minute`,
  apply: mutation =>
    onNewJob(mutation, job => {
      let { price } = job
      let isTold = false
      Object.defineProperty(job, 'price', {
        get: () => {
          if (job.view.model !== model) return price
          if (!isTold) showsInUsage(mutation, job)
          isTold = true
          return Math.round((price * perMinute) / documented)
        },
        set: (given: number) => {
          price = given
        },
      })
    }),
})

const pricing = (id: string, what: string, change: (body: Json) => void): Mutant => ({
  id: `pricing-${id}`,
  breaks: ['CR-2'],
  what,
  apply: mutation => rewriteJson(mutation, 'getPricing', change),
})

/** Pays for anything. */
const generous = (): Account => ({
  credits: new Credits(1_000_000),
  limits: new Limits(0, 0),
  idempotencyMs: 86_400_000,
})

const chargingAt = (mutation: Mutation, event: 'job.completed' | 'job.failed'): void => {
  const charge = overcharging(mutation)
  onJobEvent(mutation, (happened, job, world, send) => {
    if (happened === event) charge(world, job.price)
    send(happened)
  })
}

export const creditsMutants: readonly Mutant[] = [
  priced('pro', 60, 180),
  priced('light', 60, 45),
  priced('human', 60, 45),
  priced('original', 59, 60),
  {
    id: 'completed-charged-twice',
    breaks: ['CR-1'],
    what: 'a completed job is charged twice',
    apply: mutation => chargingAt(mutation, 'job.completed'),
  },
  {
    id: 'failed-charged',
    breaks: ['CR-3'],
    what: 'a failed job is charged, whatever its billing_status says',
    apply: mutation => chargingAt(mutation, 'job.failed'),
  },
  {
    id: 'failed-shown-as-charged',
    breaks: ['CR-3'],
    what: "a failed job's billing_status is charged",
    apply: mutation =>
      rewriteJobs(mutation, job => {
        if (job.status === 'failed') job.billing_status = 'charged'
      }),
  },
  {
    id: 'refused-charged',
    breaks: ['CR-3'],
    what: '402 is charged for',
    apply(mutation) {
      const charge = overcharging(mutation)
      onCase(mutation, ['createJob', 'startJob'], 'insufficient_credits', (_answer, { context }) => {
        charge(context.world, 10_000)
        // The next refusal says how little is left.
        mutation.showsWhere(['createJob', 'startJob'], text => text.includes('insufficient_credits'))
      })
    },
  },
  {
    id: 'refused-job-starts',
    breaks: ['CR-3'],
    what: '402, and the job runs all the same',
    apply: mutation =>
      onCase(mutation, 'createJob', 'insufficient_credits', (_answer, { body, context, headers }) => {
        // Provoked before its body was read, it has none to make a job of.
        if (body)
          mutation.showsLater(createJob(context.world, body as Json, `http://${headers.host}`, generous()).view.id)
      }),
  },
  {
    id: 'refused-draft-starts',
    breaks: ['CR-3'],
    what: 'the start of a draft is answered 402, and it runs all the same',
    apply: mutation =>
      onCase(mutation, 'startJob', 'insufficient_credits', (_answer, request) => {
        const job = ownJobOf(request)
        if (!job) return
        startJob(request.context.world, job, (request.body ?? {}) as JobStart, generous())
        mutation.showsLater(job.view.id)
      }),
  },
  {
    id: 'no-credits-served',
    breaks: ['CR-3'],
    also: ['ERR-5'],
    what: 'a key without credits gets its jobs',
    apply: mutation =>
      beforeRoute(mutation, ['createJob', 'startJob'], request => {
        const { context } = request
        if (context.account.credits.available > 0) return
        context.account = generous()
        mutation.acted(request)
      }),
  },
  {
    id: 'pricing-pro-60',
    breaks: ['CR-1'],
    also: ['CR-2'],
    what: 'the price list says 60 for pro',
    apply: mutation =>
      rewriteJson(mutation, 'getPricing', body => {
        body.model_pricing_credits_per_minute.pro = 60
      }),
  },
  pricing('table-renamed', 'the table of prices is called models', body => {
    body.models = body.model_pricing_credits_per_minute
    delete body.model_pricing_credits_per_minute
  }),
  pricing('packages-missing', 'there are no packages', body => {
    delete body.packages
  }),
  pricing('second-missing', 'there is no price_per_second_cents', body => {
    delete body.price_per_second_cents
  }),
]
