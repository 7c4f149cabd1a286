/** Every fault on the wire, as real clients meet it: Node's fetch, curl, and http.client of Python. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { faultNames } from '../server/faults/index.ts'
import type { JournalEntry } from '../server/journalView.ts'
import { packageRoot } from '../server/paths.ts'
import type { RunningMock } from '../server/start.ts'
import { client, clip, start } from './support.ts'

interface Ask {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** After which the client gives up. */
  timeoutMs?: number
}

/** What a client got to see. */
interface Seen {
  /** '' when it took the answer for a good one: fetch's message and code, curl's exit code, Python's exception. */
  error: string
  status: number
  headers: Record<string, string>
  body: Buffer
  /** In how many pieces the body came. */
  pieces: number
  ms: number
}

type Client = 'fetch' | 'curl' | 'python'
type Errors = Record<Client, RegExp>

const clients: Record<Client, (url: string, ask: Required<Ask>) => Promise<Seen>> = {
  async fetch(url, { method, headers, body, timeoutMs }) {
    const seen = { error: '', status: 0, headers: {}, ms: 0 }
    const chunks: Uint8Array[] = []
    const startedAt = performance.now()
    try {
      const sent = body.length > 0 ? new Uint8Array(Buffer.from(body)) : undefined
      const answer = await fetch(url, { method, headers, body: sent, signal: AbortSignal.timeout(timeoutMs) })
      Object.assign(seen, { status: answer.status, headers: Object.fromEntries(answer.headers) })
      for await (const chunk of answer.body ?? []) chunks.push(chunk)
    } catch (thrown) {
      const { name, message, cause } = thrown as Error & { cause?: { code?: string } }
      seen.error = [name, message, cause?.code].join(' ')
    }
    return { ...seen, ms: performance.now() - startedAt, body: Buffer.concat(chunks), pieces: chunks.length }
  },

  async curl(url, { method, headers, body, timeoutMs }) {
    const lines = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
    const sent = body.length > 0 ? ['--data-binary', '@-', '--header', 'Expect:'] : []
    const shown = ['--silent', '--include', '--no-buffer', '--write-out', '%{stderr}%{time_total}']
    const limits = ['--noproxy', '*', '--max-time', String(timeoutMs / 1000)]
    const curl = spawn('curl', ['-q', ...shown, ...limits, '--request', method, ...lines, ...sent, url])
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
    const [statusLine = '', ...rest] = all.subarray(0, Math.max(0, end)).toString().split('\r\n')
    return {
      error: code === 0 ? '' : String(code),
      status: Number(statusLine.split(' ')[1] ?? 0),
      headers: Object.fromEntries(new Headers(rest.map(line => line.split(/: (.*)/, 2) as [string, string]))),
      body: all.subarray(end < 0 ? all.length : end + 4),
      pieces: chunks.length,
      ms: Number(seconds) * 1000,
    }
  },

  async python(url, { method, headers, body, timeoutMs }) {
    const { port, pathname } = new URL(url)
    const ask = [Number(port), method, pathname, headers, Buffer.from(body).toString('base64'), timeoutMs / 1000]
    python.stdin.write(`${JSON.stringify(ask)}\n`)
    const { value } = await pythonSays.next()
    const seen = JSON.parse(value as string)
    return { ...seen, body: Buffer.from(seen.body, 'base64') }
  },
}

/** One process for all calls, one after another: it takes longer to start than most of them last. */
const python = spawn('python3', [
  '-Iuc',
  `
import base64, http.client, json, sys, time
for line in sys.stdin:
    port, method, path, headers, body, timeout = json.loads(line)
    seen = {'error': '', 'status': 0, 'headers': {}}
    pieces = []
    began = time.monotonic()
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=timeout)
    try:
        connection.request(method, path, base64.b64decode(body) or None, headers)
        answer = connection.getresponse()
        seen['status'] = answer.status
        seen['headers'] = {name.lower(): value for name, value in answer.getheaders()}
        # What is there already; read() alone notices that something is missing.
        while answer.length and (piece := answer.read1()): pieces.append(piece)
        if answer.length: answer.fp = answer.fp or sys.stdin; pieces.append(answer.read())
    except Exception as error:
        seen['error'] = type(error).__name__
        pieces.append(getattr(error, 'partial', b''))
    connection.close()
    seen['ms'] = (time.monotonic() - began) * 1000
    seen['pieces'] = len(pieces)
    seen['body'] = base64.b64encode(b''.join(pieces)).decode()
    print(json.dumps(seen))
`,
])
