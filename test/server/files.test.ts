/** DL-3 and UP-3: the URLs that the API gives lead to real files, whole or in parts. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { outputFormats } from '../../contracts/schemas.ts'
import { client, clip, start } from '../support.ts'

const run = promisify(execFile)

/** What a browser is told, and what the bytes are: ffprobe's container, or the first bytes where ffprobe knows none. */
const formats: Record<string, { type: string; container?: string; magic?: RegExp }> = {
  webm: { type: 'video/webm', container: 'matroska,webm' },
  mov: { type: 'video/quicktime', container: 'mov,mp4,m4a,3gp,3g2,mj2' },
  mp4: { type: 'video/mp4', container: 'mov,mp4,m4a,3gp,3g2,mj2' },
  gif: { type: 'image/gif', container: 'gif' },
  webp: { type: 'image/webp', magic: /^RIFF.{4}WEBPVP8X/s },
  png_sequence: { type: 'application/zip', magic: /^PK/ },
}
/** No two answers need have these in common. */
const ownHeaders = ['date', 'x-request-id', 'connection', 'keep-alive']

for (const format of outputFormats) {
  t.test(`DL-3 a completed job's ${format} output is a real file at output_url and at download_url`, async t => {
    const { api, url } = await output(t, { output_format: format, ...(format === 'mp4' && { bg_type: 'green' }) })
    const expected = formats[format]
    const whole = await fetch(url)
    const bytes = await bytesOf(whole)
    t.equal(whole.status, 200)
    t.equal(whole.headers.get('content-type'), expected?.type)
    t.equal(whole.headers.get('content-length'), String(bytes.length))
    if (expected?.magic) t.match(bytes.toString('latin1', 0, 16), expected.magic)
    else t.equal(await containerOf(t, bytes), expected?.container, 'ffprobe accepts it')

    const { body } = await api.get(`/api/download/${url.split('/')[5]}`)
    t.equal(body.output_format, format)
    t.ok(bytes.equals(await bytesOf(await fetch(body.download_url))), 'download_url leads to the same')

    const head = await fetch(url, { method: 'HEAD' })
    t.equal(head.status, 200)
    t.same(shared(head), shared(whole), 'HEAD tells the same headers')
    t.equal((await bytesOf(head)).length, 0, 'and has no body')
  })
}

