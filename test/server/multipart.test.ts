/** Uploads as clients send them, well and badly: what is taken, what is refused, and that a refusal leaves nothing. */
import { once } from 'node:events'
import { readdirSync, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { outputsFolder } from '../../base/paths.ts'
import type { RunningMock } from '../../client/mock.ts'
import type { MockOptions } from '../../server/config.ts'
import { type Answer, client, clip, start } from '../support.ts'

const short = await clip('short.mp4')
const gif = await readFile(join(outputsFolder, 'output.gif'))
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(4096)])
const mkv = Buffer.concat([Buffer.from('1a45dfa38b428288', 'hex'), Buffer.from('matroska'), Buffer.alloc(4096)])
const note = Buffer.from('This is not a video. '.repeat(400))

/** A mock with an upload folder that can be looked into. */
async function startWithFolder(t: Test, options: MockOptions = {}) {
  const folder = t.testdir()
  const mock = await start(t, { dataDir: folder, ...options })
  const files = () => [...readdirSync(join(folder, 'incoming')), ...readdirSync(join(folder, 'uploads'))]
  return { mock, folder, files }
}

async function isRefusal(t: Test, mock: RunningMock, answer: Answer, status: number, code: string, says: RegExp) {
  const { headers, body } = answer
  t.equal(answer.status, status)
  t.match(headers.get('content-type'), /^application\/json(;|$)/)
  t.strictSame(Object.keys(body), ['error'])
  t.strictSame(Object.keys(body.error).sort(), ['code', 'message', 'request_id'])
  t.equal(body.error.code, code)
  t.match(body.error.message, says)
  t.equal(headers.get('x-request-id'), body.error.request_id)
  t.equal(mock.journal.count({ requestId: body.error.request_id }), 1)
  t.equal((await client(mock).get('/health')).status, 200)
}

const boundary = 'a-boundary'
const formType = `multipart/form-data; boundary=${boundary}`
/** One part; `type` undefined leaves the Content-Type out. */
const part = (disposition: string, content: Uint8Array, type?: string): Buffer =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`),
    Buffer.from(type === undefined ? '\r\n' : `Content-Type: ${type}\r\n\r\n`),
    content,
    Buffer.from('\r\n'),
  ])
const text = (name: string): Buffer => part(`name="${name}"`, Buffer.from('cat'))
const end = Buffer.from(`--${boundary}--\r\n`)
const cutInHeader = Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="title"\r\n`)
const inField = (name: string): Buffer => part(`name="${name}"; filename="a.mp4"`, short)
const video = inField('file')
const form = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, end])

const send = (mock: RunningMock, body: Buffer, type: string = formType, path = '/v1/uploads'): Promise<Answer> =>
  client(mock).call('POST', path, { body: new Uint8Array(body), headers: { 'content-type': type } })

const file = (filename: string, content: Uint8Array, type?: string): Buffer =>
  form(part(`name="file"; filename="${filename}"`, content, type))

const noFile = /^Invalid upload: .*"file" is missing; expected a video/
const wrongType = /^Invalid file type: the field "file" .*; expected .*video\/mp4.*video\/x-msvideo/
const broken = /^Invalid upload: the multipart form is broken: /

