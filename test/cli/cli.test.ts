/** The command `understudy`, as a user runs it: its streams, its exit codes, and its process. */

import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { flagOf, type Option, variableOf } from '../../base/options.ts'
import { packageVersion } from '../../base/paths.ts'
import { serveToo } from '../../base/renamed.ts'
import { bugReportOptions } from '../../client/reportOptions.ts'
import { conduct } from '../../conduct/fromRecording.ts'
import { conductOptions } from '../../conduct/options.ts'
import { drillOptions } from '../../drills/options.ts'
import { drill } from '../../drills/run.ts'
import { mutateOptions } from '../../mutate/options.ts'
import { recordOptions } from '../../record/options.ts'
import { rehearseOptions } from '../../rehearse/options.ts'
import { rehearse } from '../../rehearse/run.ts'
import { replayOptions } from '../../replay/options.ts'
import { type OptionName, options } from '../../server/config.ts'
import { checkOptions } from '../../suite/options.ts'
import { check } from '../../suite/runCheck.ts'
import { ended, spawned } from '../suite/checking.ts'
import { begin, client, clip, isProving, serve, spawnCommand, start, understudy } from '../support.ts'

t.test('serve prints its URL, key and seed, and three curl lines that work as they are', async t => {
  const server = await serve(t, ['--seed', 'seven', '--speed', 'instant'])
  const greeting = server.stdout()
  t.match(greeting, /^Understudy is ready at http:\/\/127\.0\.0\.1:\d+ {3}key: test_key {3}seed: seven/)
  const lines = greeting.split('\n').flatMap(line => /^ {2}\S.*/.exec(line)?.[0].trim() ?? [])
  t.equal(lines.length, 3)

  const script = lines.join('\necho\n')
  const { code, stdout, stderr } = await ended(spawned('bash', ['-euc', script]))
  t.equal(code, 0, stderr)
  const [uploaded = '', polled = ''] = stdout.split('\n').filter(line => line !== '')
  t.match(JSON.parse(uploaded), { success: true, filename: 'short.mp4' })
  t.match(JSON.parse(polled), { id: /^job_/, video_url: 'https://example.com/cat.mp4', status: 'completed' })
  t.equal(server.stdout(), greeting, 'nothing else is printed to stdout')
})

t.test('serve says what is closed and how to open it, also off loopback', async t => {
  const [here, there, open] = await Promise.all([
    serve(t),
    serve(t, ['--host', '0.0.0.0']),
    serve(t, ['--host', '0.0.0.0', '--admin-token', 'hush', '--cors', 'any', '--webhook-allow', 'app.test']),
  ])
  const closed = (stdout: string) => /^Closed: (.*)$/m.exec(stdout)?.[1]?.split('; ')
  const admin = '/v1/admin (--admin-token <token>)'
  const webhooks = 'webhooks to other hosts than this one (--webhook-allow <host>)'
  const pages = 'answers to pages of other sites (--cors <origin>)'
  const control = '/__mock (off loopback: --admin-token <token> opens it)'
  t.same(closed(here.stdout()), [admin, webhooks, pages])
  t.same(closed(there.stdout()), [control, admin, webhooks, pages])
  t.same(closed(open.stdout()), ['webhooks to other hosts than this one and app.test (--webhook-allow <host>)'])
})

t.test('--ready-file is JSON of where the mock listens while it listens, and gone at its end', async t => {
  const folder = t.testdir()
  const file = join(folder, 'ready.json')
  const server = await serve(t, ['--seed', 'seven', '--ready-file', file])
  const ready = JSON.parse(readFileSync(file, 'utf8'))
  const { port } = new URL(server.url)
  t.same(ready, {
    url: server.url,
    port: Number(port),
    pid: process.pid,
    seed: 'seven',
    key: 'test_key',
    version: packageVersion,
  })
  t.same(readdirSync(folder), ['ready.json'], 'nothing half written is left')
  await server.interrupt()
  t.same(readdirSync(folder), [])

  const other = await serve(t, ['--ready-file', file])
  const own = readFileSync(file, 'utf8')
  const second = await understudy(['serve', '--port', '0', '--ready-file', file])
  t.match(second, {
    code: 2,
    stderr: `--ready-file ${file} is that of a mock that runs (${other.url}, pid ${process.pid}); end that one, or name another file\n`,
  })
  t.equal(readFileSync(file, 'utf8'), own, 'it leads to the first one still')
  writeFileSync(file, JSON.stringify({ ...ready, pid: 1 }))
  await other.interrupt()
  t.same(readdirSync(folder), ['ready.json'], "another mock's file stays")

  // What was killed has left its file: its process is gone, or its port is free.
  for (const left of [{ ...ready, pid: 2 ** 22 + 1, url: other.url }, ready, 'no JSON']) {
    writeFileSync(file, typeof left === 'string' ? left : JSON.stringify(left))
    const next = await serve(t, ['--ready-file', file])
    t.match(JSON.parse(readFileSync(file, 'utf8')), { url: next.url, pid: process.pid })
    await next.interrupt()
    t.same(readdirSync(folder), [])
  }

  const nowhere = join(folder, 'none', 'ready.json')
  const failed = await understudy(['serve', '--port', '0', '--ready-file', nowhere])
  t.match(failed, { code: 2, stderr: `understudy: --ready-file ${nowhere} can't be written (ENOENT)\n` })
})

