/** The mock in the user's hand: clock, keys, jobs, snapshots, over HTTP as in process. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { RunningMock } from '../../client/mock.ts'
import { client, clip, start } from '../support.ts'

const control = (mock: RunningMock) => {
  const { get, call } = client(mock, null)
  const send = (method: string) => (path: string, body: unknown) =>
    call(method, `/__mock/${path}`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  return { get: (path: string) => get(`/__mock/${path}`), post: send('POST'), put: send('PUT') }
}

async function receiver(t: Test, status: number) {
  const server = createServer((_request, response) => response.writeHead(status).end())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

t.test('POST /__mock/clock freezes, steps and speeds the time, and answers with it', async t => {
  const mock = await start(t, { speed: 1 })
  const { post, get } = control(mock)
  const frozen = await post('clock', { freeze: true })
  t.match(frozen, { status: 200, body: { frozen: true, speed: 1, now: /^20\d\d-.*Z$/ } })
  const stepped = await post('clock', { step: '10m' })
  t.equal(Date.parse(stepped.body.now) - Date.parse(frozen.body.now), 600_000)
  t.same((await get('clock')).body, stepped.body)
  t.equal(Math.floor(mock.clock.now()), Date.parse(stepped.body.now), 'in process it is the same clock')
  t.match((await post('clock', { freeze: false, speed: 20 })).body, { frozen: false, speed: 20 })
  for (const [body, says] of [
    [{ step: 'soon' }, /step is "soon"; expected a time up to 36500d/],
    [{ speed: 0 }, /speed is 0; expected a number above 0/],
    [{ stop: true }, /"stop" is unknown; expected one of .*freeze, step, speed/],
    [{ key: 'nope', step: '1s' }, /the key is not valid/],
  ] as const) {
    t.match(await post('clock', body), { status: 400, body: { error: { code: 'invalid_request', message: says } } })
  }
})

t.test(
  'every timer follows the clock: jobs, limits, Retry-After, webhooks, idempotency, delays, scenarios',
  async t => {
    const mock = await start(t, { speed: 1, rateLimit: 3 })
    mock.clock.freeze()
    const hook = await receiver(t, 500)
    const api = client(mock)
    const create = (headers: Record<string, string>) =>
      api.post('/v1/jobs', { video_url: 'https://e.com/a.mp4#t=1', webhook_url: hook }, headers)
    const { body } = await create({ 'idempotency-key': 'k' })
    t.equal((await create({ 'idempotency-key': 'k' })).headers.get('idempotency-replayed'), 'true')
    t.equal((await api.get(`/v1/jobs/${body.id}`)).body.status, 'pending')
    const limited = await api.get('/v1/jobs')
    t.equal(limited.status, 429)
    mock.clock.step(Number(limited.headers.get('retry-after')) * 1000)
    t.equal((await api.get(`/v1/jobs/${body.id}`)).body.status, 'completed')
    const attempts = { kind: 'webhook', jobId: body.id } as const
    await mock.journal.waitFor(attempts, { atLeast: 2 })
    mock.clock.step('10s')
    await mock.journal.waitFor(attempts, { atLeast: 4 })
    mock.clock.step('23h')
    t.equal((await create({ 'idempotency-key': 'k' })).headers.get('idempotency-replayed'), 'true')
    mock.clock.step('2h')
    t.equal((await create({ 'idempotency-key': 'k' })).headers.get('idempotency-replayed'), null, 'kept for a day')
    const handle = mock.use([{ name: 'slow', then: { delay: '5m' } }])
    const slow = api.get('/api/pricing')
    await handle.fired('slow')
    mock.clock.step('5m')
    t.equal((await slow).status, 200)
  },
)

t.test("a key's own clock moves that key's worlds alone", async t => {
  const mock = await start(t, { speed: 1 })
  const { post } = control(mock)
  const [mine, other] = [client(mock, 'test_mine'), client(mock, 'test_other')]
  const [a, b] = [await mine.job(), await other.job()]
  t.equal((await post('clock', { key: 'test_mine', freeze: true, step: '1m' })).status, 200)
  t.equal((await mine.get(`/v1/jobs/${a}`)).body.status, 'completed')
  t.not((await other.get(`/v1/jobs/${b}`)).body.status, 'completed')
  mock.clockOf('test_other').step('1m')
  t.equal((await other.get(`/v1/jobs/${b}`)).body.status, 'completed')
})

t.test('POST /__mock/keys makes a world with given credits and limits, tops it up and revokes it', async t => {
  const mock = await start(t)
  const { post, get } = control(mock)
  const made = await post('keys', { credits: 1, rate_limit: { calls: 2, per: '5s' } })
  t.match(made.body, {
    key: /^test_[0-9a-z]{16}$/,
    credits: { available: 1, reserved: 0 },
    rate_limit: { calls: 2, per_ms: 5000 },
  })
  const api = client(mock, made.body.key)
  const create = () => api.post('/v1/jobs', { video_url: 'https://e.com/a.mp4#t=2' })
  t.equal((await create()).status, 402)
  t.equal((await create()).status, 402)
  t.equal((await create()).status, 429)
  const { body } = await post('keys', { key: made.body.key, top_up: 1.5, rate_limit: 0 })
  t.match(body, { credits: { available: 2.5 }, rate_limit: null })
  t.equal((await create()).status, 200)
  mock.setKey({ key: made.body.key, revoked: true })
  t.match(await create(), { status: 401, body: { error: { code: 'invalid_api_key' } } })
  t.equal((await client(mock, 'test_else').get('/v1/jobs')).status, 200)
  mock.setKey({ key: made.body.key, revoked: false })
  t.equal((await create()).status, 402)
  const listed = JSON.stringify((await get('keys')).body)
  t.notMatch(listed, made.body.key, 'no key is shown, only its fingerprint')
  t.match(listed, made.body.key_fingerprint)
  t.match((await get(`keys?key=${made.body.key_fingerprint}`)).body.keys, [
    { credits: { available: 0.5 }, jobs: { completed: 1 } },
  ])
  mock.reset(made.body.key)
  t.match((await get(`keys?key=${made.body.key}`)).body.keys, [{ credits: { available: 1000 } }])
  t.match(await post('keys', { key: 'bad key' }), { status: 400 })
  t.match(await post('keys', { credits: -1 }), { status: 400, body: { error: { message: /credits is -1/ } } })
})

t.test('JOB-4 POST /__mock/jobs/{id} forces a state, with its charges and webhooks; the rest is refused', async t => {
  const mock = await start(t, { speed: 1 })
  mock.clock.freeze()
  const { post } = control(mock)
  const hook = await receiver(t, 204)
  const api = client(mock)
  const credits = () => mock.setKey({ key: 'test_key' }).credits
  const id = await api.job({ webhook_url: hook })
  t.match((await post(`jobs/${id}`, { progress: 55, status: 'processing', hold: true })).body, {
    status: 'processing',
    progress: 55,
  })
  mock.clock.step('1d')
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'processing', progress: 55 }, 'it is held')
  t.match(await post(`jobs/${id}`, { progress: 10 }), { status: 400, body: { error: { message: /never goes back/ } } })
  t.same(credits(), { available: 998, reserved: 2 })
  t.match((await post(`jobs/${id}`, { status: 'completed' })).body, { output_url: /^http/, billing_status: 'charged' })
  t.same(credits(), { available: 998, reserved: 0 })
  t.match(await post(`jobs/${id}`, { status: 'pending' }), {
    status: 400,
    body: { error: { message: /no documented way leads there from completed/ } },
  })
  t.match((await post(`jobs/${id}`, { status: 'failed', error: 'Bad frame' })).body, {
    error: 'Bad frame',
    billing_status: 'refunded',
    output_url: null,
  })
  t.same(credits(), { available: 1000, reserved: 0 })
  t.equal((await api.get(`/api/download/${id}`)).status, 400)
  const events = (await mock.journal.waitFor({ kind: 'webhook', jobId: id }, { atLeast: 3 })).map(({ event }) => event)
  t.same(events, ['job.started', 'job.completed', 'job.failed'])
  t.match(mock.setJob(id, { status: 'completed' }), { status: 'completed', billing_status: 'charged', error: null })
  t.match((await api.get('/v1/usage/summary')).body, { completed_jobs: 1, failed_jobs: 1, credits_used: 2 })
  const draft = await api.job({ auto_start: false })
  t.match(mock.setJob(draft, { status: 'failed' }), { status: 'failed', billing_status: 'not_charged' })
  t.match(await post('jobs/job_none', { status: 'failed' }), { status: 404 })
  t.match(await post(`jobs/${draft}`, { status: 'paused' }), {
    status: 400,
    body: { error: { message: /expected one of created, pending/ } },
  })
})

/** A world with something of everything in it, on a clock that stands still. */
async function lived(t: Test) {
  const mock = await start(t, { speed: 1, rateLimit: 50, jobLimit: 20 })
  mock.clock.freeze()
  mock.use('go-live', { key: 'test_life' })
  const api = client(mock, 'test_life')
  const { video_url } = (await api.upload(await clip('short.mp4'))).body
  const post = (n: number) => api.post('/v1/jobs', { video_url, metadata: { n } }, { 'idempotency-key': `k${n}` })
  const ids = [(await post(0)).body.id, (await post(1)).body.id]
  mock.clock.step('7s')
  t.equal((await post(2)).status, 504)
  await api.job({ auto_start: false, model: 'pro' }).catch(() => 0)
  t.equal((await api.get(`/v1/jobs/${ids[1]}`)).body.status, 'failed')
  await api.post(`/v1/jobs/${ids[1]}/start`)
  mock.clock.step('1500ms')
  return { mock, api, ids }
}

