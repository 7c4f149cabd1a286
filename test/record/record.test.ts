/** `understudy record`: what goes through the recorder is the same as without it, and the file has all of it but secrets. */

import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { fingerprintOf } from '../../base/fingerprint.ts'
import { Links } from '../../record/links.ts'
import { type RecorderOptions, startRecorder } from '../../record/recorder.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { openHar } from '../../recordings/read.ts'
import { faults } from '../../server/faults/index.ts'

import { ended, front, listening, spawned } from '../suite/checking.ts'
import { begin, client, clip, spawnCommand, start, understudy } from '../support.ts'

const MiB = 1024 * 1024
type Handler = (request: IncomingMessage, response: import('node:http').ServerResponse) => unknown

/** A recorder of the test's own, before a target; `entries` ends it and reads what it has written. */
async function record(t: Test, target: string, options: RecorderOptions = {}) {
  const file = join(t.testdir(), 'incident.har')
  const recorder = await startRecorder({ target, port: 0, out: file, ...options })
  t.teardown(() => recorder.close(0))
  const entries = async (graceMs?: number): Promise<HarEntry[]> => {
    await recorder.close(graceMs)
    const har = openHar(file)
    const found = [...har.entries()].sort((a, b) => Number(a._number) - Number(b._number))
    har.close()
    return found
  }
  return { recorder, url: recorder.url, file, bodies: file.replace('.har', '.bodies'), entries }
}

async function target(t: Test, handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    response.on('error', () => {})
    request.on('error', () => {})
    handler(request, response)
  })
  return `http://127.0.0.1:${await listening(t, server)}`
}

interface Got {
  status: number
  rawHeaders: string[]
  headers: IncomingMessage['headers']
  body: Buffer
  continued: boolean
}

function ask(url: string, options: RequestOptions = {}, body?: Buffer | Readable): Promise<Got> {
  return new Promise((resolve, reject) => {
    let continued = false
    const call = httpRequest(url, { agent: false, ...options })
    call.on('error', reject)
    call.on('continue', () => {
      continued = true
      call.end(body)
    })
    call.on('response', answer => {
      buffer(answer).then(
        bytes =>
          resolve({
            status: answer.statusCode ?? 0,
            rawHeaders: answer.rawHeaders,
            headers: answer.headers,
            body: bytes,
            continued,
          }),
        reject,
      )
    })
    if (options.headers && 'expect' in options.headers) call.flushHeaders()
    else if (body instanceof Readable) body.pipe(call)
    else call.end(body)
  })
}

/** What a client sees on the wire: the bytes, and how the connection ended. */
async function onWire(url: string, text: string): Promise<{ text: string; end: string }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  let end = 'closed'
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', error => {
    end = (error as NodeJS.ErrnoException).code === 'ECONNRESET' ? 'reset' : String(error)
  })
  socket.write(text)
  await once(socket, 'close').catch(() => once(socket, 'close'))
  return { text: Buffer.concat(chunks).toString('latin1'), end }
}

const textOf = (entry: HarEntry | undefined): string => entry?.response.content?.text ?? ''

t.test(
  'a whole session goes through the recorder, which comes up in every URL of it, and is in the file as it was',
  async t => {
    const mock = await start(t)
    const recorder = await record(t, mock.url)
    const api = client(recorder, 'test_of_mine')
    const bytes = await clip('short.mp4')
    const upload = await api.upload(bytes)
    t.equal(upload.status, 200)
    t.ok(upload.body.video_url.startsWith(`${recorder.url}/files/`), upload.body.video_url)
    const id = await api.job({ video_url: upload.body.video_url })
    const job = await api.get(`/v1/jobs/${id}`)
    t.equal(job.body.status, 'completed')
    t.equal(job.body.duration_seconds, 2, 'the mock has known its own upload')
    const { output_url: outputUrl } = job.body
    t.ok(outputUrl.startsWith(`${recorder.url}/`))
    const whole = await ask(outputUrl)
    t.same(whole.body, (await ask(outputUrl.replace(recorder.url, mock.url))).body, 'byte for byte')
    const part = await ask(outputUrl, { headers: { range: 'bytes=100-1999' } })
    t.equal(part.status, 206)
    t.same(part.body, whole.body.subarray(100, 2000))
    const head = await ask(outputUrl, { method: 'HEAD' })
    t.equal(head.headers['content-length'], String(whole.body.length))

    const entries = await recorder.entries()
    t.same(
      entries.map(({ request, response }) => `${request.method} ${new URL(request.url).pathname} ${response.status}`),
      [
        'POST /v1/uploads 200',
        'POST /v1/jobs 200',
        `GET /v1/jobs/${id} 200`,
        `GET ${new URL(outputUrl).pathname} 200`,
        `GET ${new URL(outputUrl).pathname} 206`,
        `HEAD ${new URL(outputUrl).pathname} 200`,
      ],
    )
    const [uploaded, created, polled, downloaded, ranged] = entries
    t.ok(JSON.parse(textOf(uploaded)).video_url.startsWith(mock.url), 'the recording has what the target said')
    t.ok(JSON.parse(created?.request.postData?.text ?? '').video_url.startsWith(mock.url), 'and what it was sent')
    t.ok(JSON.parse(textOf(polled)).output_url.startsWith(mock.url))
    t.equal(uploaded?._world, fingerprintOf('test_of_mine'))
    t.equal(downloaded?._world, 'anonymous')
    const [file] = uploaded?.request.postData?.params ?? []
    t.match(file, { name: 'file', fileName: 'short.mp4', _body_file: { size: bytes.length } })
    const { content } = downloaded?.response ?? {}
    t.equal(content?._file, content?._body_file?.path, "Playwright's own field leads to the body too")
    t.same(readFileSync(join(t.testdirName, file?._body_file?.path ?? '')), bytes, 'the upload is beside it')
    t.same(readFileSync(join(t.testdirName, downloaded?.response.content?._body_file?.path ?? '')), whole.body)
    t.same(Buffer.from(textOf(ranged), 'base64'), part.body, 'a small one is in it')
    t.equal(recorder.recorder.files, 2)

    const har = openHar(recorder.file)
    t.equal(har.base, mock.url)
    const [first, ...rest] = har.traffic()
    t.match(first, { kind: 'call', operation: 'upload', requestId: upload.headers.get('x-request-id') })
    t.match(rest[0], { operation: 'createJob', jobId: id })
    har.close()
  },
)

