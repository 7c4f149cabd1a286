/** ERR-1, ERR-2, ERR-5, ERR-6: the envelope, on errors that cost nothing; and those that have to be provoked. */

import { describeResponse } from '../../contracts/answers.ts'
import { codeOf } from '../../contracts/judge.ts'
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'

const unknownJob = 'job_that_nobody_has_made'

export const errorChecks: readonly Check[] = [
  {
    id: 'errors.envelope',
    title: 'every error is the envelope, with a code of the catalogue and a request_id of its own',
    clauses: ['ERR-1', 'ERR-2', 'ERR-5', 'ERR-6'],
    needs: ['key'],
    async run(t: Probe) {
      // Every answer is judged as it comes: here it is enough to meet them.
      await t.get('/v1/jobs', { key: null })
      await t.get('/v1/jobs', { key: t.environment.unknownKey })
      await t.job(unknownJob)
      await t.job(unknownJob)
      await t.download(unknownJob)
      await t.get('/v1/no-such-route')
      await t.post('/v1/jobs', { auto_start: false })
      const cut = await t.call('POST', '/v1/jobs', { text: '{"video_url": ' })
      t.expect('ERR-5', cut.status >= 400 && cut.status < 500, '4xx, as the body is not JSON', describeResponse(cut), {
        exchange: cut,
      })
      await t.upload({ name: 'note.txt', type: 'text/plain', content: new TextEncoder().encode('no video') })
    },
  },
  {
    id: 'errors.job-not-found',
    title: 'GET /v1/jobs/{job_id} of an unknown job is 404',
    clauses: ['ERR-4'],
    needs: ['key'],
    async run(t: Probe) {
      t.expectStatus('ERR-4', await t.job(unknownJob), [404], 'an unknown job')
    },
  },
  {
    id: 'errors.processing-failed',
    title: 'POST /v1/jobs can answer 500 internal_error',
    clauses: ['ERR-4', 'ERR-5'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const { mockSupport, failingUrl } = t.environment
      if (mockSupport) {
        const exchange = await t.create(
          { auto_start: false },
          { headers: mockSupport.provoke('processing_failed'), takesError: true },
        )
        t.expectStatus('ERR-4', exchange, [500], 'a create that fails in processing')
        t.expect('ERR-5', codeOf(exchange) === 'internal_error', '500 internal_error', describeResponse(exchange), {
          exchange,
        })
        return
      }
      if (failingUrl === undefined) t.need('failingUrl')
      // Another endpoint may refuse such a video at once, or take it and let the job fail: both are documented.
      const exchange = await t.create({ video_url: failingUrl }, { seconds: 60, takesError: true })
      t.must(
        exchange.status >= 500,
        `the failing video was answered ${describeResponse(exchange)}: it fails later, as a job`,
      )
      t.expectStatus('ERR-4', exchange, [500], 'a create that fails in processing')
    },
  },
]
