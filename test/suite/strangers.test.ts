/** Endpoints that nobody here has written for the suite, and networks as they are: a right verdict, or a word why there is none. */

import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { OpenAPIBackend } from 'openapi-backend'
import t from 'tap'
import { TargetError } from '../../base/targetError.ts'
import { buildOpenApi } from '../../contracts/openapi.ts'
import type { Report } from '../../suite/report.ts'
import { type CheckOptions, check } from '../../suite/runCheck.ts'
import { start } from '../support.ts'
import { altered, checkCommand, clauseOf, ended, front, having, json, listening, skip, spawned } from './checking.ts'

const noTrace = /\n {4}at |node:internal/

t.test(
  'a server that openapi-backend makes of our OpenAPI document is accused of what it breaks, and of nothing else',
  async t => {
    const api = new OpenAPIBackend({ definition: buildOpenApi('1') as never, quick: true, ajvOpts: { logger: false } })
    // As its README has it: what is not implemented is answered with what the document gives as an example, or makes up.
    api.register({
      notFound: () => ({ status: 404, mock: { err: 'not found' } }),
      methodNotAllowed: () => ({ status: 405, mock: { err: 'method not allowed' } }),
      validationFail: context => ({ status: 400, mock: { err: context.validation.errors } }),
      unauthorizedHandler: () => ({ status: 401, mock: { err: 'unauthorized' } }),
      notImplemented: context => context.api.mockResponseForOperation(String(context.operation.operationId)),
    })
    api.registerSecurityHandler('apiKey', ({ request }) => request.headers['x-api-key'] === 'strangers-key')
    const server = createHttpServer(async (request, response) => {
      const { method = '', url: path = '', headers } = request
      const text = String(await buffer(request))
      const field = /^multipart/.test(headers['content-type'] ?? '') && / name="(\w+)"/.exec(text)?.[1]
      const body = field ? { [field]: 'bytes' } : parsed(text)
      const { status, mock } = await api.handleRequest({
        method,
        path,
        headers: headers as Record<string, string>,
        body,
      })
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(mock))
    })
    const url = `http://127.0.0.1:${await listening(t, server)}`
    const options = { key: 'strangers-key', jobTimeout: 100, burst: 20, skip: [...skip, 'webhooks.retry'] }
    const report = await check(url, options)
    const broken = {
      'ERR-1': 'its errors are {"err": …}',
      'ERR-4': 'it knows every job',
      'GO-7': 'it forgets what it was given',
      'UP-1': 'it takes an upload without a file',
      'UP-2': 'it takes any file',
      'UP-3': 'every upload is called string, and has 0 bytes',
      'UP-4': 'it takes any file',
      'JOB-1': 'every job is of the model original',
      'JOB-3': 'a start overrides nothing',
      'JOB-5': 'what is null it answers as {}',
      'JOB-6': 'its list is the same whatever is asked for',
      'JOB-7': 'it takes mp4 and transparent',
      'DL-1': 'its output_format is {}',
      'DL-2': 'it gives a download before completion',
      'CR-1': 'its prices are 0',
      'US-2': 'its job_id is {}',
      'ID-1': 'another body with the same key is the same to it',
    }
    t.same(having(report, 'failed'), Object.keys(broken))
    // Of AUTH-1 the status is right; that its 401 has no code is ERR-1's matter.
    t.same(
      having(report, 'passed').filter(id => id !== 'AUTH-1'),
      ['GO-1', 'AUTH-2', 'JOB-2', 'CR-2', 'SYS-1', 'BR-1'],
    )
    t.equal(report.ok, false)
    t.match(clauseOf(report, 'ERR-1').evidence[0], {
      pointer: '/error',
      found: 'missing',
      response: { body: /^\{"err":/ },
    })
    t.match(clauseOf(report, 'DL-3').reason, /the job is still "created" after .*\(--job-timeout\)/)
  },
)

