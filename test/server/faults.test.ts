/** Every fault on the wire, as real clients meet it: Node's fetch, curl, and http.client of Python. */
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { realDelay } from '../../base/clock.ts'
import { packageRoot } from '../../base/paths.ts'
import type { ExchangeEntry, RunningMock } from '../../client/mock.ts'
import type { RuleFormat } from '../../client/scenarioFormat.ts'
import { faultNames } from '../../server/faults/index.ts'
import { builtFile, client, clip, start } from '../support.ts'

type Client = 'fetch' | 'curl' | 'python'
type Errors = Record<Client, RegExp>

interface Ask {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** When the client gives up. */
  timeoutMs?: number
}

/** What a client got to see. */
interface Seen {
  /** '' for an answer that it took for a whole one: fetch's message and code, curl's exit code, Python's exception. */
  error: string
  status: number
  headers: Record<string, string>
  body: Buffer
  /** In how many pieces the body came: for Python at most two, the first and the rest. */
  pieces: number
  ms: number
}

const clients: Record<Client, (url: string, ask: Required<Ask>) => Promise<Seen>> = {
  async fetch(url, { method, headers, body, timeoutMs }) {
    const seen = { error: '', status: 0, headers: {} }
    const chunks: Uint8Array[] = []
    const startedAt = performance.now()
    try {
      const sent = body.length > 0 ? body : undefined
      const answer = await fetch(url, { method, headers, body: sent, signal: AbortSignal.timeout(timeoutMs) })
      Object.assign(seen, { status: answer.status, headers: Object.fromEntries(answer.headers) })
      for await (const chunk of answer.body ?? []) chunks.push(chunk)
    } catch (thrown) {
      const { name, message, cause } = thrown as Error & { cause?: { code?: string } }
      seen.error = `${name} ${message} ${cause?.code}`
    }
    return { ...seen, ms: performance.now() - startedAt, body: Buffer.concat(chunks), pieces: chunks.length }
  },

  async curl(url, { method, headers, body, timeoutMs }) {
    const lines = Object.entries({ ...headers, expect: '' }).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    const sent = body.length > 0 ? ['--data-binary', '@-'] : []
    const limits = ['--noproxy', '*', '--max-time', String(timeoutMs / 1000)]
    const shown = ['--silent', '--include', '--no-buffer', '--write-out', '%{stderr}%{time_total}']
    const curl = spawn('curl', ['-q', ...limits, ...shown, '--request', method, ...lines, ...sent, url])
    const chunks: Buffer[] = []
    let seconds = ''
    curl.stdout.on('data', chunk => chunks.push(chunk))
    curl.stderr.on('data', text => {
      seconds += text
    })
    curl.stdin.on('error', () => {}).end(body)
    const [code] = await once(curl, 'close')
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    const [statusLine = '', ...rest] = all.toString('latin1', 0, Math.max(0, end)).split('\r\n')
    return {
      error: code === 0 ? '' : String(code),
      status: Number(statusLine.split(' ')[1] ?? 0),
      headers: Object.fromEntries(new Headers(rest.map(line => line.split(/: (.*)/, 2) as [string, string]))),
      body: end < 0 ? Buffer.alloc(0) : all.subarray(end + 4),
      pieces: chunks.length,
      ms: Number(seconds) * 1000,
    }
  },

  async python(url, { method, headers, body, timeoutMs }) {
    const { port, pathname } = new URL(url)
    const number = asked++
    const bytes = Buffer.from(body).toString('base64')
    python.stdin.write(
      `${JSON.stringify([number, Number(port), method, pathname, headers, bytes, timeoutMs / 1000])}\n`,
    )
    const [seen] = await once(pythonSays, String(number))
    return { ...seen, body: Buffer.from(seen.body, 'base64') }
  },
}