t.test(
  'GO-3 a snapshot restores a world in another mock, byte for byte, and it goes on as the first would',
  async t => {
    const { mock, api, ids } = await lived(t)
    const { get } = control(mock)
    const saved = (await get('snapshot?key=test_life')).body
    t.notMatch(JSON.stringify(saved), /test_life/, 'the key is not in it')
    t.ok(saved.jobs.some(({ due_at }: { due_at: number | null }) => due_at !== null))

    const other = await start(t, { speed: 1, seed: 'another' })
    const restored = await control(other).put('snapshot?key=test_new', saved)
    t.match(restored, { status: 200, body: { restored: 2, clock: { frozen: true } } })
    const again = (await control(other).get('snapshot?key=test_new')).body
    t.same({ ...again, tag: saved.tag }, saved)
    t.match(other.activeScenario('test_new'), { scenario: 'go-live', source: 'put_key' })

    const copy = client(other, 'test_new')
    const views = async (one: typeof api, at: RunningMock) => {
      const jobs = (await one.get('/v1/jobs')).body.jobs
      return JSON.parse(JSON.stringify(jobs).replaceAll(at.url, '').replaceAll(mock.url, ''))
    }
    t.same(await views(copy, other), await views(api, mock))
    mock.clock.step('1m')
    // Its freeze came with the snapshot: it is that world's own.
    other.clockOf('test_new').step('1m')
    t.same(await views(copy, other), await views(api, mock), 'what was due came due')
    t.match((await copy.get('/v1/jobs')).body.jobs, [{ status: 'failed' }, { status: 'completed' }])
    const { video_url } = (saved.jobs[0] as { view: { video_url: string } }).view
    for (const one of [api, copy]) {
      const create = () => one.post('/v1/jobs', { video_url, metadata: { n: 0 } }, { 'idempotency-key': 'k0' })
      t.equal((await create()).status, 429, 'the scenario goes on where it was')
      t.equal((await create()).status, 402)
      const { headers, body } = await create()
      t.equal(headers.get('idempotency-replayed'), 'true', 'ID-1 a retry finds its first answer')
      t.equal(body.id, ids[0])
    }
    const output = (await copy.get(`/api/download/${ids[0]}`)).body.download_url
    t.ok(output.startsWith(other.url))
    t.equal((await fetch(output)).status, 200, 'DL-3')
    t.equal((await client(other, null).get(`/api/download/${ids[0]}`)).status, 200, 'AUTH-2 without a key too')
  },
)