t.test('the file is HAR 1.2: each field that it requires is there', async t => {
  const url = await target(t, (_request, response) =>
    response
      .writeHead(200, { 'Content-Type': 'text/plain', 'Set-Cookie': 'sid=abcdefghij; Path=/; HttpOnly' })
      .end('fine'),
  )
  const recorder = await record(t, url)
  await ask(`${recorder.url}/x?b=1&a=%20two`, { headers: { cookie: 'one=12345678; two=2' } })
  await recorder.entries()
  const { log } = JSON.parse(readFileSync(recorder.file, 'utf8'))
  t.match(log, { version: '1.2', creator: { name: 'understudy', version: String } })
  const [entry] = log.entries
  t.match(entry, {
    startedDateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    time: Number,
    cache: {},
    timings: { blocked: -1, send: Number, wait: Number, receive: Number },
    serverIPAddress: '127.0.0.1',
    connection: /^\d+$/,
    request: {
      method: 'GET',
      url: `${url}/x?b=1&a=%20two`,
      httpVersion: 'HTTP/1.1',
      queryString: [
        { name: 'b', value: '1' },
        { name: 'a', value: ' two' },
      ],
      cookies: [
        { name: 'one', value: '[redacted]' },
        { name: 'two', value: '[redacted]' },
      ],
      headersSize: Number,
      bodySize: 0,
    },
    response: {
      status: 200,
      statusText: 'OK',
      httpVersion: 'HTTP/1.1',
      cookies: [{ name: 'sid', value: '[redacted]', path: '/', httpOnly: true, secure: false }],
      redirectURL: '',
      headersSize: Number,
      bodySize: 4,
      content: { size: 4, mimeType: 'text/plain', text: 'fine' },
    },
  })
  const { send, wait, receive } = entry.timings
  t.ok(Math.abs(send + wait + receive - entry.time) < 0.01, 'the time is the sum of its parts')
  t.equal(
    entry.request.headersSize,
    Buffer.byteLength(`GET /x?b=1&a=%20two HTTP/1.1\r\n`) +
      headBytes(entry.request) +
      'one=12345678; two=2'.length -
      '[redacted]'.length,
  )
})

const headBytes = ({ headers }: { headers: { name: string; value: string }[] }): number =>
  headers.reduce((size, { name, value }) => size + name.length + value.length + 4, 2)

