/** What the tests of the contract suite share: a server of their own before the mock, and the command. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { packageRoot } from '../../base/paths.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import type { Verdict } from '../../contracts/verdict.ts'
import { checks } from '../../suite/checks/index.ts'
import type { ClauseResult, Report } from '../../suite/report.ts'
import { type Ran, type RunOptions, understudy } from '../support.ts'

export interface Call {
  method: string
  /** Path and query. */
  url: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** For who wants to do something to the socket. */
  response: ServerResponse
}

export interface Reply {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer | string
}

/** Gives a reply of its own, or that of the mock, changed or not; nothing when it has answered by itself. */
export type Handle = (
  call: Call,
  pass: (url?: string) => Promise<Reply>,
) => Reply | undefined | Promise<Reply | undefined>

/** Listens on a free port until the test's end. */
export async function listening(t: Test, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    if ('closeAllConnections' in server) (server.closeAllConnections as () => void)()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A server before the mock, with its calls so far. It passes on the Host as it came, so that the mock's URLs lead here. */
export async function front(
  t: Test,
  mock: { url: string },
  handle: Handle,
  tls?: { key: string; cert: string },
): Promise<{ url: string; calls: Call[] }> {
  const calls: Call[] = []
  const server = (tls ? createTlsServer(tls) : createServer()).on('request', async (request, response) => {
    response.on('error', () => {})
    const { method = '', url = '', headers } = request
    try {
      const call: Call = { method, url, headers, body: await buffer(request), response }
      calls.push(call)
      const reply = await handle(call, (to = url) => passOn(mock.url + to, call))
      if (reply === undefined) return
      const { 'content-length': _, 'transfer-encoding': __, connection: ___, ...rest } = reply.headers
      response.writeHead(reply.status, { ...rest, 'content-length': Buffer.byteLength(reply.body) }).end(reply.body)
    } catch {
      response.destroy()
    }
  })
  const port = await listening(t, server)
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, calls }
}

function passOn(url: string, { method, headers, body }: Call): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, { method, headers, agent: false }, async answer => {
      const got = await buffer(answer).catch(reject)
      if (got) resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: got })
    })
    call.on('error', reject).end(body)
  })
}

/** The reply with another JSON body. */
export function altered(reply: Reply, change: (body: Record<string, unknown>) => unknown): Reply {
  return { ...reply, body: JSON.stringify(change(JSON.parse(String(reply.body)))) }
}

export const json = (status: number, body: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

/** The two uploads of half a gigabyte: most runs do without. */
export const skip = ['uploads.too-large', 'uploads.largest']

/** Outputs of all formats but one: each is decoded by ffmpeg, which takes longer than all else together. */
export const otherFormats = checks
  .filter(({ id, title }) => id.startsWith('download.') && title.startsWith('an output in '))
  .map(({ id }) => id)

export const clauseOf = ({ clauses }: Report, id: ClauseId): ClauseResult =>
  clauses.find(clause => clause.id === id) as ClauseResult

export const having = ({ clauses }: Report, verdict: Verdict): string[] =>
  clauses.filter(clause => clause.verdict === verdict).map(({ id }) => id)

export const checkCommand = (args: string[], options?: RunOptions): Promise<Ran> =>
  understudy(['check', ...args], options)

/** Another program, without options of `understudy` that the shell has set. */
export function spawned(
  command: string,
  args: string[],
  { env = {}, cwd = packageRoot }: { env?: Record<string, string>; cwd?: string } = {},
): ChildProcess {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('UNDERSTUDY_')))
  return spawn(command, args, { cwd, env: { ...clean, ...env } })
}

export async function ended(child: ChildProcess): Promise<Ran> {
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map(stream => (stream ? text(stream) : '')))
  return { code: (await closed)[0], stdout: stdout as string, stderr: stderr as string }
}
