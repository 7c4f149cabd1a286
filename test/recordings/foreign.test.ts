/** Recordings as other tools write them: each verb reads them, and says what it could not. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import t, { type Test } from 'tap'
import type { RunningMock } from '../../client/mock.ts'
import { conduct } from '../../conduct/fromRecording.ts'
import { openHar } from '../../recordings/read.ts'
import { replay } from '../../replay/run.ts'
import { checkRecording } from '../../suite/checkRecording.ts'
import { client, clip, start, understudy } from '../support.ts'

const base = 'http://api.example.test'
const job = 'job_abc'
// biome-ignore lint/suspicious/noExplicitAny: what other tools write is of no type
type Any = any

let second = 0
/** A call in plain HAR 1.2, as the tests change it. */
function call(method: string, path: string, body: unknown, answer: unknown, status = 200): Any {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const answered = typeof answer === 'string' ? answer : JSON.stringify(answer)
  return {
    startedDateTime: new Date(1.78e12 + 1000 * ++second).toISOString(),
    time: 3,
    request: {
      method,
      url: base + path,
      httpVersion: 'HTTP/1.1',
      headers: [
        { name: 'X-Api-Key', value: 'test_key_of_mine' },
        ...(text === undefined
          ? []
          : [
              { name: 'Content-Type', value: 'application/json' },
              { name: 'Content-Length', value: String(Buffer.byteLength(text)) },
            ]),
      ],
      queryString: [],
      cookies: [],
      headersSize: -1,
      bodySize: text === undefined ? 0 : Buffer.byteLength(text),
      ...(text !== undefined && { postData: { mimeType: 'application/json', text } }),
    },
    response: {
      status,
      statusText: '',
      httpVersion: 'HTTP/1.1',
      headers: [{ name: 'content-type', value: 'application/json' }],
      cookies: [],
      redirectURL: '',
      headersSize: -1,
      bodySize: -1,
      content: { size: Buffer.byteLength(answered), mimeType: 'application/json', text: answered },
    },
    cache: {},
    timings: { send: 0, wait: 3, receive: 0 },
  }
}

const created = { success: true, id: job, status: 'pending', message: 'Job accepted' }
const createJob = (fields: unknown = { video_url: 'https://example.com/a.mp4#t=2' }) =>
  call('POST', '/v1/jobs', fields, created)
const refusal = (id: string) => ({ error: { code: 'invalid_request', message: 'Invalid request', request_id: id } })
const listed = () => call('GET', '/v1/jobs', undefined, { jobs: [], total: 0, limit: 20, offset: 0 })

let files = 0
function written(t: Test, entries: Any[], creator = 'other'): string {
  const folder = join(t.testdirName ?? '', String(++files))
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'rec.har')
  writeFileSync(file, JSON.stringify({ log: { version: '1.2', creator: { name: creator, version: '1' }, entries } }))
  return file
}

/** What it was read as. */
function read(file: string) {
  const har = openHar(file)
  const found = { entries: [...har.entries()], calls: [...har.traffic()] as Any[], log: har.log, size: har.size }
  har.close()
  return found
}

let target: RunningMock
t.before(async () => {
  target = await start(t)
})
t.testdir({})
const printed = ({ stdout, stderr }: { stdout: string; stderr: string }) => (stdout + stderr).replace(/\s+/g, ' ')
const again = (file: string) => replay(file, target.url, { speed: 'instant' })

