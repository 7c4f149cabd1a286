/** Each documented failure (ERR-3, ERR-4, GO-5) can be had in all four ways, from fetch and from curl alike. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import type { RunningMock } from '../../client/mock.ts'
import { client, clip, start } from '../support.ts'

/** How long a client waits: long, unless it is to see that no answer comes. */
const longMs = 20_000
const shortMs = 300
const clipPath = join(packageRoot, 'fixtures', 'clips', 'short.mp4')
const shortClip = await clip('short.mp4')

interface Call {
  method: 'GET' | 'POST'
  /** {id} is a completed job of the key's. */
  path: string
  json?: object
  file?: true
}

interface Outcome {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
  /** What came instead of an answer. */
  broken?: string
}

type Send = (url: string, call: Call, headers: Record<string, string>, withinMs: number) => Promise<Outcome>

const jsonOf = (text: string) => (text.startsWith('{') ? JSON.parse(text) : text)

const viaFetch: Send = async (url, { method, json, file }, given, withinMs) => {
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(shortClip)]), 'short.mp4')
  const headers = { ...given, ...(json && { 'content-type': 'application/json' }) }
  const body = file ? form : json && JSON.stringify(json)
  try {
    const response = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(withinMs) })
    return { status: response.status, headers: response.headers, body: jsonOf(await response.text()) }
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } }
    const broken = cause?.code === 'ECONNRESET' ? 'reset' : name === 'TimeoutError' ? 'no answer' : String(error)
    return { status: 0, headers: new Headers(), body: undefined, broken }
  }
}

const viaCurl: Send = async (url, { method, json, file }, headers, withinMs) => {
  const body = file ? ['-F', `file=@${clipPath}`] : json ? ['--json', JSON.stringify(json)] : []
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const args = ['-s', '-i', '-o', '-', '-w', '%{http_code}', '--max-time', String(withinMs / 1000), '-X', method]
  const [exitCode, output] = await new Promise<[number, string]>(resolve => {
    execFile('curl', [...args, ...lines, ...body, url], (error, stdout) => resolve([Number(error?.code ?? 0), stdout]))
  })
  // curl(1): 56 is "failure in receiving network data", 28 "operation timeout".
  const broken = exitCode === 0 ? undefined : ({ 56: 'reset', 28: 'no answer' }[exitCode] ?? `curl: ${exitCode}`)
  const [head = '', text = ''] = output.slice(0, -3).split('\r\n\r\n')
  const found = head.split('\r\n').slice(1)
  const pairs = found.map(line => line.split(/: ?(.*)/, 2) as [string, string])
  return { status: Number(output.slice(-3)), headers: new Headers(pairs), body: jsonOf(text), broken }
}

const clients = { fetch: viaFetch, curl: viaCurl }
type Client = keyof typeof clients

interface Failure {
  scenario: string
  /** The rule that fires; none where the account or the jobs are what is wrong. */
  rule: string
  /** The same by X-Mock-Fault, where it is a single answer. */
  fault?: string
  /** Calls that get through before it. */
  before?: Call[]
  call: Call
  /** What is to come; what would come without the scenario is a 200. */
  expected: { status: number; body?: object } | { status: number; broken: string }
  /** Where it is not the call itself that tells: this one, sent then, with the id that the call gave. */
  thenGet?: string
}

const create: Call = { method: 'POST', path: '/v1/jobs', json: { video_url: 'https://example.com/cat.mp4#t=2' } }
const upload: Call = { method: 'POST', path: '/api/upload', file: true }
const list: Call = { method: 'GET', path: '/v1/jobs' }
const error = (status: number, code: string, message: RegExp) => ({ status, body: { error: { code, message } } })

