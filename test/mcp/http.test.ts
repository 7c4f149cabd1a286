/** /__mock/mcp of a mock that `serve` runs, by the official client over streamable HTTP. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import t, { type Test } from 'tap'
import { Agent, fetch as fetchBy } from 'undici'
import { tools } from '../../mcp/tools/index.ts'
import { client as httpClient, serve, start, understudy } from '../support.ts'

async function connect(
  t: Test,
  url: string,
  {
    headers = {},
    options = {},
    fetch = globalThis.fetch,
  }: { headers?: Record<string, string>; options?: ClientOptions; fetch?: typeof globalThis.fetch } = {},
) {
  const client = new Client({ name: 'test', version: '1' }, options)
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/__mock/mcp`), { requestInit: { headers }, fetch }),
  )
  t.teardown(() => client.close())
  return {
    client,
    async ask(name: string, args: Record<string, unknown> = {}) {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: args })
      const text = (content as { text?: string }[]).map(block => block.text ?? '').join('')
      // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
      return { text, data: structuredContent as any, isError: isError === true }
    },
  }
}

// A rehearsal leaves its reports in the folder that the mock was started in.
process.chdir(t.testdir({}) as string)

const modern: ClientOptions = { versionNegotiation: { mode: { pin: '2026-07-28' } } }

t.test('the same tools are there for both eras of the protocol, and are about the mock that serves them', async t => {
  const server = await serve(t, ['--speed', 'instant', '--seed', 'http'])
  for (const options of [modern, {}]) {
    const { client, ask } = await connect(t, server.url, { options })
    const listed = await client.listTools()
    t.same(
      listed.tools.map(({ name }) => name),
      tools.map(({ name }) => name),
    )
    t.match((await ask('use_scenario', { scenario: 'internal-error-once' })).data, { scenario: 'internal-error-once' })
    const create = () => httpClient(server).post('/v1/jobs', { video_url: 'https://example.com/cat.mp4' })
    t.equal((await create()).status, 500)
    const { data: did } = await ask('what_happened', { kind: 'exchange' })
    const { request_id } = did.entries.at(-1)
    t.match((await ask('why_answered', { request_id })).data, { status: 500, scenario: 'internal-error-once' })
    t.match((await ask('conduct', { ended: true })).data, { ok: Boolean })
    t.match((await ask('rehearse', { command: ['true'] })).text, /runs no commands.*understudy serve --mcp-allow-run/)
    t.match(
      (await ask('check_endpoint', { url: 'http://192.0.2.1' })).text,
      /not on this machine.*understudy serve --mcp-allow-remote/,
    )
    await ask('use_scenario', { scenario: 'none' })
    t.match(await client.readResource({ uri: 'understudy://clauses' }), { contents: [{ text: /ERR-3/ }] })
  }
})

t.test('what an agent starts, another finds; it ends with the mock that serves it', async t => {
  const server = await serve(t)
  const [one, other] = await Promise.all([connect(t, server.url, { options: modern }), connect(t, server.url)])
  const { data: started } = await one.ask('mock', { action: 'start', speed: 'instant' })
  t.not(started.url, server.url)
  t.match((await other.ask('world_state', { mock: started.url })).data, { worlds: [] })
  t.same((await other.ask('mock', { action: 'stop', url: server.url })).data, { stopped: [], left: [server.url] })
  t.notOk((await other.ask('world_state', { mock: server.url })).isError, 'its own mock is there again')
  await server.interrupt()
  await t.rejects(fetch(`${started.url}/health`))
})

t.test('the guard is that of the control routes: Host, Origin, and the token off loopback', async t => {
  const server = await serve(t)
  const post = (url: string, headers: Record<string, string>) =>
    fetch(`${url}/__mock/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
    })
  t.equal((await post(server.url, { origin: 'https://evil.test' })).status, 403)
  t.equal((await post(server.url, { 'sec-fetch-site': 'cross-site' })).status, 403)
  const wide = await serve(t, ['--host', '0.0.0.0', '--admin-token', 'hush'])
  t.equal((await post(wide.url, {})).status, 401)
  const { ask } = await connect(t, wide.url, { headers: { 'x-admin-token': 'hush' } })
  t.match((await ask('world_state')).data, { worlds: [] })
  const closed = await serve(t, ['--host', '0.0.0.0'])
  t.equal((await post(closed.url, {})).status, 404)
  t.match(await understudy(['serve', '--host', '0.0.0.0', '--mcp-allow-run']), {
    code: 2,
    stderr: /--mcp-allow-run lets who reaches the mock run commands, and it listens on 0\.0\.0\.0/,
  })
  t.equal(
    (await fetch(`${(await start(t)).url}/__mock/mcp`, { method: 'POST' })).status,
    404,
    'startMock() serves none',
  )
})

t.test('over TLS its tools reach the mock itself, whose certificate nobody has to trust for that', async t => {
  const ca = join(process.cwd(), 'ca.pem')
  const { url } = await serve(t, ['--tls-ca-out', ca])
  const dispatcher = new Agent({ connect: { ca: readFileSync(ca, 'utf8') } })
  t.teardown(() => dispatcher.close())
  const trusting = (to: unknown, init: unknown) => fetchBy(to as string, { ...(init as object), dispatcher })
  const { ask } = await connect(t, url, { options: modern, fetch: trusting as unknown as typeof fetch })
  t.match((await ask('world_state')).data, { worlds: [] })
  t.match((await ask('check_endpoint', { only: ['SYS-1'] })).text, /^ok: /)
})

t.test('what is no message of the protocol gets its own error; a session that is asked for is 405', async t => {
  const { url } = await serve(t)
  const send = (method: string, body?: string) =>
    fetch(`${url}/__mock/mcp`, {
      method,
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...(body !== undefined && { body }),
    })
  const broken = await send('POST', '{"half')
  t.match(
    { status: broken.status, body: await broken.json() },
    { status: 400, body: { jsonrpc: '2.0', error: { code: -32700 } } },
  )
  t.equal((await send('GET')).status, 405)
  t.equal((await send('POST', `"${'x'.repeat(1024 * 1024)}"`)).status, 413)
})

t.test(
  'with --mcp-allow-run a client is rehearsed, which tells how far it is and ends when it is cancelled',
  async t => {
    const { url } = await serve(t, ['--mcp-allow-run'])
    const { client } = await connect(t, url, { options: modern })
    const progress: string[] = []
    const done = await client.callTool(
      { name: 'rehearse', arguments: { command: ['true'], scenarios: ['none'] } },
      { onprogress: ({ message }) => progress.push(String(message)) },
    )
    t.match(done.structuredContent, { scenarios: [{ scenario: 'none', exit_code: 0 }] })
    t.ok(progress.length > 0)
    const mock = await start(t)
    const stop = new AbortController()
    const command = ['sh', '-c', `curl -s "${mock.url}/health?$$"; exec sleep 3600`]
    const running = client.callTool(
      { name: 'rehearse', arguments: { command, scenarios: ['none'] } },
      { signal: stop.signal },
    )
    const [entry] = await mock.journal.waitFor({ kind: 'exchange', route: '/health' })
    const pid = Number(/\?(\d+)/.exec((entry as { url: string }).url)?.[1])
    stop.abort()
    await t.rejects(running)
    for (;;) {
      try {
        process.kill(pid, 0)
      } catch {
        break
      }
      await new Promise(setImmediate)
    }
  },
)
