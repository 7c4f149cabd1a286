/** Sample suites, as teams write them: each gets from `mutate` the report that it deserves. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../base/paths.ts'
import type { MutatedMock } from '../../mutate/runners.ts'

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
type Json = any

/** assert.ok() without a message parses its caller's source, which takes for ever where that is one long line. */
function holds(value: unknown, message: unknown = 'does not hold'): asserts value {
  if (!value) throw new Error(String(message))
}

const clip = (name: string) => new Uint8Array(readFileSync(join(packageRoot, 'fixtures/clips', name)))

function clientOf({ url, key }: Pick<MutatedMock, 'url' | 'key'>) {
  const errors: Json[] = []
  async function call(
    method: string,
    path: string,
    init: { body?: string | FormData; headers?: Record<string, string>; key?: string | null } = {},
  ) {
    const { headers, body, key: own = key } = init
    const response = await fetch(path.startsWith('http') ? path : url + path, {
      method,
      redirect: 'manual',
      headers: { ...(own !== null && { 'X-Api-Key': own }), ...headers },
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(5_000),
    })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const isJson = /^application\/json/i.test(response.headers.get('content-type') ?? '')
    const found: Json = isJson ? JSON.parse(new TextDecoder().decode(bytes)) : new TextDecoder().decode(bytes)
    if (response.status >= 400 && found?.error?.request_id) errors.push(found.error)
    return { status: response.status, headers: response.headers, body: found, bytes }
  }
  const post = (
    path: string,
    body?: unknown,
    { idempotency, ...init }: { key?: string | null; idempotency?: string } = {},
  ) =>
    call('POST', path, {
      ...init,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headers: {
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(idempotency && { 'Idempotency-Key': idempotency }),
      },
    })
  const upload = (
    bytes: Uint8Array<ArrayBuffer>,
    name: string,
    path = '/v1/uploads',
    init: { key?: string | null; headers?: Record<string, string> } = {},
  ) => {
    const form = new FormData()
    form.append('file', new Blob([bytes]), name)
    return call('POST', path, { ...init, body: form })
  }
  const get = (path: string, own?: string | null, headers?: Record<string, string>) =>
    call('GET', path, { ...(own !== undefined && { key: own }), ...(headers && { headers }) })
  const step = (by: string) =>
    fetch(`${url}/__mock/clock`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ step: by }),
    })
  return { call, post, get, upload, step, errors }
}

type Client = ReturnType<typeof clientOf>
type Answer = Awaited<ReturnType<Client['get']>>

const video = 'https://example.com/cat.mp4#t=6'
const isGood = ({ status }: Answer) => status >= 200 && status <= 202

/** ERR-1, ERR-5: the envelope and nothing else, with the code and the status that belong together. */
function refused(answer: Answer, status: number, code?: string): void {
  assert.equal(answer.status, status)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/i)
  assert.deepEqual(Object.keys(answer.body), ['error'])
  const { error } = answer.body
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'request_id'])
  for (const value of Object.values(error)) holds(typeof value === 'string' && value !== '')
  if (code !== undefined) assert.equal(error.code, code)
}

async function done({ get }: Client, id: string, own?: string): Promise<Json> {
  for (let look = 0; look < 100; look++) {
    const { status, body } = await get(`/v1/jobs/${id}`, own)
    assert.equal(status, 200)
    holds(['created', 'pending', 'processing', 'completed', 'failed'].includes(body.status), body.status)
    if (body.status === 'completed' || body.status === 'failed') return body
    await sleep(10)
  }
  throw new Error('the job does not end')
}

const jobsIn = (body: Json): Json[] => (Array.isArray(body) ? body : (body.jobs ?? body.data))
const totalsIn = (body: Json): Json => body.totals ?? body

