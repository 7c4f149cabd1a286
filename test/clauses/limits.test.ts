import t from 'tap'
import { client, start } from '../support.ts'

t.test('RL-1 requests and job creations are counted per key, and one key never takes from another', async t => {
  const mock = await start(t, { rateLimit: 5, jobLimit: 2 })
  mock.clock.freeze()
  const [a, b] = [client(mock, 'test_a'), client(mock, 'test_b')]
  const first = await Promise.all(
    Array.from({ length: 3 }, () => a.post('/v1/jobs', { video_url: 'https://e.com/a.mp4' })),
  )
  t.same(first.map(({ status }) => status).sort(), [200, 200, 429])
  const more = await Promise.all(Array.from({ length: 4 }, () => a.get('/v1/jobs')))
  t.equal(more.filter(({ status }) => status === 200).length, 3, 'what was refused counts nowhere')
  t.equal((await b.get('/v1/jobs')).status, 200)
})

t.test('RL-1 keyless legacy calls are counted per client address', async t => {
  const mock = await start(t, { rateLimit: 1 })
  const nobody = client(mock, null)
  t.equal((await nobody.get('/api/pricing')).status, 200)
  t.equal((await nobody.get('/api/pricing')).status, 429)
  t.equal((await client(mock).get('/api/pricing')).status, 200, 'with a key the key is counted')
})

t.test('RL-1 0 is no limit, and then no header speaks of one', async t => {
  const mock = await start(t)
  const { headers } = await client(mock).get('/v1/jobs')
  t.notOk(headers.has('ratelimit') || headers.has('x-ratelimit-limit'))
})

t.test('RL-2 a 429 has a Retry-After that is enough, and all limit headers agree', async t => {
  const mock = await start(t, { rateLimit: 3 })
  const api = client(mock)
  mock.clock.freeze()
  const first = await api.get('/v1/jobs')
  t.match(Object.fromEntries(first.headers), {
    'ratelimit-policy': '"requests";q=3;w=60',
    ratelimit: '"requests";r=2;t=60',
    'x-ratelimit-limit': '3',
    'x-ratelimit-remaining': '2',
  })
  t.equal(Number(first.headers.get('x-ratelimit-reset')), Math.ceil((mock.clock.now() + 60_000) / 1000))
  await api.get('/v1/jobs')
  await api.get('/v1/jobs')
  mock.clock.step('20.5s')
  const refused = await api.get('/v1/jobs')
  t.match(refused, { status: 429, body: { error: { code: 'rate_limited' } } })
  t.equal(refused.headers.get('retry-after'), '40')
  t.equal(refused.headers.get('ratelimit'), '"requests";r=0;t=40')
  t.equal(refused.headers.get('x-ratelimit-remaining'), '0')
  mock.clock.step('40s')
  t.equal((await api.get('/v1/jobs')).status, 200, 'waiting that long is enough')
})

t.test('RL-2 both limits of a create are told; the classic headers tell the nearer one', async t => {
  const mock = await start(t, { rateLimit: 100, jobLimit: 10 })
  const { headers } = await client(mock).post('/v1/jobs', { video_url: 'https://e.com/a.mp4' })
  t.match(headers.get('ratelimit'), /^"requests";r=99;t=60, "jobs";r=9;t=60$/)
  t.equal(headers.get('x-ratelimit-limit'), '10')
})

t.test('GO-2 a burst is answered 429, and a client that waits gets through', async t => {
  const mock = await start(t, { rateLimit: 10 })
  const api = client(mock)
  const burst = await Promise.all(Array.from({ length: 50 }, () => api.get('/v1/jobs')))
  t.equal(burst.filter(({ status }) => status === 200).length, 10)
  const refused = burst.filter(({ status }) => status === 429)
  t.equal(refused.length, 40)
  mock.clock.step(Number(refused[0]?.headers.get('retry-after')) * 1000)
  t.equal((await api.get('/v1/jobs')).status, 200)
})

t.test('RL-3 test_rate_limited refuses the first call, and lets one through after its Retry-After', async t => {
  const mock = await start(t)
  mock.clock.freeze()
  const api = client(mock, 'test_rate_limited_1')
  for (let i = 0; i < 3; i++) {
    const refused = await api.get('/v1/jobs')
    t.equal(refused.status, 429)
    mock.clock.step(Number(refused.headers.get('retry-after')) * 1000)
    t.equal((await api.get('/v1/jobs')).status, 200)
  }
})
