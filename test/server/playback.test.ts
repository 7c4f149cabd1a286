/** serve --replay: a recording that answers a client again. */
import { execFile } from 'node:child_process'
import { createHmac, hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { outputsFolder, packageRoot } from '../../base/paths.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { ConfigError, type MockOptions, type Rule, type RunningMock, startMock } from '../../server/index.ts'
import { builtFile, client, clip, isProving, maxMemoryMb, serve, start, understudy } from '../support.ts'

const run = promisify(execFile)

type Json = Record<string, unknown>
type Part = Partial<Omit<HarEntry, 'request' | 'response'>> & {
  headers?: Record<string, string>
  sent?: string
  answered?: Record<string, string>
  content?: HarEntry['response']['content']
}

const base = 'https://api.example.com/v'

/** An entry as a recording proxy would have it; `body` is the answer's. */
function call(asked: string, status: number, body: unknown = {}, part: Part = {}): HarEntry {
  const [method = '', path = ''] = asked.split(' ')
  const { headers = {}, sent, answered = {}, content, ...rest } = part
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const pairs = (given: Record<string, string>) => Object.entries(given).map(([name, value]) => ({ name, value }))
  return {
    startedDateTime: '2026-05-01T10:00:00.000Z',
    time: 5,
    request: {
      method,
      url: base + path,
      headers: pairs({ 'x-api-key': '[redacted]', ...headers }),
      ...(sent !== undefined && { postData: { mimeType: 'application/json', text: sent } }),
    },
    response: {
      status,
      headers: pairs({ 'content-type': 'application/json', ...answered }),
      content: content ?? { mimeType: 'application/json', text },
    },
    _kind: 'call',
    ...rest,
  }
}

/** Writes a recording; each entry begins a second after the one before. */
function har(t: Test, entries: HarEntry[], about: Json = {}): string {
  const begun = entries.map((entry, i) => ({
    ...entry,
    _number: i + 1,
    startedDateTime: new Date(Date.UTC(2026, 4, 1) + i * 1000).toISOString(),
  }))
  const folder = t.testdir({ 'incident.har': JSON.stringify({ log: { ...about, entries: begun } }) })
  return join(folder, 'incident.har')
}

/** The recording of a running mock, played by another one. */
async function again(t: Test, recorded: RunningMock, options: MockOptions = {}): Promise<RunningMock> {
  const file = join(t.testdir({}), 'incident.har')
  writeFileSync(file, recorded.journal.har())
  return start(t, { replay: file, seed: 'another', ...options })
}

const playing = (t: Test, entries: HarEntry[], options: MockOptions = {}): Promise<RunningMock> =>
  start(t, { replay: har(t, entries), ...options })

const label = ({ headers }: { headers: Headers }): string | null => headers.get('x-mock-replay')

/** Sends bytes, and gives all that comes back till the end, and how that was. */
async function raw(url: string, text: string): Promise<{ text: string; how: string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', () => {})
  socket.write(text)
  const how = await new Promise<string>(resolve => {
    socket.once('end', () => resolve('closed'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  })
  socket.destroy()
  return { text: Buffer.concat(chunks).toString(), how }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Api-Key: test_key\r\n\r\n`

t.test('an incident is answered again: the same statuses, bodies and headers in the same order', async t => {
  const rules: Rule[] = [
    { name: 'fails', when: { route: 'POST /v1/jobs', calls: 1 }, then: { error: 'internal_error' } },
    { name: 'limits', when: { route: 'POST /v1/jobs', calls: 1 }, then: { error: 'rate_limited', retry_after: '3s' } },
  ] as Rule[]
  const live = await start(t, { seed: 'live' })
  live.use(rules)
  const recorded = await incident(live)
  const replayed = await incident(await again(t, live))
  t.same(replayed, recorded)
  t.same(
    recorded.map(({ status }) => status),
    [200, 500, 429, 200, 200, 404, 200, 200],
  )

  async function incident(mock: RunningMock) {
    const api = client(mock, 'test_incident')
    const seen: Json[] = []
    const keep = ({ status, headers, body }: Awaited<ReturnType<typeof api.get>>) => {
      const {
        date,
        connection,
        'keep-alive': alive,
        'x-mock-replay': n,
        'content-length': length,
        ...kept
      } = Object.fromEntries(headers) as Record<string, string>
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      seen.push({ status, headers: kept, body: text.replaceAll(mock.url, 'BASE') })
      return body
    }
    const { video_url } = keep(await api.upload(await clip('short.mp4')))
    keep(await api.post('/v1/jobs', { video_url }))
    keep(await api.post('/v1/jobs', { video_url }))
    const { id } = keep(await api.post('/v1/jobs', { video_url }))
    keep(await api.get(`/v1/jobs/${id}`))
    keep(await api.get('/v1/jobs/unknown'))
    const { download_url } = keep(await client(mock, null).get(`/api/download/${id}`))
    keep(await client(mock, null).get(download_url))
    return seen
  }
})

t.test('an output whose bytes were not kept is a file that can be played, ranges and HEAD too', async t => {
  const live = await start(t)
  const fetchAll = async (mock: RunningMock) => {
    const id = await client(mock).job()
    const { output_url: url } = (await client(mock).get(`/v1/jobs/${id}`)).body
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer())
    const part = await fetch(url, { headers: { range: 'bytes=100-199' } })
    const head = await fetch(url, { method: 'HEAD' })
    return {
      whole: hash('sha256', whole),
      status: part.status,
      part: hash('sha256', Buffer.from(await part.arrayBuffer())),
      range: part.headers.get('content-range'),
      length: head.headers.get('content-length'),
    }
  }
  const before = await fetchAll(live)
  t.same(await fetchAll(await again(t, live)), before)
  t.equal(before.whole, hash('sha256', readFileSync(join(outputsFolder, 'output.webm'))))
})

t.test('a URL that begins with the recorded base leads to the mock, in answers and in requests', async t => {
  const text = `{"url": "${base}/files/a",  "other":"https://cdn.example.com/b","said":"see ${base}/c"}`
  const mock = await playing(t, [
    call('POST /v1/jobs', 200, text, {
      sent: `{"video_url":"${base}/files/a"}`,
      answered: { location: `${base}/v1/x` },
    }),
    call('POST /v1/jobs', 200, { n: 2 }, { sent: `{"video_url":"${base}/files/b"}` }),
  ])
  const api = client(mock)
  t.same((await api.post('/v1/jobs', { video_url: `${mock.url}/files/b` })).body, { n: 2 })
  const first = await fetch(`${mock.url}/v1/jobs`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', 'x-api-key': 'any key at all'.replaceAll(' ', '_') },
    body: JSON.stringify({ video_url: `${mock.url}/files/a` }),
  })
  t.equal(first.headers.get('location'), `${mock.url}/v1/x`)
  t.equal(await first.text(), text.replace(`"${base}/files`, `"${mock.url}/files`), 'all else stays as it is')
})

t.test('a request is known by method, path, query in any order, and JSON with its keys in any order', async t => {
  const mock = await playing(t, [
    call('GET /v1/jobs?limit=2&offset=1', 200, { n: 1 }),
    call('GET /v1/jobs?limit=3', 200, { n: 2 }),
    call('POST /v1/jobs', 200, { n: 3 }, { sent: '{"a":1,"b":{"c":2,"d":[1,2]}}' }),
    call('POST /v1/jobs', 200, { n: 4 }, { sent: '{"a":2}' }),
    call('POST /v1/jobs', 200, { n: 5 }, { sent: '{"a":2,"api_key":"[redacted]"}' }),
    call('GET /v1/files?sig=[redacted]&x=[redacted]', 200, { n: 6 }),
    call('POST /v1/jobs', 200, { n: 7 }, { sent: '{"a":3,"webhook_url":"http://127.0.0.1:1/"}' }),
    call('PATCH /v1/other', 200, { n: 8 }),
  ])
  const api = client(mock)
  t.equal((await api.get('/v1/jobs?offset=1&limit=2')).body.n, 1)
  t.equal((await api.post('/v1/jobs', '{"api_key":"my own secret","a":2}')).body.n, 5)
  t.equal((await api.post('/v1/jobs', { a: 3, webhook_url: 'http://127.0.0.1:2/' })).body.n, 7)
  t.equal((await api.post('/v1/jobs', '{ "b":{"d":[1,2],"c":2}, "a":1 }')).body.n, 3)
  t.equal((await api.post('/v1/jobs', { unknown: true })).body.n, 4, 'an unknown body takes the next unused one')
  t.equal((await api.get('/v1/files?x=2&sig=abcdef')).body.n, 6)
  t.equal((await api.call('PATCH', '/v1/other')).body.n, 8)
  t.equal((await api.get('/v1/jobs?limit=3')).body.n, 2)
})

t.test('parallel creates in another order each get the answer of their own body', async t => {
  const bodies = Array.from({ length: 20 }, (_, n) => ({ video_url: `https://e.com/${n}.mp4` }))
  const mock = await playing(
    t,
    bodies.map((body, n) => call('POST /v1/jobs', 200, { id: n }, { sent: JSON.stringify(body) })),
  )
  const answers = await Promise.all(bodies.toReversed().map(body => client(mock).post('/v1/jobs', body)))
  t.same(
    answers.map(({ body }) => body.id),
    bodies.map((_, n) => n).toReversed(),
  )
})

t.test(
  'the same request gets its answers one after the other; one that was refused unread counts for any body',
  async t => {
    const mock = await playing(t, [
      call('POST /v1/jobs', 429, {}, { headers: { 'content-length': '20' }, answered: { 'retry-after': '3' } }),
      call('POST /v1/jobs', 500, {}, { sent: '{"a":1}' }),
      call('POST /v1/jobs', 200, { id: 1 }, { sent: '{"a":1}' }),
    ])
    const seen = []
    for (let i = 0; i < 3; i++) seen.push((await client(mock).post('/v1/jobs', { a: 1 })).status)
    t.same(seen, [429, 500, 200])
  },
)

t.test('a GET that is used up repeats its last good answer; nothing else is repeated', async t => {
  const mock = await playing(t, [
    call('GET /v1/jobs/a', 200, { status: 'processing' }),
    call('GET /v1/jobs/a', 200, { status: 'completed' }),
    call('GET /v1/jobs/b', 404),
    call('POST /v1/jobs', 200, {}, { sent: '{}' }),
  ])
  const api = client(mock)
  const polls = [await api.get('/v1/jobs/a'), await api.get('/v1/jobs/a'), await api.get('/v1/jobs/a')]
  t.same(
    polls.map(({ body }) => body.status),
    ['processing', 'completed', 'completed'],
  )
  t.same(polls.map(label), ['1', '2', 'repeated 2'])
  for (const ask of [() => api.get('/v1/jobs/b'), () => api.post('/v1/jobs')]) {
    const [first, second] = [await ask(), await ask()]
    t.match([label(first), label(second)], [/^\d$/, 'not recorded'])
    t.match(second, { status: 404, body: { error: { code: 'not_found', message: /not so often/ } } })
  }
})

t.test('what was not recorded is refused, and told what came nearest', async t => {
  const mock = await playing(t, [call('GET /v1/jobs/job_abc', 200), call('POST /v1/jobs/job_abc/start', 200)])
  const { status, body } = await client(mock).get('/v1/jobs/job_abd')
  t.equal(status, 404)
  t.match(body.error, {
    code: 'not_found',
    message:
      /GET \/v1\/jobs\/job_abd was not in .*incident\.har; the nearest is call 1, GET \/v1\/jobs\/job_abc; .*--replay-fallback mock/,
    request_id: /^req_/,
  })
  t.match(mock.journal.entries(), [{ status: 404, request_id: body.error.request_id }])
  t.equal((await client(mock).get('/health')).status, 200, 'who waits for the server to be up is answered')
  t.equal((await client(mock).get('/v1/none')).status, 404)
})

t.test('with --replay-fallback mock the live mock answers, bodies and all', async t => {
  const mock = await playing(t, [call('GET /v1/jobs/job_abc', 200, { id: 'job_abc' })], { replayFallback: 'mock' })
  const api = client(mock)
  const up = await api.upload(await clip('short.mp4'))
  t.match(up, { status: 200, body: { filename: 'short.mp4', size: (await clip('short.mp4')).length } })
  const job = await api.post('/v1/jobs', { video_url: up.body.video_url, metadata: { user: 'ü' } })
  t.equal(label(job), 'not recorded')
  t.match((await api.get(`/v1/jobs/${job.body.id}`)).body, { status: 'completed', metadata: { user: 'ü' } })
  t.match((await api.post('/v1/jobs', '{"video_url":')).body.error.message, /^Invalid JSON/i)
  t.match(await api.post('/v1/jobs', { model: 1 }), { status: 400 })
  t.match(await api.post('/v1/jobs', { video_url: 'a'.repeat(1_100_000) }), { status: 413 })
  const chunked = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 30; n++) controller.enqueue(new TextEncoder().encode(' '.repeat(50_000)))
      controller.close()
    },
  })
  const init = { body: chunked, duplex: 'half', headers: { 'content-type': 'application/json' } } as RequestInit
  t.match(await api.call('POST', '/v1/jobs', init), { status: 413 }, 'a long one in chunks is refused by the live mock')
  t.equal((await api.get('/v1/jobs/job_abc')).body.id, 'job_abc')
  t.match(await client(mock, null).get('/v1/jobs'), { status: 401 })
  t.match(await client(mock).get('/v1/nowhere'), { status: 404, body: { error: { message: /^Route not found/ } } })
})

