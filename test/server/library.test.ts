/** Each scenario that ships, through HTTP: that it does what its description says, and how it ends. */

import { createHmac } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Duration } from '../../base/duration.ts'
import { outputsFolder, packageRoot } from '../../base/paths.ts'
import { type ErrorCodeName, errorCodes } from '../../contracts/errors.ts'
import { type Answer, client, clip, start } from '../support.ts'

/** One mock for all: every scenario is switched on by a key's name, and so is played in a world of its own. */
const mock = await start(t, { speed: 1, webhookSecret: 'hush' })
const tested = new Set<string>()
const ten = Array.from({ length: 10 }, (_, i) => i)
const cat = { video_url: 'https://example.com/cat.mp4#t=2' }
/** At speed 1 a job is done by then, unless its scenario says otherwise. */
const longEnough = '10s'

type World = ReturnType<typeof worldOf>

/** A key's world. Its time stands still until it is stepped. */
function worldOf(key: string) {
  const api = client(mock, key)
  const clock = mock.clockOf(key)
  clock.freeze()
  return {
    key,
    api,
    clock,
    create: (headers?: Record<string, string>) => api.post('/v1/jobs', cat, headers),
    /** Makes a job and lets it finish. */
    async finished() {
      const id = await api.job()
      clock.step(longEnough)
      return id
    },
    view: async (id: string) => (await api.get(`/v1/jobs/${id}`)).body,
    jobs: () => mock.snapshot(key).jobs.length,
    credits: () => mock.setKey({ key }).credits.available,
  }
}

/** The test of one scenario. Its title is a clause that it proves, the scenario's name, and what it says. */
function proves(title: string, run: (t: Test, world: World) => Promise<void>): void {
  const [clause = '', scenario = ''] = title.split(/:? /)
  tested.add(scenario)
  t.test(title, async t => {
    const world = worldOf(`test_${scenario}__x`)
    const active = mock.activeScenario(world.key)
    t.match(active, { scenario, source: 'key' })
    t.ok(active.clauses?.includes(clause), `it cites ${clause}`)
    await run(t, world)
  })
}

function areErrors(t: Test, answers: Answer[], status: number, message: RegExp): void {
  const found = answers.map(({ status, body }) => ({ status, ...body.error }))
  t.match(found, Array(Math.max(1, answers.length)).fill({ status, message }))
  for (const { code } of found) t.equal(errorCodes[code as ErrorCodeName]?.status, status, `the code is ${code}`)
}

const statuses = (answers: Answer[]) => answers.map(({ status }) => status)

async function times<T>(n: number, run: () => Promise<T>): Promise<T[]> {
  const found: T[] = []
  while (found.length < n) found.push(await run())
  return found
}

/** Resolves when rules have fired `n` times: the calls have come, and are held back. */
async function fired({ key }: World, n: number): Promise<void> {
  while (mock.activeScenario(key).rules?.reduce((sum, rule) => sum + rule.fired, 0) !== n) await setImmediate()
}

/** Lets the world's time pass until something is done. */
async function pass({ clock }: World, by: Duration, isDone: () => boolean): Promise<void> {
  for (; !isDone(); clock.step(by)) await setImmediate()
}

interface Received {
  headers: IncomingHttpHeaders
  raw: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}

/** Makes a job whose webhooks go to a receiver on a real port. */
async function hooked(t: Test, { api }: World, video_url = cat.video_url) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const raw = (await request.toArray()).join('')
    received.push({ headers: request.headers, raw, body: JSON.parse(raw) })
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const webhook_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return { id: await api.job({ video_url, webhook_url }), webhook_url, received }
}

/** The same, when the job has finished and so many webhooks have come. */
async function heard(t: Test, world: World, atLeast: number, video_url?: string): Promise<Received[]> {
  const { id, received } = await hooked(t, world, video_url)
  world.clock.step(longEnough)
  await delivered(id, atLeast)
  return received
}

const delivered = (jobId: string, atLeast: number) => mock.journal.waitFor({ kind: 'webhook', jobId }, { atLeast })
const events = (received: Received[]) => received.map(({ body }) => body.event)

