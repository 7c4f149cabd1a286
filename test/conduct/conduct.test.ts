import { mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'
import { realDelay } from '../../base/clock.ts'
import { fingerprintOf } from '../../base/fingerprint.ts'
import type { RunningMock } from '../../client/mock.ts'
import { conduct } from '../../conduct/fromRecording.ts'
import { ConductReport } from '../../conduct/report.ts'
import { rules } from '../../conduct/rules/index.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import { clauses } from '../../contracts/clauses.ts'
import { Library } from '../../server/scenarios/library.ts'

import { ended, front, spawned } from '../suite/checking.ts'
import { builtFile, client, isProving, maxMemoryMb, start, understudy } from '../support.ts'

const valid = new Ajv({ strict: false }).compile(ConductReport)
const key = 'test_conduct_key'

/** Of a rule, in short: its verdict. */
const verdictOf = (report: ConductReport, id: string) => report.rules.find(rule => rule.id === id)?.verdict
const brokenIn = (report: ConductReport) =>
  report.rules.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id)

/** A client that asks for a job that is not there again and again, and polls a finished one. */
async function careless(mock: RunningMock, own = key): Promise<void> {
  const api = client(mock, own)
  const id = await api.job()
  for (const path of ['none', 'none', 'none', id, id, id]) {
    await api.get(`/v1/jobs/${path}`)
    // A recording knows whole milliseconds.
    mock.clock.step(5)
  }
}
const carelessness = ['errors.client-errors-not-retried', 'polling.stops']

function folder(t: Test): string {
  return t.testdir({}) as string
}

t.test('each rule names clauses and scenarios that there are, says what to do, and is named once', async t => {
  const scenarios = new Set(new Library(undefined).list().map(({ name }) => name))
  for (const { id, clauses: ids, title, advice, provoke } of rules) {
    t.match(id, /^[a-zA-Z]+\.[a-z0-9-]+$/)
    for (const clause of ids) t.ok(clause in clauses, `${id}: ${clause}`)
    for (const name of provoke) t.ok(scenarios.has(name), `${id}: ${name}`)
    t.ok(title.length > 20 && advice.length > 20, id)
  }
  t.equal(new Set(rules.map(({ id }) => id)).size, rules.length)
})

t.test('the grade is the same in this process, over HTTP and from the journal as a recording', async t => {
  const mock = await start(t)
  await careless(mock)
  const own = mock.conduct(key)
  t.ok(valid(own), JSON.stringify(valid.errors))
  t.same(brokenIn(own), carelessness)
  t.match(own, { key: fingerprintOf(key), keys: [fingerprintOf(key)], calls: 7, webhooks: 0, ok: false })
  const asked = (await client(mock, null).get(`/__mock/conduct?key=${key}`)).body as ConductReport
  t.same(asked.rules, own.rules)
  const file = join(folder(t), 'session.har')
  writeFileSync(file, mock.journal.har())
  t.same(conduct(file, { key }).rules, own.rules)
  t.same(conduct(file, { key: fingerprintOf(key) }).rules, own.rules)
})

t.test('a rule says what was seen by journal entries, and what to do about it', async t => {
  const mock = await start(t)
  await careless(mock)
  const rule = mock.conduct(key).rules.find(({ id }) => id === 'errors.client-errors-not-retried')
  const [first, second] = mock.journal.entries({ kind: 'exchange', status: 404 })
  t.match(rule, {
    clause: 'ERR-3',
    verdict: 'failed',
    seen: 1,
    evidence: [
      {
        passed: false,
        key: fingerprintOf(key),
        said: /^sent GET \/v1\/jobs\/none again \d+ ms after it was refused with 404 not_found, unchanged$/,
        entries: [
          { number: first?.seq, request_id: first?.request_id, what: 'GET /v1/jobs/none → 404 not_found' },
          { number: second?.seq, request_id: second?.request_id },
          {},
        ],
      },
    ],
    advice: /do not put it into the retry loop/,
  })
})