const refused: [clause: string, what: string, body: Buffer, says: RegExp, type?: string][] = [
  ['UP-1', 'a form without a file', form(text('title')), noFile],
  ['UP-1', 'an empty form', end, noFile],
  ['UP-1', 'two files', form(video, video), /^Invalid upload: there are two files; expected one/],
  ['UP-1', 'another field name', form(inField('video')), /the field "video"; expected "file"/],
  ['UP-1', 'a file and then another field', form(video, inField('video')), /"video"/],
  ['UP-1', 'a text in the field file', form(text('file')), /"file" is a text; expected a file/],
  ['UP-1', 'a file and a text of that name', form(video, text('file')), /"file" is a text/],
  ['UP-1', 'an empty file', file('short.mp4', Buffer.alloc(0), 'video/mp4'), /"file" is empty; expected a video/],
  ['UP-1', 'a field named __proto__', form(video, text('__proto__')), /^Invalid upload: /],
  ['UP-1', '60 text fields', form(...Array(60).fill(text('a')), video), /^Invalid upload: /],
  ['ERR-4', 'a text named .mp4', file('note.mp4', note, 'video/mp4'), wrongType],
  ['ERR-4', 'a short text named .mp4', file('note.mp4', Buffer.from('cat'), 'video/mp4'), wrongType],
  ['ERR-4', 'an mp4 that claims to be a PDF', file('short.mp4', short, 'application/pdf'), wrongType],
  ['UP-4', 'an mp4 named .txt that claims nothing', file('short.txt', short), wrongType],
  ['UP-4', 'an mp4 named .txt of no certain type', file('short.txt', short, 'application/octet-stream'), wrongType],
  ['UP-2', 'a gif', file('a.gif', gif, 'image/gif'), wrongType],
  ['UP-2', 'a gif named .mp4', file('a.mp4', gif, 'video/mp4'), wrongType],
  ['UP-2', 'an mkv', file('a.mkv', mkv, 'video/x-matroska'), wrongType],
  ['UP-2', 'an mkv named .webm', file('a.webm', mkv, 'video/webm'), wrongType],
  ['UP-2', 'a png named .mov', file('a.mov', png, 'video/quicktime'), wrongType],
  ['UP-1', 'a boundary that the body does not have', form(video), broken, 'multipart/form-data; boundary=another'],
  ['UP-1', 'a form without its last boundary', video, broken],
  ['UP-1', 'a form that ends inside its file', video.subarray(0, 9_000), broken],
  ['UP-1', 'a form that ends inside a header', video.subarray(0, 40), broken],
  ['UP-1', 'a form that ends inside its first boundary', video.subarray(0, 4), broken],
  ['UP-1', 'a form that ends with half of its last boundary', form(video).subarray(0, -4), broken],
  [
    'UP-1',
    'a form that ends behind an empty line',
    Buffer.concat([video, Buffer.from(`--${boundary}\r\n\r\n`)]),
    broken,
  ],
  ['UP-1', 'a part that a boundary cuts in its header', form(video, cutInHeader), broken],
  ['UP-1', 'the same before the file', form(cutInHeader, video), broken],
  ['UP-1', 'a form with LF for CRLF', Buffer.from(form(text('title')).toString().replaceAll('\r', '')), broken],
  ['UP-1', 'something behind a boundary', Buffer.from(`--${boundary} x\r\n${String(form(text('title')))}`), broken],
  ['UP-1', 'blanks behind a boundary', Buffer.from(String(form(video)).replace('\r\n', ' \t\r\n')), broken],
  [
    'UP-1',
    'a part that is no form data',
    Buffer.concat([Buffer.from(`--${boundary}\r\nContent-Type: text/plain\r\n\r\na text\r\n`), form(video)]),
    broken,
  ],
  ['UP-1', 'a header of 20 kB', form(part(`name="file"; filename="${'c'.repeat(20_000)}"`, short)), broken],
  ['UP-1', 'multipart without a boundary', form(video), /^Invalid upload: .*boundary/i, 'multipart/form-data'],
  ['UP-1', 'an empty body', Buffer.alloc(0), /^Invalid upload: /],
]

for (const [clause, what, body, says, type] of refused) {
  t.test(`${clause} ${what} is refused with 400, and nothing is kept`, async t => {
    const { mock, files } = await startWithFolder(t)
    for (const path of ['/v1/uploads', '/api/upload']) {
      await isRefusal(t, mock, await send(mock, body, type, path), 400, 'invalid_request', says)
      t.strictSame(files(), [])
    }
  })
}

t.test('UP-1 what is not multipart at all is refused, and the message says what is expected', async t => {
  const { mock, files } = await startWithFolder(t)
  for (const type of ['application/json', 'text/plain', 'video/mp4', 'application/x-www-form-urlencoded']) {
    const { status, ...answer } = await send(mock, Buffer.from('{"file":"short.mp4"}'), type)
    t.ok([400, 415].includes(status), `${type}: ${status}`)
    await isRefusal(t, mock, { status, ...answer }, status, 'invalid_request', /multipart/)
    t.strictSame(files(), [])
  }
})

