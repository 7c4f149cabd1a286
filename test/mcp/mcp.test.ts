/** `understudy mcp` as an agent meets it: the official client, a process of its own, real stdio. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Client, type ClientOptions } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { tools } from '../../mcp/tools/index.ts'
import { cliPath, client as httpClient, spawnCommand, start, understudy } from '../support.ts'

interface Agent {
  client: Client
  /** What a tool answered: its text, and the same as data. */
  ask(
    name: string,
    args?: Record<string, unknown>,
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  ): Promise<{ text: string; data: any; isError: boolean; uri?: string }>
  stderr(): string
  /** Closes stdin, as a client that goes does; resolves when the server's process has ended. */
  leave(): Promise<void>
}

const cwd = t.testdir({}) as string

async function connect(
  t: Test,
  flags: readonly string[] = [],
  { env = {}, options = {} }: { env?: Record<string, string>; options?: ClientOptions } = {},
): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cliPath, 'mcp', ...flags],
    cwd,
    env: { PATH: process.env.PATH as string, ...env },
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
    stderr: () => stderr,
    leave: () => client.close(),
    async ask(name, args = {}) {
      const result = await client.callTool({ name, arguments: args })
      const blocks = result.content as { type: string; text?: string; uri?: string }[]
      const text = blocks.map(block => block.text ?? '').join('')
      const uri = blocks.find(block => block.type === 'resource_link')?.uri
      return {
        text,
        data: result.structuredContent,
        isError: result.isError === true,
        ...(uri !== undefined && { uri }),
      }
    },
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

/** One that may do nothing, of before the revision of 2026-07-28; and one of that revision that may run commands. */
const [plain, trusted] = await Promise.all([
  connect(t),
  connect(t, ['--allow-run'], {
    env: { DEPLOY_PASSWORD: 'correct-horse-battery' },
    options: { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  }),
])

t.test(
  'an agent starts a mock, switches a scenario on, rehearses a client, reads why it failed, and stops',
  async t => {
    const { client, ask } = trusted
    const { data: mock } = await ask('start_mock', { speed: 'instant', seed: 'agent' })
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
    const whole = await client.readResource({ uri: rehearsed.uri as string })
    t.match(JSON.parse((whole.contents[0] as { text: string }).text), {
      conduct: { 'internal-error-once': { rules: Array } },
    })

    const { data: off } = await ask('use_scenario', { scenario: 'none' })
    t.match(off, { scenario: null })
    const { data: stopped } = await ask('stop_mock')
    t.same(stopped, { stopped: [mock.url], left: [] })
    t.notOk(await isUp(mock.url))
  },
)

t.test('each tool has schemas of input and output, at most ten there are, and an older protocol works too', async t => {
  t.ok(tools.length <= 10)
  const ajv = new Ajv({ strict: false })
  for (const { name, input, output, description } of tools) {
    t.ok(ajv.validateSchema(input) && ajv.validateSchema(output), name)
    t.ok(description.length < 400, name)
  }
  for (const { client } of [plain, trusted]) {
    const listed = await client.listTools()
    t.same(
      listed.tools.map(({ name }) => name),
      tools.map(({ name }) => name),
    )
    t.ok(listed.tools.every(({ inputSchema, outputSchema }) => inputSchema && outputSchema))
  }
})

t.test('what is refused says what to do: no commands, no other machine, no mock, a wrong argument', async t => {
  const { ask } = plain
  const refusals: [string, Record<string, unknown>, RegExp][] = [
    ['rehearse', { command: ['true'] }, /runs no commands.*--allow-run/],
    ['start_mock', { url: 'http://192.0.2.1:4010' }, /not on this machine.*--allow-remote/],
    ['check_endpoint', { url: 'https://api.example.com' }, /not on this machine.*--allow-remote/],
    ['drill', { name: 'burst', url: 'http://192.0.2.1' }, /not on this machine.*--allow-remote/],
    ['check_endpoint', { url: 'ftp://127.0.0.1' }, /ftp/],
    ['conduct', {}, /no mock is started; call start_mock first/],
    ['use_scenario', {}, /give either "scenario"/],
    ['what_happened', { limit: 0 }, /limit/],
    ['start_mock', { speed: 'fast' }, /speed is "fast"; expected "instant"/],
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
  t.match((await ask('start_mock', { url: mock.url })).data, { url: mock.url, started: false })
  await ask('use_scenario', { definition: { rules: [{ name: 'teapot', then: { error: 'processing_failed' } }] } })
  t.equal(mock.activeScenario().rules?.[0]?.name, 'teapot')
  t.match((await ask('use_scenario', { scenario: 'no-such' })).text, /no-such/)
  t.equal(mock.activeScenario().rules?.[0]?.name, 'teapot', 'a name that there is not changes nothing')
  await ask('use_scenario', { scenario: 'none' })

  const progress: string[] = []
  const checked = await client.callTool(
    { name: 'check_endpoint', arguments: { only: ['system.health', 'jobs.list'] } },
    { onprogress: ({ message, total }) => progress.push(`${message} of ${total}`) },
  )
  t.match(checked.structuredContent, { ok: true, target: mock.url, profile: 'full', failed: [] })
  t.ok(progress.length > 0, 'it told how far it was')

  const { data: drilled } = await ask('drill', { name: 'burst', calls: 20 })
  t.match(drilled, { sent: Number, verdict: String, thresholds: Array })

  await ask('use_scenario', { scenario: 'job-stuck' })
  t.same((await ask('stop_mock')).data, { stopped: [], left: [mock.url] })
  t.equal(mock.activeScenario().scenario, null, 'what was switched on is switched off')
  t.ok(await isUp(mock.url))
})

t.test('a rehearsal that is cancelled ends its program, and so does one whose client goes', async t => {
  const { client, ask, leave } = trusted
  // It calls its own mock, so that it is known to run, and would go on for an hour.
  const mock = await start(t)
  const waiting = (name: string) => [
    process.execPath,
    '-e',
    `fetch('${mock.url}/health?' + process.pid + '${name}'); setTimeout(() => {}, 3_600_000)`,
  ]
  const pidOf = async (name: string) => {
    const [entry] = await mock.journal.waitFor({ kind: 'exchange', route: '/health' })
    mock.journal.clear()
    return Number(/\?(\d+)/.exec((entry as { url: string }).url)?.[1] ?? name)
  }
  const isGone = async (pid: number) => {
    for (;;) {
      try {
        process.kill(pid, 0)
      } catch {
        return true
      }
      await new Promise(setImmediate)
    }
  }
  const cancel = new AbortController()
  const first = client.callTool(
    { name: 'rehearse', arguments: { command: waiting('a'), scenarios: ['none'] } },
    { signal: cancel.signal },
  )
  const pid = await pidOf('a')
  cancel.abort()
  await t.rejects(first)
  t.ok(await isGone(pid), 'cancelled')
  const second = ask('rehearse', { command: waiting('b'), scenarios: ['none'] })
  second.catch(() => {})
  const other = await pidOf('b')
  await leave()
  await t.rejects(second)
  t.ok(await isGone(other), 'its client went')
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

t.test('it ends with its client, with exit 0, and says on stderr what it may do', async t => {
  const child = spawnCommand(['mcp', '--allow-remote'])
  t.teardown(() => child.kill())
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const ended = new Promise(resolve => child.on('close', resolve))
  child.stdin.end()
  t.equal(await ended, 0)
  t.equal(stdout, '')
  t.match(stderr, /serving on stdio; may reach other machines/)
  t.match((await understudy(['mcp', '--help'])).stdout, /--allow-run/)
})
