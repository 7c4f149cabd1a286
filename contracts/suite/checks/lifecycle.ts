/** JOB-3, JOB-4, JOB-5: what a job does once it is started. All of it costs credits. */
import type { Job, JobState } from '../../schemas.ts'
import type { Check } from '../check.ts'
import { field, type Probe, priceOf, saidBy } from '../probe.ts'
import type { Seen } from '../seen.ts'
import { difference, failure, isSameCredits, journey, measured } from './journey.ts'

/** JOB-4: created and pending are the same step, as each page of the documentation has but one of them. */
const step: Record<JobState, number> = { created: 0, pending: 0, processing: 1, completed: 2, failed: 2 }

/** Only documented moves, and progress never back; what a poll misses is no move. */
function expectMoves(t: Probe, answers: readonly Seen[]): void {
  const states = answers.map(({ json }) => (json as Job).status)
  for (const [i, seen] of answers.entries()) {
    const now = seen.json as Job
    const before = answers[i - 1]?.json as Job | undefined
    if (before === undefined || !(now.status in step) || !(before.status in step)) continue
    const isBack = step[now.status] < step[before.status] || (now.status === 'created' && before.status === 'pending')
    const isFlip = step[before.status] === 2 && now.status !== before.status
    t.expect('JOB-4', !isBack && !isFlip, `a documented move from ${before.status}`, now.status, {
      seen,
      pointer: '/status',
    })
    t.expect('JOB-4', now.progress >= before.progress, `${before.progress} or more`, now.progress, {
      seen,
      pointer: '/progress',
    })
  }
  t.expect('JOB-4', true, 'documented moves', [...new Set(states)].join(', '), {
    note: `states seen: ${[...new Set(states)].join(', ')}`,
  })
}

const looksAfter = 3

/** The end again: what is terminal stays as it is. */
async function lookAgain(t: Probe, id: string, answers: readonly Seen[]): Promise<Seen[]> {
  const again: Seen[] = []
  for (let i = 0; i < looksAfter; i++) again.push(t.prepared(await t.job(id), 'the job could not be read'))
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
      const { id, created, polled, job } = await journey(t)
      t.expectStatus('JOB-2', created, [200, 201, 202], 'a create')
      expectMoves(t, [created, ...polled.answers].filter(hasProgress))
      expectMoves(t, await lookAgain(t, id, polled.answers))
      t.must(job.status === 'completed', `the job of a good clip ended as ${job.status}: ${job.error}`)
      t.expect('GO-5', true, 'success', 'a job of a real clip was completed')
    },
  },
  {
    id: 'jobs.start',
    title: 'a draft is started with overrides, and once only',
    clauses: ['JOB-3', 'GO-3'],
    costs: { credits: 3 },
    needs: ['key'],
    async run(t: Probe) {
      const overrides = { model: 'light', output_format: 'mov', bg_type: 'green' }
      const draft = await t.draft()
      const alone = await measured(t, overrides, async () => {
        const seen = await t.start(draft, overrides)
        t.expectStatus('JOB-3', seen, [200, 201, 202], 'the start of a draft')
        return seen
      })
      const started = alone.polled.answers.at(-1) as Seen
      for (const [name, given] of Object.entries(overrides)) {
        t.expect('JOB-3', field(started, name) === given, given, field(started, name), {
          seen: started,
          pointer: `/${name}`,
        })
      }
      await startAgain(t, draft, alone.job)

      // The same at once: whichever of the two comes second must do nothing.
      const twice = await t.draft()
      const both = await measured(t, overrides, async () => {
        const [one, other] = await Promise.all([t.start(twice, overrides), t.start(twice, overrides, { paid: true })])
        return one.status < 300 ? one : other
      })
      if (!both.isAlone || !alone.isAlone) return
      const seen = both.polled.answers.at(-1) as Seen
      const charged = both.grown.credits_used
      const once = alone.grown.credits_used
      t.expect(
        ['JOB-3', 'GO-3'],
        isSameCredits(charged, once),
        `${once} credits, as for one start`,
        `${charged} credits`,
        { seen },
      )
      t.expect(
        ['JOB-3', 'GO-3'],
        both.grown.total_jobs === alone.grown.total_jobs,
        `${alone.grown.total_jobs} job`,
        `${both.grown.total_jobs} jobs`,
        { seen },
      )
    },
  },
  {
    id: 'jobs.failed',
    title: 'a job that fails says why, costs nothing, and can be started again',
    clauses: ['JOB-4', 'JOB-5', 'CR-3', 'GO-5'],
    costs: { credits: 60 },
    needs: ['key', 'failingUrl'],
    async run(t: Probe) {
      const failed = await failure(t)
      const { id, job, polled, grown } = failed
      t.must(job.status === 'failed', `the video that should fail was ${job.status}`)
      expectMoves(t, polled.answers)
      expectMoves(t, await lookAgain(t, id, polled.answers))
      const last = polled.answers.at(-1) as Seen
      t.expect('GO-5', true, 'failure', `a job failed: ${job.error}`)
      if (failed.isAlone) {
        t.expect(
          'CR-3',
          isSameCredits(grown.credits_used, 0),
          'nothing is charged for a failed job',
          `${grown.credits_used} credits`,
          {
            seen: last,
            note: `billing_status of a failed job: ${job.billing_status}`,
          },
        )
      } else t.must(false, 'others used the account meanwhile: what was charged can not be told')
      const again = await t.start(id, undefined, { paid: true })
      t.expectStatus('JOB-4', again, [200, 201, 202], 'the start of a failed job')
      const { answers } = await t.finish(id)
      expectMoves(t, answers)
    },
  },
]

/** An answer to a create says the state, but no progress. */
const hasProgress = (seen: Seen): boolean => typeof field(seen, 'progress') === 'number'

/** JOB-3: a start after the end does nothing, whether it is answered or refused. */
async function startAgain(t: Probe, id: string, job: Job): Promise<void> {
  if (job.status !== 'completed') return
  const before = await t.usage()
  const seen = await t.start(id, undefined, { paid: true })
  const good = (seen.status >= 200 && seen.status < 300) || (seen.status >= 400 && seen.status < 500)
  t.expect('JOB-3', good, 'the job as it is, or a 4xx', saidBy(seen), {
    seen,
    note: `a second start is answered ${seen.status}`,
  })
  if (seen.status < 300) t.expect('JOB-3', field(seen, 'id') === id, id, field(seen, 'id'), { seen, pointer: '/id' })
  await t.sleep(t.kit.pollMs)
  const after = t.prepared(await t.job(id), 'the job could not be read')
  t.expect(['JOB-3', 'GO-3'], field(after, 'status') === 'completed', 'completed still', field(after, 'status'), {
    seen: after,
    pointer: '/status',
  })
  const grown = difference(await t.usage(), before)
  const expected = 'no second charge'
  const isFree = grown.credits_used < priceOf(job.model, Number(job.duration_seconds)) - 0.01
  t.expect(['JOB-3', 'GO-3'], isFree, expected, `${grown.credits_used} credits more`, { seen })
}
