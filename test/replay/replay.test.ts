/** A recording is sent again: to the mock of today, which answers as it did, and to servers that don't. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Ajv } from 'ajv'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { realDelay } from '../../base/clock.ts'
import type { RunningMock } from '../../client/mock.ts'
import { parse } from '../../contracts/answers.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { HarWriter } from '../../recordings/write.ts'
import { type ReplayReport, ReplayReport as ReplayReportSchema } from '../../replay/report.ts'
import { replayReporters } from '../../replay/reporters.ts'
import { type ReplayOptions, replay } from '../../replay/run.ts'
import { buildApp } from '../../server/app.ts'
import { completeConfig, type MockOptions } from '../../server/config.ts'
import { harEntryOf } from '../../server/journalHar.ts'
import { Library } from '../../server/scenarios/library.ts'
import { listen } from '../../server/start.ts'
import { altered, front, type Handle, json, type Call as ProxiedCall } from '../suite/checking.ts'
import { client, clip, isProving, type Ran, scenarioOfEachKind, start, understudy } from '../support.ts'

t.jobs = 4
const test = (title: string, run: (t: Test) => Promise<void>) => t.test(title, { buffered: true }, run)

interface Recorder extends RunningMock {
  entries(): HarEntry[]
  /** Writes what has passed so far to a file of the test's own. */
  har(change?: (entries: HarEntry[]) => HarEntry[]): string
}

