import t from 'tap'
import { client, clip, start } from '../support.ts'

const body = { video_url: 'https://example.com/a.mp4#t=2', model: 'light' }
const key = { 'idempotency-key': 'k1' }

t.test('ID-1 the same key and body give the first answer again, with no second job or charge', async t => {
  const mock = await start(t)
  const api = client(mock)
  const first = await api.post('/v1/jobs', body, key)
  const again = await api.post('/v1/jobs', { model: 'light', video_url: body.video_url }, key)
  t.same(again.body, first.body, 'the order of the fields does not matter')
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  t.not(again.headers.get('x-request-id'), first.headers.get('x-request-id'), 'it is an answer of its own')
  t.equal((await api.get('/v1/jobs')).body.total, 1)
  t.equal((await api.get('/v1/usage/summary')).body.credits_used, 1.5)
})

t.test('ID-1 the same key with another body is 422 invalid_request', async t => {
  const mock = await start(t)
  const api = client(mock)
  await api.post('/v1/jobs', body, key)
  t.match(await api.post('/v1/jobs', { ...body, model: 'pro' }, key), {
    status: 422,
    body: { error: { code: 'invalid_request' } },
  })
  t.equal((await api.get('/v1/jobs')).body.total, 1)
  t.equal(
    (await client(mock, 'test_other').post('/v1/jobs', { ...body, model: 'pro' }, key)).status,
    200,
    "keys are the world's own",
  )
})

t.test('ID-1 while the first is in flight, the second is 409', async t => {
  const mock = await start(t)
  const api = client(mock)
  const bytes = await clip('short.mp4')
  let finish = () => {}
  const held = new ReadableStream({
    start(controller) {
      controller.enqueue(form(bytes))
      finish = () => controller.close()
    },
  })
  const headers = { 'content-type': 'multipart/form-data; boundary=b', ...key, 'x-api-key': 'test_key' }
  // A body that is held open: the first request is in flight for as long as we want.
  const first = fetch(`${mock.url}/v1/uploads`, { method: 'POST', headers, body: held, duplex: 'half' } as RequestInit)
  let second = await api.upload(bytes, 'short.mp4', 'video/mp4', '/v1/uploads', { 'idempotency-key': 'other' })
  for (let i = 0; i < 100 && second.status !== 409; i++) {
    second = await api.upload(bytes, 'short.mp4', 'video/mp4', '/v1/uploads', key)
    if (second.status === 200) t.fail('the second overtook the first')
  }
  t.match(second, { status: 409, body: { error: { code: 'invalid_request' } } })
  finish()
  t.equal((await first).status, 200)
})

t.test('ID-1 of 20 at once with one key exactly one makes a job', async t => {
  const mock = await start(t)
  const api = client(mock)
  const all = await Promise.all(Array.from({ length: 20 }, () => api.post('/v1/jobs', body, key)))
  t.equal(new Set(all.filter(({ status }) => status === 200).map(({ body }) => body.id)).size, 1)
  t.ok(all.every(({ status }) => status === 200 || status === 409))
  t.equal((await api.get('/v1/jobs')).body.total, 1)
})

t.test('ID-1 an upload is the same by its bytes and name, whatever its boundary', async t => {
  const mock = await start(t)
  const api = client(mock)
  const bytes = await clip('short.mp4')
  const send = (name: string, content: Buffer) => api.upload(content, name, 'video/mp4', '/v1/uploads', key)
  const first = await send('a.mp4', bytes)
  const again = await send('a.mp4', bytes)
  t.same(again.body, first.body)
  t.equal((await send('b.mp4', bytes)).status, 422)
  t.equal((await send('a.mp4', await clip('difficult.mp4'))).status, 422)
  t.same((await send('a.mp4', bytes)).body, first.body, 'and the first answer is still kept')
})

t.test('ID-1 a start that is sent again gets its first answer again', async t => {
  const mock = await start(t)
  const api = client(mock)
  const id = await api.job({ auto_start: false })
  const first = await api.post(`/v1/jobs/${id}/start`, {}, key)
  t.same((await api.post(`/v1/jobs/${id}/start`, {}, key)).body, first.body)
  t.equal((await api.get('/v1/usage/summary')).body.total_jobs, 1)
})

t.test('ID-1 an error is not kept: after a top-up or a wait the same key may try again', async t => {
  const mock = await start(t, { rateLimit: 1 })
  const api = client(mock)
  await api.get('/v1/jobs')
  t.equal((await api.post('/v1/jobs', body, key)).status, 429)
  mock.clock.step('60s')
  t.equal((await api.post('/v1/jobs', body, key)).status, 200)
})

t.test('ID-1 a record is kept for a day', async t => {
  const mock = await start(t)
  const api = client(mock)
  const first = await api.post('/v1/jobs', body, key)
  mock.clock.step('23h')
  t.equal((await api.post('/v1/jobs', body, key)).body.id, first.body.id)
  mock.clock.step('2h')
  t.not((await api.post('/v1/jobs', body, key)).body.id, first.body.id)
})

t.test('GO-3 without the header each create is new; reading never changes anything', async t => {
  const mock = await start(t)
  const api = client(mock)
  const id = await api.job()
  t.not(await api.job(), id)
  await api.get(`/v1/jobs/${id}`)
  const before = (await api.get(`/v1/jobs/${id}`)).body
  for (const path of [`/v1/jobs/${id}`, '/v1/jobs', `/api/download/${id}`, '/v1/usage/summary', '/api/pricing'])
    await api.get(path)
  t.same((await api.get(`/v1/jobs/${id}`)).body, before)
  t.equal((await api.get('/v1/jobs')).body.total, 2)
})

/** A whole form but for its end of stream. */
function form(bytes: Buffer): Uint8Array {
  const head =
    '--b\r\nContent-Disposition: form-data; name="file"; filename="short.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n--b--\r\n')])
}
