/** What each drill does, on the mock and on a server that knows nothing of it. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'

import { ConfigError } from '../../base/options.ts'
import { TargetError } from '../../base/targetError.ts'
import { type DrillName, DrillReport, drillNames } from '../../drills/report.ts'
import { type DrillOptions, drill } from '../../drills/run.ts'
import { type MetricName, metricOf, parseThreshold, parseThresholds, thresholdText } from '../../drills/thresholds.ts'
import { start } from '../support.ts'
import { foreign } from './foreign.ts'

// They wait more than they do; what measures time exactly is in numbers.test.ts.
t.jobs = 8
const test = (title: string, run: (t: Test) => Promise<void>) => t.test(title, { buffered: true }, run)

const validate = new Ajv({ strict: false }).compile(DrillReport)

/** A run of each that takes a second or two. */
const short: Record<DrillName, DrillOptions> = {
  burst: { calls: 30, connections: 5 },
  sustain: { rate: 60, duration: 1_000 },
  ramp: { from: 20, to: 40, steps: 2, stepTime: 500 },
  journey: { users: 3, journeys: 1 },
  outage: { rate: 30, duration: 1_500, outageAt: 300, outageFor: 300 },
  recover: { calls: 12, users: 4 },
  // The mock lives in this process: its memory and handles are those of all tests.
  soak: { rate: 40, duration: 1_500, threshold: [parseThreshold('handles < 1000%'), parseThreshold('memory < 1000%')] },
}
const everything = new Set(drillNames)

/** Nothing is broken, but for what has to do with time: how fast this machine is depends on what else it does. */
function isGood(t: Test, { drill, thresholds }: DrillReport): void {
  t.same(
    thresholds
      .filter(({ verdict, metric }) => verdict === 'failed' && !metricOf(metric as MetricName).timing)
      .map(({ text, said }) => `${text}: ${said}`),
    [],
    drill,
  )
}

test('every drill runs against the mock, and its report is what the schema says', async t => {
  const mock = await start(t, { rateLimit: 20 })
  // A burst's Retry-After is up to a minute, and recover's keys have a window of 5 s: other servers are quicker to try.
  for (const name of [...everything].filter(name => name !== 'burst' && name !== 'recover')) {
    const report = await drill(name, mock.url, short[name])
    t.ok(validate(report), JSON.stringify(validate.errors))
    isGood(t, report)
    t.equal(report.complete, true)
    t.ok(report.contract.judged > 0, `${name}: answers were held against the contract`)
    t.same(report.contract.breaches, [])
    t.ok(report.load.completed > 0)
    t.equal(report.load.unfinished, 0)
  }
})

test('every drill runs against a server that knows nothing of the mock', async t => {
  const { url } = await foreign(t, { limit: { calls: 1_000_000, perMs: 1_000 } })
  for (const name of everything) {
    const limited = name === 'burst' || name === 'recover'
    const target = limited
      ? (await foreign(t, { limit: { calls: 8, perMs: 1_000, sinceLast: name === 'burst' } })).url
      : url
    const report = await drill(name, target, { key: 'k', ...short[name] })
    t.ok(validate(report), JSON.stringify(validate.errors))
    isGood(t, report)
    t.same(report.contract.breaches, [], name)
  }
})

test('RL-1 RL-2 a burst on the mock finds its limit, and waits for what its 429 says', async t => {
  const mock = await start(t)
  mock.setKey({ key: 'test_small', rateLimit: { calls: 12, per: '2s' } })
  mock.setKey({ key: 'test_other', rateLimit: { calls: 12, per: '2s' } })
  const report = await drill('burst', mock.url, {
    key: 'test_small',
    secondKey: 'test_other',
    calls: 30,
    connections: 5,
  })
  isGood(t, report)
  t.equal(report.facts.find(({ id }) => id === 'passed')?.value, 12)
  t.equal(
    report.facts.find(({ id }) => id === 'header_mismatches')?.text,
    'they tell a limit of 12, and agree with what was seen',
  )
  t.equal(report.thresholds.find(({ metric }) => metric === 'retry_after_violations')?.verdict, 'passed')
})

