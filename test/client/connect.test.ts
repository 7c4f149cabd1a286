/** One table of what a mock's methods do, held against startMock()'s result and against connectMock()'s. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { ConfigError } from '../../base/options.ts'
import { TargetError } from '../../base/targetError.ts'
import { connectMock } from '../../client/connect.ts'
import type { ConnectedMock, JournalEntry, JournalFilter, KeyChange, RunningMock } from '../../client/mock.ts'
import type { ScenarioFile } from '../../client/scenarioFormat.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import type { MockOptions } from '../../server/config.ts'
import { client, start } from '../support.ts'

type AnyMock = RunningMock | ConnectedMock
type Api = ReturnType<typeof client>
const key = 'test_table'

/** Both throw or reject with the same name, code and text. */
const refuses = (t: Test, run: () => unknown, expected: { name: string; code: string; message: RegExp }) =>
  t.rejects(async () => await run(), expected)

const broken: ScenarioFile = {
  rules: [{ name: 'broken', when: { route: 'listJobs' }, then: { error: 'internal_error' } }],
}
const oldName = (given: object) => given as KeyChange & JournalFilter

const methods: Record<string, (t: Test, mock: AnyMock, api: Api) => Promise<void>> = {
  async 'url, key and seed'(t, mock) {
    t.match(mock.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    t.equal(mock.key, 'test_key')
    t.equal(mock.seed, 'test')
  },
  async 'journal.entries, read, count and clear'(t, mock, api) {
    await api.get('/v1/jobs')
    await api.get('/v1/jobs/none')
    t.match(await mock.journal.entries({ key, kind: 'exchange' }), [
      { kind: 'exchange', method: 'GET', route: 'GET /v1/jobs', status: 200, request_id: /^req_/ },
      { route: 'GET /v1/jobs/{job_id}', status: 404 },
    ])
    const [, missing] = await mock.journal.entries({ kind: 'exchange', key })
    t.equal(await mock.journal.count({ requestId: missing?.request_id ?? '' }), 1)
    t.equal(await mock.journal.count({ route: 'getJob', status: '4xx' }), 1)
    const page = await mock.journal.read({ key }, 1)
    t.match(page, { entries: { length: 1 }, count: 2, evicted: 0, complete: true, next: Number })
    t.match(await mock.journal.read({ key, since: page.next ?? 0 }), { entries: [{ status: 404 }], next: null })
    await mock.journal.clear('test_other')
    t.equal(await mock.journal.count(), 2)
    await mock.journal.clear(key)
    t.equal(await mock.journal.count(), 0)
    await refuses(t, () => mock.journal.count(oldName({ request_id: 'a' })), {
      name: 'ConfigError',
      code: 'ERR_CONFIG',
      message: /no option "request_id"; it is requestId/,
    })
  },
  async 'journal.har'(t, mock, api) {
    await api.get('/v1/jobs')
    t.match(JSON.parse(await mock.journal.har({ key })), { log: { version: '1.2', entries: { length: 1 } } })
    t.match(JSON.parse(await mock.journal.har({ jobId: 'none' })), { log: { entries: { length: 0 } } })
  },
  async 'journal.waitFor'(t, mock, api) {
    const waiting = mock.journal.waitFor({ key, route: 'getJob' }, { atLeast: 2, within: '20s' })
    await api.get('/v1/jobs/a')
    await api.get('/v1/jobs')
    await api.get('/v1/jobs/b')
    t.match(await waiting, [{ url: '/v1/jobs/a' }, { url: '/v1/jobs/b' }])
    await refuses(t, () => mock.journal.waitFor({ route: 'createJob' }, { within: 20 }), {
      name: 'WaitTimeoutError',
      code: 'ERR_WAIT_TIMEOUT',
      message: /^waited 20ms for 1 entry with \{"route":"createJob"\}, found 0 of 3 in the journal$/,
    })
  },
  async 'journal.listen'(t, mock, api) {
    const heard: JournalEntry[] = []
    let tell = () => {}
    const two = new Promise<void>(resolve => {
      tell = resolve
    })
    const stop = await mock.journal.listen({ key, status: 404 }, entry => heard.push(entry) === 2 && tell())
    for (const id of ['a', 'b']) await api.get(`/v1/jobs/${id}`)
    await api.get('/v1/jobs')
    await two
    stop()
    await api.get('/v1/jobs/c')
    t.match(heard, [{ url: '/v1/jobs/a' }, { url: '/v1/jobs/b' }])
    t.equal(heard.length, 2)
  },
  async 'clock and clockOf'(t, mock) {
    await mock.clock.freeze()
    const began = await mock.clock.now()
    await mock.clock.step('1.5s')
    await mock.clock.step(500)
    t.equal((await mock.clock.now()) - began, 2000)
    const own = mock.clockOf(key)
    await own.step('1h')
    t.equal((await own.now()) - (await mock.clock.now()), 3_600_000)
    await mock.clock.setSpeed(10)
    await mock.clock.resume()
    t.ok((await mock.clock.now()) >= began + 2000)
    const wrong = { name: 'ConfigError', code: 'ERR_CONFIG' }
    await refuses(t, () => mock.clock.step(-1), { ...wrong, message: /^-1 is not a time/ })
    await refuses(t, () => mock.clock.setSpeed(0), { ...wrong, message: /^The speed is 0; expected a number above 0/ })
    await refuses(t, () => mock.clockOf('wrong').now(), {
      name: 'ControlError',
      code: 'ERR_CONTROL',
      message: /the key is not valid/,
    })
  },
  async 'use, and what it gives'(t, mock, api) {
    const handle = await mock.use(broken.rules ?? [], { key })
    t.equal((await api.get('/v1/jobs')).status, 500)
    await handle.fired('broken', { within: '20s' })
    t.equal(await handle.count('broken'), 1)
    t.same(await handle.counts, { broken: 1 })
    await handle.assertAllFired()
    const above = await mock.use('answer-lost-job-created', { key })
    t.match(await mock.activeScenario(key), { scenario: 'answer-lost-job-created', rules: [{ name: 'lost-answer' }] })
    await refuses(t, () => above.assertAllFired(), {
      name: 'ControlError',
      code: 'ERR_CONTROL',
      message: /^answer-lost-job-created: never fired: lost-answer; /,
    })
    await refuses(t, () => above.fired('lost-answer', { within: 10 }), {
      name: 'WaitTimeoutError',
      code: 'ERR_WAIT_TIMEOUT',
      message: /^waited 10ms for lost-answer to fire 1 time; it fired 0 times$/,
    })
    await above.end()
    t.equal((await api.get('/v1/jobs')).status, 500, 'what was there before is there again')
    await handle.end()
    t.equal((await api.get('/v1/jobs')).status, 200)
    t.equal(await handle.count('broken'), 2, 'the count outlives it')
    await refuses(t, () => handle.count('brokne'), {
      name: 'ConfigError',
      code: 'ERR_CONFIG',
      message: /no rule "brokne"; expected one of broken$/,
    })
    await refuses(t, () => mock.use('no-such-scenario'), {
      name: 'ScenarioError',
      code: 'ERR_SCENARIO',
      message: /no-such-scenario/,
    })
    await refuses(t, () => mock.use('job-stuck', { key: 'wrong' }), {
      name: 'ControlError',
      code: 'ERR_CONTROL',
      message: /the key is not valid/,
    })
  },
  async 'activeScenario without one'(t, mock) {
    t.match(await mock.activeScenario(), { scenario: null, why: /none is switched on/ })
  },
  async explain(t, mock, api) {
    const handle = await mock.use(broken, { key })
    const { headers } = await api.get('/v1/jobs/none')
    await handle.end()
    const id = headers.get('x-request-id') ?? ''
    t.match(await mock.explain(id), { request_id: id, rules: [{ rule: 'broken', verdict: 'not_met' }] })
    await refuses(t, () => mock.explain('req_none'), {
      name: 'ControlError',
      code: 'ERR_CONTROL',
      message: /the journal has no request "req_none"/,
    })
  },
  async setKey(t, mock, api) {
    t.match(await mock.setKey({ key, credits: 5, topUp: 2, rateLimit: { calls: 1, per: '10m' }, jobLimit: 3 }), {
      key_fingerprint: String,
      credits: { available: 7, reserved: 0 },
      rate_limit: { calls: 1, per_ms: 600_000, remaining: 1 },
      job_limit: { calls: 3 },
    })
    const statuses = [(await api.get('/v1/jobs')).status, (await api.get('/v1/jobs')).status]
    t.same(statuses, [200, 429])
    t.match((await mock.setKey({})).key, /^test_/)
    await refuses(t, () => mock.setKey(oldName({ top_up: 2 })), {
      name: 'ConfigError',
      code: 'ERR_CONFIG',
      message: /no option "top_up"; it is topUp/,
    })
  },
  async setJob(t, mock, api) {
    const id = await api.job({ auto_start: false })
    t.match(await mock.setJob(id, { status: 'failed', error: 'Bad frame' }), {
      id,
      status: 'failed',
      error: 'Bad frame',
    })
    await refuses(t, () => mock.setJob('job_none', { status: 'failed' }), {
      name: 'ControlError',
      code: 'ERR_CONTROL',
      message: /there is no job "job_none"/,
    })
    await refuses(t, () => mock.setJob(id, { progress: 50 }), {
      name: 'ControlError',
      code: 'ERR_CONTROL',
      message: /progress is 50, but the job is failed/,
    })
  },
  async 'conduct and expectConduct'(t, mock, api) {
    for (let i = 0; i < 3; i++) await api.get('/v1/jobs/none')
    const report = await mock.conduct(key, { require: ['RL-2'], maxPollTime: '10m', ended: true })
    t.match(report, { calls: 3, ok: false, why: /RL-2/ })
    await refuses(t, () => mock.expectConduct(key).toKeep('ERR-3'), {
      name: 'ConductError',
      code: 'ERR_CONDUCT',
      message: /^ERR-3 failed\n/,
    })
    await refuses(t, () => mock.expectConduct('test_other').toBreakNothing(), {
      name: 'ConductError',
      code: 'ERR_CONDUCT',
      message: /^nothing was seen/,
    })
    await refuses(t, () => mock.conduct(key, { require: ['ERR-33' as ClauseId] }), {
      name: 'ConfigError',
      code: 'ERR_CONFIG',
      message: /no rule of conduct or clause "ERR-33"/,
    })
  },
  async expectWaits(t, mock, api) {
    await mock.use('internal-error-once', { key })
    const clock = mock.clockOf(key)
    await clock.freeze()
    const create = () => api.post('/v1/jobs', { video_url: 'https://example.com/a.mp4' }, { 'idempotency-key': 'a' })
    await create()
    await clock.step('2s')
    await create()
    await mock.expectWaits(key, 'createJob', ['2s'], { tolerance: '20%' })
    await t.rejects(mock.expectWaits(key, 'createJob', ['4s']), {
      name: 'ConductError',
      message: /the first wait was 2 s/,
    })
    const graded = await mock.conduct(key, {
      level: 'should',
      rules: '2026-11',
      alone: true,
      stoppedAt: await clock.now(),
      silentSince: await clock.now(),
    })
    t.match(graded, { level: 'should', rule_set: '2026-11' })
    await refuses(t, () => mock.conduct(key, { rules: '2025-01' as never }), {
      name: 'ConfigError',
      code: 'ERR_CONFIG',
      message: /no rule set "2025-01"/,
    })
  },
  async tls(t, mock) {
    t.equal(mock.tls.ca, undefined)
    const none = { name: 'ControlError', code: 'ERR_CONTROL', message: /speaks no TLS; start it with --tls/ }
    await refuses(t, () => mock.tls.state(), none)
    await refuses(t, () => mock.tls.use('wrong_host'), none)
    await refuses(t, () => mock.tls.end(), none)
    await refuses(t, () => mock.tls.use('wrong_host', { connections: 0 }), {
      name: 'ConfigError',
      code: 'ERR_CONFIG',
      message: /connections is 0/,
    })
  },
  async 'snapshot, restore and reset'(t, mock, api) {
    const id = await api.job()
    const saved = await mock.snapshot(key)
    t.match(saved, { understudy_snapshot: 1, jobs: [{ view: { id } }] })
    await mock.reset(key)
    t.equal((await api.get(`/v1/jobs/${id}`)).status, 404)
    await mock.restore(key, saved)
    t.equal((await api.get(`/v1/jobs/${id}`)).status, 200)
    await refuses(t, () => mock.restore(key, { ...saved, jobs: [...saved.jobs, ...saved.jobs] }), {
      name: 'ControlError',
      code: 'ERR_CONTROL',
      message: /Invalid request|two jobs|twice/,
    })
    await mock.reset()
    t.equal((await api.get(`/v1/jobs/${id}`)).status, 404)
  },
}

for (const [title, run] of Object.entries(methods))
  for (const kind of ['startMock', 'connectMock'])
    t.test(`${title}: ${kind}()`, async t => {
      const own = await start(t)
      const mock = kind === 'startMock' ? own : await connected(t, own.url)
      await run(t, mock, client(own, key))
    })

t.test('every method of startMock() is in the table, and connectMock() has it', async t => {
  const own = await start(t)
  const mock = await connected(t, own.url)
  const titles = Object.keys(methods).join(' ')
  for (const [of, to] of [
    [own, mock],
    [own.journal, mock.journal],
    [own.clock, mock.clock],
  ] as [object, object][])
    for (const name of Object.keys(of)) {
      if (name === 'port') continue
      t.ok(name in to, name)
      const isTold = of === own.clock || /^(close|waitFor)$/.test(name) || new RegExp(`\\b${name}\\b`).test(titles)
      t.ok(isTold, `${name} is in the table`)
    }
})

t.test('await using closes the mock, and disconnects from one that goes on', async t => {
  const own = await start(t)
  const mock = await connectMock(own.url)
  await mock.journal.listen({}, () => {})
  await mock[Symbol.asyncDispose]()
  await t.rejects(mock.journal.count(), { code: 'ERR_TARGET', message: /close\(\) has disconnected/ })
  t.equal((await client(own).get('/health')).status, 200)
  await own[Symbol.asyncDispose]()
  await t.rejects(fetch(own.url))
  const other = await start(t)
  const scenario = await (await connected(t, other.url)).use(broken, { key })
  await scenario[Symbol.asyncDispose]()
  t.equal((await client(other, key).get('/v1/jobs')).status, 200)
})

t.test('a target that is not an open mock of this version is a TargetError that says what it is', async t => {
  const fails = async (url: string, message: RegExp, options = {}) => {
    const error = await connectMock(url, options).then(
      mock => mock.close(),
      (thrown: unknown) => thrown,
    )
    t.ok(error instanceof TargetError, String(error))
    t.match(error, { name: 'TargetError', code: 'ERR_TARGET', message })
  }
  await fails(await freePort(), /nothing listens at 127\.0\.0\.1:\d+/)
  await fails(await served(t, (_, response) => void response.end('hello')), /is not a mock/)
  await fails(
    await served(t, ({ url }, response) => {
      response.statusCode = url === '/__mock/clock' ? 200 : 404
      response.end(url === '/__mock/clock' ? '{"now":"2026-01-01T00:00:00.000Z","frozen":false,"speed":1}' : '{}')
    }),
    /is an older mock/,
  )
  const remote: MockOptions = { host: '0.0.0.0' }
  const closed = await start(t, remote)
  await fails(closed.url, /keeps its control routes closed .*start the mock with --admin-token/)
  const guarded = await start(t, { ...remote, adminToken: 'secret' })
  await fails(guarded.url, /X-Admin-Token is missing/)
  await fails(guarded.url, /X-Admin-Token is another one/, { adminToken: 'wrong' })
  const mock = await connected(t, guarded.url, { adminToken: 'secret' })
  t.equal(await mock.journal.count(), 0)
  await (await mock.journal.listen({}, () => {}))()
  await t.rejects(connectMock('ftp://x'), ConfigError)
  await t.rejects(connectMock(guarded.url, { token: 'x' } as object), {
    code: 'ERR_CONFIG',
    message: /no option "token"; expected adminToken, insecure, ca/,
  })
})

async function connected(t: Test, url: string, options = {}): Promise<ConnectedMock> {
  const mock = await connectMock(url, options)
  t.teardown(() => mock.close())
  return mock
}

async function served(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Where nothing listens. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}