t.test('each cut is played again as the client met it', async t => {
  const cut = (when: string, how: string, rest: Json = {}) => ({ _cut: { by: 'server', when, how, ...rest } }) as Part
  const mock = await playing(t, [
    call('GET /v1/jobs/reset', 0, '', cut('before_head', 'reset')),
    call('GET /v1/jobs/closed', 0, '', cut('before_head', 'closed')),
    call('GET /v1/jobs/none', 0, '', cut('before_head', 'no_connection')),
    call('GET /v1/jobs/unknown', 0, ''),
    call('GET /v1/jobs/body', 200, '{"a":', {
      ...cut('in_body', 'closed', { bytes: 5 }),
      answered: { 'content-length': '90' },
    }),
    call('GET /v1/jobs/rst', 200, '{"a":', {
      ...cut('in_body', 'reset', { bytes: 5 }),
      answered: { 'content-length': '90' },
    }),
    call('GET /v1/jobs/silent', 0, '', cut('before_head', 'silence')),
    call('GET /v1/jobs/left', 0, '', { time: 30_000, _cut: { by: 'client', when: 'before_head', how: 'closed' } }),
  ])
  const ends = async (path: string) => (await raw(mock.url, get(`/v1/jobs/${path}`))).how
  t.equal(await ends('reset'), 'ECONNRESET')
  t.equal(await ends('closed'), 'closed')
  t.equal(await ends('none'), 'ECONNRESET')
  t.equal(await ends('unknown'), 'closed')
  const body = await raw(mock.url, get('/v1/jobs/body'))
  t.match(body.text, /^HTTP\/1.1 200 OK\r\n.*content-length: 90\r\n.*\r\n\r\n\{"a":$/is)
  t.equal(body.how, 'closed')
  const rst = await raw(mock.url, get('/v1/jobs/rst'))
  t.match([rst.text, rst.how], [/\r\n\r\n\{"a":$/, 'ECONNRESET'])
  t.equal(await ends('left'), 'closed', 'what its client gave up on is silent till then')

  const silent = connect(mock.port, '127.0.0.1')
  silent.write(get('/v1/jobs/silent'))
  await mock.journal.waitFor({ route: 'getJob' }, { atLeast: 8 })
  t.equal(silent.bytesRead, 0)
  const ended = once(silent, 'close')
  silent.on('error', () => {})
  await mock.close()
  await ended

  const entries = JSON.parse(mock.journal.har()).log.entries as HarEntry[]
  t.same(
    entries.map(({ response, _cut }) => [response.status, _cut?.by, _cut?.when, _cut?.how]),
    [
      [0, 'server', 'before_head', 'reset'],
      [0, 'server', 'before_head', 'closed'],
      [0, 'server', 'before_head', 'no_connection'],
      // Without a word on how it ended, nobody is to blame but the client.
      [0, 'client', 'before_head', 'closed'],
      [200, 'server', 'in_body', 'closed'],
      [200, 'server', 'in_body', 'reset'],
      [0, 'client', 'before_head', 'closed'],
      [0, 'server', 'before_head', 'silence'],
    ],
  )
})

t.test("an upload's cut comes in its midst; without one its body is read to the end before the answer", async t => {
  const upload = (status: number, part: Part) => call('POST /v1/uploads', status, { n: 1 }, part)
  const mock = await playing(t, [
    upload(0, { _cut: { by: 'server', when: 'in_request', how: 'reset', bytes: 2000 } }),
    upload(401, {}),
  ])
  const head = (length: number) =>
    `POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}\r\n\r\n`
  const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
  t.equal((await raw(mock.url, head(1_000_000) + part + 'x'.repeat(3000))).how, 'ECONNRESET')
  const sent = `${head(part.length + 500_007)}${part}${'x'.repeat(500_000)}\r\n--b--`
  const answer = await raw(mock.url, `${sent}${get('/health').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`)
  t.match(answer.text, /^HTTP\/1.1 401 .*HTTP\/1.1 200 /s, 'the connection goes on')
  const [first, second] = mock.journal.entries({ route: 'uploadVideo' })
  t.match(first, { status: 0, upload: { filename: 'a.mp4' } })
  t.match(second, { status: 401, upload: { filename: 'a.mp4', type: 'video/mp4' } })
})

t.test('a fault of the mock is recorded and played with the same bytes', async t => {
  const live = await start(t)
  const ask = async (mock: RunningMock) => {
    const answers = []
    for (const fault of [
      'truncated_body; after_bytes=10',
      'reset_mid_body',
      'close_before_head',
      'proxy_html',
      'reset',
    ]) {
      const request = `${get('/v1/jobs').slice(0, -2)}X-Mock-Fault: ${fault}\r\n\r\n`
      const { text, how } = await raw(
        mock.url,
        fault === 'proxy_html' ? request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') : request,
      )
      answers.push({ how, status: text.slice(9, 12), body: text.split('\r\n\r\n')[1] })
    }
    return answers
  }
  const before = await ask(live)
  t.match(before[0], { how: 'closed', status: '200', body: /^.{10}$/ })
  const replayed = await again(t, live)
  t.same(await ask(replayed), before)
  t.same(
    replayed.journal.entries().map(({ fault }) => fault),
    ['truncated_body', 'reset_mid_body', 'close_before_head', 'proxy_html', 'reset'],
  )
})

t.test('an answer takes its recorded time by the clock of the world, and speed divides it', async t => {
  const slow = () => call('GET /v1/jobs/a', 200, {}, { time: 2_500, timings: { wait: 2_000, receive: 0 } })
  for (const [speed, ms] of [
    [1, 2_000],
    [20, 100],
  ] as const) {
    const mock = await playing(t, [slow(), call('GET /v1/jobs/b', 200, {}, { time: ms * speed })], { speed })
    mock.clock.freeze()
    for (const path of ['/v1/jobs/a', '/v1/jobs/b']) {
      let isThere = false
      const answer = client(mock)
        .get(path)
        .then(found => {
          isThere = true
          return found
        })
      const began = mock.clock.now()
      while (!isThere) {
        await nextTurn()
        mock.clock.step(ms / 10)
      }
      t.equal((await answer).status, 200)
      t.ok(mock.clock.now() - began >= ms)
    }
    const times = (JSON.parse(mock.journal.har()).log.entries as HarEntry[]).map(({ time }) => time as number)
    for (const time of times) t.ok(time >= ms && time < ms * 1.3, `${time} ms for ${ms}`)
  }
})

t.test('a body that came slowly comes slowly again', async t => {
  const mock = await playing(
    t,
    [call('GET /v1/jobs/a', 200, 'x'.repeat(100), { timings: { wait: 0, receive: 2_000 } })],
    { speed: 1 },
  )
  mock.clock.freeze()
  const pieces: string[] = []
  const read = fetch(`${mock.url}/v1/jobs/a`).then(async ({ body }) => {
    for await (const piece of body ?? []) pieces.push(Buffer.from(piece).toString())
    return 'done'
  })
  let done = ''
  void read.then(text => {
    done = text
  })
  const began = mock.clock.now()
  while (done === '') {
    await nextTurn()
    mock.clock.step(20)
  }
  t.equal(pieces.join(''), 'x'.repeat(100))
  t.ok(mock.clock.now() - began >= 2_000)
})

t.test('several keys: each client is taken for one of them, by the order, or by what it asks for', async t => {
  const of = (world: string, asked: string, n: number) => call(asked, 200, { n }, { _world: world })
  const entries = [
    of('aaa', 'GET /v1/jobs', 1),
    of('bbb', 'GET /v1/jobs', 2),
    of('aaa', 'GET /v1/jobs/a', 3),
    of('bbb', 'GET /v1/jobs/b', 4),
    of('anonymous', 'GET /files/outputs/a/x.webm', 5),
  ]
  const mock = await playing(t, entries)
  const [one, two, three] = [client(mock, 'test_one'), client(mock, 'any-other-key'), client(mock, 'test_three')]
  t.equal((await one.get('/v1/jobs')).body.n, 1)
  t.equal((await two.get('/v1/jobs')).body.n, 2)
  t.equal((await two.get('/v1/jobs/b')).body.n, 4)
  t.equal((await two.get('/v1/jobs/a')).status, 404)
  t.equal((await one.get('/v1/jobs/a')).body.n, 3)
  t.equal((await client(mock, null).get('/files/outputs/a/x.webm')).body.n, 5)
  t.match(await three.get('/v1/jobs'), {
    status: 404,
    body: { error: { message: /the clients of all keys .* are others/ } },
  })
  mock.reset()
  t.equal((await three.get('/v1/jobs/b')).body.n, 4, 'only the second has asked for this')
  t.equal((await three.get('/v1/jobs')).body.n, 2)
  t.equal((await one.get('/v1/jobs')).body.n, 1)
  mock.reset('test_three')
  t.equal((await three.get('/v1/jobs')).body.n, 2, 'a reset of one key is one of what it was taken for')
  t.equal((await one.get('/v1/jobs/a')).body.n, 3)
})

t.test('a client with a recorded key is taken for that one, another one for who has sent the same body', async t => {
  const of = (world: string, n: number) => call('POST /v1/jobs', 200, { n }, { _world: world, sent: `{"n":${n}}` })
  const mock = await playing(t, [of('aaa', 1), of('bbb', 2), of(hash('sha256', 'test_third').slice(0, 12), 3)])
  t.equal((await client(mock, 'test_third').post('/v1/jobs', { n: 1 })).body.n, 3)
  t.equal((await client(mock, 'test_other').post('/v1/jobs', { n: 2 })).body.n, 2)
  t.equal((await client(mock, 'test_last').post('/v1/jobs', { n: 9 })).body.n, 1)
})

t.test('with one key in the recording, any key or none will do', async t => {
  const mock = await playing(t, [
    call('GET /v1/jobs', 200, { n: 1 }, { _world: 'aaa' }),
    call('GET /v1/jobs', 200, { n: 2 }, { _world: 'aaa' }),
    call('GET /v1/jobs', 200, { n: 3 }, { _world: 'anonymous' }),
  ])
  const seen = []
  for (const key of ['sk_live_whatever', null, 'test_c']) seen.push((await client(mock, key).get('/v1/jobs')).body.n)
  t.same(seen, [1, 2, 3])
})

t.test('large bodies come from beside the recording, and never from outside of its folder', async t => {
  const bytes = Buffer.alloc(3_000_000, 'video')
  const kept = (path: string) => ({
    content: { mimeType: 'video/webm', _body_file: { size: bytes.length, sha256: 'x', path } },
    answered: { 'content-type': 'video/webm', 'content-length': String(bytes.length) },
  })
  const file = har(t, [
    call('GET /v1/jobs', 200),
    call('GET /files/a', 200, '', kept('incident.bodies/abc')),
    call('GET /files/b', 200, '', kept('../outside')),
    call('GET /files/c', 200, '', kept('/etc/hostname')),
    call('GET /files/d', 200, '', kept('incident.bodies/link')),
    call('GET /files/e', 200, '', { content: { mimeType: 'image/png', encoding: 'base64', text: 'AAEC/w==' } }),
    call('GET /files/f', 200, '', {
      answered: { 'content-encoding': 'gzip' },
      content: { mimeType: 'text/plain', text: 'unpacked' },
    }),
  ])
  const folder = join(file, '..', 'incident.bodies')
  mkdirSync(folder)
  writeFileSync(join(folder, 'abc'), bytes)
  writeFileSync(join(file, '..', '..', 'outside'), 'secret')
  symlinkSync(join(file, '..', '..', 'outside'), join(folder, 'link'))
  const mock = await start(t, { replay: file })
  const bytesOf = async (path: string) => Buffer.from(await (await fetch(mock.url + path)).arrayBuffer())
  t.ok((await bytesOf('/files/a')).equals(bytes))
  for (const path of ['/files/b', '/files/c', '/files/d'])
    t.match((await bytesOf(path)).toString(), /"Its body is not in the recording: call \d/, path)
  t.same([...(await bytesOf('/files/e'))], [0, 1, 2, 255])
  t.equal((await bytesOf('/files/f')).toString(), 'unpacked')
})

interface Received {
  headers: IncomingHttpHeaders
  text: string
}

async function receiver(t: Test, answers: number[] = []) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, text: (await buffer(request)).toString() })
    response.writeHead(answers.shift() ?? 200).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

t.test(
  'webhooks of the recording are sent again, to where the client wants them now: duplicates and bad signatures too',
  async t => {
    for (const scenario of [
      'webhook-duplicate',
      'webhook-bad-signature',
      'webhook-out-of-order',
      'webhook-lost',
    ] as const) {
      const live = await start(t, { scenario, webhookSecret: 'hush' })
      const [old, now] = [await receiver(t), await receiver(t)]
      const id = await client(live).job({ webhook_url: old.url })
      const sent = scenario === 'webhook-duplicate' ? 4 : 2
      await live.journal.waitFor({ kind: 'webhook' }, { atLeast: sent })
      const mock = await again(t, live, { webhookSecret: 'hush' })
      const before = old.received.length
      t.equal(await client(mock).job({ webhook_url: now.url }), id)
      const entries = await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: sent })
      t.equal(old.received.length, before, 'the recorded receiver hears nothing')
      const shown = ({ headers, text }: Received) => [
        headers['x-webhook-event'],
        headers['x-webhook-delivery-id'],
        text.replaceAll(live.url, mock.url),
        isSigned({ headers, text }),
      ]
      t.same(now.received.map(shown), old.received.map(shown), scenario)
      t.equal(now.received.length, scenario === 'webhook-lost' ? 0 : sent)
      t.same(
        entries.map(({ fault }) => fault),
        live.journal.entries({ kind: 'webhook' }).map(({ fault }) => fault),
      )
      t.same(
        entries.map(({ attempt }) => attempt),
        live.journal.entries({ kind: 'webhook' }).map(({ attempt }) => attempt),
      )
      for (const one of now.received) t.equal(isSigned(one), scenario !== 'webhook-bad-signature')
    }
  },
)

