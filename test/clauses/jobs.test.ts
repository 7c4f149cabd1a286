import t from 'tap'
import { client, clip, start } from '../support.ts'

const url = 'https://example.com/cat.mp4#t=2'

t.test('JOB-1 the fields have their defaults, and unknown ones are ignored', async t => {
  const mock = await start(t)
  const api = client(mock)
  const { body } = await api.get(`/v1/jobs/${await api.job({ future_field: 1, metadata: { user: 7 } })}`)
  t.match(body, { model: 'original', output_format: 'webm', bg_type: 'transparent', metadata: { user: 7 } })
  t.notOk('future_field' in body)
  for (const model of ['original', 'light', 'pro', 'human']) t.ok(await api.job({ model }), model)
  for (const bg_type of ['transparent', 'green', 'white', 'black', 'blue', 'custom', 'color', 'image'])
    t.ok(await api.job({ bg_type }))
  t.ok(await api.job({ bg_type: 'custom', bg_color: [0, 127.5, 255] }))
  t.ok(await api.job({ background: { type: 'image', image_url: 'https://example.com/b.png' } }))
  const composition = {
    canvas: { width: 1920, height: 1080 },
    foreground: { anchor: 'center', scale: 1.5, offset: { x: 1, y: -1 } },
  }
  const composed = await api.get(`/v1/jobs/${await api.job({ composition })}`)
  t.same(composed.body.composition, composition)
})

t.test('JOB-2 a create is answered with success, id, status and message', async t => {
  const mock = await start(t)
  const { status, body } = await client(mock).post('/v1/jobs', { video_url: url })
  t.equal(status, 200)
  t.same(Object.keys(body), ['success', 'id', 'status', 'message'])
  t.match(body, { success: true, id: /^job_/, status: 'pending' })
})

t.test('JOB-3 a draft waits, is started with overrides, and a second start does nothing', async t => {
  const mock = await start(t, { speed: 1 })
  const api = client(mock)
  mock.clock.freeze()
  const id = await api.job({ auto_start: false })
  mock.clock.step('10m')
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'created', progress: 0, billing_status: null })
  const overrides = { model: 'pro', output_format: 'mov', bg_type: 'green', text_prompt: 'the cat' }
  t.match(await api.post(`/v1/jobs/${id}/start`, overrides), { status: 200, body: { id, status: 'pending' } })
  t.match((await api.get(`/v1/jobs/${id}`)).body, overrides)
  t.match(await api.post(`/v1/jobs/${id}/start`, { model: 'light' }), { status: 200, body: { status: 'pending' } })
  mock.clock.step('1m')
  t.match(await api.post(`/v1/jobs/${id}/start`), { status: 200, body: { status: 'completed' } })
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'completed', model: 'pro' })
  t.equal((await api.get('/v1/usage/summary')).body.credits_used, 6, 'charged once, at the price of pro')
})

t.test('JOB-4 progress never goes back, states move as documented, and terminal states stay', async t => {
  const mock = await start(t, { speed: 1 })
  const api = client(mock)
  mock.clock.freeze()
  const id = await api.job()
  const states: string[] = []
  let progress = 0
  for (let i = 0; i < 70; i++) {
    const { body } = await api.get(`/v1/jobs/${id}`)
    if (states.at(-1) !== body.status) states.push(body.status)
    t.ok(body.progress >= progress && body.progress <= 100)
    t.equal(body.output_url === null, body.status !== 'completed')
    progress = body.progress
    mock.clock.step(100)
  }
  t.same(states, ['pending', 'processing', 'completed'])
  t.equal(progress, 100)
  mock.clock.step('90m')
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'completed', progress: 100 })
})

t.test('JOB-4 a failed job says why, is not charged, and can be started again', async t => {
  const mock = await start(t)
  const api = client(mock)
  const id = await api.job({ video_url: 'https://example.com/fail.mp4' })
  const failed = (await api.get(`/v1/jobs/${id}`)).body
  t.match(failed, { status: 'failed', error: 'Processing failed', output_url: null, billing_status: 'not_charged' })
  t.match(await api.post(`/v1/jobs/${id}/start`), { status: 200, body: { status: 'pending' } })
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'failed' })
})

t.test('JOB-4 fail, stuck and slow do what their names say, as an upload too', async t => {
  const mock = await start(t, { speed: 1 })
  const api = client(mock)
  mock.clock.freeze()
  const bytes = await clip('short.mp4')
  const job = async (name: string) => {
    const { body } = await api.upload(bytes, `${name}.mp4`)
    return api.job({ video_url: body.video_url })
  }
  const [fail, stuck, slow, plain] = await Promise.all([job('fail'), job('stuck'), job('slow'), job('plain')])
  const stateOf = async (id: string) => (await api.get(`/v1/jobs/${id}`)).body
  mock.clock.step('6s')
  t.equal((await stateOf(fail)).status, 'failed')
  t.equal((await stateOf(plain)).status, 'completed')
  t.equal((await stateOf(slow)).status, 'processing')
  mock.clock.step('1m')
  t.equal((await stateOf(slow)).status, 'completed')
  mock.clock.step('20h')
  t.match(await stateOf(stuck), { status: 'processing', progress: 42 })
})

