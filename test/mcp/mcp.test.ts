/** `understudy mcp` as an agent meets it: the official client, a process of its own, real stdio. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Client, type ClientOptions, InMemoryTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { buildMcpServer } from '../../mcp/server.ts'
import { AgentSession } from '../../mcp/session.ts'
import { tools } from '../../mcp/tools/index.ts'
import { cliPath, client as httpClient, start } from '../support.ts'

const cwd = t.testdir({}) as string

/** Asks a tool: what it answered as text, and the same as data. */
function askOf(client: Client) {
  return async (name: string, args: Record<string, unknown> = {}) => {
    const result = await client.callTool({ name, arguments: args })
    const blocks = result.content as { type: string; text?: string; uri?: string }[]
    return {
      text: blocks.map(block => block.text ?? '').join(''),
      // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
      data: result.structuredContent as any,
      isError: result.isError === true,
      uri: blocks.find(block => block.type === 'resource_link')?.uri as string,
    }
  }
}

/** The SDK's own class would start a process more, to find out which protocol it speaks. */
class StdioTransport extends StdioClientTransport {}

/** `understudy mcp` in a process of its own. */
async function connect(t: Test, flags: readonly string[], env: Record<string, string>, options: ClientOptions) {
  const folder = await mkdtemp(join(cwd, 'tmp-'))
  const transport = new StdioTransport({
    // The transport tells nobody the exit code.
    command: 'sh',
    args: ['-c', `"$0" "$@"; echo $? > '${folder}.exit'`, process.execPath, cliPath, 'mcp', ...flags],
    cwd,
    env: { PATH: process.env.PATH as string, TMPDIR: folder, ...env },
    stderr: 'pipe',
  })
  let stderr = ''
  transport.stderr?.on('data', chunk => {
    stderr += chunk
  })
  const client = new Client({ name: 'test', version: '1' }, options)
  // What is no message of the protocol ends up here.
  client.onerror = error => t.fail(`stdout carries the protocol only: ${error.message}`)
  await client.connect(transport)
  t.teardown(() => client.close())
  return {
    client,
    ask: askOf(client),
    stderr: () => stderr,
    /** Closes stdin, as a client that goes does: the exit code, and what is left in the folder for temporary files. */
    async leave() {
      await client.close()
      return { code: Number(await readFile(`${folder}.exit`, 'utf8')), left: await readdir(folder) }
    },
  }
}

/** The same server in this process, which may do nothing. */
async function connectHere(t: Test) {
  const session = new AgentSession({}, {})
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  const client = new Client({ name: 'test', version: '1' })
  await buildMcpServer(session, error => t.error(error)).connect(theirs)
  await client.connect(ours)
  t.teardown(async () => {
    await client.close()
    await session.close()
  })
  return { client, ask: askOf(client) }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const isUp = (url: string): Promise<boolean> =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  )

/** A client of one line that makes a job and tries again at once. */
const hasty = [
  process.execPath,
  '-e',
  `const { UNDERSTUDY_BASE_URL: url, UNDERSTUDY_API_KEY: key } = process.env
  const create = () => fetch(url + '/v1/jobs', {
    method: 'POST',
    headers: { 'X-Api-Key': key, 'Content-Type': 'application/json', 'Idempotency-Key': 'one' },
    body: JSON.stringify({ video_url: 'https://example.com/cat.mp4' }),
  })
  create().then(answer => answer.ok ? answer : create()).then(answer => {
    console.log('{"token": "hunter2-hunter2"} ' + process.env.DEPLOY_PASSWORD)
    process.exitCode = answer.ok ? 0 : 5
  })`,
]

