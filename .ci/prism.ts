/**
 * Prism's proxy between a client and the mock: it looks at each call and each response by /openapi.json, and says in the
 * header sl-violations what is against it. A session with every route and every documented status goes through it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { packageRoot } from '../base/paths.ts'
import { statusOf } from '../contracts/errors.ts'
import { errorsOf, type Operation, operationOf, operations } from '../contracts/operations.ts'
import { outputFormats } from '../contracts/schemas.ts'
import { startMock } from '../server/start.ts'

const prism = '@stoplight/prism-cli@5.14.2'
const startWithinMs = 120_000
const admin = { 'x-admin-token': 'token' }
const cat = { video_url: 'https://example.com/cat.mp4#t=2' }

/** What Prism finds in a session with a mock, and each documented status of a route that did not come. */
export async function prismViolations(document: string): Promise<string[]> {
  const limits = { rateLimit: 0, jobLimit: 0, adminToken: 'token' }
  const mock = await startMock({ port: 0, speed: 'instant', logLevel: 'silent', ...limits })
  const port = await freePort()
  const args = ['-y', prism, 'proxy', document, mock.url, '--port', String(port)]
  // A group of its own: npx hands no signal on.
  const proxy = spawn('npx', args, { detached: true, stdio: 'ignore' })
  const ended = once(proxy, 'exit')
  try {
    const session = new Session(`http://127.0.0.1:${port}`)
    await isUp(session.url)
    await goodCalls(session)
    await refusedCalls(session)
    return [...session.problems, ...session.unseen()]
  } finally {
    process.kill(-(proxy.pid as number))
    await ended
    await mock.close()
  }
}

interface Call {
  headers?: Record<string, string>
  /** A form, or what becomes JSON; a text is sent as it is. */
  body?: unknown
  /** It is wrong itself, which Prism may say. */
  isWrong?: boolean
}

interface Answer {
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: as the document has it, or Prism says so
  body: any
}

class Session {
  readonly url: string
  readonly problems: string[] = []
  readonly #seen = new Set<string>()

  constructor(url: string) {
    this.url = url
  }

  async call(method: string, path: string, { headers, body, isWrong = false }: Call = {}): Promise<Answer> {
    const isJson = body !== undefined && !(body instanceof FormData)
    const hasKey = path.startsWith('/v1/') && !path.startsWith('/v1/admin')
    const response = await fetch(this.url + path, {
      method,
      ...(body !== undefined && { body: isJson && typeof body !== 'string' ? JSON.stringify(body) : (body as string) }),
      headers: {
        ...(isJson && { 'content-type': 'application/json' }),
        ...(hasKey && { 'x-api-key': 'test_key' }),
        ...headers,
      },
    })
    const { status } = response
    const text = await response.text()
    const hasJson = response.headers.get('content-type')?.startsWith('application/json')
    const answer: Answer = { headers: response.headers, body: hasJson ? JSON.parse(text) : text }
    this.#seen.add(`${operationOf(method, path)} ${status}`)
    const found: { location: string[]; message: string }[] = JSON.parse(answer.headers.get('sl-violations') ?? '[]')
    for (const { location, message } of found)
      if (!isWrong || location[0] !== 'request')
        this.problems.push(`${method} ${path} ${status}: ${location.join('.')} ${message}`)
    return answer
  }