/** A mock whose journal can be written as a recording. */
async function recorder(t: Test, options: MockOptions = {}): Promise<Recorder> {
  const config = completeConfig({
    port: 0,
    logLevel: 'silent',
    outputs: 'canned',
    seed: 'recorded',
    rateLimit: 0,
    jobLimit: 0,
    ...options,
  })
  const app = buildApp(config, pino({ level: 'silent' }))
  const mock = await listen(app)
  t.teardown(() => mock.close())
  const folder = mkdtempSync(join(tmpdir(), 'replay-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  let files = 0
  const entries = () =>
    [...app.mock.worlds]
      .flatMap(world => [...world.journal])
      .sort((a, b) => a.seq - b.seq)
      .map(entry => harEntryOf(entry, app.mock.journal))
  return {
    ...mock,
    entries,
    har: (change = all => all) => written(join(folder, `${files++}.har`), mock.url, change(entries())),
  }
}

const sharedMocks = new Map<string, Promise<RunningMock>>()

/** A mock to replay to that tests share: each replay has keys of its own there, and so worlds. */
function sharedMock(options: MockOptions = {}): Promise<RunningMock> {
  const name = JSON.stringify(options)
  const mock = sharedMocks.get(name) ?? start(t, options)
  sharedMocks.set(name, mock)
  return mock
}

function written(file: string, target: string, entries: readonly HarEntry[]): string {
  const writer = new HarWriter(file, { _target: target })
  for (const entry of entries) writer.add(entry)
  writer.close()
  return file
}

const cat = { video_url: 'https://example.com/cat.mp4#t=2' }
const told = ({ why, differences, not_sent, notes }: ReplayReport) =>
  JSON.stringify({ why, differences, not_sent, notes }, null, 1)

/** Replays at once, and gives the report. */
const again = (file: string, { url }: { url: string }, options: ReplayOptions = {}) =>
  replay(file, url, { speed: 'instant', ...options })

function same(t: Test, report: ReplayReport, atLeast = 1): void {
  t.ok(report.ok, told(report))
  t.equal(report.sent, report.calls)
  t.ok(report.sent >= atLeast, `${report.sent} calls were sent`)
}

const everyFault = [
  ...['rate_limited; retry_after=2', 'internal_error', 'proxy_html', 'malformed_json', 'wrong_content_type'],
  ...['reset', 'close_before_head', 'truncated_body', 'reset_mid_body', 'empty_reply', 'broken_envelope'],
]

/** A session that meets most of what there is to meet. */
async function longSession(mock: RunningMock): Promise<void> {
  const api = client(mock)
  const other = client(mock, 'test_other')
  const nobody = client(mock, null)
  await api.get('/health')
  await nobody.get('/api/pricing')
  await nobody.get('/v1/jobs')
  await client(mock, 'wrong').get('/v1/jobs')
  const { body: upload } = await api.upload(await clip('short.mp4'), 'cat.mp4', 'video/mp4', '/v1/uploads', {
    'idempotency-key': 'up',
  })
  await api.upload(await clip('short.mp4'), 'cat.mp4', '', '/v1/uploads', { 'idempotency-key': 'up' })
  await api.upload(await clip('short.webm'), 'cat.webm', '', '/v1/uploads', { 'idempotency-key': 'up' })
  await nobody.upload(await clip('short.mov'), 'cat.mov', '', '/api/upload')
  await api.upload(Buffer.from('no video'), 'cat.txt', 'text/plain')
  await api.call('POST', '/v1/uploads', { headers: { 'content-type': 'application/json' }, body: '{}' })
  await api.get(upload.video_url)
  const draft = await api.job({ video_url: upload.video_url, auto_start: false, metadata: { n: 1 } })
  await api.get(`/v1/jobs/${draft}`)
  await nobody.get(`/api/download/${draft}`)
  await api.post(`/v1/jobs/${draft}/start`, { output_format: 'gif' })
  await api.post(`/v1/jobs/${draft}/start`)
  const failing = await api.job({ video_url: 'https://example.com/fail.mp4#t=3' })
  for (const id of [draft, failing]) {
    mock.clockOf('test_key').step('3s')
    await api.get(`/v1/jobs/${id}`)
    mock.clockOf('test_key').step('1m')
    await api.get(`/v1/jobs/${id}`)
  }
  await other.get(`/v1/jobs/${draft}`)
  const { body: download } = await api.get(`/api/download/${draft}`)
  await fetch(download.download_url, { headers: { range: 'bytes=0-99' } }).then(answer => answer.arrayBuffer())
  await fetch(download.download_url, { method: 'HEAD' })
  const file = await fetch(download.download_url)
  await file.arrayBuffer()
  await fetch(download.download_url, { headers: { 'if-none-match': file.headers.get('etag') ?? '' } })
  await fetch(download.download_url, { headers: { range: 'bytes=99999999-' } }).then(answer => answer.text())
  await api.get(`/api/download/${failing}`)
  await api.post(`/v1/jobs/${failing}/start`)
  await api.get('/v1/jobs?limit=1&offset=1')
  await api.get('/v1/jobs?limit=0')
  await api.get('/v1/usage/summary?days=7')
  await api.get('/v1/usage/events?limit=5')
  await api.get('/v1/jobs/job_unknown')
  await api.get('/v1/nothing')
  await api.post('/v1/jobs', '{"video_url": ')
  await api.post('/v1/jobs', { model: 'none' })
  await api.post('/v1/jobs', { video_url: 'https://example.com/long.mp4#t=90000' })
  await api.post('/v1/jobs', cat, { 'idempotency-key': 'one' })
  await api.post('/v1/jobs', cat, { 'idempotency-key': 'one' })
  await api.post('/v1/jobs', { ...cat, model: 'light' }, { 'idempotency-key': 'one' })
  await other.post('/v1/jobs', cat, { 'x-mock-world': 'split' })
  await other.get('/v1/jobs', { 'x-mock-world': 'split' })
  for (const fault of everyFault) await api.get('/v1/jobs', { 'x-mock-fault': fault }).catch(() => {})
  await Promise.all(Array.from({ length: 8 }, (_, i) => api.post('/v1/jobs', { ...cat, metadata: { i } })))
}

test('a long session is answered by the mock of today as it was recorded', async t => {
  const mock = await recorder(t, { speed: 1 })
  await longSession(mock)
  same(t, await again(mock.har(), await sharedMock({ speed: 1 })), 60)
})

/** The head of what stalls has to be there by then, on a busy machine too. */
const patienceMs: Readonly<Record<string, number>> = { 'no-answer': 20, 'download-stalls': 2_000 }

/** A client as RL-3 wants it: it tries again what may pass, gives up what won't, and stops at an end. */
async function retryingClient(mock: RunningMock, key: string): Promise<void> {
  const clock = mock.clockOf(key)
  const { url } = mock
  const headers = { 'x-api-key': key }
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Answered | undefined> => {
    for (let n = 0; n < 5; n++) {
      const answer = await fetch(path.startsWith('http') ? path : url + path, {
        ...init,
        method,
        headers: { ...headers, ...(init.headers as Record<string, string>) },
        // Only a call that is never answered, or not to its end, gets that far.
        signal: AbortSignal.timeout(patienceMs[mock.activeScenario(key).scenario ?? ''] ?? 20_000),
      }).catch(() => undefined)
      const text = await answer?.text().catch(() => undefined)
      if (answer !== undefined && text !== undefined) {
        const isFinal = answer.status < 429 && !/not completed/i.test(text)
        if (isFinal) return { status: answer.status, text }
        const asked = answer.headers.get('retry-after') ?? ''
        const date = Date.parse(asked)
        const wait = /^\d+$/.test(asked)
          ? Number(asked) * 1000
          : asked.endsWith('GMT')
            ? date - clock.now()
            : 2 ** n * 1000
        clock.step(Math.max(0, wait) + 100)
      } else clock.step(`${2 ** n}s`)
    }
    return undefined
  }
  const bodyOf = (answer: Answered | undefined) => (answer?.status === 200 ? jsonIn(answer.text) : {})
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(await clip('short.mp4'))], { type: 'video/mp4' }), 'short.mp4')
  const { video_url = 'https://example.com/cat.mp4#t=2' } = bodyOf(await ask('POST', '/v1/uploads', { body: form }))
  // As many as these need to come to their end.
  const jobs = /^test_(go-live|credits)/.test(key) ? 6 : 2
  for (let job = 0; job < jobs; job++) {
    const { id } = bodyOf(
      await ask('POST', '/v1/jobs', {
        body: JSON.stringify({
          video_url: job === 0 ? video_url : 'https://example.com/cat.mp4#t=9',
          metadata: { job },
        }),
        headers: { 'content-type': 'application/json', 'idempotency-key': `job ${job}` },
      }),
    )
    if (id === undefined) continue
    let state = ''
    // Long enough for a job of either world: one that lags in the replay takes polls more, which a scenario counts.
    for (let poll = 0; poll < 8 && state !== 'completed' && state !== 'failed'; poll++) {
      clock.step('45s')
      state = bodyOf(await ask('GET', `/v1/jobs/${id}`)).status
    }
    const { download_url } = bodyOf(await ask('GET', `/api/download/${id}`))
    if (job === 0 && download_url !== undefined) {
      await ask('GET', download_url)
      await ask('GET', download_url, { headers: { range: 'bytes=0-1' } })
    }
  }
  await ask('GET', '/v1/jobs')
}

