/** A mock that speaks TLS: every fault as on a plain connection, those of the handshake, and files that can't be used. */
import { execFile } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { connectMock } from '../../client/connect.ts'
import type { RunningMock } from '../../client/mock.ts'
import { type TlsFaultName, tlsFaultNames } from '../../client/tlsFaults.ts'
import { AgentSession } from '../../mcp/session.ts'
import { startRecorder } from '../../record/recorder.ts'
import { openFixture } from '../../runners/fixture.ts'
import { faultNames } from '../../server/faults/index.ts'
import { makeAuthority } from '../../server/tls/certificates.ts'
import { serve, start, understudy } from '../support.ts'

interface Ask {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: Buffer | string
  timeoutMs?: number
  /** The same, once the first of the body is there. */
  silentMs?: number
  /** Its own certificate. */
  cert?: string
  key?: string
  rejectUnauthorized?: boolean
}

/** What a client got to see: its error as it names it, and as much of the answer as it had by then. */
interface Seen {
  error: string
  status: number
  type: string | undefined
  body: string
}

const folder = t.testdir()
const caFile = join(folder, 'ca.pem')
const secure = await start(t, { tls: true, tlsCaOut: caFile })
const plain = await start(t)
const clients = await makeAuthority('Clients')
const pair = await clients.issue({ hosts: ['client.test'], days: { from: -1, to: 1 } })
const clientsFile = join(folder, 'clients.pem')
writeFileSync(clientsFile, clients.cert)
/** The certificate with its key. */
const pairFile = join(folder, 'client.pem')
writeFileSync(pairFile, pair.cert + pair.key)
const guardedCa = join(folder, 'guarded.pem')
const guarded = await start(t, { tlsCaOut: guardedCa, tlsClientCa: clientsFile })

function nodeAsks(
  mock: RunningMock,
  key: string,
  { path = '/v1/jobs', method = 'GET', headers, body, timeoutMs = 60_000, silentMs = timeoutMs, ...tls }: Ask,
) {
  return new Promise<Seen>(resolve => {
    const seen: Seen = { error: '', status: 0, type: undefined, body: '' }
    const done = (error = '') => resolve({ ...seen, error: seen.error || error })
    const send = mock.url.startsWith('https:') ? httpsRequest : httpRequest
    const call = send(mock.url + path, {
      method,
      agent: false,
      headers: { 'x-api-key': key, ...headers },
      ...(mock.tls.ca !== undefined && { ca: mock.tls.ca, ...tls }),
    })
    call.setTimeout(timeoutMs, () => call.destroy(Object.assign(new Error(), { code: 'TIMEOUT' })))
    call.on('response', answer => {
      seen.status = answer.statusCode ?? 0
      seen.type = answer.headers['content-type']
      answer.setEncoding('latin1').on('data', chunk => {
        seen.body += chunk
        call.setTimeout(silentMs)
      })
      answer.on('error', ({ code }: NodeJS.ErrnoException) => done(code))
      answer.on('end', () => done())
    })
    call.on('error', ({ code }: NodeJS.ErrnoException) => {
      seen.error ||= code ?? 'unknown'
      if (seen.status === 0) done()
    })
    call.end(body)
  })
}

function curlAsks(
  mock: RunningMock,
  key: string,
  { path = '/v1/jobs', method = 'GET', headers, body, timeoutMs = 60_000 }: Ask,
  ca = caFile,
) {
  const lines = Object.entries({ 'x-api-key': key, expect: '', ...headers }).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ])
  const sent = body === undefined ? [] : ['--data-binary', '@-']
  const shown = [
    '-sS',
    '--noproxy',
    '*',
    '--max-time',
    String(timeoutMs / 1000),
    '--cacert',
    ca,
    '-w',
    '\n%{http_code} %{content_type}',
  ]
  return new Promise<Seen>(resolve => {
    const curl = execFile(
      'curl',
      ['-q', ...shown, '-X', method, ...lines, ...sent, mock.url + path],
      { encoding: 'latin1' },
      (failed, out) => {
        const [, text = '', status, type] = /^([\s\S]*)\n(\d+) (.*)$/.exec(out) ?? []
        resolve({
          error: failed === null ? '' : String(failed.code),
          status: Number(status),
          type: type || undefined,
          body: text,
        })
      },
    )
    curl.stdin?.on('error', () => {}).end(body)
  })
}