  /** What is documented and did not come: then nothing was proved of it. */
  unseen(): string[] {
    return Object.entries<Operation>(operations).flatMap(([id, operation]) => {
      const good = operation.answer ? [200] : [200, 206, 304]
      const expected = new Set([...good, ...errorsOf(operation).map(statusOf)])
      return [...expected]
        .filter(status => !this.#seen.has(`${id} ${status}`))
        .map(status => `${id}: no ${status} came`)
    })
  }
}

async function goodCalls(session: Session): Promise<void> {
  await session.call('GET', '/health')
  await session.call('GET', '/api/pricing')
  // Prism hands bytes on as text: what arrives has the first bytes of a video, and is none any more.
  const { body: upload } = await session.call('POST', '/v1/uploads', { body: await video() })
  await session.call('POST', '/api/upload', { body: await video() })
  const files = [new URL(upload.video_url).pathname]
  for (const output_format of outputFormats) {
    const job = { ...cat, output_format, ...(output_format === 'mp4' && { bg_type: 'green' }) }
    const { body } = await session.call('POST', '/v1/jobs', { body: job })
    await session.call('GET', `/v1/jobs/${body.id}`)
    const { body: download } = await session.call('GET', `/api/download/${body.id}`)
    files.push(new URL(download.download_url).pathname)
  }
  for (const path of files) {
    const etag = (await session.call('GET', path)).headers.get('etag') ?? ''
    await session.call('GET', path, { headers: { range: 'bytes=0-9' } })
    await session.call('GET', path, { headers: { 'if-none-match': etag } })
  }
  const draft = { ...cat, auto_start: false, metadata: { n: 1 }, bg_type: 'custom', bg_color: [1, 2, 3] }
  const { body: job } = await session.call('POST', '/v1/jobs', { body: draft })
  await session.call('GET', `/v1/jobs/${job.id}`)
  await session.call('POST', `/v1/jobs/${job.id}/start`, { body: { output_format: 'gif' } })
  await session.call('POST', `/v1/jobs/${job.id}/start`)
  for (const name of ['fail', 'stuck']) {
    const { body } = await session.call('POST', '/v1/jobs', {
      body: { video_url: `https://example.com/${name}.mp4#t=3` },
    })
    await session.call('GET', `/v1/jobs/${body.id}`)
  }
  await session.call('GET', '/v1/jobs?limit=2&offset=1&status=completed')
  await session.call('GET', '/v1/usage/summary?days=7')
  await session.call('GET', '/v1/usage/events?limit=5')
  await session.call('GET', '/v1/admin/config', { headers: admin })
  const desk = { client_id: 'desk', note: 'a note' }
  const { body: made } = await session.call('POST', '/v1/admin/keys', { headers: admin, body: desk })
  await session.call('GET', '/v1/admin/keys', { headers: admin })
  for (const what of ['disable', 'enable']) {
    const body = { key_fingerprint: made.key_fingerprint }
    await session.call('POST', `/v1/admin/keys/${what}`, { headers: admin, body })
  }
}

/** Each route with each error that it documents, and what a wrong call is told. */
async function refusedCalls(session: Session): Promise<void> {
  for (const operation of Object.values<Operation>(operations)) {
    const path = operation.path.replace(/\{\w+\}/g, 'x')
    for (const error of errorsOf(operation)) {
      const body = operation.body && (operation.tag === 'uploads' ? await video() : cat)
      await session.call(operation.method, path, { headers: { ...admin, 'x-mock-fault': error }, body, isWrong: true })
    }
  }
  const wrong: [method: string, path: string, call?: Call][] = [
    ['GET', '/v1/jobs', { headers: { 'x-api-key': 'wrong' } }],
    ['GET', '/v1/jobs', { headers: { 'x-api-key': 'test_rate_limited' } }],
    ['POST', '/v1/jobs', { headers: { 'x-api-key': 'test_no_credits' }, body: cat }],
    ['POST', '/v1/jobs', { body: '{"video_url": ' }],
    ['POST', '/v1/jobs', { body: { model: 'none' } }],
    ['POST', '/v1/jobs', { body: `"${'x'.repeat(1_100_000)}"` }],
    ['POST', '/v1/jobs', { headers: { 'content-type': 'text/plain' }, body: 'a text' }],
    ['GET', '/v1/jobs?limit=0'],
    ['GET', '/v1/jobs/unknown'],
    ['GET', '/api/download/unknown'],
    ['POST', '/v1/uploads', { body: new FormData() }],
    ['GET', '/v1/admin/config'],
  ]
  for (const [method, path, call] of wrong) await session.call(method, path, { ...call, isWrong: true })
  for (const model of ['light', 'human'])
    await session.call('POST', '/v1/jobs', { headers: { 'idempotency-key': 'one' }, body: { ...cat, model } })
}

async function video(): Promise<FormData> {
  const form = new FormData()
  form.append(
    'file',
    new Blob([new Uint8Array(await readFile(join(packageRoot, 'fixtures/clips/short.mp4')))], { type: 'video/mp4' }),
    'short.mp4',
  )
  return form
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

async function isUp(url: string): Promise<void> {
  for (let waited = 0; waited < startWithinMs; waited += 200) {
    if (await fetch(`${url}/health`).catch(() => undefined)) return
    await delay(200)
  }
  throw new Error(`${prism} did not start within ${startWithinMs / 1000} s`)
}