/** Half of a JSON text is nothing that a client could use. */
// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
const jsonIn = (text: string): any => parse(text) ?? {}

interface Answered {
  status: number
  text: string
}

const scenarios = isProving ? new Library(undefined).names() : scenarioOfEachKind

for (const scenario of scenarios) {
  test(`${scenario} is played again for its recording`, async t => {
    const mock = await recorder(t, { speed: 1 })
    mock.clock.setSpeed(30)
    await retryingClient(mock, `test_${scenario}__x`)
    same(t, await again(mock.har(), await sharedMock({ speed: 1 })), 4)
  })
}

test('a machine that is slow lets little time pass that the recording does not know', async t => {
  const mock = await recorder(t, { speed: 1 })
  const key = 'test_slow-network__x'
  const api = client(mock, key)
  mock.clock.setSpeed(30)
  for (let call = 0; call < 3; call++) await api.get('/v1/jobs')
  const target = await start(t, { speed: 1 })
  // Every answer is late by real time; the mock's own controls are not.
  const late = await front(t, target, async ({ url }, pass) => {
    const reply = await pass()
    if (!url.startsWith('/__mock')) await realDelay(900)
    return reply
  })
  const file = mock.har()
  const report = await again(file, late)
  same(t, report, 3)
  const entries = target.journal.entries({ kind: 'exchange' })
  const passed = Date.parse(entries.at(-1)?.time ?? '') - Date.parse(entries[0]?.time ?? '')
  t.ok(passed < 60_000, `${passed} ms passed by the clock`)
})

test('a rule with a time or a length meets the calls that it met, though each answer comes later now', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'replay-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(
    join(folder, 'ends.yaml'),
    `name: ends
rules:
  - { name: window, when: { time: 0s-3s, calls: "2-" }, then: { error: timeout } }
  - { name: length, after: 4, for: 2s, then: { error: internal_error } }
`,
  )
  const options = { speed: 1, scenarios: folder }
  const mock = await recorder(t, options)
  mock.clock.freeze()
  const statuses = []
  for (let call = 0; call < 11; call++) {
    statuses.push((await client(mock, 'test_ends__x').get('/v1/jobs')).status)
    mock.clock.step(900)
  }
  t.same(statuses, [200, 504, 504, 504, 200, 200, 200, 500, 500, 500, 200])
  const target = await start(t, options)
  const late = await front(t, target, async ({ headers }, pass) => {
    const reply = await pass()
    const key = headers['x-api-key']
    if (typeof key === 'string') target.clockOf(key).step('2s')
    return reply
  })
  same(t, await again(mock.har(), late), 11)
})

/** One job from its upload to its file, as most sessions go. */
async function shortSession(mock: RunningMock): Promise<void> {
  const api = client(mock)
  const { body: upload } = await api.upload(await clip('short.mp4'))
  const id = await api.job({ video_url: upload.video_url })
  await api.get(`/v1/jobs/${id}`)
  const { body } = await api.get(`/api/download/${id}`)
  await api.get(body.download_url)
  await api.get('/v1/jobs')
  await api.get('/v1/jobs/job_none')
  await api.post('/v1/jobs', {}, { 'x-mock-fault': 'rate_limited; retry_after=2' })
}