const pythonClient = `
import base64, http.client, json, sys, threading, time
def ask(number, port, method, path, headers, body, timeout):
    seen, pieces, began = {'error': '', 'status': 0, 'headers': {}}, [], time.monotonic()
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=timeout)
    try:
        connection.request(method, path, base64.b64decode(body) or None, headers)
        answer = connection.getresponse()
        seen.update(status=answer.status, headers={name.lower(): value for name, value in answer.getheaders()})
        pieces.append(answer.read1())
        pieces.append(answer.read())
    except Exception as error:
        seen['error'] = type(error).__name__
        pieces.append(getattr(error, 'partial', b''))
    connection.close()
    seen.update(ms=(time.monotonic() - began) * 1000, pieces=len([piece for piece in pieces if piece]))
    seen.update(number=number, body=base64.b64encode(b''.join(pieces)).decode())
    sys.stdout.write(json.dumps(seen) + '\\n')
for line in sys.stdin:
    threading.Thread(target=ask, args=json.loads(line)).start()
`
/** One for all calls, as it takes longer to start than most of them do. */
const python = spawn('python3', ['-Iu', '-c', pythonClient], { stdio: ['pipe', 'pipe', 'inherit'] })
let asked = 0
const pythonSays = new EventEmitter()
createInterface(python.stdout).on('line', line => {
  const seen = JSON.parse(line)
  pythonSays.emit(String(seen.number), seen)
})
t.teardown(() => python.stdin.end())

/** One for all but a few: no two calls have a key in common. */
const mock = await start(t)
const create = '{"video_url":"https://example.com/cat.mp4#t=2"}'
const json = { 'content-type': 'application/json' }

/** By default the call creates a job. */
function by(name: Client, mock: RunningMock, key: string, ask: Ask): Promise<Seen> {
  const { path = '/v1/jobs', method = 'POST', headers = json, timeoutMs = 5_000 } = ask
  const body = ask.body ?? (method === 'POST' ? create : '')
  return clients[name](mock.url + path, { path, method, body, timeoutMs, headers: { ...headers, 'x-api-key': key } })
}

const names = Object.keys(clients) as Client[]
let calls = 0

/** The same call by all clients at once; `before` is told the key that each of them has to itself. */
function byAll(mock: RunningMock, ask: Ask, before: (key: string) => void = () => {}) {
  const call = calls++
  return Promise.all(
    names.map(async name => {
      const key = `test_${name}_${call}`
      before(key)
      return { name, key, seen: await by(name, mock, key, ask), api: client(mock, key) }
    }),
  )
}

type Met = Awaited<ReturnType<typeof byAll>>[number]

const jobsOf = async ({ api }: Pick<Met, 'api'>): Promise<number> => (await api.get('/v1/jobs')).body.total
const faultsMet = new Set<string>()

/** The entry of the client's one call to a route, once it is there. */
async function entryOf(t: Test, mock: RunningMock, { key }: Met, route = 'createJob'): Promise<ExchangeEntry> {
  const entries = await mock.journal.waitFor({ key, route })
  t.equal(entries.length, 1)
  const entry = entries[0] as ExchangeEntry
  if (entry.fault) faultsMet.add(entry.fault)
  return entry
}

const none = { fetch: /^$/, curl: /^$/, python: /^$/ }
/** The head and the first bytes have to be there by then, on a busy machine too. */
const stalled = { fetch: /^TimeoutError/, curl: /^28$/, python: /^TimeoutError$/ }
const timedOut = { fetch: /^TimeoutError/, curl: /^28$/, python: /^TimeoutError$/ }
const noHead = { fetch: /fetch failed (UND_ERR_SOCKET|ECONNRESET)/, curl: /^52$/, python: /^RemoteDisconnected$/ }
const wasReset = { fetch: /fetch failed ECONNRESET/, curl: /^56$/, python: /^ConnectionResetError$/ }
const resetInBody = { fetch: /terminated ECONNRESET/, curl: /^56$/, python: /^(ConnectionResetError|IncompleteRead)$/ }
const cutOff = { fetch: /terminated UND_ERR/, curl: /^18$/, python: /^IncompleteRead$/ }
const resetWhileSending = {
  fetch: /fetch failed (ECONNRESET|EPIPE|UND_ERR_SOCKET)/,
  curl: /^5[56]$/,
  python: /^(ConnectionResetError|BrokenPipeError)$/,
}
/** Of a client that is to give up; the others are never to. */
const patienceMs = (errors: Errors): number => (errors === timedOut ? 600 : errors === stalled ? 2_000 : 5_000)

const announced = ({ headers }: Seen): number => Number(headers['content-length'])
const parsed = ({ body }: Seen) => JSON.parse(body.toString())

type Check = (t: Test, seen: Seen, entry: ExchangeEntry, name: Client) => void

