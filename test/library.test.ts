/** Each scenario that ships, through HTTP: that it does what its description says, and how it ends. */
import { createHmac } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { outputsFolder, packageRoot } from '../server/paths.ts'
import type { MockClock } from '../server/start.ts'
import { type Answer, client, clip, start } from './support.ts'

/** One mock for all: every scenario is switched on by a key's name, and so plays in a world of its own. */
const mock = await start(t, { speed: 1, webhookSecret: 'hush' })
const tested = new Map<string, string>()
const cat = { video_url: 'https://example.com/cat.mp4#t=2' }
/** A job is done by then, at speed 1, unless a scenario says otherwise. */
const longEnough = '10s'

interface World {
  key: string
  api: ReturnType<typeof client>
  /** It stands still, and moves when it is stepped. */
  clock: MockClock
}

function worldOf(scenario: string, id = 'x'): World {
  const key = `test_${scenario}__${id}`
  mock.clockOf(key).freeze()
  return { key, api: client(mock, key), clock: mock.clockOf(key) }
}

/** The test of one scenario; its title says what is proved, and begins with the clause. */
function proves(scenario: string, title: string, run: (t: Test, world: World) => Promise<void>): void {
  tested.set(scenario, title)
  t.test(title.replace(' ', ` ${scenario}: `), async t => {
    const world = worldOf(scenario)
    const { way, clauses } = mock.activeScenario(world.key)
    t.equal(way, 'key')
    t.ok(clauses?.includes(title.split(' ', 1)[0] as never), 'the scenario cites the clause')
    await run(t, world)
  })
}

const statuses = (answers: Answer[]) => answers.map(({ status }) => status)
const isError = (t: Test, answer: Answer, status: number, code: string, message: RegExp) =>
  t.match(answer, { status, body: { error: { code, message, request_id: /^req_/ } } })
const create = ({ api }: World) => api.post('/v1/jobs', cat)
const creditsOf = ({ key }: World) => mock.setKey({ key }).credits.available
const jobsOf = ({ key }: World) => mock.snapshot(key).jobs.length

async function times<T>(n: number, run: (i: number) => Promise<T>): Promise<T[]> {
  const found: T[] = []
  for (let i = 0; i < n; i++) found.push(await run(i))
  return found
}

/** A call that the scenario holds back: resolves when `n` of its rules have fired for the key. */
async function fired({ key }: World, n: number): Promise<void> {
  while (mock.activeScenario(key).rules?.reduce((sum, { fired }) => sum + fired, 0) !== n) await setImmediate()
}

/** Lets the world's time pass until `done` says so, or the promise is settled. */
async function pass({ clock }: World, done: Promise<unknown> | (() => boolean), by: string): Promise<void> {
  let settled = false
  if (typeof done !== 'function') {
    const settle = () => {
      settled = true
    }
    done.then(settle, settle)
  }
  while (typeof done === 'function' ? !done() : !settled) {
    clock.step(by)
    await setImmediate()
  }
}

interface Received {
  headers: IncomingHttpHeaders
  raw: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}

/** A receiver of webhooks on a real port. */
async function receiver(t: Test): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const raw = (await request.toArray()).join('')
    received.push({ headers: request.headers, raw, body: JSON.parse(raw) })
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received }
}

const delivered = (job: string, atLeast: number) => mock.journal.waitFor({ kind: 'webhook', job_id: job }, { atLeast })
const events = (received: Received[]) => received.map(({ body }) => body.event)

proves('answer-lost-job-created', 'ID-1 the answer is lost, and a retry finds the job made', async (t, world) => {
  const { api, key } = world
  const create = () => api.post('/v1/jobs', cat, { 'idempotency-key': 'once' })
  await t.rejects(create(), { cause: { code: 'UND_ERR_SOCKET' } })
  t.match(mock.journal.entries({ key }), [{ rule: 'lost-answer', fault: 'close_before_head', job_id: /^job_/ }])
  t.equal(jobsOf(world), 1)
  const retry = await create()
  t.match(retry, { status: 200, body: { id: mock.journal.entries({ key })[0]?.job_id } })
  t.equal(retry.headers.get('idempotency-replayed'), 'true')
  t.equal((await api.get('/v1/jobs')).body.total, 1)
  t.equal(creditsOf(world), 998, 'reserved once')
  await api.job()
  t.equal(jobsOf(world), 2, 'then all is well')
})