function isSigned({ headers, text }: Received): boolean {
  const mac = createHmac('sha256', 'hush').update(`${headers['x-webhook-timestamp']}.${text}`).digest('hex')
  return headers['x-webhook-signature'] === `sha256=${mac}`
}

t.test('a webhook comes at its recorded time after the answer; one that had failed is sent once', async t => {
  const hook = (n: number, attempt: number, error?: string): HarEntry => ({
    ...call('POST /', 200, ''),
    request: {
      method: 'POST',
      url: 'http://127.0.0.1:9/hook',
      headers: [],
      postData: { mimeType: 'application/json', text: `{"event":"job.started","data":{"id":"job_a","n":${n}}}` },
    },
    _kind: 'webhook',
    _job_id: 'job_a',
    _delivery: { id: `whd_${n}`, event: 'job.started', attempt, ...(error && { error }) },
  })
  const create = call('POST /v1/jobs', 200, { id: 'job_a' }, { sent: '{}' })
  const mock = await playing(t, [create, hook(1, 1, 'answered 500'), hook(1, 2), hook(2, 1)], { speed: 1 })
  mock.clock.freeze()
  const { received, url } = await receiver(t)
  const asked = client(mock).post('/v1/jobs', { webhook_url: url })
  while (mock.journal.count() === 0) {
    await nextTurn()
    mock.clock.step(1)
  }
  await asked
  mock.clock.step(980)
  t.equal(received.length, 0)
  mock.clock.step(20)
  await mock.journal.waitFor({ kind: 'webhook' })
  mock.clock.step(1_900)
  t.match(received, [{ headers: { 'x-webhook-delivery-id': 'whd_1' } }])
  mock.clock.step(100)
  await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 2 })
  t.match(received[1], { headers: { 'x-webhook-delivery-id': 'whd_2' } })
  t.equal(received.length, 2)
})

