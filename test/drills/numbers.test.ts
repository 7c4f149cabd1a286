/** A drill's numbers are right: each is measured on a server of known behaviour, and has to be what that behaviour makes it. */
import t, { type Test } from 'tap'
import { Records } from '../../drills/load/records.ts'
import type { DrillReport } from '../../drills/report.ts'
import { type DrillOptions, drill } from '../../drills/run.ts'
import { parseThreshold } from '../../drills/thresholds.ts'
import { judgeDrill, judgeThreshold } from '../../drills/verdict.ts'
import { foreign } from './foreign.ts'

/**
 * The first tests measure time: side by side they would measure one another. Those after them count, and wait more than they
 * do.
 */
const counts = (title: string, run: (t: Test) => Promise<void>) => t.test(title, { buffered: true }, run)

const onlyPolls = { mix: { poll: 1 }, key: 'k' } satisfies DrillOptions

/**
 * What a number may be beyond what the server makes it, in ms: the server lives in this process, so what stops the one stops
 * the other, and the report says for how long. Some 10 ms where the machine has nothing else to do.
 */
const slackOf = ({ generator }: DrillReport): number => 4 + 3 * generator.loop_p99_ms + 3 * generator.loop_max_ms

await t.test('a fixed service time is what p50 tells, and the arrival rate is that which was asked for', async t => {
  const { url, counts: seen } = await foreign(t, { serviceMs: 40 })
  const report = await drill('sustain', url, { ...onlyPolls, rate: 80, duration: 1_250 })
  const { latency, service, load, statuses, series } = report
  t.equal(load.due, 100)
  t.equal(load.completed, 100)
  t.equal(statuses['2xx'], 100)
  t.equal(seen.get('GET /v1/jobs/{id}') ?? 0, 100, 'the server has seen as many')
  t.ok(latency && latency.p50 >= 39.9 && latency.p50 < 44 + slackOf(report), `p50 ${latency?.p50}`)
  t.ok(service && service.min >= 39 && service.p50 <= (latency?.p50 ?? 0), `service p50 ${service?.p50}`)
  // The last is due a moment before the end; what is late by a stall may come after it.
  const late = Math.ceil(80 * ((40 + slackOf(report)) / 1_000))
  t.ok(
    load.per_second <= 80.1 && load.per_second >= (80 * (100 - late)) / 100 - 4,
    `${load.per_second} a second, ${late} of 100 may be late`,
  )
  t.equal(
    series.points.reduce((sum, { due }) => sum + due, 0),
    100,
  )
  t.equal(
    series.points.reduce((sum, { completed }) => sum + completed, 0),
    100,
  )
})

await t.test('a pause of 1 s shows: whoever was due in it waits, sent on time or not', async t => {
  const { url } = await foreign(t, { serviceMs: 5, pause: { fromPoll: 201, forMs: 1_000 } })
  // Half a second of warming up, then half a second of the load.
  const report = await drill('sustain', url, { ...onlyPolls, rate: 200, duration: 2_000 })
  const { latency, load, curve, series } = report
  const slack = slackOf(report)
  t.equal(load.due, 400)
  t.equal(load.sent, 400, 'a slow server does not slow the load down')
  t.ok(latency && latency.p999 > 950 && latency.p999 < 1_050 + slack, `p99.9 ${latency?.p999}`)
  t.ok(latency && latency.max > 950 && latency.max < 1_050 + slack, `max ${latency?.max}`)
  // Of 400, the 200 that were due in the pause waited 0.5 s in the mean, evenly from 1 s down to 0.
  t.ok(latency && Math.abs(latency.mean - 255) < 20 + slack, `mean ${latency?.mean}`)
  t.ok(latency && Math.abs(latency.p90 - 803) < 40 + slack, `p90 ${latency?.p90}`)
  const above = curve.find(([, ms = 0]) => ms > 500)?.[0] ?? 0
  const share = slack / 20
  t.ok(above > 70 - share && above < 80 + share, `a quarter waited more than half a second: ${above}`)
  const slow = series.points.filter(({ max }) => (max ?? 0) > 750 + slack).map(({ at_ms }) => at_ms)
  t.ok(slow.length <= 3 && slow.every(at => at <= 1_000), `it shows in the intervals at ${slow}`)
})

