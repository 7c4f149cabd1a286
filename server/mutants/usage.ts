/** Usage (US-1, US-2) and health (SYS-1). */
import { apiError } from '../errors.ts'
import { afterKey, beforeRoute, type Json, rewriteJson } from './change.ts'
import type { Mutant } from './mutant.ts'

/** Totals and days alike, as they come from the same books. */
const summing = (id: string, what: string, change: (row: Json) => void, also: Mutant['also'] = []): Mutant => ({
  id: `usage-${id}`,
  breaks: ['US-1'],
  also,
  what,
  apply: mutation =>
    rewriteJson(mutation, 'getUsageSummary', body => {
      for (const row of [body, ...body.daily]) change(row)
    }),
})

const recalling = (id: string, what: string, change: (event: Json) => void, also: Mutant['also'] = []): Mutant => ({
  id: `events-${id}`,
  breaks: ['US-2'],
  also,
  what,
  apply: mutation =>
    rewriteJson(mutation, 'getUsageEvents', ({ events }) => {
      for (const event of events) change(event)
    }),
})

export const usageMutants: readonly Mutant[] = [
  summing('jobs-not-counted', 'total_jobs stays 0', row => {
    row.total_jobs = 0
  }),
  summing('completed-not-counted', 'completed_jobs stays 0', row => {
    row.completed_jobs = 0
  }),
  summing(
    'credits-not-counted',
    'credits_used stays 0',
    row => {
      row.credits_used = 0
    },
    ['GO-7', 'CR-1'],
  ),
  summing('credits-text', 'credits_used is a text', row => {
    row.credits_used = row.credits_used.toFixed(2)
  }),
  summing('failed-missing', 'there are no failed_jobs', row => {
    delete row.failed_jobs
  }),
  summing('failed-completed', 'failed jobs count as completed ones', row => {
    row.completed_jobs += row.failed_jobs
    row.failed_jobs = 0
  }),
  {
    id: 'usage-days-ignored',
    breaks: ['US-1'],
    what: 'days makes no difference',
    apply: mutation =>
      rewriteJson(mutation, 'getUsageSummary', (body, { context, exchange }) => {
        Object.assign(body, context.world.usage.summary(7, exchange.at))
      }),
  },
  recalling(
    'request-id-missing',
    'events have no request_id',
    event => {
      delete event.request_id
    },
    ['GO-4'],
  ),
  recalling(
    'job-id-null',
    'events name no job',
    event => {
      event.job_id = null
    },
    ['GO-4', 'GO-7'],
  ),
  recalling(
    'credits-missing',
    'events have no credits',
    event => {
      delete event.credits
    },
    ['GO-7'],
  ),
  recalling('status-200', 'all calls are said to have been answered 200', event => {
    event.status = 200
  }),
  {
    id: 'events-limit-ignored',
    breaks: ['US-2'],
    what: 'limit makes no difference',
    apply: mutation =>
      rewriteJson(mutation, 'getUsageEvents', (body, { context }) => {
        Object.assign(body, { events: context.world.usage.events(100), limit: 100 })
      }),
  },
  {
    id: 'events-empty',
    breaks: ['US-2'],
    also: ['GO-4', 'GO-7'],
    what: 'there are never any events',
    apply: mutation =>
      rewriteJson(mutation, 'getUsageEvents', body => {
        body.events = []
      }),
  },
  {
    id: 'health-500',
    breaks: ['SYS-1'],
    what: 'GET /health is answered 500',
    apply: mutation =>
      beforeRoute(mutation, 'getHealth', () => {
        throw apiError('internal_error')
      }),
  },
  {
    id: 'health-needs-key',
    breaks: ['SYS-1'],
    what: 'GET /health needs a key',
    apply: mutation =>
      afterKey(mutation, 'getHealth', ({ exchange }) => {
        if (exchange.keyState === 'none') throw apiError('missing_api_key')
      }),
  },
]