for (const [name, { cuts }] of Object.entries(faults)) {
  if (cuts === undefined || cuts.how === 'silence' || cuts.when === 'in_request') continue
  // Where a reset overtakes the bytes before it, on a machine that is busy, those are lost and it looks like an end.
  const isSure = cuts.when !== 'in_body' || cuts.how !== 'reset'
  const ends = isSure ? [cuts.how] : ['reset', 'closed']
  t.test(`a cut is recorded and passed on as what it is: ${name}`, async t => {
    const mock = await start(t)
    const recorder = await record(t, mock.url)
    const get = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: ${new URL(mock.url).host}\r\nX-Api-Key: test_key\r\nX-Mock-Fault: ${name}\r\nConnection: close\r\n\r\n`
    const id = await client(mock).job()
    await client(mock).get(`/v1/jobs/${id}`)
    for (const path of ['/v1/jobs', `/files/outputs/${id}/output.webm`]) {
      const [plain, through] = [await onWire(mock.url, get(path)), await onWire(recorder.url, get(path))]
      t.ok(ends.includes(plain.end) && ends.includes(through.end), `${path}: ${plain.end}, ${through.end}`)
      const [head = '', body] = plain.text.split('\r\n\r\n')
      const [seenHead = '', seenBody] = through.text.split('\r\n\r\n')
      t.equal(seenHead.split('\r\n')[0], head.split('\r\n')[0])
      if (isSure) t.equal(seenBody?.length, body?.length, 'with as many bytes')
    }
    const entries = await recorder.entries()
    t.equal(entries.length, 2)
    t.ok(entries.every(({ _cut }) => ends.includes(_cut?.how ?? '')))
    for (const { _cut, response } of entries) {
      t.match(_cut, { by: 'server', when: cuts.when, message: String })
      t.equal(response.status === 0, cuts.when === 'before_head')
      if (cuts.when === 'in_body') t.equal(_cut?.bytes, response.bodySize)
    }
    if (cuts.when === 'in_body' && isSure) t.ok(entries.every(({ response }) => Number(response.bodySize) > 0))
    t.equal(recorder.recorder.failed, 0)
  })
}

t.test('an upload that the target cuts is recorded as such, and the client is cut off', async t => {
  const mock = await start(t)
  const recorder = await record(t, mock.url)
  const headers = {
    'x-api-key': 'test_key',
    'x-mock-fault': 'cut_upload',
    'content-type': 'multipart/form-data; boundary=b',
  }
  const body = () => Readable.from(form('b', 64 * MiB), { objectMode: false })
  const options = { method: 'POST', headers }
  const plain = await ask(`${mock.url}/v1/uploads`, options, body()).catch(error => error.code)
  const through = await ask(`${recorder.url}/v1/uploads`, options, body()).catch(error => error.code)
  t.match(plain, /ECONNRESET|EPIPE/)
  t.match(through, /ECONNRESET|EPIPE/)
  const [entry] = await recorder.entries()
  t.match(entry?._cut, { by: 'server', when: 'in_request', how: 'reset', bytes: Number })
  t.match(entry?.request.postData?.params, [{ name: 'file', fileName: 'big.mp4', _body_file: { size: Number } }])
  t.notOk(existsSync(recorder.bodies), 'nothing of it is left')
})

/** One file of so many bytes. */
function* form(boundary: string, bytes: number): Generator<Buffer> {
  yield Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="big.mp4"\r\nContent-Type: video/mp4\r\n\r\n`,
  )
  const chunk = Buffer.alloc(64 * 1024, '\0video')
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, left)
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

t.test('a client that goes away ends the call at the target too, and the recording says how far it came', async t => {
  let seen: (socket: Socket) => void = () => {}
  const gone: string[] = []
  const url = await target(t, (request, response) => {
    const path = request.url ?? ''
    request.socket.once('close', () => gone.push(path))
    if (path === '/body') response.writeHead(200, { 'content-length': 100 }).write('half')
    if (path === '/upload') request.once('data', () => seen(request.socket))
    else seen(request.socket)
  })
  const recorder = await record(t, url)
  const leave = async (path: string, body?: Generator<Buffer>) => {
    const atTarget = new Promise<Socket>(resolve => {
      seen = resolve
    })
    const call = httpRequest(recorder.url + path, {
      agent: false,
      method: body ? 'POST' : 'GET',
      headers: body ? { 'content-type': 'multipart/form-data; boundary=b' } : {},
    })
    call.on('error', () => {})
    if (body) for (let i = 0; i < 8; i++) call.write(body.next().value)
    else call.end()
    const socket = await atTarget
    if (path === '/body')
      await new Promise<void>(resolve => call.once('response', a => a.once('data', () => resolve())))
    const closed = new Promise(resolve => socket.once('close', resolve))
    call.destroy()
    await closed
  }
  await leave('/silence')
  await leave('/body')
  await leave('/upload', form('b', MiB))
  t.same(gone, ['/silence', '/body', '/upload'])
  const [silence, body, upload] = await recorder.entries()
  t.match(silence, { response: { status: 0 }, _cut: { by: 'client', when: 'before_head', how: 'closed' } })
  t.match(body, {
    response: { status: 200, content: { text: 'half' } },
    _cut: { by: 'client', when: 'in_body', how: 'closed', bytes: 4 },
  })
  t.match(upload, { response: { status: 0 }, _cut: { by: 'client', when: 'in_request', how: 'closed', bytes: Number } })
  t.notOk(existsSync(recorder.bodies), 'a part of an upload is not kept')
  t.equal(recorder.recorder.cut, 3)
})

t.test(
  'a client that has waited for a second and more was met with silence, unless the recorder is stopped',
  async t => {
    let seen = 0
    let all: () => void = () => {}
    const atTarget = new Promise<void>(resolve => {
      all = resolve
    })
    let gone = 0
    let allGone: () => void = () => {}
    const goneThere = new Promise<void>(resolve => {
      allGone = resolve
    })
    const url = await target(t, request => {
      request.resume()
      request.socket.once('close', () => ++gone === 3 && allGone())
      if (++seen === 4) all()
    })
    const recorder = await record(t, url)
    const post = { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': 2 } }
    const timeout = (ms: number) => ({ signal: AbortSignal.timeout(ms) })
    const left = [
      ask(`${recorder.url}/get`, timeout(1400)),
      ask(`${recorder.url}/post`, { ...post, ...timeout(1400) }, Buffer.from('{}')),
      ask(`${recorder.url}/soon`, timeout(400)),
    ].map(call => call.catch(error => error.code))
    const stopped = ask(`${recorder.url}/stopped`).catch(error => error.code)
    await atTarget
    t.same(await Promise.all(left), ['ABORT_ERR', 'ABORT_ERR', 'ABORT_ERR'])
    await goneThere
    const entries = await recorder.entries(1)
    t.equal(await stopped, 'ECONNRESET')
    const cutOf = (path: string) => entries.find(({ request }) => request.url === url + path)?._cut
    const message = /^no answer came; the client gave up after 1\d{3} ms$/
    t.match(cutOf('/get'), { by: 'server', when: 'before_head', how: 'silence', message })
    t.match(cutOf('/post'), { by: 'server', when: 'before_head', how: 'silence', message })
    t.match(cutOf('/soon'), { by: 'client', when: 'before_head', how: 'closed' })
    t.match(cutOf('/stopped'), {
      by: 'client',
      when: 'before_head',
      how: 'closed',
      message: 'the recorder was stopped',
    })
    t.equal(recorder.recorder.cut, 4)
  },
)

for (const reads of [true, false])
  t.test(
    `an upload that is answered early does not hold up the next call: its rest is ${reads ? '' : 'not '}read`,
    async t => {
      const server = createTcpServer(socket => {
        socket.on('error', () => {})
        const answer = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno'
        let isAnswered = false
        let text = ''
        socket.on('data', chunk => {
          text = text.slice(-16) + chunk.toString('latin1')
          if (text.includes('GET /next')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext')
          if (isAnswered) return
          isAnswered = true
          // The first of the body is here: nothing more is read for a while, so that the recorder has to wait.
          socket.pause()
          socket.write(answer)
          if (reads) setTimeout(() => socket.resume(), 200)
        })
        t.teardown(() => socket.destroy())
      })
      const url = `http://127.0.0.1:${await listening(t, server)}`
      const recorder = await record(t, url)
      const { hostname, port } = new URL(recorder.url)
      const socket = connect(Number(port), hostname)
      t.teardown(() => socket.destroy())
      let text = ''
      const next = new Promise<void>(resolve => {
        socket.on('data', chunk => {
          text += chunk
          if (text.endsWith('next')) resolve()
        })
        socket.once('close', () => resolve())
      })
      const size = 16 * MiB
      socket.write(`POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: video/mp4\r\nContent-Length: ${size}\r\n\r\n`)
      socket.write(Buffer.alloc(size, '\0video'))
      socket.write('GET /next HTTP/1.1\r\nHost: x\r\n\r\n')
      await next
      t.match(text, /^HTTP\/1\.1 401 .*no.*HTTP\/1\.1 200 OK.*next$/s, 'over one connection of the client')
      const [upload, after] = await recorder.entries()
      t.match(upload, { response: { status: 401 } })
      t.equal(upload?._cut, undefined)
      if (reads) t.equal(upload?.request.bodySize, size)
      else t.match(upload?.comment, /the answer was over before all of the request's body was sent/)
      t.match(after, { response: { status: 200, content: { text: 'next' } } })
      t.equal(upload?.connection === after?.connection, reads, 'and of the target, if it reads on')
    },
  )

t.test('a body that the disk or the target takes slowly leaves no listeners behind', async t => {
  const warnings: string[] = []
  const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const url = await target(t, (request, response) => {
    buffer(request).then(bytes => response.end(bytes))
  })
  const recorder = await record(t, url)
  const type = { 'content-type': 'multipart/form-data; boundary=b' }
  const body = Readable.from(form('b', 6 * MiB), { objectMode: false })
  t.equal((await ask(recorder.url, { method: 'POST', headers: type }, body)).status, 200)
  const plain = { method: 'POST', headers: { 'content-type': 'video/mp4' } }
  t.equal((await ask(recorder.url, plain, Buffer.alloc(6 * MiB, '\0video'))).body.length, 6 * MiB)
  await recorder.entries()
  t.same(
    warnings.filter(warning => /MaxListeners/.test(warning)),
    [],
  )
})

t.test('where the target can not be reached, the client gets an envelope that says why', async t => {
  const port = await freePort()
  const recorder = await record(t, `http://127.0.0.1:${port}`)
  const { status, body } = await client(recorder).post('/v1/jobs', { video_url: 'https://example.com/cat.mp4' })
  t.equal(status, 502)
  t.match(body, {
    error: {
      code: 'internal_error',
      message: `The recorder could not reach the target: nothing listens at 127.0.0.1:${port}`,
      request_id: /^req_/,
    },
  })
  const [entry] = await recorder.entries()
  t.match(entry, {
    request: { postData: { text: /cat\.mp4/ } },
    response: { status: 0 },
    _cut: { by: 'server', when: 'before_head', how: 'no_connection', message: `nothing listens at 127.0.0.1:${port}` },
  })
  t.equal(recorder.recorder.failed, 1)
  t.equal(recorder.recorder.cut, 0)
})

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

t.test(
  'a certificate that nobody signed is refused in words that say what to do, and taken with insecure or ca',
  async t => {
    const folder = t.testdir()
    const [keyFile, ca] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = await ended(spawned('openssl', ['req', '-x509', ...curve, ...names, '-keyout', keyFile, '-out', ca]))
    t.equal(made.code, 0, made.stderr)
    const tls = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(ca, 'utf8') }
    const secure = await front(t, await start(t), (_call, pass) => pass(), tls)
    for (const [options, status] of [
      [{}, 502],
      [{ insecure: true }, 200],
      [{ ca }, 200],
    ] as const) {
      const out = join(folder, `${Object.keys(options)[0] ?? 'none'}.har`)
      const recorder = await startRecorder({ target: secure.url, port: 0, out, ...options })
      const answer = await client(recorder).get('/v1/jobs')
      t.equal(answer.status, status)
      if (status === 502) t.match(answer.body.error.message, /certificate is not trusted .* --ca FILE$/)
      await recorder.close()
      const har = openHar(out)
      const [entry] = har.entries()
      if (status === 502) t.match(entry?._cut, { how: 'no_connection' })
      else t.match(entry, { request: { url: `${secure.url}/v1/jobs` }, response: { status: 200 } })
      har.close()
    }
  },
)

t.test('no secret is in the file, beside it or on the terminal, wherever it was and in whatever form', async t => {
  const key = 'canary-key/1+"x&y'
  const canaries = {
    bearer: 'canary-bearer-1',
    cookie: 'canary-cookie-1',
    admin: 'canary-admin-01',
    query: 'canary-query-01',
    field: 'canary-field-01',
    part: 'canary-part-001',
    answer: 'canary-answer-1',
    setCookie: 'canary-set-cook',
    signed: 'canary-signed-1',
    location: 'canary-locat-01',
    given: 'canary g',
    password: 'canary-password',
  }
  const signed = `https://bucket.example.com/clip.webm?X-Amz-Credential=${canaries.signed}&X-Amz-Signature=${canaries.signed}`
  const echo = (response: import('node:http').ServerResponse) => {
    const body = JSON.stringify({
      token: canaries.answer,
      message: `no such key: ${key}; as ${encodeURIComponent(key)}, ${canaries.given}`,
      output_url: signed,
      html: `<a href="${signed.replace('&', '&amp;')}">`,
    })
    response.writeHead(200, {
      'content-type': 'application/json',
      'set-cookie': [`sid=${canaries.setCookie}; Path=/`, 'b=2'],
      location: `/x?signature=${canaries.location}`,
      'x-echo': `${canaries.bearer} ${canaries.setCookie}`,
    })
    // In pieces of seven bytes: each canary lies across some.
    for (let i = 0; i < body.length; i += 7) response.write(body.slice(i, i + 7))
    response.end()
  }
  const url = await target(t, (request, response) => {
    const path = request.url ?? ''
    request.resume().once('end', () => {
      if (path.startsWith('/cut')) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 9999 })
        response.write(
          `{"url":"${signed.replace('?', '?x=1\\u0026').replace('&', '\\u0026')}","u":"/x?a=1\\u0026X-Amz-Signature=${canaries.signed}","echo":"${key.slice(0, 9)}`,
          () => response.destroy(),
        )
      } else if (path.startsWith('/large'))
        response
          .writeHead(200, { 'content-type': 'text/plain' })
          .end(`${'long '.repeat(40_000)}${canaries.bearer} ${signed}${' long'.repeat(40_000)}`)
      else echo(response)
    })
  })
  const out = join(t.testdir(), 'incident.har')
  const command = await recordCommand(t, ['--target', url, '--out', out, '--redact', canaries.given])
  const send = (path: string, options: RequestOptions, body?: string) =>
    ask(command.url + path, options, body === undefined ? undefined : Buffer.from(body))
  const headers = {
    'X-Api-Key': key,
    Authorization: `Bearer ${canaries.bearer}`,
    Cookie: `a=${canaries.cookie}; b=1`,
    'X-Admin-Token': canaries.admin,
    Referer: `https://user:${canaries.password}@app.example.com/?api_key=${canaries.query}`,
  }
  await send(`/a?api_key=${canaries.query}&again=${encodeURIComponent(key)}`, { headers })
  const json = { 'Content-Type': 'application/json' }
  await send(
    '/b',
    { method: 'POST', headers: { ...headers, ...json } },
    JSON.stringify({ password: canaries.field, note: `my key is ${key}`, [canaries.given]: 1, video_url: signed }),
  )
  await send('/c', { method: 'POST', headers: json }, `{"note": "${canaries.bearer}", "secret": "${canaries.field}`)
  await send(
    '/d',
    { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    `api_key=${encodeURIComponent(key)}&x=${encodeURIComponent(canaries.given).replace('%20', '+')}`,
  )
  const part = (name: string, value: string, more = '') =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
  await send(
    '/e',
    { method: 'POST', headers: { 'Content-Type': 'multipart/form-data; boundary=b' } },
    `${part('token', canaries.part)}${part('note', `see ${canaries.part} ${key}`)}${part('file', `text with ${key}`, '; filename="a.txt"')}--b--\r\n`,
  )
  delete (headers as { Referer?: string }).Referer
  await send('/f', { headers: { ...headers, 'X-Api-Key': 'another-key-1', 'X-Copy': key } })
  await send('/cut', { headers }).catch(() => {})
  await send('/large', { headers })
  const { stdout, stderr, code } = await command.stop()
  t.equal(code, 0, stderr)
  const folder = out.replace('.har', '.bodies')
  const outputs: Record<string, string> = { stdout, stderr, har: readFileSync(out, 'utf8') }
  for (const name of readdirSync(folder)) outputs[name] = readFileSync(join(folder, name), 'utf8')
  t.equal(Object.keys(outputs).length, 5, 'the large text and the text that was uploaded are beside it')
  for (const [name, text] of Object.entries(outputs)) {
    t.notMatch(text, /canary/i, `${name}: ${/.{40}canary.{40}/i.exec(text)?.[0]}`)
    t.notMatch(decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '')), /canary/i, `${name}, decoded`)
  }
  const har = openHar(out)
  const entries = [...har.entries()]
  har.close()
  t.same(
    entries.map(({ _key_in }) => _key_in ?? []),
    [['url', 'header'], ['body', 'header'], [], ['body'], ['body'], ['header'], [], []],
  )
  t.equal(entries[0]?._world, fingerprintOf(key))
  t.match(textOf(entries[0]), /"output_url":"https:\/\/bucket\.example\.com\/clip\.webm\?X-Amz-Credential=\[redacted\]/)
  t.match(stdout, /: 8 calls, 0 failed, 1 cut, 2 files beside it\n$/)
})