test('RL-2 what is not honest about a limit is found', async t => {
  const limit = { calls: 8, perMs: 2_000, sinceLast: true }
  const run = async (behaviour: Parameters<typeof foreign>[1]) => {
    const { url } = await foreign(t, { limit, ...behaviour })
    const { thresholds, verdict } = await drill('burst', url, { key: 'a', secondKey: 'b', calls: 20, connections: 4 })
    t.equal(verdict, 'failed')
    return thresholds.filter(({ verdict }) => verdict === 'failed').map(({ metric }) => metric)
  }
  const wrongRemaining = { 'x-ratelimit-remaining': '5' }
  const [short, shared, headers, bare] = await Promise.all([
    // It says 1 s, and a machine that is late by some seconds more still comes too early.
    run({ limit: { ...limit, perMs: 20_000 }, retryAfterError: -39 }),
    run({ isLimitShared: true }),
    run({
      alter: answer =>
        answer.status === 429 ? { ...answer, headers: { ...answer.headers, ...wrongRemaining } } : answer,
    }),
    run({ alter: answer => (answer.status === 429 ? { status: 429, body: 'slow down' } : answer) }),
  ])
  t.same(short, ['retry_after_violations'], 'a Retry-After that is not enough')
  t.same(shared, ['shared_limit'], 'two keys with one limit')
  t.same(headers, ['header_mismatches'], '429 with calls left')
  t.ok(bare.includes('broken'), 'a 429 without an envelope')
})

test('GO-2 a burst that meets no limit concludes nothing', async t => {
  const { url } = await foreign(t)
  const { verdict, ok, why } = await drill('burst', url, { key: 'k', calls: 10, connections: 2 })
  t.equal(verdict, 'inconclusive')
  t.equal(ok, false)
  t.match(why, /no 429 came in 10 requests; more --calls may meet the limit/)
})

test('ERR-1 one broken envelope fails the drill, and is shown with its evidence', async t => {
  let broken = 0
  const { url } = await foreign(t, {
    alter: (answer, { path }) => {
      if (!path.startsWith('/v1/jobs/') || ++broken !== 30) return answer
      return { status: 404, body: { error: 'no such job' } }
    },
  })
  const report = await drill('sustain', url, {
    key: 'secret_key',
    rate: 60,
    duration: 1_000,
    mix: { poll: 1 },
    threshold: [parseThreshold('errors < 50%')],
  })
  t.equal(report.verdict, 'failed', report.why)
  t.match(report.why, /broken = 0: 1/)
  const [breach] = report.contract.breaches
  t.same(breach?.clauses, ['ERR-1'])
  t.equal(breach?.count, 1)
  t.ok(breach && breach.at_ms > 100)
  t.equal(breach?.evidence.response?.status, 404)
  t.equal(breach?.evidence.response?.body, '{"error":"no such job"}')
  t.match(breach?.evidence.curl, /^curl -i http:\/\/127\.0\.0\.1:\d+\/v1\/jobs\/job_0 -H "x-api-key: \$API_KEY"/)
  t.notMatch(JSON.stringify(report), /secret_key/)
})

test('JOB-5 an answer that is no job is a breach, however good its status', async t => {
  const { url } = await foreign(t, {
    alter: (answer, { path }) =>
      path.startsWith('/v1/jobs/') ? { ...answer, body: { ...(answer.body as object), progress: 'half' } } : answer,
  })
  const { contract, verdict } = await drill('sustain', url, {
    key: 'k',
    mix: { poll: 1 },
    rate: 20,
    duration: 500,
    sample: 100_000,
  })
  t.equal(verdict, 'failed')
  t.equal(contract.breaches[0]?.evidence.pointer, '/progress')
  t.equal(contract.breaches[0]?.count, 10, 'each of them')
})

test('GO-3 ID-1 an outage: creates come again under their key, and none is doubled or lost', async t => {
  const mock = await start(t)
  const report = await drill('outage', mock.url, {
    rate: 60,
    duration: 2_000,
    outageAt: 500,
    outageFor: 500,
    mix: { create: 1 },
  })
  isGood(t, report)
  // A generator that was late on a busy machine leaves marks as well.
  const mark = report.marks.find(({ kind }) => kind === 'outage')
  // A timer of Node may come a little early.
  t.ok(mark && mark.from_ms >= 490 && mark.from_ms < 2_000, `from ${mark?.from_ms} ms`)
  t.ok(report.statuses['5xx'] >= 20, `${report.statuses['5xx']} failed`)
  const retried = report.facts.find(({ id }) => id === 'retried')
  t.ok((retried?.value ?? 0) >= 20)
  t.equal(report.jobs.intended, report.jobs.accepted)
  t.same([report.jobs.lost, report.jobs.doubled], [[], []])
  t.equal(mock.activeScenario().scenario, null, 'what was switched on is off again')
})