const failures: Record<string, Failure> = {
  'ERR-3 invalid_request, 400': {
    scenario: 'invalid-request',
    rule: 'refused',
    fault: 'invalid_request',
    call: create,
    expected: error(400, 'invalid_request', /^Invalid request/),
  },
  'ERR-3 invalid_api_key, 401': {
    scenario: 'key-revoked-midway',
    rule: 'none',
    fault: 'invalid_api_key',
    before: [list, create, list],
    call: create,
    expected: error(401, 'invalid_api_key', /^Invalid API key/),
  },
  'ERR-3 rate_limited, 429 with Retry-After': {
    scenario: 'rate-limited-then-ok',
    rule: 'wait-2s',
    fault: 'rate_limited; retry_after=2',
    call: create,
    expected: error(429, 'rate_limited', /^Too many requests/),
  },
  'ERR-3 insufficient_credits, 402': {
    scenario: 'insufficient-credits',
    rule: 'none',
    fault: 'insufficient_credits',
    call: create,
    expected: error(402, 'insufficient_credits', /^Not enough credits to process this video/),
  },
  'ERR-3 internal_error, 500': {
    scenario: 'internal-error-once',
    rule: 'once',
    fault: 'internal_error',
    call: list,
    expected: error(500, 'internal_error', /^Internal error/),
  },
  'ERR-3 timeout, 504': {
    scenario: 'timeout-504',
    rule: 'times-out',
    fault: 'timeout; delay=2s',
    call: create,
    expected: error(504, 'timeout', /^The request timed out/),
  },
  'ERR-4 POST /api/upload, 400 "Invalid file type"': {
    scenario: 'upload-rejected',
    rule: 'wrong-type',
    fault: 'invalid_file_type',
    call: upload,
    expected: error(400, 'invalid_request', /^Invalid file type/),
  },
  'ERR-4 POST /api/upload, 400 "File too large"': {
    scenario: 'upload-rejected',
    rule: 'too-large',
    fault: 'file_too_large',
    before: [upload],
    call: upload,
    expected: error(400, 'invalid_request', /^File too large/),
  },
  'ERR-4 GET /v1/jobs/{job_id}, 404 "Job not found"': {
    scenario: 'job-not-found',
    rule: 'unknown',
    fault: 'job_not_found',
    call: { method: 'GET', path: '/v1/jobs/{id}' },
    expected: error(404, 'not_found', /^Job not found/),
  },
  'ERR-4 GET /api/download/{job_id}, 400 "Job not completed"': {
    scenario: 'download-not-ready',
    rule: 'not-yet',
    fault: 'job_not_completed',
    call: { method: 'GET', path: '/api/download/{id}' },
    expected: error(400, 'invalid_request', /^Job not completed/),
  },
  'ERR-4 POST /v1/jobs, 500 "Processing failed"': {
    scenario: 'processing-failed',
    rule: 'fails',
    fault: 'processing_failed',
    call: create,
    expected: error(500, 'internal_error', /^Processing failed/),
  },
  'GO-5 a job that fails': {
    scenario: 'job-fails',
    rule: 'none',
    call: create,
    thenGet: '/v1/jobs/{id}',
    expected: { status: 200, body: { status: 'failed', error: 'Processing failed', output_url: null } },
  },
  'GO-5 a connection that is reset': {
    scenario: 'connection-reset',
    rule: 'reset',
    fault: 'reset',
    call: list,
    expected: { status: 0, broken: 'reset' },
  },
  'GO-5 no answer in time': {
    scenario: 'no-answer',
    rule: 'silence',
    fault: 'no_answer',
    call: list,
    expected: { status: 0, broken: 'no answer' },
  },
}

/** Time goes fast, so that a delay of 2 s is none. */
async function startFast(options: Parameters<typeof start>[1] = {}): Promise<RunningMock> {
  const started = await start(t, options)
  started.clock.setSpeed(1000)
  return started
}

/** For what is switched on by key or by header. */
const mock = await startFast()

/** Sends what is needed to meet a failure, and gives what came of it. */
async function meet(mock: RunningMock, failure: Failure, send: Send, key: string, headers = {}, withinMs = longMs) {
  const given = { 'x-api-key': key, ...headers }
  const { before = [], call, thenGet } = failure
  const id = call.path.includes('{id}') ? await client(mock, key).job() : ''
  for (const call of before) await viaFetch(mock.url + call.path, call, given, longMs)
  const found = await send(mock.url + call.path.replace('{id}', id), call, given, withinMs)
  if (thenGet === undefined) return found
  const url = mock.url + thenGet.replace('{id}', found.body.id)
  return { ...(await send(url, list, { 'x-api-key': key }, longMs)), headers: found.headers }
}

const putFor = async (scenario: unknown, key?: string) =>
  (await client(mock, null).call('PUT', '/__mock/scenario', {
    body: JSON.stringify({ scenario, key }),
    headers: { 'content-type': 'application/json' },
  })) as { status: number; body: { scenario: string; source: string } }