t.test('null, other scalars, missing fields and maps in the place of lists are read as what they stand for', t => {
  const whole = createJob()
  const nulls = { ...createJob(), time: null, serverIPAddress: null, connection: 443, comment: null, timings: null }
  nulls.request = { ...nulls.request, cookies: null, queryString: null, bodySize: null }
  nulls.response = { ...nulls.response, status: '200', redirectURL: null, httpVersion: null, _error: null }
  const bare = {
    startedDateTime: 1.78e12 + 500_000,
    request: { method: 'post', url: `${base}/v1/jobs`, headers: { 'X-Api-Key': 'k', Accept: ['a', 'b'] } },
    response: null,
  }
  const valueless = listed()
  valueless.request.headers.push({ name: 'X-Nothing' }, { name: 'X-Number', value: 7 })
  valueless._number = 'seven'
  valueless._kind = { of: 'another tool' }
  const { calls, entries, log } = read(written(t, [whole, nulls, bare, valueless]))
  t.equal(log._incomplete, undefined)
  t.same(
    calls.map(({ operation, status }) => [operation, status]),
    [
      ['createJob', 200],
      ['createJob', 200],
      ['listJobs', 200],
      ['createJob', 0],
    ],
  )
  t.match(calls[1], { ms: 0, json: created, hasKey: true, cut: undefined })
  t.match(calls[2].sent.headers, { 'X-Nothing': '', 'X-Number': '7' })
  t.same(entries[3]?.request.headers.at(-1), { name: 'Accept', value: 'b' })
  const file = written(t, [whole])
  const { entries: own } = JSON.parse(readFileSync(file, 'utf8')).log
  writeFileSync(
    file,
    JSON.stringify({ log: { version: 1.2, creator: null, comment: null, pages: null, entries: own } }),
  )
  t.equal(read(file).size, 1, 'what is said of the whole recording may be null too')
  t.end()
})

t.test(
  'a byte order mark, times with seven digits or an offset, CONNECT, and names in capitals are read as they are meant',
  async t => {
    const plain = [createJob(), listed()]
    const capitals = structuredClone(plain)
    capitals[0].startedDateTime = capitals[0].startedDateTime.replace(/\.(\d+)Z/, '.$10000Z')
    capitals[1].startedDateTime = new Date(Date.parse(capitals[1].startedDateTime) + 3_600_000)
      .toISOString()
      .replace('Z', '+0100')
    for (const { request, response } of capitals)
      for (const header of [...request.headers, ...response.headers]) header.name = header.name.toUpperCase()
    const tunnel = call('CONNECT', '/', undefined, '')
    tunnel.request.url = 'api.example.test:443'
    const file = written(t, [tunnel, ...capitals])
    writeFileSync(file, `\ufeff${readFileSync(file, 'utf8')}`)
    const shown = ({ calls }: { calls: Any[] }) =>
      calls
        .filter(({ operation }) => operation !== undefined)
        .map(({ operation, at, status, hasKey }) => ({ operation, at, status, hasKey }))
    t.same(shown(read(file)), shown(read(written(t, plain))))
    t.match(await again(file), { sent: 2, differences: [] })
  },
)

t.test('an entry that nobody can understand is left out and counted, and each verb says so', async t => {
  const broken = [{ ...listed(), startedDateTime: 'yesterday' }, { request: null }, 'a text']
  const failed = call('GET', `/v1/jobs/${job}`, undefined, refusal('req_1'), 500)
  const file = written(t, [createJob(), ...broken, failed])
  const said =
    /2 of 5 entries were read, 3 left out: the first: entry 2 \(at byte \d+\): \/startedDateTime is "yesterday"/
  t.match(read(file).log._incomplete, said)
  t.equal(conduct(file).calls, 2)
  for (const args of [['check'], ['conduct'], ['scenarios', 'from-har']])
    t.match(printed(await understudy([...args, file])), said, args.join(' '))
  t.match((await again(file)).notes.join(), said)
  t.match((await start(t, { replay: file })).url, /^http/)
  t.throws(() => openHar(written(t, broken)), /none of its 3 entries can be understood: entry 1 .*yesterday/)
})