proves('ID-1 answer-lost-job-created: a retry finds the job', async (t, { key, create, jobs, credits }) => {
  const once = { 'idempotency-key': 'once' }
  await t.rejects(create(once), { code: 'ECONNRESET' })
  t.equal(jobs(), 1)
  const [lost] = mock.journal.entries({ key })
  t.match(lost, { rule: 'lost-answer', fault: 'close_before_head', job_id: /^job_/ })
  const retry = await create(once)
  t.match(retry, { status: 200, body: { id: lost?.job_id } })
  t.equal(retry.headers.get('idempotency-replayed'), 'true')
  t.match([jobs(), credits()], [1, 998], 'one job, reserved once')
  t.match([(await create()).status, jobs()], [200, 2], 'then all is well')
})

/** Told by what the same creation is answered, call by call: each 200 has made one job, and nothing else has. */
const creations: Record<string, [statuses: number[], message: RegExp]> = {
  'ERR-5 internal-error-once: the first call is answered 500, then all is well': [[500, 200, 200], /^Internal error/],
  'ERR-4 processing-failed: every creation is answered 500': [[500, 500, 500, 500], /^Processing failed/],
  'GO-3 flaky-third-try-succeeds: only the third try makes a job': [[500, 500, 200], /^Processing failed/],
  'ERR-3 invalid-request: a creation is refused each time it is sent': [[400, 400, 400, 400], /^Invalid request/],
  'RL-2 rate-limited-then-ok: the first call is told to wait 2 s': [[429, 200, 200], /^Too many requests/],
  'AUTH-1 key-revoked-midway: the fourth call is refused': [[200, 200, 200, 401, 401], /^Invalid API key/],
}
for (const [title, [expected, message]] of Object.entries(creations)) {
  proves(title, async (t, { key, clock, create, jobs }) => {
    const answers = await times(expected.length, create)
    t.strictSame(statuses(answers), expected)
    const errors = answers.filter(({ status }) => status !== 200)
    areErrors(t, errors, errors[0]?.status as number, message)
    for (const { headers } of answers.filter(({ status }) => status === 429)) t.equal(headers.get('retry-after'), '2')
    t.equal(jobs(), answers.length - errors.length)
    clock.step('1d')
    const later = await client(mock, key).get('/v1/jobs')
    t.equal(later.status, expected.at(-1) === 401 ? 401 : 200, 'other calls get through, but for a revoked key')
  })
}

proves('ERR-3 brownout: errors and latency rise and fall, whatever is called', async (t, world) => {
  const { api, clock, key, create } = world
  const startedAt = clock.now()
  const share: number[] = []
  const delay: number[] = []
  for (const [n, at] of [0, 45_000, 100_000].entries()) {
    clock.step(startedAt + at - clock.now())
    const gets = Array.from({ length: 60 }, (_, i) => api.get(`/v1/jobs?offset=${i}`))
    const posts = Array.from({ length: 60 }, (_, i) => api.post('/v1/jobs', { ...cat, metadata: { at, i } }))
    await fired(world, 120 * (n + 1))
    // Ends with the last delay, and not with the last answer, so that no more time passes than has to.
    await pass(world, '500ms', () => mock.journal.count({ key, kind: 'exchange' }) === 120 * (n + 1))
    for (const calls of [gets, posts]) {
      const failed = (await Promise.all(calls)).filter(({ status }) => status !== 200)
      areErrors(t, failed, n === 1 ? 504 : 500, n === 1 ? /^The request timed out/ : /^Internal error/)
      share.push(failed.length / calls.length)
    }
    const entries = mock.journal.entries({ key, kind: 'exchange' }).slice(-120)
    delay.push(entries.reduce((sum, { delay_ms = 0 }) => sum + delay_ms, 0) / 120)
  }
  const isAbout = (from: number, to: number) => (found: number) => found >= from && found <= to
  t.ok([...share.slice(0, 2), ...share.slice(4)].every(isAbout(0.02, 0.2)), `10 % fail at first and last: ${share}`)
  t.ok(share.slice(2, 4).every(isAbout(0.35, 0.65)), `50 % fail in the middle: ${share}`)
  const [first = 0, middle = 0, last = 0] = delay
  t.ok(first > 100 && middle > 3 * first && middle > 3 * last && last > 100, `mean delays: ${delay} ms`)
  clock.step(startedAt + 120_000 - clock.now())
  t.strictSame(statuses(await times(10, create)), Array(10).fill(200), 'then all is well, without a delay')
})