/** One that may do nothing, and one that may run commands. */
const [plain, trusted] = await Promise.all([
  connectHere(t),
  connect(
    t,
    ['--allow-run'],
    { DEPLOY_PASSWORD: 'correct-horse-battery' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  ),
])

t.test(
  'an agent starts a mock, switches a scenario on, rehearses a client, reads why it failed, and stops',
  async t => {
    const { client, ask } = trusted
    const { data: mock } = await ask('mock', { action: 'start', speed: 'instant', seed: 'agent' })
    t.match(mock, { url: /^http:\/\/127\.0\.0\.1:\d+$/, key: 'test_key', seed: 'agent', started: true })

    const { data: scenario } = await ask('use_scenario', { scenario: 'internal-error-once' })
    t.match(scenario, { scenario: 'internal-error-once', clauses: ['ERR-3'], rules: [{ fired: 0 }] })
    const app = httpClient(mock)
    t.equal((await app.post('/v1/jobs', { video_url: 'https://example.com/cat.mp4' })).status, 500)
    t.equal((await app.post('/v1/jobs', { video_url: 'https://example.com/cat.mp4' })).status, 200)

    const { data: did, text } = await ask('what_happened', { wait_ms: 4_000, at_least: 2, kind: 'exchange' })
    t.match(did, { count: 2, shown: 2, last_seq: Number, entries: [{ status: 500 }, { status: 200, wait_ms: Number }] })
    t.match(text, /POST \/v1\/jobs → 500 internal_error \(rule \S+\) req_\w+/)
    const why = await ask('why_answered', { request_id: did.entries[0].request_id })
    t.match(why.data, { status: 500, scenario: 'internal-error-once', rule: String })
    t.match(why.text, /✓/)
    t.match((await ask('why_answered', { request_id: 'req_none' })).text, /req_none/)

    const world = await ask('world_state', { key: 'test_key' })
    t.match(world.data, {
      worlds: [{ revoked: false, scenario: 'internal-error-once' }],
      jobs: [{ status: 'completed' }],
    })

    const graded = await ask('conduct', { ended: true })
    t.match(graded.data, { ok: false, failed: [{ id: String, said: [/./], advice: /./ }] })

    const rehearsed = await ask('rehearse', {
      command: hasty,
      scenarios: ['none', 'internal-error-once'],
      seed: 'agent',
    })
    t.match(rehearsed.data, {
      ok: false,
      scenarios: [
        { scenario: 'none', verdict: 'passed', exit_code: 0 },
        { scenario: 'internal-error-once', verdict: 'failed', failed: ['errors.no-hammering'] },
      ],
      failed: [
        { id: 'errors.no-hammering', clause: 'RL-3', said: [/POST \/v1\/jobs/], scenarios: ['internal-error-once'] },
      ],
    })
    t.match(rehearsed.text, /✗ errors\.no-hammering \(RL-3\)/)
    const { output } = rehearsed.data.scenarios[1]
    t.equal(
      output,
      '{"token": "[redacted]"} [redacted]',
      'neither what is named like a secret nor what the environment hides',
    )
    const whole = await client.readResource({ uri: rehearsed.uri })
    t.match(JSON.parse((whole.contents[0] as { text: string }).text), {
      conduct: { 'internal-error-once': { rules: Array } },
    })

    const { data: off } = await ask('use_scenario', { scenario: 'none' })
    t.match(off, { scenario: null })
    const { data: stopped } = await ask('mock', { action: 'stop' })
    t.same(stopped, { stopped: [mock.url], left: [] })
    t.notOk(await isUp(mock.url))
  },
)

t.test('mutate says what the tests of a client do not notice, and what would', async t => {
  const { client, ask } = trusted
  const tests = 'curl -sf "$API/api/pricing" | grep -q \'"price_per_second_cents": *[0-9]\''
  const only = ['pricing-pro-60', 'pricing-second-missing', 'price-per-second-a-text', 'health-500']
  const progress: string[] = []
  const command = ['sh', '-c', tests]
  const { content, structuredContent } = await client.callTool(
    { name: 'mutate', arguments: { command, only, env: { API: '{url}' }, seed: '1', require: 'must' } },
    { onprogress: ({ message, total }) => progress.push(`${message} (${total})`) },
  )
  t.match(structuredContent, {
    ok: false,
    complete: true,
    score: 50,
    why: /1 of 2 mutants noticed \(50 %\).*1 must unnoticed/,
    outcomes: { noticed: 1, unnoticed: 1, refused: 1, skipped: 1, unclear: 0 },
    blind_spots: [
      {
        id: 'pricing-pro-60',
        clause: 'CR-1',
        severity: 'must',
        loses: 'money',
        what: 'the price list says 60 for pro',
        call: 'GET /api/pricing',
        asserts: /GET \/api\/pricing/,
      },
    ],
    refused: [{ id: 'price-per-second-a-text', clause: 'CR-2', grants: /./ }],
    unclear: [],
    not_run: 0,
  })
  const { never_called } = structuredContent as { never_called: string[] }
  t.ok(never_called.includes('POST /v1/jobs') && !never_called.includes('GET /api/pricing'))
  const [short, link] = content as unknown as { text: string; uri: string }[]
  t.match(
    short?.text,
    /✗ pricing-pro-60: CR-1 must \(money\): .*\n {4}→ assert that .*\n✗ price-per-second-a-text: refused/,
  )
  t.ok(
    progress.includes('without a mutant: run 1 of 3 (undefined)') && progress.some(one => /: noticed \(6\)$/.test(one)),
  )
  const whole = await client.readResource({ uri: link?.uri as string })
  t.match(JSON.parse((whole.contents[0] as { text: string }).text), { command: /pricing/, results: { length: 4 } })

  const refusals: [Record<string, unknown>, RegExp][] = [
    [{ command: [] }, /command/],
    [{ command: ['true'], min_score: 101 }, /min_score/],
    [{ command: ['true'], only: ['no-such'] }, /"no-such"; expected a clause, a mutant or a variant/],
    [{ command: ['true'], time_limit: 'soon' }, /time_limit is "soon"; expected a time/],
    [{ command: [''] }, /there is no such program/],
    [{ command: ['true'], env: { 'A B': '1' } }, /env is "A B=1"; expected NAME=VALUE/],
    [{ command: ['sleep', '9'], time_limit: '20ms' }, /^time_limit 20ms is over: .*; give it more/],
    [
      { command: ['sh', '-c', `echo '{"token": "hunter2-hunter2"}' $DEPLOY_PASSWORD; exit 3`] },
      /flaky or red.* failed with exit 3; it printed:\n\{"token": "\[redacted\]"\} \[redacted\]$/,
    ],
  ]
  for (const [args, expected] of refusals) {
    const { text, isError } = await ask('mutate', args)
    t.ok(isError, text)
    t.match(text, expected)
  }
})

t.test('each tool has schemas of input and output, at most ten there are, and an older protocol works too', async t => {
  t.ok(tools.length <= 10)
  const ajv = new Ajv({ strict: false })
  for (const { name, input, output, description } of tools) {
    t.ok(ajv.validateSchema(input) && ajv.validateSchema(output), name)
    t.ok(description.length < 400, name)
  }
  const older = await connect(t, [], {}, {})
  for (const { client } of [older, trusted]) {
    const listed = await client.listTools()
    t.same(
      listed.tools.map(({ name }) => name),
      tools.map(({ name }) => name),
    )
    t.ok(listed.tools.every(({ inputSchema, outputSchema }) => inputSchema && outputSchema))
  }
  t.same(await older.leave(), { code: 0, left: [] })
  t.match(older.stderr(), /serving on stdio\s*$/)
})

t.test('what is refused says what to do: no commands, no other machine, no mock, a wrong argument', async t => {
  const { ask } = plain
  const refusals: [string, Record<string, unknown>, RegExp][] = [
    ['rehearse', { command: ['true'] }, /runs no commands.*--allow-run/],
    ['mutate', { command: ['true'] }, /runs no commands.*--allow-run/],
    ['mock', { action: 'start', url: 'http://192.0.2.1:4010' }, /not on this machine.*--allow-remote/],
    ['check_endpoint', { url: 'https://api.example.com' }, /not on this machine.*--allow-remote/],
    ['drill', { name: 'burst', url: 'http://192.0.2.1' }, /not on this machine.*--allow-remote/],
    ['check_endpoint', { url: 'ftp://127.0.0.1' }, /ftp/],
    ['conduct', {}, /no mock is started; call mock with action: "start" first/],
    ['use_scenario', {}, /give either "scenario"/],
    ['what_happened', { limit: 0 }, /limit/],
    ['mock', {}, /action/],
    ['mock', { action: 'start', speed: 'fast' }, /speed is "fast"; expected "instant"/],
    ['mock', { action: 'start', url: 'http://127.0.0.1:1', speed: '2' }, /"speed" .*leave one of them out/],
    ['mock', { action: 'stop', port: 4010 }, /"port" .*expected only "url" with action: "stop"/],
    ['start_mock', { speed: 'instant' }, /the tool start_mock is now called mock with action: "start"/],
    ['stop_mock', {}, /the tool stop_mock is now called mock with action: "stop"/],
  ]
  for (const [name, args, expected] of refusals) {
    const { text, isError } = await ask(name, args)
    t.ok(isError, name)
    t.match(text, expected)
  }
})

t.test('a link or a redirect to another machine is not followed by a check of this one', async t => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url as string)
    response.writeHead(302, { location: 'http://192.0.2.1/health' }).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { ask } = plain
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { text, isError } = await ask('check_endpoint', { url, only: ['system.health'] })
  t.ok(isError)
  t.match(text, /redirects to http:\/\/192\.0\.2\.1/)
  t.ok(asked.length > 0)
})

