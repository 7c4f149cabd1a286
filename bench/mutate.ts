/**
 * `npm run bench:mutate`: what `mutate` adds to the tests that it runs. They take 2 s a run and reach about half of the mutants;
 * so many runs of 2 s by two at a time are what nobody can save, and the ratio to that is printed.
 *
 *   SAMPLE=20 npm run bench:mutate     so many mutants and variants; by default all
 */
import { loadavg } from 'node:os'
import { mutate } from '../mutate/run.ts'
import type { MutatedMock } from '../mutate/runners.ts'

const suiteMs = 2_000
const jobs = 2
const sample = process.env.SAMPLE === undefined ? {} : { sample: Number(process.env.SAMPLE) }

async function suite({ url, key }: MutatedMock): Promise<void> {
  const endsAt = performance.now() + suiteMs
  const headers = { 'X-Api-Key': key, 'Content-Type': 'application/json' }
  const call = async (path: string, init: RequestInit = {}) =>
    (await fetch(url + path, { headers, signal: AbortSignal.timeout(1_000), ...init })).text().catch(() => '')
  const made = await call('/v1/jobs', { method: 'POST', body: '{"video_url":"https://example.com/a.mp4#t=2"}' })
  const id = /job_\w+/.exec(made)?.[0]
  const paths = [
    `/v1/jobs/${id}`,
    '/v1/jobs',
    `/api/download/${id}`,
    '/v1/usage/summary',
    '/v1/usage/events',
    '/health',
  ]
  for (const path of paths) await call(path)
  await call('/api/pricing', { headers: {} })
  await call('/v1/jobs', { headers: {} })
  await call('/v1/jobs/job_unknown')
  await new Promise(resolve => setTimeout(resolve, Math.max(0, endsAt - performance.now())))
}

const report = await mutate(suite, { jobs, speed: 'instant', rateLimit: 0, jobLimit: 0, seed: 'bench', ...sample })
const runs = report.healthy.runs.length + report.results.reduce((sum, one) => sum + one.runs.length, 0)
const leastMs = (runs * suiteMs) / jobs
const reached = report.results.filter(one => one.runs.length > 0).length
console.log(
  `${runs} runs of ${suiteMs / 1000} s, ${jobs} at a time, of ${reached} mutants and variants: ${(report.ms / 1000).toFixed(1)} s, ` +
    `${(report.ms / leastMs).toFixed(3)} of the ${leastMs / 1000} s that nobody can save; ` +
    `${((report.ms * jobs) / runs - suiteMs).toFixed(0)} ms a run are the mock's own (load ${loadavg()[0]?.toFixed(1)})`,
)