const json = { 'content-type': 'application/json' }
const create = { method: 'POST', headers: json, body: '{"video_url":"https://example.com/cat.mp4#t=2"}' }
const large = Buffer.alloc(3_000_000, 'x')
const upload = {
  path: '/v1/uploads',
  method: 'POST',
  headers: { 'content-type': 'multipart/form-data; boundary=b' },
  body: Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'),
    large,
    Buffer.from('\r\n--b--\r\n'),
  ]),
}

/** What ends the connection itself, where libraries of TLS differ; the others change what goes through it. */
const byCurlToo = /^(close|reset|truncated|slow_head|cut_upload|file_too_large)/

/** Each fault, on what it is for; `patience` is of a client that is to give up. */
const rows: [fault: string, ask: Ask, patience?: number][] = [
  ['no_answer', {}, 600],
  ['close_before_head', {}],
  ['reset', {}],
  ['reset', create],
  ['reset_mid_body; after_bytes=20', create],
  ['truncated_body; after_bytes=10', create],
  ['truncated_chunks; after_bytes=10', create],
  ['stall_body; after_bytes=10', { ...create, silentMs: 100 }],
  ['empty_reply', create],
  ['malformed_json', create],
  ['wrong_content_type', create],
  ['wrong_status; status=503', create],
  ['broken_envelope; missing=code', { path: '/v1/jobs/none' }],
  ['proxy_html; status=504', create],
  ['slow_head; bytes_per_second=4000', create],
  ['dribble; bytes_per_second=1000', create],
  ['bandwidth; bytes_per_second=2000', create],
  ['slow_upload; bytes_per_second=20000000', upload],
  ['cut_upload; after_bytes=4096', upload],
  ['close_unread', create],
  // Refused early, while the client still sends.
  ['file_too_large', upload],
  ['internal_error', upload],
]

/** What differs from one mock to the next, and from one call to the next. */
const steady = ({ body, ...seen }: Seen): Seen => ({
  ...seen,
  body: body
    .replace(/https?:\/\/127\.0\.0\.1:\d+/g, 'URL')
    .replace(/(job|vid|req)_[a-z0-9]+/g, '$1_')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
})

t.test('ERR-3 every fault looks over TLS to Node and to curl as it does on a plain connection', async t => {
  t.same(
    [...new Set(rows.map(([fault]) => fault.split(';')[0]))].filter(name => faultNames.includes(name as string)).sort(),
    [...faultNames].sort(),
    'all of them are here',
  )
  await Promise.all(
    rows.flatMap(([fault, ask, timeoutMs], row) =>
      (byCurlToo.test(fault) ? [nodeAsks, curlAsks] : [nodeAsks]).map(async asks => {
        const { name } = asks
        const key = `test_${name}_${row}`
        const call = {
          ...ask,
          headers: { ...ask.headers, 'x-mock-fault': fault },
          ...(timeoutMs !== undefined && { timeoutMs }),
        }
        const [onPlain, onTls] = await Promise.all([asks(plain, key, call), asks(secure, key, call)])
        t.same(steady(onTls), steady(onPlain), `${fault}: ${name}`)
      }),
    ),
  )
})

const met: Record<TlsFaultName, { node: RegExp; curl: string }> = {
  handshake_refused: { node: /^(EPROTO|ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE)$/, curl: '35' },
  handshake_cut: { node: /^ECONNRESET$/, curl: '35' },
  handshake_silent: { node: /^TIMEOUT$/, curl: '28' },
  expired_certificate: { node: /^CERT_HAS_EXPIRED$/, curl: '60' },
  wrong_host: { node: /^ERR_TLS_CERT_ALTNAME_INVALID$/, curl: '60' },
  unknown_authority: { node: /^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/, curl: '60' },
}

