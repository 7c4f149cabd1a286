/** Exactness: which calls a rule meets and how often, chance, percentiles, seeds, delays. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import autocannon from 'autocannon'
import t from 'tap'
import type { RuleFormat } from '../../client/scenarioFormat.ts'
import { client, isProving, start } from '../support.ts'

const atOnce = isProving ? 1000 : 250

t.test(`GO-5 ${atOnce} parallel calls on a rule with first: 3 fire it exactly three times`, async t => {
  const mock = await start(t)
  const handle = mock.use([{ name: 'three', when: { route: 'listJobs' }, first: 3, then: { error: 'internal_error' } }])
  const api = client(mock)
  const answers = await Promise.all(Array.from({ length: atOnce }, () => api.get('/v1/jobs?limit=1')))
  t.equal(answers.filter(({ status }) => status === 500).length, 3)
  t.equal(answers.filter(({ status }) => status === 200).length, atOnce - 3)
  t.equal(handle.count('three'), 3)
})

t.test('counters are per world: each key has its own first call', async t => {
  const mock = await start(t)
  mock.use([{ name: 'one', first: 1, then: { error: 'internal_error' } }])
  for (const key of ['test_a', 'test_b']) {
    t.equal((await client(mock, key).get('/v1/jobs')).status, 500)
    t.equal((await client(mock, key).get('/v1/jobs')).status, 200)
  }
})

const turns: [rule: Partial<RuleFormat>, fires: number[]][] = [
  [{ first: 3 }, [1, 2, 3]],
  [{ after: 5 }, [6, 7, 8, 9, 10, 11, 12]],
  [{ after: 2, first: 3 }, [3, 4, 5]],
  [{ every: 4 }, [4, 8, 12]],
  [{ every: 2, after: 3 }, [5, 7, 9, 11]],
  [{ every: 3, times: 2 }, [3, 6]],
  [{ when: { calls: 3 } }, [3]],
  [{ when: { calls: '2-4' } }, [2, 3, 4]],
  [{ when: { calls: '11-' } }, [11, 12]],
  [{ when: { time: '2s-4s' } }, [3, 4]],
  [{ when: { time: '9s-' } }, [10, 11, 12]],
  [{ after: 4, for: '3s' }, [5, 6, 7]],
]

t.test('first, after, every, times, calls, time and for fire on these of twelve calls, a second apart', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  for (const [i, [rule, fires]] of turns.entries()) {
    const key = `test_turn_${i}`
    mock.use([{ ...rule, then: { error: 'internal_error' } }], { key })
    const fired: number[] = []
    for (let call = 1; call <= 12; call++) {
      if ((await client(mock, key).get('/v1/jobs')).status === 500) fired.push(call)
      mock.clock.step('1s')
    }
    t.same(fired, fires, JSON.stringify(rule))
  }
})

const matches: [when: RuleFormat['when'], fits: () => Promise<number>[], fails: () => Promise<number>[]][] = []
{
  const json = { video_url: 'https://e.com/a.mp4#t=1', output_format: 'mov', metadata: { user: 7 } }
  const mock = () => shared
  const post = (body: object, headers?: Record<string, string>) =>
    client(mock(), 'test_match')
      .post('/v1/jobs', body, headers)
      .then(({ status }) => status)
  const get = (path: string, headers?: Record<string, string>, key = 'test_match') =>
    client(mock(), key)
      .get(path, headers)
      .then(({ status }) => status)
  matches.push(
    [{ route: 'POST /v1/jobs' }, () => [post(json)], () => [get('/v1/jobs')]],
    [
      { route: ['listJobs', '/v1/usage/*'] },
      () => [get('/v1/jobs'), get('/v1/usage/events')],
      () => [get('/api/pricing')],
    ],
    [{ route: 'GET /v1/*' }, () => [get('/v1/jobs')], () => [post(json), get('/health')]],
    [{}, () => [get('/v1/jobs'), post(json)], () => [get('/health')]],
    [{ route: 'getHealth' }, () => [get('/health')], () => [get('/v1/jobs')]],
    [{ method: 'POST' }, () => [post(json)], () => [get('/v1/jobs')]],
    [{ key: 'test_ma*' }, () => [get('/v1/jobs')], () => [get('/v1/jobs', {}, 'test_other')]],
    [{ header: { 'User-Agent': 'node*' } }, () => [get('/v1/jobs')], () => [get('/v1/jobs', { 'user-agent': 'curl' })]],
    [{ header: { 'idempotency-key': null } }, () => [post(json)], () => [post(json, { 'idempotency-key': 'k' })]],
    [
      { query: { status: ['failed', 'completed'], limit: 5 } },
      () => [get('/v1/jobs?limit=5&status=failed')],
      () => [get('/v1/jobs?limit=6&status=failed')],
    ],
    [
      { body: { output_format: 'mov', 'metadata.user': 7 } },
      () => [post(json)],
      () => [post({ ...json, output_format: 'gif' }), post({ ...json, metadata: {} }), get('/v1/jobs')],
    ],
    [{ body: { text_prompt: null } }, () => [post(json)], () => [post({ ...json, text_prompt: 'x' })]],
  )
}
const shared = await start(t)

t.test('route, method, key, header, query and body each decide which calls a rule meets', async t => {
  for (const [when, fits, fails] of matches) {
    using handle = shared.use([{ name: 'r', when, then: { status: 418, body: 'met' } }])
    for (const status of await Promise.all(fits())) t.equal(status, 418, JSON.stringify(when))
    const met = handle.count('r')
    for (const status of await Promise.all(fails())) t.equal(status, 200, `not ${JSON.stringify(when)}`)
    t.equal(handle.count('r'), met)
  }
})

t.test('JOB-4 job_state is the state of the job in the path, for a download without a key too', async t => {
  const mock = await start(t)
  const api = client(mock)
  const [done, draft] = [await api.job(), await api.job({ auto_start: false })]
  mock.use([{ when: { job_state: 'completed' }, then: { error: 'timeout' } }])
  t.equal((await api.get(`/v1/jobs/${done}`)).status, 504)
  t.equal((await api.get(`/v1/jobs/${draft}`)).status, 200)
  t.equal((await client(mock, null).get(`/api/download/${done}`)).status, 504)
  t.equal((await client(mock, null).get(`/api/download/${draft}`)).status, 400)
})

t.test('the first rule that fires decides; a body, a patch, headers and a status are as the rule says', async t => {
  const mock = await start(t)
  const api = client(mock)
  const id = await api.job()
  mock.use([
    { name: 'own', when: { route: 'listJobs' }, then: { status: 202, body: { jobs: [] }, headers: { 'x-own': 1 } } },
    {
      name: 'changed',
      when: { route: 'getJob' },
      then: { patch: { status: 'paused', webhook_url: null, extra: { a: 1 } } },
    },
    {
      name: 'named',
      when: { route: 'getDownload' },
      then: { error: 'not_found', message: 'Gone fishing', status: 410 },
    },
    {
      name: 'bare',
      when: { route: 'getPricing' },
      then: { error: 'rate_limited', headers: { 'retry-after': null, ratelimit: null } },
    },
  ])
  const own = await api.get('/v1/jobs')
  t.match([own.status, own.body, own.headers.get('x-own')], [202, { jobs: [] }, '1'])
  const { body } = await api.get(`/v1/jobs/${id}`)
  t.match(body, { id, status: 'paused', extra: { a: 1 }, output_url: /^http/ })
  t.notOk('webhook_url' in body)
  t.match(await api.get(`/api/download/${id}`), {
    status: 410,
    body: { error: { code: 'not_found', message: 'Gone fishing' } },
  })
  const bare = await api.get('/api/pricing')
  t.equal(bare.status, 429)
  t.equal(bare.headers.get('retry-after') ?? bare.headers.get('ratelimit'), null)
})

t.test('RL-2 a rate_limited of a rule carries Retry-After and all limit headers', async t => {
  const mock = await start(t)
  const { headers } = await client(mock).get('/v1/jobs', { 'x-mock-fault': 'rate_limited; retry_after=2500ms' })
  t.equal(headers.get('retry-after'), '3', 'whole seconds, rounded up: waiting that long is enough')
  t.equal(headers.get('ratelimit'), '"requests";r=0;t=3')
  t.equal(headers.get('x-ratelimit-remaining'), '0')
  const bare = await client(mock).get('/v1/jobs', { 'x-mock-fault': 'rate_limited' })
  t.equal(bare.headers.get('retry-after'), '1', 'one is there, whether the rule says it or not')
})

t.test('RL-2 X-Mock-Fault says Retry-After in each form that a rule has', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  const ask = (wait: string) => client(mock).get('/v1/jobs', { 'x-mock-fault': `rate_limited; retry_after=${wait}` })
  const date = (await ask('{"date":"5s"}')).headers.get('retry-after') ?? ''
  const ahead = Date.parse(date) - mock.clock.now()
  t.ok(ahead >= 5_000 && ahead < 6_000, `${date} is ${ahead} ms ahead`)
  const said: Record<string, string | null> = {
    '{"text":"120junk"}': '120junk',
    null: null,
    '-5': '-5',
    '[1,2]': '1, 2',
  }
  for (const [wait, expected] of Object.entries(said))
    t.equal((await ask(wait)).headers.get('retry-after'), expected, wait)
  for (const wait of ['{"date":', '{"date":"soon"}', '[1]', '{"day":1}']) {
    const { status, body } = await ask(wait)
    t.match([status, body.error?.message], [400, /retry_after/], wait)
  }
})

t.test('a probability of 0 is byte-identical to no rule at all', async t => {
  const bytes = async (rules: RuleFormat[] | undefined) => {
    const mock = await start(t, { seed: 'same', rateLimit: 50, mockHeaders: false })
    mock.clock.freeze()
    if (rules) mock.use(rules)
    const socket = connect(mock.port, '127.0.0.1')
    const body = '{"video_url":"https://e.com/a.mp4"}'
    const head = (line: string, length = 0) =>
      `${line} HTTP/1.1\r\nHost: mock\r\nX-Api-Key: test_a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n`
    socket.write(
      `${head('POST /v1/jobs', body.length)}\r\n${body}${head('GET /v1/jobs/none')}\r\n${head('GET /v1/jobs')}Connection: close\r\n\r\n`,
    )
    const all = await text(socket)
    return all
      .replace(/^Date: .*$/gm, '')
      .replace(/^x-ratelimit-reset: .*$/gm, '')
      .replace(/"created_at":"[^"]*"/, '')
  }
  const never: RuleFormat = { when: { probability: 0 }, then: { error: 'internal_error', delay: '1h' } }
  const without = await bytes(undefined)
  t.match(without, /HTTP\/1\.1 200 OK[\s\S]*HTTP\/1\.1 404 Not Found[\s\S]*HTTP\/1\.1 200 OK/)
  t.equal(await bytes([never]), without)
})

const draws = isProving ? 5000 : 500

t.test(`a probability of 0.5 lies within its bounds over ${2 * draws} calls, alike or not`, async t => {
  const mock = await start(t, { speed: 'instant' })
  const handle = mock.use([{ name: 'half', when: { route: 'listJobs', probability: 0.5 }, then: { error: 'timeout' } }])
  const load = (path: string, amount: number, setupClient?: autocannon.Options['setupClient']) =>
    autocannon({ url: mock.url + path, amount, connections: 10, headers: { 'x-api-key': 'test_a' }, setupClient })
  const alike = await load('/v1/jobs', draws)
  let n = 0
  const others = await load('/v1/jobs', draws, one =>
    one.on('response', () =>
      one.setRequest({ path: `/v1/jobs?offset=${n++}`, method: 'GET', headers: { 'x-api-key': 'test_a' } }),
    ),
  )
  // Three standard deviations: with a fixed seed it is the same number in every run.
  for (const { '5xx': failed, '2xx': good } of [alike, others]) {
    t.equal(failed + good, draws)
    t.ok(Math.abs(failed - draws / 2) < 3 * Math.sqrt(draws / 4), `${failed} of ${draws}`)
  }
  t.equal(handle.count('half'), alike['5xx'] + others['5xx'])
})

t.test('16 parallel workers get the same outcome a request as one after another, with the same seed', async t => {
  const outcomes = async (seed: string, workers: number) => {
    // Credits that end would end for whoever comes last.
    const mock = await start(t, { seed, credits: 1_000_000 })
    mock.use([{ when: { probability: 0.4 }, then: { error: 'internal_error', delay: { p50: '0ms', p99: '3ms' } } }])
    const api = client(mock)
    const found: Record<string, number> = {}
    const asked = Array.from({ length: isProving ? 160 : 40 }, (_, i) => i)
    const work = async () => {
      for (let i = asked.shift(); i !== undefined; i = asked.shift()) {
        found[`create ${i}`] = (await api.post('/v1/jobs', { video_url: `https://e.com/${i}.mp4` })).status
        found[`get ${i}`] = (await api.get(`/v1/jobs/job_${i}`)).status
        found[`draw ${i}`] = (await api.get('/v1/jobs', { 'x-mock-draw': `${i}` })).status
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
    return Object.fromEntries(Object.entries(found).sort())
  }
  const one = await outcomes('a', 1)
  // 0.4 of three calls each, less what a fixed seed may lack.
  const [failed, all] = [Object.values(one).filter(status => status === 500).length, Object.keys(one).length]
  t.ok(failed > 0.3 * all, `${failed} of ${all}`)
  t.same(await outcomes('a', 16), one)
  t.notSame(await outcomes('b', 16), one)
})

t.test('asked percentiles of delay are met as measured: so many calls are answered by then', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  const handle = mock.use([
    { name: 'slow', then: { delay: { min: '100ms', p50: '400ms', p90: '1s', p99: '3s', max: '9s' } } },
  ])
  const calls = Array.from({ length: 400 }, (_, i) => client(mock).get(`/v1/jobs?offset=${i}`))
  await handle.fired('slow', { times: 400 })
  let at = 0
  const answeredBy = async (ms: number) => {
    mock.clock.step(ms - at)
    at = ms
    await new Promise(setImmediate)
    return mock.journal.count() / 400
  }
  t.equal(await answeredBy(99), 0)
  const within = (share: number, asked: number) => t.ok(Math.abs(share - asked) < 0.06, `${share} of ${asked}`)
  within(await answeredBy(400), 0.5)
  within(await answeredBy(1000), 0.9)
  within(await answeredBy(3000), 0.99)
  t.equal(await answeredBy(9000), 1)
  for (const { status } of await Promise.all(calls)) t.equal(status, 200)
  const delays = mock.journal.entries({ kind: 'exchange' }).map(({ delay_ms }) => delay_ms as number)
  t.ok(Math.min(...delays) >= 100 && Math.max(...delays) <= 9000)
})

t.test('two runs with one seed give byte-identical journals, times and ports aside', async t => {
  const journal = async (seed: string) => {
    const mock = await start(t, { seed, scenario: 'brownout' })
    mock.clock.freeze()
    const api = client(mock)
    for (let i = 0; i < 15; i++) {
      await api.post(
        '/v1/jobs',
        { video_url: `https://e.com/${i}.mp4` },
        { 'x-mock-fault': i % 2 ? 'delay=0ms' : 'wrong_status; status=503' },
      )
      // Not delayed: a rule of the scenario may be.
      const waiting = api.get(`/v1/jobs/none_${i}`)
      await mock.journal.waitFor({ route: 'createJob' }, { atLeast: i + 1 })
      while ((mock.journal.entries({ route: 'getJob' }).length ?? 0) <= i) {
        mock.clock.step('5s')
        await new Promise(setImmediate)
      }
      await waiting
    }
    const entries = mock.journal.entries({ kind: 'exchange' })
    t.ok(entries.some(({ rule, draw }) => rule === 'many-errors' && draw !== undefined))
    const aside = /"(time|ms|host|date|x-ratelimit-reset|created_at)":("[^"]*"|[\d.]+)/g
    return entries.map(entry => JSON.stringify(entry).replace(aside, '').replaceAll(String(mock.port), 'PORT'))
  }
  const [one, again, other] = [await journal('a'), await journal('a'), await journal('b')]
  t.same(again, one)
  t.notSame(other, one)
})

t.test('a call that waits when its world is reset is ended, not left waiting for good', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  const handle = mock.use([{ name: 'slow', then: { delay: '1m' } }])
  const waiting = client(mock, 'test_a').get('/v1/jobs')
  await handle.fired('slow')
  mock.reset('test_a')
  await t.rejects(waiting)
})

t.test('a value twice in a condition counts a call once', async t => {
  const mock = await start(t)
  mock.use([{ when: { header: { 'x-a': ['v', 'v'] }, calls: 2 }, then: { error: 'timeout' } }])
  const call = async () => (await client(mock).get('/v1/jobs', { 'x-a': 'v' })).status
  t.same([await call(), await call(), await call()], [200, 504, 200])
})

t.test('X-Mock-Fault: quotes keep a semicolon, broken_envelope takes its turns, odd texts are refused', async t => {
  const api = client(await start(t))
  const fault = (text: string) => api.get('/v1/jobs', { 'x-mock-fault': text })
  t.equal((await fault('internal_error; message="a; b=c"')).body.error.message, 'a; b=c')
  t.equal((await fault('internal_error; message="42"')).body.error.message, '42')
  const missing = []
  for (let i = 0; i < 4; i++) {
    const { body } = await fault('broken_envelope')
    missing.push(['code', 'message', 'request_id'].find(field => body.error && !(field in body.error)) ?? 'error')
  }
  t.same(missing, ['code', 'message', 'request_id', 'error'])
  for (const text of ['nope', '""', '__proto__=5', ';', 'timeout; delay', 'status=503; pass=never']) {
    t.match(await fault(text), { status: 400, body: { error: { message: /X-Mock-Fault/ } } }, text)
  }
})

t.test('pipelined: a reset waits for its turn, and comes', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  const handle = mock.use([
    { name: 'slow', when: { route: 'getPricing' }, then: { delay: '1s' } },
    { name: 'cut', when: { route: 'listJobs' }, then: { fault: 'reset' } },
  ])
  const socket = connect(mock.port, '127.0.0.1')
  const closed = once(socket, 'close').catch(error => [error])
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: mock\r\nX-Api-Key: test_a\r\n\r\n`
  socket.on('error', () => {}).resume()
  socket.write(request('/api/pricing') + request('/v1/jobs'))
  await Promise.all([handle.fired('slow'), handle.fired('cut')])
  mock.clock.step('1s')
  await closed
})

t.test('a delay counts from when its rule fired, on calls with a body too', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  const handle = mock.use([{ name: 'slow', when: { route: 'createJob' }, then: { delay: '10m' } }])
  const answer = client(mock).post('/v1/jobs', { video_url: 'https://e.com/a.mp4' })
  await handle.fired('slow')
  mock.clock.step('10m')
  t.equal((await answer).status, 200)
})

t.test('X-Mock-Fault is refused where it could never act, and breaks a real envelope where it is let pass', async t => {
  const api = client(await start(t))
  const refused = await api.get('/v1/jobs', { 'x-mock-fault': 'slow_upload' })
  t.match(refused, {
    status: 400,
    body: { error: { message: /slow_upload can never act: no call of the route has a body/ } },
  })
  const broken = await api.get('/v1/jobs/none', { 'x-mock-fault': 'broken_envelope; missing=code; pass=before_delay' })
  t.match(broken, { status: 404, body: { error: { message: 'Job not found' } } })
  t.notOk('code' in broken.body.error)
  const whole = await api.get('/v1/jobs', { 'x-mock-fault': 'broken_envelope; pass=before_delay' })
  t.match(whole, { status: 200, body: { jobs: [] } })
})

t.test('close() ends what is held, and a step of the clock what is delayed', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  const handle = mock.use([
    { name: 'hour', when: { route: 'listJobs' }, then: { delay: '1h' } },
    { name: 'silent', when: { route: 'getPricing' }, then: { fault: 'no_answer' } },
  ])
  const delayed = client(mock).get('/v1/jobs')
  await handle.fired('hour')
  const socket = connect(mock.port, '127.0.0.1')
  socket.write('GET /api/pricing HTTP/1.1\r\nHost: mock\r\n\r\n')
  await handle.fired('silent')
  mock.clock.step('1h')
  t.equal((await delayed).status, 200)
  const since = performance.now()
  await Promise.all([once(socket, 'close'), mock.close()])
  t.ok(performance.now() - since < 900)
})
