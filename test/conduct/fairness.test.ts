/** What conduct says of habits that real HTTP and retry libraries have: nobody is accused, or praised, of what it did not do. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { fingerprintOf } from '../../base/fingerprint.ts'
import type { ConductOptions } from '../../client/mock.ts'
import type { RuleFormat } from '../../client/scenarioFormat.ts'
import { conduct } from '../../conduct/fromRecording.ts'
import { grade } from '../../conduct/grade.ts'
import type { ConductReport } from '../../conduct/report.ts'
import { isWithoutJitter } from '../../conduct/rules/retries.ts'
import { openHar } from '../../recordings/read.ts'
import { startMock } from '../../server/start.ts'
import { client, understudy } from '../support.ts'

const mock = await startMock({ speed: 'instant', seed: 'test', rateLimit: 0, jobLimit: 0 })
const folder = mkdtempSync(join(tmpdir(), 'understudy-'))
t.teardown(async () => {
  await mock.close()
  rmSync(folder, { recursive: true })
})

let clients = 0
/** A client of its own, whose clock stands still but for step(). */
function newcomer(scenario: string | readonly RuleFormat[]) {
  const key = `test_fair_${clients++}`
  mock.use(scenario, { key })
  const clock = mock.clockOf(key)
  clock.freeze()
  const api = client(mock, key)
  const body = { video_url: 'https://example.com/cat.mp4' }
  return {
    key,
    clock,
    api,
    create: (headers?: Record<string, string>) => api.post('/v1/jobs', body, headers).catch(() => undefined),
    report: (options?: ConductOptions) => mock.conduct(key, options),
  }
}
type Newcomer = ReturnType<typeof newcomer>

/** Calls `send` once, and again after each of the waits, ms. */
async function tries(one: Newcomer, send: () => Promise<unknown>, ...waits: number[]): Promise<void> {
  await send()
  for (const ms of waits) {
    one.clock.step(ms)
    await send()
  }
}

const verdictOf = (report: ConductReport, id: string) => report.rules.find(rule => rule.id === id)?.verdict
const saidOf = (report: ConductReport, id: string) => report.rules.find(rule => rule.id === id)?.evidence[0]?.said
const brokenIn = (report: ConductReport) =>
  report.rules.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id)
const keyed = { 'idempotency-key': 'one' }
const ill = (first: number, then: RuleFormat['then'] = { error: 'internal_error' }): RuleFormat[] => [
  { name: 'ill', first, then },
]

t.test('RL-2 Retry-After is waited for on any status, in seconds and as a date; 0 asks for nothing', async t => {
  for (const [name, then, waits, broken] of [
    ['0 on 503', { error: 'internal_error', status: 503, retry_after: 0 }, [5], []],
    ['2 on 503, ignored', { error: 'internal_error', status: 503, retry_after: '2s' }, [1_100], ['limits.retry-after']],
    ['2 on 503, obeyed', { error: 'internal_error', status: 503, retry_after: '2s' }, [2_000], []],
    ['a date, ignored', { error: 'rate_limited', retry_after: { date: '5s' } }, [1_500], ['limits.http-date']],
    ['a date, obeyed', { error: 'rate_limited', retry_after: { date: '5s' } }, [6_000], []],
    ['a date that has passed', { error: 'rate_limited', retry_after: { date: '-30s' } }, [5], []],
    ['none, hammered', { error: 'rate_limited', retry_after: null }, [300], ['errors.no-hammering']],
    ['junk, hammered', { error: 'rate_limited', retry_after: { text: '120junk' } }, [300], ['errors.no-hammering']],
    ['junk, own backoff', { error: 'rate_limited', retry_after: { text: '120junk' } }, [1_300], []],
    ['two hours, cut down', { error: 'rate_limited', retry_after: '2h' }, [30_000], ['limits.no-early-return']],
    ['two minutes, waited out', { error: 'rate_limited', retry_after: '2m' }, [120_000], []],
  ] as const) {
    const one = newcomer(ill(1, then as RuleFormat['then']))
    await tries(one, () => one.create(keyed), ...waits)
    t.same(brokenIn(one.report()), broken, name)
  }
})

