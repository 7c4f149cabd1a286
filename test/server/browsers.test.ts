/** What browsers send: preflights, Origin, Sec-Fetch-Site, a name that was made to lead here; and where links lead behind a proxy. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { operations } from '../../contracts/operations.ts'
import { client, clip, start } from '../support.ts'

interface Sent {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

/** A call with headers that fetch() does not let a program set. */
function send(url: string, method: string, path: string, headers: Record<string, string> = {}): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, { method, path, headers }, async response =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }),
    )
    call.on('error', reject)
    call.end()
  })
}

const page = 'http://localhost:3000'
const preflight = (method: string) => ({
  origin: page,
  'access-control-request-method': method,
  'access-control-request-headers': 'x-api-key,content-type,x-app-version',
})

t.test('a preflight is answered 204 for every documented route, and allows what its calls send', async t => {
  const mock = await start(t)
  for (const { method, path } of Object.values(operations)) {
    const { status, headers, body } = await send(mock.url, 'OPTIONS', path.replace(/\{\w+\}/g, 'x'), preflight(method))
    t.match({ status, body }, { status: 204, body: '' }, `${method} ${path}`)
    t.equal(headers['access-control-allow-origin'], page)
    t.match(headers['access-control-allow-methods'], method)
    for (const name of ['X-Api-Key', 'Idempotency-Key', 'Content-Type', 'x-app-version'])
      t.match(headers['access-control-allow-headers'], new RegExp(`\\b${name}\\b`, 'i'))
    t.match(headers.vary, /\bOrigin\b/)
  }
  const asked = { ...preflight('GET'), 'access-control-request-private-network': 'true' }
  t.equal((await send(mock.url, 'OPTIONS', '/health', asked)).headers['access-control-allow-private-network'], 'true')
  t.equal((await send(mock.url, 'OPTIONS', '/v1/nowhere', preflight('GET'))).status, 404)
  t.equal((await send(mock.url, 'OPTIONS', '/health')).status, 405, 'OPTIONS without Origin is no preflight')
})

t.test(
  'RL-2 ERR-6 DL-3 a page may read every answer and its headers: errors, limits, faults and files too',
  async t => {
    const mock = await start(t)
    const { body: uploaded } = await client(mock).upload(await clip('short.mp4'))
    const key = { 'x-api-key': 'test_key', origin: page }
    mock.use([{ when: { route: 'getUsageSummary' }, then: { body: { by: 'a rule' } } }])
    const answers: [status: number, path: string, headers?: Record<string, string>][] = [
      [200, '/v1/jobs', key],
      [200, '/v1/usage/summary', key],
      [401, '/v1/jobs', { origin: page }],
      [404, '/v1/jobs/job_x', key],
      [404, '/nowhere', key],
      [405, '/v1/uploads', key],
      [429, '/v1/jobs', { ...key, 'x-api-key': 'test_rate_limited' }],
      [500, '/v1/jobs', { ...key, 'x-mock-fault': 'internal_error' }],
      [200, '/v1/jobs', { ...key, 'x-mock-fault': 'dribble; bytes_per_second=100000' }],
      [200, new URL(uploaded.video_url).pathname, { origin: page }],
      [206, new URL(uploaded.video_url).pathname, { origin: page, range: 'bytes=0-1' }],
    ]
    for (const [status, path, headers] of answers) {
      const found = await send(mock.url, 'GET', path, headers)
      t.equal(found.status, status, path)
      t.equal(found.headers['access-control-allow-origin'], page, `${status} ${path}`)
      t.match(found.headers['access-control-expose-headers'], /X-Request-Id, Retry-After, RateLimit/)
      t.match(found.headers.vary, /Origin/)
    }
    const bare = await send(mock.url, 'GET', new URL(uploaded.video_url).pathname)
    t.match(
      bare.headers,
      { vary: 'Origin', 'access-control-allow-origin': undefined },
      'kept for one, of use to another',
    )
  },
)

t.test('--cors says whose pages may read: loopback, nobody, everybody, or those that it names', async t => {
  const foreign = 'https://app.test'
  const cases: [cors: string | undefined, readable: string[], not: string[]][] = [
    [undefined, [page, 'http://127.0.0.1:8080', 'http://[::1]:1'], [foreign, 'null', 'http://localhost.app.test']],
    ['off', [], [page, foreign]],
    ['any', [page, foreign, 'null'], []],
    [
      `${foreign},https://ci.test:8443`,
      [foreign, 'https://ci.test:8443'],
      [page, 'https://ci.test', 'http://app.test'],
    ],
  ]
  for (const [cors, readable, not] of cases) {
    const mock = await start(t, { cors })
    for (const origin of [...readable, ...not]) {
      const found = await send(mock.url, 'GET', '/health', { origin })
      const isReadable = readable.includes(origin)
      t.equal(found.headers['access-control-allow-origin'], isReadable ? origin : undefined, `${cors}: ${origin}`)
      const { status } = await send(mock.url, 'OPTIONS', '/health', { ...preflight('GET'), origin })
      t.equal(status, isReadable ? 204 : 405)
    }
  }
  await t.rejects(start(t, { cors: 'app.test' }), /cors is "app.test"; expected loopback, off, any, or origins/)
})