for (const [n, [title, failure]] of Object.entries(failures).entries()) {
  const { scenario, rule, fault, expected } = failure
  const isBroken = 'broken' in expected
  const withinMs = isBroken && expected.broken === 'no answer' ? shortMs : longMs

  t.test(`${title}: in all four ways, by curl and by fetch`, async t => {
    const file = join(packageRoot, 'scenarios', `${scenario}.yaml`)
    const served = await startFast({ scenario: n % 2 === 0 ? scenario : file })
    t.teardown(() => served.close())

    async function isMet(way: string, by: Client, mock: RunningMock, key: string, headers = {}) {
      const found = await meet(mock, failure, clients[by], key, headers, withinMs)
      t.match(found, expected, `${way} by ${by}`)
      if (isBroken) return
      const told = [found.headers.get('x-mock-scenario'), found.headers.get('x-mock-rule')]
      t.strictSame(told, way === 'X-Mock-Fault' ? [way, way] : [scenario, rule], `${way} by ${by}: X-Mock-*`)
      if (found.status === 429) t.equal(found.headers.get('retry-after'), '2')
    }
    async function isSpared(key: string) {
      const { status, headers, body } = await meet(mock, failure, viaFetch, key)
      const told = [status, body.error ?? null, headers.get('x-mock-scenario')]
      t.strictSame(told, [200, null, null], `${key} has no part in it`)
    }

    for (const by of ['fetch', 'curl'] as const) {
      const keys = { put: `test_put_${n}_${by}`, header: `test_header_${n}_${by}`, fault: `test_fault_${n}_${by}` }
      t.match(await putFor(scenario, keys.put), { status: 200, body: { scenario, source: 'put_key' } })
      await Promise.all([
        isMet('--scenario', by, served, `test_${by}`),
        isMet('PUT', by, mock, keys.put),
        isMet("the key's name", by, mock, `test_${scenario}__${n}_${by}`),
        isMet('X-Mock-Scenario', by, mock, keys.header, { 'x-mock-scenario': scenario }),
        fault && isMet('X-Mock-Fault', by, mock, keys.fault, { 'x-mock-fault': fault }),
        isSpared(keys.header),
        isSpared(`test_other_${n}_${by}`),
      ])
    }
  })
}

t.test('a scenario is switched on as an object too, and DELETE ends it, for a key or for all', async t => {
  const key = 'test_object'
  const api = client(mock, key)
  const rules = [{ name: 'teapot', then: { error: 'internal_error', message: 'Short and stout' } }]
  t.match(await putFor({ name: 'mine', rules }, key), { status: 200, body: { scenario: 'mine', source: 'put_key' } })
  const found = await api.get('/v1/jobs')
  t.match(found, { status: 500, body: { error: { message: 'Short and stout' } } })
  t.match([found.headers.get('x-mock-scenario'), found.headers.get('x-mock-rule')], ['mine', 'teapot'])
  t.equal((await client(mock).get('/v1/jobs')).status, 200)
  const ended = { status: 200, body: { ended: true, active: { scenario: null, source: null } } }
  t.match(await api.call('DELETE', `/__mock/scenario?key=${key}`), ended)
  t.equal((await api.get('/v1/jobs')).status, 200)
  t.match((await api.call('DELETE', `/__mock/scenario?key=${key}`)).body, { ended: false })

  const account = { revoked: { after_calls: 0 } }
  t.match(await putFor({ account }, key), { status: 200, body: { scenario: 'inline' } })
  t.match(await api.get('/v1/jobs'), { status: 401, body: { error: { code: 'invalid_api_key' } } })
  await client(mock).call('DELETE', '/__mock/scenario')
  t.equal((await api.get('/v1/jobs')).status, 200)
})