t.test(
  'RL-2 who is asked to wait for more than a minute may give up: no rule says that it had to come back',
  async t => {
    for (const [retry_after, broken] of [
      ['60s', ['errors.retried']],
      ['61s', []],
      [{ date: '61s' }, []],
    ] as const) {
      const one = newcomer(ill(1, { error: 'rate_limited', retry_after } as RuleFormat['then']))
      await one.create(keyed)
      t.same(brokenIn(one.report({ ended: true })), broken, JSON.stringify(retry_after))
    }
  },
)

t.test('RL-2 who gives up a wait of a day has not come back early', async t => {
  const one = newcomer('retry-after-a-day')
  await one.create()
  t.equal(verdictOf(one.report(), 'limits.no-early-return'), 'skipped', 'it may still come back')
  const ended = one.report({ ended: true })
  t.equal(verdictOf(ended, 'limits.no-early-return'), 'passed')
  t.same(brokenIn(ended), [])
})

t.test('a wait of more than 20 s is a wait that was kept, stepped or real', async t => {
  const one = newcomer(ill(1))
  await tries(one, () => one.create(keyed), 25_000)
  t.equal(verdictOf(one.report(), 'errors.no-hammering'), 'passed')
  const other = newcomer(ill(2, { error: 'rate_limited', retry_after: '40s' }))
  await tries(other, () => other.create(keyed), 41_000, 45_000)
  t.match(
    other.report().rules.find(({ id }) => id === 'limits.retry-after'),
    { verdict: 'passed', seen: 2 },
  )
})

t.test('after a rest the steps of the backoff begin anew', async t => {
  const one = newcomer(ill(9))
  await tries(one, () => one.create(keyed), 1_400, 2_900, 60_000, 1_700, 3_100)
  t.same(brokenIn(one.report()), [])
})

t.test(
  'ERR-3 a create without Idempotency-Key that was lost may be left alone; one with a key is tried again',
  async t => {
    for (const [scenario, headers, verdict] of [
      ['connection-reset', {}, 'skipped'],
      ['internal-error-once', {}, 'skipped'],
      ['connection-reset', keyed, 'failed'],
      ['internal-error-once', keyed, 'failed'],
      ['rate-limited-then-ok', {}, 'failed'],
    ] as const) {
      const one = newcomer(scenario)
      await one.create(headers)
      const report = one.report()
      t.equal(verdictOf(report, 'errors.retried'), verdict, `${scenario} ${JSON.stringify(headers)}`)
      if (verdict !== 'skipped') continue
      const rule = report.rules.find(({ id }) => id === 'errors.retried')
      t.match(rule, { reason: /it may be left alone/, provoke: [] }, 'it arose: nothing is to be provoked')
    }
  },
)

t.test('a quota that names no time to come back may be given up at once', async t => {
  const one = newcomer('limit-no-wait-heals')
  await one.create(keyed)
  t.same(brokenIn(one.report({ ended: true })), [])
})

t.test('ERR-3 eleven tries are no "never tried again", whatever the last was refused with', async t => {
  const one = newcomer([
    { name: 'no-credits', first: 10, then: { error: 'insufficient_credits' } },
    { name: 'limit', then: { error: 'rate_limited', retry_after: '33s' } },
  ])
  await tries(one, () => one.create(), ...Array(10).fill(300))
  t.same(brokenIn(one.report()), ['credits.no-retry'])
})