proves('GO-5 connection-reset: the first call is reset before anything is done', async (t, { create, jobs }) => {
  await t.rejects(create(), { code: 'ECONNRESET' })
  t.equal(jobs(), 0)
  t.equal((await create()).status, 200, 'then all is well')
})

proves('CR-3 credits-run-out-midway: 40 credits pay for 40 s, then 402', async (t, { api, jobs }) => {
  const create = (s: number) => api.post('/v1/jobs', { video_url: `https://example.com/cat.mp4#t=${s}` })
  t.equal((await create(30)).status, 200)
  areErrors(t, [await create(11)], 402, /^Not enough credits.*: needs 11 credits, the key has 10$/)
  t.equal((await create(10)).status, 200)
  areErrors(t, [await create(1), await create(1)], 402, /^Not enough credits/)
  t.equal(jobs(), 2)
})

proves('DL-3 download-cut: what has broken off is resumed by a range request', async (t, { api, finished }) => {
  const id = await finished()
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
  t.ok(whole.equals(await readFile(join(outputsFolder, 'output.webm'))), 'both parts are the whole')
})

proves('DL-2 download-not-ready: two downloads of a completed job are refused', async (t, { api, finished, view }) => {
  const id = await finished()
  t.equal((await view(id)).status, 'completed')
  const path = `/api/download/${id}`
  areErrors(t, [await api.get(path), await client(mock, null).get(path)], 400, /^Job not completed/)
  const { body } = await api.get(path)
  t.equal((await fetch(body.download_url)).status, 200, 'then all is well')
})

proves('GO-5 go-live: each path is met in turn, ending well', async (t, { clock, create, api, credits }) => {
  const answers = await times(7, create)
  t.strictSame(statuses(answers), [200, 200, 504, 500, 429, 402, 200])
  t.match(
    answers.slice(2, 6).map(({ body }) => body.error.code),
    ['timeout', 'internal_error', 'rate_limited', 'insufficient_credits'],
  )
  t.equal(answers[4]?.headers.get('retry-after'), '2')
  clock.step(longEnough)
  const { total, jobs } = (await api.get('/v1/jobs')).body
  t.match([total, credits()], [3, 996])
  const failed = { status: 'failed', error: 'Processing failed', billing_status: 'not_charged' }
  t.match(jobs, [{ status: 'completed' }, failed, { status: 'completed' }])
})

proves('CR-3 insufficient-credits: 402 until it is topped up', async (t, { key, api, create, jobs }) => {
  areErrors(t, [await create(), await api.upload(await clip('short.mp4'))], 402, /^Not enough credits/)
  t.equal(jobs(), 0)
  mock.setKey({ key, topUp: 3 })
  t.equal((await create()).status, 200)
  areErrors(t, [await create()], 402, /needs 2 credits, the key has 1$/)
})

proves('JOB-4 job-fails: every job fails midway, and nothing is charged', async (t, { api, clock, view, credits }) => {
  for (const model of ['original', 'pro']) {
    const id = await api.job({ model })
    clock.step('1.19s')
    t.match((await view(id)).status, /pending|processing/)
    clock.step(longEnough)
    const job = await view(id)
    t.match(job, { status: 'failed', error: 'Processing failed', output_url: null, billing_status: 'not_charged' })
    t.ok(job.progress > 0 && job.progress < 100, `at ${job.progress} %`)
  }
  t.equal(credits(), 1000)
})

proves('ERR-4 job-not-found: no job is found, not even one that is listed', async (t, { api }) => {
  const id = await api.job({ auto_start: false })
  const found = [await api.get(`/v1/jobs/${id}`), await api.get(`/api/download/${id}`)]
  areErrors(t, [...found, await api.post(`/v1/jobs/${id}/start`)], 404, /^Job not found/)
  t.match((await api.get('/v1/jobs')).body.jobs, [{ id, status: 'created' }], 'and nothing was started')
})