t.test('a running mock is attached to, checked and drilled, and left as it was', async t => {
  const mock = await start(t)
  const { ask, client } = plain
  t.match((await ask('mock', { action: 'start', url: mock.url })).data, { url: mock.url, started: false })
  await ask('use_scenario', { definition: { rules: [{ name: 'teapot', then: { error: 'processing_failed' } }] } })
  t.equal(mock.activeScenario().rules?.[0]?.name, 'teapot')
  t.match((await ask('use_scenario', { scenario: 'no-such' })).text, /no-such/)
  t.equal(mock.activeScenario().rules?.[0]?.name, 'teapot', 'a name that there is not changes nothing')
  await ask('use_scenario', { scenario: 'none' })

  const progress: string[] = []
  const checked = await client.callTool(
    { name: 'check_endpoint', arguments: { only: ['SYS-1', 'CR-2'] } },
    { onprogress: ({ message, total }) => progress.push(`${message} of ${total}`) },
  )
  t.match(checked.structuredContent, { ok: true, target: mock.url, profile: 'full', failed: [] })
  t.ok(progress.length > 0, 'it told how far it was')

  const { data: drilled } = await ask('drill', { name: 'burst', calls: 20 })
  t.match(drilled, { sent: Number, verdict: String, thresholds: Array })

  await ask('use_scenario', { scenario: 'job-stuck' })
  t.same((await ask('mock', { action: 'stop' })).data, { stopped: [], left: [mock.url] })
  t.equal(mock.activeScenario().scenario, null, 'what was switched on is switched off')
  t.ok(await isUp(mock.url))
})