t.test('an empty list of parameters says nothing of the body that stands beside it', t => {
  const withParams = (fields: unknown, id: string) => {
    const refused = call('POST', '/v1/jobs', fields, refusal(id), 400)
    refused.request.postData.params = []
    return refused
  }
  const file = written(t, [withParams({ model: 'pro' }, 'req_1'), withParams({ video_url: 'ftp://a' }, 'req_2')])
  t.equal(read(file).calls[1].sent.body, '{"video_url":"ftp://a"}')
  t.equal(conduct(file).rules.find(({ id }) => id === 'errors.client-errors-not-retried')?.verdict, 'passed')
  const chromeHar = createJob()
  chromeHar.request.postData = {
    mimeType: 'application/json',
    params: [
      { name: 'video_url', value: 'https://example.com/a.mp4' },
      { name: 'auto_start', value: false },
      { name: 'bg_color', value: 1 },
      { name: 'bg_color', value: 2 },
      { name: 'metadata', value: { order: 7 } },
    ],
  }
  t.same(JSON.parse(read(written(t, [chromeHar])).calls[0].sent.body), {
    video_url: 'https://example.com/a.mp4',
    auto_start: false,
    bg_color: [1, 2],
    metadata: { order: 7 },
  })
  t.end()
})

/** The bodies as files beside the recording, in Playwright's way. */
function attached(t: Test, entries: Any[]): string {
  const file = written(t, entries, 'Playwright')
  const folder = join(file, '..')
  for (const [i, { request, response }] of entries.entries()) {
    for (const [what, body] of [
      ['sent', request.postData],
      ['answer', response.content],
    ]) {
      if (body?.text === undefined) continue
      writeFileSync(join(folder, `${i}-${what}.json`), body.text)
      body._file = `${i}-${what}.json`
      body._sha1 = 'abc'
      if (what === 'sent') body.text = ''
      else delete body.text
    }
  }
  writeFileSync(file, JSON.stringify({ log: { creator: { name: 'Playwright' }, entries } }))
  return file
}

t.test('bodies that Playwright has put beside its recording are read from there', async t => {
  const file = attached(t, [createJob(), call('GET', `/v1/jobs/${job}`, undefined, { id: job, status: 'pending' })])
  t.match(read(file).calls, [{ sent: { body: /a\.mp4/ }, json: created }, { json: { id: job } }])
  t.equal(checkRecording(file).summary.failed > 0, true, 'the answer that lacks fields is judged by its body')
  t.match(await again(file), { sent: 2, not_sent: [] })
  const mock = await start(t, { replay: file })
  t.same((await client(mock).get(`/v1/jobs/${job}`)).body, { id: job, status: 'pending' })
  const plan = await understudy(['conduct', file])
  t.notMatch(plan.stdout, /errors\.client-errors-not-retried.*failed/)
})

t.test('a packed recording is opened where it lies, and leaves nothing behind', async t => {
  const leftovers = () => readdirSync(tmpdir()).filter(name => name.startsWith('understudy-har-'))
  const before = leftovers()
  const file = attached(t, [createJob(), call('GET', `/v1/jobs/${job}`, undefined, { id: job, status: 'pending' })])
  const folder = join(file, '..')
  const beside = Object.fromEntries(
    readdirSync(folder).map(name => [name, new Uint8Array(readFileSync(join(folder, name)))]),
  )
  const zipped = `${file}.zip`
  writeFileSync(
    zipped,
    zipSync({ ...beside, '__MACOSX/._rec.har': new Uint8Array([0]), '../out.json': new Uint8Array(1) }),
  )
  writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)))
  for (const packed of [zipped, `${file}.gz`]) {
    t.match(read(packed).calls, [{ sent: { body: /a\.mp4/ }, json: created }, { json: { id: job } }], packed)
    for (const verb of ['check', 'conduct']) t.not((await understudy([verb, packed])).code, 2, `${verb} ${packed}`)
  }
  const mock = await start(t, { replay: zipped })
  t.same((await client(mock).get(`/v1/jobs/${job}`)).body, { id: job, status: 'pending' })
  await mock.close()
  t.same(leftovers(), before)
  t.notOk(existsSync(join(tmpdir(), 'out.json')))
  for (const [names, message] of [
    [['a.json'], /a zip archive; expected one recording \(\.har\) in it, and none is in it/],
    [['a.har', 'b/c.har'], /it has 2: a\.har, b\/c\.har/],
  ] as const) {
    writeFileSync(zipped, zipSync(Object.fromEntries(names.map(name => [name, new Uint8Array(1)]))))
    t.throws(() => openHar(zipped), message)
  }
  writeFileSync(zipped, readFileSync(zipped).subarray(0, 100))
  t.throws(() => openHar(zipped), /a zip archive that can't be unpacked/)
  t.same(leftovers(), before)
})