const shortRecording = (async () => {
  const mock = await recorder(t, { speed: 'instant' })
  await shortSession(mock)
  return mock
})()

const isPoll = ({ method, url }: ProxiedCall) => method === 'GET' && /^\/v1\/jobs\/job_(?!none)/.test(url)

/** A server before the mock that does one thing otherwise, and what the replay has to say of it. */
const changes: Record<string, [handle: Handle, differences: [call: number, what: string, found: RegExp][]]> = {
  'another status': [
    async (call, pass) =>
      call.url === '/v1/jobs' && call.method === 'GET' ? { ...(await pass()), status: 203 } : pass(),
    [[6, 'status', /^203$/]],
  ],
  'an error in the place of an answer, and all that needs it': [
    async (call, pass) =>
      call.url === '/v1/jobs' && call.method === 'POST' && call.headers['x-mock-fault'] === undefined
        ? json(500, { error: { code: 'internal_error', message: 'Oh', request_id: 'req_1' } })
        : pass(),
    [[2, 'status', /^500 internal_error$/]],
  ],
  'another code': [
    async (_call, pass) => {
      const reply = await pass()
      return reply.status === 429
        ? altered(reply, body => ({ error: { ...(body.error as object), code: 'too_many' } }))
        : reply
    },
    [[8, 'code', /^429 too_many$/]],
  ],
  'a field that is missing': [
    async (call, pass) => (isPoll(call) ? altered(await pass(), ({ progress: _, ...body }) => body) : pass()),
    [[3, 'schema', /^missing$/]],
  ],
  'a field of another type in a list': [
    async (call, pass) =>
      call.url === '/v1/jobs' && call.method === 'GET'
        ? altered(await pass(), body => ({
            ...body,
            jobs: (body.jobs as object[]).map(job => ({ ...job, status: 1 })),
          }))
        : pass(),
    [[6, 'schema', /^1$/]],
  ],
  'a job that fails': [
    async (call, pass) =>
      isPoll(call)
        ? altered(await pass(), body => ({ ...body, status: 'failed', error: 'Oh', output_url: null }))
        : pass(),
    [[3, 'state', /^failed$/]],
  ],
  'a download that is lost': [
    async (call, pass) => (call.url.startsWith('/files/outputs/') ? pass('/files/outputs/none/output.webm') : pass()),
    [[5, 'status', /^404 /]],
  ],
  'a download of another type': [
    async (call, pass) => {
      const reply = await pass()
      return call.url.startsWith('/files/outputs/')
        ? { ...reply, headers: { ...reply.headers, 'content-type': 'video/mp4' } }
        : reply
    },
    [[5, 'content_type', /^video\/mp4$/]],
  ],
  'a page in the place of JSON': [
    async (call, pass) => {
      const reply = await pass()
      return call.url === '/v1/jobs/job_none'
        ? { ...reply, headers: { 'content-type': 'text/html' }, body: '<p>' }
        : reply
    },
    [[7, 'code', /^404$/]],
  ],
  'no Retry-After': [
    async (_call, pass) => {
      const { headers, ...reply } = await pass()
      const { 'retry-after': _, ...rest } = headers
      return { ...reply, headers: rest }
    },
    [[8, 'retry_after', /^none$/]],
  ],
  'a connection that is cut': [
    async (call, pass) => (isPoll(call) ? void call.response.destroy() : pass()),
    [[3, 'cut', /^no answer/]],
  ],
  'an answer that is cut': [
    async (call, pass) => {
      if (!call.url.startsWith('/files/outputs/')) return pass()
      call.response.writeHead(200, { 'content-type': 'video/webm', 'content-length': 10_000 })
      call.response.write('beginning', () => call.response.destroy())
      return undefined
    },
    [[5, 'cut', /^200, cut in the answer's body/]],
  ],
}

for (const [what, [handle, expected]] of Object.entries(changes)) {
  test(`another answer is found: ${what}`, async t => {
    const mock = await shortRecording
    const target = await front(t, await sharedMock(), handle)
    const report = await again(mock.har(), target)
    t.notOk(report.ok)
    t.match(
      report.differences.map(({ call, what, found }) => [call, what, found]),
      expected.map(([call, what, found]) => [call, what, found]),
      told(report),
    )
    t.equal(report.differences.length, expected.length, told(report))
    const first = report.differences[0]
    t.match(first?.recorded.request_id, /^req_/)
  })
}

test('what needs a job that never came is not sent, and says so', async t => {
  const mock = await shortRecording
  const [handle] = changes['an error in the place of an answer, and all that needs it'] as [Handle, unknown]
  const target = await front(t, await sharedMock(), handle)
  const report = await again(mock.har(), target)
  t.match(
    report.not_sent.map(({ call, why }) => [call, why]),
    [3, 4, 5].map(call => [call, 'needs the job of call 2']),
  )
  t.equal(report.sent, 5, 'all else is sent')
  t.notOk(report.ok)
})

test('a job that never comes as far as it had is a difference, after --job-timeout', async t => {
  const mock = await shortRecording
  const target = await front(t, await sharedMock(), async (call, pass) =>
    isPoll(call) ? altered(await pass(), body => ({ ...body, status: 'processing', output_url: null })) : pass(),
  )
  for (const control of [true, false]) {
    const report = await again(mock.har(), target, { jobTimeout: 200, control, key: ['test_own'] })
    t.match(report.differences, [{ call: 3, what: 'state', expected: 'completed', found: 'processing' }])
    t.ok(report.repeated > 1, `${report.repeated} polls more`)
  }
})

test('a job that takes longer is waited for, so that its download meets the same', async t => {
  const mock = await shortRecording
  const target = await start(t, { speed: 1 })
  const report = await again(mock.har(), target)
  same(t, report)
  t.ok(report.repeated > 0)
  t.match(report.notes, [/^call 3: its job had not come as far as when it was recorded/])
  t.equal(target.clockOf('anonymous').now() - target.clock.now() < 1000, true, 'nobody else has lost time')
})

test('a burst that met the limit is compared as a group, and the keys are kept apart', async t => {
  const mock = await recorder(t, { rateLimit: 40, jobLimit: 5, speed: 'instant' })
  const burst = (key: string) => {
    const api = client(mock, key)
    return Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const { status, body } = await api.post('/v1/jobs', { ...cat, metadata: { i } })
        if (status === 200) await api.get(`/v1/jobs/${body.id}`)
      }),
    )
  }
  await Promise.all(['test_a', 'test_b'].map(burst))
  const har = mock.har()
  const target = await start(t, { rateLimit: 40, jobLimit: 5 })
  const replays = isProving ? 3 : 1
  for (let n = 0; n < replays; n++) {
    const report = await again(har, target)
    same(t, report, 30)
  }
  const looser = await again(har, await start(t, { rateLimit: 40, jobLimit: 6 }))
  t.match(
    looser.differences.map(({ expected, found }) => [expected, found]),
    [
      ['429 rate_limited', '200'],
      ['429 rate_limited', '200'],
    ],
  )
  const worlds = new Set(target.journal.entries({ status: 429 }).map(({ world }) => world))
  t.equal(worlds.size, 2 * replays, 'two new keys for each replay')
})

