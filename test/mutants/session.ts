/**
 * An ordinary session: every route, its good answers and its refusals, once or twice each, on a mock whose time stands
 * still, so that its transcript is the same each time. It takes none of the ways that only sequences.ts knows.
 */
import type { MockOptions } from '../../server/config.ts'
import { type Api, bytesOf } from './client.ts'
import { receive } from './receiver.ts'

const secret = 'a secret of the session'

/** What the session is made for: small uploads, signed webhooks, limits that it doesn't meet by itself. */
export const sessionOptions: MockOptions = {
  seed: 'mutants',
  webhookSecret: secret,
  maxUploadBytes: 450_000,
  rateLimit: 100_000,
  jobLimit: 100_000,
}

const video = 'https://example.com/cat.mp4#t=2'

export async function ordinarySession(api: Api): Promise<void> {
  const receiver = await receive(secret)
  try {
    await system(api)
    await keys(api)
    await uploads(api)
    await creates(api)
    await oneJob(api, receiver.url)
    await drafts(api, receiver.url)
    await failure(api, receiver.url)
    await lists(api)
    await idempotency(api)
    await credits(api)
    await provoked(api)
    await usage(api)
    await limits(api)
    for (const line of receiver.lines()) api.note(line)
  } finally {
    receiver.close()
  }
}

async function system(api: Api): Promise<void> {
  await api.get('/health', { key: null })
  await api.get('/health', { headers: { 'Accept-Encoding': 'gzip' } })
  await api.get('/api/pricing', { key: null })
  await api.get('/nowhere')
  const waits = []
  for (let n = 0; n < 5; n++) {
    const startedAt = performance.now()
    await (await fetch(`${api.url}/health`)).arrayBuffer()
    waits.push(performance.now() - startedAt)
  }
  api.note(`at its fastest, it answers ${Math.min(...waits) < 15 ? 'at once' : 'late'}`)
}

async function keys(api: Api): Promise<void> {
  const id = await api.job()
  for (const key of [null, 'unknown']) {
    await api.get('/v1/jobs', { key })
    await api.get(`/v1/jobs/${id}`, { key })
    await api.get('/v1/usage/summary', { key })
    await api.get('/v1/usage/events', { key })
    await api.post('/v1/jobs', { video_url: video }, { key })
    await api.post(`/v1/jobs/${id}/start`, {}, { key })
    await api.upload('short.mp4', { key })
  }
  const inLowerCase = { key: null, headers: { 'x-api-key': 'test_a' } }
  for (const path of ['/v1/jobs', `/v1/jobs/${id}`, '/v1/usage/summary']) await api.get(path, inLowerCase)
}

async function uploads(api: Api): Promise<void> {
  await api.upload('short.mp4', { type: 'video/mp4' })
  await api.upload('short.mp4', { type: 'application/octet-stream' })
  await api.upload('short.webm')
  await api.upload('short.mov')
  await api.upload('short.avi')
  await api.upload('notes.txt', { path: '/api/upload' })
  await api.upload('short.mp4', { key: null, path: '/api/upload' })
  await api.upload('short.mp4', { path: '/api/upload' })
  await api.upload('short.mp4', { field: 'video' })
  const { body } = await api.upload('longer.mp4')
  const { body: job } = await api.post('/v1/jobs', { video_url: body.video_url })
  await api.step('30s')
  await api.get(`/v1/jobs/${job.id}`)
  await api.call('POST', '/v1/uploads', '--x--\r\n', { headers: { 'Content-Type': 'multipart/form-data; boundary=x' } })
  await api.upload('short.mp4')
  await api.upload('long.mp4', { bytes: Buffer.concat([bytesOf('short.mp4'), Buffer.alloc(450_000)]) })
  await api.upload('short.mp4', { idempotency: 'upload' })
  await api.upload('short.mp4', { idempotency: 'upload', boundary: 'another' })
  await api.upload('short.webm', { idempotency: 'upload' })
}