proves('JOB-4 job-slow-progress: two minutes in uneven steps, never back', async (t, { api, clock, view }) => {
  const id = await api.job()
  const seen: unknown[][] = []
  for (let second = 0; second <= 130; second++, clock.step('1s')) {
    const { status, progress } = await view(id)
    if (seen.at(-1)?.[1] !== status || seen.at(-1)?.[2] !== progress) seen.push([second, status, progress])
  }
  t.strictSame(seen, [
    [0, 'pending', 0],
    [5, 'processing', 1],
    [20, 'processing', 10],
    [60, 'processing', 11],
    [90, 'processing', 80],
    [110, 'processing', 99],
    [120, 'completed', 100],
  ])
})

proves('JOB-4 job-stuck: every job stays at 42 % for good', async (t, { api, clock, view }) => {
  const id = await api.job()
  for (const step of ['1m', '1d'] as const) {
    clock.step(step)
    t.match(await view(id), { status: 'processing', progress: 42, output_url: null, billing_status: 'pending' })
  }
})

proves('GO-5 no-answer: calls for jobs stay open until the client gives up', async (t, { key, api, jobs }) => {
  const signal = AbortSignal.timeout(300)
  const post = { body: JSON.stringify(cat), headers: { 'content-type': 'application/json' } }
  const calls = [
    api.call('GET', '/v1/jobs', { signal }),
    api.call('GET', '/v1/jobs/job_1', { signal }),
    api.call('POST', '/v1/jobs', { ...post, signal }),
  ]
  await Promise.all(calls.map(call => t.rejects(call, { name: 'TimeoutError' })))
  t.match(mock.journal.entries({ key }), Array(3).fill({ status: 0, fault: 'no_answer' }))
  t.equal(jobs(), 0)
  t.equal((await api.get('/api/pricing')).status, 200, 'other calls are answered')
})

proves('ERR-5 outage-of-30s: 500 for 30 s, then all is well', async (t, world) => {
  const { api, clock, create, jobs, finished } = world
  for (const step of ['0ms', '15s', '14.9s'] as const) {
    clock.step(step)
    areErrors(t, [await create(), await api.get('/v1/jobs'), await api.get('/api/pricing')], 500, /^Internal error/)
  }
  clock.step('100ms')
  t.match([(await create()).status, jobs()], [200, 1])
  const keyless = await client(mock, null).get(`/api/download/${await finished()}`)
  t.equal(keyless.status, 200, "a call without the key goes by the time of its job's world")
  const late = worldOf('test_outage-of-30s__late')
  late.clock.step('1h')
  t.equal((await late.create()).status, 500, 'it begins with the first call')
})

proves('ERR-1 proxy-html-502: a proxy answers two calls, without the envelope', async (t, { create, jobs }) => {
  for (const { status, headers, body } of await times(2, create)) {
    t.match([status, headers.get('content-type'), body], [502, /^text\/html/, /<html/i])
  }
  t.match([jobs(), (await create()).status], [0, 200], 'then all is well')
})

proves('RL-2 rate-limited-burst: five calls pass in 10 s, and Retry-After is enough', async (t, { api, clock }) => {
  const burst = await Promise.all(ten.map(() => api.get('/v1/jobs')))
  t.equal(burst.filter(({ status }) => status === 200).length, 5)
  areErrors(t, burst.slice(5), 429, /^Too many requests/)
  clock.step('3.2s')
  const { headers } = await api.get('/v1/jobs')
  t.match([headers.get('retry-after'), headers.get('ratelimit')], ['7', '"requests";r=0;t=7'])
  clock.step('6.7s')
  t.equal((await api.get('/v1/jobs')).status, 429, 'the window lasts 10 s')
  clock.step('0.3s')
  t.equal((await api.get('/v1/jobs')).status, 200)
})

