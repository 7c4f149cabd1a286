/** The control routes that the desk asks, as any HTTP client sees them; and its files, as a browser gets them. */
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import { strFromU8, unzipSync } from 'fflate'
import t from 'tap'
import { buildApp } from '../../server/app.ts'
import { silentLog } from '../../server/log.ts'
import { client, clip, start } from '../support.ts'

const video = { video_url: 'https://example.com/cat.mp4#t=2' }
const markup = '<img src=x onerror=alert(1)>'

t.test('rows of the journal say in a line what decided, without headers, bodies and secrets', async t => {
  const mock = await start(t)
  const key = 'test_secret_of_mine'
  const api = client(mock, key)
  mock.use('internal-error-once', { key })
  await api.post('/v1/jobs', video, { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })
  const id = await api.job()
  await api.get(`/v1/jobs/nope?api_key=${key}`)
  const page = (await client(mock, null).get('/__mock/journal?view=rows')).body
  t.equal(page.count, 3)
  t.match(page.entries, [
    {
      status: 500,
      code: 'internal_error',
      scenario: 'internal-error-once',
      rule: /./,
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    },
    { status: 200, job_id: id, route: 'POST /v1/jobs', method: 'POST', rule: undefined },
    { status: 404, code: 'not_found', said: 'Job not found', url: /api_key=\[redacted\]/ },
  ])
  t.notMatch(JSON.stringify(page), key)
  for (const row of page.entries) t.same([row.request, row.response], [undefined, undefined])
})

t.test('text finds what stands in a URL, a header or a body, but not in a secret header', async t => {
  const mock = await start(t)
  const api = client(mock, 'test_findable_key')
  await api.post('/v1/jobs', { ...video, metadata: { order: 'A-17 (x)' } })
  await api.get('/health', { 'x-app': 'Shop' })
  const found = async (asked: string) =>
    (await client(mock, null).get(`/__mock/journal?text=${encodeURIComponent(asked)}`)).body.entries.map(
      ({ method }: { method: string }) => method,
    )
  t.same(await found('a-17 (X)'), ['POST'])
  t.same(await found('shop'), ['GET'])
  t.same(await found('/V1/jobs'), ['POST'])
  t.same(await found('test_findable_key'), [])
})