t.test('a body is read within the folder of the recording only, by no path and no link', async t => {
  const entries = [
    ['../secret.json', 'up'],
    ['/etc/hostname', 'absolute'],
    ['link.json', 'link'],
    ['folder/secret.json', 'folder'],
    ['none.json', 'none'],
  ].map(([path, name]) => {
    const entry = call('POST', '/v1/jobs', { video_url: `https://example.com/${name}` }, created)
    entry.request.postData = { mimeType: 'application/json', _file: path }
    entry.response.content = { size: 20, mimeType: 'application/json', _file: path }
    return entry
  })
  const upload = call('POST', '/v1/uploads', undefined, refusal('req_1'), 401)
  upload.request.headers.push({ name: 'Content-Type', value: 'multipart/form-data; boundary=x' })
  const linked = { name: 'file', fileName: 'a.mp4', _body_file: { size: 6, path: 'link.json' } }
  upload.request.postData = { mimeType: 'multipart/form-data; boundary=x', params: [linked] }
  const file = written(t, [...entries, upload])
  const folder = join(file, '..')
  const outside = join(folder, '..', 'outside')
  mkdirSync(outside)
  writeFileSync(join(folder, '..', 'secret.json'), '"secret"')
  writeFileSync(join(outside, 'secret.json'), '"secret"')
  symlinkSync(join(outside, 'secret.json'), join(folder, 'link.json'))
  symlinkSync(outside, join(folder, 'folder'))
  t.notMatch(JSON.stringify(read(file)), 'secret"')
  const report = await again(file)
  t.equal(report.not_sent.length, entries.length)
  t.match(report.not_sent[0], { why: /its body is not in the recording/ })
  t.match(report.notes.join() + JSON.stringify(report), /bytes of a\.mp4 are not in the recording/)
})

t.test('a body that was left out is unknown, and not empty', async t => {
  const omitted = createJob()
  omitted.request.postData.text = ''
  omitted.response.content = { size: 93, mimeType: 'application/json' }
  const evicted = call('GET', `/v1/jobs/${job}`, undefined, '')
  evicted.response.content = { size: 475, mimeType: 'application/json', comment: 'not included' }
  const blank = call('GET', '/api/pricing', undefined, '')
  blank.response.content = {}
  const empty = call('GET', '/v1/usage/events', undefined, '')
  empty.response.headers.push({ name: 'Content-Length', value: '0' })
  const refused = call('GET', '/v1/jobs/job_none', undefined, refusal('req_1'), 404)
  delete refused.response.content.text
  const file = written(t, [omitted, evicted, blank, empty, listed(), refused])
  t.equal(read(file).calls[0].isBodyLeftOut, true)
  t.equal(read(file).calls[1].isBodyLeftOut, false, 'a GET has none')
  const report = await again(file)
  t.match(report, {
    differences: { length: 0 },
    not_sent: [
      { call: 1, why: /its body is not in the recording/, fault: 'harness' },
      { call: 2, why: /its job was made in a call whose answer is not in the recording/ },
    ],
  })
  const mock = await start(t, { replay: file })
  const { status, body, headers } = await client(mock).get(`/v1/jobs/${job}`)
  t.match(body.error.message, /^Its body is not in the recording: call 2 of .* was answered 200/)
  t.equal(status, 404)
  t.equal(headers.get('x-mock-replay'), 'not recorded')
  t.equal((await client(mock).get('/api/pricing')).status, 404)
  const nothing = await fetch(`${mock.url}/v1/usage/events`)
  t.same([nothing.status, await nothing.text()], [200, ''], 'what was empty is')
  t.equal((await client(mock).get('/v1/jobs')).body.total, 0)
  const fallback = await start(t, { replay: file, replayFallback: 'mock' })
  t.equal((await client(fallback).get('/api/pricing')).status, 200)
  const twice = written(
    t,
    [1, 2].map(i => {
      const refused = call('POST', '/v1/jobs', { i }, refusal(`req_${i}`), 400)
      delete refused.request.postData
      return refused
    }),
  )
  t.not(conduct(twice).rules.find(({ id }) => id === 'errors.client-errors-not-retried')?.verdict, 'failed')
})

