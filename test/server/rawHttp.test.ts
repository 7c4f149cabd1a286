/** What no HTTP client would send: bytes on a bare socket. Each gets an answer that can be read, and the server lives. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { client, start } from '../support.ts'

/** One mock for all, so that request ids can be compared. Node's own limits are the same for every mock. */
const mock = await start(t)
const requestIds: string[] = []

interface RawAnswer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}

/** Writes the bytes and gives all answers, once the server has closed the connection. */
async function exchange(bytes: string, meanwhile?: (socket: Socket) => void): Promise<RawAnswer[]> {
  const socket = connect(mock.port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk)).on('error', () => {})
  socket.write(bytes)
  meanwhile?.(socket)
  await once(socket, 'close')
  return [...answersIn(Buffer.concat(chunks))]
}

function* answersIn(bytes: Buffer): Generator<RawAnswer> {
  for (let rest = bytes; rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n')
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n')
    const headers = new Headers(lines.map(line => line.split(/: (.*)/, 2) as [string, string]))
    const bodyEnd = end + 4 + Number(headers.get('content-length'))
    const body = rest.subarray(end + 4, bodyEnd).toString()
    const id = headers.get('x-request-id')
    if (id !== null) requestIds.push(id)
    yield { status: Number(/^HTTP\/1\.1 (\d{3}) \w/.exec(statusLine)?.[1]), headers, body: body && JSON.parse(body) }
    rest = rest.subarray(bodyEnd)
  }
}

const lastSeq = (): number => mock.journal.entries().at(-1)?.seq ?? 0
const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`
const host = 'Host: mock'
const key = 'X-Api-Key: test_key'
const close = 'Connection: close'

function isRefusal(t: Test, answer: RawAnswer | undefined, status: number, says: RegExp) {
  t.equal(answer?.status, status)
  if (!answer) return
  t.match(answer.headers.get('content-type'), /^application\/json(;|$)/)
  t.strictSame(Object.keys(answer.body), ['error'])
  t.strictSame(Object.keys(answer.body.error).sort(), ['code', 'message', 'request_id'])
  t.equal(answer.body.error.code, status === 404 ? 'not_found' : status === 401 ? 'invalid_api_key' : 'invalid_request')
  t.match(answer.body.error.message, says)
  t.equal(answer.headers.get('x-request-id'), answer.body.error.request_id)
  t.equal(mock.journal.count({ requestId: answer.body.error.request_id }), 1)
}

/** No job has been made, and the next request is served. */
async function isUnharmed(t: Test) {
  t.equal((await client(mock).get('/v1/jobs')).body.total, 0)
  t.equal((await client(mock).get('/health')).status, 200)
}

const json = '{"video_url":"https://example.com/cat.mp4"}'
const createJob = ['POST /v1/jobs HTTP/1.1', host, key, 'Content-Type: application/json']
const many = (count: number, line: string): string[] => Array.from({ length: count }, () => line)

const refused: [what: string, bytes: string, status: number, says: RegExp][] = [
  ['a line of garbage', head('\x16\x03\x01 garbage'), 400, /^Malformed HTTP request: /],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, /^Malformed HTTP request: /],
  ['a method that there is not', head('FETCH /health HTTP/1.1', host), 400, /^Malformed HTTP request: /],
  ['HTTP/9.9', head('GET /health HTTP/9.9', host), 400, /^Malformed HTTP request: .*version/i],
  ['a missing Host', head('GET /health HTTP/1.1', close), 400, /^Malformed HTTP request: .*Host/],
  ['a header with a space in its name', head('GET /health HTTP/1.1', host, 'X Y: 1'), 400, /^Malformed HTTP request: /],
  ['a header of 20 KiB', head('GET /health HTTP/1.1', host, `X: ${'x'.repeat(20_480)}`), 431, /headers too large/],
  ['3,000 headers', head('GET /health HTTP/1.1', host, ...many(3_000, 'X-Long: 1')), 431, /headers too large/],
  [
    'both Content-Length and Transfer-Encoding',
    `${head(...createJob, `Content-Length: ${json.length}`, 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    400,
    /^Malformed HTTP request: /,
  ],
  ['two Content-Lengths', head(...createJob, 'Content-Length: 2', 'Content-Length: 3'), 400, /^Malformed HTTP request/],
  ['a negative Content-Length', head(...createJob, 'Content-Length: -1'), 400, /^Malformed HTTP request: /],
  [
    'an invalid chunk size',
    `${head(...createJob, 'Transfer-Encoding: chunked')}zz\r\n${json}\r\n0\r\n\r\n`,
    400,
    /^Malformed HTTP request: .*chunk size/i,
  ],
  ['another Expect', head(...createJob, 'Expect: a-cake', close), 417, /^Expectation failed: .*100-continue/],
  ['CONNECT', head('CONNECT mock:443 HTTP/1.1', host), 405, /^Method not allowed: CONNECT/],
  ['two different keys', head('GET /v1/jobs HTTP/1.1', host, key, 'X-Api-Key: test_b', close), 401, /^Invalid API key/],
]

for (const [what, bytes, status, says] of refused) {
  t.test(`ERR-1 ${what} is answered ${status}, once, with the envelope`, async t => {
    const since = lastSeq()
    const answers = await exchange(bytes)
    t.equal(answers.length, 1)
    isRefusal(t, answers[0], status, says)
    t.equal(mock.journal.entries({ kind: 'exchange', since }).filter(({ aborted }) => !aborted).length, 1)
    if (status === 405) t.ok(answers[0]?.headers.get('allow'))
    await isUnharmed(t)
  })
}