t.test('each fault of the handshake meets so many connections, and then all is as before', async t => {
  const mock = await start(t, { tls: true, tlsFault: 'handshake_cut:1' })
  writeFileSync(join(folder, 'faults.pem'), mock.tls.ca ?? '')
  const timeoutMs = 400
  t.match(await nodeAsks(mock, 'test_a', {}), { error: 'ECONNRESET' }, '--tls-fault')
  t.same(Object.keys(met), tlsFaultNames)
  for (const fault of tlsFaultNames) {
    t.match(mock.tls.use(fault), { fault: { name: fault, connections: 1 } })
    t.match((await nodeAsks(mock, 'test_a', { timeoutMs })).error, met[fault].node, fault)
    if (fault === 'handshake_silent') continue
    mock.tls.use(fault)
    t.equal((await curlAsks(mock, 'test_a', {}, join(folder, 'faults.pem'))).error, met[fault].curl, fault)
    t.match(await nodeAsks(mock, 'test_a', {}), { error: '', status: 200 }, `after ${fault}`)
  }
  const { failures, handshakes, fault } = mock.tls.state()
  t.equal(fault, null)
  t.same([...new Set(failures.map(({ fault }) => fault))].sort(), [...tlsFaultNames].sort(), 'all of them are told of')
  t.equal(handshakes.failed, 12)
  // A client that doesn't look is served.
  mock.tls.use('expired_certificate', { connections: 2 })
  t.match(await nodeAsks(mock, 'test_a', { rejectUnauthorized: false }), { error: '', status: 200 })
  t.match(mock.tls.state(), { fault: { connections: 1 } })
  t.match(mock.tls.end(), { fault: null })
  t.match(await nodeAsks(mock, 'test_a', {}), { error: '', status: 200 })
  t.throws(() => mock.tls.use('none' as TlsFaultName), /no TLS fault "none"; expected one of handshake_refused/)
  t.throws(() => mock.tls.use('wrong_host', { connections: 0 }), /connections is 0; expected a whole number from 1/)
})

t.test('links, webhooks and the ready file of a mock with TLS say https', async t => {
  const readyFile = join(folder, 'ready.json')
  const mock = await start(t, { tls: true, readyFile })
  t.match(mock.url, /^https:/)
  const ready = JSON.parse(readFileSync(readyFile, 'utf8'))
  t.match(ready, { url: mock.url, tls: { ca: mock.tls.ca, fingerprint: /^([0-9A-F]{2}:){31}/ } })
  const job = JSON.parse((await nodeAsks(mock, 'test_a', create)).body)
  const { output_url } = JSON.parse((await nodeAsks(mock, 'test_a', { path: `/v1/jobs/${job.id}` })).body)
  t.ok(output_url.startsWith(mock.url), output_url)
  const path = new URL(output_url).pathname
  t.match(await nodeAsks(mock, 'test_a', { path }), { error: '', status: 200, type: 'video/webm' })
})

t.test('ERR-1 plain HTTP is answered in plain HTTP, and says what to do', async t => {
  const response = await fetch(`${secure.url.replace('https', 'http')}/v1/jobs`)
  t.equal(response.status, 400)
  t.match(await response.json(), {
    error: { code: 'invalid_request', message: /expected a URL that begins with https/ },
  })
  await t.rejects(connectMock(secure.url.replace('https', 'http')), /is not a mock.*begins with https/)
})

t.test('connectMock takes the authority, and works the handshakes of a mock elsewhere', async t => {
  const ca = secure.tls.ca as string
  const mock = await connectMock(secure.url, { ca })
  t.teardown(() => mock.close())
  t.equal(mock.tls.ca, ca)
  t.match(await mock.tls.use('wrong_host', { connections: 5 }), { fault: { connections: 5 } })
  // Over the connection that is open already.
  t.match(await mock.tls.state(), { fault: { name: 'wrong_host' } })
  t.match(secure.tls.end(), { fault: null })
  const heard: unknown[] = []
  const stop = await mock.journal.listen({ key: 'test_heard' }, entry => heard.push(entry))
  await nodeAsks(secure, 'test_heard', {})
  await mock.journal.waitFor({ key: 'test_heard' })
  stop()
  await t.rejects(connectMock(secure.url), {
    name: 'TargetError',
    message: /certificate is not trusted \(\w+\); give its authority with --ca FILE/,
  })
  const without = await connectMock(plain.url)
  t.teardown(() => without.close())
  await t.rejects(without.tls.state(), { name: 'ControlError', message: /speaks no TLS; start it with --tls/ })
  t.throws(() => plain.tls.end(), { name: 'ControlError', message: /speaks no TLS/ })
})