t.test('clients of different keys, and of different worlds of one key, are graded apart', async t => {
  const mock = await start(t)
  await careless(mock, 'test_careless_one')
  await client(mock, 'test_careful_one').job()
  await client(mock, 'test_careful_one').call('GET', '/v1/jobs/none', { headers: { 'x-mock-world': 'split' } })
  await client(mock, 'test_careful_one').get('/v1/jobs/none')
  t.same(brokenIn(mock.conduct('test_careless_one')), carelessness)
  t.same(brokenIn(mock.conduct('test_careful_one')), [], 'two worlds that ask for the same are not one that asks twice')
  const api = client(mock, null)
  const split = (await api.get('/__mock/conduct?key=test_careful_one&world=split')).body as ConductReport
  t.equal(split.calls, 1)
  const all = mock.conduct()
  t.equal(all.key, 'all')
  t.equal(all.keys.length, 3)
  t.same(brokenIn(all), carelessness)
  const evidence = all.rules.flatMap(({ evidence }) => evidence.filter(({ passed }) => !passed))
  t.same([...new Set(evidence.map(({ key }) => key))], [fingerprintOf('test_careless_one')])
})

t.test('what is fetched without a key belongs to the client whose job it is', async t => {
  const mock = await start(t)
  const api = client(mock, key)
  const id = await api.job()
  const { body } = await api.get(`/v1/jobs/${id}`)
  await client(mock, null).call('GET', body.output_url)
  const rule = mock.conduct(key).rules.find(({ id }) => id === 'secrets.key-only-where-needed')
  t.match(rule, { verdict: 'passed', seen: 1 })
  await api.call('GET', body.output_url)
  t.equal(verdictOf(mock.conduct(key), 'secrets.key-only-where-needed'), 'passed', 'with the key is as good')
})

t.test('a retry is known by its body, though the first try was refused before that was read', async t => {
  const mock = await start(t, { jobLimit: 1 })
  const api = client(mock, key)
  mock.clockOf(key).freeze()
  await api.job()
  const body = { video_url: 'https://example.com/retried.mp4' }
  t.equal((await api.post('/v1/jobs', body)).status, 429)
  t.equal((await api.post('/v1/jobs', { video_url: 'https://example.com/another.mp4' })).status, 429)
  t.same(
    mock.journal.entries({ status: 429 }).map(({ request }) => request.body),
    [body, { video_url: 'https://example.com/another.mp4' }],
  )
  mock.clockOf(key).step('61s')
  t.equal((await api.post('/v1/jobs', body)).status, 200)
  const rule = mock.conduct(key).rules.find(({ id }) => id === 'errors.retried')
  t.match(rule?.evidence, [{ passed: false, said: /^never tried POST \/v1\/jobs again after 429/ }])
  t.equal(rule?.seen, 2, 'one was tried again, the other never')
})

t.test('the assertion resolves when the clause is kept, and says what was done instead when it is not', async t => {
  const mock = await start(t)
  const api = client(mock, key)
  await t.rejects(mock.expectConduct(key).toKeep('ERR-3'), {
    name: 'ConductError',
    message:
      /^ERR-3 was skipped\n {2}errors\.client-errors-not-retried: .*provoke it with the scenario invalid-request/,
  })
  await api.get('/v1/jobs/none')
  await mock.expectConduct(key).toKeep('ERR-3', 'errors.client-errors-not-retried')
  await mock.expectConduct(key).toBreakNothing()
  await api.get('/v1/jobs/none')
  await api.get('/v1/jobs/none')
  await t.rejects(mock.expectConduct(key).toKeep('err-3' as ClauseId), {
    message:
      /^err-3 failed\n.*\n {4}sent GET \/v1\/jobs\/none again .*\n {6}#1 .*404 not_found\n {6}#2 .*\n {6}#3 .*\n {4}advice: Treat 4xx/,
    report: { ok: false },
  })
  await t.rejects(mock.expectConduct(key).toBreakNothing(), /1 failed/)
  await t.rejects(
    mock.expectConduct(key).toKeep('ERR-33' as ClauseId),
    /There is no rule of conduct or clause "ERR-33"; expected one of errors/,
  )
})

