/** CR-1 to CR-3, US-1, US-2: what is charged, and what the account says of it. */

import { jsonValueText, plural } from '../../base/text.ts'
import { describeResponse, field } from '../../contracts/answers.ts'
import { hasCode, problemsOf, requestIdOf } from '../../contracts/judge.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { creditsPerMinute, type Job } from '../../contracts/schemas.ts'
import { totalsIn, usageEvent } from '../../contracts/shapes.ts'
import type { Check } from '../check.ts'
import { datesIn } from '../dates.ts'
import type { Probe } from '../probe.ts'
import { round } from '../session.ts'
import {
  difference,
  eventsIn,
  failure,
  isPriceKept,
  type Journey,
  longerJourney,
  newest,
  sharedJourney,
  walk,
} from './journey.ts'

function expectCharge(t: Probe, { job, polled, grown, isAlone, price }: Journey): void {
  t.must(job.status === 'completed', `the job of a good clip ended as ${job.status}: ${job.error}`)
  t.must(isAlone, 'others used the account meanwhile: what was charged can not be told')
  const exchange = polled.answers.at(-1) as ObservedExchange
  const rate = creditsPerMinute[job.model ?? 'original']
  const exact = `${plural(round(price.exact), 'credit')}: ${job.duration_seconds} s at ${rate} a minute (${job.model})`
  const used = round(grown.credits_used)
  t.expect(
    'CR-1',
    isPriceKept(grown.credits_used, price),
    `${exact}; where it rounds up, less than ${price.below}`,
    `${plural(used, 'credit')} more in /v1/usage/summary`,
    {
      exchange,
      ...(used !== round(price.exact) && { note: `credits are rounded: ${used} for ${round(price.exact)}` }),
    },
  )
}