const isTheJob: Check = (t, seen, { response, job_id }) => {
  t.same(parsed(seen), response?.body)
  t.equal(parsed(seen).id, job_id)
  t.equal(announced(seen), seen.body.length)
}

/** The head speaks of the whole body, and what came of it is its beginning. */
const isPart: Check = (t, seen, { response }) => {
  t.equal(announced(seen), JSON.stringify(response?.body).length)
  t.ok(JSON.stringify(response?.body).startsWith(seen.body.toString()))
}

/** It took 0.8 to 2 times as long as so many bytes do at 400 a second. */
function isSlow(t: Test, { ms, pieces }: Seen, bytes: number, name: Client) {
  const dueMs = bytes * 2.5
  t.ok(ms > 0.8 * dueMs && ms < 2 * dueMs, `${name}: ${ms} ms for ${dueMs}`)
  t.ok(pieces >= (name === 'python' ? 2 : 5), `${name}: ${pieces} pieces`)
}

const fields = ['code', 'message', 'request_id', 'error']

function lacks(t: Test, seen: Seen, missing: string) {
  const { error = parsed(seen), ...beside } = parsed(seen)
  const left = fields.filter(field => field !== missing && field !== 'error')
  t.same(Object.keys(error).sort(), left)
  t.same(Object.keys(beside).sort(), missing === 'error' ? left : [])
  t.equal(announced(seen), seen.body.length)
}