proves('brownout', 'ERR-3 errors and latency rise and fall, for whatever is called', async (t, world) => {
  const { api, clock, key } = world
  const calls = 120
  const startedAt = clock.now()
  let made = 0
  const seen = { share: [] as number[], delay: [] as number[] }
  for (const [i, { at, status }] of [
    { at: 0, status: 500 },
    { at: 45_000, status: 504 },
    { at: 100_000, status: 500 },
  ].entries()) {
    clock.step(startedAt + at - clock.now())
    const all = Promise.all([
      ...Array.from({ length: calls / 2 }, (_, n) => api.get(`/v1/jobs?offset=${n}`)),
      ...Array.from({ length: calls / 2 }, (_, n) => api.post('/v1/jobs', { ...cat, metadata: { i, n } })),
    ])
    const before = made
    made += calls
    // A call is not held back until its answer is made: until then, no step counts for it.
    await fired(world, made)
    await pass(world, () => mock.journal.count({ key, kind: 'exchange' }) === made, '500ms')
    const answers = await all
    for (const half of [answers.slice(0, calls / 2), answers.slice(calls / 2)]) {
      const failed = half.filter(answer => answer.status !== 200)
      t.ok(failed.length > 0 && failed.every(answer => answer.status === status), `some ${status} after ${at} ms`)
    }
    seen.share.push(answers.filter(answer => answer.status !== 200).length / calls)
    const delays = mock.journal.entries({ key, kind: 'exchange' }).slice(before)
    seen.delay.push(delays.reduce((sum, { delay_ms = 0 }) => sum + delay_ms, 0) / calls)
  }
  const [early, middle, late] = seen.share as [number, number, number]
  t.ok(early > 0.03 && early < 0.2 && late > 0.03 && late < 0.2, `about 10 % fail at ${early} and ${late}`)
  t.ok(middle > 0.35 && middle < 0.65, `about 50 % fail at ${middle}`)
  const [fast, slow, faster] = seen.delay as [number, number, number]
  t.ok(fast > 100 && slow > 3 * fast && faster > 100 && slow > 3 * faster, `mean delays are ${seen.delay} ms`)
  clock.step(startedAt + 120_000 - clock.now())
  t.strictSame([...new Set(statuses(await times(20, () => create(world))))], [200], 'then all is well, at once')
})

proves('connection-reset', 'GO-5 the first call is reset before anything is done', async (t, world) => {
  await t.rejects(create(world), { cause: { code: 'ECONNRESET' } })
  t.equal(jobsOf(world), 0)
  t.equal((await create(world)).status, 200, 'then all is well')
})

proves('credits-run-out-midway', 'CR-3 40 credits pay for 40 s, then 402', async (t, world) => {
  const { api } = world
  const create = (seconds: number) => api.post('/v1/jobs', { video_url: `https://example.com/cat.mp4#t=${seconds}` })
  t.equal((await create(30)).status, 200)
  isError(t, await create(11), 402, 'insufficient_credits', /^Not enough credits.*: needs 11 credits, the key has 10$/)
  t.equal((await create(10)).status, 200)
  isError(t, await create(1), 402, 'insufficient_credits', /^Not enough credits/)
  t.equal((await api.get('/v1/jobs')).body.total, 2, 'and what runs can be polled')
})

proves('download-cut', 'DL-3 a download that breaks off is resumed by a range request', async (t, world) => {
  const { api, clock } = world
  const id = await api.job()
  clock.step(longEnough)
  const { download_url } = (await api.get(`/api/download/${id}`)).body
  const broken = await fetch(download_url)
  t.equal(broken.status, 200)
  const parts: Uint8Array[] = []
  await t.rejects(async () => {
    for await (const part of broken.body as AsyncIterable<Uint8Array>) parts.push(part)
  }, 'it breaks off')
  const got = Buffer.concat(parts)
  t.equal(got.length, 8192)
  const rest = await fetch(download_url, { headers: { range: `bytes=${got.length}-` } })
  t.equal(rest.status, 206)
  const whole = Buffer.concat([got, new Uint8Array(await rest.arrayBuffer())])
  t.ok(whole.equals(await readFile(join(outputsFolder, 'output.webm'))))
})