t.test('the contract, the scenarios and the docs are resources, and a prompt says how to use them', async t => {
  const { client } = plain
  const read = async (uri: string) => ((await client.readResource({ uri })).contents[0] as { text: string }).text
  t.match(await read('understudy://clauses'), /\*\*ERR-3\*\*/)
  t.match(await read('understudy://errors'), /insufficient_credits/)
  t.match(await read('understudy://scenarios'), /- job-stuck: /)
  t.match(await read('understudy://scenarios/job-stuck'), /name: job-stuck/)
  t.match(JSON.parse(await read('understudy://scenario-format')), { properties: { rules: Object } })
  t.match(JSON.parse(await read('understudy://openapi')), { openapi: '3.1.0' })
  t.match(await read('understudy://docs/conduct/rehearse.md'), /rehearse/)
  await t.rejects(read('understudy://docs/../package.json'))
  await t.rejects(read('understudy://docs/%2e%2e/package.json'))
  const { resources } = await client.listResources()
  const pages = await readdir(join(packageRoot, 'docs', 'guides'))
  t.ok(pages.every(page => resources.some(({ uri }) => uri === `understudy://docs/guides/${page}`)))
  const prompt = await client.getPrompt({ name: 'survive_the_api', arguments: { command: 'node client.js' } })
  const text = (prompt.messages[0]?.content as { text: string } | undefined)?.text ?? ''
  t.match(text, /This runs it once: node client\.js/)
  for (const [, name = ''] of text.matchAll(/\b(\w+(?:-\w+)+)\b/g))
    if (/^(internal|rate|timeout|job|connection|retry-after|poll|download|insufficient)-/.test(name))
      t.ok(existsSync(join(packageRoot, 'scenarios', `${name}.yaml`)), name)
})

t.test('what is cancelled ends its program and its mock, and so does what runs when the client goes', async t => {
  const { client, leave, stderr } = trusted
  // It tells where its mock is, so that it is known to run, and would go on for an hour.
  const { url, journal } = await start(t)
  const command = ['sh', '-c', `curl -s "${url}/health?pid=$$&mock=$UNDERSTUDY_BASE_URL"; exec sleep 3600`]
  const begin = async (name: string, args: object) => {
    const cancel = new AbortController()
    const call = client.callTool({ name, arguments: { command, ...args } }, { signal: cancel.signal })
    call.catch(() => {})
    const [entry] = await journal.waitFor({ kind: 'exchange', route: '/health' })
    journal.clear()
    const { searchParams: told } = new URL((entry as { url: string }).url, url)
    return { call, cancel, pid: Number(told.get('pid')), mock: told.get('mock') as string }
  }
  const isGone = async ({ pid, mock }: { pid: number; mock: string }) => {
    while (isRunning(pid) || (await isUp(mock))) await new Promise(setImmediate)
    return true
  }
  for (const [name, args] of [
    ['rehearse', { scenarios: ['none'] }],
    ['mutate', { only: ['SYS-1'] }],
  ] as const) {
    const running = await begin(name, args)
    running.cancel.abort()
    await t.rejects(running.call)
    t.ok(await isGone(running), `${name} is cancelled`)
  }
  const last = await begin('mutate', { only: ['SYS-1'] })
  t.same(await leave(), { code: 0, left: [] })
  t.match(stderr(), /serving on stdio; may run commands\s*$/)
  await t.rejects(last.call)
  t.ok(await isGone(last), 'its client went')
})