t.test('a static file server is no API, and is told so', async t => {
  const python = spawned('python3', [
    '-u',
    '-m',
    'http.server',
    '0',
    '--bind',
    '127.0.0.1',
    '--directory',
    t.testdir({ 'index.html': 'hi' }),
  ])
  t.teardown(() => python.kill())
  const port = await new Promise<string>(resolve => {
    python.stdout?.on('data', data => resolve(String(/port (\d+)/.exec(String(data))?.[1])))
  })
  const { code, stdout, stderr } = await checkCommand([
    `http://127.0.0.1:${port}`,
    '--key',
    'a_key',
    '--skip',
    `${skip},limits`,
  ])
  t.equal(code, 1)
  t.match(stdout, /\d+ failed, .*; nothing was proved: only 404, 501 was seen; is this the API's base URL\?\n$/)
  t.notMatch(stderr, noTrace)
})

t.test(
  'a certificate that nobody signed is refused in words that say what to do, and taken with --insecure or --ca',
  async t => {
    const folder = t.testdir()
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = await ended(
      spawned('openssl', ['req', '-x509', ...curve, ...names, '-keyout', keyFile, '-out', certFile]),
    )
    t.equal(made.code, 0, made.stderr)
    const read = (file: string) => import('node:fs').then(({ readFileSync }) => readFileSync(file, 'utf8'))
    const mock = await start(t)
    const { url } = await front(t, mock, (_call, pass) => pass(), {
      key: await read(keyFile),
      cert: await read(certFile),
    })
    const [refused, insecure, trusted] = await Promise.all([
      checkCommand([url, '--only', 'SYS-1']),
      checkCommand([url, '--only', 'SYS-1,US-1', '--insecure']),
      checkCommand([url, '--only', 'SYS-1,US-1', '--ca', certFile]),
    ])
    t.match(refused, { code: 3, stdout: '' })
    t.match(
      refused.stderr,
      /certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\); give its authority with --ca FILE\n$/,
    )
    t.notMatch(refused.stderr, noTrace)
    for (const { code, stdout } of [insecure, trusted]) {
      t.equal(code, 0)
      t.match(stdout, /2 passed, 0 failed/)
    }
    t.match(
      await unreachable(url.replace('https:', 'http:')),
      /^the connection was cut|^what came is no HTTP/,
      'TLS that is spoken to without',
    )
  },
)

t.test('where nobody answers, or no HTTP, there is no verdict: exit 3, and why', async t => {
  const silent = `http://127.0.0.1:${await listening(
    t,
    createServer(() => {}),
  )}`
  const gone = createServer()
  const refused = `http://127.0.0.1:${await listening(t, gone)}`
  gone.close()
  const garbage = createServer(socket => void socket.on('error', () => {}).end('\u0000\u00ff is no HTTP\r\n\r\n'))
  const since = performance.now()
  t.equal(await unreachable(silent, { timeout: 500 }), 'no answer within 0.5 s')
  t.ok(performance.now() - since < 3000, 'told within the time that was given')
  t.equal(await unreachable(refused), `nothing listens at ${refused.slice(7)}`)
  t.equal(await unreachable('http://understudy.invalid'), 'there is no host understudy.invalid')
  t.match(
    await unreachable(`http://127.0.0.1:${await listening(t, garbage)}`),
    /^what came is not HTTP\/1\.1 \(HPE_\w+\)$/,
  )
  t.match(await unreachable(refused.replace('http:', 'https:')), /^nothing listens/)
  t.match(
    await unreachable(`https://127.0.0.1:${new URL((await start(t)).url).port}`),
    /does not speak TLS; is it http:\/\/ instead\?$/,
  )

  const commands = await Promise.all([[silent, '--timeout', '500ms'], [refused]].map(args => checkCommand(args)))
  for (const { code, stdout, stderr } of commands) {
    t.match({ code, stdout }, { code: 3, stdout: '' })
    t.match(stderr, /\nunderstudy: http:\S+: no(thing| answer) .*\n$/)
    t.notMatch(stderr, noTrace)
  }
})

t.test('a redirect is no base URL: exit 3, and where it leads', async t => {
  const server = createHttpServer((_request, response) =>
    response.writeHead(301, { location: 'https://api.example.com/v2/health' }).end(),
  )
  const says = await unreachable(`http://127.0.0.1:${await listening(t, server)}`)
  t.match(
    says,
    /it answers 301 and redirects to https:\/\/api\.example\.com\/v2\/health; give the URL that it redirects to/,
  )
})

t.test('an endpoint that takes its time is not accused', async t => {
  const mock = await start(t)
  const { url } = await front(t, mock, async (_call, pass) => {
    await setTimeout(60)
    return pass()
  })
  const report = await check(url, { only: ['JOB-2', 'limits.burst'] })
  t.match(report, { summary: { failed: 0 }, complete: true })
  t.match([clauseOf(report, 'JOB-2'), clauseOf(report, 'GO-2')], [{ verdict: 'passed' }, { verdict: 'passed' }])
})