/** In a process of its own, whose memory is its own. */
async function spawnRecord(t: Test, args: string[]) {
  const child = spawnCommand(['record', '--port', '0', ...args])
  t.teardown(() => child.kill('SIGKILL'))
  const over = ended(child)
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const url = / point your app at (http:\S+)$/.exec(line)?.[1] ?? t.bailout(`no URL in ${line}`)
  const stop = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return over
  }
  return { url: String(url), pid: child.pid, stop }
}

async function recordCommand(t: Test, args: string[]) {
  const command = begin(['record', '--port', '0', ...args])
  t.teardown(() => command.interrupt())
  const [line, url = ''] = await command.printed(/^.* point your app at (http:\S+)$/m)
  return { url, line, stop: command.interrupt }
}

t.test('a large upload streams through in little memory, and is kept by its hash', async t => {
  let received = 0
  const url = await target(t, (request, response) => {
    request.on('data', chunk => {
      received += chunk.length
    })
    request.once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
  })
  const out = join(t.testdir(), 'big.har')
  const command = await spawnRecord(t, ['--target', url, '--out', out])
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const upload = (bytes: number) =>
    ask(
      `${command.url}/v1/uploads`,
      { method: 'POST', headers },
      Readable.from(form('b', bytes), { objectMode: false }),
    )
  const before = await upload(MiB).then(() => residentBytes(command.pid))
  t.equal((await upload(64 * MiB)).status, 200)
  const grown = residentBytes(command.pid) - before
  t.comment(`resident memory: ${Math.round(before / MiB)} MiB before, ${Math.round(grown / MiB)} MiB more at most`)
  t.ok(grown < 48 * MiB, `memory grew by ${grown} bytes`)
  t.ok(received > 65 * MiB)
  t.match((await command.stop('SIGTERM')).stdout, /big\.har: 2 calls, 0 failed, 0 cut, 2 files beside it\n$/)
  const har = openHar(out)
  const file = [...har.entries()][1]?.request.postData?.params?.[0]?._body_file
  t.equal(readFileSync(join(har.folder, String(file?.path))).length, 64 * MiB)
  har.close()
})