test('which of two calls at once met the limit is chance, and the job of the other one is followed', async t => {
  const mock = await recorder(t, { jobLimit: 1, speed: 'instant' })
  const api = client(mock)
  const id = await api.job()
  await api.post('/v1/jobs', cat)
  await api.get(`/v1/jobs/${id}`)
  // The two creations began in one ms and took ten; the poll came after both.
  const har = mock.har(entries =>
    entries.map((entry, i) => ({ ...entry, startedDateTime: new Date(i < 2 ? 0 : 20).toISOString(), time: 10 })),
  )
  const refused = { error: { code: 'rate_limited', message: 'Too many', request_id: 'req_0' } }
  const limiting = (order: (n: number) => boolean) => {
    let n = 0
    return front(t, target, async (call, pass) => {
      if (call.method !== 'POST' || call.url !== '/v1/jobs' || order(n++)) return pass()
      const reply = json(429, refused)
      return { ...reply, headers: { ...reply.headers, 'retry-after': '1', ratelimit: '"x";r=0;t=1' } }
    })
  }
  const target = await start(t)
  const relevant = ({ differences }: ReplayReport) => differences.filter(({ what }) => what !== 'schema')
  const turned = await again(har, await limiting(n => n === 1))
  t.strictSame([relevant(turned), turned.not_sent], [[], []], told(turned))
  const both = await again(har, await limiting(() => false))
  t.match(relevant(both), [{ expected: '200', found: '429 rate_limited' }])
  t.match(both.not_sent, [{ call: 3, why: 'needs the job of call 1' }])
})