t.test('every verb that calls a server does so over mutual TLS, and says what it lacks without', async t => {
  const { url } = guarded
  await nodeAsks(guarded, 'test_verbs', { ...create, ...pair })
  const { body } = await nodeAsks(guarded, 'test_verbs', { path: '/v1/jobs/none', ...pair })
  const { request_id } = JSON.parse(body).error
  const har = join(folder, 'calls.har')
  writeFileSync(har, guarded.journal.har({ key: 'test_verbs' }))
  t.ok(
    JSON.parse(readFileSync(har, 'utf8')).log.entries.every((one: { request: { url: string } }) =>
      one.request.url.startsWith(url),
    ),
  )
  const verbs: [says: RegExp, ...args: string[]][] = [
    [/is up/, 'health', url],
    [/The output is/, 'demo', url, '--out', join(folder, 'output.webm')],
    [/^3 passed, 0 failed/m, 'conduct', '--url', url, '--key', 'test_verbs'],
    [/answered 404/, 'explain', request_id, url],
    [/report\.zip .*journal\.har/, 'report', url, '--out', join(folder, 'report.zip')],
    [/^1 passed, 0 failed/m, 'check', url, '--only', 'SYS-1'],
    [/no difference|same/, 'replay', har, url],
    [/0 without an answer/, 'drill', 'sustain', url, '--duration', '200ms', '--rate', '20'],
    [/got through +\d+ of 6/, 'drill', 'burst', url, '--calls', '6'],
  ]
  for (const [says, ...args] of verbs) {
    const trusting = await understudy([...args, '--ca', guardedCa, '--client-cert', pairFile])
    t.match(trusting.stdout, says, args[0] as string)
    t.ok(trusting.code === 0 || args[0] === 'drill', `${args[0]}: ${trusting.code} ${trusting.stderr}`)
    // The two ways there are to send: one for a single question, one for all that judge.
    if (args[0] !== 'health' && args[0] !== 'check') continue
    const unshown = await understudy([...args, '--ca', guardedCa])
    t.match(unshown, { code: 3, stderr: /asks for a certificate of the client; give one with --client-cert FILE/ })
    const untrusted = await understudy([...args, '--client-cert', pairFile])
    t.equal(untrusted.code, 3, `${args[0]} without`)
    t.match(
      untrusted.stderr,
      /certificate is not trusted \(\w+\); give its authority with --ca FILE/,
      args[0] as string,
    )
  }
  const out = join(folder, 'guarded.har')
  const recorder = await startRecorder({ target: url, out, port: 0, ca: guardedCa, clientCert: pairFile })
  t.teardown(() => recorder.close())
  t.equal((await fetch(`${recorder.url}/health`)).status, 200, 'record')
  const session = new AgentSession({ ca: guardedCa, clientCert: pairFile }, {})
  t.teardown(() => session.close())
  const { read } = await session.attach(url)
  t.match(await read('clock'), { now: String }, 'mcp')
  const worker = await openFixture({ url, ca: guarded.tls.ca as string, clientCert: pair.cert, clientKey: pair.key })
  t.teardown(() => worker.close())
  t.match(await worker.mock.tls.state(), { fault: null }, 'a fixture')
  const own = await openFixture({ mock: { tls: true } })
  t.teardown(() => own.close())
  t.match(await own.mock.tls.state(), { fault: null }, 'a fixture with a mock of its own')
  const page = await nodeAsks(guarded, '', { path: '/docs/scenarios', ...pair })
  t.ok(page.body.includes(`curl -s --cacert ${guardedCa} --cert &#34;\${CERT:?is the file`), 'the lines of /docs')
})