const types = { mp4: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm', avi: 'video/x-msvideo' }
for (const [extension, type] of Object.entries(types)) {
  t.test(`UP-2 UP-3 UP-4 ${extension} is taken with its type, with a generic one, and without`, async t => {
    const { mock, files } = await startWithFolder(t)
    const bytes = await clip(`short.${extension}`)
    for (const claim of [type, 'application/octet-stream', undefined]) {
      const { status, body } = await send(mock, file(`short.${extension}`, bytes, claim))
      t.equal(status, 200)
      t.strictSame(Object.keys(body).sort(), ['filename', 'size', 'success', 'video_id', 'video_url'])
      t.match(body, { success: true, filename: `short.${extension}`, size: bytes.length })
      const kept = await fetch(body.video_url)
      t.strictSame([kept.headers.get('content-type'), Buffer.from(await kept.arrayBuffer())], [type, bytes])
    }
    t.strictSame(
      new Set(mock.journal.entries({ kind: 'exchange' }).flatMap(({ upload }) => upload?.type ?? [])),
      new Set([type]),
    )
    t.equal(files().length, 3)
  })
}

t.test('UP-1 other text fields are ignored, before the file and after it', async t => {
  const { mock } = await startWithFolder(t)
  const title = text('title')
  t.match(await send(mock, form(title, video, title)), { status: 200, body: { size: short.length } })
})

const names: [what: string, disposition: string, filename?: string][] = [
  ['with ../ in it', 'filename="../../etc/cat.mp4"', 'cat.mp4'],
  ['with backslashes', 'filename="C:\\\\videos\\\\cat.mp4"', 'cat.mp4'],
  ['of dots', 'filename=".."'],
  ['with quotes', 'filename="a \\"cat\\".mp4"', 'a "cat".mp4'],
  ['in unicode', 'filename="кот 🐈.mp4"', 'кот 🐈.mp4'],
  ['in RFC 8187 notation', "filename*=UTF-8''%D0%BA%D0%BE%D1%82.mp4", 'кот.mp4'],
  ['in both notations, the plain one first', `filename="?.mp4"; filename*=UTF-8''%D0%BA%D0%BE%D1%82.mp4`, 'кот.mp4'],
  ['in both notations, the plain one last', `filename*=UTF-8''%D0%BA%D0%BE%D1%82.mp4; filename="_.mp4"`, 'кот.mp4'],
  ['in both, the other one broken', `filename="cat.mp4"; filename*=UTF-8''%zz.mp4`, 'cat.mp4'],
  ['in Latin-1', `filename="?.mp4"; filename*=iso-8859-1'de'%fcber.mp4`, 'über.mp4'],
  ['without quotes', 'filename=cat.mp4', 'cat.mp4'],
  ['with quotes as browsers write them', 'filename="a %22cat%22.mp4"', 'a "cat".mp4'],
  ['with backslashes as browsers write them', 'filename="C:\\videos\\cat.mp4"'.replaceAll('\\\\', '\\'), 'cat.mp4'],
  ['with % and # and ? in it', 'filename="100% cat #1?.mp4"', '100% cat #1?.mp4'],
  ['of 300 characters', `filename="${'c'.repeat(296)}.mp4"`],
  ['that is empty', 'filename=""'],
]

for (const [what, disposition, filename] of names) {
  t.test(`UP-3 a name ${what} does no harm, and its video_url leads to the file`, async t => {
    const { mock, files, folder } = await startWithFolder(t)
    const { status, body } = await send(mock, form(part(`name="file"; ${disposition}`, short, 'video/mp4')))
    t.equal(status, 200)
    if (filename !== undefined) t.equal(body.filename, filename)
    t.strictSame(files(), [body.video_id])
    t.strictSame(readdirSync(folder).sort(), ['incoming', 'uploads'])
    t.equal((await fetch(body.video_url)).status, 200)
  })
}

t.test('UP-1 a file part without a name is taken or refused, but breaks nothing', async t => {
  const { mock, files } = await startWithFolder(t)
  const answer = await send(mock, form(part('name="file"', short, 'application/octet-stream')))
  if (answer.status !== 200) {
    await isRefusal(t, mock, answer, 400, 'invalid_request', /^Invalid upload: .*"file"/)
    t.strictSame(files(), [])
  } else t.equal((await fetch(answer.body.video_url)).status, 200)
})

for (const path of ['/v1/uploads', '/api/upload']) {
  t.test(`ERR-4 ERR-5 POST ${path} takes a file of just the limit; one byte more is 400 File too large`, async t => {
    const exact = client(await start(t, { maxUploadBytes: short.length }))
    t.match(await exact.upload(short, 'short.mp4', '', path), { status: 200, body: { size: short.length } })
    const { mock, files } = await startWithFolder(t, { maxUploadBytes: short.length - 1 })
    const answer = await client(mock).upload(short, 'short.mp4', '', path)
    await isRefusal(t, mock, answer, 400, 'invalid_request', /^File too large: expected at most \d+ bytes$/)
    t.strictSame(files(), [])
  })

  t.test(`ERR-5 a client that sends POST ${path} 8 MB, of a declared length or not, sees the envelope`, async t => {
    const { mock, files } = await startWithFolder(t, { maxUploadBytes: 100_000 })
    const body = new Uint8Array(file('big.mp4', Buffer.concat([short, Buffer.alloc(8 * 1024 * 1024)])))
    for (const init of [{ body }, { body: new Blob([body]).stream(), duplex: 'half' as const }]) {
      const answer = await client(mock).call('POST', path, { ...init, headers: { 'content-type': formType } })
      await isRefusal(t, mock, answer, 400, 'invalid_request', /^File too large/)
      t.strictSame(files(), [])
    }
  })
}

const dispositions = 'Content-Disposition: form-data; name="file"; filename="a.mp4"'
const dialects: [what: string, type: string, before: string, after: string][] = [
  [
    'an odd boundary',
    'multipart/form-data; boundary="==73 a?b=c:d=="',
    `--==73 a?b=c:d==\r\n${dispositions}`,
    '\r\n--==73 a?b=c:d==--',
  ],
  [
    'capitals',
    'Multipart/Form-Data; Boundary=X',
    '--X\r\nCONTENT-DISPOSITION: FORM-DATA; NAME="file"; FILENAME="a.mp4"',
    '\r\n--X--\r\n',
  ],
  [
    'a charset behind the boundary',
    'multipart/form-data; boundary=X; charset=utf-8',
    `--X\r\n${dispositions}`,
    '\r\n--X--\r\n',
  ],
  [
    'a preamble and an epilogue',
    'multipart/form-data; boundary=X',
    `a preamble\r\n--X\r\n${dispositions}`,
    '\r\n--X--\r\nan epilogue\r\n--X\r\n',
  ],
  [
    'a header on two lines',
    'multipart/form-data; boundary=X',
    `--X\r\n${dispositions.replace('; filename', ';\r\n\tfilename')}`,
    '\r\n--X--',
  ],
  [
    'more headers',
    'multipart/form-data; boundary=X',
    `--X\r\nContent-Length: ${short.length}\r\n${dispositions}\r\nContent-Transfer-Encoding: binary\r\nContent-Type: video/mp4; codecs="avc1.42E01E, mp4a.40.2"`,
    '\r\n--X--',
  ],
]

for (const [what, type, before, after] of dialects) {
  t.test(`UP-1 a form with ${what} is a form`, async t => {
    const { mock } = await startWithFolder(t)
    const body = Buffer.concat([Buffer.from(`${before}\r\n\r\n`), short, Buffer.from(after)])
    t.match(await send(mock, body, type), { status: 200, body: { filename: 'a.mp4', size: short.length } })
  })
}

t.test('UP-1 however a form is cut into pieces on its way, it is the same form', async t => {
  const { mock } = await startWithFolder(t)
  const whole = form(text('title'), video, text('title'))
  // Small ones around what is not content, where a boundary or a header may be cut anywhere.
  const contentAt = whole.indexOf(short.subarray(0, 64))
  for (const step of [1, 2, 3, 7, 61]) {
    async function* pieces() {
      for (let at = 0; at < whole.length; ) {
        const isContent = at >= contentAt && at < contentAt + short.length - 100
        const end = isContent ? contentAt + short.length - 100 : at + step
        yield whole.subarray(at, end)
        at = end
      }
    }
    const init = { body: ReadableStream.from(pieces()) as ReadableStream, duplex: 'half' as const }
    const answer = await client(mock).call('POST', '/v1/uploads', { ...init, headers: { 'content-type': formType } })
    t.match(answer, { status: 200, body: { size: short.length } }, `${step} bytes each`)
    t.ok(short.equals(Buffer.from(await (await fetch(answer.body.video_url)).arrayBuffer())))
  }
})

for (const [how, ...headers] of [['of a known length'], ['in chunks', 'Transfer-Encoding: chunked']] as const) {
  t.test(
    `UP-1 a form ${how} that has arrived whole and has not ended is answered, and its connection lives on`,
    async t => {
      const { mock, files } = await startWithFolder(t)
      const cut = [video, video.subarray(0, 40), Buffer.concat([video, video.subarray(0, 60)]), form(cutInHeader)]
      for (const body of cut) {
        const socket = connect(mock.port, '127.0.0.1')
        const sent = headers.length === 0 ? body : chunked(body)
        const lines = [...(headers.length === 0 ? [lengthOf(body)] : headers), key, 'Connection: keep-alive']
        socket.write(Buffer.concat([Buffer.from(head(...lines).replace('Connection: close\r\n', '')), sent]))
        let received = ''
        for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
          received += chunk
          if (received.includes('}}')) break
        }
        await isRefusal(t, mock, answerOf(received), 400, 'invalid_request', broken)
        socket.end('GET /health HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n')
        t.match((await socket.toArray()).join(''), /^HTTP\/1\.1 200 /)
        t.strictSame(files(), [])
      }
    },
  )
}

