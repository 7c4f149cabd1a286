/** JOB-3, JOB-4, JOB-5: what a job does once it is started. All of it costs credits. */

import { plural } from '../../base/text.ts'
import { describeResponse, field, isGood } from '../../contracts/answers.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import type { Job, JobState } from '../../contracts/schemas.ts'
import type { Check } from '../check.ts'
import { documentedPrice, type Probe } from '../probe.ts'
import { round } from '../session.ts'
import { difference, failure, isSameCredits, measured, newcomers, newest, secondsOf, sharedJourney } from './journey.ts'

/** JOB-4: created and pending are the same step, as each page of the documentation has but one of them. */
const step: Record<JobState, number> = { created: 0, pending: 0, processing: 1, completed: 2, failed: 2 }

/** Only documented moves, and progress never back; what a poll misses is no move. */
function expectMoves(t: Probe, answers: readonly ObservedExchange[], { wasFailed = false } = {}): void {
  const states = answers.map(({ json }) => (json as Job).status)
  for (const [i, exchange] of answers.entries()) {
    const now = exchange.json as Job
    const before = answers[i - 1]?.json as Job | undefined
    if (now.status !== 'completed' && states.slice(0, i).every(state => !(step[state] === 2))) {
      t.expectField('JOB-5', exchange, 'output_url', null)
      // When the error of the last time goes away is not documented.
      if (now.status !== 'failed' && !wasFailed) t.expectField('JOB-5', exchange, 'error', null)
    }
    if (before === undefined || !(now.status in step) || !(before.status in step)) continue
    const isBack = step[now.status] < step[before.status] || (now.status === 'created' && before.status === 'pending')
    const isFlip = step[before.status] === 2 && now.status !== before.status
    t.expect('JOB-4', !isBack && !isFlip, `a documented move from ${before.status}`, now.status, {
      exchange,
      pointer: '/status',
    })
    if (typeof now.progress !== 'number' || typeof before.progress !== 'number') continue
    t.expect('JOB-4', now.progress >= before.progress, `${before.progress} or more`, now.progress, {
      exchange,
      pointer: '/progress',
    })
  }
  t.expect('JOB-4', true, 'documented moves', [...new Set(states)].join(', '), {
    note: `states seen: ${[...new Set(states)].join(', ')}`,
  })
}

const looksAfter = 3

/** The end again: what is terminal stays as it is. */
async function lookAgain(t: Probe, id: string, answers: readonly ObservedExchange[]): Promise<ObservedExchange[]> {
  const again: ObservedExchange[] = []
  for (let i = 0; i < looksAfter; i++) {
    await t.sleep(t.environment.pollMs)
    again.push(t.prepared(await t.job(id), 'the job could not be read'))
  }
  return [...answers.slice(-1), ...again]
}