async function receiver() {
  const hooks: { method: string; headers: Record<string, string>; raw: string; body: Json }[] = []
  const waiting = new Set<() => void>()
  const server = createServer(async (request, response) => {
    const raw = await text(request)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    let body: Json
    try {
      body = JSON.parse(raw)
    } catch {}
    hooks.push({ method: request.method ?? '', headers, raw, body })
    response.end()
    for (const look of waiting) look()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    hooks,
    async wait(event: string, id: string) {
      const gone = AbortSignal.timeout(3_000)
      for (;;) {
        const hook = hooks.find(({ body }) => body?.event === event && body.data?.id === id)
        if (hook !== undefined) return hook
        await new Promise<void>((resolve, reject) => {
          const look = () => {
            waiting.delete(look)
            resolve()
          }
          waiting.add(look)
          gone.addEventListener('abort', () => reject(new Error(`no ${event}`)), { once: true })
        })
      }
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Asserts what its program stands on, and nothing that the documentation leaves open. */
export async function thorough(mock: MutatedMock): Promise<void> {
  const client = clientOf(mock)
  const hook = await receiver()
  try {
    await auth(client)
    await uploads(client)
    await jobs(client, mock, hook)
    await drafts(client, hook)
    await retries(client)
    await money(client)
    await limits(client, mock)
    const ids = client.errors.map(({ request_id }) => request_id)
    assert.equal(new Set(ids).size, ids.length, 'request ids are unique (ERR-6)')
  } finally {
    hook.close()
  }
}

async function auth({ get, post, upload }: Client): Promise<void> {
  assert.equal((await get('/health', null)).status, 200)
  const pricing = await get('/api/pricing', null)
  assert.equal(pricing.status, 200)
  const { original, light, pro, human } = pricing.body.model_pricing_credits_per_minute
  assert.deepEqual([original, light, pro, human], [60, 45, 180, 45])
  for (const [key, code] of [
    [null, 'missing_api_key'],
    ['wrong', 'invalid_api_key'],
  ] as const) {
    refused(await get('/v1/jobs', key), 401, code)
    refused(await get('/v1/usage/summary', key), 401, code)
    refused(await get('/v1/usage/events', key), 401, code)
    refused(await get('/v1/jobs/job_x', key), 401, code)
    refused(await post('/v1/jobs', { video_url: video }, { key }), 401, code)
    refused(await post('/v1/jobs/job_x/start', {}, { key }), 401, code)
    refused(await upload(clip('short.mp4'), 'short.mp4', '/v1/uploads', { key }), 401, code)
  }
}

async function uploads({ upload, post, get, call }: Client): Promise<void> {
  for (const name of ['short.mp4', 'short.webm', 'short.mov', 'short.avi']) {
    const { status, body } = await upload(clip(name), name)
    assert.equal(status, 200)
    assert.equal(body.success, true)
    assert.equal(body.filename, name)
    assert.equal(body.size, clip(name).length)
    holds(typeof body.video_id === 'string' && /^https?:/.test(body.video_url))
  }
  const legacy = await upload(clip('short.mp4'), 'short.mp4', '/api/upload', { key: null })
  assert.equal(legacy.status, 200)
  holds(legacy.body.video_id && legacy.body.video_url)
  refused(await upload(new TextEncoder().encode('no video'), 'notes.txt'), 400, 'invalid_request')
  refused(await upload(new TextEncoder().encode('no video'), 'notes.txt', '/api/upload'), 400, 'invalid_request')
  const again = { headers: { 'Idempotency-Key': 'u1' } }
  const one = await upload(clip('short.mp4'), 'short.mp4', '/v1/uploads', again)
  const two = await upload(clip('short.mp4'), 'short.mp4', '/v1/uploads', again)
  assert.deepEqual([two.status, two.body], [one.status, one.body])
  refused(await upload(clip('short.webm'), 'short.webm', '/v1/uploads', again), 422)
  const longer = await upload(clip('longer.mp4'), 'longer.mp4')
  const job = await post('/v1/jobs', { video_url: longer.body.video_url })
  assert.equal((await done({ get, call } as Client, job.body.id)).status, 'completed')
}

async function jobs(
  client: Client,
  { secret }: MutatedMock,
  hook: Awaited<ReturnType<typeof receiver>>,
): Promise<void> {
  const { post, get } = client
  for (const body of [
    {},
    { video_url: video, model: 'best' },
    { video_url: video, output_format: 'avi' },
    { video_url: video, bg_color: [1, 2] },
  ])
    refused(await post('/v1/jobs', body), 400, 'invalid_request')
  refused(
    await post('/v1/jobs', { video_url: video, output_format: 'mp4', bg_type: 'transparent' }),
    400,
    'invalid_request',
  )
  const made = await post('/v1/jobs', { video_url: video, webhook_url: hook.url, metadata: { user: 'u1' } })
  holds(isGood(made))
  assert.equal(made.body.success, true)
  holds(['created', 'pending', 'processing'].includes(made.body.status), made.body.status)
  const job = await done(client, made.body.id)
  assert.equal(job.id, made.body.id)
  assert.equal(job.status, 'completed')
  assert.equal(job.progress, 100)
  assert.equal(job.error, null)
  assert.match(job.created_at, /^\d{4}-\d\d-\d\dT.*(Z|\+00:00)$/)
  assert.deepEqual([job.model, job.output_format, job.bg_type], ['original', 'webm', 'transparent'])
  assert.deepEqual(job.metadata, { user: 'u1' })
  assert.equal(job.webhook_url, hook.url)
  assert.equal((await done(client, job.id)).status, 'completed')
  assert.equal((await get(`/v1/jobs/${job.id}`)).body.status, 'completed')
  await files(client, job)
  for (const event of ['job.started', 'job.completed']) {
    const { method, headers, raw, body } = await hook.wait(event, job.id)
    assert.equal(method, 'POST')
    assert.equal(headers['x-webhook-event'], event)
    holds(headers['x-webhook-delivery-id'])
    const stamp = headers['x-webhook-timestamp']
    holds(Number.isNaN(Number(stamp)))
    assert.equal(
      headers['x-webhook-signature'],
      `sha256=${createHmac('sha256', secret).update(`${stamp}.${raw}`).digest('hex')}`,
    )
    if (event !== 'job.completed') continue
    assert.equal(body.data.status, 'completed')
    holds(body.data.output_url)
  }
  const ids = hook.hooks.map(({ headers }) => headers['x-webhook-delivery-id'])
  assert.equal(new Set(ids).size, ids.length)
  const failing = await post('/v1/jobs', { video_url: 'https://example.com/fail.mp4#t=3', webhook_url: hook.url })
  const failed = await done(client, failing.body.id)
  assert.equal(failed.status, 'failed')
  holds(typeof failed.error === 'string' && failed.error !== '')
  holds(!/charged$|billed/.test(failed.billing_status) || failed.billing_status === 'not_charged')
  assert.equal((await get(`/v1/jobs/${failed.id}`)).body.status, 'failed')
  await hook.wait('job.failed', failed.id)
  holds(!hook.hooks.some(({ body }) => body?.event === 'job.completed' && body.data?.id === failed.id))
  holds(isGood(await post(`/v1/jobs/${failed.id}/start`)))
  // AUTH-3: what is another's is not there.
  const other = 'test_stranger_1'
  refused(await get(`/v1/jobs/${job.id}`, other), 404)
  refused(await get('/v1/jobs/job_unknown'), 404)
  refused(await get('/api/download/job_unknown'), 404)
  // Unless no key is looked at on /api/* at all, which AUTH-2 leaves open.
  const { status: withNoKeyOfThem } = await get(`/api/download/${job.id}`, 'wrong')
  assert.equal((await get(`/api/download/${job.id}`, other)).status, withNoKeyOfThem === 401 ? 404 : 200)
  assert.deepEqual(jobsIn((await get('/v1/jobs', other)).body), [])
  for (const fields of [
    { model: 'human' },
    { bg_type: 'image', background: { type: 'image', image_url: video } },
    { output_format: 'mov' },
    { output_format: 'webp' },
    { composition: { canvas: { width: 10, height: 10 } } },
    { unknown: 1 },
  ])
    holds(isGood(await post('/v1/jobs', { video_url: video, auto_start: false, ...fields })), JSON.stringify(fields))
  const colour = await post('/v1/jobs', { video_url: video, auto_start: false, bg_type: 'custom', bg_color: [1, 2, 3] })
  assert.deepEqual((await get(`/v1/jobs/${colour.body.id}`)).body.bg_color, [1, 2, 3])
  const listed = jobsIn((await get('/v1/jobs')).body)
  assert.equal(listed[0]?.id, colour.body.id)
  holds(listed.some(({ id }) => id === job.id))
  assert.notEqual(
    jobsIn((await get('/v1/jobs?offset=1')).body)[0]?.id,
    Array.isArray((await get('/v1/jobs')).body) ? undefined : colour.body.id,
  )
  for (const fault of ['internal_error', 'processing_failed', 'timeout'])
    refused(
      await client.call('POST', '/v1/jobs', {
        body: JSON.stringify({ video_url: video }),
        headers: { 'Content-Type': 'application/json', 'X-Mock-Fault': fault },
      }),
      fault === 'timeout' ? 504 : 500,
      fault === 'timeout' ? 'timeout' : 'internal_error',
    )
}

async function files({ get }: Client, job: Json): Promise<void> {
  const { status, body } = await get(`/api/download/${job.id}`, null)
  assert.equal(status, 200)
  assert.equal(body.success, true)
  assert.equal(body.output_format, 'webm')
  for (const url of [job.output_url, body.download_url]) {
    const whole = await get(url, null)
    assert.equal(whole.status, 200)
    assert.deepEqual([...whole.bytes.slice(0, 4)], [0x1a, 0x45, 0xdf, 0xa3])
    // Canned, and as long as the job.
    assert.equal(whole.bytes.length, 199_401)
    const part = await get(url, null, { Range: 'bytes=100-199' })
    assert.equal(part.status, 206)
    assert.equal(part.headers.get('content-range'), `bytes 100-199/${whole.bytes.length}`)
    assert.deepEqual(part.bytes, whole.bytes.slice(100, 200))
  }
}

async function drafts(client: Client, hook: Awaited<ReturnType<typeof receiver>>): Promise<void> {
  const { post, get } = client
  const draft = await post('/v1/jobs', {
    video_url: video,
    auto_start: false,
    output_format: 'mov',
    bg_type: 'transparent',
    metadata: { user: 'u2' },
  })
  const { id } = draft.body
  refused(await get(`/api/download/${id}`), 400, 'invalid_request')
  assert.equal((await get(`/v1/jobs/${id}`)).body.progress, 0)
  await sleep(20)
  const still = (await get(`/v1/jobs/${id}`)).body
  assert.equal(still.output_url, null)
  holds(['created', 'pending'].includes(still.status), still.status)
  refused(await post(`/v1/jobs/${id}/start`, {}, { key: 'test_stranger_1' }), 404)
  assert.deepEqual(jobsIn((await get('/v1/jobs', 'test_stranger_1')).body), [])
  refused(await post(`/v1/jobs/${id}/start`, { output_format: 'mp4' }), 400, 'invalid_request')
  const started = await post(`/v1/jobs/${id}/start`, { model: 'light', webhook_url: hook.url })
  holds(isGood(started))
  const job = await done(client, id)
  assert.deepEqual([job.status, job.model, job.output_format, job.webhook_url], ['completed', 'light', 'mov', hook.url])
  assert.deepEqual(job.metadata, { user: 'u2' })
  await hook.wait('job.completed', id)
  const before = (await get('/v1/jobs?limit=1')).body
  const again = await post(`/v1/jobs/${id}/start`)
  holds(isGood(again) || again.status < 500)
  if (isGood(again) && again.body.id !== undefined)
    assert.deepEqual([again.body.id, again.body.status], [id, 'completed'])
  assert.equal(jobsIn((await get('/v1/jobs?limit=1')).body)[0].id, jobsIn(before)[0].id)
  const bare = await post('/v1/jobs', { video_url: video, auto_start: false })
  holds(isGood(await post(`/v1/jobs/${bare.body.id}/start`)))
  await done(client, bare.body.id)
}

async function retries({ post, get }: Client): Promise<void> {
  const key = 'test_retries_1'
  const body = { video_url: video, auto_start: false }
  const first = await post('/v1/jobs', body, { key, idempotency: 'one' })
  const second = await post('/v1/jobs', body, { key, idempotency: 'one' })
  assert.deepEqual([second.status, second.body], [first.status, first.body])
  refused(await post('/v1/jobs', { ...body, model: 'pro' }, { key, idempotency: 'one' }), 422)
  const start = await post(`/v1/jobs/${first.body.id}/start`, {}, { key, idempotency: 'start' })
  await sleep(30)
  const startAgain = await post(`/v1/jobs/${first.body.id}/start`, {}, { key, idempotency: 'start' })
  assert.deepEqual([startAgain.status, startAgain.body], [start.status, start.body])
  const both = await Promise.all([1, 2].map(() => post('/v1/jobs', { video_url: video }, { key, idempotency: 'both' })))
  const ids = both.filter(isGood).map(({ body: { id } }) => id)
  assert.equal(new Set(ids).size, 1)
  await done({ get } as Client, ids[0], key)
  const used = totalsIn((await get('/v1/usage/summary?days=1', key)).body).credits_used
  await post('/v1/jobs', { video_url: video }, { key, idempotency: 'both' })
  assert.equal(totalsIn((await get('/v1/usage/summary?days=1', key)).body).credits_used, used)
  assert.equal(jobsIn((await get('/v1/jobs', key)).body).length, 2)
}

async function money(client: Client): Promise<void> {
  const { post, get } = client
  for (const [model, perMinute] of [
    ['original', 60],
    ['light', 45],
    ['pro', 180],
    ['human', 45],
  ] as const) {
    const key = `test_money_${model}`
    const made = await post('/v1/jobs', { video_url: video, model }, { key })
    await done(client, made.body.id, key)
    const { credits_used } = totalsIn((await get('/v1/usage/summary?days=1', key)).body)
    holds(Math.abs(Number(credits_used) - perMinute / 10) < 1, `${model}: ${credits_used}`)
    holds(Number(credits_used) >= perMinute / 10 - 0.001)
    if (model !== 'original') continue
    await post(`/v1/jobs/${made.body.id}/start`, undefined, { key })
    assert.equal(totalsIn((await get('/v1/usage/summary?days=1', key)).body).credits_used, credits_used)
    const failing = await post('/v1/jobs', { video_url: 'https://example.com/fail.mp4#t=6' }, { key })
    await done(client, failing.body.id, key)
    assert.equal(totalsIn((await get('/v1/usage/summary?days=1', key)).body).credits_used, credits_used)
    const events = (await get('/v1/usage/events?limit=100', key)).body.events
    holds(events.length > 0)
  }
  const poor = 'test_no_credits_1'
  refused(await post('/v1/jobs', { video_url: video }, { key: poor }), 402, 'insufficient_credits')
  const draft = await post('/v1/jobs', { video_url: video, auto_start: false }, { key: poor })
  refused(await post(`/v1/jobs/${draft.body.id}/start`, {}, { key: poor }), 402, 'insufficient_credits')
  await sleep(20)
  assert.equal((await get(`/v1/jobs/${draft.body.id}`, poor)).body.output_url, null)
  holds(['created', 'pending'].includes((await get(`/v1/jobs/${draft.body.id}`, poor)).body.status))
  assert.equal(jobsIn((await get('/v1/jobs', poor)).body).length, 1)
  assert.equal(Number(totalsIn((await get('/v1/usage/summary?days=1', poor)).body).credits_used), 0)
}

async function limits({ get, step }: Client, { url }: MutatedMock): Promise<void> {
  const response = await fetch(`${url}/__mock/keys`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ rate_limit: { calls: 3, per: '30s' } }),
  })
  const { key } = (await response.json()) as { key: string }
  const answers: Answer[] = []
  for (let call = 0; call < 5; call++) answers.push(await get('/v1/jobs', key))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 429, 429],
  )
  const last = answers.at(-1) as Answer
  refused(last, 429, 'rate_limited')
  const wait = last.headers.get('retry-after') ?? ''
  assert.match(wait, /^\d+$/)
  assert.equal((await get('/v1/jobs')).status, 200)
  await step(`${wait}s`)
  assert.equal((await get('/v1/jobs', key)).status, 200)
}