test('calls that were in flight together are so again', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  let inFlight = 0
  let most = 0
  const handle: Handle = async ({ url }, pass) => {
    if (url === '/health') return pass()
    most = Math.max(most, ++inFlight)
    // Four at once, or none gets on.
    while (most < 4) await setImmediate()
    return pass().finally(() => inFlight--)
  }
  const before = await front(t, mock, handle)
  await Promise.all(Array.from({ length: 4 }, () => client(before).get('/v1/jobs')))
  const har = mock.har(entries =>
    entries.map((entry, i) => ({ ...entry, startedDateTime: new Date(i).toISOString(), time: 10 })),
  )
  most = 0
  inFlight = 0
  same(t, await again(har, await front(t, await sharedMock(), handle), { key: ['test_own'], control: false }), 4)
  t.equal(most, 4)
})

test('a call that began after another one had ended waits for its end, with the same gaps at a speed', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  for (let i = 0; i < 3; i++) await client(mock).get('/v1/jobs')
  const har = mock.har(entries =>
    entries.map((entry, i) => ({ ...entry, startedDateTime: new Date(i * 10_000).toISOString(), time: 5 })),
  )
  const at: number[] = []
  const target = await front(t, await sharedMock(), (_call, pass) => {
    at.push(performance.now())
    return pass()
  })
  same(t, await replay(har, target.url, { speed: 100, key: ['test_own'], control: false }), 3)
  const calls = at.slice(1)
  const gaps = calls.slice(1).map((time, i) => time - (calls[i] as number))
  t.ok(
    gaps.every(gap => gap >= 95),
    `gaps of 10 s at a speed of 100: ${gaps} ms`,
  )
})

test('--speed sets the clock of the key, so that a window ends when it did', async t => {
  const mock = await recorder(t, { rateLimit: 2, speed: 'instant' })
  const api = client(mock)
  for (let i = 0; i < 3; i++) await api.get('/v1/jobs')
  mock.clockOf('test_key').step('61s')
  await api.get('/v1/jobs')
  const report = await replay(mock.har(), (await start(t, { rateLimit: 2 })).url, { speed: 100 })
  same(t, report, 4)
})

test('a key is sent where it was: its own, none, or one that nobody knows', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  await client(mock, 'test_first').get('/v1/jobs')
  await client(mock, 'test_second').get('/v1/jobs')
  await client(mock, 'someone').get('/v1/jobs')
  await client(mock, null).get('/v1/jobs')
  await client(mock, 'test_first').get('/v1/jobs', { 'x-mock-world': 'w' })
  const target = await front(t, await sharedMock(), (_call, pass) => pass())
  const keys = ['test_mine-1', 'test_mine-2']
  const report = await again(mock.har(), target, { key: keys, control: false, header: ['X-Own: hush-hush'] })
  same(t, report, 4)
  const calls = target.calls.filter(({ url }) => url === '/v1/jobs')
  const sent = calls.map(({ headers }) => headers['x-api-key'])
  t.match(sent, ['test_mine-1', 'test_mine-2', /^understudy_unknown_/, undefined, 'test_mine-1'])
  t.equal(calls.at(-1)?.headers['x-mock-world'], 'w')
  t.ok(calls.every(({ headers }) => headers['x-own'] === 'hush-hush'))
  await t.rejects(
    again(mock.har(), target, { control: false, key: ['test_one'] }),
    /has 2 keys.*expected --key 2 times/,
  )
})

/** What a recorder in front of the mock knows: a call that got no answer told it of no scenario either. */
const seenFromOutside = (entries: HarEntry[]): HarEntry[] =>
  entries.map(({ _scenario, _rule, ...entry }) =>
    entry.response.status === 0 ? entry : { ...entry, ...(_scenario && { _scenario }), ...(_rule && { _rule }) },
  )

for (const key of ['test_connection-reset__x', null]) {
  test(`a scenario whose first call got no answer is on before that call, ${key ?? 'without a key'}`, async t => {
    const mock = await recorder(t, { speed: 'instant' })
    const body = JSON.stringify({ key: 'anonymous', scenario: 'connection-reset' })
    const headers = { 'content-type': 'application/json' }
    if (key === null) await fetch(`${mock.url}/__mock/scenario`, { method: 'PUT', headers, body })
    const api = client(mock, key)
    await t.rejects(api.get('/api/pricing'))
    await api.get('/health')
    for (let i = 0; i < 2; i++) await api.get('/api/pricing')
    same(t, await again(mock.har(seenFromOutside), await sharedMock()), 4)
  })
}

test('what was switched on later is not on for what was answered before', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  const api = client(mock)
  await api.get('/v1/jobs')
  await fetch(`${mock.url}/__mock/scenario`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: 'test_key', scenario: 'connection-reset' }),
  })
  await t.rejects(api.get('/v1/jobs'))
  await api.get('/v1/jobs')
  same(t, await again(mock.har(seenFromOutside), await sharedMock()), 3)
})