t.test('a webhook to another machine is not sent', async t => {
  const live = await start(t)
  await client(live).job({ webhook_url: 'http://hooks.example.com/a' })
  await live.journal.waitFor({ kind: 'webhook' }, { atLeast: 2 })
  const mock = await again(t, live)
  await client(mock).job({ webhook_url: 'http://hooks.example.com/b' })
  const [entry] = await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 2 })
  t.match(entry, { status: 0, url: 'http://hooks.example.com/b', error: /^not sent: .* is not loopback/ })
})

t.test('a reset rewinds the recording, in process and over HTTP', async t => {
  const mock = await playing(t, [call('POST /v1/jobs', 200, { n: 1 }), call('POST /v1/jobs', 500)])
  const api = client(mock)
  const once = async () => [(await api.post('/v1/jobs')).status, (await api.post('/v1/jobs')).status]
  t.same(await once(), [200, 500])
  t.same(await once(), [404, 404])
  mock.reset()
  t.same(await once(), [200, 500])
  await api.post('/__mock/reset')
  t.same(await once(), [200, 500])
})

t.test('answers are in journal, metrics and usage with the recorded ids; X-Mock-Replay can be turned off', async t => {
  const error = { error: { code: 'internal_error', message: 'Processing failed', request_id: 'req_recorded' } }
  const entries = [call('POST /v1/jobs', 500, error, { sent: '{}', answered: { 'x-request-id': 'req_recorded' } })]
  const mock = await playing(t, entries, { mockHeaders: false })
  const answer = await client(mock).post('/v1/jobs')
  t.match(answer, { status: 500, body: error })
  t.equal(answer.headers.get('x-request-id'), 'req_recorded')
  t.equal(label(answer), null)
  t.match(mock.journal.entries({ requestId: 'req_recorded' }), [
    { status: 500, route: 'POST /v1/jobs', request: { body: {} } },
  ])
  t.equal(mock.journal.count({ route: 'createJob' }), 1)
  t.match((await client(mock).get('/metrics')).body, /route="POST \/v1\/jobs",status="500"\} 1/)
})