t.test('how a call failed is read from the words of its tool', async t => {
  const failures = [
    [0, 'net::ERR_CONNECTION_RESET', 'server', 'before_head', 'reset'],
    [-1, 'NS_ERROR_NET_RESET', 'server', 'before_head', 'reset'],
    [0, 'net::ERR_EMPTY_RESPONSE', 'server', 'before_head', 'closed'],
    [0, 'The network connection was lost.', 'server', 'before_head', 'closed'],
    [0, 'socket hang up', 'server', 'before_head', 'closed'],
    [0, 'net::ERR_CONNECTION_REFUSED', 'server', 'before_head', 'no_connection'],
    [0, 'Could not connect to the server.', 'server', 'before_head', 'no_connection'],
    [0, 'net::ERR_TIMED_OUT', 'server', 'before_head', 'silence'],
    [0, 'net::ERR_ABORTED', 'client', 'before_head', 'closed'],
    [0, 'NS_BINDING_ABORTED', 'client', 'before_head', 'closed'],
    [0, 'net::ERR_SOMETHING_NEW', 'client', 'before_head', 'closed'],
    [200, 'net::ERR_CONTENT_LENGTH_MISMATCH', 'server', 'in_body', 'closed'],
    [200, 'net::ERR_INCOMPLETE_CHUNKED_ENCODING', 'server', 'in_body', 'closed'],
  ] as const
  const entries = failures.map(([status, text], i) => {
    const failed = call('GET', `/v1/jobs/job_${i}`, undefined, '', status)
    failed.response[i % 2 === 0 ? '_failureText' : '_error'] = text
    failed.response.content = { size: -1, mimeType: 'x-unknown' }
    failed.response.headers = status === 200 ? [{ name: 'Content-Length', value: '475' }] : []
    return failed
  })
  const whole = call('GET', '/v1/jobs', undefined, { jobs: [] })
  whole.response._error = 'net::ERR_ABORTED'
  whole.response.headers.push({ name: 'Content-Length', value: '11' })
  const file = written(t, [...entries, whole, createJob()])
  const { calls } = read(file)
  for (const [i, [, text, by, when, how]] of failures.entries()) t.match(calls[i].cut, { by, when, how }, text)
  t.equal(calls[failures.length].cut, undefined, 'what had come whole was saved')
  const mock = await start(t, { replay: file })
  await t.rejects(client(mock).get('/v1/jobs/job_0'), { code: 'ECONNRESET' })
  await t.rejects(client(mock).get('/v1/jobs/job_11'), { code: 'ECONNRESET' })
  t.match((await understudy(['scenarios', 'from-har', file])).stdout, /fault: reset\b/)
})

const crlf = '\r\n'
/** An upload's form. */
const formOf = (bytes: Buffer, boundary = 'b123') =>
  Buffer.concat([
    Buffer.from(
      [
        `--${boundary}`,
        'Content-Disposition: form-data; name="file"; filename="short.mp4"',
        'Content-Type: video/mp4',
        '',
        '',
      ].join(crlf),
    ),
    bytes,
    Buffer.from(`${crlf}--${boundary}--${crlf}`),
  ])

function uploadCall(text: string, size: number, name = 'short.mp4'): Any {
  const url = `${base}/files/uploads/vid_abc_1jk/${name}`
  const upload = call('POST', '/v1/uploads', undefined, {
    success: true,
    video_id: 'vid_abc_1jk',
    video_url: url,
    filename: name,
    size,
  })
  const mimeType = 'multipart/form-data; boundary=b123'
  upload.request.headers.push(
    { name: 'Content-Type', value: mimeType },
    { name: 'Content-Length', value: String(size) },
  )
  upload.request.bodySize = size
  upload.request.postData = { mimeType, text }
  return [upload, createJob({ video_url: url })]
}