/** What is left to look at, by the fault. */
const checks: Record<string, Check> = {
  reset_mid_body: isPart,
  truncated_body(t, seen, ...rest) {
    isPart(t, seen, ...rest)
    t.equal(seen.body.length, 10)
  },
  truncated_chunks(t, { headers, body }, { response }) {
    t.same([headers['content-length'], headers['transfer-encoding']], [undefined, 'chunked'])
    t.equal(body.toString(), JSON.stringify(response?.body).slice(0, 10))
  },
  stall_body(t, seen, ...rest) {
    isPart(t, seen, ...rest)
    t.equal(seen.body.length, 10)
  },
  slow_head(t, seen, entry, name) {
    isTheJob(t, seen, entry, name)
    const bytes = Object.entries(seen.headers).reduce(
      (sum, [name, value]) => sum + name.length + String(value).length + 4,
      0,
    )
    t.ok(seen.ms > (0.8 * bytes) / 2, `${name}: ${seen.ms} ms for ${bytes} bytes at 2 a ms`)
  },
  close_unread(t, seen, ...rest) {
    t.equal(seen.headers.connection, 'close')
    isTheJob(t, seen, ...rest)
  },
  empty_reply: (t, seen) =>
    t.same([announced(seen), seen.body.length, seen.headers['content-type']], [0, 0, undefined]),
  malformed_json(t, seen) {
    t.match(seen.headers['content-type'], /^application\/json/)
    t.equal(announced(seen), seen.body.length)
    t.match(seen.body.toString(), /^\{"success":true,/)
    t.throws(() => parsed(seen), SyntaxError)
  },
  proxy_html(t, seen) {
    t.equal(seen.headers['content-type'], 'text/html')
    t.equal(announced(seen), seen.body.length)
    t.match(seen.body.toString(), new RegExp(`^<html>[^]*<h1>${seen.status} [^]*</html>\r\n$`))
  },
  wrong_content_type(t, seen, ...rest) {
    t.equal(seen.headers['content-type'], 'text/html')
    isTheJob(t, seen, ...rest)
  },
  wrong_status: isTheJob,
  broken_envelope: (t, seen, { request }) => lacks(t, seen, request.headers['x-mock-fault']?.split('=')[1] as string),
  dribble(t, seen, entry, name) {
    isTheJob(t, seen, entry, name)
    isSlow(t, seen, seen.body.length, name)
  },
  bandwidth(t, seen, entry, name) {
    isTheJob(t, seen, entry, name)
    isSlow(t, seen, create.length + seen.body.length, name)
  },
}

type Row = [asked: string, does: string, errors: Errors, status: number, jobs: 0 | 1, entry?: object]
const rows: Row[] = [
  ['close_before_head', 'ends the connection without a byte', noHead, 0, 0],
  ['reset', 'resets the connection', wasReset, 0, 0],
  ['reset_mid_body; after_bytes=20', 'resets the connection behind 20 bytes of the body', resetInBody, 200, 1],
  ['truncated_body; after_bytes=10', 'announces the whole body and ends after 10 bytes', cutOff, 200, 1],
  ['truncated_chunks; after_bytes=10', 'ends after 10 bytes in chunks', cutOff, 200, 1],
  ['slow_head; bytes_per_second=2000', 'sends the head in its time, then the body', none, 200, 1],
  ['close_unread', 'answers, and closes', none, 200, 1],
  ['empty_reply', 'answers 200 and nothing', none, 200, 1],
  ['malformed_json', 'answers 200 with JSON that breaks off, its Content-Length fitting', none, 200, 1],
  ['proxy_html', 'answers 502 with HTML instead of the envelope', none, 502, 0],
  ['proxy_html; status=503', 'answers 503 likewise', none, 503, 0],
  ['proxy_html; status=504', 'answers 504 likewise', none, 504, 0],
  ['wrong_content_type', 'sends the right body as text/html', none, 200, 1],
  ['wrong_status; status=503', 'sends the right body as 503', none, 503, 1],
  ...fields.map((field): Row => [`broken_envelope; missing=${field}`, 'is an error without it', none, 500, 0]),
  ['dribble; bytes_per_second=400', 'sends the body in its time, byte by byte', none, 200, 1],
  ['bandwidth; bytes_per_second=400', 'takes both bodies in their time', none, 200, 1],
  // What the journal makes of its end depends on how much of the body had come by then.
  ['cut_upload; after_bytes=9', 'resets it in the JSON', resetWhileSending, 0, 0, { aborted: true, status: 0 }],
  ['delay=10m', 'answers a client that has gone', timedOut, 0, 1, { aborted: true, status: 200, delay_ms: 600_000 }],
  ['no_answer', 'keeps the client waiting until it gives up', timedOut, 0, 0],
  ['internal_error; delay=10m', 'is left before anything was done', timedOut, 0, 0, { aborted: true }],
  ['stall_body; after_bytes=10', 'falls silent after 10 bytes of the body', stalled, 200, 1],
]

type Lost = [then: RuleFormat['then'], errors: Errors, status: number]
const lost: Lost[] = [
  [{ fault: 'no_answer' }, timedOut, 0],
  [{ fault: 'close_before_head' }, noHead, 0],
  [{ fault: 'reset' }, wasReset, 0],
  [{ fault: 'reset_mid_body' }, resetInBody, 200],
  [{ fault: { type: 'proxy_html', status: 504 } }, none, 504],
  [{ error: 'internal_error' }, none, 500],
]

/** Each client creates a job under a key of idempotency, and loses the answer. */
function lose([then, errors]: Lost) {
  const when = { route: 'createJob' }
  const rules: RuleFormat[] = [{ name: 'lost-answer', when, first: 1, then: { ...then, pass: 'before_delay' } }]
  const ask = { headers: { ...json, ...same }, timeoutMs: patienceMs(errors) }
  return byAll(mock, ask, key => mock.use({ name: 'lost', rules }, { key }))
}
const same = { 'idempotency-key': 'k1' }

/** The clients that wait until they give up wait while the other faults are met: their calls begin with the file. */
const waiting = new Map<unknown, ReturnType<typeof byAll>>()
const isWaiting = (errors: Errors) => errors === timedOut || errors === stalled

const meet = ([asked, , errors]: Row) =>
  byAll(mock, { headers: { ...json, 'x-mock-fault': asked }, timeoutMs: patienceMs(errors) })

// First of all, as a client's very first call may take longer than those that give up are to wait.
t.test('JOB-2 without a fault all clients get the job at once', async t => {
  for (const met of await byAll(mock, {})) {
    t.match(met.seen, { error: '', status: 200 }, met.name)
    const entry = await entryOf(t, mock, met)
    t.same([entry.fault, entry.rule, entry.scenario], [undefined, undefined, undefined])
    isTheJob(t, met.seen, entry, met.name)
  }
  for (const row of rows) if (isWaiting(row[2])) waiting.set(row, meet(row))
  for (const row of lost) if (isWaiting(row[1])) waiting.set(row, lose(row))
})

for (const row of rows) {
  const [asked, does, errors, status, jobs, more] = row
  const fault = faultNames.find(known => known === asked.split(';', 1)[0])
  t.test(`ERR-3 X-Mock-Fault: ${asked} ${does}`, async t => {
    for (const met of await (waiting.get(row) ?? meet(row))) {
      const { name, seen } = met
      const entry = await entryOf(t, mock, met)
      t.match(seen.error, errors[name], `${name} ends with ${seen.error}`)
      t.equal(seen.status, status, name)
      t.match(entry, { rule: 'X-Mock-Fault', scenario: 'X-Mock-Fault', status, aborted: false, ...more })
      t.equal(entry.fault, fault)
      t.equal(entry.response === undefined, entry.status === 0)
      t.equal(await jobsOf(met), jobs, name)
      if (fault) checks[fault]?.(t, seen, entry, name)
    }
  })
}

t.test('ERR-1 a rule with broken_envelope leaves out each field in its turn', async t => {
  const key = 'test_in_turn'
  const then = { error: 'insufficient_credits', fault: 'broken_envelope' } as const
  const handle = mock.use([{ name: 'broken', when: { route: 'createJob' }, then }], { key })
  for (const name of names) {
    for (const missing of fields) {
      const seen = await by(name, mock, key, {})
      t.match(seen, { error: '', status: 402 }, `${name} takes an error without ${missing}`)
      lacks(t, seen, missing)
    }
  }
  t.same([handle.count('broken'), mock.journal.count({ key, status: 402 })], [12, 12])
})

for (const row of lost) {
  const [then, errors, status] = row
  const what = JSON.stringify(then.fault ?? then.error)
  t.test(`GO-3 ID-1 ${what} after the work loses the answer only: a retry gets the first job again`, async t => {
    for (const met of await (waiting.get(row) ?? lose(row))) {
      const { name, seen, api } = met
      t.match(seen.error, errors[name], `${name} ends with ${seen.error}`)
      t.equal(seen.status, status)
      if (then.error) t.match(parsed(seen), { error: { code: then.error } })
      const { job_id: id, ...entry } = await entryOf(t, mock, met)
      t.match(entry, { rule: 'lost-answer', scenario: 'lost', status: status || 200 })
      t.equal(await jobsOf(met), 1, name)
      const again = await api.post('/v1/jobs', JSON.parse(create), same)
      t.match(again, { status: 200, body: { id } })
      t.equal(again.headers.get('idempotency-replayed'), 'true')
      t.equal(await jobsOf(met), 1, name)
    }
  })
}

t.test('UP-1 slow_upload reads a clip in its time, cut_upload resets the connection and nothing is kept', async t => {
  const dataDir = t.testdir()
  const mock = await start(t, { dataDir })
  const bytes = await clip('short.mp4')
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(bytes)], { type: 'video/mp4' }), 'short.mp4')
  const whole = new Response(form)
  const type = { 'content-type': whole.headers.get('content-type') as string }
  const body = new Uint8Array(await whole.arrayBuffer())
  const upload = (fault: string) =>
    byAll(mock, { path: '/v1/uploads', body, headers: { ...type, 'x-mock-fault': fault } })

  for (const met of await upload('cut_upload; after_bytes=4096')) {
    t.match(met.seen.error, resetWhileSending[met.name], `${met.name} ends with ${met.seen.error}`)
    const entry = await entryOf(t, mock, met, 'uploadVideo')
    t.match(entry, { fault: 'cut_upload', rule: 'X-Mock-Fault', scenario: 'X-Mock-Fault', aborted: true, status: 0 })
    t.equal(entry?.response, undefined)
    t.match(entry.upload, { filename: 'short.mp4', sha256: '' })
  }
  t.same([await readdir(join(dataDir, 'uploads')), await readdir(join(dataDir, 'incoming'))], [[], []])

  // The first one loads what measures a clip, which takes as long.
  await client(mock).upload(bytes)
  for (const met of await upload('slow_upload; bytes_per_second=60000')) {
    t.match(met.seen, { error: '', status: 200 }, met.name)
    t.ok(met.seen.ms > 0.8 * 518, `${met.name}: ${met.seen.ms} ms for 518`)
    const entry = await entryOf(t, mock, met, 'uploadVideo')
    t.match(entry, { fault: 'slow_upload', upload: { filename: 'short.mp4', size: 31_052 } })
  }
})