proves('GO-5 slow-network: answers take their time, and files 50 kB a second', async (t, world) => {
  const { key, api, clock } = world
  /** How long it takes, in seconds by the world's clock. */
  async function timed<T>(call: Promise<T>): Promise<[number, T]> {
    const from = clock.now()
    let isDone = false
    const done = () => {
      isDone = true
    }
    call.then(done, done)
    await pass(world, '50ms', () => isDone)
    return [(clock.now() - from) / 1000, await call]
  }
  const took = await Promise.all(ten.map(n => timed(api.get(`/v1/jobs?offset=${n}`))))
  const delays = mock.journal.entries({ key, kind: 'exchange' }).map(({ delay_ms }) => delay_ms as number)
  t.ok(delays.every(ms => ms >= 100 && ms <= 1500) && new Set(delays).size > 5, `it takes ${delays} ms`)
  t.ok(Math.max(...took.map(([seconds]) => seconds * 1000)) >= Math.max(...delays), 'and it really does')
  const bytes = await clip('short.mp4')
  const [up, { status }] = await timed(api.upload(bytes))
  t.ok(status === 200 && up >= bytes.length / 50_000, `${bytes.length} bytes up in ${up} s`)
  const [, id] = await timed(api.job())
  clock.step(longEnough)
  const [, { output_url }] = await timed(world.view(id))
  const [down, file] = await timed(fetch(output_url).then(response => response.arrayBuffer()))
  t.ok(down >= file.byteLength / 50_000, `${file.byteLength} bytes down in ${down} s`)
  t.ok((await readFile(join(outputsFolder, 'output.webm'))).equals(new Uint8Array(file)), 'and they are all there')
})

proves('ERR-5 timeout-504: a creation is answered 504 after 2 s, and makes no job', async (t, world) => {
  const { key, api, clock, create, jobs } = world
  const answer = create()
  await fired(world, 1)
  clock.step('1.9s')
  t.equal((await api.get('/v1/jobs')).status, 200, 'other calls get through')
  t.equal(mock.journal.count({ key, route: 'createJob' }), 0, 'it is not answered before its time')
  clock.step('0.1s')
  areErrors(t, [await answer], 504, /^The request timed out/)
  t.equal(jobs(), 0)
})

proves('UP-1 upload-cut: the first upload is cut off, the second is taken', async (t, { key, api }) => {
  const bytes = await clip('longer.mp4')
  await t.rejects(api.upload(bytes), { message: 'fetch failed' })
  t.match(await mock.journal.waitFor({ key }), [{ fault: 'cut_upload', aborted: true }])
  const { status, body } = await api.upload(bytes)
  t.match([status, body.size, (await fetch(body.video_url)).status], [200, bytes.length, 200])
})

proves('UP-2 upload-rejected: of the wrong type, then too large, then taken', async (t, { api }) => {
  const bytes = await clip('short.mp4')
  areErrors(t, [await api.upload(bytes)], 400, /^Invalid file type/)
  areErrors(t, [await api.upload(bytes, 'short.mp4', '', '/api/upload')], 400, /^File too large/)
  t.match(await api.upload(bytes), { status: 200, body: { size: bytes.length } })
})

proves('WH-2 webhook-bad-signature: the signature is there, and is wrong', async (t, world) => {
  const received = await heard(t, world, 2)
  t.equal(received.length, 2)
  for (const { headers, raw } of received) {
    const right = createHmac('sha256', 'hush').update(`${headers['x-webhook-timestamp']}.${raw}`).digest('hex')
    t.match(headers['x-webhook-signature'], /^sha256=[0-9a-f]{64}$/)
    t.not(headers['x-webhook-signature'], `sha256=${right}`)
  }
})

proves('WH-2 webhook-duplicate: each webhook comes twice, with one delivery id', async (t, world) => {
  const received = await heard(t, world, 4)
  t.strictSame(events(received), ['job.started', 'job.started', 'job.completed', 'job.completed'])
  const [a, b, c, d] = received.map(({ headers, raw }) => [headers['x-webhook-delivery-id'], raw])
  t.strictSame([a, c], [b, d])
  t.not(a?.[0], c?.[0])
})

