/** `--generators`: the same drill from several threads. */
import t from 'tap'
import type { DrillOptions } from '../../drills/run.ts'
import { drill } from '../../drills/run.ts'
import { foreign } from './foreign.ts'

t.jobs = 4

const load: DrillOptions = { key: 'k', rate: 60, duration: 1_000, generators: 2, sample: 10_000 }

t.test('each request is sent once and counted once, and the answers are judged', async t => {
  const { url, counts, jobs, behaviour } = await foreign(t)
  behaviour.alter = (answer, { method, path }) =>
    method === 'GET' && path.startsWith('/v1/jobs/')
      ? { ...answer, body: { ...(answer.body as object), progress: 'half' } }
      : answer
  const report = await drill('sustain', url, load)
  t.equal(report.load.completed, 60)
  t.equal(report.load.unfinished, 0)
  t.equal(report.statuses['2xx'], 60)
  t.equal(jobs.length, report.jobs.accepted, 'a create of either thread is in the ledger')
  t.same([...report.jobs.lost, ...report.jobs.doubled], [])
  t.ok((counts.get('GET /v1/jobs/{id}') ?? 0) >= 40)
  t.match(
    report.contract.breaches,
    [{ evidence: { pointer: '/progress' } }],
    'bodies cross from thread to thread as they came',
  )
})

t.test('times of all threads are by one clock, and they share the connections', async t => {
  const startedAt = performance.now()
  const { url } = await foreign(t, { serviceMs: 100 })
  const report = await drill('sustain', url, { ...load, mix: { poll: 1 }, rate: 40, maxConnections: 3, generators: 8 })
  t.equal(report.load.completed, 40)
  t.ok(report.load.waited > 0, 'three at a time are too few')
  t.ok((report.service?.p50 ?? 0) > 95, `service of ${report.service?.p50} ms`)
  t.ok((report.latency?.max ?? 0) < performance.now() - startedAt)
})

t.test('what fails says why, and a drill that is stopped ends', async t => {
  const { url, behaviour } = await foreign(t)
  behaviour.pause = { fromPoll: 1, forMs: 60_000 }
  const late = await drill('sustain', url, { ...load, mix: { poll: 1 }, rate: 20, timeout: 500 })
  t.equal(late.statuses.none, late.load.completed)
  t.match(late.failures, [{ what: 'no answer within 0.5 s' }])
  const stop = new AbortController()
  const report = await drill('sustain', url, {
    ...load,
    duration: 60_000,
    signal: stop.signal,
    onStart: () => setTimeout(() => stop.abort(), 100),
  })
  t.match(report.why, /it was stopped before its end/)
})

for (const generators of [1, 2])
  t.test(`stopped before its load begins it ends all the same: ${generators} at work`, async t => {
    const { url } = await foreign(t)
    const stop = new AbortController()
    const over = { signal: stop.signal, onStart: () => stop.abort() }
    t.match((await drill('sustain', url, { ...load, generators, ...over })).why, /it was stopped before its end/)
  })