t.test("a form's text that can't be what was sent has its file stood in for", async t => {
  const whole = formOf(await clip('short.mp4'))
  const without = formOf(Buffer.alloc(0)).toString()
  const firefox = `Content-Type: multipart/form-data; boundary=b123${crlf}Content-Length: ${whole.length}${crlf}${crlf}${whole.toString()}`
  for (const [name, text] of Object.entries({ 'left out': without, mangled: whole.toString(), firefox })) {
    const [sent, made] = uploadCall(text, whole.length)
    if (name === 'left out') sent.request.postData.params = [{ name: 'file', value: '(binary)' }]
    const file = written(t, [sent, made])
    const [upload] = read(file).calls
    t.match(upload.sent.form, [{ field: 'file', filename: 'short.mp4', type: 'video/mp4' }], name)
    const report = await again(file)
    t.match(report, { ok: true, sent: 2 }, name)
    t.match(JSON.stringify(report), /the bytes of short\.mp4 are not in the recording: short\.mp4 was sent/)
  }
})

t.test('an object in the place of the form that was made of it is no body', async t => {
  const file = written(t, uploadCall('{}', 31_252), 'axios-har-tracker')
  t.match(read(file).calls[0], { isBodyLeftOut: true, sent: { body: undefined } })
  t.match(await again(file), { ok: true, sent: 2, not_sent: [] })
})

t.test('a form that is written with a character for each byte is sent as the bytes that it was', async t => {
  const whole = formOf(await clip('short.mp4'))
  const file = written(t, uploadCall(whole.toString('latin1'), whole.length), 'mitmproxy')
  t.match(await again(file), { ok: true, sent: 2, summary: { failed: 0 } })
  t.notMatch(JSON.stringify(await again(file)), /not in the recording/)
  const umlaut = createJob({ video_url: 'https://example.com/ü.mp4#t=2' })
  const { postData } = umlaut.request
  postData.text = Buffer.from(postData.text).toString('latin1')
  t.match(read(written(t, [umlaut])).calls[0].sent.body, 'https://example.com/ü.mp4')
})

t.test('a recording without any key is sent again with one where a route needs it', async t => {
  const entries = [createJob(), listed(), call('GET', '/v1/jobs/job_no', undefined, refusal('r'), 404)]
  for (const { request } of entries) request.headers.shift()
  const file = written(t, entries, 'WebInspector')
  const report = await again(file)
  t.match(report.notes.join(), /no call in the recording has a key/)
  t.match(
    report.routes.find(({ route }: Any) => route === 'GET /v1/jobs'),
    { verdict: 'passed' },
  )
})

t.test('what the mock and the recorder write is opened by the readers of other tools', async t => {
  const bytes = await clip('short.mp4')
  const { body } = await client(target, 'test_own').upload(bytes)
  const id = await client(target, 'test_own').job({ video_url: body.video_url })
  await client(target, 'test_own').get(`/v1/jobs/${id}`)
  const file = join(written(t, []), '..', 'journal.har')
  writeFileSync(file, target.journal.har({ key: 'test_own' }))
  const { log } = JSON.parse(readFileSync(file, 'utf8'))
  t.match(log.entries[0].request.postData.params, [{ name: 'file', value: '', _body_file: { size: bytes.length } }])
  for (const { response } of log.entries)
    t.equal(response.content.size, Buffer.byteLength(response.content.text ?? ''), 'content.size is that of its text')
  t.notMatch(JSON.stringify(log), /"_file"/)
  const played = await start(t, { replay: file })
  const { headers } = await client(played).get(`/v1/jobs/${id}`)
  t.equal(headers.get('x-mock-replay'), '3', 'counted as it is played, from 1')
})