t.test(
  'WH-3 each webhook attempt is a line of the log: what, where to, how it went, and when it is tried again',
  async t => {
    let answers = 500
    const receiver = createHttpServer((request, response) => {
      request.resume()
      response.writeHead(answers).end()
      answers = 204
    })
    const port = await listening(t, receiver)
    const server = await serve(t, ['--speed', 'instant'])
    const api = client(server)
    const create = (webhook_url: string) =>
      api.post('/v1/jobs', { video_url: 'https://example.com/a.mp4', webhook_url })
    const { id } = (await create(`http://name:hush@127.0.0.1:${port}/hook?token=hush#hush`)).body
    await fetch(`${server.url}/__mock/journal?kind=webhook&wait=20s&atLeast=3&job_id=${id}`)
    await create('http://app.test/hook')
    await fetch(`${server.url}/__mock/journal?kind=webhook&wait=20s&atLeast=5`)
    await server.interrupt()

    const lines = server
      .stderr()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(line => line.delivery_id !== undefined)
    const url = `http://127.0.0.1:${port}/hook?…`
    const [first] = lines
    const second = lines.find(line => line.attempt === 2)
    const elsewhere = lines.find(line => line.url === 'http://app.test/hook')
    t.match(first, { level: 40, webhook: 'job.started', url, status: 500, attempt: 1, next_try_in_ms: 0, job_id: id })
    t.equal(
      first.msg,
      `webhook job.started to ${url}: answered 500; expected 2xx  ${first.delivery_id}, attempt 1, next try in 0 s`,
    )
    t.match(second, { level: 30, delivery_id: first.delivery_id, status: 204, attempt: 2, next_try_in_ms: null })
    t.match(elsewhere, { level: 40, status: 0, error: /--webhook-allow app\.test/ })
    t.notMatch(server.stderr(), /hush/)
  },
)

t.test('demo uploads, creates, polls and downloads against a running mock: exit 0, 1 and 3', async t => {
  const mock = await start(t, { speed: 'instant' })
  const out = join(t.testdir(), 'out.webm')
  const done = await understudy(['demo', mock.url, '--out', out])
  t.match(done, { code: 0, stderr: '', stdout: /POST \/v1\/uploads\n< 200 .*POST \/v1\/jobs\n< 200 .*The output is /s })
  t.equal(readFileSync(out).toString('latin1', 0, 4), '\x1aE\xdf\xa3', 'it is a WebM')
  const refused = await understudy(['demo', mock.url, '--key', 'test_no_credits_1'])
  t.match(refused, { code: 1, stderr: 'understudy: answered 402; expected 2xx\n' })
  const before = mock.journal.count()
  for (const nowhere of [join(out, 'none.webm'), join(t.testdirName, 'none', 'x'), t.testdirName])
    t.match(await understudy(['demo', mock.url, '--out', nowhere]), {
      code: 2,
      stdout: '',
      stderr: new RegExp(`^understudy: --out ${nowhere} can't be written: (ENOTDIR|ENOENT|it is a folder)`),
    })
  t.equal(mock.journal.count(), before, 'at once: nothing was asked for')
  t.match(await understudy(['demo', 'http://127.0.0.1:9']), {
    code: 3,
    stderr: /127\.0\.0\.1:9 does not answer/,
  })
})