t.test('a client that does nothing is not called good', async t => {
  const mock = await start(t)
  t.match(mock.conduct(key), { ok: false, why: /^nothing was seen: there is no call of the key/ })
  await t.rejects(mock.expectConduct(key).toBreakNothing(), /^nothing was seen/)
  await client(mock, key).get('/v1/jobs')
  t.match(mock.conduct(key, { require: ['RL-2'] }), {
    ok: false,
    required: { rules: ['RL-2'], missing: ['RL-2'] },
    why: /; required, but not passed: RL-2$/,
  })
})

t.test('wrong questions are answered 400, and say what was expected', async t => {
  const mock = await start(t)
  const api = client(mock, null)
  for (const [query, message] of [
    ['max_poll_time=long', /max_poll_time is "long"; expected a time such as 30m/],
    ['patience=1m', /patience is now called max_poll_time/],
    ['require=ERR-33', /no rule of conduct or clause "ERR-33"/],
    ['kex=1', /kex/],
  ] as const) {
    const { status, body } = await api.get(`/__mock/conduct?${query}`)
    t.equal(status, 400)
    t.match(body.error.message, message)
  }
})

t.test('no key is in any report, wherever the client has put it', async t => {
  const canary = 'test_canary_0123456789'
  const mock = await start(t)
  const api = client(mock, canary)
  await api.get(`/v1/jobs?api_key=${canary}&x=${canary}`)
  await api.get(`/v1/jobs/${canary}`)
  await api.post('/v1/jobs', { video_url: `https://example.com/${canary}.mp4`, metadata: { [canary]: canary } })
  const report = mock.conduct(canary)
  t.same(brokenIn(report), ['secrets.key-not-in-url', 'secrets.key-not-in-body'])
  t.notMatch(JSON.stringify(report), canary)
  const broken = await mock
    .expectConduct(canary)
    .toBreakNothing()
    .then(
      () => '',
      error => String(error.message),
    )
  t.match(broken, /sent the key in the URL of GET \/v1\/jobs/)
  t.notMatch(broken, canary)
})

