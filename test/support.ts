/** The helpers that the tests share: a mock, a client, a clip, and the command. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Test } from 'tap'
import { packageRoot } from '../base/paths.ts'
import { main } from '../cli/main.ts'
import type { RunningMock } from '../client/mock.ts'
import type { MockOptions } from '../server/config.ts'
import { startMock } from '../server/start.ts'

/**
 * A mock of the test's own, closed at its end. Instant unless told otherwise, with a fixed seed, without limits, and with canned
 * outputs: what is in a file is the matter of test/server/outputs.test.ts, and no other test is to wait for ffmpeg.
 */
export async function start(t: Test, options: MockOptions = {}): Promise<RunningMock> {
  const mock = await startMock({
    speed: 'instant',
    seed: 'test',
    rateLimit: 0,
    jobLimit: 0,
    outputs: 'canned',
    ...options,
  })
  t.teardown(() => mock.close())
  return mock
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}

/**
 * A client with the words of fetch and FormData, as any app has them; key null sends none. What is no upload goes by node:http:
 * fetch takes longer to load than most files do to test, and twice as long for each call.
 */
export function client({ url }: { url: string }, key: string | null = 'test_key') {
  const call = async (method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { ...(key !== null && { 'x-api-key': key }), ...(init.headers as Record<string, string>) }
    const to = path.startsWith('http') ? path : url + path
    const { body, signal } = init
    if ((body === undefined || typeof body === 'string') && !signal && to.startsWith('http:'))
      return ask(to, method, headers, body)
    const response = await fetch(to, { ...init, method, headers })
    return {
      status: response.status,
      headers: response.headers,
      body: bodyOf(await response.text(), response.headers.get('content-type')),
    }
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

const bodyOf = (text: string, type: string | null | undefined) =>
  type?.startsWith('application/json') ? JSON.parse(text) : text

const agent = new Agent({ keepAlive: true })

/** One call by node:http, with the headers that fetch sends. Rejects where no whole answer comes. */
async function ask(
  to: string,
  method: string,
  given: Record<string, string>,
  body: string | undefined,
): Promise<Answer> {
  const headers = new Map([
    ['accept', '*/*'],
    ['user-agent', 'node'],
  ])
  if (body !== undefined) headers.set('content-type', 'text/plain;charset=UTF-8')
  for (const [name, value] of Object.entries(given)) headers.set(name.toLowerCase(), value)
  if (body !== undefined || method === 'POST') headers.set('content-length', String(Buffer.byteLength(body ?? '')))
  const [text, answer] = await new Promise<[string, IncomingMessage]>((resolve, reject) => {
    const call = request(to, { method, agent, headers: Object.fromEntries(headers) }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', more => {
        text += more
      })
      answer.on('error', reject)
      answer.on('end', () => resolve([text, answer]))
    })
    call.on('error', reject)
    call.end(body)
  })
  return {
    status: answer.statusCode ?? 0,
    // Made where they are asked for: they are a part of fetch.
    get headers() {
      const { rawHeaders } = answer
      const headers = new Headers()
      for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '')
      return headers
    },
    body: bodyOf(text, answer.headers['content-type']),
  }
}

/** A clip of fixtures/clips, such as short.mp4. */
export const clip = (name: string): Promise<Buffer> => readFile(join(packageRoot, 'fixtures', 'clips', name))

/**
 * JavaScript that gives the most memory that its process has taken, in MB. Not by resourceUsage() where the system says it
 * otherwise: that begins with what the parent had, which is a test with much in it.
 */
export const maxMemoryMb = `(() => {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  return Number(/VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS) / 1024
})()`

/** `npm run prove`: the proofs in full; `npm test` takes a sample of each. */
export const isProving = process.env.TEST_PROVE === '1'

/**
 * Of the scenarios that ship, one for each thing that one can do to a client; `npm run prove` plays them all. A page, half
 * an answer and a malformed header are here as what is done on purpose; those that last are played for their kind alone.
 */