test('GO-3 a server that forgets Idempotency-Keys doubles the jobs whose answer was lost', async t => {
  let creates = 0
  const { url } = await foreign(t, {
    isIdempotent: false,
    // Made, and never answered.
    alter: (answer, { method, path }) =>
      method === 'POST' && path === '/v1/jobs' && ++creates % 4 === 0 ? undefined : answer,
  })
  const report = await drill('outage', url, {
    key: 'k',
    rate: 20,
    duration: 1_000,
    outageAt: 100,
    outageFor: 100,
    mix: { create: 1 },
  })
  t.equal(report.verdict, 'failed')
  t.match(report.why, /^1 threshold failed: doubled = 0: [1-9]/)
  t.equal(report.jobs.doubled.length, report.statuses.none, 'one for each answer that did not come')
  t.match(report.notes[0], /no outage was caused: the target is not a mock, and --outage-start was not given/)
})

test('an outage is caused by commands where the target is not a mock', async t => {
  const file = join(tmpdir(), `understudy-outage-${process.pid}`)
  t.teardown(() => rmSync(file, { force: true }))
  const exists = () => {
    try {
      return readFileSync(file, 'utf8') !== ''
    } catch {
      return false
    }
  }
  const error = { error: { code: 'internal_error', message: 'Down', request_id: '' } }
  let n = 0
  const { url } = await foreign(t, {
    alter: (answer, { path }) =>
      path.startsWith('/v1/jobs/') && exists()
        ? { status: 500, body: { error: { ...error.error, request_id: `d${n++}` } } }
        : answer,
  })
  const report = await drill('outage', url, {
    key: 'k',
    rate: 50,
    duration: 1_500,
    outageAt: 300,
    outageFor: 400,
    mix: { poll: 1 },
    outageStart: `echo down > ${file}`,
    outageStop: `rm ${file}`,
  })
  isGood(t, report)
  t.ok(report.statuses['5xx'] > 10)
  t.equal(report.marks[0]?.label, 'outage: a command')
  const failing = {
    key: 'k',
    rate: 20,
    duration: 900,
    outageAt: 1,
    outageFor: 100,
    outageStart: `echo down > ${file}; exit 3`,
  }
  const broken = await drill('outage', url, { ...failing, outageStop: `rm ${file}` })
  t.match(
    broken.why,
    /^inconclusive: the outage could not be caused: --outage-start ".*exit 3" ended with exit code 3$/,
  )
  t.notOk(exists(), 'what was broken is mended all the same')
  const left = await drill('outage', url, { ...failing, outageStart: 'true', outageStop: 'exit 4' })
  t.match(
    left.why,
    /^inconclusive: the outage could not be ended, and may still be on: --outage-stop "exit 4" ended with exit code 4/,
  )
})

test('all in use, requests wait for a connection, and that counts', async t => {
  const { url } = await foreign(t, { serviceMs: 100 })
  const { load, latency, service } = await drill('sustain', url, {
    key: 'k',
    mix: { poll: 1 },
    rate: 40,
    duration: 1_000,
    maxConnections: 2,
  })
  t.equal(load.completed, 40)
  t.ok(load.late > 20 && load.waited > 0, `${load.late} were late, ${load.waited} of them for a connection`)
  t.ok((latency?.max ?? 0) > 800, 'two at a time take 2 s for what was due in one')
  t.ok((service?.p50 ?? 0) < (latency?.p50 ?? 0) / 2, 'the wait is none of the service')
})

test('an answer that never comes costs its timeout, and no more', async t => {
  let polls = 0
  const { url, behaviour } = await foreign(t)
  behaviour.pause = { fromPoll: 5, forMs: 60_000 }
  behaviour.alter = (answer, { path }) => {
    if (path.startsWith('/v1/jobs/')) polls++
    return answer
  }
  const { statuses, load, failures } = await drill('sustain', url, {
    key: 'k',
    mix: { poll: 1 },
    rate: 20,
    duration: 1_000,
    timeout: 2_000,
  })
  t.equal(load.unfinished, 0)
  t.equal(statuses.none, 16)
  t.equal(failures[0]?.what, 'no answer within 2 s')
  t.ok(polls >= 20)
})