const chunk = (body: Buffer) =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')])
const chunked = (body: Buffer) => Buffer.concat([chunk(body), Buffer.from('0\r\n\r\n')])

t.test('ERR-4 what is around the parts has its bounds too: a form is judged though more and more follows', async t => {
  const { mock, files } = await startWithFolder(t, { maxUploadBytes: 100_000 })
  const endless = async (before: Buffer): Promise<Answer> => {
    const socket = connect(mock.port, '127.0.0.1').on('error', () => {})
    socket.write(head(key, 'Transfer-Encoding: chunked'))
    socket.write(chunk(before))
    const more = chunk(Buffer.alloc(50_000, 'x'))
    const go = () => {
      while (!socket.destroyed && socket.write(more));
    }
    socket.on('drain', go)
    go()
    let received = ''
    for await (const part of socket.iterator({ destroyOnReturn: false })) {
      received += part
      if (received.endsWith('}')) break
    }
    socket.destroy()
    return answerOf(received)
  }
  await isRefusal(t, mock, await endless(Buffer.from('a preamble\r\n')), 400, 'invalid_request', /^File too large/)
  t.strictSame(files(), [])
  t.match(await endless(form(video)), { status: 200, body: { size: short.length } })
})

/** Sends the head, the body once it is asked for, and gives the answers when the server has closed. */
async function expectContinue(mock: RunningMock, headers: string[], body: Buffer): Promise<string[]> {
  const socket = connect(mock.port, '127.0.0.1')
  let received = ''
  socket.write(head(...headers, 'Expect: 100-continue'))
  for await (const chunk of socket) {
    if (received === '' && String(chunk).startsWith('HTTP/1.1 100 ')) socket.write(body)
    received += chunk
  }
  return received.split(/^(?=HTTP\/1\.1 )/m)
}