/** The most that it ever was; 0 where the system does not tell. */
function residentBytes(pid: number | undefined): number {
  const file = `/proc/${pid}/status`
  return existsSync(file) ? Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0) * 1024 : 0
}

t.test('calls at the same time are numbered in the order in which they began', async t => {
  const waiting: (() => void)[] = []
  const url = await target(t, (request, response) => {
    waiting.push(() => response.end(request.url))
    if (waiting.length === 20) for (const answer of waiting.reverse()) answer()
  })
  const recorder = await record(t, url)
  await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`${recorder.url}/${i}`)))
  const entries = await recorder.entries()
  t.same(
    entries.map(({ _number }) => _number),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  const begins = entries.map(({ startedDateTime }) => Date.parse(startedDateTime))
  t.same(
    begins,
    [...begins].sort((a, b) => a - b),
  )
  for (const entry of entries) t.equal(new URL(entry.request.url).pathname, textOf(entry), 'each has its own answer')
})

t.test('the file of a recorder that was killed can be read', async t => {
  const url = await target(t, (request, response) => {
    if (request.url !== '/hang') response.end('fine')
    else request.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')
  })
  const out = join(t.testdir(), 'killed.har')
  const command = await spawnRecord(t, ['--target', url, '--out', out])
  for (let i = 0; i < 5; i++) await ask(`${command.url}/${i}`, { headers: { connection: 'close' } })
  await ask(`${command.url}/6`)
  const hanging = ask(`${command.url}/hang`).catch(() => {})
  await command.stop('SIGKILL')
  await hanging
  const har = openHar(out)
  t.ok(har.size >= 5, `${har.size} calls`)
  t.equal(
    [...har.entries()].every(entry => textOf(entry) === 'fine'),
    true,
  )
  har.close()
})