test('a drill that is stopped says what was done', async t => {
  const { url } = await foreign(t)
  const stop = new AbortController()
  const report = await drill('sustain', url, {
    key: 'k',
    rate: 50,
    duration: 60_000,
    signal: stop.signal,
    onStart: () => setTimeout(() => stop.abort(), 1_000),
  })
  t.ok(report.ms < 30_000, 'the rest of the minute is not waited for')
  t.equal(report.complete, false)
  t.equal(report.verdict, 'inconclusive')
  t.match(report.why, /it was stopped before its end/)
  t.ok(report.load.completed > 5)
  t.equal(report.jobs.checked, true, 'its jobs are counted all the same')
})

test('a target that is not on this machine is refused before anything is sent', async t => {
  const refused = (name: DrillName, options: DrillOptions) => drill(name, 'http://192.0.2.1', options)
  await t.rejects(refused('sustain', {}), {
    message: /^http:\/\/192\.0\.2\.1 is not on this machine.*1,510 requests and 121 jobs; give --allow-remote/,
  })
  await t.rejects(refused('sustain', { allowRemote: true, rate: 200 }), {
    message: /wants 200\/s, and --max-rate is 100/,
  })
  await t.rejects(refused('soak', { allowRemote: true, rate: 100 }), {
    message: /wants 60,060 requests, and --max-requests is 10000/,
  })
  await t.rejects(refused('soak', { allowRemote: true, rate: 1, duration: 3_600_000 }), {
    message: /wants 3600 s, and --max-time is 900 s/,
  })
})

test('bounds hold while it runs, too', async t => {
  const { url } = await foreign(t, { limit: { calls: 2, perMs: 1_000 } })
  const { complete, notes, load } = await drill('recover', url, { key: 'k', calls: 50, users: 5, maxRequests: 8 })
  t.equal(complete, false)
  t.equal(load.due, 8)
  t.same(notes, ['--max-requests ended it'])
  const { url: free } = await foreign(t)
  const paced = await drill('recover', free, { key: 'k', calls: 8, users: 8, maxRate: 20 })
  const first = paced.series.points[0]
  t.ok((first?.sent ?? 0) <= 6, `${first?.sent} in the first 250 ms`)
})

test('wrong usage is told in words', async t => {
  const { url } = await foreign(t)
  const wrong = (name: DrillName, options: DrillOptions) => drill(name, url, options)
  await t.rejects(
    wrong('burst', { key: 'k', steps: 3 }),
    new ConfigError('--steps means nothing to burst; it is for ramp'),
  )
  await t.rejects(wrong('sustain', {}), { message: /is not a mock that creates keys; give a valid API key with --key/ })
  await t.rejects(
    wrong('sustain', { key: 'wrong' }),
    new ConfigError('the endpoint answers 401 to POST /v1/uploads; give a valid key with --key'),
  )
  await t.rejects(wrong('burst', { key: 'k', secondKey: 'k' }), { message: /--second-key is the same key as --key/ })
  await t.rejects(wrong('sustain', { key: 'k\n' }), { message: /--key has a character that no header can carry/ })
  await t.rejects(wrong('sustain', { key: 'k', threshold: [parseThreshold('knee > 10/s')] }), {
    message: /means nothing to sustain; knee is found by ramp/,
  })
  await t.rejects(wrong('outage', { key: 'k', outageAt: 60_000 }), {
    message: /the outage ends at 70 s, and the load at 30 s: the recovery would not be seen/,
  })
  await t.rejects(
    wrong('sustain', { key: 'k', clip: 'nowhere.mp4' }),
    new ConfigError('--clip is "nowhere.mp4", which is not a file'),
  )
  await t.rejects(
    drill('sustain', 'http://127.0.0.1:1', { key: 'k' }),
    new TargetError('nothing listens at 127.0.0.1:1'),
  )
  await t.rejects(drill('sustain', 'ftp://x', {}), { message: /"ftp:\/\/x" is not a URL; expected a base URL/ })
})