const common = ['POST /v1/uploads HTTP/1.1', 'Host: mock', 'Connection: close', `Content-Type: ${formType}`]
const head = (...lines: string[]): string => `${[...common, ...lines].join('\r\n')}\r\n\r\n`
const key = 'X-Api-Key: test_key'
const whole = form(video)
const lengthOf = (body: Buffer) => `Content-Length: ${body.length}`

function answerOf(text = ''): Answer {
  const [top = '', body = ''] = text.split('\r\n\r\n')
  const [statusLine = '', ...lines] = top.split('\r\n')
  const headers = new Headers(lines.map(line => line.split(/: (.*)/, 2) as [string, string]))
  return { status: Number(statusLine.split(' ')[1]), headers, body: JSON.parse(body) }
}

const fits = lengthOf(whole)
const doomed: [clause: string, what: string, status: number, code: string, ...headers: string[]][] = [
  ['AUTH-1', 'a missing key', 401, 'missing_api_key', fits],
  ['AUTH-1', 'an invalid key', 401, 'invalid_api_key', fits, 'X-Api-Key: test_invalid_x'],
  ['CR-3', 'a lack of credits', 402, 'insufficient_credits', fits, 'X-Api-Key: test_no_credits_x'],
  ['ERR-4', 'a declared size over the limit', 400, 'invalid_request', key, 'Content-Length: 600000000'],
  ['RL-2', 'a limit that is used up', 429, 'rate_limited', fits, 'X-Api-Key: test_rate_limited_x'],
]