t.test('DL-3 a part of a file is given when a range is asked for', async t => {
  const { url } = await output(t)
  const whole = await bytesOf(await fetch(url))
  const total = whole.length
  const ranges: [string, number, number][] = [
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, total],
    ['bytes=-50', total - 50, total],
    [`bytes=${total - 1}-${total + 99}`, total - 1, total],
    // RFC 9110 14.1.2: the last so many bytes of a shorter file are all of it.
    ['bytes=-99999999', 0, total],
  ]
  for (const [range, from, to] of ranges) {
    const part = await fetch(url, { headers: { range } })
    t.equal(part.status, 206, range)
    t.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/${total}`)
    t.equal(part.headers.get('content-length'), String(to - from))
    t.ok(whole.subarray(from, to).equals(await bytesOf(part)))
  }
  for (const range of ['bytes=0-1,5-9', 'seconds=0-1']) {
    const answer = await fetch(url, { headers: { range } })
    t.equal(answer.status, 200, `${range} is ignored, as a server may`)
    t.ok(whole.equals(await bytesOf(answer)))
  }
  const head = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-99' } })
  t.equal(head.status, 200, 'RFC 9110 14.2: a range means nothing to HEAD')
})

t.test('DL-3 ERR-1 a range outside of the file is refused with the file size', async t => {
  const { url } = await output(t)
  const answer = await fetch(url, { headers: { range: 'bytes=99999999-' } })
  t.equal(answer.status, 416)
  const size = (await bytesOf(await fetch(url))).length
  t.equal(answer.headers.get('content-range'), `bytes */${size}`)
  await isEnvelope(t, answer, 'invalid_request', /^Range not satisfiable: .*\d+ bytes/)
})

t.test('DL-3 the ETag is strong and the same each time, so that a download can be resumed', async t => {
  const { url } = await output(t)
  const first = await fetch(url)
  const etag = first.headers.get('etag') ?? ''
  t.match(etag, /^"[^"]+"$/)
  const whole = await bytesOf(first)
  const half = Math.floor(whole.length / 2)

  const start = await fetch(url, { headers: { range: `bytes=0-${half - 1}` } })
  t.equal(start.headers.get('etag'), etag)
  const rest = await fetch(url, { headers: { range: `bytes=${half}-`, 'if-range': etag } })
  t.equal(rest.status, 206)
  t.equal(rest.headers.get('etag'), etag)
  t.ok(whole.equals(Buffer.concat([await bytesOf(start), await bytesOf(rest)])), 'two halves are the whole')
})

t.test('DL-3 If-Range gives the part only to who has the rest of the same file', async t => {
  const { url } = await output(t)
  const { headers } = await fetch(url, { method: 'HEAD' })
  const etag = headers.get('etag') ?? ''
  const modified = headers.get('last-modified') ?? ''
  const expected: [string, number][] = [
    [etag, 206],
    ['"another"', 200],
    [`W/${etag}`, 200],
    [modified, 206],
    [new Date(Date.parse(modified) - 60_000).toUTCString(), 200],
  ]
  for (const [ifRange, status] of expected) {
    const answer = await fetch(url, { headers: { range: 'bytes=10-19', 'if-range': ifRange } })
    t.equal(answer.status, status, `If-Range: ${ifRange}`)
    const length = status === 206 ? 10 : Number(headers.get('content-length'))
    t.equal((await bytesOf(answer)).length, length)
  }
})

t.test('DL-3 conditional requests: 304 to who has the file, 412 to who insists on another', async t => {
  const { url } = await output(t)
  const etag = (await fetch(url, { method: 'HEAD' })).headers.get('etag') ?? ''
  for (const method of ['GET', 'HEAD']) {
    const fresh = await fetch(url, { method, headers: { 'if-none-match': etag } })
    t.equal(fresh.status, 304, method)
    t.equal(fresh.headers.get('etag'), etag)
    t.equal((await bytesOf(fresh)).length, 0)
  }
  t.equal((await fetch(url, { headers: { 'if-none-match': '"another"' } })).status, 200)
  t.equal((await fetch(url, { headers: { 'if-match': etag } })).status, 200)
  const other = await fetch(url, { headers: { 'if-match': '"another"' } })
  t.equal(other.status, 412)
  await isEnvelope(t, other, 'invalid_request', /^Precondition failed/)
})

t.test('DL-3 ERR-1 a file that is not there is 404: unknown job, unfinished job, another file name', async t => {
  const { api, url, mock } = await output(t)
  const draft = await api.job({ auto_start: false })
  const wrong = [
    `${mock.url}/files/outputs/job_unknown/output.webm`,
    `${mock.url}/files/outputs/${draft}/output.webm`,
    url.replace('output.webm', 'output.mov'),
    url.replace('output.webm', 'other.webm'),
    `${mock.url}/files/uploads/vid_unknown_1jk/short.mp4`,
  ]
  for (const each of wrong) {
    const answer = await fetch(each)
    t.equal(answer.status, 404, each)
    await isEnvelope(t, answer, 'not_found', /^File not found/)
    t.equal((await fetch(each, { method: 'HEAD' })).status, 404)
  }
})

t.test('UP-3 video_url gives an upload back byte for byte, whole or in parts', async t => {
  const mock = await start(t)
  const bytes = await clip('difficult.webm')
  // 85 characters of three bytes: as long as a file name can be.
  for (const name of ['difficult.webm', 'my holiday & co #1?.webm', `${'猫'.repeat(83)}.webm`]) {
    const { status, body } = await client(mock).upload(bytes, name)
    t.equal(status, 200)
    t.match(body, { success: true, filename: name, size: bytes.length })
    const whole = await fetch(body.video_url)
    t.equal(whole.status, 200, `${name} is at its video_url`)
    t.equal(whole.headers.get('content-type'), 'video/webm')
    t.ok(bytes.equals(await bytesOf(whole)))
    const head = await fetch(body.video_url, { method: 'HEAD' })
    t.same(shared(head), shared(whole))
    const part = await fetch(body.video_url, { headers: { range: 'bytes=1000-1999' } })
    t.equal(part.status, 206)
    t.ok(bytes.subarray(1000, 2000).equals(await bytesOf(part)))
  }
})

t.test(
  'DL-3 UP-3 a file says the name to save it under, with the extension of what it is, and that it may be shown',
  async t => {
    const { api, url } = await output(t, { output_format: 'png_sequence' })
    const id = url.split('/').at(-2)
    const asked: [url: string, init: RequestInit, expected: string][] = [
      [url, {}, `inline; filename=${id}.png_sequence.zip`],
      [url, { method: 'HEAD' }, `inline; filename=${id}.png_sequence.zip`],
      [url, { headers: { range: 'bytes=0-9' } }, `inline; filename=${id}.png_sequence.zip`],
    ]
    const names: [name: string, expected: string][] = [
      ['cat.mp4', 'inline; filename=cat.mp4'],
      ['my cat', 'inline; filename="my cat.mp4"'],
      ['кот.MP4', `inline; filename="???.MP4"; filename*=UTF-8''%D0%BA%D0%BE%D1%82.MP4`],
    ]
    for (const [name, expected] of names)
      asked.push([(await api.upload(await clip('short.mp4'), name, 'video/mp4')).body.video_url, {}, expected])
    for (const [url, init, expected] of asked)
      t.equal((await fetch(url, init)).headers.get('content-disposition'), expected)
    const etag = (await fetch(url)).headers.get('etag') ?? ''
    t.equal(
      (await fetch(url, { headers: { 'if-none-match': etag } })).headers.get('content-disposition'),
      null,
      'of 304',
    )
  },
)

t.test('DL-3 UP-3 no path leads out of the folders', async t => {
  const { api, url, mock } = await output(t)
  const uploaded = (await api.upload(await clip('short.mp4'))).body
  const { pathname: upload } = new URL(uploaded.video_url)
  const { pathname } = new URL(url)
  const up = ['../../../../../../etc/passwd', '..', '%2e%2e', '..%5c..%5cetc%5cpasswd', 'x%00.mp4', '..%2f..%2fpid']
  const paths = up.flatMap(way => [
    `/files/uploads/${way}/short.mp4`,
    `/files/uploads/${uploaded.video_id}/${way}`,
    `/files/uploads/${uploaded.video_id}${way}/short.mp4`,
    `/files/outputs/${way}/output.webm`,
    `${pathname.replace('output.webm', '')}${way}`,
    `${pathname.replace('output.webm', '')}${way}%2foutput.webm`,
  ])
  const letIn: string[] = []
  for (const path of [...paths, `${upload}/../../../pid`, `${pathname}/../../../README.md`]) {
    const { status, body } = await rawGet(mock.url, path)
    const isRefused = status >= 400 && status < 500 && body.startsWith('{"error":{"code":"')
    if (!isRefused) letIn.push(`${status} ${path}`)
  }
  t.same(letIn, [])
})

/** A mock, and the URL of a completed job's output. */
async function output(t: Test, fields: Record<string, unknown> = {}) {
  const mock = await start(t)
  const api = client(mock)
  const id = await api.job(fields)
  for (let tries = 0; tries < 100; tries++) {
    const { body } = await api.get(`/v1/jobs/${id}`)
    if (body.status === 'completed') return { mock, api, url: body.output_url as string }
  }
  throw new Error(`${id} does not complete`)
}

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer())

const shared = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => !ownHeaders.includes(name)))

async function isEnvelope(t: Test, response: Response, code: string, message: RegExp): Promise<void> {
  t.match(response.headers.get('content-type'), 'application/json')
  t.match(await response.json(), { error: { code, message, request_id: response.headers.get('x-request-id') } })
}

async function containerOf(t: Test, bytes: Buffer): Promise<string> {
  const path = join(t.testdir(), 'output')
  await writeFile(path, bytes)
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-show_entries',
    'format=format_name',
    '-of',
    'csv=p=0',
    path,
  ])
  return stdout.trim().replaceAll('"', '')
}

/** As it is written: fetch would tidy the path up. */
function rawGet(base: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base)
    request({ hostname, port, path, agent: false }, async response =>
      resolve({ status: response.statusCode ?? 0, body: await text(response) }),
    )
      .once('error', reject)
      .end()
  })
}
