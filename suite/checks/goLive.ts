/** SYS-1, GO-4, GO-5, GO-6: what is tried before going live, and is no clause of one route. */

import { describeResponse } from '../../contracts/answers.ts'
import { codeOf } from '../../contracts/judge.ts'
import type { OutputFormat } from '../../contracts/schemas.ts'
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'
import { expectOutput } from './download.ts'
import { longerJourney, shippedAs, walk } from './journey.ts'

/** So many ids are looked for in the logs, the newest first: a log may be read while it is still written. */
const idsToFind = 200

export const systemChecks: readonly Check[] = [
  {
    id: 'system.health',
    title: 'GET /health is 200',
    clauses: ['SYS-1'],
    async run(t: Probe) {
      t.expectStatus('SYS-1', await t.get('/health', { key: null }), [200], 'GET /health')
    },
  },
]

export const goLiveChecks: readonly Check[] = [
  {
    id: 'golive.timeout',
    title: 'a timeout is answered with the envelope, and a retry gets through',
    clauses: ['GO-5'],
    needs: ['key', 'provoke'],
    async run(t: Probe) {
      const mockSupport = t.environment.mockSupport ?? t.need('provoke')
      const exchange = await t.get('/v1/jobs', { headers: mockSupport.provoke('timeout') })
      t.must(codeOf(exchange) === 'timeout', `no timeout could be provoked: ${describeResponse(exchange)}`)
      t.expect('GO-5', true, 'timeout', describeResponse(exchange), { exchange })
      const again = await t.get('/v1/jobs')
      t.must(again.status === 200, `the retry was answered ${describeResponse(again)}`)
      t.expect('GO-5', true, 'retry', 'the same call again was answered 200', { exchange: again })
    },
  },
  ...(['short', 'longer', 'difficult'] as const).map(
    (name): Check => ({
      id: `golive.clip-${name}`,
      title: `the ${name} clip comes out in the format that will ship`,
      clauses: ['GO-6'],
      costs: { credits: { short: 1.5, longer: 9, difficult: 2.25 }[name] },
      needs: ['key'],
      async run(t: Probe) {
        const clip = t.environment.clips[name]
        const format: OutputFormat = t.environment.outputFormat
        const walkAgain = () => walk(t, clip, shippedAs(t))
        let walked = await (name === 'longer' ? longerJourney(t) : walkAgain())
        // Once is bad luck; a clip that fails twice does not come out.
        if (walked.job.status === 'failed') walked = await walkAgain()
        const { status, error } = walked.job
        const found =
          status === 'completed' ? `${clip.name}, ${clip.seconds} s, was completed` : `${status} twice: ${error}`
        const exchange = walked.polled.answers.at(-1)
        const isDone = status === 'completed'
        if (!isDone) t.expect('GO-6', false, `the ${name} clip in ${format}`, found, exchange && { exchange })
        const before = t.run.findings.length
        await expectOutput(t, walked, format)
        // What is wrong with the file is DL-3's matter; but a clip that never came out shows nothing here.
        t.must(
          t.run.findings.slice(before).every(({ holds }) => holds),
          `the ${name} clip did not come out whole`,
        )
        t.expect('GO-6', true, `the ${name} clip in ${format}`, found, exchange && { exchange })
      },
    }),
  ),
]

/** Last, when all calls are made. */
export const logChecks: readonly Check[] = [
  {
    id: 'observability.logs',
    title: "request_ids and job_ids are found in the server's logs",
    clauses: ['GO-4', 'ERR-6'],
    needs: ['key', 'logs'],
    async run(t: Probe) {
      const find = t.environment.findInLogs ?? t.need('logs')
      await t.job('job_that_nobody_has_made')
      const requests = [...t.run.ids.keys()].slice(-idsToFind)
      const jobs = [...t.run.jobIds].slice(-idsToFind)
      t.must(requests.length > 0, 'no error was met, so there is no request_id to look for')
      const found = await find([...requests, ...jobs])
      const missing = requests.filter(id => !found.has(id))
      const said =
        missing.length === 0
          ? `all ${requests.length}`
          : `${missing.length} of ${requests.length} are missing: ${missing.slice(0, 3).join(', ')}`
      t.expect(['GO-4', 'ERR-6'], missing.length === 0, "every request_id in the server's logs", said)
      if (jobs.length === 0) return
      const lost = jobs.filter(id => !found.has(id))
      const told =
        lost.length === 0
          ? `all ${jobs.length}`
          : `${lost.length} of ${jobs.length} are missing: ${lost.slice(0, 3).join(', ')}`
      t.expect('GO-4', lost.length === 0, "every job_id in the server's logs", told)
    },
  },
]