proves('download-not-ready', 'DL-2 two downloads of a completed job are refused', async (t, { api, clock }) => {
  const id = await api.job()
  clock.step(longEnough)
  t.equal((await api.get(`/v1/jobs/${id}`)).body.status, 'completed')
  isError(t, await api.get(`/api/download/${id}`), 400, 'invalid_request', /^Job not completed/)
  const keyless = await client(mock, null).get(`/api/download/${id}`)
  isError(t, keyless, 400, 'invalid_request', /^Job not completed/)
  const { status, body } = await api.get(`/api/download/${id}`)
  t.match([status, (await fetch(body.download_url)).status], [200, 200], 'then all is well')
})

proves('flaky-third-try-succeeds', 'GO-3 only the third try makes a job', async (t, world) => {
  const tries = await times(3, () => world.api.post('/v1/jobs', cat, { 'idempotency-key': 'same' }))
  for (const failed of tries.slice(0, 2)) isError(t, failed, 500, 'internal_error', /^Processing failed/)
  t.equal(tries[2]?.status, 200)
  t.equal(jobsOf(world), 1)
})

proves('go-live', 'GO-5 each path is met in turn, ending well', async (t, world) => {
  const { api, clock } = world
  const answers = await times(7, () => create(world))
  t.strictSame(statuses(answers), [200, 200, 504, 500, 429, 402, 200])
  t.strictSame(
    answers.map(({ body }) => body.error?.code),
    [undefined, undefined, 'timeout', 'internal_error', 'rate_limited', 'insufficient_credits', undefined],
  )
  t.equal(answers[4]?.headers.get('retry-after'), '2')
  clock.step(longEnough)
  const [last, failed, first] = (await api.get('/v1/jobs')).body.jobs
  t.match([first.status, failed.status, last.status], ['completed', 'failed', 'completed'])
  t.match(failed, { error: 'Processing failed', billing_status: 'not_charged', output_url: null })
  t.equal(jobsOf(world), 3)
  t.equal(creditsOf(world), 996)
})

proves('insufficient-credits', 'CR-3 402 until it is topped up', async (t, world) => {
  const { api, key } = world
  const refused = [await create(world), await api.upload(await clip('short.mp4'))]
  for (const answer of refused) isError(t, answer, 402, 'insufficient_credits', /^Not enough credits/)
  t.equal(jobsOf(world), 0)
  mock.setKey({ key, top_up: 3 })
  t.equal((await create(world)).status, 200)
  isError(t, await create(world), 402, 'insufficient_credits', /needs 2 credits, the key has 1$/)
})

proves('internal-error-once', 'ERR-5 the first call is answered 500, then all is well', async (t, { api }) => {
  isError(t, await api.get('/v1/jobs'), 500, 'internal_error', /^Internal error/)
  t.strictSame(statuses(await times(5, () => api.get('/v1/jobs'))), [200, 200, 200, 200, 200])
})

proves('invalid-request', 'ERR-3 the same creation is refused however often it is sent', async (t, world) => {
  for (const answer of await times(4, () => create(world)))
    isError(t, answer, 400, 'invalid_request', /^Invalid request/)
  t.equal((await world.api.get('/v1/jobs')).body.total, 0, 'other calls get through')
})

proves('job-fails', 'JOB-4 every job fails midway, and nothing is charged', async (t, world) => {
  const { api, clock } = world
  for (const id of [await api.job(), await api.job({ model: 'pro' })]) {
    clock.step('1.2s')
    t.equal((await api.get(`/v1/jobs/${id}`)).body.status, 'processing')
    clock.step(longEnough)
    const { body } = await api.get(`/v1/jobs/${id}`)
    t.match(body, { status: 'failed', error: 'Processing failed', output_url: null, billing_status: 'not_charged' })
    t.ok(body.progress > 0 && body.progress < 100, `at ${body.progress} %`)
    isError(t, await api.get(`/api/download/${id}`), 400, 'invalid_request', /^Job not completed/)
  }
  t.equal(creditsOf(world), 1000)
})

proves('job-not-found', 'ERR-4 no job is found, not even one that is listed', async (t, { api }) => {
  const id = await api.job({ auto_start: false })
  t.match((await api.get('/v1/jobs')).body.jobs, [{ id }])
  const start = await api.post(`/v1/jobs/${id}/start`)
  for (const answer of [await api.get(`/v1/jobs/${id}`), await api.get(`/api/download/${id}`), start]) {
    isError(t, answer, 404, 'not_found', /^Job not found/)
  }
  t.equal((await api.get('/v1/jobs')).body.jobs[0].status, 'created', 'nothing was started')
})