t.test('RL-3 a resend by the HTTP library on a kept connection is excused, once', async t => {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const send = async (key: string, method: string, own = agent) => {
    const headers = { 'x-api-key': key, 'content-type': 'application/json', ...keyed }
    const request = httpRequest(`${mock.url}/v1/jobs`, { method, agent: own, headers })
    request.end(method === 'POST' ? '{"video_url":"https://example.com/cat.mp4"}' : undefined)
    const [response] = await once(request, 'response').catch(() => [undefined])
    response?.resume()
    if (response) await once(response, 'end')
  }
  const resets = (first: number): RuleFormat[] => [
    { name: 'resets', when: { route: 'POST /v1/jobs' }, first, then: { fault: 'reset' } },
  ]
  for (const [name, first, isKept, waits, broken] of [
    ['once, at once, on a kept one', 1, true, [3], []],
    ['twice', 2, true, [3, 3], ['errors.no-hammering']],
    ['on a new one', 1, false, [3], ['errors.no-hammering']],
    ['not at once', 1, true, [600], ['errors.no-hammering']],
  ] as const) {
    const one = newcomer(resets(first))
    const own = new Agent({ keepAlive: true })
    t.teardown(() => own.destroy())
    if (isKept) await send(one.key, 'GET', own)
    await tries(one, () => send(one.key, 'POST', own), ...waits)
    t.same(brokenIn(one.report()), broken, name)
    const places = mock.journal
      .entries({ key: one.key, kind: 'exchange', status: 0 })
      .map(entry => entry.connection_request)
    t.equal(places[0], isKept ? 2 : 1, 'the journal has the place')
    t.match(mock.journal.har({ key: one.key }), new RegExp(`"_connection_request": ?${isKept ? 2 : 1}`), 'and the HAR')
  }
})

t.test('GO-5 a client that still waits has not given up: it has no time-out', async t => {
  const one = newcomer('no-answer')
  const leave = new AbortController()
  const asked = fetch(`${mock.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'x-api-key': one.key, 'content-type': 'application/json', ...keyed },
    body: '{"video_url":"https://example.com/cat.mp4"}',
    signal: leave.signal,
  }).catch(() => undefined)
  await mock.journal.waitFor({ key: one.key, kind: 'exchange' })
  one.clock.step('20s')
  t.equal(verdictOf(one.report(), 'calls.time-out'), 'skipped', '20 s are not enough to tell')
  one.clock.step('70s')
  const waiting = one.report()
  t.same(brokenIn(waiting), ['calls.time-out'], 'and it is not told that it never tried again')
  t.match(saidOf(waiting, 'calls.time-out'), /^waited 90 s for an answer to POST \/v1\/jobs, and had not given up$/)
  const stoppedAt = one.clock.now()
  leave.abort()
  await asked
  // The mock sees the end of the connection a moment later.
  while (mock.journal.har({ key: one.key }).includes('_is_open')) await new Promise(resolve => setImmediate(resolve))
  t.same(brokenIn(one.report({ stoppedAt })), ['calls.time-out'], 'nor where it was ended from outside')
  t.same(brokenIn(one.report()), ['errors.retried', 'calls.time-out'], 'it gave up by itself, and never came back')
})

/** Sends the create, and leaves it after so long; the mock has seen the end of it then. */
async function leave(one: Newcomer, ms: number): Promise<void> {
  const leaving = new AbortController()
  const before = mock.journal.count({ key: one.key, kind: 'exchange' })
  const asked = fetch(`${mock.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'x-api-key': one.key, 'content-type': 'application/json', ...keyed },
    body: '{"video_url":"https://example.com/cat.mp4"}',
    signal: leaving.signal,
  }).catch(() => undefined)
  await mock.journal.waitFor({ key: one.key, kind: 'exchange' }, { atLeast: before + 1 })
  one.clock.step(ms)
  leaving.abort()
  await asked
  while (mock.journal.har({ key: one.key }).includes('_is_open')) await new Promise(resolve => setImmediate(resolve))
}