t.test('a snapshot that is broken is refused, and nothing is lost', async t => {
  const { mock, api } = await lived(t)
  const { get, put } = control(mock)
  const saved = mock.snapshot('test_life')
  const before = (await api.get('/v1/jobs')).body
  const [job] = saved.jobs as object[]
  for (const [wrong, says] of [
    [{ ...saved, understudy_snapshot: 2 }, /understudy_snapshot is 2; expected 1/],
    [{ ...saved, jobs: [{ ...job, view: {} }] }, /jobs\.0\.view\.id is missing/],
    [{ ...saved, jobs: [job, job] }, /two jobs of the snapshot have one id/],
    [{ ...saved, jobs: [{ ...job, plan: {} }] }, /jobs\.0\.plan\.outcome is missing/],
    [{ ...saved, jobs: [{ ...job, due_at: 1 }] }, /is completed, and yet has a due_at/],
    [{ ...saved, clock: { ...saved.clock, now: 1e300 } }, /clock\.now is/],
    [{ ...saved, scenario: { ...saved.scenario, source: { rulez: 1 } } }, /rulez: is unknown; did you mean rules/],
    [{}, /is missing/],
  ] as const) {
    t.match(await put('snapshot?key=test_life', wrong), { status: 400, body: { error: { message: says } } })
  }
  t.match(await put('snapshot', saved), { status: 400, body: { error: { message: /key is missing/ } } })
  t.match(await get('snapshot?key=nope'), { status: 400 })
  t.same((await api.get('/v1/jobs')).body, before)
  mock.reset('test_life')
  mock.restore('test_life', saved)
  t.same((await api.get('/v1/jobs')).body, before, 'in process it is the same')
})