t.test(
  'demo that is stopped says so, and ends with exit code 1: midway in an answer, and between two polls',
  async t => {
    const silent = createHttpServer((request, response) => request.resume().on('end', () => response.write('{')))
    t.teardown(() => silent.closeAllConnections())
    const slow = await start(t)
    const says = { code: 1, stderr: 'understudy: the demo was stopped before its end\n' }
    const midway = begin(['demo', `http://127.0.0.1:${await listening(t, silent)}`])
    await once(silent, 'request')
    t.match(await midway.interrupt(), says)
    const polling = begin(['demo', slow.url])
    await polling.printed(/Poll it every 2 s\n.*\n< 200/)
    t.match(await polling.interrupt(), says)
  },
)

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
    { args: ['health', 'localhost'], says: /^"localhost" is not a URL; expected one such as http:/ },
  ]
  const results = await Promise.all(cases.map(({ args, env = {} }) => understudy(args, { env })))
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
  const [variable, flag] = await Promise.all([
    serve(t, [], { env }),
    serve(t, ['--seed', 'flag', '--credits', '9'], { env }),
  ])
  t.match(variable.stdout(), 'seed: variable')
  t.match(flag.stdout(), 'seed: flag')
  const create = (server: { url: string }) =>
    client(server).post('/v1/jobs', { video_url: 'https://example.com/a.mp4#t=1' })
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
    const flag = `${flagOf(name)} ${argument}`.trim()
    const told = `${flag} ${description} (default: ${defaultText ?? byDefault()}; ${variableOf(name)})`
    t.ok(words.includes(told), told)
  }
  t.match(general, { code: 0, stderr: '', stdout: /serve.*health/s })
  t.same(version, { code: 0, stderr: '', stdout: `${packageVersion}\n` })
  t.match(bare, { code: 2, stdout: '', stderr: general?.stdout }, 'without a command')
})