t.test('the scenario no-cors: no page may read anything, as an API without CORS has it', async t => {
  const mock = await start(t, { scenario: 'no-cors' })
  const { status, headers } = await send(mock.url, 'GET', '/v1/jobs', { origin: page, 'x-api-key': 'test_key' })
  t.equal(status, 200, 'a program sees no difference')
  t.equal(headers['access-control-allow-origin'], undefined)
  t.equal((await send(mock.url, 'OPTIONS', '/v1/jobs', preflight('GET'))).status, 405)
})

t.test('control routes refuse a page of another origin, and a name that was made to lead here', async t => {
  const mock = await start(t, { controlOrigin: ['https://desk.test'], controlHost: ['mock.test'] })
  const { host } = new URL(mock.url)
  await client(mock).get('/v1/jobs')
  const refused: Record<string, string>[] = [
    { origin: page },
    { origin: 'null' },
    { host: 'rebound.test' },
    { host: 'rebound.test', origin: 'http://rebound.test' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ]
  for (const headers of refused) {
    for (const [method, path] of [
      ['POST', '/__mock/reset'],
      ['GET', '/__mock/journal'],
      ['GET', '/__mock/journal.har'],
      ['PUT', '/__mock/snapshot?key=test_key'],
    ] as const) {
      const { status, body, headers: answered } = await send(mock.url, method, path, headers)
      t.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`)
      t.match(JSON.parse(body), { error: { code: 'invalid_request', message: /^Refused: .+/, request_id: /^req_/ } })
      t.equal(answered['access-control-allow-origin'], undefined)
    }
  }
  t.equal(mock.journal.count({ key: 'test_key' }), 1, 'nothing was reset')
  const taken: Record<string, string>[] = [
    {},
    { origin: mock.url },
    { origin: 'https://desk.test', 'sec-fetch-site': 'cross-site' },
    { host: 'mock.test:80' },
    { host: host.replace('127.0.0.1', 'localhost') },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ]
  for (const headers of taken)
    t.equal((await send(mock.url, 'GET', '/__mock/journal', headers)).status, 200, JSON.stringify(headers))
  const asked = await send(mock.url, 'OPTIONS', '/__mock/reset', { ...preflight('POST'), origin: 'https://desk.test' })
  t.match(asked, { status: 204, headers: { 'access-control-allow-origin': 'https://desk.test' } })
  t.equal((await send(mock.url, 'OPTIONS', '/__mock/reset', preflight('POST'))).status, 405)
})

t.test('a browser that opens the address is led to the docs; its icon is no call', async t => {
  const mock = await start(t)
  const home = await send(mock.url, 'GET', '/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
  t.match(home, { status: 302, headers: { location: '/docs' } })
  t.match(await send(mock.url, 'GET', '/favicon.ico'), { status: 200, headers: { 'content-type': /svg/ } })
  t.equal(mock.journal.count(), 0)
  t.equal((await send(mock.url, 'GET', '/', { accept: '*/*' })).status, 404, 'a program has mistaken its path')
})

t.test('links lead where the client reaches the mock: --public-url, or what a trusted proxy says', async t => {
  const linkOf = async (mock: { url: string }, headers: Record<string, string>) => {
    const { body } = await client(mock).call('POST', '/v1/uploads', { headers, body: await form() })
    return String(body.video_url).replace(/\/files\/.*/, '')
  }
  const form = async () => {
    const body = new FormData()
    body.append('file', new Blob([new Uint8Array(await clip('short.mp4'))]), 'short.mp4')
    return body
  }
  const trusting = await start(t, { trustProxy: true })
  const cases: [headers: Record<string, string>, link: string][] = [
    [{ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.test' }, 'https://api.test'],
    [{ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.test, inner:80' }, 'https://api.test'],
    [
      { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.test', 'x-forwarded-port': '8443' },
      'https://api.test:8443',
    ],
    [
      { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.test', 'x-forwarded-prefix': '/mock/' },
      'https://api.test/mock',
    ],
    [{ forwarded: 'for=192.0.2.1;proto=https;host="api.test:8443", for=10.0.0.1' }, 'https://api.test:8443'],
    [{ 'x-forwarded-proto': 'https' }, trusting.url.replace('http:', 'https:')],
    [{ 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'a b"<' }, trusting.url],
    [{}, trusting.url],
  ]
  for (const [headers, link] of cases) t.equal(await linkOf(trusting, headers), link, JSON.stringify(headers))
  const wary = await start(t)
  t.equal(await linkOf(wary, { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.test' }), wary.url)
  const named = await start(t, { publicUrl: 'https://api.test/mock/' })
  t.equal(await linkOf(named, { 'x-forwarded-host': 'other.test' }), 'https://api.test/mock')
  const id = await client(named).job()
  t.match((await client(named).get(`/v1/jobs/${id}`)).body.output_url, /^https:\/\/api\.test\/mock\/files\//)
})