export const lifecycleChecks: readonly Check[] = [
  {
    id: 'jobs.lifecycle',
    title: 'a job goes the documented way to its end, and stays there',
    clauses: ['JOB-2', 'JOB-4', 'JOB-5', 'GO-5'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const { id, created, polled, job } = await sharedJourney(t)
      t.expectStatus('JOB-2', created, [200, 201, 202], 'a create')
      expectMoves(t, [created, ...polled.answers].filter(hasProgress))
      expectMoves(t, await lookAgain(t, id, polled.answers))
      t.must(job.status === 'completed', `the job of a good clip ended as ${job.status}: ${job.error}`)
      t.expect('GO-5', true, 'success', 'a job of a real clip was completed')
    },
  },
  {
    id: 'jobs.auto-start',
    title: 'a job starts where nothing is said',
    clauses: ['JOB-1'],
    costs: { credits: 1.5 },
    needs: ['key'],
    async run(t: Probe) {
      const { polled } = await sharedJourney(t)
      const started = new Set(polled.answers.map(exchange => field(exchange, 'status')))
      const id = t.idOf(await t.create({ model: 'light', auto_start: undefined }))
      let exchange = t.prepared(await t.job(id), 'the job could not be read')
      const isLikeDraft = () => {
        const status = field(exchange, 'status')
        return status === t.run.watched?.status && !started.has(status)
      }
      // Pending may be a draft's state, or that of a job in its queue (JOB-4): a draft stays so for as long as a whole job takes.
      const { pollMs } = t.environment
      for (let look = 0; look < Math.max(polled.answers.length, looksAfter) && isLikeDraft(); look++) {
        await t.sleep(Math.min(pollMs * 1.2 ** look, pollMs * 5))
        exchange = t.prepared(await t.job(id), 'the job could not be read')
      }
      const isDraft = isLikeDraft()
      t.expect('JOB-1', !isDraft, 'a job that starts: auto_start is true by default', field(exchange, 'status'), {
        exchange,
        pointer: '/status',
      })
      // What runs must not be charged in the middle of another check.
      if (!isDraft) await t.finish(id)
    },
  },
  {
    id: 'jobs.start',
    title: 'a draft is started with overrides, and once only',
    clauses: ['JOB-3', 'GO-3'],
    costs: { credits: 3, jobs: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const webhook = t.environment.listener?.open(t.environment.tag('override')).url
      const overrides = {
        output_format: 'mov',
        bg_type: 'custom',
        bg_color: [9, 8, 7],
        composition: { canvas: { width: 320, height: 180 } },
        ...(webhook !== undefined && { webhook_url: webhook }),
      }
      const kept = { model: 'light', text_prompt: 'the dancer', metadata: { ...t.mark, user_id: 'u_7' } }
      const draft = await t.draft({ ...kept, webhook_url: 'https://example.com/hooks/first' })
      const alone = await measured(
        t,
        { ...kept, ...overrides },
        async () => {
          const exchange = await t.start(draft, overrides, { model: 'light' })
          expectStarted(t, 'JOB-3', exchange, 'the start of a draft')
          return exchange
        },
        { id: draft },
      )
      const started = alone.polled.answers.at(-1) as ObservedExchange
      for (const [name, given] of Object.entries({ ...overrides, ...kept })) {
        // That it shows none at all is JOB-5's matter.
        if (field(started, name) !== null) t.expectField('JOB-3', started, name, given)
      }
      await startAgain(t, draft, alone.job)

      // The same at once, and without a body: whichever of the two comes second must do nothing.
      const twice = await t.draft({ model: 'light' })
      const both = await measured(
        t,
        { model: 'light' },
        async () => {
          const answers = await Promise.all([
            t.start(twice, null, { model: 'light' }),
            t.start(twice, null, { paid: true }),
          ])
          const good = answers.find(({ status }) => status < 300)
          const found = answers.map(describeResponse).join(' and ')
          const [exchange] = answers
          t.expect('JOB-3', good !== undefined, 'the start of a draft, without overrides', found, { exchange })
          return good ?? exchange
        },
        { id: twice },
      )
      t.must(both.isAlone && alone.isAlone, 'others used the account meanwhile: what was charged can not be told')
      const exchange = both.polled.answers.at(-1) as ObservedExchange
      // Against the price of each: whether that is right is CR-1's matter.
      const extra = both.grown.credits_used - both.price.exact - (alone.grown.credits_used - alone.price.exact)
      const found = plural(round(both.price.exact + extra), 'credit')
      t.expect(
        ['JOB-3', 'GO-3'],
        isSameCredits(extra, 0),
        `${plural(round(both.price.exact), 'credit')}, as for one start`,
        found,
        {
          exchange,
        },
      )
      t.expect(
        ['JOB-3', 'GO-3'],
        both.grown.total_jobs === alone.grown.total_jobs,
        plural(alone.grown.total_jobs, 'job'),
        plural(both.grown.total_jobs, 'job'),
        { exchange },
      )
    },
  },
  {
    id: 'jobs.failed',
    title: 'a job that fails says why, costs nothing, and can be started again',
    clauses: ['JOB-4', 'JOB-5', 'CR-3', 'GO-5'],
    costs: { credits: 60, jobs: 2 },
    needs: ['key', 'failingUrl'],
    async run(t: Probe) {
      const failed = await failure(t)
      const { id, job, polled, grown } = failed
      t.must(job.status === 'failed', `the video that should fail was ${job.status}`)
      expectMoves(t, polled.answers)
      expectMoves(t, await lookAgain(t, id, polled.answers))
      const last = polled.answers.at(-1) as ObservedExchange
      t.expect('GO-5', true, 'failure', `a job failed: ${job.error}`)
      t.expect('CR-3', job.billing_status !== 'charged', 'a billing_status that is not charged', job.billing_status, {
        exchange: last,
        pointer: '/billing_status',
      })
      if (failed.isAlone) {
        t.expect(
          'CR-3',
          isSameCredits(grown.credits_used, 0),
          'nothing is charged for a failed job',
          plural(grown.credits_used, 'credit'),
          {
            exchange: last,
            note: `billing_status of a failed job: ${job.billing_status}`,
          },
        )
      } else t.must(false, 'others used the account meanwhile: what was charged can not be told')
      t.expectStatus('DL-2', await t.download(id), [400], 'the download of a job that failed')
      const again = await t.start(id, undefined, { paid: true })
      expectStarted(t, 'JOB-4', again, 'the start of a failed job')
      t.expectField('JOB-3', again, 'id', id)
      const { answers } = await t.finish(id)
      expectMoves(t, answers, { wasFailed: true })
    },
  },
]