proves('job-slow-progress', 'JOB-4 two minutes in uneven steps, never back', async (t, { api, clock }) => {
  const id = await api.job()
  const expected = new Map([
    [0, 0],
    [5, 1],
    [20, 10],
    [60, 11],
    [90, 80],
    [110, 99],
    [120, 100],
  ])
  let progress = 0
  for (let second = 0; second <= 125; second++) {
    progress = expected.get(second) ?? progress
    const status = second < 5 ? 'pending' : second < 120 ? 'processing' : 'completed'
    const { body } = await api.get(`/v1/jobs/${id}`)
    if (body.progress !== progress || body.status !== status) {
      t.match(body, { progress, status }, `after ${second} s`)
    }
    clock.step('1s')
  }
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'completed', progress: 100, billing_status: 'charged' })
})

proves('job-stuck', 'JOB-4 every job stays at 42 % for good', async (t, world) => {
  const { api, clock } = world
  const id = await api.job()
  clock.step('1m')
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'processing', progress: 42 })
  clock.step('1d')
  const { body } = await api.get(`/v1/jobs/${id}`)
  t.match(body, { status: 'processing', progress: 42, output_url: null, billing_status: 'pending' })
})

proves('key-revoked-midway', 'AUTH-1 three calls get through, then the key is revoked', async (t, world) => {
  const { api, clock } = world
  t.strictSame(statuses(await times(3, () => create(world))), [200, 200, 200])
  isError(t, await api.get('/v1/jobs'), 401, 'invalid_api_key', /^Invalid API key/)
  clock.step('1d')
  t.equal((await api.get('/v1/jobs')).status, 401, 'waiting helps nothing')
  t.equal((await worldOf('key-revoked-midway', 'other').api.get('/v1/jobs')).status, 200)
})

proves('no-answer', 'GO-5 calls for jobs stay open until the client gives up', async (t, world) => {
  const { api, key } = world
  const body = JSON.stringify(cat)
  const givesUp = (method: string, path: string, init = {}) =>
    t.rejects(api.call(method, path, { ...init, signal: AbortSignal.timeout(300) }), { name: 'TimeoutError' })
  await Promise.all([
    givesUp('GET', '/v1/jobs'),
    givesUp('GET', '/v1/jobs/job_1'),
    givesUp('POST', '/v1/jobs', { body, headers: { 'content-type': 'application/json' } }),
  ])
  t.equal(jobsOf(world), 0)
  t.match(mock.journal.entries({ key }), Array(3).fill({ status: 0, fault: 'no_answer' }))
  t.equal((await api.get('/api/pricing')).status, 200, 'other calls are answered')
})

proves('outage-of-30s', 'ERR-5 500 for 30 s from the first call on, then all is well', async (t, world) => {
  const { api, clock } = world
  clock.step('1h')
  for (const step of ['0ms', '15s', '14.9s']) {
    clock.step(step)
    const answers = [await api.get('/v1/jobs'), await create(world), await api.get('/api/pricing')]
    for (const answer of answers) isError(t, answer, 500, 'internal_error', /^Internal error/)
  }
  clock.step('100ms')
  t.equal((await create(world)).status, 200)
  t.equal(jobsOf(world), 1)
})

proves('processing-failed', 'ERR-4 every creation is answered 500', async (t, world) => {
  for (const answer of await times(4, () => create(world))) {
    isError(t, answer, 500, 'internal_error', /^Processing failed/)
  }
  t.equal((await world.api.get('/v1/jobs')).body.total, 0, 'other calls get through')
})

proves('proxy-html-502', 'ERR-1 two calls are answered by a proxy, without the envelope', async (t, { api }) => {
  for (const { status, headers, body } of await times(2, () => api.get('/v1/jobs'))) {
    t.match([status, headers.get('content-type')], [502, /^text\/html/])
    t.match(body, /<html/i)
  }
  t.match(await api.get('/v1/jobs'), { status: 200, body: { total: 0 } })
})