await t.test('a server that can 100 a second is told by its knee, and by how late everybody is beyond it', async t => {
  const { url } = await foreign(t, { serviceMs: 10, isSerial: true })
  const options = { ...onlyPolls, from: 20, to: 320, steps: 5, stepTime: 750 }
  const { facts, verdict, why, generator } = await drill('ramp', url, {
    ...options,
    threshold: [{ metric: 'p99', op: '<', limit: 150 }],
  })
  const knee = facts.find(({ id }) => id === 'knee')?.value
  // A machine that does other things may break a step before, and never holds one that the server can't.
  if (generator.loop_max_ms > 40) return void t.ok((knee ?? 0) <= 80, JSON.stringify(facts))
  t.equal(verdict, 'passed', why)
  t.equal(knee, 80, JSON.stringify(facts))
})

await t.test('the generator is to blame where it was late itself, and no server then', async t => {
  const { url } = await foreign(t)
  const running = drill('sustain', url, {
    key: 'k',
    mix: { poll: 1 },
    rate: 90,
    duration: 1_500,
    threshold: [parseThreshold('p99 < 50ms')],
    onStart: session => {
      const block = () => {
        if (session.loadAt === 0 || session.now() < 300 || session.phase === 'getting ready')
          return void setTimeout(block, 20)
        const until = performance.now() + 250
        while (performance.now() < until);
      }
      block()
    },
  })
  const { verdict, ok, why, generator, load } = await running
  t.equal(verdict, 'inconclusive')
  t.equal(ok, false)
  t.match(why, /^inconclusive: this machine could not make the load: /)
  t.ok(generator.bottleneck)
  t.ok(generator.late >= 10 && load.late >= generator.late, `${generator.late} began late`)
  t.ok(generator.loop_max_ms >= 200)
})

await t.test('a slow server is no fault of the generator', async t => {
  const { url } = await foreign(t, { serviceMs: 120 })
  const { verdict, thresholds, generator } = await drill('sustain', url, {
    key: 'k',
    mix: { poll: 1 },
    rate: 40,
    duration: 800,
    threshold: [parseThreshold('p50 < 40ms')],
  })
  // A machine that does other things may be late by itself, and then says so.
  t.ok(verdict === 'failed' || generator.late > 3, verdict)
  t.equal(generator.bottleneck, verdict !== 'failed')
  const p50 = thresholds.find(({ metric }) => metric === 'p50')
  t.match(p50?.said, /^[\d,]{3,} ms, [\d.,]+ ms over \([\d,]+ %\), first in the 250 ms at 0/)
  t.equal(p50?.at_ms, 0)
})

t.jobs = 6

counts('RL-1 a bucket of 17 is found to the call, and nothing beyond it passes', async t => {
  const { url } = await foreign(t, { limit: { calls: 17, perMs: 4_000, sinceLast: true } })
  const { facts, statuses, verdict, why } = await drill('burst', url, {
    key: 'a',
    secondKey: 'b',
    calls: 60,
    connections: 6,
  })
  t.equal(verdict, 'passed', why)
  const fact = (id: string) => facts.find(one => one.id === id)?.value
  t.equal(fact('passed'), 17)
  t.equal(fact('first_429'), 18)
  t.equal(fact('shared_limit'), 0)
  t.equal(fact('retry_after_violations'), 0)
  // 17 of the burst, 3 of the second key beside 3 more of the first, 1 after Retry-After.
  t.equal(statuses['2xx'], 21)
  t.equal(statuses['429'], 46)
})