proves('WH-1 webhook-late: each webhook comes 30 s after its event', async (t, world) => {
  const { clock, view } = world
  const { id, received } = await hooked(t, world)
  const seenAt: number[] = []
  for (const status of ['processing', 'completed']) {
    while ((await view(id)).status !== status) clock.step('100ms')
    seenAt.push(clock.now())
  }
  for (const [n, at] of seenAt.entries()) {
    clock.step(at + 29_900 - clock.now())
    t.equal(mock.journal.count({ kind: 'webhook', jobId: id }), n, 'not before its time')
    clock.step('100ms')
    await delivered(id, n + 1)
  }
  t.strictSame(events(received), ['job.started', 'job.completed'])
})

proves('WH-3 webhook-lost: none arrives, and polling tells how the job went', async (t, world) => {
  const { id, webhook_url, received } = await hooked(t, world)
  world.clock.step('1m')
  t.match(await delivered(id, 2), [
    { event: 'job.started', fault: 'lost', status: 0 },
    { event: 'job.completed', fault: 'lost', status: 0 },
  ])
  const sent = [{ status: 'sent' }, { status: 'sent' }]
  t.match(await world.view(id), { status: 'completed', webhook_events: sent }, 'the API believes that they were sent')
  const other = worldOf('test_webhooks')
  const id2 = await other.api.job({ webhook_url })
  other.clock.step(longEnough)
  await delivered(id2, 2)
  t.match(received, [{ body: { data: { id: id2 } } }, { body: { data: { id: id2 } } }], 'the receiver is well')
})

proves('WH-1 webhook-out-of-order: job.started comes after the end of the job', async (t, world) => {
  for (const [event, video] of Object.entries({ 'job.completed': 'cat.mp4', 'job.failed': 'fail.mp4' })) {
    const received = await heard(t, world, 2, `https://example.com/${video}#t=2`)
    t.strictSame(events(received), [event, 'job.started'])
    t.equal(received[1]?.body.data.status, 'processing', 'with the job as it was then')
  }
})

proves('BR-1 no-cors: a program gets its answers, a page may read none of them', async (t, { key }) => {
  const headers = { 'x-api-key': key, origin: 'http://localhost:3000' }
  const answers = await Promise.all(['/v1/jobs', '/v1/jobs/job_x'].map(path => fetch(mock.url + path, { headers })))
  t.same(
    answers.map(({ status, headers }) => [status, headers.get('access-control-allow-origin')]),
    [
      [200, null],
      [404, null],
    ],
  )
})

const retryAfterOf = ({ headers }: Answer) => headers.get('retry-after')

/** What Retry-After says of the first creations, and for how long they are refused. */
const hints: Record<string, [said: (string | null)[], statuses: number[]]> = {
  'RL-2 retry-after-past: a date that has gone by': [['-30 s'], [429, 200]],
  'RL-2 retry-after-date: a date to come': [['3 s'], [429, 200]],
  'RL-2 retry-after-zero: no wait at all': [['0'], [429, 200]],
  'RL-2 retry-after-malformed: nothing that can be waited for': [
    ['120junk', '-5', '1, 2'],
    [429, 429, 429, 200],
  ],
  'RL-3 limit-no-wait-heals: no wait is named, and none helps': [
    [null, null, null, null],
    [429, 429, 429, 402, 402],
  ],
}
for (const [title, [said, expected]] of Object.entries(hints)) {
  proves(title, async (t, { clock, create, jobs }) => {
    const answers = await times(expected.length, create)
    t.strictSame(statuses(answers), expected)
    const now = Math.ceil(clock.now() / 1000)
    const found = answers.slice(0, said.length).map(answer => {
      const text = retryAfterOf(answer)
      const at = Date.parse(text ?? '')
      return text?.endsWith('GMT') ? `${at / 1000 - now} s` : text
    })
    t.strictSame(found, said)
    t.equal(jobs(), expected.filter(status => status === 200).length)
    for (const { headers } of answers.filter(({ status }) => status === 429)) {
      const wait = /;t=(\d+)$/.exec(headers.get('ratelimit') ?? '')?.[1]
      t.ok(Number(wait) <= 3, `RateLimit goes with it: ${wait}`)
    }
  })
}