/** The newest events, wherever the list stands in the answer. */
async function events(
  t: Probe,
  query: string,
): Promise<{ exchange: ObservedExchange; list: Record<string, unknown>[] }> {
  const exchange = t.prepared(await t.get(`/v1/usage/events${query}`), 'the events could not be read')
  return { exchange, list: eventsIn(exchange.json) }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isRunning = (status: unknown): boolean => status === 'processing' || status === 'completed'

export const creditChecks: readonly Check[] = [
  {
    id: 'credits.pricing',
    title: 'the price list says the documented prices',
    clauses: ['CR-1', 'CR-2'],
    async run(t: Probe) {
      const exchange = await t.get('/api/pricing')
      t.expectStatus('CR-2', exchange, [200], 'the price list')
      const prices = field(exchange, 'model_pricing_credits_per_minute')
      if (!isObject(prices)) return
      for (const [model, rate] of Object.entries(creditsPerMinute)) {
        const pointer = `/model_pricing_credits_per_minute/${model}`
        t.expect('CR-1', prices[model] === rate, `${rate} credits a minute`, prices[model], {
          exchange,
          pointer,
        })
      }
    },
  },
  {
    id: 'credits.charge',
    title: 'a job is charged once, by its billed duration',
    clauses: ['CR-1'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      expectCharge(t, await sharedJourney(t))
    },
  },
  ...(['light', 'pro', 'human'] as const).map(
    (model): Check => ({
      id: `credits.charge-${model}`,
      title: `a job of the model ${model} is charged at ${creditsPerMinute[model]} credits a minute`,
      clauses: ['CR-1'],
      costs: { credits: (creditsPerMinute[model] * (model === 'pro' ? 2 : 12)) / 60 },
      needs: ['key'],
      async run(t: Probe) {
        // What a rounded price of 2 s does not tell apart, one of 12 s does: 45 credits a minute from 60.
        if (model === 'light') return expectCharge(t, await longerJourney(t))
        const clip = model === 'pro' ? t.environment.clips.short : t.environment.clips.longer
        expectCharge(t, await walk(t, clip, { model }))
      },
    }),
  ),
  {
    id: 'credits.insufficient',
    title: 'with too few credits it is 402; nothing is charged and no job starts',
    clauses: ['CR-3', 'ERR-5', 'GO-5'],
    // Nothing, if the account has none; but who says that it has none?
    costs: { credits: 4, jobs: 2 },
    needs: ['key', 'emptyAccountKey'],
    async run(t: Probe) {
      const key = t.emptyAccountKey
      const { url } = await t.video()
      const before = await t.usage({ key })
      const listed = await newest(t, { key })
      const refused = await t.create({ video_url: url }, { key })
      t.must(refused.status < 300 || refused.status >= 400, `a create is answered ${describeResponse(refused)}`)
      const good = refused.status === 402 && hasCode(refused, 'insufficient_credits')
      t.expect('CR-3', good, '402 insufficient_credits', describeResponse(refused), {
        exchange: refused,
        pointer: '/error/code',
      })
      if (good)
        t.expect(['ERR-5', 'GO-5'], true, '402 insufficient_credits', describeResponse(refused), { exchange: refused })
      const draft = t.run.draftsStart ? undefined : await t.create({ video_url: url, auto_start: false }, { key })
      if (draft !== undefined && draft.status < 300) {
        const started = await t.start(t.idOf(draft), {}, { key })
        if (started.status === 402 || started.status < 300) {
          t.expectStatus('CR-3', started, [402], 'the start of a draft without credits')
        }
      }
      const until = t.environment.now() + t.environment.queueMs
      for (let running: string | undefined; running === undefined && t.environment.now() < until; ) {
        for (const id of await newest(t, { key })) {
          if (listed.has(id)) continue
          const job = await t.job(id, { key })
          if (!isRunning(field(job, 'status'))) continue
          running = id
          t.expect('CR-3', false, 'no job that starts', `${id} is ${jsonValueText(field(job, 'status'))}`, {
            exchange: job,
            pointer: '/status',
          })
        }
        await t.sleep(5 * t.environment.pollMs)
      }
      const grown = difference(await t.usage({ key }), before)
      t.expect('CR-3', grown.credits_used === 0, 'nothing is charged', plural(grown.credits_used, 'credit'), {
        exchange: refused,
      })
    },
  },
  {
    id: 'usage.summary',
    title: 'the totals and days are those that were asked for',
    clauses: ['US-1'],
    needs: ['key'],
    async run(t: Probe) {
      let fewer = 0
      for (const days of [1, 7, 90]) {
        const exchange = await t.get(`/v1/usage/summary?days=${days}`)
        if (!t.expectStatus('US-1', exchange, [200], `the usage of ${days} days`)) continue
        const totals = totalsIn(exchange.json) ?? {}
        const total = totals.total_jobs === null ? 0 : Number(jsonValueText(totals.total_jobs))
        t.expect('US-1', total >= fewer, `${fewer} or more, as fewer days have them`, total, {
          exchange,
          pointer: '/total_jobs',
        })
        fewer = total
        // How the rows are called and shaped is open: any part beside the totals may be them.
        const { json } = exchange
        const parts = Object.values(isObject(json) ? json : {}).filter(part => isObject(part) && part !== totals)
        const isDaily = parts.length > 0 || Array.isArray(json)
        t.expect('US-1', isDaily, 'daily aggregates, in any shape', isDaily ? 'they are there' : 'the totals alone', {
          exchange,
        })
        // A day more, as 24 hours may lie on two dates.
        const dates = datesIn(json)
        t.expect(
          'US-1',
          dates <= days + 1,
          `rows of ${plural(days, 'day')}`,
          dates === 0 ? 'rows without dates' : `rows of ${plural(dates, 'date')}`,
          { exchange },
        )
      }
    },
  },
  {
    id: 'usage.counts',
    title: 'a job that was completed is counted',
    clauses: ['US-1'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const { job, grown, isAlone, polled } = await sharedJourney(t)
      t.must(job.status === 'completed', `the job of a good clip ended as ${job.status}: ${job.error}`)
      t.must(isAlone, 'others used the account meanwhile: what was counted can not be told')
      const exchange = polled.answers.at(-1) as ObservedExchange
      t.expect('US-1', grown.total_jobs === 1, 'one more in total_jobs', grown.total_jobs, { exchange })
      t.expect('US-1', grown.completed_jobs === 1, 'one more in completed_jobs', grown.completed_jobs, {
        exchange,
      })
      if (job.billing_status === 'charged') {
        t.expect('US-1', grown.credits_used > 0, 'more in credits_used, as the job was charged', grown.credits_used, {
          exchange,
        })
      }
      t.expect('US-1', grown.failed_jobs === 0, 'none more in failed_jobs', grown.failed_jobs, { exchange })
    },
  },
  {
    id: 'usage.events',
    title: 'the last calls are listed, as many as were asked for',
    clauses: ['US-2'],
    needs: ['key'],
    async run(t: Probe) {
      const id = await t.draft()
      const { exchange, list } = await events(t, '?limit=100')
      t.expect('US-2', list.length > 0, 'recent calls', list.length === 0 ? 'none' : plural(list.length, 'call'), {
        exchange,
      })
      const problems = list
        .slice(0, 10)
        .flatMap((event, i) => problemsOf(usageEvent, event).map(problem => ({ ...problem, i })))
      const [first] = problems
      t.expect(
        'US-2',
        first === undefined,
        first?.expected ?? 'request_id, job_id, endpoint, status, credits, time',
        first?.found ?? 'all of them',
        {
          exchange,
          ...(first && { pointer: `/events/${first.i}${first.pointer}` }),
        },
      )
      const own = list.find(({ job_id }) => job_id === id)
      t.expect(
        'US-2',
        own !== undefined,
        `a call of ${id}, which was made just now`,
        own === undefined ? 'none' : 'one',
        { exchange, pointer: '/events' },
      )
      const missed = await t.job('job_that_nobody_has_made')
      const after = await events(t, '?limit=100')
      const event = after.list.find(({ request_id }) => request_id === requestIdOf(missed))
      // Whether calls that failed are listed is not documented, nor how a status is written; one that is a number has to be right.
      if (event && /^\d+$/.test(jsonValueText(event.status)))
        t.expect('US-2', Number(event.status) === missed.status, String(missed.status), event.status, {
          exchange: after.exchange,
          pointer: '/events',
        })
      const two = await events(t, '?limit=2')
      t.expect('US-2', two.list.length === 2, '2 calls, as limit says', plural(two.list.length, 'call'), {
        exchange: two.exchange,
        pointer: '/events',
      })
    },
  },
  {
    id: 'credits.audit',
    title: "what an audit needs is kept: input, model, format, credits and status beside the caller's own ids",
    clauses: ['GO-7'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const { id, polled, fields, job, events: own, isWhole } = await sharedJourney(t)
      const exchange = polled.answers.at(-1) as ObservedExchange
      const kept = (name: keyof Job) =>
        t.expect('GO-7', job[name] !== undefined && job[name] !== null, `${name} of the job`, job[name], {
          exchange,
          pointer: `/${name}`,
        })
      for (const name of ['video_url', 'model', 'output_format', 'status'] as const) kept(name)
      for (const name of ['metadata', 'model', 'output_format'] as const)
        t.expectField(['GO-7', 'JOB-5'], exchange, name, fields[name])
      // Where the usage of credits is kept is not documented: with the call, or with the job.
      const withCredits =
        own.some(({ credits }) => Number(jsonValueText(credits)) > 0) ||
        Object.entries(job).some(
          ([name, value]) => /credit|cost|charge|price/i.test(name) && Number(jsonValueText(value)) > 0,
        )
      const found = withCredits ? 'there is one' : own.map(({ credits }) => credits)
      t.must(withCredits || isWhole, 'the call that made the job is no longer among the last 100')
      t.expect(
        'GO-7',
        withCredits,
        `an event of ${id} in /v1/usage/events with its credits, or the job with them`,
        found,
        {
          exchange,
        },
      )
    },
  },
  {
    id: 'usage.failed',
    title: 'a job that failed is counted as such',
    clauses: ['US-1'],
    costs: { credits: 60 },
    needs: ['key', 'failingUrl'],
    async run(t: Probe) {
      const failed = await failure(t)
      t.must(
        failed.job.status === 'failed' && failed.isAlone,
        'whether a job failed can not be told apart from what others did',
      )
      const exchange = failed.polled.answers.at(-1) as ObservedExchange
      t.expect('US-1', failed.grown.failed_jobs === 1, 'one more in failed_jobs', failed.grown.failed_jobs, {
        exchange,
      })
      t.expect('US-1', failed.grown.completed_jobs === 0, 'none more in completed_jobs', failed.grown.completed_jobs, {
        exchange,
      })
    },
  },
]