t.test('RL-3 a connection that is closed only for the next try says nothing of the wait before it', async t => {
  // urllib3 sleeps before it closes: a time-out of 2 s and a wait of 1.5 s look like a call of 3.5 s and no wait.
  for (const [name, lasts, heals, verdict] of [
    ['waits 1.5, 3, 6 s after 2 s, and gives up', [3_500, 5_000, 8_000, 2_000], false, 'passed'],
    ['waits 2 s each time', [4_000, 4_000, 2_030], false, 'passed'],
    ['waits 0.2 and 0.4 s', [2_200, 2_400, 2_000], false, 'failed'],
    ['does not wait', [2_000, 2_030, 2_000], false, 'failed'],
    ['heals: its time-out is not to be seen', [3_500, 5_000], true, 'skipped'],
    ['heals, and no wait fits into its calls', [400], true, 'failed'],
  ] as const) {
    const one = newcomer([{ name: 'silence', first: lasts.length, then: { fault: 'no_answer' } }])
    for (const ms of lasts) await leave(one, ms)
    if (heals) await one.create(keyed)
    const rule = one.report({ ended: true, alone: true }).rules.find(({ id }) => id === 'errors.no-hammering')
    t.equal(rule?.verdict, verdict, `${name}: ${JSON.stringify(rule?.evidence[0]?.said)}`)
    if (verdict === 'skipped')
      t.match(rule, { reason: /^a call that nobody answered was closed only when/, provoke: [] })
  }
  // What is closed some time before the next try was not closed for it: that is the wait.
  const early = newcomer([{ name: 'silence', first: 2, then: { fault: 'no_answer' } }])
  await leave(early, 3_500)
  early.clock.step(400)
  await leave(early, 5_000)
  early.clock.step(1_500)
  await early.create(keyed)
  t.match(
    early.report({ alone: true }).rules.find(({ id }) => id === 'errors.no-hammering'),
    {
      verdict: 'failed',
      evidence: [{ said: 'tried POST /v1/jobs again 400 ms after no whole answer' }],
    },
  )
})

t.test(
  'ERR-3 who is ended from outside before its wait can be over has neither given up nor never come back',
  async t => {
    const stopped = async (then: RuleFormat['then'], afterMs: number, ...waits: number[]) => {
      const one = newcomer(ill(9, then))
      await tries(one, () => one.create(keyed), ...waits)
      one.clock.step(afterMs)
      return one.report({ stoppedAt: one.clock.now(), alone: true })
    }
    t.same(brokenIn(await stopped({ error: 'internal_error' }, 3_000)), [], 'RL-3 may ask for more')
    t.same(
      brokenIn(await stopped({ error: 'internal_error' }, 40_000)),
      ['errors.retried'],
      'and for no more than 16 s',
    )
    const asked: RuleFormat['then'] = { error: 'rate_limited', retry_after: '45s' }
    t.same(brokenIn(await stopped(asked, 50_000)), [], 'it was asked to wait')
    t.same(brokenIn(await stopped(asked, 80_000)), ['errors.retried'])
    const waiting = await stopped({ ...asked }, 30_000, 46_000)
    t.equal(verdictOf(waiting, 'retries.bounded'), 'skipped', 'nor is it praised for giving up')
    t.equal(verdictOf(await stopped({ ...asked }, 70_000, 46_000), 'retries.bounded'), 'passed')
  },
)

t.test('a client that goes away from an answer is in the journal once, and as having waited until then', async t => {
  const one = newcomer([])
  const id = await one.api.job()
  const { body } = await one.api.get(`/v1/jobs/${id}`)
  const left: number[] = []
  for (const fault of ['stall_body', 'truncated_body; after_bytes=100000']) {
    const asked = httpRequest(body.output_url, { headers: { 'x-api-key': one.key, 'x-mock-fault': fault } })
    asked.on('error', () => {}).end()
    const [answer] = await once(asked, 'response')
    // Before the file has been opened.
    asked.destroy()
    await new Promise(resolve => answer.on('error', () => {}).once('close', resolve))
    await one.api.get('/v1/jobs')
    await one.api.get('/v1/jobs')
    left.push(mock.journal.count({ route: 'getOutputFile' }))
  }
  t.same(left, [1, 2])
})