counts('RL-3 recover is measured against what the limit allows', async t => {
  const { url } = await foreign(t, { limit: { calls: 10, perMs: 1_000 } })
  const { facts, thresholds } = await drill('recover', url, { key: 'a', calls: 25, users: 5 })
  t.same(
    thresholds.filter(({ verdict, metric }) => verdict !== 'passed' && metric !== 'slowdown'),
    [],
  )
  const fact = (id: string) => facts.find(one => one.id === id)?.value ?? Number.NaN
  t.equal(fact('best'), 2_000, 'the 25th has to wait for the third window')
  t.equal(fact('through'), 25)
  t.ok(fact('took') >= 2_000, `took ${fact('took')}`)
  t.ok(Math.abs(fact('slowdown') - fact('took') / 2_000) < 1e-9)
})

counts('JOB-6 a lost and a doubled job are told by their ids', async t => {
  const server = await foreign(t, { loseEvery: 7, doubleEvery: 5 })
  const { jobs, verdict, thresholds } = await drill('sustain', server.url, {
    key: 'k',
    mix: { create: 1 },
    rate: 60,
    duration: 1_000,
  })
  // The create before the load is the first of them.
  t.equal(jobs.accepted, 61)
  t.equal(jobs.lost.length, Math.floor(61 / 7))
  t.equal(jobs.doubled.length, Math.floor(61 / 5))
  t.ok(jobs.lost.every(id => server.jobs.some(job => job.id === id)))
  t.equal(verdict, 'failed')
  t.same(
    thresholds.filter(({ verdict }) => verdict === 'failed').map(({ metric, found }) => [metric, found]),
    [
      ['lost', 8],
      ['doubled', 12],
    ],
  )
})

counts('shares are of what ended, by class', async t => {
  const { url } = await foreign(t, {
    alter: (answer, { path, n }) => {
      if (!path.startsWith('/v1/jobs/')) return answer
      if (n % 10 === 0) return undefined
      if (n % 10 === 5)
        return { status: 503, body: { error: { code: 'internal_error', message: 'No', request_id: `r${n}` } } }
      return answer
    },
  })
  const { statuses, thresholds, failures, load } = await drill('sustain', url, {
    ...onlyPolls,
    rate: 100,
    duration: 1_000,
    threshold: [
      { metric: 'no_response', op: '<', limit: 5 },
      { metric: '5xx', op: '<', limit: 50 },
      { metric: 'errors', op: '<', limit: 1 },
    ],
  })
  t.equal(load.completed, 100)
  t.equal(statuses.none, 10)
  t.equal(statuses['5xx'], 10)
  t.equal(statuses['2xx'], 80)
  const of = (metric: string) => thresholds.find(one => one.metric === metric)
  t.equal(of('no_response')?.found, 10)
  t.equal(of('no_response')?.verdict, 'failed')
  t.match(of('no_response')?.said, /^10 %, 5 % over, first in the 250 ms at 0/)
  t.equal(of('5xx')?.verdict, 'passed')
  t.equal(of('errors')?.found, 20)
  t.same(failures.map(({ what, count }) => [what, count]).sort(), [
    ['503 internal_error', 10],
    ['cut before an answer', 10],
  ])
})

counts('JOB-6 lost is what is not there when it is asked for: a list may page in its own way, or lag', async t => {
  for (const flaw of ['clamps', 'ignores', 'lags'] as const) {
    const { url } = await foreign(t, {
      alter: (answer, { method, path }) => {
        if (method !== 'GET' || path !== '/v1/jobs') return answer
        const list = answer.body as { jobs: unknown[]; offset: number }
        if (flaw === 'lags') return { ...answer, body: { ...list, jobs: [] } }
        if (flaw === 'ignores' && list.offset > 0) return { ...answer, body: { ...list, jobs: [] } }
        return { ...answer, body: { ...list, jobs: list.jobs.slice(0, 7) } }
      },
    })
    const { jobs } = await drill('sustain', url, { key: 'k', mix: { create: 1 }, rate: 40, duration: 500 })
    t.same([jobs.lost, jobs.checked], [[], true], flaw)
  }
})