async function creates(api: Api): Promise<void> {
  const key = 'test_creates'
  const create = async (fields: object) => {
    const { body } = await api.post('/v1/jobs', { video_url: video, auto_start: false, ...fields }, { key })
    await api.get(`/v1/jobs/${body.id}`, { key })
  }
  for (const model of ['original', 'light', 'pro', 'human']) await create({ model })
  for (const output_format of ['webm', 'mov', 'gif', 'webp', 'png_sequence']) {
    await create({ output_format, bg_type: 'transparent' })
  }
  await create({ output_format: 'mp4', bg_type: 'image', background: { type: 'image', image_url: video } })
  await create({ bg_type: 'custom', bg_color: [1, 2, 3], metadata: { user: 'u1' }, text_prompt: 'the cat' })
  await create({ composition: { canvas: { width: 10, height: 10 }, foreground: { anchor: 'center' } } })
  await create({ unknown_field: 1 })
  await create({ background: { type: 'color', color: '#0080ff' } })
  for (const wrong of [
    { model: 'best' },
    { output_format: 'avi' },
    { video_url: undefined },
    { bg_color: [1, 2] },
    { output_format: 'mp4' },
    '{"video_url',
  ]) {
    const body = typeof wrong === 'string' ? wrong : JSON.stringify({ video_url: video, auto_start: false, ...wrong })
    const { body: made } = await api.call('POST', '/v1/jobs', body, {
      key,
      headers: { 'Content-Type': 'application/json' },
    })
    if (made.id !== undefined) await api.get(`/v1/jobs/${made.id}`, { key })
  }
}

async function oneJob(api: Api, hook: string): Promise<void> {
  const id = await api.job({ webhook_url: `${hook}/one`, metadata: { user: 1 } })
  await api.get(`/v1/jobs/${id}`)
  await api.get(`/v1/jobs/${id}`)
  await api.get(`/api/download/${id}`)
  for (const by of ['1200ms', '500ms', '500ms']) {
    await api.step(by)
    await delivered(api, 1)
    await api.get(`/v1/jobs/${id}`)
  }
  await api.step('10s')
  await delivered(api, 2)
  const { body: job } = await api.get(`/v1/jobs/${id}`)
  await api.get(`/v1/jobs/${id}`)
  const { body: download } = await api.get(`/api/download/${id}`)
  await api.get(`/api/download/${id}`, { key: null })
  for (const key of ['test_b']) {
    await api.get(`/v1/jobs/${id}`, { key })
    await api.get(`/api/download/${id}`, { key })
    await api.post(`/v1/jobs/${id}/start`, {}, { key })
    await api.get('/v1/jobs', { key })
  }
  await api.get('/v1/jobs/job_unknown')
  await api.get('/api/download/job_unknown')
  await api.post('/v1/jobs/job_unknown/start')
  for (const url of new Set([job.output_url, download.download_url])) {
    if (typeof url !== 'string') continue
    await api.get(url, { key: null })
    await api.get(url, { key: null, headers: { Range: 'bytes=100-199' } })
  }
}

async function drafts(api: Api, hook: string): Promise<void> {
  const refused = await api.job({ auto_start: false })
  await api.get(`/v1/jobs/${refused}`)
  await api.get(`/v1/jobs/${refused}`)
  const { body } = await api.post(`/v1/jobs/${refused}/start`, { output_format: 'mp4' })
  if (body.id) await api.get(`/v1/jobs/${refused}`)
  const id = await api.job({ auto_start: false, output_format: 'mov', metadata: { user: 2 } })
  await api.post(`/v1/jobs/${id}/start`, { model: 'pro', webhook_url: `${hook}/draft` })
  await api.post(`/v1/jobs/${id}/start`)
  await api.get(`/v1/jobs/${id}`)
  await api.step('20s')
  await delivered(api, 4)
  await api.get('/v1/usage/summary?days=1')
  const other = await api.job({ auto_start: false })
  await api.post(`/v1/jobs/${other}/start`)
  await api.step('20s')
  await api.post(`/v1/jobs/${other}/start`)
  await api.get(`/v1/jobs/${other}`)
  await api.get('/v1/jobs?limit=5')
}

async function failure(api: Api, hook: string): Promise<void> {
  const id = await api.job({ video_url: 'https://example.com/fail.mp4#t=3', webhook_url: `${hook}/flaky` })
  await api.step('8s')
  await delivered(api, 6)
  await api.get(`/v1/jobs/${id}`)
  await api.step('10s')
  await delivered(api, 8)
  await api.get(`/v1/jobs/${id}`)
  await api.get(`/api/download/${id}`)
  await api.get('/v1/usage/summary?days=1')
  await api.post(`/v1/jobs/${id}/start`)
  await api.step('30s')
  await delivered(api, 10)
  await api.get(`/v1/jobs/${id}`)
}