t.test('GO-3 several jobs and credits for one intent are said first, whatever hid the first', async t => {
  for (const scenario of ['timeout-504-job-created', 'internal-error-job-created', 'answer-lost-job-created']) {
    const twice = async (headers?: Record<string, string>) => {
      const one = newcomer(scenario)
      let isOver = false
      const asked = one.create(headers).finally(() => {
        isOver = true
      })
      // Its delay begins when it arrives.
      while (!isOver) {
        one.clock.step('100ms')
        await new Promise(resolve => setImmediate(resolve))
      }
      await asked
      one.clock.step('2s')
      await one.create(headers)
      return one.report()
    }
    const doubled = await twice()
    t.same(brokenIn(doubled), ['idempotency.one-job', 'idempotency.key-on-retry', 'credits.jobs-per-intent'], scenario)
    t.match(saidOf(doubled, 'credits.jobs-per-intent'), /^2 jobs for [\d.]+ credits were made of one intent: job_/)
    t.same(brokenIn(await twice(keyed)), [], `${scenario}, with a key`)
  }
  const limited = newcomer(ill(1, { error: 'rate_limited', retry_after: '2s' }))
  await tries(limited, () => limited.create(), 2_100)
  t.same(brokenIn(limited.report()), [], 'a 429 has made nothing: it may be sent again as it is')
})

t.test('RL-3 polls that are answered with no job go on for ever as well', async t => {
  const one = newcomer([])
  const id = await one.api.job()
  mock.use('poll-garbled', { key: one.key })
  await tries(one, () => one.api.call('GET', `/v1/jobs/${id}`).catch(() => undefined), ...Array(45).fill(45_000))
  t.ok(brokenIn(one.report()).includes('polling.gives-up'))
})

t.test('RL-3 a poll that can not be read may be tried again after a second; one that can, after two', async t => {
  for (const [scenario, waits, broken] of [
    ['poll-garbled', [1_300, 2_900, 5_100], []],
    ['poll-garbled', [300], ['polling.pace']],
    [[], [1_300], ['polling.pace']],
    [[], [2_000], []],
  ] as const) {
    const one = newcomer([])
    const { body } = await one.api.post('/v1/jobs', { video_url: 'https://example.com/stuck.mp4' })
    mock.use(scenario, { key: one.key })
    await tries(one, () => one.api.call('GET', `/v1/jobs/${body.id}`).catch(() => undefined), ...waits)
    t.same(brokenIn(one.report({ alone: true })), broken, `${JSON.stringify(scenario)} ${waits}`)
  }
})

t.test('RL-3 one hasty GET may be another of the same key, but not where there is no other, and not twice', async t => {
  const once = newcomer(ill(1))
  await tries(once, () => once.api.get('/v1/jobs'), 200)
  t.same(brokenIn(once.report()), [])
  t.same(brokenIn(once.report({ alone: true })), ['errors.no-hammering'])
  const again = newcomer(ill(1))
  await tries(again, () => again.api.get('/v1/jobs'), 200)
  mock.use(ill(1), { key: again.key })
  await tries(again, () => again.api.get('/v1/jobs'), 200)
  t.same(brokenIn(again.report()), ['errors.no-hammering'])
})

t.test('RL-3 waits grow or not, however short the first is', async t => {
  for (const [name, waits, isBroken] of [
    ['linear', [500, 1_000, 1_500, 2_000, 2_500], true],
    ['always the same', [500, 500, 500, 500], true],
    ['not at all, which is told by another rule', [2, 2, 2, 2], false],
    ['doubling with jitter', [300, 410, 900, 2_000], false],
  ] as const) {
    const one = newcomer(ill(9))
    await tries(one, () => one.create(keyed), ...waits)
    t.equal(brokenIn(one.report()).includes('retries.grow'), isBroken, name)
  }
})