counts('RL-2 a bucket that refills tells the same number twice, and is no lie', async t => {
  let left = 20
  let at = performance.now()
  const { url } = await foreign(t, {
    alter: answer => {
      const now = performance.now()
      left = Math.min(20, left + ((now - at) / 1000) * 10)
      at = now
      const headers = { 'x-ratelimit-limit': '20', 'x-ratelimit-reset': '1' }
      if (left < 1) {
        const body = { error: { code: 'rate_limited', message: 'Slow down', request_id: `r${now}` } }
        return {
          status: 429,
          headers: { ...headers, 'x-ratelimit-remaining': '0', ratelimit: '"default";r=0;t=1', 'retry-after': '1' },
          body,
        }
      }
      left -= 1
      const remaining = String(Math.floor(left))
      return {
        ...answer,
        headers: { ...headers, 'x-ratelimit-remaining': remaining, ratelimit: `"default";r=${remaining};t=1` },
      }
    },
  })
  const { thresholds, verdict, why } = await drill('burst', url, { key: 'k', calls: 60, connections: 3 })
  t.equal(verdict, 'passed', why)
  t.equal(thresholds.find(({ metric }) => metric === 'header_mismatches')?.found, 0)
})

counts('a server that closes each connection loses nothing of a burst', async t => {
  const { url } = await foreign(t, {
    limit: { calls: 25, perMs: 1_500, sinceLast: true },
    alter: answer => ({ ...answer, headers: { ...answer.headers, connection: 'close' } }),
  })
  const { facts, load } = await drill('burst', url, { key: 'k', calls: 40, connections: 8 })
  t.equal(load.due, 41)
  t.equal(facts.find(({ id }) => id === 'passed')?.value, 25)
})

counts('GO-5 a server that does not come back has not recovered', async t => {
  let polls = 0
  const error = { code: 'internal_error', message: 'Down' }
  const { url } = await foreign(t, {
    alter: (answer, { path }) =>
      path.startsWith('/v1/jobs/') && ++polls > 20
        ? { status: 500, body: { error: { ...error, request_id: `r${polls}` } } }
        : answer,
  })
  const options = { rate: 40, duration: 1_500, outageAt: 500, outageFor: 300, outageStart: 'true', mix: { poll: 1 } }
  const { thresholds, generator } = await drill('outage', url, { key: 'k', ...options })
  // A machine that does other things is to blame itself, and the drill says so.
  if (generator.late > 3) return void t.not(thresholds.find(({ metric }) => metric === 'recovery')?.verdict, 'passed')
  t.match(
    thresholds.find(({ metric }) => metric === 'recovery'),
    {
      verdict: 'failed',
      said: 'it was not well again when the load ended',
    },
  )
})

counts('an answer without a body is held against the contract as well', async t => {
  let polls = 0
  const { url } = await foreign(t, {
    alter: (answer, { path }) => (path.startsWith('/v1/jobs/') && ++polls > 5 ? { status: 200, body: '' } : answer),
  })
  const { verdict, contract } = await drill('sustain', url, { ...onlyPolls, rate: 40, duration: 500 })
  t.equal(verdict, 'failed')
  t.ok((contract.breaches[0]?.count ?? 0) > 3)
})

counts('one in a million is not none, and nothing looked at proves nothing', async t => {
  const { url } = await foreign(t)
  const given = [parseThreshold('broken = 0')]
  const options = { ...onlyPolls, rate: 20, duration: 300, sample: 0, threshold: given }
  const { why, thresholds, generator } = await drill('sustain', url, options)
  t.match(why, /^inconclusive: nothing tells of broken = 0/)
  const strained = { ...generator, bottleneck: true, text: 'this machine could not make the load' }
  const judged = judgeDrill({ thresholds, given: new Set(thresholds), generator: strained, complete: true })
  t.equal(judged.why, why, 'on a machine that could not make the load, too')
  const records = new Records()
  for (let i = 0; i < 300_000; i++)
    records.add({ call: 0, due: 0, sent: 0, ended: 1, status: i === 7 ? 500 : 200, lagMs: 0 })
  const measured = {
    records,
    journeys: new Records(),
    due: 1,
    own: { due: 1, late: 0, veryLate: 0 },
    loadMs: 1,
    found: new Map(),
  }
  t.equal(judgeThreshold(parseThreshold('5xx = 0'), measured, [], 1000).verdict, 'failed')
})