t.test('JOB-5 a job is shown with all documented fields', async t => {
  const mock = await start(t)
  const api = client(mock)
  const { body } = await api.get(`/v1/jobs/${await api.job()}`)
  t.match(body, {
    status: 'completed',
    progress: 100,
    output_url: /^http:.*output\.webm$/,
    error: null,
    created_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    duration_seconds: 2,
    billing_status: 'charged',
    webhook_url: null,
    webhook_events: [],
    video_url: url,
  })
})

t.test('JOB-6 the list is newest first, in pages, by state', async t => {
  const mock = await start(t)
  const api = client(mock)
  const ids: string[] = []
  for (let i = 0; i < 25; i++) ids.unshift(await api.job({ auto_start: i % 5 !== 0 }))
  const first = (await api.get('/v1/jobs')).body
  t.match(first, { total: 25, limit: 20, offset: 0 })
  t.same(
    first.jobs.map(({ id }: { id: string }) => id),
    ids.slice(0, 20),
  )
  const second = (await api.get('/v1/jobs?limit=10&offset=20')).body
  t.same(
    second.jobs.map(({ id }: { id: string }) => id),
    ids.slice(20),
  )
  const drafts = (await api.get('/v1/jobs?status=created&limit=3&offset=1')).body
  t.match(drafts, { total: 5, limit: 3, offset: 1 })
  t.same(
    drafts.jobs.map(({ id }: { id: string }) => id),
    [ids[9], ids[14], ids[19]],
  )
  t.equal((await api.get('/v1/jobs?offset=99')).body.jobs.length, 0)
})

t.test('JOB-7 mp4 can not be transparent, at create and at start', async t => {
  const mock = await start(t)
  const api = client(mock)
  const refused = {
    status: 400,
    body: { error: { code: 'invalid_request', message: /output_format mp4 has no alpha/ } },
  }
  t.match(await api.post('/v1/jobs', { video_url: url, output_format: 'mp4' }), refused)
  t.match(
    await api.post('/v1/jobs', {
      video_url: url,
      output_format: 'mp4',
      bg_type: 'green',
      background: { type: 'transparent' },
    }),
    refused,
  )
  t.ok(await api.job({ output_format: 'mp4', bg_type: 'green' }))
  const draft = await api.job({ auto_start: false })
  t.match(await api.post(`/v1/jobs/${draft}/start`, { output_format: 'mp4' }), refused)
  t.match((await api.get(`/v1/jobs/${draft}`)).body, { status: 'created', output_format: 'webm' })
  for (const output_format of ['webm', 'mov', 'gif', 'webp', 'png_sequence'])
    t.ok(await api.job({ output_format }), output_format)
})

t.test('GO-5 success, failure, retry and insufficient credits are each reached with a real clip', async t => {
  const mock = await start(t)
  const api = client(mock)
  const { body } = await api.upload(await clip('short.mp4'), 'short.mp4')
  const success = (await api.get(`/v1/jobs/${await api.job({ video_url: body.video_url })}`)).body
  t.equal(success.status, 'completed')
  const failing = (await api.upload(await clip('short.mp4'), 'fail.mp4')).body
  const failed = await api.job({ video_url: failing.video_url })
  t.equal((await api.get(`/v1/jobs/${failed}`)).body.status, 'failed')
  t.equal((await api.post(`/v1/jobs/${failed}/start`)).body.status, 'pending')
  t.equal((await client(mock, 'test_no_credits').post('/v1/jobs', { video_url: body.video_url })).status, 402)
})

t.test(
  "GO-7 input, model, format, state and the caller's own ids stand beside the job, its credits in the usage",
  async t => {
    const mock = await start(t)
    const api = client(mock)
    const id = await api.job({ metadata: { project: 'p1' } })
    const { body } = await api.get(`/v1/jobs/${id}`)
    t.match(body, {
      video_url: url,
      model: 'original',
      output_format: 'webm',
      status: 'completed',
      metadata: { project: 'p1' },
    })
    const { events } = (await api.get('/v1/usage/events')).body
    t.match(
      events.find((event: { endpoint: string }) => event.endpoint === 'POST /v1/jobs'),
      { job_id: id, credits: 2 },
    )
  },
)