t.test('a client certificate that can not be used is refused in one line, exit 2', async t => {
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const cert = write('client.crt', pair.cert)
  const locked = createPrivateKey(pair.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open',
  })
  const other = await clients.issue({ hosts: ['client.test'], days: { from: -1, to: 1 } })
  const refused: [args: string[], says: RegExp][] = [
    [['--client-key', pairFile], /--client-key is given without --client-cert/],
    [['--client-cert', cert], /--client-cert .*client\.crt holds no private key; give .* with --client-key/],
    [['--client-cert', join(folder, 'gone')], /--client-cert .*gone can't be read \(ENOENT\)/],
    [['--client-cert', write('client.key', pair.key)], /holds no certificate but a private key/],
    [['--client-cert', cert, '--client-key', write('other.key', other.key)], /is not the key of --client-cert/],
    [['--client-cert', cert, '--client-key', write('shut.key', String(locked))], /is encrypted; openssl pkey -in/],
  ]
  for (const [args, says] of refused) {
    const { code, stderr, stdout } = await understudy(['health', guarded.url, ...args])
    t.match(stderr, says, args.join(' '))
    t.same([code, stdout, stderr.trim().split('\n').length], [2, '', 1])
  }
})

t.test('in the environment of a mock with TLS, as in its container, health needs no argument', async t => {
  const env = { UNDERSTUDY_PORT: String(secure.port), UNDERSTUDY_TLS_CA_OUT: caFile }
  t.match(await understudy(['health'], { env }), { code: 0, stdout: /^https:.* is up/ })
  const port = String(plain.port)
  t.match(await understudy(['health'], { env: { UNDERSTUDY_PORT: port, UNDERSTUDY_TLS: 'off' } }), { code: 0 })
  const { stderr } = await understudy(['health'], { env: { UNDERSTUDY_PORT: port, UNDERSTUDY_TLS: 'on' } })
  t.match(stderr, /does not speak TLS; is it http:\/\/ instead\?/)
})

t.test('record stands before a mock with TLS', async t => {
  const out = join(folder, 'recorded.har')
  const recorder = await startRecorder({ target: secure.url, out, port: 0, ca: caFile })
  t.teardown(() => recorder.close())
  const response = await fetch(`${recorder.url}/v1/jobs`, { headers: { 'x-api-key': 'test_recorded' } })
  t.equal(response.status, 200)
})

t.test('rehearse --tls: the command trusts its mock', async t => {
  const program = "await fetch(process.env.UNDERSTUDY_BASE_URL + '/health').then(a => process.exit(a.ok ? 0 : 1)); "
  const out = join(folder, 'rehearsal')
  const args = [
    'rehearse',
    '--tls',
    '--scenario',
    'none',
    '--out',
    out,
    '--env',
    'CA={ca}',
    '--',
    process.execPath,
    '-e',
    program,
  ]
  const { code, stdout, stderr } = await understudy(args)
  t.equal(code, 0, stdout + stderr)
})