for (const [what, name] of [
  ['with the file of its retry', 'cat.mp4'],
  ['with another one by a key of its own', 'other.mp4'],
]) {
  test(`an upload that was cut goes again ${what}`, async t => {
    const mock = await recorder(t, { speed: 'instant' })
    const api = client(mock, 'test_upload-cut__x')
    const upload = async () =>
      api.upload(await clip('longer.mp4'), 'cat.mp4', '', '/v1/uploads', { 'idempotency-key': 'up' })
    await t.rejects(upload())
    t.equal((await upload()).status, 200)
    t.equal((await upload()).headers.get('idempotency-replayed'), 'true')
    const har = mock.har(entries =>
      seenFromOutside(entries).map(entry =>
        entry.response.status === 0
          ? {
              ...entry,
              request: { ...entry.request, postData: { params: [{ name: 'file', fileName: name as string }] } },
            }
          : entry,
      ),
    )
    const target = await front(t, await sharedMock(), (_call, pass) => pass())
    const report = await again(har, target, { key: ['test_own'], control: false })
    t.match(report.differences, [{ call: 1, found: /200/ }])
    t.equal(report.differences.length, 1, told(report))
    const keys = target.calls.flatMap(({ url, headers }) => (url === '/v1/uploads' ? [headers['idempotency-key']] : []))
    t.equal(keys.length, 3)
    t.equal(new Set(keys).size, name === 'cat.mp4' ? 1 : 2)
    t.equal(report.notes.length, name === 'cat.mp4' ? 0 : 1)
    same(t, await again(har, await sharedMock()), 3)
  })
}

test('limits, failures and cuts say nothing of a key, and one that was good is not unknown', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  for (let i = 0; i < 4; i++) await client(mock, 'someone').get('/v1/jobs')
  for (let i = 0; i < 2; i++) await client(mock, 'test_cut').get('/v1/jobs')
  for (let i = 0; i < 4; i++) await client(mock, 'test_key-revoked-midway__x').get('/v1/jobs')
  const har = mock.har(entries =>
    entries.map((entry, i): HarEntry => {
      const { _world, ...other } = entry
      const status = [429, 500, 0, 401, 0, 0][i]
      if (status === undefined || status === 401) return i < 4 ? { ...other, _world: 'abcdef012345' } : entry
      const left: HarEntry = { ...other, response: { status, headers: [] } }
      return i < 4 ? { ...left, _world: 'abcdef012345' } : { ...left, _world: _world as string }
    }),
  )
  const target = await front(t, await sharedMock(), (_call, pass) => pass())
  await again(har, target, { key: ['test_a', 'test_b'], control: false })
  const sent = target.calls.flatMap(({ url, headers }) => (url === '/v1/jobs' ? [headers['x-api-key']] : []))
  const wrong = /^understudy_unknown_/
  t.match(sent, [wrong, wrong, wrong, wrong, 'test_a', 'test_a', 'test_b', 'test_b', 'test_b', 'test_b'])
})

test('no secret that was given is in a report', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  await client(mock).get('/v1/jobs')
  const target = await front(t, await sharedMock(), call =>
    json(500, { mine: call.headers['x-api-key'], own: call.headers['x-own'], url: 'http://x/?api_key=hidden-away' }),
  )
  const report = await again(mock.har(), target, {
    key: ['test_canary-1'],
    header: ['X-Own: canary-2'],
    control: false,
  })
  t.notOk(report.ok)
  for (const reporter of Object.values(replayReporters)) {
    const text = reporter(report)
    t.notMatch(text, /canary|hidden-away/)
    t.match(text, /\$(KEY_1|HEADER_X_OWN)|(differs|status).*500/s)
  }
})

test('a second replay on the same endpoint is no first answer again', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  for (let i = 0; i < 2; i++) await client(mock).post('/v1/jobs', cat, { 'idempotency-key': 'once' })
  const har = mock.har()
  const target = await start(t)
  const own = { key: ['test_own'], control: false }
  for (let i = 0; i < 2; i++) same(t, await again(har, target, own), 2)
  t.equal(target.snapshot('test_own').jobs.length, 2, 'one job for each replay')
})

test('--strict compares bodies field by field', async t => {
  const mock = await shortRecording
  const target = await front(t, await sharedMock(), async (call, pass) =>
    isPoll(call) ? altered(await pass(), body => ({ ...body, duration_seconds: 7 })) : pass(),
  )
  same(t, await again(mock.har(), target))
  const strict = await again(mock.har(), target, { strict: true })
  t.match(strict.differences, [{ call: 3, what: 'body', pointer: '/duration_seconds', expected: '2', found: '7' }])
  t.equal(strict.differences.length, 1, told(strict))
})