t.test('GO-3 an endpoint that never charges has not shown that it does not charge twice', async t => {
  const mock = await start(t)
  const { url } = await front(t, mock, async (call, pass) =>
    call.url.startsWith('/v1/usage/summary')
      ? altered(await pass(), body => ({ ...body, total_jobs: 0, completed_jobs: 0, credits_used: 0, daily: [] }))
      : pass(),
  )
  const report = await check(url, { only: ['GO-3', 'CR-1'] })
  const reason = /is not charged: whether a second one is can not be told/
  t.match(clauseOf(report, 'GO-3'), { verdict: 'skipped', reason })
  t.equal(clauseOf(report, 'CR-1').verdict, 'failed')
})

t.test(
  'DL-3 a base URL may have a path, and a slash at its end; URLs that leave it behind are judged as they are',
  async t => {
    const mock = await start(t)
    const options: CheckOptions = { only: ['download.output', 'AUTH-1', 'GO-4'], key: 'test_prefix' }
    const behind = (isHostKept: boolean) =>
      front(t, mock, (call, pass) => {
        if (!isHostKept) call.headers.host = mock.url.slice(7)
        return call.url.startsWith('/v7/api/') ? pass(call.url.slice(7)) : json(404, 'nothing here')
      })
    const good = await behind(false)
    const bad = await behind(true)
    for (const slash of ['', '/']) {
      const report = await check(`${good.url}/v7/api${slash}`, options)
      t.match(report, { target: `${good.url}/v7/api`, ok: true, summary: { failed: 0 } })
      t.match([clauseOf(report, 'AUTH-1'), clauseOf(report, 'GO-4')], [{ verdict: 'passed' }, { verdict: 'passed' }])
    }
    const report = await check(`${bad.url}/v7/api`, options)
    t.same(having(report, 'failed'), ['DL-3'])
    t.match(clauseOf(report, 'DL-3').evidence[0], {
      expected: 'a GET on download_url: 200',
      found: '404',
      request: { url: new RegExp(`^${bad.url}/files/outputs/`) },
      curl: new RegExp(`^curl -i ${bad.url}/files/outputs/\\S+$`),
    })
  },
)

t.test('an endpoint that dies in the midst leaves a report of what is known, and never a stack trace', async t => {
  const mock = await start(t)
  const dying = async (after: number) => {
    const proxy = createServer(socket => {
      sockets.add(socket)
      const through = connect(mock.port, '127.0.0.1').on('error', () => {})
      socket
        .on('error', () => {})
        .on('data', data => {
          if (/^(GET|POST) /.test(String(data)) && ++calls > after) {
            proxy.close()
            for (const one of sockets) one.destroy()
          } else through.write(data)
        })
      through.on('data', data => socket.write(data)).on('close', () => socket.destroy())
      socket.on('close', () => through.destroy())
    })
    let calls = 0
    const sockets = new Set<import('node:net').Socket>()
    return `http://127.0.0.1:${await listening(t, proxy)}`
  }
  for (const after of [0, 1, 2, 3, 8, 60]) {
    const report = await check(await dying(after), { key: 'test_key', control: after % 2 === 0 }).catch(error => error)
    if (report instanceof TargetError)
      t.match(report.message, /^nothing listens|^the connection was cut/, `after ${after} calls`)
    else
      t.match(
        report,
        { complete: false, ok: false, why: /; it stopped answering at (GET|POST) \/\S+: / },
        `after ${after} calls`,
      )
    if (after === 60) t.ok((report as Report).summary.passed > 0, 'and what was known by then is told')
  }
  const { code, stdout, stderr } = await checkCommand([await dying(50), '--key', 'test_key', '--control', 'off'])
  t.equal(code, 1)
  t.match(stdout, /\d+ passed, 0 failed, \d+ skipped; it stopped answering at (GET|POST) \/.*\n$/)
  t.notMatch(stderr, noTrace)
})

/** What the command prints before it exits with 3. */
async function unreachable(url: string, options: CheckOptions = {}): Promise<string> {
  const result = await check(url, { key: 'k', ...options }).catch(error => error)
  if (!(result instanceof TargetError)) throw result
  return result.message
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}