t.test('a call that is under way when the recorder ends is written down as far as it came', async t => {
  let came: () => void = () => {}
  const atTarget = new Promise<void>(resolve => {
    came = resolve
  })
  const recorder = await record(t, await target(t, () => came()))
  const asked = ask(`${recorder.url}/hang`).catch(error => error.code)
  await atTarget
  const [entry] = await recorder.entries(1)
  t.equal(await asked, 'ECONNRESET')
  t.match(entry?._cut, { by: 'client', when: 'before_head', how: 'closed', message: 'the recorder was stopped' })
})

t.test('heads go through as they are: order, spelling, several of one name, no hop-by-hop', async t => {
  let seen: string[] = []
  const url = await target(t, (request, response) => {
    seen = request.rawHeaders
    response.writeHead(200, 'Quite Fine', [
      'X-B',
      '2',
      'x-a',
      '1',
      'X-B',
      '3',
      'Keep-Alive',
      'timeout=9',
      'Content-Length',
      '0',
    ])
    response.end()
  })
  const recorder = await record(t, url)
  const raw =
    'GET /a//b/../c?q=%7e HTTP/1.1\r\nX-Z: 1\r\nhost: recorder.test\r\nx-y: 2\r\nX-Z: 3\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nTE: trailers\r\nAccept-Encoding: br\r\n\r\n'
  const { text } = await onWire(recorder.url, raw)
  t.same(seen.slice(0, 10), [
    'X-Z',
    '1',
    'host',
    new URL(url).host,
    'x-y',
    '2',
    'X-Z',
    '3',
    'Accept-Encoding',
    'identity',
  ])
  t.notOk(seen.some(name => /^(x-hop|te)$/i.test(name)))
  t.match(text, /^HTTP\/1\.1 200 Quite Fine\r\nX-B: 2\r\nx-a: 1\r\nX-B: 3\r\nContent-Length: 0\r\n/)
  t.notMatch(text, /timeout=9/)
  const [entry] = await recorder.entries()
  t.equal(entry?.request.url, `${url}/a//b/../c?q=%7e`, 'the path as it was sent')
  t.equal(entry?.response.statusText, 'Quite Fine')
  t.match(entry?.response.headers, [{ name: 'X-B', value: '2' }, { name: 'x-a' }, { name: 'X-B', value: '3' }])
})

t.test('answers without a body, in chunks, or up to the end of the connection end where they do', async t => {
  const url = await target(t, (request, response) => {
    const path = request.url ?? ''
    if (path === '/204') response.writeHead(204).end()
    if (path === '/304') response.writeHead(304, { etag: '"x"', 'content-length': 9 }).end()
    if (path === '/chunks') {
      response.write('a'.repeat(1000))
      response.end('b')
    }
    if (path === '/eof') request.socket.end('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end')
  })
  const recorder = await record(t, url)
  t.match(await ask(`${recorder.url}/204`), { status: 204, body: { length: 0 } })
  t.match(await ask(`${recorder.url}/304`), { status: 304, headers: { etag: '"x"' }, body: { length: 0 } })
  const chunks = await ask(`${recorder.url}/chunks`)
  t.equal(chunks.headers['transfer-encoding'], 'chunked')
  t.equal(chunks.body.length, 1001)
  t.equal(String((await ask(`${recorder.url}/eof`)).body), 'to the end')
  const entries = await recorder.entries()
  t.same(
    entries.map(({ response, _cut }) => [response.status, response.bodySize, _cut]),
    [
      [204, 0, undefined],
      [304, 0, undefined],
      [200, 1001, undefined],
      [200, 10, undefined],
    ],
  )
})

t.test('Expect: 100-continue is passed on, and so is an answer in its place', async t => {
  const server = createServer()
  server.on('checkContinue', (request, response) => {
    if (request.url === '/no') return response.writeHead(413, { 'content-length': 0 }).end()
    response.writeContinue()
    buffer(request).then(bytes => response.end(String(bytes.length)))
  })
  const recorder = await record(t, `http://127.0.0.1:${await listening(t, server)}`)
  const options = { method: 'PUT', headers: { expect: '100-continue', 'content-length': 5 } }
  t.match(await ask(`${recorder.url}/yes`, options, Buffer.from('hello')), { continued: true, body: Buffer.from('5') })
  t.match(await ask(`${recorder.url}/no`, options, Buffer.from('hello')), { continued: false, status: 413 })
  const [yes, no] = await recorder.entries()
  t.match(yes?.request.postData, { text: 'hello' })
  t.match(no, { request: { bodySize: 0 }, response: { status: 413 } })
  t.equal(no?._cut, undefined)
})

t.test('below a base URL with a path the client sees what is below that path, and its redirects', async t => {
  const url = await target(t, (request, response) => {
    const base = `http://${request.headers.host}`
    response.writeHead(302, {
      location: request.url?.includes('relative') ? '/v0/api/next?x=1' : `${base}/v0/api/next`,
      'content-type': 'application/json',
    })
    response.end(
      JSON.stringify({ path: request.url, next: `${base}/v0/api/next`, other: `${base}/v0/apis`, root: base }),
    )
  })
  const recorder = await record(t, `${url}/v0/api/`)
  const seen = await ask(`${recorder.url}/jobs`)
  t.equal(seen.headers.location, `${recorder.url}/next`)
  t.same(JSON.parse(String(seen.body)), {
    path: '/v0/api/jobs',
    next: `${recorder.url}/next`,
    other: `${url}/v0/apis`,
    root: url,
  })
  t.equal((await ask(`${recorder.url}/relative`)).headers.location, '/next?x=1')
  const [first, second] = await recorder.entries()
  t.equal(first?.request.url, `${url}/v0/api/jobs`)
  t.equal(first?.response.redirectURL, `${url}/v0/api/next`)
  t.equal(second?.response.redirectURL, '/v0/api/next?x=1')
})