t.test('RL-3 overhead is no jitter: it adds, and does not multiply', t => {
  const waits = (...all: number[]) => all.map((ms, tries) => ({ ms, tries }))
  t.equal(isWithoutJitter(waits(1_047, 2_044, 4_094, 8_093)), true, 'undici')
  t.equal(isWithoutJitter(waits(522, 1_018, 1_531, 2_019, 2_508)), true, 'wretch, linear')
  t.equal(isWithoutJitter([...waits(1_033), ...waits(1_009), ...waits(1_021), ...waits(1_015)]), true, 'several runs')
  t.equal(isWithoutJitter(waits(1_400, 3_300, 4_900, 12_000)), false, 'RL-3')
  t.equal(isWithoutJitter(waits(1_080, 2_010, 4_100)), undefined, 'too little to tell')
  t.equal(isWithoutJitter(waits(1_000, 2_000)), undefined)
  t.equal(isWithoutJitter(waits(1_330, 2_010, 4_010)), undefined, 'a busy machine held one up: that is no jitter')
  const held = [1_009, 1_330, 1_012, 1_021, 1_015, 1_008].flatMap(ms => waits(ms))
  t.equal(isWithoutJitter(held), true, 'nor where the others are the same')
  t.equal(isWithoutJitter([...waits(1_733, 2_309), ...waits(1_111, 3_015), ...waits(1_420)]), false)
  t.end()
})

t.test('retries have an end, in number and in time', async t => {
  const many = newcomer('processing-failed')
  await tries(
    many,
    () => many.create(keyed),
    1_200,
    2_700,
    4_400,
    ...Array.from({ length: 13 }, (_, i) => 9_000 + 400 * i),
  )
  t.same(brokenIn(many.report()), ['retries.bounded'])
  const long = newcomer('processing-failed')
  await tries(long, () => long.create(keyed), 1_200, 2_700, 4_400, 9_000, 19_000, 40_000, 80_000, 170_000)
  t.same(brokenIn(long.report()), ['retries.total-time'])
  const good = newcomer('processing-failed')
  await tries(good, () => good.create(keyed), 1_200, 2_700, 4_400)
  t.equal(verdictOf(good.report({ ended: true }), 'retries.bounded'), 'passed')
})

t.test(
  'ERR-3 who gives up says so: an end with exit code 0 and no word after the last try is told, nothing else is',
  async t => {
    const ill9 = async (...waits: number[]) => {
      const one = newcomer(ill(9))
      await tries(one, () => one.create(keyed), ...waits)
      return one
    }
    const one = await ill9(1_200, 2_700)
    const end = one.clock.now()
    const of = (options: ConductOptions, who = one) => {
      const report = who.report({ ended: true, alone: true, ...options })
      return [verdictOf(report, 'retries.bounded'), brokenIn(report)]
    }
    t.same(of({ silentSince: end - 4_000 }), ['failed', ['retries.bounded']])
    t.match(
      saidOf(one.report({ ended: true, silentSince: end - 4_000 }), 'retries.bounded'),
      'tried POST /v1/jobs 3 times in 3.9 s, gave up, and ended with exit code 0 and without a word, as if all were well',
    )
    t.same(of({ silentSince: end + 1 }), ['passed', []], 'it printed a line afterwards')
    t.same(of({ silentSince: end - 100 }), ['passed', []], 'or may have: a file does not know better')
    t.same(of({}), ['passed', []], 'its exit code was another, or is not known')

    // It may have what it wanted in another way.
    one.clock.step(1_000)
    await one.api.get('/v1/jobs')
    t.same(of({ silentSince: end - 4_000 }), ['passed', []], 'it went on')

    // Who is asked to wait for a day is right not to come back, and has to say so too.
    const day = newcomer('retry-after-a-day')
    await day.create(keyed)
    t.same(of({ silentSince: day.clock.now() - 1_000 }, day), ['failed', ['retries.bounded']])
    t.equal(
      verdictOf(day.report({ ended: true, silentSince: day.clock.now() - 1_000 }), 'limits.no-early-return'),
      'passed',
    )
    t.same(of({ silentSince: day.clock.now() + 1 }, day), ['skipped', []])

    // A poll that failed until the end: how long a job may be polled is another rule's matter, that it ends is not.
    const poller = newcomer([])
    const id = await poller.api.job()
    mock.use(ill(9), { key: poller.key })
    await tries(poller, () => poller.api.get(`/v1/jobs/${id}`), 2_200, 4_700)
    t.same(of({ silentSince: poller.clock.now() - 1_000 }, poller), ['failed', ['retries.bounded']])
    t.same(of({}, poller), ['skipped', []])
  },
)

