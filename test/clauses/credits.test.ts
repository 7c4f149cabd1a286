import t from 'tap'
import { client, start } from '../support.ts'

t.test('CR-1 a job costs its model times its length, once', async t => {
  const mock = await start(t)
  const prices = { original: 10, light: 7.5, pro: 30, human: 7.5 }
  for (const [model, credits] of Object.entries(prices)) {
    const api = client(mock, `test_${model}`)
    const id = await api.job({ model, video_url: 'https://example.com/a.mp4#t=10' })
    for (let i = 0; i < 3; i++) await api.get(`/v1/jobs/${id}`)
    t.equal((await api.get('/v1/usage/summary')).body.credits_used, credits, model)
  }
})

t.test('CR-1 what is left is the credits less what the jobs cost, to the last thousandth', async t => {
  const mock = await start(t, { credits: 10 })
  const api = client(mock)
  const create = async (seconds: number) =>
    (await api.post('/v1/jobs', { video_url: `https://example.com/a.mp4#t=${seconds}` })).status
  t.equal(await create(4), 200)
  t.equal(await create(4), 200)
  t.equal(await create(2.001), 402)
  t.equal(await create(2), 200)
  t.equal(await create(0.001), 402)
})

t.test('CR-2 the pricing names all models', async t => {
  const mock = await start(t)
  const { status, body } = await client(mock, null).get('/api/pricing')
  t.equal(status, 200)
  t.same(body.model_pricing_credits_per_minute, { original: 60, light: 45, pro: 180, human: 45 })
  t.type(body.price_per_second_cents, 'number')
  t.ok(Array.isArray(body.packages))
})

t.test('CR-3 too few credits is 402: nothing is charged and no job is there', async t => {
  const mock = await start(t, { credits: 5 })
  const api = client(mock)
  const refused = await api.post('/v1/jobs', { video_url: 'https://example.com/a.mp4#t=6' })
  t.match(refused, {
    status: 402,
    body: { error: { code: 'insufficient_credits', message: /^Not enough credits to process this video/ } },
  })
  t.equal((await api.get('/v1/jobs')).body.total, 0)
  t.ok(await api.job({ video_url: 'https://example.com/a.mp4#t=5' }), 'what is there can be spent to the last credit')
  await api.get('/v1/jobs')
  t.equal((await api.get('/v1/usage/summary')).body.credits_used, 5)
  t.equal((await api.post('/v1/jobs', { video_url: 'https://example.com/a.mp4#t=1' })).status, 402)
})

t.test('CR-3 credits of jobs that are underway are not there for others', async t => {
  const mock = await start(t, { credits: 5, speed: 1 })
  const api = client(mock)
  mock.clock.freeze()
  const all = await Promise.all(
    Array.from({ length: 6 }, () => api.post('/v1/jobs', { video_url: 'https://example.com/fail.mp4#t=2' })),
  )
  t.equal(all.filter(({ status }) => status === 200).length, 2)
  t.equal(all.filter(({ status }) => status === 402).length, 4)
  mock.clock.step('1m')
  t.equal((await api.get('/v1/usage/summary')).body.credits_used, 0, 'a failed job is not charged')
  t.ok(await api.job({ video_url: 'https://example.com/a.mp4#t=5' }), 'and gives its credits back')
})

t.test('CR-3 a draft costs nothing until it is started', async t => {
  const mock = await start(t)
  const api = client(mock, 'test_no_credits_drafts')
  const id = await api.job({ auto_start: false })
  t.match(await api.post(`/v1/jobs/${id}/start`), { status: 402 })
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'created', billing_status: null })
})

t.test('US-1 the summary has totals and a row a day, and follows the clock', async t => {
  const mock = await start(t)
  const api = client(mock)
  await api.job()
  await api.job({ video_url: 'https://example.com/fail.mp4' })
  await api.get('/v1/jobs')
  const { body } = await api.get('/v1/usage/summary?days=3')
  t.match(body, { days: 3, total_jobs: 2, completed_jobs: 1, failed_jobs: 1, credits_used: 2 })
  t.equal(body.daily.length, 3)
  t.match(body.daily[2], {
    date: new Date(mock.clock.now()).toISOString().slice(0, 10),
    total_jobs: 2,
    credits_used: 2,
  })
  mock.clock.step('48h')
  t.match((await api.get('/v1/usage/summary?days=3')).body.daily[0], { total_jobs: 2 })
  t.match((await api.get('/v1/usage/summary?days=2')).body, { total_jobs: 0 })
  for (const days of [0, 91]) t.equal((await api.get(`/v1/usage/summary?days=${days}`)).status, 400)
  t.equal((await api.get('/v1/usage/summary?days=90')).body.daily.length, 90)
})

t.test('US-2 the events are the recent calls, newest first', async t => {
  const mock = await start(t)
  const api = client(mock)
  const id = await api.job()
  const polled = await api.get(`/v1/jobs/${id}`)
  await api.get('/v1/jobs/none')
  const { events, limit } = (await api.get('/v1/usage/events?limit=3')).body
  t.equal(limit, 3)
  t.match(events, [
    { endpoint: 'GET /v1/jobs/{job_id}', status: 404, job_id: null },
    { endpoint: 'GET /v1/jobs/{job_id}', status: 200, job_id: id, request_id: polled.headers.get('x-request-id') },
    { endpoint: 'POST /v1/jobs', status: 200, job_id: id, credits: 2 },
  ])
  for (let i = 0; i < 120; i++) await api.get('/v1/jobs?limit=1')
  t.equal((await api.get('/v1/usage/events?limit=100')).body.events.length, 100)
})

t.test('SYS-1 the server says that it is up', async t => {
  const mock = await start(t)
  t.match(await client(mock, null).get('/health'), { status: 200, body: { status: 'ok' } })
})