/** Sends an upload until it is reset, and again at once on a connection that is there already: no client could be faster. */
const impatientClient = `
import socket, sys
port, lines = int(sys.argv[1]), sys.argv[2]
body = sys.stdin.buffer.read()
for n in range(10):
    first, second = [socket.create_connection(('127.0.0.1', port)) for _ in range(2)]
    request = (lines % n).encode() + body
    try:
        first.sendall(request)
        first.recv(1)
    except OSError:
        pass
    second.sendall(request)
    print(second.recv(4096).split()[1].decode())
`

t.test('ID-1 who sends a cut upload again at once finds its Idempotency-Key free', async t => {
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(await clip('longer.mp4'))]), 'a.mp4')
  const whole = new Response(form)
  const body = Buffer.from(await whole.arrayBuffer())
  const then = { fault: { type: 'cut_upload', after_bytes: 4096 } }
  for (let n = 0; n < 10; n++)
    mock.use([{ when: { route: 'uploadVideo' }, first: 1, then }], { key: `test_again_${n}` })
  const lines = [
    'POST /v1/uploads HTTP/1.1',
    'Host: mock',
    'X-Api-Key: test_again_%d',
    'Idempotency-Key: one',
    `Content-Type: ${whole.headers.get('content-type')}`,
    `Content-Length: ${body.length}`,
  ]
  const args = ['-Ic', impatientClient, new URL(mock.url).port, `${lines.join('\r\n')}\r\n\r\n`]
  const impatient = spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  impatient.stdin.end(body)
  t.equal((await text(impatient.stdout)).trim(), Array(10).fill('200').join('\n'))
})