for (const seconds of [31, 61, 121]) {
  proves(`RL-2 retry-after-${seconds}s: the wait is long, and enough`, async (t, { clock, create }) => {
    const early = await create()
    t.match([early.status, retryAfterOf(early)], [429, `${seconds}`])
    clock.step((seconds - 1) * 1000)
    t.equal((await create()).status, 429, 'not before')
    clock.step('1s')
    t.equal((await create()).status, 200)
  })
}

proves('RL-2 retry-after-a-day: refused for a day', async (t, { clock, create }) => {
  t.equal(retryAfterOf(await create()), '86400')
  clock.step('23h')
  t.equal((await create()).status, 429)
  clock.step('1h')
  t.equal((await create()).status, 200)
})

proves('ERR-3 retry-after-on-503: the create and a poll are told to wait', async (t, { api, create }) => {
  const refused = await create()
  t.match([refused.status, retryAfterOf(refused)], [503, '2'])
  const { id } = (await create()).body
  const poll = await api.get(`/v1/jobs/${id}`)
  t.match([poll.status, retryAfterOf(poll), poll.body.error.code], [503, '2', 'internal_error'])
  t.equal((await api.get(`/v1/jobs/${id}`)).status, 200)
})

proves('GO-3 slow-accept: the job is there at once, its answer after 15 s', async (t, world) => {
  const answer = world.create()
  await fired(world, 1)
  t.equal(world.jobs(), 1)
  world.clock.step('14.9s')
  t.equal(mock.journal.count({ key: world.key, route: 'createJob' }), 0)
  world.clock.step('100ms')
  t.equal((await answer).status, 200)
})

proves('ID-1 timeout-504-job-created: a retry with its key finds the job', async (t, world) => {
  const once = { 'idempotency-key': 'once' }
  const answer = world.create(once)
  await fired(world, 1)
  world.clock.step('2s')
  areErrors(t, [await answer], 504, /^The request timed out/)
  t.equal(world.jobs(), 1)
  t.match([(await world.create(once)).status, world.jobs()], [200, 1])
})

proves('ID-1 internal-error-job-created: a retry with its key finds the job', async (t, { create, jobs, credits }) => {
  const once = { 'idempotency-key': 'once' }
  areErrors(t, [await create(once)], 500, /^Internal error/)
  t.match([(await create(once)).status, jobs(), credits()], [200, 1, 998])
  await create()
  t.equal(jobs(), 2)
})

proves('ID-1 idempotency-key-expired: the same key makes a second job', async (t, { api, create, jobs }) => {
  const once = { 'idempotency-key': 'once' }
  await t.rejects(create(once))
  t.equal((await api.get('/v1/jobs')).body.total, 1, 'the list has the job')
  t.match([(await create(once)).status, jobs()], [200, 2])
})

proves('ERR-3 poll-fails-once: the job goes on', async (t, { api, finished, view }) => {
  const id = await finished()
  areErrors(t, [await api.get(`/v1/jobs/${id}`)], 500, /^Internal error/)
  t.equal((await view(id)).status, 'completed')
})

proves('ERR-3 poll-404-once: the job is found the next time', async (t, { api, view }) => {
  const id = await api.job()
  areErrors(t, [await api.get(`/v1/jobs/${id}`)], 404, /^Job not found/)
  t.equal((await view(id)).id, id)
})

proves('JOB-5 poll-garbled: no poll can be read', async (t, { api }) => {
  const id = await api.job()
  for (let poll = 0; poll < 3; poll++) await t.rejects(api.get(`/v1/jobs/${id}`), SyntaxError)
})

proves('DL-3 download-stalls: half of the file, then silence', async (t, { api, finished }) => {
  const { download_url } = (await api.get(`/api/download/${await finished()}`)).body
  const gone = new AbortController()
  const { body, headers } = await fetch(download_url, { signal: gone.signal })
  const whole = Number(headers.get('content-length'))
  let read = 0
  for await (const part of body as AsyncIterable<Uint8Array>) {
    read += part.length
    if (read >= Math.floor(whole / 2)) break
  }
  gone.abort()
  t.equal(read, Math.floor(whole / 2))
  const stalled = mock.journal.entries({ kind: 'exchange' }).filter(({ fault }) => fault === 'stall_body')
  t.match(stalled, [{ status: 200, scenario: 'download-stalls' }])
  t.equal((await (await fetch(download_url)).arrayBuffer()).byteLength, whole, 'then all is well')
})