test('what is none of the API is left out, and counted', async t => {
  const mock = await recorder(t, { speed: 'instant' })
  await client(mock).get('/v1/jobs')
  const [first] = mock.entries() as [HarEntry]
  const other = (method: string, url: string): HarEntry => ({ ...first, request: { ...first.request, method, url } })
  const har = mock.har(entries => [
    ...entries,
    other('OPTIONS', `${mock.url}/v1/jobs`),
    other('GET', 'https://example.com/v1/me'),
    other('GET', `${mock.url}/v1/admin/keys`),
    other('GET', `${mock.url}/__mock/clock`),
    { ...other('POST', 'http://127.0.0.1:1/hook'), _kind: 'webhook' },
  ])
  const report = await again(har, await sharedMock())
  same(t, report, 1)
  t.strictSame(report.left_out, { webhooks: 1, options: 1, other_hosts: 1, admin: 1, control: 1 })
})

const command = (...args: string[]): Promise<Ran> => understudy(['replay', ...args])

test('the command says by its exit code how it went, and in one line what is wrong', async t => {
  const mock = await shortRecording
  const har = mock.har()
  const target = await start(t)
  const good = await command(har, target.url, '--speed', 'instant')
  t.equal(good.code, 0, good.stdout + good.stderr)
  t.match(good.stdout, /8 calls sent again: no difference\.\n$/)
  t.match(good.stderr, /a mock: keys are created/)
  const [handle] = changes['another status'] as [Handle, unknown]
  const other = await front(t, target, handle)
  const report = join(dirname(har), 'report.json')
  const bad = await command(har, other.url, '--speed', 'instant', '--reporter', 'junit', '--reporter', `json=${report}`)
  t.equal(bad.code, 1)
  t.match(bad.stdout, /<failure type="failed" message="call 6: GET .v1.jobs: the status differs"/)
  const json = JSON.parse(readFileSync(report, 'utf8'))
  t.ok(new Ajv({ strict: false }).validate(ReplayReportSchema, json), 'the report is as its schema says')

  const truncated = join(dirname(har), 'truncated.har')
  writeFileSync(truncated, readFileSync(har).subarray(0, 3_000))
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[truncated, target.url], 2, /truncated\.har ends in the midst of entry \d+, .* cut off/],
    [[join(dirname(har), 'none.har'), target.url], 2, /none\.har can't be read/],
    [[report, target.url], 2, /is not a recording/],
    [[har, 'https://api.example.com'], 2, /is not on this machine.*--allow-remote/],
    [[har, 'here'], 2, /"here" is not a URL/],
    [[har, target.url, '--speed', 'fast'], 2, /--speed is "fast"; expected "instant" or a number above 0/],
    [[har, target.url, '--no-control'], 2, /has 1 key.*expected --key with a valid key/],
    [[har, 'http://127.0.0.1:1'], 3, /nothing listens at 127\.0\.0\.1:1/],
  ]
  await Promise.all(
    cases.map(async ([args, code, message]) => {
      const ran = await command(...args)
      t.equal(ran.code, code, `${args.slice(1)}: ${ran.stderr}`)
      t.match(ran.stderr.trim().split('\n').at(-1), message)
      t.equal(ran.stdout, '')
    }),
  )
})

test('a recording of another tool is replayed too, with files that are not in it', async t => {
  const mock = await shortRecording
  const har = mock.har(entries =>
    entries.map(({ startedDateTime, time, request, response }) => ({
      startedDateTime,
      time,
      request: {
        ...request,
        ...(request.postData?.params && {
          postData: { mimeType: request.postData.mimeType, params: [{ name: 'file', fileName: 'cat.mov' }] },
        }),
      },
      response,
    })),
  )
  const report = await again(har, await sharedMock())
  same(t, report, 8)
  t.match(report.notes, ['call 1: the bytes of cat.mov are not in the recording: short.mov was sent in their place'])
})

test('a client that went away does so again, and is not told otherwise', async t => {
  const mock = await recorder(t, { speed: 1 })
  const gone = new AbortController()
  const headers = { 'x-api-key': 'test_key', 'x-mock-fault': 'no_answer' }
  const unanswered = fetch(`${mock.url}/v1/jobs`, { headers, signal: gone.signal }).catch(() => {})
  await mock.journal.waitFor({ kind: 'exchange' })
  gone.abort()
  await unanswered
  await client(mock).get('/v1/jobs')
  const [first, second] = mock.entries() as [HarEntry, HarEntry]
  const { _fault, ...left } = first
  const har = mock.har(() => [{ ...left, _cut: { by: 'client', when: 'before_head', how: 'closed' } }, second])
  same(t, await again(har, await sharedMock()), 2)
  same(t, await again(mock.har(), await sharedMock()), 2)
})