t.test('DL-3 a reset in a large body comes after exactly so many bytes, though its reader is slow', async t => {
  const video = Buffer.concat([await clip('short.mp4'), Buffer.alloc(3_000_000)])
  const { body: upload } = await client(mock, 'test_large').upload(video)
  const { pathname, port } = new URL(upload.video_url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: mock\r\nX-Mock-Fault: reset_mid_body; after_bytes=1500000\r\n\r\n`)
  let head = ''
  let read = 0
  const ended = once(socket, 'error')
  socket.on('data', chunk => {
    const text = head.includes('\r\n\r\n') ? '' : chunk.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    head += text.slice(0, end + 4)
    read += chunk.length - (text === '' ? 0 : end + 4)
    socket.pause()
    realDelay(10).then(() => socket.resume())
  })
  t.match((await ended)[0], { code: 'ECONNRESET' })
  t.equal(read, 1_500_000)
})

t.test('GO-5 bandwidth slows the answer of a call without a body; a fault that reads one is refused there', async t => {
  const api = client(mock, 'test_down')
  const path = `/v1/jobs/${await api.job()}`
  const since = performance.now()
  const { status, body } = await api.get(path, { 'x-mock-fault': 'bandwidth; bytes_per_second=1000' })
  t.equal(status, 200)
  const ms = performance.now() - since
  t.ok(ms > 0.8 * JSON.stringify(body).length, `${ms} ms for ${JSON.stringify(body).length} bytes, one a ms`)
  t.match(await api.get(path, { 'x-mock-fault': 'slow_upload' }), { status: 400 })
})

t.test('UP-2 close_unread: a refusal may be lost on who still sends; without it, it never is', async t => {
  const error = 'file_too_large'
  for (const [fault, isRead] of [['close_unread', false] as const, [undefined, true] as const]) {
    const key = `test_unread_${isRead}`
    mock.use([{ when: { route: 'uploadVideo' }, then: { error, ...(fault && { fault }) } }], { key })
    const socket = connect(Number(new URL(mock.url).port), '127.0.0.1')
    const type = 'Content-Type: multipart/form-data; boundary=b'
    const size = 32 * 1024 * 1024
    socket.write(
      `POST /v1/uploads HTTP/1.1\r\nHost: mock\r\nX-Api-Key: ${key}\r\n${type}\r\nContent-Length: ${size}\r\n\r\n`,
    )
    let failed = ''
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      failed = String(code)
    })
    t.match(String(await once(socket, 'data')), /^HTTP\/1.1 400 /)
    for (let sent = 0; sent < size && !socket.destroyed; sent += 65_536)
      if (!socket.write(Buffer.alloc(65_536)))
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
    if (isRead) t.equal(failed, '', 'all of it was taken')
    else t.match(failed, /EPIPE|ECONNRESET/)
    socket.destroy()
  }
})

for (const [fault, errors] of [['truncated_body', cutOff] as const, ['reset_mid_body', resetInBody] as const]) {
  t.test(`DL-3 GO-5 a download that breaks off (${fault}) is resumed by a range, to the same file`, async t => {
    for (const name of names) {
      const key = `test_${name}_${fault}`
      const api = client(mock, key)
      const { output_url } = (await api.get(`/v1/jobs/${await api.job()}`)).body
      const whole = Buffer.from(await (await fetch(output_url)).arrayBuffer())
      const then = { fault: { type: fault, after_bytes: 8192 } }
      mock.use([{ name: 'breaks-off', when: { route: 'getOutputFile' }, first: 1, then }], { key })
      const get = { path: new URL(output_url).pathname, method: 'GET' }
      const first = await by(name, mock, key, get)
      t.match(first.error, errors[name], `${name} ends with ${first.error}`)
      t.same([first.status, announced(first)], [200, whole.length])
      if (fault === 'truncated_body') t.equal(first.body.length, 8192, name)
      const rest = await by(name, mock, key, { ...get, headers: { range: `bytes=${first.body.length}-` } })
      t.match(rest, { error: '', status: 206 }, name)
      t.ok(whole.equals(Buffer.concat([first.body, rest.body])), `${name} has the same file`)
    }
  })
}

for (const [pass, jobs] of [['before_delay', 1] as const, ['after_delay', 0] as const]) {
  t.test(`GO-5 a delay of 10m (pass: ${pass}) follows the clock: it is over when the test says so`, async t => {
    const mock = await start(t, { speed: 1 })
    mock.clock.freeze()
    const slow = mock.use([{ name: 'slow', when: { route: 'createJob' }, then: { delay: '10m', pass } }])
    const keys: string[] = []
    const answers = byAll(mock, {}, key => keys.push(key))
    await slow.fired('slow', { times: 3 })
    const isWaiting = async () => {
      for (const key of keys) while ((await jobsOf({ api: client(mock, key) })) !== jobs);
      t.equal(mock.journal.count({ route: 'createJob' }), 0)
    }
    await isWaiting()
    mock.clock.step('9m')
    await isWaiting()
    mock.clock.step('1m')
    for (const met of await answers) {
      t.match(met.seen, { error: '', status: 200 }, met.name)
      t.match(await entryOf(t, mock, met), { rule: 'slow', scenario: 'inline', delay_ms: 600_000, aborted: false })
      t.equal(await jobsOf(met), 1)
    }
  })
}

t.test('ERR-3 1,000 clients without an answer hold less than 50 MB, and are let go when the mock closes', async t => {
  const script = `
    import { startMock } from ${JSON.stringify(builtFile('server/index.js'))}
    const mock = await startMock({ rateLimit: 0 })
    const handle = mock.use([{ name: 'hangs', when: { route: 'listJobs' }, then: { fault: 'no_answer' } }])
    const resident = () => (gc(), process.memoryUsage().rss)
    const before = resident()
    console.log(mock.port)
    await handle.fired('hangs', { times: 1_000, within: '10s' })
    const grown = resident() - before
    const startedAt = performance.now()
    await mock.close()
    console.log(JSON.stringify({ grown, closedIn: performance.now() - startedAt }))
  `
  const args = ['--expose-gc', '--input-type=module', '--eval', script]
  const child = spawn(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const ended = once(child, 'close')
  const says = createInterface(child.stdout)[Symbol.asyncIterator]()
  const port = Number((await says.next()).value)
  let answered = 0
  const gone: Promise<unknown>[] = []
  for (let i = 0; i < 1_000; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.on('data', () => answered++).write('GET /v1/jobs HTTP/1.1\r\nHost: mock\r\nX-Api-Key: test_hangs\r\n\r\n')
    gone.push(new Promise(resolve => socket.once('close', resolve)))
    // One at a time: a listener's backlog is shorter than this queue.
    await once(socket, 'connect')
  }
  const { grown, closedIn } = JSON.parse((await says.next()).value as string)
  t.ok(grown < 50 * 1024 * 1024, `${Math.round(grown / 1024)} KB`)
  t.ok(closedIn < 1_000, `${closedIn} ms`)
  await Promise.all(gone)
  t.equal(answered, 0)
  t.same(await ended, [0, null], 'nothing keeps the process')
})

t.test('each fault that there is has been met by all clients', async t => {
  t.same([...faultsMet].sort(), [...faultNames].sort())
})