t.test('a URL is found wherever a chunk ends, and only where it is whole', t => {
  const text = '{"a":"http://a:1/x","b":"http:\\/\\/a:1\\/y","c":"http://a:12/","d":"http://a:1","e":"http://a'
  const wanted = '{"a":"http://proxy/x","b":"http:\\/\\/proxy\\/y","c":"http://a:12/","d":"http://proxy","e":"http://a'
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second += 3) {
      const links = new Links(['http://a:1'], 'http://proxy')
      const parts = [text.slice(0, first), text.slice(first, second), text.slice(second)]
      const out = Buffer.concat([...parts.map(part => links.push(Buffer.from(part))), links.end()]).toString()
      if (out !== wanted || links.delta !== wanted.length - text.length) t.equal(out, wanted, `${first} ${second}`)
    }
  }
  t.end()
})

t.test('a slow answer is passed on slowly, though its URLs are changed', async t => {
  let go: () => void = () => {}
  const url = await target(t, (request, response) => {
    const text = `{"url":"http://${request.headers.host}/x","more":1}`
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
    response.write(text.slice(0, 30))
    go = () => response.end(text.slice(30))
  })
  const recorder = await record(t, url)
  const answer = await fetch(recorder.url)
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
  let text = Buffer.from((await reader.read()).value ?? []).toString()
  t.ok(text.startsWith('{"url":"'), 'the first part is there before the last was sent')
  go()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) break
    text += Buffer.from(value).toString()
  }
  t.same(JSON.parse(text), { url: `${recorder.url}/x`, more: 1 })
  const [entry] = await recorder.entries()
  t.same(JSON.parse(textOf(entry)), { url: `${url}/x`, more: 1 })
})