const signatureOf = ({ headers, raw }: Received, secret: string) =>
  `sha256=${createHmac('sha256', secret).update(`${headers['x-webhook-timestamp']}.${raw}`).digest('hex')}`

proves('WH-2 webhook-stale: ten minutes old, and rightly signed', async (t, world) => {
  const received = await heard(t, world, 2)
  for (const one of received) {
    const at = Date.parse(String(one.headers['x-webhook-timestamp']))
    t.ok(Date.now() - at >= 600_000, 'old')
    t.equal(one.headers['x-webhook-signature'], signatureOf(one, 'hush'))
  }
})

proves('WH-2 webhook-replayed: the same bytes again', async (t, world) => {
  const received = await heard(t, world, 2)
  t.equal(received.length, 2)
  world.clock.step('10s')
  await delivered(received[0]?.body.data.id, 4)
  const again = (event: string) => {
    const [first, second] = received.filter(({ body }) => body.event === event)
    t.equal(second?.raw, first?.raw)
    for (const name of ['x-webhook-delivery-id', 'x-webhook-timestamp', 'x-webhook-signature'])
      t.equal(second?.headers[name], first?.headers[name], name)
  }
  again('job.started')
  again('job.completed')
})

proves('WH-2 webhook-changed-retry: one delivery id, two bodies, both signed', async (t, world) => {
  const received = await heard(t, world, 4)
  t.strictSame(events(received), ['job.started', 'job.started', 'job.completed', 'job.completed'])
  for (const pair of [received.slice(0, 2), received.slice(2)]) {
    t.equal(new Set(pair.map(({ headers }) => headers['x-webhook-delivery-id'])).size, 1)
    t.equal(new Set(pair.map(({ raw }) => raw)).size, 2)
    for (const one of pair) t.equal(one.headers['x-webhook-signature'], signatureOf(one, 'hush'))
  }
})

proves('WH-2 webhook-without-id: no delivery id', async (t, world) => {
  for (const { headers } of await heard(t, world, 2)) {
    t.notOk('x-webhook-delivery-id' in headers)
    t.ok('x-webhook-signature' in headers)
  }
})

proves('WH-2 webhook-secret-rotated: the old secret, then the next', async (t, world) => {
  const received = await heard(t, world, 2)
  t.strictSame(events(received), ['job.started', 'job.completed'])
  const secrets = ['hush', 'hush_next']
  for (const [n, one] of received.entries())
    t.equal(one.headers['x-webhook-signature'], signatureOf(one, secrets[n] as string))
})

proves('WH-1 webhook-before-answer: the webhooks know the job before its maker does', async (t, world) => {
  const { key, clock } = world
  const server = createServer(async (request, response) => {
    const { event, data } = JSON.parse((await request.toArray()).join(''))
    heardOf.push([event, data.id, mock.journal.count({ key, route: 'createJob' })])
    response.end()
  })
  const heardOf: unknown[][] = []
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const webhook_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const answer = world.api.post('/v1/jobs', { ...cat, webhook_url })
  await fired(world, 1)
  clock.step('1.6s')
  await mock.journal.waitFor({ kind: 'webhook', key }, { atLeast: 2 })
  clock.step('1.4s')
  const { id } = (await answer).body
  t.strictSame(heardOf, [
    ['job.started', id, 0],
    ['job.completed', id, 0],
  ])
})

t.test('every scenario that ships is proved here, cites clauses, and says in a line what it is for', async t => {
  const files = readdirSync(join(packageRoot, 'scenarios')).filter(file => file.endsWith('.yaml'))
  const names = files.map(file => basename(file, '.yaml')).sort()
  t.strictSame([...tested].sort(), names)
  const { scenarios } = (await client(mock).get('/__mock/scenarios')).body
  t.equal(scenarios.length, names.length)
  for (const { name, description, clauses } of scenarios) {
    t.match(description, /^[A-Z0-9j].{15,170}\.$/, `${name} is described in a line`)
    t.ok(clauses.length > 0, `${name} cites clauses`)
  }
})
