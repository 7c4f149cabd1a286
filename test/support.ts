/** The helpers that the tests share: a mock, a client, a clip, and the command. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { packageRoot } from '../base/paths.ts'
import type { MockOptions } from '../server/config.ts'
import { type RunningMock, startMock } from '../server/start.ts'

/** A mock of the test's own, closed at its end. Instant unless told otherwise, with a fixed seed, without limits. */
export async function start(t: Test, options: MockOptions = {}): Promise<RunningMock> {
  const mock = await startMock({ speed: 'instant', seed: 'test', rateLimit: 0, jobLimit: 0, ...options })
  t.teardown(() => mock.close())
  return mock
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}

/** A client that uses fetch and FormData only, as any app would; key null sends none. */
export function client({ url }: { url: string }, key: string | null = 'test_key') {
  const call = async (method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { ...(key !== null && { 'x-api-key': key }), ...(init.headers as Record<string, string>) }
    const response = await fetch(path.startsWith('http') ? path : url + path, { ...init, method, headers })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  const json = (value: unknown, headers: Record<string, string> = {}): RequestInit => ({
    body: typeof value === 'string' ? value : JSON.stringify(value),
    headers: { 'content-type': 'application/json', ...headers },
  })
  return {
    call,
    get: (path: string, headers?: Record<string, string>) => call('GET', path, { headers }),
    post: (path: string, body: unknown = {}, headers?: Record<string, string>) =>
      call('POST', path, json(body, headers)),
    /** Creates a job and gives its id. */
    async job(fields: Record<string, unknown> = {}): Promise<string> {
      const { status, body } = await call(
        'POST',
        '/v1/jobs',
        json({ video_url: 'https://example.com/cat.mp4#t=2', ...fields }),
      )
      if (status !== 200) throw new Error(`no job: ${status} ${JSON.stringify(body)}`)
      return body.id
    },
    /** Uploads one file; `type` '' sends no Content-Type that says anything. */
    upload(
      bytes: Uint8Array,
      filename = 'short.mp4',
      type = '',
      path = '/v1/uploads',
      headers?: Record<string, string>,
    ) {
      const form = new FormData()
      form.append('file', new Blob([new Uint8Array(bytes)], { type }), filename)
      return call('POST', path, { body: form, headers })
    },
  }
}

/** A clip of fixtures/clips, such as short.mp4. */
export const clip = (name: string): Promise<Buffer> => readFile(join(packageRoot, 'fixtures', 'clips', name))

/** A built file of this run of the tests (test/run.mjs), such as index.js: for what needs a process of its own. */
export const builtFile = (name: string): string => join(packageRoot, process.env.TEST_BUILD as string, name)

/** The built command. */
export const cliPath = async (): Promise<string> => builtFile(join('cli', 'bin.js'))