t.test('understudy conduct grades a running mock and a recording: exit 0, 1, 2 and 3', async t => {
  const mock = await start(t)
  await careless(mock)
  await client(mock, 'test_careful_one').get('/v1/jobs/none')
  const file = join(folder(t), 'session.har')
  writeFileSync(file, mock.journal.har())
  const conductCommand = (...words: string[]) => understudy(['conduct', ...words])
  const bad = await conductCommand('--url', mock.url, '--key', key)
  t.equal(bad.code, 1)
  t.match(bad.stdout, /✗ errors\.client-errors-not-retried \(ERR-3\) failed/)
  t.match(bad.stdout, new RegExp(`the journal of ${mock.url}`))
  t.equal((await conductCommand('--url', mock.url, '--key', 'test_careful_one')).code, 0)
  const required = await conductCommand('--url', mock.url, '--key', 'test_careful_one', '--require', 'ERR-3,RL-2')
  t.equal(required.code, 1)
  t.match(required.stdout, /required, but not passed: RL-2/)
  const json = await conductCommand(file, '--key', key, '--reporter', 'json')
  t.equal(json.code, 1)
  t.same(brokenIn(JSON.parse(json.stdout)), carelessness)
  t.equal((await conductCommand('--url', 'http://127.0.0.1:1')).code, 3)
  for (const [words, message] of [
    [['nowhere.har'], /nowhere\.har can't be read/],
    [[file, '--key', 'test_nobody'], /holds no call of that key; expected the key, or the fingerprint, of one of/],
    [['--require', 'ERR-33'], /--require is "ERR-33"; expected rules or clauses: errors/],
    [['--base', 'http://a.b'], /--base is for a recording/],
    [['--max-poll-time', 'long'], /--max-poll-time is "long"; expected a time/],
    [['--reporter', 'xml'], /--reporter names "xml"/],
  ] as const) {
    const { code, stderr, stdout } = await conductCommand(...words)
    t.equal(code, 2, words.join(' '))
    t.match(stderr, message)
    t.equal(stdout, '')
  }
})

t.test("another tool's recording is graded by the keys that it holds, and none of them is shown", async t => {
  const entry = (second: number, path: string, status: number, headers: Record<string, string> = {}) => ({
    startedDateTime: new Date(1.7e12 + second * 1000).toISOString(),
    time: 20,
    request: {
      method: 'GET',
      url: `https://api.example.com/bg${path}`,
      httpVersion: 'h2',
      headers: Object.entries({ 'x-api-key': 'live_canary_key_1', ...headers }).map(([name, value]) => ({
        name,
        value,
      })),
    },
    response: {
      status,
      headers: [{ name: 'Content-Type', value: 'application/json' }],
      content: {
        mimeType: 'application/json',
        text: JSON.stringify(
          status === 200
            ? { id: 'j', status: 'processing' }
            : { error: { code: 'not_found', message: 'Job not found', request_id: `r${second}` } },
        ),
      },
    },
    _initiator: { type: 'script' },
  })
  const file = join(folder(t), 'browser.har')
  const entries = [
    ...[0, 1, 2].map(second => entry(second, '/v1/jobs/j', 200)),
    entry(30, '/v1/jobs/k', 404),
    entry(31, '/v1/jobs/k?key=live_canary_key_1', 404),
  ]
  writeFileSync(
    file,
    JSON.stringify({ log: { version: '1.2', creator: { name: 'WebInspector', version: '537' }, entries } }),
  )
  const report = conduct(file)
  t.same(brokenIn(report), ['polling.pace', 'secrets.key-not-in-url'])
  t.same(report.keys, [fingerprintOf('live_canary_key_1')])
  t.notMatch(JSON.stringify(report), 'live_canary')
})

/** What is kept of a call has to be less than some KB. */
const [calls, maxMb] = isProving ? [100_000, 300] : [4_000, 125]

t.test(`${calls} calls are graded in little memory`, async t => {
  const file = join(mkdtempSync(join(tmpdir(), 'understudy-')), 'large.har')
  t.teardown(() => import('node:fs').then(({ rmSync }) => rmSync(join(file, '..'), { recursive: true })))
  const text = (i: number) =>
    JSON.stringify({ id: `job_${i >> 4}`, status: 'processing', progress: 50, note: 'x'.repeat(400) })
  const lines = Array.from({ length: calls }, (_, i) =>
    JSON.stringify({
      startedDateTime: new Date(1.7e12 + i * 2000).toISOString(),
      time: 3,
      request: {
        method: 'GET',
        url: `http://h/v1/jobs/job_${i >> 4}`,
        headers: [{ name: 'X-Api-Key', value: '[redacted]' }],
      },
      response: { status: 200, headers: [], content: { mimeType: 'application/json', text: text(i) } },
      _world: 'abcabcabcabc',
    }),
  )
  writeFileSync(file, `{"log":{"version":"1.2","entries":[${lines.join(',')}]}}`)
  const program = `
    const { conduct } = await import(${JSON.stringify(builtFile('conduct/fromRecording.js'))})
    const report = conduct(${JSON.stringify(file)})
    console.log(JSON.stringify({ calls: report.calls, why: report.why, maxRss: ${maxMemoryMb} }))`
  const { code, stdout, stderr } = await ended(spawned(process.execPath, ['--input-type=module', '-e', program]))
  t.equal(code, 0, stderr)
  const { calls: told, maxRss } = JSON.parse(stdout)
  t.equal(told, calls)
  t.ok(maxRss < maxMb, `${maxRss} MB`)
  t.comment(`${Math.round(maxRss)} MB`)
})

t.test('a client that could be a good one is not accused', async t => {
  const mock = await start(t)
  const api = client(mock, key)
  const id = await api.job()
  // One more look at what is done, and two that work on the same, each with a key of its own.
  await api.get(`/v1/jobs/${id}`)
  await api.get(`/v1/jobs/${id}`)
  const body = { video_url: 'https://example.com/same.mp4' }
  mock.use([{ name: 'ill', first: 2, then: { error: 'internal_error' } }], { key })
  for (const name of ['a', 'b']) await api.post('/v1/jobs', body, { 'idempotency-key': name })
  await api.get('/v1/jobs/none')
  await api.get('/v1/jobs/none')
  t.same(brokenIn(mock.conduct(key)), [])
})

t.test('a client that waits in real time while the clock stands still has waited', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  mock.use('internal-error-once', { key })
  const api = client(mock, key)
  await api.post('/v1/jobs', { video_url: 'https://example.com/a.mp4' })
  await realDelay(1_000)
  await api.post('/v1/jobs', { video_url: 'https://example.com/a.mp4' })
  t.equal(verdictOf(mock.conduct(key), 'errors.no-hammering'), 'passed')
})