/** An answer to a create says the state, but no progress. */
const hasProgress = (exchange: ObservedExchange): boolean => typeof field(exchange, 'progress') === 'number'

/** That it is done; what is answered is not documented. */
const expectStarted = (t: Probe, clause: 'JOB-3' | 'JOB-4', exchange: ObservedExchange, about: string): boolean =>
  t.expect(clause, isGood(exchange), `${about} is answered 2xx`, describeResponse(exchange), { exchange })

/** JOB-3: a start after the end does nothing, whether it is answered or refused. */
async function startAgain(t: Probe, id: string, job: Job): Promise<void> {
  const now = t.prepared(await t.job(id), 'the job could not be read')
  // One that does not stay completed by itself is JOB-4's matter.
  if (job.status !== 'completed' || field(now, 'status') !== 'completed') return
  const before = await t.usage()
  const listed = await newest(t)
  const exchange = await t.start(id, { output_format: 'gif', text_prompt: 'another' }, { paid: true })
  const good = (exchange.status >= 200 && exchange.status < 300) || (exchange.status >= 400 && exchange.status < 500)
  t.expect('JOB-3', good, 'the job as it is, or a 4xx', describeResponse(exchange), {
    exchange,
    note: `a second start is answered ${exchange.status}`,
  })
  if (exchange.status < 300) t.expectField('JOB-3', exchange, 'id', id)
  await t.sleep(t.environment.pollMs)
  const after = t.prepared(await t.job(id), 'the job could not be read')
  t.expect(['JOB-3', 'GO-3'], field(after, 'status') === 'completed', 'completed still', field(after, 'status'), {
    exchange: after,
    pointer: '/status',
  })
  // What it showed before is what it was made with: overrides come too late.
  for (const name of ['output_format', 'text_prompt'] as const) {
    if (field(now, name) !== undefined) t.expectField(['JOB-3', 'GO-3'], after, name, field(now, name))
  }
  const { doubles } = await newcomers(t, listed)
  t.expect(['JOB-3', 'GO-3'], doubles.length === 0, 'no other job', doubles.join(', ') || 'none', { exchange })
  const grown = difference(await t.usage(), before)
  const expected = 'no second charge'
  const isFree = grown.credits_used < documentedPrice(job.model, secondsOf(t, job)) - 0.01
  t.expect(['JOB-3', 'GO-3'], isFree, expected, `${plural(grown.credits_used, 'credit')} more`, { exchange })
}
