/** A client that keeps a transcript: what was asked, and all that was answered, with ids and times taken out. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { packageRoot } from '../../base/paths.ts'
import type { Json } from '../../server/mutants/change.ts'

export interface CallOptions {
  /** test_a without one; null sends none. */
  key?: string | null
  /** The Idempotency-Key. */
  idempotency?: string
  headers?: Record<string, string>
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: Json
}

export interface UploadOptions extends CallOptions {
  path?: string
  /** The part's Content-Type; none without it. */
  type?: string
  field?: string
  filename?: string
  boundary?: string
  bytes?: Buffer
}

export type Api = ReturnType<typeof clientOf>

/** The order in which things came, by what they are called. */
type Names = Map<string, string>

export function clientOf(url: string) {
  const agent = new Agent({ keepAlive: true })
  const transcript: string[] = []
  const names: Names = new Map()

  async function call(method: string, path: string, body?: string | Buffer, options: CallOptions = {}): Promise<Reply> {
    const { key = 'test_a', idempotency, headers } = options
    const found = await exchange(method, path.startsWith('http') ? path : url + path, body, {
      ...(key !== null && { 'X-Api-Key': key }),
      ...(idempotency !== undefined && { 'Idempotency-Key': idempotency }),
      ...headers,
    })
    // What is under /__mock is no part of the API: a session notes of it what matters.
    if (!path.startsWith('/__mock')) note(`${method} ${path} ${JSON.stringify(options)} → ${found.line}`)
    return found.reply
  }

  function exchange(method: string, to: string, body: string | Buffer | undefined, headers: Record<string, string>) {
    return new Promise<{ reply: Reply; line: string }>((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
      const sent = httpRequest(to, { method, agent, headers: { ...length, ...headers } }, response => {
        buffer(response).then(raw => {
          const bytes = response.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
          const isText = /json|text/i.test(response.headers['content-type'] ?? '') || bytes.length === 0
          const shown = isText
            ? bytes.toString()
            : `${bytes.length} bytes ${createHash('sha256').update(bytes).digest('hex')}`
          const status = response.statusCode ?? 0
          const line = `${status} ${headersIn(response.rawHeaders)} ${shown}`
          resolve({ reply: { status, headers: response.headers, body: parsed(shown) }, line })
        }, reject)
      })
      sent.once('error', reject)
      sent.end(body)
    })
  }

  const note = (line: string): void => void transcript.push(normalized(line.replaceAll(url, '<url>'), names))

  const post = (path: string, body?: unknown, options: CallOptions = {}) =>
    call('POST', path, body === undefined ? undefined : JSON.stringify(body), {
      ...options,
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...options.headers },
    })

  return {
    url,
    call,
    post,
    note,
    transcript,
    get: (path: string, options?: CallOptions) => call('GET', path, undefined, options),
    /** Creates a job and gives its id. */
    async job(fields: object = {}, options?: CallOptions): Promise<string> {
      const video = { video_url: 'https://example.com/cat.mp4#t=2', ...fields }
      return (await post('/v1/jobs', video, options)).body.id
    },
    /** Uploads a clip of fixtures/clips, or some bytes under any name. */
    upload(clip: string, options: UploadOptions = {}): Promise<Reply> {
      const { path = '/v1/uploads', type, field = 'file', filename = clip, boundary = 'x-form-x', ...rest } = options
      const bytes = rest.bytes ?? bytesOf(clip)
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${filename}"\r\n`
      const body = Buffer.concat([
        Buffer.from(`${head}${type ? `Content-Type: ${type}\r\n` : ''}\r\n`),
        bytes,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ])
      const { key, idempotency, headers } = rest
      const formType = { 'Content-Type': `multipart/form-data; boundary=${boundary}` }
      return call('POST', path, body, { key, idempotency, headers: { ...formType, ...headers } })
    },
    /** Moves the mock's time on, which stands still otherwise. */
    step: (by: string) =>
      exchange('POST', `${url}/__mock/clock`, JSON.stringify({ step: by }), { 'Content-Type': 'application/json' }),
    freeze: () => exchange('POST', `${url}/__mock/clock`, '{"freeze":true}', { 'Content-Type': 'application/json' }),
    close: () => agent.destroy(),
  }
}

/** A clip, or a file that is none. */
export const bytesOf = (clip: string): Buffer =>
  clip.endsWith('.txt') ? Buffer.from('no video at all') : readFileSync(join(packageRoot, 'fixtures/clips', clip))

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const leftOut = ['date', 'keep-alive', 'content-length']

/** Names as they were written, in their order. */
function headersIn(raw: readonly string[]): string {
  const lines: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    if (!leftOut.includes((raw[i] as string).toLowerCase())) lines.push(`${raw[i]}: ${raw[i + 1]}`)
  }
  return lines.sort().join(' | ')
}

/** Ids become their number in the order of their coming, times lose their digits but keep their form. */
function normalized(line: string, names: Names): string {
  return line
    .replace(/\b(job|vid|req|whd|test)_[0-9a-z]{12,}(_[0-9a-z]+)?/g, (id, kind) => {
      if (!names.has(id)) names.set(id, `${kind}#${names.size}`)
      return names.get(id) as string
    })
    .replace(/\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?/g, time => time.replace(/\d/g, '0'))
    .replace(/\b1[789]\d{8}(\d{3})?\b/g, '<epoch>')
    .replace(/127\.0\.0\.1:\d+/g, '<host>')
}