export const scenarioOfEachKind = [
  'internal-error-once', // an error of the catalogue, first: 1
  'proxy-html-502', // what is no envelope
  'poll-garbled', // half of a JSON text
  'connection-reset', // a call without an answer
  'download-cut', // a file that ends too early
  'no-answer', // silence
  'rate-limited-burst', // a limit of the account
  'retry-after-date', // a header in another form
  'insufficient-credits', // an account without credits
  'key-revoked-midway', // a key that is good no more
  'idempotency-key-expired', // a server that forgets
  'job-fails', // a job's own end
  'job-slow-progress', // a job's own timeline
  'upload-rejected', // of several rules, one after the other
  'outage-of-30s', // a rule that ends by the clock
  'webhook-duplicate', // what is told twice
  'slow-network', // delays
] as const

/** Every nth of a list; all of it for `npm run prove`. */
export const sampled = <T>(list: readonly T[], n: number): T[] => list.filter((_, i) => isProving || i % n === 0)

/** A built file of this run of the tests (test/run.mjs), such as index.js: for what needs a process of its own. */
export const builtFile = (name: string): string => join(packageRoot, process.env.TEST_BUILD as string, name)

/** The built command. */
export const cliPath: string = builtFile(join('cli', 'bin.js'))

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  /** The command's environment, beside a PATH for the programs that it starts. */
  env?: Record<string, string>
  stdin?: string
  /** stdout and stderr are a terminal of so many columns. */
  tty?: number
}

/** `understudy` in this process, with streams in memory. */
export const understudy = (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  begin(args, options).ended

export interface Running {
  ended: Promise<Ran>
  stdout(): string
  stderr(): string
  /** Resolves with the first match in what was printed so far, on either stream; rejects if the command ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  /** What Ctrl-C does. */
  interrupt(): Promise<Ran>
}

/** The same, for a command that goes on until it is stopped. */
export function begin(args: readonly string[], { env = {}, stdin = '', tty }: RunOptions = {}): Running {
  const text = { stdout: '', stderr: '' }
  const news = new EventEmitter().setMaxListeners(0)
  const stream = (name: keyof typeof text) => ({
    write(more: string) {
      text[name] += more
      news.emit('more')
    },
    ...(tty !== undefined && { isTTY: true, columns: tty }),
  })
  const stop = new AbortController()
  const io = {
    stdin: Readable.from([stdin]),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: { PATH: process.env.PATH, UNDERSTUDY_OUTPUTS: 'canned', ...env },
    signal: stop.signal,
  }
  let isOver = false
  const ended = main(args, io)
    .finally(() => {
      isOver = true
    })
    .then(code => ({ code, ...text }))
  const tell = () => void news.emit('more')
  ended.then(tell, tell)
  return {
    ended,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    async printed(pattern) {
      for (;;) {
        const found = pattern.exec(text.stdout) ?? pattern.exec(text.stderr)
        if (found) return found
        if (isOver) throw new Error(`${args.join(' ')} ended without ${pattern}: ${JSON.stringify(await ended)}`)
        await once(news, 'more')
      }
    },
    interrupt() {
      stop.abort()
      return ended
    },
  }
}

/** `understudy serve` in this process on a free port, until the test's end. */
export async function serve(t: Test, args: readonly string[] = [], options: RunOptions = {}) {
  const running = begin(['serve', '--port', '0', ...args], options)
  t.teardown(() => running.interrupt())
  const [url] = await running.printed(/https?:\/\/[\w.:]+/)
  return { ...running, url }
}

/** `understudy` in a process of its own, without options that the shell has set. */
export function spawnCommand(
  args: readonly string[],
  { env = {}, cwd = packageRoot }: { env?: Record<string, string>; cwd?: string } = {},
): ChildProcessWithoutNullStreams {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('UNDERSTUDY_')))
  // Not where the mocks of who runs the tests are kept.
  const own = { UNDERSTUDY_STATE_DIR: builtFile('state'), UNDERSTUDY_OUTPUTS: 'canned' }
  return spawn(process.execPath, [cliPath, ...args], { cwd, env: { ...clean, ...own, ...env } })
}