t.test("another tool's recording plays too: no fields of ours, HTTP/2's names, packed bodies", async t => {
  const entry = call(
    'GET /v1/jobs',
    200,
    { n: 1 },
    { answered: { ':status': '200', 'transfer-encoding': 'chunked', 'bad name': '1', 'x-good': '1' } },
  )
  const { _kind, ...bare } = entry
  const file = join(t.testdir({ 'a.har': JSON.stringify({ log: { entries: [bare] } }) }), 'a.har')
  const mock = await start(t, { replay: file })
  const answer = await client(mock).get('/v1/jobs')
  t.equal(answer.body.n, 1)
  t.equal(answer.headers.get('x-good'), '1')
  t.equal(answer.headers.get('transfer-encoding'), null)
})

t.test('a file that is not a recording of the API is a ConfigError that says so', async t => {
  const whole = readFileSync(har(t, [call('GET /v1/jobs', 200)]), 'utf8')
  const foreign = JSON.stringify({
    log: { entries: [{ ...call('GET /', 200), request: { method: 'GET', url: 'https://a.com/', headers: [] } }] },
  })
  const cases: [string, string | undefined, RegExp][] = [
    ['none.har', undefined, /can't be read/],
    ['empty.har', '', /is empty/],
    ['cut.har', whole.slice(0, -60), /cut off|ends/],
    ['text.har', 'hello', /is not JSON/],
    ['other.har', '{"a":1}', /is not a recording/],
    ['foreign.har', foreign, /is a call of this API/],
  ]
  const folder = t.testdir(
    Object.fromEntries(cases.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]))),
  )
  for (const [name, , says] of cases) {
    await t.rejects(startMock({ replay: join(folder, name) }), { constructor: ConfigError, message: says }, name)
  }
  await t.rejects(startMock({ replayFallback: 'live' as 'mock' }), /expected none or mock/)
})