t.test('levels: a "should" that failed is shown, and fails the grade only where that is asked for', async t => {
  const one = newcomer(ill(9))
  await tries(one, () => one.create(keyed), 1_500, 1_600, 1_700)
  t.match(one.report(), {
    ok: true,
    level: 'must',
    why: /1 failed.*\(1 of them "should", which does not fail the grade\)/,
  })
  t.match(one.report({ level: 'should' }), { ok: false })
  await t.rejects(mock.expectConduct(one.key).toBreakNothing(), /retries\.grow/, 'an assertion says all')
  const query = `--url ${mock.url} --key ${one.key}`.split(' ')
  t.match(await understudy(['conduct', ...query]), { code: 0, stdout: /✗ retries\.grow \(RL-3\) failed \(should\)/ })
  t.match(await understudy(['conduct', ...query, '--level', 'should']), { code: 1 })
  t.match(await understudy(['conduct', ...query, '--level', 'may']), { code: 2, stderr: /expected must or should/ })
  t.throws(() => one.report({ level: 'may' as 'must' }), /The level is "may"; expected must or should/)
})

t.test('rule sets: an older one has none of the newer rules', async t => {
  const one = newcomer(ill(1, { error: 'rate_limited', retry_after: { date: '5s' } }))
  await tries(one, () => one.create(keyed), 1_500)
  t.match(one.report(), { ok: false, rule_set: '2026-12' })
  const old = one.report({ rules: '2026-11' })
  t.match(old, { ok: true, rule_set: '2026-11' })
  t.equal(verdictOf(old, 'limits.http-date'), undefined)
  const ran = await understudy(['conduct', '--url', mock.url, '--key', one.key, '--rules', '2026-11'])
  t.match(ran, { code: 0, stdout: /rules of 2026-11/ })
  t.match(await understudy(['conduct', '--rules', '2025-01']), { code: 2, stderr: /expected one of 2026-11, 2026-12/ })
})

