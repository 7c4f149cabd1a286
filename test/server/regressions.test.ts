import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { client, clip, start } from '../support.ts'

const body = { video_url: 'https://example.com/a.mp4#t=1' }

t.test('ERR-1 a body that is sent to no route, or with a wrong method, is refused in the envelope', async t => {
  const mock = await start(t)
  const api = client(mock)
  for (const content of ['{"a":1}', '{broken', '']) {
    t.match(await api.post('/v1/job', content), { status: 404, body: { error: { code: 'not_found' } } })
    const wrong = await api.call('PATCH', '/v1/jobs', {
      body: content,
      headers: { 'content-type': 'application/json' },
    })
    t.match(wrong, { status: 405, body: { error: { code: 'invalid_request' } } })
    t.equal(mock.journal.count({ requestId: wrong.body.error.request_id }), 1)
  }
})

t.test('WH-3 a webhook_url that can not be called is an attempt that failed, and the server lives', async t => {
  const mock = await start(t)
  const api = client(mock)
  await api.job({ webhook_url: 'http://%zz@127.0.0.1:9/' })
  await mock.journal.waitFor({ kind: 'webhook' })
  t.equal((await api.get('/health')).status, 200)
})

t.test('WH-3 no more than 16 of a world are underway at once, retries included; a reset forgets the rest', async t => {
  let open = 0
  let most = 0
  let total = 0
  const held: (() => void)[] = []
  const server = createServer((_request, response) => {
    open++
    total++
    most = Math.max(most, open)
    held.push(() => {
      open--
      response.writeHead(500).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const mock = await start(t)
  const api = client(mock)
  const webhook_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await Promise.all(Array.from({ length: 40 }, () => api.job({ webhook_url })))
  const release = () => {
    for (const answer of held.splice(0)) answer()
  }
  const pump = setInterval(release, 1)
  t.teardown(() => clearInterval(pump))
  await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 100 })
  t.ok(most <= 16, `${most} at once`)
  mock.reset()
  const before = total
  const job_id = await api.job({ webhook_url })
  await mock.journal.waitFor({ kind: 'webhook', jobId: job_id }, { atLeast: 8 })
  // Its own 8 tries, and those that were on their way at the reset.
  t.ok(total - before <= 8 + 16, `what waited is not sent any more: ${total - before} came`)
})

t.test('RL-2 Retry-After waits for the last of the limits that are used up', async t => {
  const mock = await start(t, { rateLimit: 20, jobLimit: 5 })
  const api = client(mock)
  mock.clock.freeze()
  await api.get('/v1/jobs')
  mock.clock.step('30s')
  for (let i = 0; i < 5; i++) await api.job()
  for (let i = 0; i < 14; i++) await api.get('/v1/jobs')
  const refused = await api.post('/v1/jobs', body)
  t.equal(refused.headers.get('retry-after'), '60')
  mock.clock.step('60s')
  t.equal((await api.post('/v1/jobs', body)).status, 200)
})

t.test('X-Mock-World: one world of a key is read, emptied and reset alone', async t => {
  const mock = await start(t)
  const api = client(mock)
  for (const world of ['one', 'two']) await api.post('/v1/jobs', body, { 'x-mock-world': world })
  t.equal((await api.get('/__mock/journal?key=test_key&world=one')).body.count, 1)
  t.match(await api.post('/__mock/reset', { key: 'test_key', world: 'one' }), { status: 200 })
  t.equal((await api.get('/v1/jobs', { 'x-mock-world': 'one' })).body.total, 0)
  t.equal((await api.get('/v1/jobs', { 'x-mock-world': 'two' })).body.total, 1)
  t.match(await api.get('/v1/jobs', { 'x-mock-world': 'x'.repeat(201) }), { status: 400 })
  await client(mock, null).get('/api/pricing')
  t.equal(mock.journal.count({ key: 'anonymous', route: 'getPricing' }), 1)
})

t.test('the journal counts entries that went with their worlds as evicted', async t => {
  const mock = await start(t, { maxWorlds: 20 })
  for (let i = 0; i < 25; i++) await client(mock, `test_${i}`).get('/health')
  const page = mock.journal.read({ key: 'test_0' })
  t.match(page, { count: null, complete: false })
  t.ok(page.evicted > 0)
})

t.test(
  'GO-4 secrets are taken out of long, broken and nested bodies and of URLs; short ones break nothing',
  async t => {
    const mock = await start(t)
    const api = client(mock, 'test_secrets')
    await api.job({
      metadata: {
        api_key: 'canary-1',
        authorization: 'canary-2',
        nested: { access_token: 'canary-3', accessToken: 'canary-9', apiKey: 'canary-10' },
      },
    })
    await api.job({ metadata: { api_key: 'canary-4', long: 'x'.repeat(70_000) } })
    await api.post('/v1/jobs', '{"api_key":"canary-5", ')
    await api.job({ video_url: 'https://me:canary-6@example.com/a.mp4?X-Amz-Signature=canary-7#t=1' })
    await api.get('/v1/jobs?api%5Fkey=canary-8')
    await api.get('/v1/jobs', { cookie: '0' })
    await client(mock, '1').get('/v1/jobs')
    const text = JSON.stringify(mock.journal.entries())
    t.notMatch(text, /canary/)
    t.match(text, /invalid_api_key/)
  },
)

t.test('ID-1 the journal tells the headers that were sent, a replay included', async t => {
  const mock = await start(t, { rateLimit: 10, jobLimit: 10 })
  const api = client(mock)
  mock.clock.freeze()
  await api.post('/v1/jobs', body, { 'idempotency-key': 'k' })
  const again = await api.post('/v1/jobs', body, { 'idempotency-key': 'k' })
  mock.clock.step('90s')
  await api.job()
  const [, entry] = mock.journal.entries({ kind: 'exchange' })
  for (const name of ['idempotency-replayed', 'ratelimit', 'x-ratelimit-reset']) {
    t.equal(entry?.response?.headers[name], again.headers.get(name), name)
  }
})

t.test('request ids of calls beside the API are different too', async t => {
  const mock = await start(t)
  const api = client(mock)
  const ids = []
  for (const path of ['/docs', '/metrics', '/__mock/journal', '/docs'])
    ids.push((await api.get(path)).headers.get('x-request-id'))
  t.equal(new Set(ids).size, 4)
})

t.test('two mocks on one data folder do not take from each other', async t => {
  const dataDir = t.testdir()
  const a = await start(t, { dataDir, seed: 'same' })
  const b = await start(t, { dataDir, seed: 'same' })
  const bytes = await clip('short.mp4')
  const uploads = await Promise.all([a, b, a, b].map(mock => client(mock).upload(bytes)))
  t.same(
    uploads.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  t.equal(new Set(uploads.map(({ body }) => body.video_id)).size, 4)
  await a.close()
  t.equal((await client(b).upload(bytes)).status, 200)
})