t.test('a snapshot brings its own scenario, in the place of another; a key that names one takes no other', async t => {
  const mock = await start(t)
  mock.use([{ name: 'first', first: 2, then: { error: 'timeout' } }], { key: 'test_a' })
  t.equal((await client(mock, 'test_a').get('/v1/jobs')).status, 504)
  const saved = mock.snapshot('test_a')
  mock.use([{ name: 'other', then: { error: 'internal_error' } }], { key: 'test_a' })
  mock.restore('test_a', saved)
  t.match(mock.activeScenario('test_a').rules, [{ name: 'first', met: 1, fired: 1 }])
  const calls = [await client(mock, 'test_a').get('/v1/jobs'), await client(mock, 'test_a').get('/v1/jobs')]
  t.same(
    calls.map(({ status }) => status),
    [504, 200],
  )
  t.throws(() => mock.restore('test_go-live__a', saved), /another scenario than the one that the key's name asks for/)
})

t.test(
  'CR-3 credits stay right: a start that nothing pays for, a refund on a later day, the account of a past scenario',
  async t => {
    const mock = await start(t, { credits: 1, speed: 1 })
    mock.clock.freeze()
    const api = client(mock)
    const draft = await api.job({ auto_start: false })
    t.throws(() => mock.setJob(draft, { status: 'processing' }), /Not enough credits/)
    t.same(mock.setKey({ key: 'test_key' }).credits, { available: 1, reserved: 0 })
    const rich = mock.use({ account: { credits: 10 } }, { key: 'test_key' })
    const id = await api.job()
    rich.end()
    const saved = mock.snapshot('test_key')
    mock.restore('test_key', saved)
    mock.clock.step('1m')
    t.match((await api.get(`/v1/jobs/${id}`)).body, { billing_status: 'charged' })
    t.same(mock.setKey({ key: 'test_key' }).credits, { available: 1, reserved: 0 }, 'the other account paid')
    mock.clock.step('1d')
    mock.setJob(id, { status: 'failed' })
    const { daily } = (await api.get('/v1/usage/summary?days=2')).body
    t.match(daily, [
      { completed_jobs: 0, failed_jobs: 1, credits_used: 0 },
      { completed_jobs: 0, failed_jobs: 0, credits_used: 0 },
    ])
  },
)

t.test('WH-1 a job.started that is held back comes even where the last event is late or lost', async t => {
  const mock = await start(t)
  const heard: string[] = []
  const hook = createServer((request, response) => {
    heard.push(String(request.headers['x-webhook-event']))
    response.end()
  })
  await once(hook.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => hook.close())
  mock.use({ jobs: { webhooks: { 'job.started': 'out_of_order', 'job.completed': 'lost' } } })
  const id = await client(mock).job({ webhook_url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` })
  await mock.journal.waitFor({ kind: 'webhook', jobId: id }, { atLeast: 2 })
  t.same(heard, ['job.started'])
})

t.test('POST /__mock/scenarios checks or adds one, as JSON or as YAML; PUT wants one that can be played', async t => {
  const mock = await start(t)
  const { post, put, get } = control(mock)
  const yaml = (path: string, body: string) =>
    client(mock, null).call('POST', `/__mock/${path}`, { body, headers: { 'content-type': 'application/yaml' } })
  const own = { name: 'own', description: 'Mine.', rules: [{ then: { error: 'timeout' } }] }
  t.match(await post('scenarios?validate=true', own), {
    status: 200,
    body: { valid: true, added: false, name: 'own', rules: ['rule-1'] },
  })
  t.match(await put('scenario', { scenario: 'own' }), {
    status: 400,
    body: { error: { message: /there is no such scenario/ } },
  })
  t.match(await post('scenarios', own), { status: 200, body: { added: true } })
  t.equal((await client(mock, 'test_own__1').get('/v1/jobs')).status, 504)
  t.match(
    (await get('scenarios')).body.scenarios.find(({ name }: { name: string }) => name === 'own'),
    { description: 'Mine.' },
  )
  t.match((await get('scenarios/own')).body, own)
  await post('scenarios', { ...own, rules: [{ then: { error: 'internal_error' } }] })
  t.equal((await client(mock, 'test_own__1').get('/v1/jobs')).status, 500, 'one that is added again takes its place')
  t.match(await yaml('scenarios', 'name: mine\nextends: own\n'), {
    status: 200,
    body: { name: 'mine', rules: ['rule-1'] },
  })
  t.match(await yaml('scenarios', 'rules:\n  - thn: 1\n'), {
    status: 400,
    body: { error: { message: /the scenario:2:5: rules\[0\]\.thn: is unknown; did you mean then/ } },
  })
  t.match(await post('scenarios', { rules: [] }), { status: 400, body: { error: { message: /name: is missing/ } } })
  t.match(await put('scenario', { scenario: 3 }), { status: 400 })
  t.match(await put('scenario', {}), { status: 400, body: { error: { message: /scenario is missing/ } } })
  t.match(await put('scenario', { scenario: '../package', key: 'test_a' }), { status: 400 })
  t.match(await get('scenarios/nope'), { status: 400 })
  const remove = (name: string) => client(mock, null).call('DELETE', `/__mock/scenarios/${name}`)
  t.match(await remove('own'), { status: 200, body: { removed: 'own' } })
  t.match(await remove('go-live'), { status: 404 })
})

t.test('reset() ends what was switched on, for one key or for all', async t => {
  const mock = await start(t)
  mock.use('processing-failed')
  mock.use('timeout-504', { key: 'test_a' })
  mock.reset('test_a')
  t.match(mock.activeScenario('test_a'), { scenario: 'processing-failed', source: 'put_all' })
  mock.reset()
  t.equal(mock.activeScenario('test_a').scenario, null)
})

t.test('off loopback all of /__mock is closed without a token, and open with it', async t => {
  const closed = await start(t, { host: '0.0.0.0' })
  const open = await start(t, { host: '0.0.0.0', adminToken: 'token' })
  const calls: [string, string][] = [
    ['GET', 'scenario'],
    ['PUT', 'scenario'],
    ['DELETE', 'scenario'],
    ['GET', 'scenarios'],
    ['POST', 'scenarios'],
    ['GET', 'scenarios/go-live'],
    ['DELETE', 'scenarios/go-live'],
    ['GET', 'explain/req_x'],
    ['GET', 'clock'],
    ['POST', 'clock'],
    ['GET', 'keys'],
    ['POST', 'keys'],
    ['POST', 'jobs/job_x'],
    ['GET', 'snapshot'],
    ['PUT', 'snapshot'],
    ['POST', 'reset'],
    ['GET', 'journal'],
    ['GET', 'journal/stream'],
    ['DELETE', 'journal'],
    ['POST', 'webhooks/x/redeliver'],
  ]
  for (const [method, path] of calls) {
    t.match(
      await client(closed, null).call(method, `/__mock/${path}`),
      { status: 404, body: { error: { message: /closed off loopback/ } } },
      path,
    )
    t.equal((await client(open, null).call(method, `/__mock/${path}`)).status, 401, path)
  }
  const { status } = await client(open, null).get('/__mock/scenario', { 'x-admin-token': 'token' })
  t.equal(status, 200)
})

t.test(
  'what is not of the API is found by its path, however that is written, and nothing else is taken for it',
  async t => {
    const mock = await start(t)
    const ask = async (method: string, path: string) => {
      const answer = await fetch(mock.url + path, { method })
      return { status: answer.status, allow: answer.headers.get('allow') }
    }
    for (const path of ['/__mock', '/%5F%5Fmock/clock', '/metrics?x=1', '/docs', '/openapi.json'])
      t.equal((await ask('GET', path)).status, 200, path)
    t.match(await ask('POST', '/docs'), { status: 405, allow: /GET/ })
    t.match(await ask('DELETE', '/__mock/clock'), { status: 405, allow: /POST/ })
    t.equal(mock.journal.count({ status: 200 }), 0, 'none of it is a call of the API')
    for (const path of ['/__mockery', '/docs.html', '/metrics-of-mine', '/__mock/none', '/%zz__mock']) {
      const { status } = await ask('GET', path)
      t.ok(status === 404 || status === 400, `${path}: ${status}`)
    }
  },
)