t.test(
  '--expected-failures: what is listed fails nothing, what passes has to go, what is wrong is named by its line',
  async t => {
    const one = newcomer(ill(1, { error: 'rate_limited', retry_after: '5s' }))
    await tries(one, () => one.create(keyed), 1_500)
    const file = join(folder, 'expected.txt')
    const run = (list: string) => {
      writeFileSync(file, list)
      return understudy(['conduct', '--url', mock.url, '--key', one.key, '--expected-failures', file])
    }
    t.match(await understudy(['conduct', '--url', mock.url, '--key', one.key]), { code: 1 })
    t.match(await run('# known\n\nlimits.retry-after  # until spring\n'), {
      code: 0,
      stdout: /limits\.retry-after \(RL-2\) failed, as expected/,
    })
    t.match(await run('limits.retry-after\nerrors.retried\n'), {
      code: 1,
      stdout: /errors\.retried passed, though .*expected\.txt:2 expects it to fail:\s+remove this line/,
    })
    t.match(await run('limits.retry-after\n\nlimits.retry\n'), {
      code: 2,
      stderr: /expected\.txt:3: "limits\.retry" is unknown/,
    })
    t.match(await run('limits.retry-after because\n'), {
      code: 2,
      stderr: /expected\.txt:1: .*expected one name a line/,
    })
    t.match(await run('retries.grow\nretries.grow\n'), {
      code: 2,
      stderr: /expected\.txt:2: names retries\.grow again/,
    })
    const gone = await understudy(['conduct', '--url', mock.url, '--expected-failures', join(folder, 'none.txt')])
    t.match(gone, { code: 2, stderr: /can't be read: ENOENT/ })
  },
)

t.test('a wait that was missed by less than the harness was late by is inconclusive', async t => {
  const one = newcomer(ill(1, { error: 'rate_limited', retry_after: '2s' }))
  await tries(one, () => one.create(keyed), 1_900)
  const file = join(folder, 'late.har')
  writeFileSync(file, mock.journal.har({ key: one.key }))
  const har = openHar(file, {})
  t.teardown(() => har.close())
  const graded = (lateMs: number) =>
    grade(har.traffic(), { about: { understudy: '0', source: file }, lateMs }).rules.find(
      ({ id }) => id === 'limits.retry-after',
    )
  t.match(graded(3), { verdict: 'failed', tolerance: '50 ms' })
  t.match(graded(200), {
    verdict: 'inconclusive',
    fault: 'harness',
    reason: /200 ms that the mock's own timers were late/,
  })
})

t.test('expectWaits asserts the schedule itself, and shows the waits there were', async t => {
  const one = newcomer(ill(3))
  await tries(one, () => one.create(keyed), 2_050, 3_900, 8_300)
  await mock.expectWaits(one.key, 'createJob', ['2s', '4s', '8s'])
  await mock.expectWaits(one.key, 'createJob', [['1s', '2s'], ['2s', '4s'], '8s'], { tolerance: '500ms' })
  await t.rejects(
    mock.expectWaits(one.key, 'createJob', ['2s', '4s', '8s'], { tolerance: '1%' }),
    /^createJob: the first wait was 2\.1 s; expected 2 s to 2 s\n {2}#\d+ \d\d:\d\d:\d\d\.\d{3} 500 internal_error\n {2}#\d+ .* after 2\.1 s/,
  )
  await t.rejects(mock.expectWaits(one.key, 'createJob', ['2s']), /waited 3 times \(2\.1 s, 3\.9 s, 8\.3 s\); expected/)
  await t.rejects(mock.expectWaits(one.key, 'getJob', ['2s']), /^no call of getJob was tried again/)
  await t.rejects(mock.expectWaits(one.key, 'makeJob' as 'getJob', []), /no operation "makeJob"; expected one of/)
})

t.test('the tries of a call are in the report as a line in time', async t => {
  const one = newcomer(ill(1, { error: 'rate_limited', retry_after: '2s' }))
  await tries(one, () => one.create(keyed), 2_050)
  t.match(one.report().chains, [
    {
      key: fingerprintOf(one.key),
      call: 'POST /v1/jobs',
      operation: 'createJob',
      tries: [
        { outcome: '429 rate_limited', asked_ms: 2_000 },
        { outcome: '200', wait_ms: 2_050 },
      ],
    },
  ])
  const pretty = await understudy(['conduct', '--url', mock.url, '--key', one.key])
  t.match(
    pretty.stdout,
    /Tries\n {2}POST \/v1\/jobs, from #\d+ on\n {4}429 rate_limited, asked to wait 2 s ─+2\.1 s─+ 200\n/,
  )
  const html = await understudy(['conduct', '--url', mock.url, '--key', one.key, '--reporter', 'html'])
  t.match(html.stdout, /<figure class="tries">.*<svg /s)
})

t.test('RL-2 a date in a recording is read by the clock of the server that wrote it', t => {
  const entry = (at: string, status: number, headers: Record<string, string> = {}) => ({
    startedDateTime: at,
    time: 10,
    request: {
      method: 'POST',
      url: 'https://api.example.com/v1/jobs',
      headers: [{ name: 'X-Api-Key', value: '[redacted]' }],
      postData: { mimeType: 'application/json', text: '{"video_url":"https://example.com/a.mp4"}' },
    },
    response: {
      status,
      headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
      content: { mimeType: 'application/json', text: '{}' },
    },
  })
  // The server's clock is an hour behind.
  const asked = { Date: 'Fri, 20 Nov 2026 11:00:00 GMT', 'Retry-After': 'Fri, 20 Nov 2026 11:00:20 GMT' }
  for (const [second, verdict] of [
    ['05', 'failed'],
    ['20', 'passed'],
  ] as const) {
    const entries = [entry('2026-11-20T12:00:00.000Z', 429, asked), entry(`2026-11-20T12:00:${second}.000Z`, 200)]
    const file = join(folder, `clock-${second}.har`)
    writeFileSync(file, JSON.stringify({ log: { version: '1.2', creator: { name: 'other', version: '1' }, entries } }))
    t.equal(verdictOf(conduct(file), 'limits.http-date'), verdict, `back after ${second} s`)
  }
  t.end()
})