t.test('without a secret nobody is blamed for what can not be checked', async t => {
  for (const [webhookSecret, verdict] of [
    [undefined, 'skipped'],
    ['whsec_1234567890', 'failed'],
  ] as const) {
    const mock = await start(t, { scenario: 'webhook-bad-signature', webhookSecret })
    const { url } = await front(t, mock, () => ({ status: 200, headers: {}, body: '' }))
    await client(mock, key).job({ webhook_url: `${url}/hook` })
    await mock.journal.waitFor({ kind: 'webhook' })
    t.equal(verdictOf(mock.conduct(key), 'webhooks.signature'), verdict)
  }
})

t.test('a key that reads like a name is no secret within another word', async t => {
  const mock = await start(t)
  const api = client(mock, 'test_video')
  await api.post('/v1/jobs', { video_url: 'https://example.com/test_video.mp4' })
  t.equal(verdictOf(mock.conduct('test_video'), 'secrets.key-not-in-body'), 'passed')
  await api.post('/v1/jobs', { video_url: 'https://example.com/a.mp4', metadata: { by: 'test_video' } })
  t.equal(verdictOf(mock.conduct('test_video'), 'secrets.key-not-in-body'), 'failed')
})

t.test('ERR-3 what an HTTP library sends again by itself, on a connection that it had kept, is no haste', async t => {
  const mock = await start(t)
  const order = JSON.stringify({ video_url: 'https://example.com/cat.mp4#t=2' })
  const call = (agent: Agent, own: string, method: string, path: string, fault?: string, body = '') =>
    new Promise<void>(resolve => {
      const type = path === '/v1/uploads' ? 'multipart/form-data; boundary=x' : 'application/json'
      const headers = {
        'x-api-key': own,
        ...(fault && { 'x-mock-fault': fault }),
        ...(body && { 'content-type': type }),
      }
      const sent = request(mock.url + path, { agent, method, headers }, answer =>
        answer.resume().once('close', () => resolve()),
      )
      sent.once('error', () => resolve()).end(body)
    })
  const form = `--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n${'.'.repeat(9_000)}\r\n--x--\r\n`
  const create = ['POST', '/v1/jobs', 'reset', order] as const
  const upload = ['POST', '/v1/uploads', 'cut_upload; after_bytes=10', form] as const
  type Case = [what: string, verdict: string, calls: (readonly [string, string, string?, string?])[]]
  const cases: Case[] = [
    ['a create', 'skipped', [['GET', '/v1/jobs'], create, ['POST', '/v1/jobs', undefined, order]]],
    ['an upload, half sent', 'skipped', [['GET', '/v1/jobs'], upload, ['POST', '/v1/uploads', undefined, form]]],
    ['the first call of a connection', 'failed', [create, ['POST', '/v1/jobs', undefined, order]]],
    // Many times: all of it may happen within a millisecond.
    ...Array.from(
      { length: 20 },
      (_, i): Case => [
        `once more, which no library does, ${i}`,
        'failed',
        [['GET', '/v1/jobs'], create, create, create],
      ],
    ),
  ]
  for (const [what, verdict, calls] of cases) {
    const own = `test_${what.replace(/\W/g, '')}`
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (const one of calls) await call(agent, own, ...one)
    agent.destroy()
    t.equal(verdictOf(mock.conduct(own), 'errors.no-hammering'), verdict, what)
  }
})