t.test('SIGINT and SIGTERM end the mock with exit code 0, though clients hold on to it', async t => {
  // The tests end mocks by SIGTERM elsewhere: of the package, of npm start, of an unkind machine.
  const ended = await Promise.all([endedBy('SIGINT'), ...(isProving ? [endedBy('SIGTERM')] : [])])
  for (const { signal, code, ms } of ended) {
    t.equal(code, 0, signal)
    // Two at the most on a quiet machine; of those connections none would ever end by itself.
    t.ok(ms < 30_000, `${signal} took ${ms} ms`)
  }

  async function endedBy(signal: NodeJS.Signals) {
    const server = await spawnServe(t)
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
    t.equal((await server.interrupt()).code, 0)

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

t.test('health --wait goes on looking until the server is up', async t => {
  const later = createHttpServer((_request, response) => response.end('{}'))
  const port = await listening(t, later)
  later.close()
  await once(later, 'close')
  const looking = understudy(['health', `http://127.0.0.1:${port}`, '--wait', '20s'])
  later.listen({ port: Number(port), host: '127.0.0.1' })
  t.match(await looking, { code: 0, stdout: /is up/ })
  const wrong = await understudy(['health', '--wait', 'long'])
  t.match(wrong, { code: 2, stderr: /--wait is "long"; expected a time from 1ms to 7d/ })
})

t.test("a wait keeps its process alive: health --wait ends with exit code 3, not with Node's 13", async t => {
  const closed = createServer()
  const nobody = await listening(t, closed)
  closed.close()
  const child = spawnCommand(['health', `http://127.0.0.1:${nobody}`, '--wait', '300ms'])
  t.teardown(() => child.kill('SIGKILL'))
  t.match(await ended(child), { code: 3, stdout: '', stderr: /does not answer \(ECONNREFUSED\)/ })
})

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
    understudy(['health'], { env: { UNDERSTUDY_PORT: String(up.port) } }),
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

/** `understudy serve` in a process of its own on a free port, once it has printed where. */
async function spawnServe(t: Test) {
  const child = spawnCommand(['serve', '--port', '0'])
  const exited = once(child, 'close').then(([code]) => code as number | null)
  t.teardown(() => child.kill('SIGKILL') && exited)
  const [greeting] = await Promise.race([once(child.stdout, 'data'), exited.then(code => [`exit code ${code}`])])
  const url = /http:\/\/[\w.:]+/.exec(String(greeting))?.[0] ?? t.bailout(`the mock did not start: ${greeting}`)
  return { url: String(url), child, exited }
}

/** A server's free port, as text. */
async function listening(t: Test, server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return String((server.address() as AddressInfo).port)
}

/**
 * One that goes through with what it was asked, and one with a subcommand: all verbs come to a process through one bin.ts, and the
 * processes of the tests beside this one end with 1, 2 and 3.
 */
const inProcesses = ['check', 'scenarios']

t.test('each verb runs by itself, some in a process of their own: exit code, stdout and stderr', async t => {
  const { url } = await start(t)
  const folder = t.testdir({ 'session.har': JSON.stringify({ log: { entries: [] } }) })
  const har = join(folder, 'session.har')
  const cases: { args: string[]; code: number; stdout?: RegExp; stderr?: RegExp }[] = [
    { args: ['serve', '--port', 'abc'], code: 2, stderr: /^understudy: --port is "abc"; expected a whole number/ },
    { args: ['status', 'now'], code: 2, stderr: /too many arguments for 'status'/ },
    { args: ['stop', 'no-such-mock'], code: 3, stderr: /^understudy: no mock is / },
    { args: ['logs', 'no-such-mock'], code: 3, stderr: /^understudy: no mock is / },
    { args: ['demo', url, '--key', 'test_no_credits_1'], code: 1, stdout: /< 402/, stderr: /expected 2xx/ },
    {
      args: ['check', url, '--only', 'SYS-1'],
      code: 0,
      stdout: /1 passed, 0 failed/,
      stderr: /^understudy check http/,
    },
    { args: ['drill', 'burst', 'http://127.0.0.1:9', '--key', 'k'], code: 3, stderr: /nothing listens at 127/ },
    { args: ['conduct', '--url', 'http://127.0.0.1:9'], code: 3, stderr: /:9\/\S+ does not answer/ },
    { args: ['record'], code: 2, stderr: /^understudy: no target was given/ },
    { args: ['rehearse'], code: 2, stderr: /^understudy: no command was given/ },
    { args: ['mutate'], code: 2, stderr: /^understudy: no command was given/ },
    { args: ['replay', har, url], code: 2, stderr: /^understudy: \S+session\.har/ },
    { args: ['mcp', 'now'], code: 2, stderr: /too many arguments for 'mcp'/ },
    { args: ['scenarios', 'show', 'go-live'], code: 0, stdout: /^go-live: / },
    {
      args: ['explain', 'req_none', url],
      code: 2,
      stderr:
        /^understudy: http:\S+: Not found: the journal has no request "req_none"; expected the request_id of an answer/,
    },
    { args: ['open', join(folder, 'none.zip')], code: 2, stderr: /^understudy: \S+none\.zip can't be read/ },
    { args: ['report', url, '--out', har], code: 2, stderr: /session\.har already exists/ },
    { args: ['health', url], code: 0, stdout: /\/health is up\n$/ },
    { args: ['config', 'sirve'], code: 2, stderr: /^understudy: There is no verb "sirve"/ },
    { args: ['completion', 'csh'], code: 2, stderr: /'csh' is invalid.*bash, zsh, fish/ },
  ]
  for (const { args, code, stdout = /^$/, stderr = /^$/ } of cases) {
    const isSpawned = isProving || inProcesses.includes(args[0] as string)
    const ran = await (isSpawned
      ? ended(spawnCommand(args))
      : understudy(args, { env: { UNDERSTUDY_STATE_DIR: folder } }))
    t.match(ran, { code, stdout, stderr }, args.join(' '))
  }
  const verbs = (await understudy(['--help'])).stdout.match(/(?<=^ {2})[a-z]+(?= {2,}[a-z])/gm)
  t.same(
    verbs,
    cases.map(({ args: [verb] }) => verb),
    'all of them',
  )
})

t.test('demo waits for its job though the server closes each connection: no pause ends the process', async t => {
  let polls = 0
  const server = createHttpServer((request, response) => {
    request.resume().on('end', () => {
      const answer = request.url?.startsWith('/v1/jobs/')
        ? { status: polls++ === 0 ? 'pending' : 'failed' }
        : { id: 'job_1', video_url: 'https://example.com/cat.mp4', status: 'pending' }
      response.writeHead(200, { 'Content-Type': 'application/json', Connection: 'close' }).end(JSON.stringify(answer))
    })
  })
  const url = `http://127.0.0.1:${await listening(t, server)}`
  const { code, stderr } = await ended(spawnCommand(['demo', url]))
  t.match({ code, stderr, polls }, { code: 1, stderr: /the job is failed/, polls: 2 })
})

t.test('an old variable, option or field of the API is an error that says the new name', async t => {
  const cases: { args: string[]; env?: Record<string, string>; says: string }[] = [
    { args: ['check', 'http://127.0.0.1:9', '--poor-key', 'k'], says: '--poor-key is now called --empty-account-key' },
    { args: ['conduct', '--patience', '1m'], says: '--patience is now called --max-poll-time' },
    { args: ['rehearse', '--patience', '1m'], says: '--patience is now called --max-poll-time' },
    {
      args: ['drill', 'outage', 'http://127.0.0.1:9', '--mend-with', 'x'],
      says: '--mend-with is now called --outage-stop',
    },
    ...Object.entries({
      UNDERSTUDY_KEY: [['check', 'http://127.0.0.1:9'], 'UNDERSTUDY_CHECK_KEY'],
      UNDERSTUDY_POOR_KEY: [['check', 'http://127.0.0.1:9'], 'UNDERSTUDY_CHECK_EMPTY_ACCOUNT_KEY'],
      UNDERSTUDY_RATE: [['drill', 'sustain', 'http://127.0.0.1:9'], 'UNDERSTUDY_DRILL_RATE'],
      UNDERSTUDY_MEND_WITH: [['drill', 'outage', 'http://127.0.0.1:9'], 'UNDERSTUDY_DRILL_OUTAGE_STOP'],
      UNDERSTUDY_URL: [['conduct'], 'UNDERSTUDY_CONDUCT_URL'],
      UNDERSTUDY_PATIENCE: [['rehearse', '--', 'true'], 'UNDERSTUDY_REHEARSE_MAX_POLL_TIME'],
      UNDERSTUDY_CA: [['record'], 'UNDERSTUDY_RECORD_CA'],
      UNDERSTUDY_HEADER: [['replay', 'a.har', 'http://127.0.0.1:9'], 'UNDERSTUDY_REPLAY_HEADER'],
    } satisfies Record<string, [string[], string]>).map(([old, [args, name]]) => ({
      args,
      env: { [old]: '1' },
      says: `${old} is now called ${name}`,
    })),
  ]
  for (const { args, env = {}, says } of cases) {
    const { code, stdout, stderr } = await understudy(args, { env })
    t.same({ code, stdout, lines: stderr.split('\n').length }, { code: 2, stdout: '', lines: 2 }, args.join(' '))
    t.ok(stderr.startsWith(`understudy: ${says}`), stderr)
  }
  const old = { poorKey: 'a', breakWith: 'b', patience: 1, patienceMs: 1 } as object
  const url = 'http://127.0.0.1:9'
  await t.rejects(check(url, old), { name: 'Error', message: 'The option poorKey is now called emptyAccountKey' })
  await t.rejects(drill('outage', url, { breakWith: 'x' } as object), {
    message: /breakWith is now called outageStart/,
  })
  await t.rejects(rehearse({ command: ['true'], environment: {}, patience: 1 } as never), {
    message: /now called maxPollTime/,
  })
  t.throws(() => conduct('none.har', { patienceMs: 1 } as object), {
    message: /patienceMs is now called maxPollTimeMs/,
  })
})

t.test("the variables of serve are no other verb's, and no mistake", async t => {
  const { url } = await start(t)
  const env = { UNDERSTUDY_ADMIN_TOKEN: 'x', UNDERSTUDY_SEED: 'x', UNDERSTUDY_WEBHOOK_SECRET: 'x' }
  t.match(await understudy(['check', url, '--only', 'SYS-1'], { env }), { code: 0, stderr: /seed: (?!x)/ })
  const others = [
    checkOptions,
    drillOptions,
    conductOptions,
    rehearseOptions,
    mutateOptions,
    recordOptions,
    replayOptions,
    bugReportOptions,
  ]
  const names = new Set(others.flatMap(Object.keys))
  t.same(
    [...serveToo].sort(),
    Object.keys(options)
      .filter(name => names.has(name))
      .sort(),
  )
})

t.test(
  'a command whose reader has gone, and one in a folder where nothing can be written, end as they should',
  async t => {
    const broken = join(t.testdir({ 'a.yaml': 'rules: 1' }), 'a.yaml')
    for (const name of ['stdout', 'stderr'] as const) {
      const child = spawnCommand(['scenarios', 'validate', broken])
      t.teardown(() => child.kill('SIGKILL'))
      child[name].destroy()
      const [code] = await once(child, 'exit')
      t.equal(code, 2, `${name} is closed`)
    }
    // Nobody can write there, whatever their rights.
    if (process.platform !== 'linux') return
    const child = spawnCommand(['scenarios', 'new', 'mine'], { cwd: '/proc' })
    const [said] = await Promise.all([text(child.stderr), once(child, 'exit')])
    t.match(said, /^understudy: E\w+: .*mine\.yaml/)
    t.notMatch(said, /\n\s+at /, 'no stack')
    t.equal(child.exitCode, 2)
  },
)