async function lists(api: Api): Promise<void> {
  for (const query of [
    '',
    '?limit=3',
    '?limit=2&offset=1',
    '?status=completed',
    '?status=created',
    '?status=pending',
  ]) {
    await api.get(`/v1/jobs${query}`)
  }
}

async function idempotency(api: Api): Promise<void> {
  const key = 'test_idempotent'
  const options = { key, idempotency: 'create' }
  const id = await api.job({ model: 'light' }, options)
  await api.job({ model: 'light' }, options)
  await api.job({ model: 'pro' }, options)
  await api.get('/v1/jobs', { key })
  const draft = await api.job({ auto_start: false }, { key })
  const start = { key, idempotency: 'start' }
  await api.post(`/v1/jobs/${draft}/start`, { model: 'light' }, start)
  await api.step('20s')
  await api.post(`/v1/jobs/${draft}/start`, { model: 'light' }, start)
  await api.post(`/v1/jobs/${draft}/start`, { model: 'pro' }, start)
  await api.get(`/v1/jobs/${id}`, { key })
  const both = await Promise.all([1, 2].map(() => createAtOnce(api)))
  api.note(`two at once: ${both.map(({ status }) => status)}, jobs: ${new Set(both.map(({ id }) => id)).size}`)
  await api.get('/v1/jobs', { key: 'test_both' })
  await api.get('/v1/usage/summary?days=1', { key })
}

/** Which of two comes first is not always the same, so the transcript has only what they come to. */
async function createAtOnce(api: Api): Promise<{ status: number; id: string }> {
  const response = await fetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Api-Key': 'test_both', 'Idempotency-Key': 'both' },
    body: JSON.stringify({ video_url: video }),
  })
  const { id } = (await response.json()) as { id: string }
  return { status: response.status, id }
}

async function credits(api: Api): Promise<void> {
  const key = 'test_no_credits_1'
  await api.post('/v1/jobs', { video_url: video }, { key })
  const draft = await api.job({ auto_start: false }, { key })
  await api.post(`/v1/jobs/${draft}/start`, {}, { key })
  await api.get(`/v1/jobs/${draft}`, { key })
  await api.step('20s')
  await api.get('/v1/jobs', { key })
  await api.get('/v1/usage/summary?days=1', { key })
}

async function provoked(api: Api): Promise<void> {
  for (const fault of ['processing_failed', 'timeout', 'internal_error', 'insufficient_credits']) {
    const { body } = await api.post('/v1/jobs', { video_url: video }, { headers: { 'X-Mock-Fault': fault } })
    const id = body.error?.request_id
    const { body: page } = await api.get(`/__mock/journal?request_id=${id}`)
    api.note(
      `journal: ${JSON.stringify(page.entries?.map((entry: Record<string, unknown>) => [entry.request_id, entry.job_id]))}`,
    )
  }
  const { body: page } = await api.get('/__mock/journal?route=getJob&key=test_idempotent')
  api.note(
    `journal: ${JSON.stringify(page.entries.map((entry: Record<string, unknown>) => [entry.request_id, entry.job_id]))}`,
  )
}

async function usage(api: Api): Promise<void> {
  await api.job({ model: 'human' })
  await api.step('30s')
  await api.get('/v1/usage/summary')
  await api.get('/v1/usage/summary?days=2')
  await api.get('/v1/usage/events?limit=3')
  await api.get('/v1/usage/events', { key: 'test_idempotent' })
}

async function limits(api: Api): Promise<void> {
  const { body } = await api.post('/__mock/keys', { rate_limit: { calls: 3, per: '2s' } })
  const { key } = body
  for (let n = 0; n < 5; n++) await api.get('/v1/jobs', { key })
  await api.get('/v1/jobs', { key: 'test_b' })
  await api.step('2s')
  await api.get('/v1/jobs', { key })
  await api.get('/v1/jobs', { key })
  await api.post('/__mock/keys', { key: 'anonymous', rate_limit: { calls: 2, per: '2s' } })
  for (let n = 0; n < 3; n++) await api.get('/api/pricing', { key: null })
  await api.step('2s')
}

/** Waits until so many webhooks have been tried in all; a mutant that sends none is not waited for long. */
async function delivered(api: Api, count: number): Promise<void> {
  const response = await fetch(`${api.url}/__mock/journal?kind=webhook&limit=0&wait=1s&atLeast=${count}`)
  await response.arrayBuffer()
}