t.test('mutual TLS: who shows no certificate of the authority is refused, and told of', async t => {
  const other = await (await makeAuthority('Others')).issue({ hosts: ['client.test'], days: { from: -1, to: 1 } })
  const mock = await start(t, { tlsClientCa: clientsFile })
  t.match(await nodeAsks(mock, 'test_a', pair), { error: '', status: 200 })
  t.match((await nodeAsks(mock, 'test_a', {})).error, /ECONNRESET|CERTIFICATE_REQUIRED/)
  t.match((await nodeAsks(mock, 'test_a', other)).error, /ECONNRESET|UNKNOWN_CA/)
  t.match(mock.tls.state().failures, [{ said: /showed no certificate/ }, { said: /client's certificate was refused/ }])
})

t.test('a certificate of your own is shown; files that can not be used are refused in one line, exit 2', async t => {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const authority = await makeAuthority('Own')
  const own = await authority.issue({ hosts: ['127.0.0.1'], days: { from: -1, to: 1 } })
  const old = await authority.issue({ hosts: ['api.test'], days: { from: -9, to: -2 } })
  const cert = file('own.crt', own.cert)
  const key = file('own.key', own.key)
  const ca = file('own-ca.pem', authority.cert)
  const encrypted = createPrivateKey(own.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open',
  })
  const locked = file('locked.key', String(encrypted))

  const tlsCaOut = join(folder, 'out.pem')
  const mock = await start(t, { tlsCert: cert, tlsKey: locked, tlsPassphrase: 'open', tlsCa: ca, tlsCaOut })
  t.equal(readFileSync(tlsCaOut, 'utf8'), authority.cert)
  t.match(await nodeAsks(mock, 'test_a', {}), { error: '', status: 200 })
  const { body } = await nodeAsks(mock, 'test_a', { path: '/__mock/report' })
  t.match(JSON.parse(body).options, { tlsPassphrase: '[redacted]', tlsCert: cert })
  t.throws(
    () => mock.tls.use('expired_certificate'),
    /for which the mock has to sign a certificate; start it with --tls alone/,
  )
  mock.tls.use('unknown_authority')
  t.match(await nodeAsks(mock, 'test_a', {}), { error: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })

  const both = ['--tls-cert', cert, '--tls-key', key]
  const refused: [args: string[], says: RegExp][] = [
    [['--tls-cert', cert], /^understudy: --tls-cert is given without --tls-key; give both, or --tls alone/],
    [['--tls-key', key], /^understudy: --tls-key is given without --tls-cert/],
    [['--tls-ca', ca], /^understudy: --tls-ca is given without --tls-cert and --tls-key/],
    [
      ['--tls-cert', cert, '--tls-key', file('old.key', old.key)],
      /is not the key of --tls-cert .*own\.crt; expected the two of one pair/,
    ],
    [['--tls-cert', join(folder, 'gone'), '--tls-key', key], /--tls-cert .*gone can't be read \(ENOENT\)/],
    [['--tls-cert', folder, '--tls-key', key], /can't be read \(EISDIR\)/],
    [['--tls-cert', key, '--tls-key', key], /holds no certificate but a private key; expected a PEM file/],
    [['--tls-cert', cert, '--tls-key', cert], /holds no private key but a certificate; expected a PEM file/],
    [['--tls-cert', file('text', 'hello'), '--tls-key', key], /holds no certificate; expected a PEM file/],
    [
      ['--tls-cert', cert, '--tls-key', locked],
      /is encrypted; give its passphrase with --tls-passphrase, or UNDERSTUDY_TLS_PASSPHRASE/,
    ],
    [['--tls-cert', cert, '--tls-key', locked, '--tls-passphrase', 'shut'], /can not be decrypted with the passphrase/],
    [[...both, '--tls-ca-out', join(folder, 'x')], /--tls-ca-out has nothing to write; say with --tls-ca/],
    [[...both, '--tls-fault', 'wrong_host'], /--tls-fault is wrong_host, for which the mock has to sign/],
    [['--tls-fault', 'none'], /expected one of handshake_refused/],
    [['--tls-fault', 'handshake_cut:0'], /handshake_cut:0"; expected one of/],
    [['--tls-ca-out', join(folder, 'none', 'x')], /--tls-ca-out .* can't be written \(ENOENT\)/],
    [['--tls-client-ca', key], /--tls-client-ca .* holds no certificate but a private key/],
  ]
  for (const [args, says] of refused) {
    const { code, stderr, stdout } = await understudy(['serve', '--port', '0', ...args])
    t.match(stderr, says, args.join(' '))
    t.same([code, stdout, stderr.trim().split('\n').length], [2, '', 1])
  }
  const warned = await serve(t, ['--tls-cert', file('old.crt', old.cert), '--tls-key', file('old.key', old.key)])
  t.match(warned.stderr(), /old\.crt has expired on 20/)
  t.match(warned.stderr(), /is for api\.test, not for localhost, 127\.0\.0\.1, ::1/)
  const greeted = await serve(t, ['--tls-ca-out', tlsCaOut])
  t.match(greeted.stdout(), /SHA-256 ([0-9A-F]{2}:){31}/)
  t.match(greeted.stdout(), /curl -s --cacert .*out\.pem -H 'X-Api-Key/)
})

t.test('a mock with TLS closes at once, whatever its connections wait for', async t => {
  const mock = await start(t, { tls: true })
  const idle = connectTls({ port: mock.port, host: '127.0.0.1', ca: mock.tls.ca })
  await once(idle, 'secureConnect')
  const silent = connect(mock.port, '127.0.0.1')
  await once(silent, 'connect')
  mock.tls.use('handshake_silent')
  const hung = connect(mock.port, '127.0.0.1')
  await once(hung, 'connect')
  hung.write('hello')
  for (const socket of [idle, silent, hung]) socket.on('error', () => {})
  const closed = [idle, silent, hung].map(socket => new Promise(resolve => socket.once('close', resolve)))
  const since = performance.now()
  await mock.close()
  t.ok(performance.now() - since < 900, 'no second is waited')
  await Promise.all(closed)
})
