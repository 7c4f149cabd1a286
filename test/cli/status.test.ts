/** Mocks that run on this machine: serve --detach, status, stop and logs, in a state folder of the test's own. */
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { begin, client, serve, spawnCommand, understudy } from '../support.ts'

const state = (t: Test) => {
  const folder = t.testdir() as string
  const env = { UNDERSTUDY_STATE_DIR: folder }
  t.teardown(() => understudy(['stop', '--all'], { env }))
  return { folder, env }
}

async function detach(args: readonly string[], env: Record<string, string>) {
  const child = spawnCommand(['serve', '--detach', ...args], { env })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: child.exitCode, stdout, stderr }
}

const isUp = (url: string) =>
  fetch(`${url}/health`).then(
    ({ status }) => status,
    () => 0,
  )

t.test('serve --detach returns once the mock is ready; status, logs and stop find it by its name', async t => {
  const { folder, env } = state(t)
  const run = (...args: string[]) => understudy(args, { env })
  const started = await detach(['--port', '0', '--name', 'ci', '--seed', 's', '--json'], env)
  t.equal(started.code, 0, started.stderr)
  const mock = JSON.parse(started.stdout)
  t.match(mock, {
    name: 'ci',
    url: /^http:\/\/127\.0\.0\.1:\d+$/,
    pid: Number,
    since: /^\d{4}-.*Z$/,
    seed: 's',
    key: 'test_key',
  })
  t.equal(await isUp(mock.url), 200, 'it is up when the command returns, and goes on without it')

  t.match(JSON.parse((await run('status', '--json')).stdout), { mocks: [{ name: 'ci', url: mock.url, pid: mock.pid }] })
  t.match((await run('status')).stdout, `ci  ${mock.url}  pid ${mock.pid}  since ${mock.since}  detached\n`)
  const { headers } = await client(mock).get('/v1/jobs')
  const following = begin(['logs', 'ci', '-f'], { env })
  await following.printed(new RegExp(`${headers.get('x-request-id')}`))
  t.match((await run('logs')).stdout, /^\{.*"request_id".*\}$/m)
  t.match(await run('serve', '--name', 'ci', '--port', '0'), { code: 2, stderr: /A mock called ci runs already: http/ })
  t.match(await run('stop', 'other'), { code: 3, stderr: /no mock is called other; expected one of ci/ })

  const stopped = await run('stop', '--json')
  t.same(JSON.parse(stopped.stdout), { name: 'ci', url: mock.url, pid: mock.pid, stopped: true })
  t.equal(await isUp(mock.url), 0)
  t.equal((await following.ended).code, 0, 'logs -f ends with the mock')
  t.match(await run('stop', 'ci'), { code: 3, stderr: /no mock is running; understudy serve --detach starts one/ })
  t.match(await run('stop', '--all'), { code: 0, stdout: 'no mock is running\n' })
  t.match(await run('status'), { code: 0, stdout: 'no mock is running\n' })
  t.same(readdirSync(folder), [], 'nothing is left behind')
})

t.test('a mock that cannot start detached says why, with its own exit code, and leaves nothing', async t => {
  const { folder, env } = state(t)
  const other = await serve(t)
  const port = new URL(other.url).port
  const failed = await detach(['--port', port], env)
  t.match(failed, { code: 2, stdout: '', stderr: `understudy: Port ${port} on 127.0.0.1 is taken` })
  t.same(readdirSync(folder), [])
  t.match(await understudy(['serve', '--detach', '--port', '0']), {
    code: 2,
    stderr: /--detach needs a process of its own/,
  })
})

t.test('one in a terminal is listed too; what was killed, or has its pid from another, is passed over', async t => {
  const { folder, env } = state(t)
  const server = await serve(t, ['--name', 'here'], { env })
  const record = { port: 1, since: '2020-01-01T00:00:00.000Z', seed: 's', key: 'k', log: null, cwd: '/', version: '0' }
  const file = (pid: number, more: object) =>
    writeFileSync(join(folder, `${pid}-1.json`), JSON.stringify({ ...record, pid, url: 'http://127.0.0.1:1', ...more }))
  file(2 ** 22 + 1, { name: 'killed', process_start: null })
  if (process.platform === 'linux') file(process.ppid, { name: 'reused', process_start: '1 other-boot' })
  writeFileSync(join(folder, '7-7.json'), '{"half')
  const run = (...args: string[]) => understudy(args, { env })
  const { mocks } = JSON.parse((await run('status', '--json')).stdout)
  t.match(mocks, [{ name: 'here', url: server.url, pid: process.pid, log: null }])
  t.equal(mocks.length, 1)
  t.match(await run('stop', 'reused'), { code: 3 }, 'the process that has its pid now is left alone')
  t.match(await run('logs', 'here'), { code: 2, stderr: /runs in a terminal of its own/ })
  await server.interrupt()
  t.match((await run('status')).stdout, 'no mock is running\n')
  await (await serve(t, [], { env })).interrupt()
  t.same(readdirSync(folder), ['7-7.json'], 'the next one sweeps up, and leaves alone what is not ours')
  t.match(await understudy(['status']), { code: 0, stdout: 'no mock is running\n' }, 'without a home')
})

t.test('each verb has --json: one object, or JSON lines', async t => {
  const { env } = state(t)
  const server = await serve(t, ['--json', '--name', 'x'], { env })
  t.match(JSON.parse(server.stdout()), { name: 'x', url: server.url, desk: `${server.url}/__mock/`, pid: process.pid })
  const { headers } = await client(server).get('/v1/jobs')
  const id = headers.get('x-request-id') as string
  const out = join(t.testdir(), 'report.zip')
  const cases: [string[], object][] = [
    [['health', server.url], { up: true, status: 200 }],
    [['explain', id, server.url], { request_id: id, rules: [] }],
    [['report', server.url, '--out', out], { file: out, files: /versions\.json/ }],
    [['conduct', '--url', server.url], { rules: Array }],
    [['check', server.url, '--only', 'SYS-1'], { ok: true, clauses: Array }],
    [['check', '--list'], { checks: [{ id: String }] }],
    [['drill', 'list'], { drills: [{ name: 'burst' }] }],
    [['scenarios', 'list'], { scenarios: Array }],
    [['scenarios', 'show', 'go-live'], { name: 'go-live', rules: Array }],
    [['scenarios', 'validate', 'go-live'], { valid: true, name: 'go-live' }],
  ]
  for (const [args, expected] of cases) {
    const ran = await understudy([...args, '--json'], { env })
    t.equal(ran.code, 0, ran.stderr)
    t.match(JSON.parse(ran.stdout), expected, args.join(' '))
  }
  const demo = await understudy(['demo', (await serve(t, ['--speed', 'instant'])).url, '--out', out, '--json'])
  const lines = demo.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(lines.at(-1), { output: out })
  t.ok(lines.length > 8)
})