proves('rate-limited-burst', 'RL-2 five calls in 10 s get through, and Retry-After is enough', async (t, world) => {
  const { api, clock } = world
  const burst = await Promise.all(Array.from({ length: 8 }, () => api.get('/v1/jobs')))
  t.strictSame(statuses(burst).sort(), [200, 200, 200, 200, 200, 429, 429, 429])
  clock.step('3.2s')
  const refused = await api.get('/v1/jobs')
  isError(t, refused, 429, 'rate_limited', /^Too many requests/)
  t.equal(refused.headers.get('retry-after'), '7')
  t.equal(refused.headers.get('ratelimit'), '"requests";r=0;t=7')
  clock.step('6.7s')
  t.equal((await api.get('/v1/jobs')).status, 429, 'the window lasts 10 s')
  clock.step('0.3s')
  t.equal((await api.get('/v1/jobs')).status, 200)
})

proves('rate-limited-then-ok', 'RL-2 the first call is told to wait 2 s', async (t, { api, clock }) => {
  const refused = await api.get('/v1/jobs')
  isError(t, refused, 429, 'rate_limited', /^Too many requests/)
  t.equal(refused.headers.get('retry-after'), '2')
  clock.step('2s')
  t.strictSame(statuses(await times(5, () => api.get('/v1/jobs'))), [200, 200, 200, 200, 200])
})

proves('slow-network', 'GO-5 answers take their time, and files 50 kB a second', async (t, world) => {
  const { api, clock, key } = world
  /** Seconds by the world's clock. */
  async function timed<T>(doing: Promise<T>): Promise<[number, T]> {
    const from = clock.now()
    await pass(world, doing, '20ms')
    return [(clock.now() - from) / 1000, await doing]
  }
  const calls = await times(10, n => timed(api.get(`/v1/jobs?offset=${n}`)))
  const delays = mock.journal.entries({ key }).map(({ delay_ms }) => delay_ms as number)
  t.ok(
    delays.every((ms, n) => ms >= 100 && ms <= 1500 && (calls[n]?.[0] as number) * 1000 >= ms),
    `${delays} ms`,
  )
  const bytes = await clip('short.mp4')
  const [up, { status }] = await timed(api.upload(bytes))
  t.equal(status, 200)
  t.ok(up >= bytes.length / 50_000, `${bytes.length} bytes up in ${up} s`)
  const [, id] = await timed(api.job())
  clock.step(longEnough)
  const [, { body }] = await timed(api.get(`/v1/jobs/${id}`))
  const [down, file] = await timed(fetch(body.output_url).then(response => response.arrayBuffer()))
  t.equal(file.byteLength, (await readFile(join(outputsFolder, 'output.webm'))).length, 'whole')
  t.ok(down >= file.byteLength / 50_000, `${file.byteLength} bytes down in ${down} s`)
})

proves('timeout-504', 'ERR-5 a creation is answered 504 after 2 s, and makes no job', async (t, world) => {
  const { api, clock, key } = world
  const answer = create(world)
  await fired(world, 1)
  clock.step('1.9s')
  t.equal((await api.get('/v1/jobs')).status, 200, 'other calls get through')
  t.equal(mock.journal.count({ key, route: 'createJob' }), 0, 'not before its time')
  clock.step('0.1s')
  isError(t, await answer, 504, 'timeout', /^The request timed out/)
  t.equal(jobsOf(world), 0)
})

proves('upload-cut', 'UP-1 the first upload is cut off, the second is taken', async (t, { api, key }) => {
  const bytes = await clip('longer.mp4')
  await t.rejects(api.upload(bytes), { message: 'fetch failed' })
  t.match(mock.journal.entries({ key }), [{ fault: 'cut_upload' }])
  const { status, body } = await api.upload(bytes)
  t.match([status, body.size], [200, bytes.length])
  t.equal((await fetch(body.video_url)).status, 200)
})

proves('upload-rejected', 'UP-2 wrong type, then too large, then taken', async (t, { api }) => {
  const bytes = await clip('short.mp4')
  isError(t, await api.upload(bytes), 400, 'invalid_request', /^Invalid file type/)
  const legacy = await api.upload(bytes, 'short.mp4', '', '/api/upload')
  isError(t, legacy, 400, 'invalid_request', /^File too large/)
  t.match(await api.upload(bytes), { status: 200, body: { size: bytes.length } })
})