t.test('OPTIONS * is answered, and a refusal is the envelope', async t => {
  const [answer] = await exchange(head('OPTIONS * HTTP/1.1', host, close))
  if (answer && answer.status >= 300) isRefusal(t, answer, answer.status, /not (found|allowed): OPTIONS \*/)
  t.match([200, 204, 404, 405], new Set([answer?.status]))
  await isUnharmed(t)
})

const served: [what: string, bytes: string][] = [
  ['an absolute-form target', head(`GET http://mock/health HTTP/1.1`, host, close)],
  ['HTTP/1.0 with a Host', head('GET /health HTTP/1.0', host)],
  ['HTTP/1.0 without a Host, which it does not need', head('GET /health HTTP/1.0')],
  ['Upgrade: websocket', head('GET /health HTTP/1.1', host, 'Connection: Upgrade, close', 'Upgrade: websocket')],
  ['a blank line ahead of the request', `\r\n${head('GET /health HTTP/1.1', host, close)}`],
  ['1,000 headers that fit', head('GET /health HTTP/1.1', host, close, ...many(1_000, 'a:1'))],
  ['header names in capitals', head('GET /v1/jobs HTTP/1.1', 'HOST: mock', 'X-API-KEY: test_key', 'CONNECTION: close')],
]

for (const [what, bytes] of served) {
  t.test(`ERR-6 ${what} is served as an ordinary request`, async t => {
    const answers = await exchange(bytes)
    t.strictSame(
      answers.map(({ status }) => status),
      [200],
    )
    t.equal(mock.journal.count({ requestId: answers[0]?.headers.get('x-request-id') as string }), 1)
    await isUnharmed(t)
  })
}

t.test('HTTP/1.0 keeps its connection where it is asked to, and says a length', async t => {
  const kept = head('GET /health HTTP/1.0', host, 'Connection: Keep-Alive')
  const answers = await exchange(kept + kept + head('GET /health HTTP/1.0', host))
  t.same(
    answers.map(({ status, headers }) => [status, headers.get('connection'), headers.has('content-length')]),
    [
      [200, 'keep-alive', true],
      [200, 'keep-alive', true],
      [200, 'close', true],
    ],
  )
})

t.test('ERR-1 an absolute-form target is told of a wrong method as any other', async t => {
  const [answer] = await exchange(head('DELETE http://mock/v1/jobs HTTP/1.1', host, close))
  isRefusal(t, answer, 405, /^Method not allowed: DELETE/)
})

t.test('ERR-1 pipelined requests, two good and one unknown, are answered in their order', async t => {
  const good = head('GET /v1/jobs HTTP/1.1', host, key)
  const answers = await exchange(good + good + head('GET /nowhere HTTP/1.1', host, close))
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200, 404],
  )
  isRefusal(t, answers[2], 404, /^Route not found/)
  await isUnharmed(t)
})

t.test('ERR-1 pipelined requests, two good and one malformed, are answered in their order', async t => {
  const good = head('GET /v1/jobs HTTP/1.1', host, key)
  const answers = await exchange(good + good + head('garbage'))
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200, 400],
  )
  isRefusal(t, answers[2], 400, /^Malformed HTTP request/)
  await isUnharmed(t)
})

t.test('ERR-6 a client that connects, sends nothing and leaves is no request', async t => {
  const since = lastSeq()
  t.strictSame(await exchange('', socket => socket.end()), [])
  t.equal(mock.journal.count({ since }), 0)
  await isUnharmed(t)
})

t.test('ERR-1 a client that leaves in the middle of its headers does no harm', async t => {
  for (const answer of await exchange('GET /v1/jobs HTT', socket => socket.end()))
    isRefusal(t, answer, 400, /^Malformed HTTP request/)
  await isUnharmed(t)
})

for (const how of ['end', 'resetAndDestroy'] as const) {
  t.test(`ERR-6 a client that breaks off in its body (${how}) makes no job, and is in the journal`, async t => {
    const since = lastSeq()
    // The 100 tells that the server has taken the request, and waits for its body.
    const asked = head(...createJob, `Content-Length: ${json.length}`, 'Expect: 100-continue')
    const [go, ...answers] = await exchange(asked, socket =>
      socket.once('data', () => socket.write(json.slice(0, 20), () => socket[how]())),
    )
    t.equal(go?.status, 100)
    for (const answer of answers) isRefusal(t, answer, 400, /^Malformed HTTP request/)
    const [entry] = await mock.journal.waitFor({ route: 'createJob', since })
    t.match(entry, { aborted: true, job_id: null, status: 400 })
    await isUnharmed(t)
  })
}

t.test('JOB-1 Expect: 100-continue on a job is told to continue, then answered', async t => {
  const create = ['POST /v1/jobs HTTP/1.1', host, 'X-Api-Key: test_continue', 'Content-Type: application/json', close]
  const answers = await exchange(head(...create, `Content-Length: ${json.length}`, 'Expect: 100-continue'), socket =>
    socket.once('data', () => socket.write(json)),
  )
  t.strictSame(
    answers.map(({ status }) => status),
    [100, 200],
  )
})

t.test('AUTH-1 Expect: 100-continue without a key is refused before the body', async t => {
  const noKey = createJob.filter(line => line !== key)
  const answers = await exchange(head(...noKey, `Content-Length: ${json.length}`, 'Expect: 100-continue'))
  t.strictSame(
    answers.map(({ status, body }) => [status, body.error.code]),
    [[401, 'missing_api_key']],
  )
  await isUnharmed(t)
})

t.test('ERR-6 all of these answers had request ids of their own', async t => {
  t.ok(requestIds.length > 25)
  t.equal(new Set(requestIds).size, requestIds.length)
})