for (const [clause, what, status, code, ...headers] of doomed) {
  t.test(`${clause} ${what} is told before the body is asked for`, async t => {
    const { mock, files } = await startWithFolder(t)
    const answers = await expectContinue(mock, headers, whole)
    t.equal(answers.length, 1, 'there is no 100 Continue')
    await isRefusal(t, mock, answerOf(answers[0]), status, code, /^(Missing|Invalid|Not enough|File too|Too many)/)
    t.strictSame(files(), [])
  })
}

t.test('ERR-4 a declared size far over the limit is refused though no byte of the body has come', async t => {
  const { mock, files } = await startWithFolder(t)
  const socket = connect(mock.port, '127.0.0.1')
  socket.write(head(key, `Content-Length: ${10 ** 12}`))
  const answer = answerOf((await socket.toArray()).join(''))
  await isRefusal(t, mock, answer, 400, 'invalid_request', /^File too large/)
  t.strictSame(files(), [])
})

t.test('UP-3 Expect: 100-continue is answered 100, then 200 for a video and 400 for a text', async t => {
  const { mock, files } = await startWithFolder(t)
  const [go, taken, ...more] = await expectContinue(mock, [key, lengthOf(whole)], whole)
  t.equal(go, 'HTTP/1.1 100 Continue\r\n\r\n')
  t.match(answerOf(taken), { status: 200, body: { success: true, size: short.length } })
  t.strictSame(more, [])
  const prose = file('note.mp4', note)
  const [, refusal] = await expectContinue(mock, [key, lengthOf(prose)], prose)
  await isRefusal(t, mock, answerOf(refusal), 400, 'invalid_request', wrongType)
  t.equal(files().length, 1)
})

for (const how of ['end', 'resetAndDestroy'] as const) {
  t.test(`ERR-6 a client that breaks off mid-upload (${how}) leaves no file, and an entry in the journal`, async t => {
    const { mock, files, folder } = await startWithFolder(t)
    const watcher = watch(join(folder, 'incoming'))
    const arriving = once(watcher, 'change')
    const socket = connect(mock.port, '127.0.0.1').on('error', () => {})
    socket.resume().write(Buffer.concat([Buffer.from(head(key, lengthOf(whole))), whole.subarray(0, 20_000)]))
    await arriving
    watcher.close()
    socket[how]()
    await once(socket, 'close')
    const [entry] = await mock.journal.waitFor({ route: 'uploadVideo' })
    t.match(entry, { aborted: true })
    t.notOk(entry?.status === 500, 'it is no bug of the server')
    t.strictSame(files(), [])
    t.equal((await client(mock).get('/health')).status, 200)
  })
}