t.test('an answer that is cut announces the length that it would have had for the client', async t => {
  const url = await target(t, (request, response) => {
    const text = `{"url":"http://${request.headers.host}/v0/api/x","more":"`
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
    response.write(text, () => response.socket?.end())
  })
  const recorder = await record(t, `${url}/v0/api`)
  const host = new URL(recorder.url).host
  const { text, end } = await onWire(recorder.url, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  const [head = '', body] = text.split('\r\n\r\n')
  t.equal(end, 'closed')
  t.equal(body, `{"url":"${recorder.url}/x","more":"`)
  const shorter = `${url}/v0/api`.length - recorder.url.length
  t.match(head, new RegExp(`content-length: ${500 - shorter}\\r?$`, 'mi'))
  const [entry] = await recorder.entries()
  t.match(entry?._cut, { by: 'server', when: 'in_body', how: 'closed', bytes: textOf(entry).length })
})

t.test('forms are taken apart as they were sent; what is no form is told by its size', async t => {
  const url = await target(t, (request, response) => request.resume().once('end', () => response.end()))
  const recorder = await record(t, url)
  const send = (body: string | Buffer, type = 'multipart/form-data; boundary="b b"') =>
    ask(`${recorder.url}/v1/uploads`, { method: 'POST', headers: { 'content-type': type } }, Buffer.from(body))
  await send(
    '--b b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhällo\r\n' +
      '--b b\r\ncontent-disposition: form-data; name="file"; filename="clip \\"ä\\".mp4"\r\n\r\n\0\x01video\r\n' +
      '--b b\r\nContent-Disposition: form-data; name="typed"; filename="x.webm"\r\nContent-Type: video/webm; a=b\r\n\r\n\r\n' +
      '--b b--\r\n',
  )
  await send('--b b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n\0 no end')
  await send('something else')
  await send('no boundary', 'multipart/form-data')
  const [good, ...broken] = await recorder.entries()
  const params = good?.request.postData?.params
  t.match(params, [
    { name: 'note', value: 'hällo' },
    { name: 'file', fileName: 'clip "ä".mp4', _body_file: { size: 7 } },
    { name: 'typed', fileName: 'x.webm', contentType: 'video/webm; a=b', _body_file: { size: 0 } },
  ])
  t.equal(params?.[1]?.contentType, undefined, 'UP-4 a part without a type is recorded without one')
  t.equal(good?.comment, undefined)
  for (const { request, comment } of broken) {
    t.match(comment, /^a form that can't be read \(.*\): its \d+ bytes were not kept$/)
    t.ok(Number(request.bodySize) > 0)
    t.equal(request.postData?.params, undefined)
    t.equal(request.postData?.text, undefined)
  }
  t.equal(readdirSync(recorder.bodies).length, 2, 'no part of the broken ones is left')
})

t.test(
  'bodies are kept as what they are: packed text as text, large text beside it, what is neither as base64',
  async t => {
    const { gzipSync } = await import('node:zlib')
    const packed = gzipSync('{"a": 12345678901234567890}')
    const bodies: Record<string, [type: string, body: Buffer | string, encoding?: string]> = {
      '/packed': ['application/json', packed, 'gzip'],
      '/large': ['text/csv', 'a,b\n'.repeat(30_000)],
      '/binary': ['application/octet-stream', Buffer.from([0, 255, 1])],
      '/latin': ['text/plain; charset=iso-8859-1', Buffer.from('caf\xe9', 'latin1')],
      '/broken': ['application/json', packed.subarray(0, 9), 'gzip'],
      '/huge': ['text/plain', Buffer.alloc(9 * MiB, 'x')],
    }
    const url = await target(t, (request, response) => {
      const [type, body, encoding] = bodies[request.url ?? ''] ?? ['text/plain', '']
      response.writeHead(200, { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) }).end(body)
    })
    const recorder = await record(t, url)
    for (const path of Object.keys(bodies)) {
      const { body } = await ask(recorder.url + path)
      t.equal(Buffer.compare(body, Buffer.from(bodies[path]?.[1] as Buffer)), 0, `${path} goes through as it is`)
    }
    const entries = await recorder.entries()
    const [unpacked, large, binary, latin, broken, huge] = entries.map(({ response }) => response.content)
    t.match(unpacked, { text: '{"a": 12345678901234567890}', size: 27 }, 'to the letter')
    t.match(large, { size: 120_000, _body_file: { size: 120_000, path: /^incident\.bodies/ } })
    t.match(binary, { text: 'AP8B', encoding: 'base64' })
    t.match(latin, { text: Buffer.from('caf\xe9', 'latin1').toString('base64'), encoding: 'base64' })
    t.match(entries[4]?.comment, /encoding gzip that can't be read: 9 bytes were not kept/)
    t.equal(broken?.text, undefined)
    t.match(huge, { size: 9 * MiB, _body_file: { size: 9 * MiB, sha256: /^[0-9a-f]{64}$/, path: undefined } })
    t.match(entries[5]?.comment, /can't be searched for secrets/)
  },
)

t.test('a connection that the target has closed is closed for the client too, not taken for a fault', async t => {
  const sockets: Socket[] = []
  const url = await target(t, (request, response) => {
    sockets.push(request.socket)
    response.end('fine')
  })
  const recorder = await record(t, url)
  const { hostname, port } = new URL(recorder.url)
  const socket = connect(Number(port), hostname)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(String(await once(socket, 'data')), /fine$/)
  sockets[0]?.end()
  await once(socket, 'end')
  const [entry, ...more] = await recorder.entries()
  t.same(more, [])
  t.equal(entry?._cut, undefined)
})

t.test('what is no call of the target is refused in words, and not recorded', async t => {
  const recorder = await record(t, (await start(t)).url)
  for (const upgrade of ['websocket', 'h2c, WebSocket']) {
    const websocket = await ask(`${recorder.url}/`, { headers: { connection: 'upgrade', upgrade } })
    t.equal(websocket.status, 501)
    t.match(JSON.parse(String(websocket.body)).error, {
      code: 'invalid_request',
      message: /an upgrade to .*websocket/i,
    })
  }
  const asProxy = await onWire(recorder.url, 'GET http://example.com/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.match(asProxy.text, /^HTTP\/1\.1 501 .*reverse proxy/s)
  t.match(
    (await onWire(recorder.url, 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n')).text,
    /^HTTP\/1\.1 501 .*reverse/s,
  )
})

t.test('RFC 9110, 7.8: an offered upgrade is passed over, and the call goes through without it', async t => {
  const seen: IncomingHttpHeaders[] = []
  const url = await target(t, (request, response) => {
    seen.push(request.headers)
    response.end('fine')
  })
  const recorder = await record(t, url)
  const offers = ['h2c', 'TLS/1.2', 'h2c, TLS/1.2', 'TLS/1.2,HTTP/2.0']
  for (const upgrade of offers) {
    const { status } = await ask(`${recorder.url}/health`, { headers: { connection: 'Upgrade', upgrade } })
    t.equal(status, 200, upgrade)
  }
  t.ok(seen.every(({ upgrade, connection }) => upgrade === undefined && !/upgrade/i.test(connection ?? '')))
  t.equal((await recorder.entries()).length, offers.length)
})

t.test('the command says where it is, what there is in the end, and what is wrong with its options', async t => {
  const mock = await start(t)
  const out = join(t.testdir(), 'incident.har')
  const command = await recordCommand(t, ['--target', mock.url, '--out', out])
  t.equal(command.line, `Recording ${mock.url} to ${out}: point your app at ${command.url}`)
  await client(command).get('/v1/jobs')
  await client(command).get('/v1/jobs/job_none')
  await client(command)
    .get('/v1/jobs', { 'x-mock-fault': 'reset' })
    .catch(() => {})
  t.same(await command.stop(), {
    code: 0,
    stdout: `${command.line}\n${out}: 3 calls, 1 failed, 1 cut\n`,
    stderr: '',
  })
  const wrong: [string[], RegExp][] = [
    [
      ['--target', mock.url, '--out', out],
      /incident\.har already exists; choose another with --out, or overwrite it with --force/,
    ],
    [[], /no target was given; expected --target with a base URL/],
    [['--target', 'nowhere'], /--target is "nowhere"; expected an http or https URL/],
    [
      ['--target', 'http://a:canary@host/'],
      /--target is "http:\/\/\[redacted\]@host\/" with a user or a password in it/,
    ],
    [['--target', 'http://host/?key=canary'], /with a query in it; expected a base URL/],
    [['--target', mock.url, '--port', '70000'], /--port is "70000"; expected a whole number from 0 to 65535/],
    [
      ['--target', mock.url, '--port', new URL(mock.url).port, '--out', join(t.testdirName, 'x.har')],
      /is taken; choose another with --port/,
    ],
    [
      ['--target', mock.url, '--ca', 'none.pem', '--out', join(t.testdirName, 'x.har')],
      /--ca none\.pem can't be read \(ENOENT\)/,
    ],
    [['--target', mock.url, '--port', '0', '--out', join(out, 'x.har')], /x\.har can't be written/],
  ]
  const ran = await Promise.all(wrong.map(([args]) => understudy(['record', ...args])))
  for (const [i, { code, stdout, stderr }] of ran.entries()) {
    t.equal(code, 2, stderr)
    t.equal(stdout, '')
    t.match(stderr, wrong[i]?.[1])
    t.notMatch(stderr, /canary|\n +at /)
  }
  t.notOk(existsSync(join(t.testdirName, 'x.har')), 'nothing was written')
  const again = await recordCommand(t, ['--target', mock.url, '--out', out, '--force'])
  t.match((await again.stop()).stdout, /: 0 calls, 0 failed, 0 cut\n$/)
})

t.test('each call says which request of its connection it was', async t => {
  const mock = await start(t)
  const { url, entries } = await record(t, mock.url)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const call = async (own?: Agent) => {
    const [response] = await once(httpRequest(`${url}/health`, { agent: own }).end(), 'response')
    response.resume()
    await once(response, 'end')
  }
  await call(agent)
  await call(agent)
  await call()
  agent.destroy()
  t.same(
    (await entries()).map(entry => entry._connection_request),
    [1, 2, 1],
  )
})