proves('webhook-bad-signature', 'WH-2 the signature is there, and is wrong', async (t, { api, clock }) => {
  const { url, received } = await receiver(t)
  const id = await api.job({ webhook_url: url })
  clock.step(longEnough)
  await delivered(id, 2)
  for (const { headers, raw } of received) {
    const text = `${headers['x-webhook-timestamp']}.${raw}`
    t.match(headers['x-webhook-signature'], /^sha256=[0-9a-f]{64}$/)
    t.not(headers['x-webhook-signature'], `sha256=${createHmac('sha256', 'hush').update(text).digest('hex')}`)
  }
  t.equal(received.length, 2)
})

proves('webhook-duplicate', 'WH-2 each webhook comes twice, with one delivery id', async (t, { api, clock }) => {
  const { url, received } = await receiver(t)
  const id = await api.job({ webhook_url: url })
  clock.step(longEnough)
  await delivered(id, 4)
  t.strictSame(events(received), ['job.started', 'job.started', 'job.completed', 'job.completed'])
  const [a, b, c, d] = received.map(({ headers, raw }) => [headers['x-webhook-delivery-id'], raw])
  t.strictSame([a, c], [b, d])
  t.not(a?.[0], c?.[0])
})

proves('webhook-late', 'WH-1 each webhook comes 30 s after its event', async (t, world) => {
  const { api, clock } = world
  const { url, received } = await receiver(t)
  const id = await api.job({ webhook_url: url })
  const begins: number[] = []
  for (const status of ['processing', 'completed']) {
    while ((await api.get(`/v1/jobs/${id}`)).body.status !== status) clock.step('100ms')
    begins.push(clock.now())
  }
  for (const [n, at] of begins.entries()) {
    clock.step(at + 29_900 - clock.now())
    t.equal(mock.journal.count({ kind: 'webhook', job_id: id }), n, 'not before its time')
    clock.step('100ms')
    await delivered(id, n + 1)
  }
  t.strictSame(events(received), ['job.started', 'job.completed'])
})

proves('webhook-lost', 'WH-3 no webhook arrives, and polling tells how the job went', async (t, { api, clock }) => {
  const { url, received } = await receiver(t)
  const id = await api.job({ webhook_url: url })
  clock.step('1m')
  t.match(await delivered(id, 2), [
    { event: 'job.started', fault: 'lost', status: 0 },
    { event: 'job.completed', fault: 'lost', status: 0 },
  ])
  const { body } = await api.get(`/v1/jobs/${id}`)
  t.match(body, { status: 'completed', output_url: /^http/ })
  t.match(body.webhook_events, [{ status: 'sent' }, { status: 'sent' }], 'the API believes that they were')
  const other = await client(mock, 'test_webhooks').job({ webhook_url: url })
  mock.clockOf('test_webhooks').step(longEnough)
  await delivered(other, 2)
  t.ok(received.length === 2 && received.every(({ body }) => body.data.id === other), 'the receiver is well')
})

proves('webhook-out-of-order', 'WH-1 job.started comes after the end of the job', async (t, { api, clock }) => {
  const ends = { 'job.completed': 'cat.mp4', 'job.failed': 'fail.mp4' }
  for (const [end, video] of Object.entries(ends)) {
    const { url, received } = await receiver(t)
    const id = await api.job({ webhook_url: url, video_url: `https://example.com/${video}#t=2` })
    clock.step(longEnough)
    await delivered(id, 2)
    t.strictSame(events(received), [end, 'job.started'])
    t.equal(received[1]?.body.data.status, 'processing', 'as it was then')
  }
})

t.test('every scenario that ships is proved here, cites clauses, and says in a line what it is for', async t => {
  const files = readdirSync(join(packageRoot, 'scenarios')).filter(file => file.endsWith('.yaml'))
  const names = files.map(file => basename(file, '.yaml'))
  t.strictSame(names.sort(), [...tested.keys()].sort())
  const { scenarios } = (await client(mock).get('/__mock/scenarios')).body
  t.strictSame(
    scenarios.map(({ name }: { name: string }) => name),
    names,
  )
  for (const { name, description, clauses } of scenarios) {
    t.match(description, /^\S.{15,130}[.:]?\S\.$/, `${name}: its description is one line`)
    t.ok(clauses.length > 0, `${name}: it cites clauses`)
  }
})