t.test('the narrower way wins, and /__mock/scenario names it, why, and what it overrides', async t => {
  const file = join(t.testdir(), 'of-mine.yaml')
  await writeFile(file, 'rules: [{name: served, then: {error: internal_error}}]\n')
  const mock = await start(t, { scenario: file })
  const named = 'test_rate-limited-then-ok__x'
  const codeOf = async (key: string, headers?: Record<string, string>) =>
    (await client(mock, key).post('/v1/jobs', create.json, headers)).body.error?.code
  const active = async (key: string) => (await client(mock, null).get(`/__mock/scenario?key=${key}`)).body

  t.equal(await codeOf('test_a'), 'internal_error')
  const served = { scenario: 'of-mine', source: 'serve', why: 'by --scenario, for every key' }
  t.match(await active('test_a'), { ...served, overridden: [] })

  const all = mock.use('insufficient-credits')
  t.equal(await codeOf('test_a'), 'insufficient_credits')
  const putAll = { scenario: 'insufficient-credits', source: 'put_all', why: 'by PUT /__mock/scenario, for every key' }
  t.strictSame((await active('test_a')).overridden, [served])
  t.match(await active('test_a'), putAll)

  for (const key of ['test_a', named]) mock.use('job-fails', { key })
  t.equal(await codeOf('test_a'), undefined, 'the job is made, and fails')
  const putKey = { scenario: 'job-fails', source: 'put_key', why: 'by PUT /__mock/scenario, for this key' }
  t.match(await active('test_a'), putKey)
  t.strictSame((await active('test_a')).overridden, [putAll, served])

  const byName = { scenario: 'rate-limited-then-ok', source: 'key', why: "by the key's name" }
  t.match(await active(named), { ...byName, description: /Retry-After: 2/, rules: [{ name: 'wait-2s', fired: 0 }] })
  t.strictSame((await active(named)).overridden, [putKey, putAll, served])
  t.equal(await codeOf(named, { 'x-mock-scenario': 'invalid-request' }), 'invalid_request')
  const both = { 'x-mock-scenario': 'invalid-request', 'x-mock-fault': 'invalid_api_key' }
  t.equal(await codeOf(named, both), 'invalid_api_key')
  t.equal(await codeOf(named), 'rate_limited')
  t.match((await active(named)).rules, [{ name: 'wait-2s', fired: 1 }], 'what a header asked for was none of its calls')

  all.end()
  t.strictSame((await active(named)).overridden, [putKey, served])
  mock.reset()
  t.match(await active('test_a'), { ...served, overridden: [] })
})

t.test('three workers that run at the same time see what each sees alone', async t => {
  const scenarios = ['flaky-third-try-succeeds', 'rate-limited-burst', 'credits-run-out-midway']
  const json = { video_url: 'https://example.com/cat.mp4#t=15' }
  async function work(scenario: string, worker: string): Promise<number[]> {
    const key = `test_${scenario}__${worker}`
    mock.clockOf(key).freeze()
    const seen: number[] = []
    while (seen.length < 8) seen.push((await client(mock, key).post('/v1/jobs', json)).status)
    return seen
  }
  const alone: number[][] = []
  for (const scenario of scenarios) alone.push(await work(scenario, 'alone'))
  t.strictSame(alone, [
    [500, 500, 200, 200, 200, 200, 200, 200],
    [200, 200, 200, 200, 200, 429, 429, 429],
    [200, 200, 402, 402, 402, 402, 402, 402],
  ])
  t.strictSame(await Promise.all(scenarios.map(scenario => work(scenario, 'together'))), alone)
})

t.test('mockHeaders: false leaves X-Mock-* out of every answer', async t => {
  const api = client(await start(t, { mockHeaders: false, scenario: 'internal-error-once' }))
  for (const [headers, status] of [
    [{}, 500],
    [{}, 200],
    [{ 'x-mock-fault': 'timeout' }, 504],
  ] as const) {
    const found = await api.get('/v1/jobs', headers)
    t.equal(found.status, status)
    t.notOk([...found.headers.keys()].some(name => name.startsWith('x-mock-')))
  }
})

t.test('ERR-1 a scenario or fault that there is none of is a 400 that says what was meant', async t => {
  const tries: [string, Record<string, string>, RegExp][] = [
    ['test_job-fail__x', {}, /job-fail: there is no such scenario; did you mean job-fails\?/],
    ['test_a', { 'x-mock-scenario': 'timeout-505' }, /timeout-505: .*did you mean timeout-504\?/],
    [
      'test_a',
      { 'x-mock-fault': 'rate_limitd' },
      /"rate_limitd" is neither an error nor a fault; did you mean rate_limited\?/,
    ],
  ]
  for (const [key, headers, message] of tries) {
    const found = await client(mock, key).get('/v1/jobs', headers)
    t.match(found, { status: 400, body: { error: { code: 'invalid_request', message, request_id: /^req_/ } } })
    t.equal(mock.journal.count({ requestId: found.body.error.request_id }), 1)
  }
  t.match(await putFor('joob-fails'), { status: 400, body: { error: { message: /did you mean job-fails\?/ } } })
  await t.rejects(start(t, { scenario: 'jobfails' }), { message: /did you mean job-fails\?/ })
})
