/** The command `understudy`, as a user runs it: in a process of its own, by its streams and exit codes. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { flagOf, type Option, variableOf } from '../../base/options.ts'
import { packageRoot, packageVersion } from '../../base/paths.ts'
import { type OptionName, options } from '../../server/config.ts'
import { client, cliPath, clip, start } from '../support.ts'

interface Result {
  code: number | null
  stdout: string
  stderr: string
}

t.test('serve prints its URL, key and seed, and three curl lines that work as they are', async t => {
  const server = await serve(t, ['--seed', 'seven', '--speed', 'instant'])
  const greeting = server.stdout()
  t.match(greeting, /^Understudy is ready at http:\/\/127\.0\.0\.1:\d+ {3}key: test_key {3}seed: seven/)
  const lines = greeting.split('\n').flatMap(line => /^ {2}\S.*/.exec(line)?.[0].trim() ?? [])
  t.equal(lines.length, 3)

  const script = lines.join('\necho\n')
  const { code, stdout, stderr } = await run('bash', ['-euc', script])
  t.equal(code, 0, stderr)
  const [uploaded = '', polled = ''] = stdout.split('\n').filter(line => line !== '')
  t.match(JSON.parse(uploaded), { success: true, filename: 'short.mp4' })
  t.match(JSON.parse(polled), { id: /^job_/, video_url: 'https://example.com/cat.mp4', status: 'completed' })
  t.equal(server.stdout(), greeting, 'nothing else is printed to stdout')
})

t.test('a wrong call is one line on stderr that says what to do, exit code 2, and nothing on stdout', async t => {
  const taken = await listening(t, createServer())
  const env = (name: OptionName, value: string) => ({ [variableOf(name)]: value })
  const cases: { args: string[]; env?: Record<string, string>; says: RegExp }[] = [
    { args: ['serve', '--port', taken], says: /^Port \d+ on 127\.0\.0\.1 is taken; .*--port 0/ },
    { args: ['serve', '--port', 'abc'], says: /^--port is "abc"; expected a whole number from 0 to 65535/ },
    { args: ['serve', '--port'], says: /^option '--port <port>' argument missing; see .*--help/ },
    { args: ['serve', '--speed', '0'], says: /^--speed is "0"; expected "instant" or a number above 0/ },
    { args: ['serve', '--host', '192.0.2.1'], says: /^There is no address 192\.0\.2\.1 .*--host 127\.0\.0\.1/ },
    { args: ['serve', '--data-dir', '/dev/null/here'], says: /^The data folder \/dev\/null\/here can't be written/ },
    { args: ['serve', '--sed', '1'], says: /^unknown option '--sed' .*Did you mean.*--seed.*--help/ },
    { args: ['serve', 'now'], says: /^too many arguments for 'serve'.*--help/ },
    { args: ['srve'], says: /^unknown command 'srve' .*Did you mean serve.*--help/ },
    { args: ['serve'], env: env('logLevel', 'loud'), says: /^UNDERSTUDY_LOG_LEVEL is "loud"; expected one of trace,/ },
    { args: ['health'], env: env('port', '65536'), says: /^UNDERSTUDY_PORT is "65536"; expected a whole number/ },
    { args: ['health', 'localhost'], says: /^"localhost" is no URL; expected one such as http:/ },
  ]
  const results = await Promise.all(cases.map(each => understudy(each.args, each.env)))
  results.forEach((result, i) => {
    const { args, says } = cases[i] as (typeof cases)[number]
    t.match(result, { code: 2, stdout: '' }, args.join(' '))
    const [line = '', ...more] = result.stderr.split('\n')
    t.same(more, [''], 'one line')
    t.match(line.replace('understudy: ', ''), says)
  })
})

t.test('a flag wins over its variable, a variable over the default', async t => {
  const env = { UNDERSTUDY_SEED: 'variable', UNDERSTUDY_CREDITS: '0' }
  const [variable, flag] = await Promise.all([serve(t, [], env), serve(t, ['--seed', 'flag', '--credits', '9'], env)])
  t.match(variable.stdout(), 'seed: variable')
  t.match(flag.stdout(), 'seed: flag')
  const create = (server: Serving) => client(server).post('/v1/jobs', { video_url: 'https://example.com/a.mp4#t=1' })
  t.equal((await create(variable)).status, 402)
  t.equal((await create(flag)).status, 200)
})

t.test('--help tells of every option, its default and its variable; --version prints the version', async t => {
  const calls = [['serve', '--help'], ['--help'], ['--version'], []]
  const [help, general, version, bare] = await Promise.all(calls.map(args => understudy(args)))
  t.match(help, { code: 0, stderr: '' })
  const words = String(help?.stdout).replace(/\s+/g, ' ')
  for (const name of Object.keys(options) as OptionName[]) {
    const { argument, description, defaultText, default: byDefault }: Option<unknown> = options[name]
    const told = `${flagOf(name)} ${argument} ${description} (default: ${defaultText ?? byDefault()}; ${variableOf(name)})`
    t.ok(words.includes(told), told)
  }
  t.match(general, { code: 0, stderr: '', stdout: /serve.*health/s })
  t.same(version, { code: 0, stderr: '', stdout: `${packageVersion}\n` })
  t.match(bare, { code: 2, stdout: '', stderr: general?.stdout }, 'without a command')
})

t.test('SIGINT and SIGTERM end the mock with exit code 0 within 2 s, whatever clients are doing', async t => {
  const ended = await Promise.all([endedBy('SIGINT'), endedBy('SIGTERM')])
  for (const { signal, code, ms } of ended) {
    t.equal(code, 0, signal)
    t.ok(ms < 2000, `${signal} took ${ms} ms`)
  }

  async function endedBy(signal: NodeJS.Signals) {
    const server = await serve(t)
    const stream = await fetch(`${server.url}/__mock/journal/stream`)
    await stream.body?.getReader().read()
    const half = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {})
    t.teardown(() => half.destroy())
    half.write('GET /health HTTP/1.1\r\nHost: mock\r\n\r\n')
    await once(half, 'data')
    half.write('POST /v1/jobs HTTP/1.1\r\nHost: mock\r\nX-Api-Key: test_key\r\nContent-Length: 99\r\n\r\n{"video_')
    await fetch(`${server.url}/health`)

    const since = performance.now()
    server.child.kill(signal)
    const code = await server.exited
    return { signal, code, ms: Math.round(performance.now() - since) }
  }
})