const entryCount = isProving ? 100_000 : 4_000

t.test(`${entryCount} entries start in seconds and take no more than their places`, async t => {
  const file = join(t.testdir({}), 'large.har')
  const one = (n: number) =>
    JSON.stringify({
      ...call(
        n % 2 ? `GET /v1/jobs/job_${n % 1999}` : 'POST /v1/jobs',
        200,
        { id: `job_${n}`, filler: 'x'.repeat(700) },
        n % 2 ? {} : { sent: `{"n":${n}}` },
      ),
      startedDateTime: new Date(Date.UTC(2026, 4, 1) + n).toISOString(),
    })
  writeFileSync(file, `{"log":{"entries":[${Array.from({ length: entryCount }, (_, n) => one(n)).join(',')}]}}`)
  // A process of its own, as only that shows what it takes.
  const script = `
    import { startMock } from ${JSON.stringify(builtFile('server/index.js'))}
    import { client } from ${JSON.stringify(builtFile('test/support.js'))}
    const before = process.cpuUsage()
    const mock = await startMock({ speed: 'instant', replay: ${JSON.stringify(file)} })
    const { user, system } = process.cpuUsage(before)
    const cpuMs = Math.round((user + system) / 1000)
    const api = client(mock)
    const found = [await api.post('/v1/jobs', { n: ${entryCount - 2} }), await api.get('/v1/jobs/job_1001'), await api.get('/v1/jobs/job_x')]
    await mock.close()
    const told = { found: found.map(({ status, body }) => body.id ?? status), cpuMs, maxMb: ${maxMemoryMb} }
    console.log(JSON.stringify(told))
  `
  const args = ['--input-type=module', '--eval', script]
  const { stdout } = await run(process.execPath, args, { cwd: packageRoot, timeout: 120_000 })
  const { found, cpuMs, maxMb } = JSON.parse(stdout)
  t.same(found, [`job_${entryCount - 2}`, 'job_1001', 404])
  t.ok(maxMb < (isProving ? 300 : 150), `${Math.round(maxMb)} MB`)
  // What the processor has worked: the clock on the wall tells what else the machine does.
  t.ok(cpuMs < 20_000, `${cpuMs} ms`)
  t.comment(`started in ${cpuMs} ms of the processor, ${Math.round(maxMb)} MB at the most`)
})

t.test('the command says what it replays, and what is wrong with a file in one line', async t => {
  const file = har(t, [call('GET /v1/jobs', 200, { n: 1 }), call('GET /v1/jobs', 200, { n: 2 })])
  const server = await serve(t, ['--replay', file, '--log-level', 'error'])
  t.match(server.stdout(), `replaying ${file}: 2 calls of ${base}`)
  t.equal((await client(server).get('/v1/jobs')).body.n, 1)
  t.match(await understudy(['serve', '--replay', '/dev/null']), {
    code: 2,
    stdout: '',
    stderr: 'understudy: /dev/null is empty; expected a recording (HAR)\n',
  })
})