test('thresholds are read as they are written', async t => {
  for (const text of [
    'p99 < 500ms',
    'create.p99.9 <= 2s',
    '5xx < 0.1%',
    'throughput >= 95/s',
    'lost = 0',
    'slowdown < 1.5x',
    'journey.p95 < 90s',
  ])
    t.equal(thresholdText(parseThreshold(text)), text)
  t.same(parseThreshold('p99<0.5s'), { metric: 'p99', op: '<', limit: 500 })
  t.same(parseThreshold(' no_response = 0 '), { metric: 'no_response', op: '=', limit: 0 })
  const wrong = (text: string, message: RegExp) => t.throws(() => parseThreshold(text), { message })
  wrong('p99', /--threshold is "p99"; expected a metric, one of < <= > >= =, and a value/)
  wrong('p98 < 1s', /there is no metric p98; expected one of 429, p50, p90/)
  wrong('lies = 0', /--threshold is "lies = 0"; the metric lies is now called retry_after_violations/)
  wrong('none < 1%', /the metric none is now called no_response/)
  wrong('shared = 0', /the metric shared is now called shared_limit/)
  wrong('headers = 0', /the metric headers is now called header_mismatches/)
  wrong('p99 < 5%', /p99 is a time; expected a value such as 500ms/)
  wrong('errors < 5', /errors is a share; expected a value such as 0.5%/)
  wrong('lost.p99 < 1s', /there is no call lost/)
  wrong('create.lost = 0', /lost is not told by call/)
  t.same(parseThresholds('- p99 < 1s\n- lost = 0\n', 'f').map(thresholdText), ['p99 < 1s', 'lost = 0'])
  t.same(parseThresholds('{"p99": "< 1s", "lost": 0}', 'f').map(thresholdText), ['p99 < 1s', 'lost = 0'])
  t.throws(() => parseThresholds('- p99 <', 'limits.yaml'), {
    message: /^--thresholds limits\.yaml, entry 1, is "p99 <"/,
  })
  t.throws(() => parseThresholds('7', 'limits.yaml'), {
    message: /^--thresholds limits\.yaml: it has no entries; expected a list such as/,
  })
  t.throws(() => parseThresholds('{', 'limits.yaml'), { message: /^--thresholds limits\.yaml is not YAML/ })
})

test('a threshold that is given takes the place of the own one, and must be told of', async t => {
  const file = join(tmpdir(), `understudy-thresholds-${process.pid}.yaml`)
  t.teardown(() => rmSync(file, { force: true }))
  writeFileSync(file, '- p99 < 5s\n- upload.5xx > 1%\n- list.p50 < 9s\n')
  const { url } = await foreign(t)
  const options = { key: 'k', rate: 20, duration: 500, mix: { poll: 1, upload: 1 }, thresholds: file } as const
  const { thresholds, ok } = await drill('sustain', url, options)
  t.equal(ok, false)
  t.same(
    thresholds.map(({ text, verdict }) => `${text}: ${verdict}`),
    [
      'errors < 1%: passed',
      '429 < 1%: passed',
      'completed >= 99%: passed',
      'lost = 0: passed',
      'doubled = 0: passed',
      'broken = 0: passed',
      'p99 < 5s: passed',
      'upload.5xx > 1%: failed',
      'list.p50 < 9s: skipped',
    ],
  )
  writeFileSync(file, '- list.p50 < 9s\n')
  const unknown = await drill('sustain', url, options)
  t.match(unknown.why, /^inconclusive: nothing tells of list.p50 < 9s: the drill found nothing to measure it by/)
})

test("soak tells the server's own numbers over time", async t => {
  const mock = await start(t)
  const { series, facts } = await drill('soak', mock.url, { rate: 20, duration: 2_000 })
  t.same(
    series.gauges.map(({ name, unit }) => [name, unit]),
    [
      ['memory', 'bytes'],
      ['heap', 'bytes'],
      ['handles', ''],
    ],
  )
  for (const { points } of series.gauges) t.ok(points.length >= 5 && points.every(([, value = 0]) => value > 0))
  t.ok(facts.some(({ id }) => id === 'memory') && facts.some(({ id }) => id === 'drift'))
})

test('DL-3 RL-3 a journey ends with the file in hand, and its first poll comes after 2 s', async t => {
  const mock = await start(t)
  const { calls, facts } = await drill('journey', mock.url, { users: 2, journeys: 1 })
  t.same(
    calls.map(({ call, statuses }) => [call, statuses['2xx']]),
    ['upload', 'create', 'poll', 'download', 'file', 'journey'].map(call => [call, 2]),
  )
  const journey = calls.at(-1)?.latency
  t.ok(journey && journey.min >= 2_000, `${journey?.min}`)
  t.equal(facts.find(({ id }) => id === 'finished')?.text, '2 of 2')
})