/** Calls everything, and looks at nothing but the status. */
export async function statusOnly(mock: MutatedMock): Promise<void> {
  const { post, get, upload } = clientOf(mock)
  holds(isGood(await upload(clip('short.mp4'), 'short.mp4')))
  const made = await post('/v1/jobs', { video_url: video })
  holds(isGood(made))
  for (const path of [
    `/v1/jobs/${made.body.id}`,
    '/v1/jobs',
    '/v1/usage/summary',
    '/v1/usage/events',
    '/api/pricing',
    '/health',
  ])
    assert.equal((await get(path)).status, 200, path)
  assert.equal((await get('/v1/jobs/job_unknown')).status, 404)
  assert.equal((await get('/v1/jobs', null)).status, 401)
}

/** Compares whole answers with those that it has seen before. */
export function snapshots(): (mock: MutatedMock) => Promise<void> {
  let kept: unknown
  return async mock => {
    const { post, get } = clientOf(mock)
    const of = ({ status, headers, body }: Answer) => {
      const names = [...headers.keys()].filter(name => !/^(date|.*ratelimit.*)$/.test(name))
      return {
        status,
        headers: names,
        body: JSON.stringify(body)
          .replace(/"\d{4}-\d\d-\d\dT[^"]+"/g, '"time"')
          .replace(/:\d{4,5}\//g, '/'),
      }
    }
    const made = await post('/v1/jobs', { video_url: video, auto_start: false })
    const found = [
      made,
      await get(`/v1/jobs/${made.body.id}`),
      await get('/v1/jobs/job_unknown'),
      await get('/v1/jobs'),
    ].map(of)
    kept ??= found
    assert.deepEqual(found, kept)
  }
}

/** Calls, and asserts nothing. */
export async function assertsNothing(mock: MutatedMock): Promise<void> {
  const { post, get } = clientOf(mock)
  try {
    const made = await post('/v1/jobs', { video_url: video })
    await get(`/v1/jobs/${made.body?.id}`)
    await get('/v1/jobs')
    await get('/v1/jobs', null)
  } catch {}
}