t.test(
  'GO-4 ERR-6 each answer is a JSON line on stderr with request_id and job_id, and no secret is in any',
  async t => {
    const secrets = {
      key: 'test_hush_key',
      wrong: 'wrong_hush_key',
      admin: 'hush_admin_token',
      webhook: 'hush_webhook',
    }
    const receiver = createHttpServer((_request, response) => response.end())
    const webhookUrl = `http://127.0.0.1:${await listening(t, receiver)}/?token=hush_query`
    const server = await serve(t, ['--admin-token', secrets.admin, '--webhook-secret', secrets.webhook])
    const api = client(server, secrets.key)
    const video = (await api.upload(await clip('short.mp4'))).body.video_url
    const created = await api.post('/v1/jobs', { video_url: video, webhook_url: webhookUrl })
    const id = created.body.id
    const answers = [
      created,
      await api.get(`/v1/jobs/${id}?api_key=${secrets.key}`),
      await api.get('/v1/jobs/job_unknown'),
      await client(server, secrets.wrong).get(`/v1/jobs/${id}`),
      await api.get('/v1/admin/keys', { 'x-admin-token': secrets.admin }),
      await api.post('/v1/admin/keys', { client_id: 'a' }, { 'x-admin-token': 'hush_wrong_token' }),
      await api.post('/v1/jobs', '{"broken'),
    ]
    const { key: made } = (await api.post('/v1/admin/keys', { client_id: 'a' }, { 'x-admin-token': secrets.admin }))
      .body
    t.equal((await client(server, made).get('/v1/jobs')).status, 200)
    server.child.kill('SIGTERM')
    t.equal(await server.exited, 0)

    const stderr = server.stderr()
    const lines = stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    for (const { headers, status } of answers) {
      const requestId = headers.get('x-request-id')
      const found = lines.filter(line => line.request_id === requestId)
      t.match(found, [{ status, method: String, url: String }], `${requestId} is logged once`)
    }
    t.ok(lines.filter(line => line.job_id === id).length >= 2, 'the creation and the poll carry the job_id')
    t.notMatch(stderr + server.stdout(), /hush/)
    t.notOk(stderr.includes(made), 'nor a key that was made')
  },
)

t.test('health exits 0 for a server that is up, 1 for one that is ill, 3 where nobody answers', async t => {
  const up = await start(t)
  const ill = await listening(
    t,
    createHttpServer((_request, response) => response.writeHead(500).end()),
  )
  const closed = createServer()
  const nobody = await listening(t, closed)
  closed.close()
  const results = await Promise.all([
    understudy(['health', up.url]),
    understudy(['health'], { UNDERSTUDY_PORT: String(up.port) }),
    understudy(['health', `http://127.0.0.1:${ill}/`]),
    understudy(['health', `http://127.0.0.1:${nobody}`]),
  ])
  t.match(results, [
    { code: 0, stdout: `${up.url}/health is up\n`, stderr: '' },
    { code: 0, stdout: `${up.url}/health is up\n`, stderr: '' },
    { code: 1, stdout: '', stderr: /^understudy: \S+\/health answered 500; expected 200\n$/ },
    {
      code: 3,
      stdout: '',
      stderr: /^understudy: \S+\/health does not answer \(ECONNREFUSED\); is the server running\?\n$/,
    },
  ])
})

interface Serving {
  url: string
  child: ChildProcess
  /** The exit code. */
  exited: Promise<number | null>
  stdout(): string
  stderr(): string
}

/** `understudy serve` on a free port, once it has printed where. */
async function serve(t: Test, args: string[] = [], env: Record<string, string> = {}): Promise<Serving> {
  const child = spawn(process.execPath, [await cliPath(), 'serve', '--port', '0', ...args], {
    cwd: packageRoot,
    env: { ...cleanEnvironment(), ...env },
  })
  const heard = { stdout: '', stderr: '' }
  child.stderr.setEncoding('utf8').on('data', data => {
    heard.stderr += data
  })
  child.stdout.setEncoding('utf8').on('data', data => {
    heard.stdout += data
  })
  const exited = once(child, 'close').then(([code]) => code)
  t.teardown(() => child.kill('SIGKILL') && exited)
  await Promise.race([once(child.stdout, 'data'), exited])
  const url = /http:\/\/[\w.:]+/.exec(heard.stdout)?.[0]
  if (url === undefined) throw new Error(`the mock did not start: ${heard.stderr}`)
  return { url, child, exited, stdout: () => heard.stdout, stderr: () => heard.stderr }
}

const understudy = async (args: string[], env: Record<string, string> = {}): Promise<Result> =>
  run(process.execPath, [await cliPath(), ...args], env)

async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<Result> {
  const child = spawn(command, args, { cwd: packageRoot, env: { ...cleanEnvironment(), ...env } })
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: (await closed)[0], stdout, stderr }
}

/** Without options that whoever runs the tests has set. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('UNDERSTUDY_')))
}

/** A server's free port, as text. */
async function listening(t: Test, server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return String((server.address() as AddressInfo).port)
}