t.test('the stream of rows sends many in one event, in their order', async t => {
  const mock = await start(t)
  const api = client(mock)
  const stop = new AbortController()
  const stream = await fetch(`${mock.url}/__mock/journal/stream?view=rows`, { signal: stop.signal })
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  await Promise.all(Array.from({ length: 20 }, () => api.get('/health')))
  let said = ''
  while ((said.match(/"seq":/g) ?? []).length < 20) said += (await reader?.read())?.value
  stop.abort()
  const events = [...said.matchAll(/^event: rows\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data))
  t.same(
    events.flat().map(({ seq }) => seq),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  t.ok(events.length < 20, `${events.length} events`)
})

t.test('explain tells the steps of a call, and which one refused it', async t => {
  const mock = await start(t, { rateLimit: 3 })
  const api = client(mock, 'test_steps')
  const steps = async (sent: { headers: Headers }) => {
    const { body } = await client(mock, null).get(`/__mock/explain/${sent.headers.get('x-request-id')}`)
    return body.steps.map(({ step, outcome }: Record<string, string>) => `${step} ${outcome}`)
  }
  const idempotent = { 'idempotency-key': 'once' }
  t.same(await steps(await api.post('/v1/jobs', video, idempotent)), [
    'key passed',
    'limits passed',
    'idempotency passed',
    'schema passed',
    'credits passed',
  ])
  t.same(await steps(await api.post('/v1/jobs', video, idempotent)), [
    'key passed',
    'limits passed',
    'idempotency passed',
  ])
  t.same(await steps(await api.post('/v1/jobs', { model: 'best' })), ['key passed', 'limits passed', 'schema refused'])
  t.same(await steps(await api.get('/v1/jobs')), ['key passed', 'limits refused'])
  t.same(await steps(await client(mock, 'nonsense').get('/v1/jobs')), ['key refused'])
  const poor = client(mock, 'test_no_credits_steps')
  t.same((await steps(await poor.post('/v1/jobs', video))).at(-1), 'credits refused')
  mock.use([{ when: { route: 'getJob' }, then: { error: 'timeout' } }], { key: 'test_ruled' })
  t.same(await steps(await client(mock, 'test_ruled').get('/v1/jobs/x')), [], 'a rule had answered before them')
})

t.test('worlds come with their clock, limits and scenario, those that were called last first', async t => {
  const mock = await start(t, { rateLimit: 5 })
  await client(mock, 'test_a').get('/v1/jobs')
  await client(mock, 'test_b').get('/v1/jobs', { 'x-mock-world': 'w1' })
  mock.use('go-live', { key: 'test_b' })
  mock.clockOf('test_a').freeze()
  const { worlds, count } = (await client(mock, null).get('/__mock/worlds?limit=2')).body
  t.equal(count, 3, 'those of a and b, and that of the calls without a key')
  const [b, a] = worlds
  t.match(b, { world: 'w1', name: /\/w1$/, entries: 1, active: { scenario: 'go-live', source: 'put_key' } })
  t.match(a, { clock: { frozen: true }, rate_limit: { remaining: 4 }, rate_limit_ends_at: /Z$/, job_limit: null })
  for (const key of ['test_a_key_that_is_not_used', 'nonsense'])
    t.same((await client(mock, null).get(`/__mock/worlds?key=${key}`)).body, { worlds: [], count: 0 })
  t.equal((await client(mock, null).get('/__mock/worlds')).body.count, 3, 'none was made by being looked for')
})

t.test('jobs come with their polls and webhooks', async t => {
  const mock = await start(t, { speed: 1 })
  const api = client(mock, 'test_jobs')
  mock.clock.freeze()
  const id = await api.job({ webhook_url: 'http://127.0.0.1:9/' })
  await api.get(`/v1/jobs/${id}`)
  const jobs = async (query = '') => (await client(mock, null).get(`/__mock/jobs${query}`)).body
  t.match(await jobs(), { count: 1, jobs: [{ job: { id, status: 'pending' }, due_at: /Z$/, completed_at: null }] })
  mock.clock.step('1m')
  await mock.journal.waitFor({ kind: 'webhook', jobId: id }, { atLeast: 2 })
  const [found] = (await jobs(`?job_id=${id}`)).jobs
  t.match(found, { processing_at: /Z$/, completed_at: /Z$/ })
  t.match(found.polls, [{ status: 200, seq: Number }])
  t.match(found.deliveries[0], { event: 'job.started', attempt: 1, error: /./ })
  const entries = mock.journal.count()
  const output = await fetch(`${mock.url}/__mock/jobs/${id}/output`)
  t.match([output.status, output.headers.get('content-type')], [200, 'video/webm'])
  t.ok((await output.arrayBuffer()).byteLength > 1000)
  t.equal(mock.journal.count(), entries, 'who looks is no client')
  t.equal((await fetch(`${mock.url}/__mock/jobs/job_none/output`)).status, 404)
  t.match(await jobs('?status=failed'), { count: 0, jobs: [] })
})

t.test('GO-4 numbers tell the last 15 minutes, and lead to the calls', async t => {
  const mock = await start(t)
  const api = client(mock)
  const id = await api.job()
  await api.get('/v1/jobs/nope')
  const numbers = (await client(mock, null).get('/__mock/numbers')).body
  const points = numbers.points as {
    count: number
    statuses: Record<string, number>
    from_seq: number
    to_seq: number
  }[]
  t.equal(
    points.reduce((sum, { count }) => sum + count, 0),
    2,
  )
  t.equal(points[0]?.from_seq, 1)
  t.equal(points.at(-1)?.to_seq, 2)
  t.match(points[0], { p50: Number, p95: Number, p99: Number, slowest: { request_id: /^req_/ } })
  t.match(numbers.jobs, { completed: 1, failed: 0 })
  t.ok(numbers.credits.charged > 0)
  const { status, headers } = await fetch(`${mock.url}/metrics`)
  t.match([status, headers.get('content-type')], [200, /^text\/plain/])
  const open = await fetch(`${mock.url}/metrics`, {
    headers: { accept: 'application/openmetrics-text; version=1.0.0' },
  })
  t.match(open.headers.get('content-type'), /^application\/openmetrics-text/)
  const lines = (await open.text()).split('\n')
  t.same(lines.slice(-2), ['# EOF', ''])
  const created = lines.find(line => line.includes(`job_id="${id}"`))
  t.match(
    created,
    /^understudy_request_duration_seconds_bucket\{.*route="POST \/v1\/jobs"\} 1 # \{request_id="req_\w+",job_id="job_\w+"\} \d\S* \d+\.\d{3}$/,
  )
  t.notMatch(await (await fetch(`${mock.url}/metrics`)).text(), / # \{/)
})

t.test('a scenario is made of calls, and tried on calls without being played', async t => {
  const mock = await start(t)
  const api = client(mock, 'test_draft')
  const control = client(mock, null)
  mock.use('internal-error-once', { key: 'test_draft' })
  await api.post('/v1/jobs', video)
  await api.job()
  const made = (await control.post('/__mock/scenarios/draft', { seqs: [1, 2], name: 'mine' })).body
  t.match(made, { name: 'mine', yaml: /error: internal_error/ })
  t.match(await control.post('/__mock/scenarios/draft', { seqs: [2] }), {
    status: 400,
    body: { error: { message: /nothing went wrong/ } },
  })
  t.match(await control.post('/__mock/scenarios/draft', { seqs: [99] }), { status: 400 })
  t.match(await control.post('/__mock/scenarios/draft', { seqs: [1], name: 'My Name' }), {
    status: 400,
    body: { error: { message: /is not a name for a scenario/ } },
  })

  const tried = (await control.post('/__mock/scenarios/try', { scenario: made.yaml })).body
  t.match(tried, { scenario: 'mine', rules: [{ fired: 1 }] })
  t.match(tried.calls, [
    { seq: 1, rule: tried.rules[0].name },
    { seq: 2, rule: null },
  ])
  const limit = (await control.post('/__mock/scenarios/try', { scenario: { account: { rate_limit: 1 } } })).body
  t.match(limit.calls, [{ rule: null }, { rule: '(its limit)' }])
  t.match(await control.post('/__mock/scenarios/try', { scenario: 'rules:\n  - wenn: {}\n' }), { status: 400 })
  t.equal(mock.activeScenario('test_draft').scenario, 'internal-error-once', 'nothing was switched on')
  t.match(mock.activeScenario('test_draft').rules, [{ fired: 1 }])
})

t.test(
  'all that is wrong with a draft is told with lines and columns, and a scenario comes as its file has it',
  async t => {
    const mock = await start(t)
    const headers = { 'content-type': 'application/yaml' }
    const check = async (body: string): Promise<{ valid: boolean; problems: { line: number }[] }> => {
      const path = '/__mock/scenarios?validate=true&problems=true'
      const answer = await fetch(mock.url + path, { method: 'POST', body, headers })
      return answer.json() as Promise<{ valid: boolean; problems: { line: number }[] }>
    }
    t.same(await check('name: fine\nrules: []\n'), { valid: true, problems: [] })
    const wrong = await check(
      'name: bad\nrules:\n  - then: { eror: timeout }\n  - when: { rute: x }\n    then: { error: timeout }\n',
    )
    t.equal(wrong.valid, false)
    t.same(wrong.problems.map(({ line }) => line).sort(), [3, 4])
    const shipped = await fetch(`${mock.url}/__mock/scenarios/rate-limited-burst`, {
      headers: { accept: 'application/yaml' },
    })
    t.match(await shipped.text(), /^# yaml-language-server/)
    await client(mock, null).post('/__mock/scenarios', { name: 'mine', rules: [] })
    const own = await fetch(`${mock.url}/__mock/scenarios/mine`, { headers: { accept: 'application/yaml' } })
    t.equal(await own.text(), 'name: mine\nrules: []\n')
  },
)

t.test('an incident is saved without secrets, and opened again as it was; so is a HAR of another tool', async t => {
  const mock = await start(t, { adminToken: 'admin-token-of-this-mock', webhookSecret: 'hook-secret-of-this-mock' })
  const key = 'test_incident_key'
  const api = client(mock, key)
  await api.upload(await clip('short.mp4'))
  const id = await api.job({ metadata: { note: markup, token: 'a-token-of-the-client' } })
  await api.get(`/v1/jobs/${id}`)
  await client(mock, 'test_other_key').get('/v1/jobs')
  const control = client(mock, null)
  const saved = await fetch(`${mock.url}/__mock/incident?key=${key}`)
  t.match(saved.headers.get('content-disposition'), /^attachment; filename="understudy-incident-[\dT-]+\.zip"$/)
  const bytes = new Uint8Array(await saved.arrayBuffer())
  const files = unzipSync(bytes)
  t.same(Object.keys(files).sort(), ['journal.har', 'report.json', 'snapshots/1.json'])
  const all = Object.values(files)
    .map(file => strFromU8(file))
    .join()
  for (const secret of [key, 'admin-token-of-this-mock', 'hook-secret-of-this-mock', 'a-token-of-the-client'])
    t.notOk(all.includes(secret), secret)

  const open = async (name: string, body: Uint8Array | string) => {
    const answer = await fetch(`${mock.url}/__mock/incidents?name=${name}`, { method: 'POST', body })
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
    return { status: answer.status, body: (await answer.json()) as any }
  }
  const { body: opened } = await open('incident.zip', bytes)
  t.match(opened, { name: 'incident.zip', about: { understudy: /./, seed: 'test' }, left_out: 0 })
  t.match(opened.rows, [{ route: 'POST /v1/uploads' }, { route: 'POST /v1/jobs', job_id: id }, { job_id: id }])
  t.match(opened.entries[0], { upload: { filename: 'short.mp4', sha256: /^\w{64}$/ } })
  t.equal(opened.entries[1].request.body.metadata.note, markup)
  t.match(opened.check, { summary: { failed: 0 } })
  t.match(opened.conduct, { calls: 3, source: 'incident.zip' })
  t.match((await control.get(`/__mock/incidents/${opened.id}`)).body, { rows: opened.rows })

  const entry = {
    startedDateTime: '2026-01-01T00:00:00.000Z',
    time: 12,
    request: {
      method: 'GET',
      url: 'https://api.example.com/v1/jobs',
      headers: [{ name: 'X-Api-Key', value: 'live_key_0123456789' }],
    },
    response: { status: 200, headers: [], content: { text: '{"jobs":[],"total":0,"limit":20,"offset":0}' } },
  }
  const { body: other } = await open('other.har', JSON.stringify({ log: { version: '1.2', entries: [entry] } }))
  t.match(other, { about: null, rows: [{ url: '/v1/jobs', status: 200 }], check: { clauses: Array } })
  t.notMatch(JSON.stringify(other), 'live_key_0123456789')
  t.match(await open('no.har', 'nonsense'), { status: 400, body: { error: { message: /the file: / } } })
  t.equal((await control.get('/__mock/incidents/99')).status, 404)
})

t.test('a page that may not steer the mock is refused, and the journal says so', async t => {
  const mock = await start(t)
  const refused = (headers: Record<string, string>, path = '/__mock/keys') =>
    new Promise<number>((resolve, reject) => {
      const call = httpRequest(mock.url, { path, headers }, async answer => {
        await text(answer)
        resolve(answer.statusCode ?? 0)
      })
      call.on('error', reject).end()
    })
  t.equal(await refused({ origin: 'https://evil.example' }), 403)
  t.equal(await refused({ host: 'rebound.example' }, '/__mock/'), 403)
  t.equal(await refused({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, '/__mock/assets/x.js'), 403)
  t.match(mock.journal.entries(), [
    { status: 403, url: '/__mock/keys', route: null, response: { body: { error: { message: /Origin/ } } } },
    { status: 403, url: '/__mock/', response: { body: { error: { message: /Host/ } } } },
    { status: 403, url: '/__mock/assets/x.js' },
  ])
  await client(mock, null).get('/__mock/keys')
  t.equal(mock.journal.count(), 3, 'what is answered is no entry')
})

t.test(
  'the files of the desk come with a strict policy; without them, how to build it; a browser at /__mock is led there',
  async t => {
    const { fastify: app } = buildApp(
      { ...(await import('../../server/config.ts')).completeConfig({ logLevel: 'silent' }) },
      silentLog,
    )
    t.teardown(() => app.close())
    const led = await app.inject({ url: '/__mock', headers: { accept: 'text/html' } })
    t.match(led, { statusCode: 302, headers: { location: '__mock/' } })
    t.match((await app.inject('/__mock')).json(), { understudy: /./ })
    const { registerDesk } = await import('../../server/routes/desk.ts')
    const folder = t.testdir({ 'index.html': '<!doctype html>', assets: { 'a.js': '1' } })
    const mock = {
      config: { host: '127.0.0.1', controlOrigin: [], controlHost: [] },
      worlds: { anonymous: () => ({}) },
      internalCalls: 0,
    }
    const desk = fastify()
    registerDesk(desk, mock as never, folder)
    const page = await desk.inject('/__mock/')
    t.match(page, { statusCode: 200, headers: { 'content-type': /^text\/html/, 'cache-control': 'no-cache' } })
    const policy = String(page.headers['content-security-policy'])
    for (const word of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
    ])
      t.match(policy, word)
    t.notMatch(policy, /unsafe|https?:/)
    t.notOk(page.headers['set-cookie'])
    t.match(await desk.inject('/__mock/assets/a.js'), { statusCode: 200, headers: { 'cache-control': /immutable/ } })
    for (const path of [
      '/__mock/assets/nope.js',
      '/__mock/assets/../../package.json',
      '/__mock/assets/%2e%2e%2f%2e%2e%2fpackage.json',
    ])
      t.equal((await desk.inject(path)).statusCode, 404, path)
    const bare = fastify()
    registerDesk(bare, mock as never, t.testdir({}))
    t.match(await bare.inject('/__mock/'), { statusCode: 404, body: /npm run build:desk/ })
  },
)

t.test(
  'off loopback the desk is closed without an admin token; with one its files are open and its data are not',
  async t => {
    const closed = await start(t, { host: '0.0.0.0' })
    t.match(await client(closed, null).get('/__mock/'), { status: 404, body: { error: { message: /--admin-token/ } } })
    const open = await start(t, { host: '0.0.0.0', adminToken: 'open-sesame' })
    t.not((await client(open, null).get('/__mock/')).status, 401)
    t.equal((await client(open, null).get('/__mock/worlds')).status, 401)
    t.equal((await client(open, null).get('/__mock/worlds', { 'x-admin-token': 'open-sesame' })).status, 200)
  },
)
