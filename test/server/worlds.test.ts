import t from 'tap'
import type { Duration } from '../../base/duration.ts'
import { Idempotency } from '../../server/world/idempotency.ts'
import { type JobRecord, JobStore } from '../../server/world/jobStore.ts'
import { MemoryBudget } from '../../server/world/memoryBudget.ts'
import { client, clip, start } from '../support.ts'

t.test('16 workers with keys of their own never see each other', async t => {
  const mock = await start(t, { credits: 10, rateLimit: 50 })
  const work = async (key: string) => {
    const api = client(mock, key)
    const ids = []
    for (let i = 0; i < 5; i++) ids.unshift(await api.job())
    const { jobs, total } = (await api.get('/v1/jobs')).body
    return (
      total === 5 &&
      ids.every((id, i) => jobs[i].id === id) &&
      (await api.post('/v1/jobs', { video_url: 'https://e.com/a.mp4#t=2' })).status === 402
    )
  }
  t.ok((await Promise.all(Array.from({ length: 16 }, (_, i) => work(`test_w${i}`)))).every(Boolean))
})

t.test('X-Mock-World splits one key into worlds', async t => {
  const mock = await start(t)
  const api = client(mock)
  const body = { video_url: 'https://e.com/a.mp4' }
  await api.post('/v1/jobs', body, { 'x-mock-world': 'one' })
  t.equal((await api.get('/v1/jobs', { 'x-mock-world': 'one' })).body.total, 1)
  t.equal((await api.get('/v1/jobs', { 'x-mock-world': 'two' })).body.total, 0)
  t.equal((await api.get('/v1/jobs')).body.total, 0)
  t.equal(mock.journal.count({ key: 'test_key' }), 4, "the key's journal has all of its worlds")
})

t.test('a reset makes one world as new, uploads included, and leaves the others', async t => {
  const mock = await start(t, { rateLimit: 10 })
  const [a, b] = [client(mock, 'test_a'), client(mock, 'test_b')]
  const { video_url } = (await a.upload(await clip('short.mp4'))).body
  const first = await a.job({ video_url })
  const kept = await b.job()
  t.match(await a.post('/__mock/reset', { key: 'test_a' }), { status: 200 })
  t.equal((await a.get(`/v1/jobs/${first}`)).status, 404)
  t.equal((await fetch(video_url)).status, 404)
  t.equal((await b.get(`/v1/jobs/${kept}`)).status, 200)
  const after = await a.get('/v1/usage/summary')
  t.match(after.body, { total_jobs: 0, credits_used: 0 })
  t.equal(after.headers.get('x-ratelimit-remaining'), '8')
  t.equal(await a.job({ video_url }), first, 'as new: the same calls give the same ids again')
})

t.test('one seed gives one run, whatever goes on beside it; another seed another', async t => {
  const run = async (seed: string, beside: number) => {
    const mock = await start(t, { seed, speed: 1 })
    mock.clock.freeze()
    const api = client(mock, 'test_run')
    const other = client(mock, 'test_other')
    const seen = []
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < beside; j++) await other.job()
      const id = await api.job({ video_url: `https://e.com/${i}.mp4` })
      mock.clock.step('2.2s')
      const { body, headers } = await api.get(`/v1/jobs/${id}`)
      seen.push([id, body.status, body.progress, body.duration_seconds, headers.get('x-request-id')])
    }
    return seen
  }
  const first = await run('a', 0)
  t.same(await run('a', 0), first)
  t.same(await run('a', 3), first)
  t.notSame(
    (await run('b', 0)).map(([id]) => id),
    first.map(([id]) => id),
  )
})

t.test('100 jobs draw different lengths of time, within their bounds', async t => {
  const mock = await start(t, { speed: 1, credits: 1e6 })
  const api = client(mock)
  mock.clock.freeze()
  const ids = await Promise.all(Array.from({ length: 100 }, () => api.job()))
  const statesAfter = async (step: Duration) => {
    mock.clock.step(step)
    const jobs = (await api.get('/v1/jobs?limit=100')).body.jobs as { status: string }[]
    return (state: string) => jobs.filter(({ status }) => status === state).length
  }
  const at300 = await statesAfter('299ms')
  t.equal(at300('pending'), 100)
  const at750 = await statesAfter('450ms')
  t.ok(at750('pending') > 25 && at750('pending') < 75, `${at750('pending')} of ${ids.length} still wait at the middle`)
  const end = await statesAfter('4.5s')
  t.equal(end('completed'), 100)
})

t.test(
  'AUTH-3 of 1,000 worlds one that holds nothing makes room first, then the least recently used, with all it holds',
  async t => {
    const mock = await start(t)
    const first = client(mock, 'test_0')
    const id = await first.job()
    const { video_url } = (await first.upload(await clip('short.mp4'))).body
    const firstIds = mock.journal.entries({ key: 'test_0', kind: 'exchange' }).map(({ request_id }) => request_id)
    for (let i = 0; i < 900; i++) mock.setKey({ key: `test_prepared_${i}`, credits: i })
    for (let i = 0; i < 200; i++) await client(mock, `test_probe_${i}`).get('/v1/jobs')
    t.equal((await fetch(video_url)).status, 200, 'keys that somebody tries out throw out nobody')
    for (let i = 0; i < 900; i++) if (mock.setKey({ key: `test_prepared_${i}` }).credits.available !== i) t.fail(`${i}`)
    for (let i = 900; i < 1100; i++) mock.setKey({ key: `test_prepared_${i}` })
    t.match((await client(mock).get('/metrics')).body, /understudy_worlds_evicted_total \d\d\d\b/)
    t.equal((await fetch(video_url)).status, 404, 'its files went with it')
    t.equal((await first.get(`/v1/jobs/${id}`)).status, 404)
    const later = mock.journal.entries({ key: 'test_0', kind: 'exchange' }).map(({ request_id }) => request_id)
    t.notOk(
      later.some(later => firstIds.includes(later)),
      'and no request_id comes again',
    )
  },
)

t.test('the bound of worlds is an option, and the later calls of one that was evicted say when that was', async t => {
  const mock = await start(t, { maxWorlds: 3 })
  const mine = client(mock, 'test_mine')
  const id = await mine.job()
  mock.clock.freeze()
  const when = new Date(mock.clock.now()).toISOString()
  for (let i = 0; i < 4; i++) await client(mock, `test_other_${i}`).job()
  t.match(await mine.get(`/v1/jobs/${id}`), { status: 404 })
  const { body } = await mine.get('/__mock/journal?key=test_mine')
  t.equal(
    body.entries[0].note,
    `this world was evicted at ${when} to make room for others; what it held before is gone`,
  )
  const { reasons } = mock.explain(body.entries[0].request_id)
  t.ok(reasons.includes(body.entries[0].note), 'explain says it too')
  t.equal((await mine.get('/__mock/keys')).body.keys.length, 4, 'that of calls without a key is not counted')
  await client(mock, 'test_other_9').get('/v1/jobs')
  t.equal(mock.journal.entries({ key: 'test_other_9' })[0]?.note, undefined)
  mock.reset('test_mine')
  await mine.job()
  t.equal(mock.journal.entries({ key: 'test_mine' })[0]?.note, undefined, 'a reset makes it as new')
})

t.test('ID-1 idempotency records share the memory of jobs: the oldest of the largest world go first', async t => {
  const memory = new MemoryBudget(100_000)
  const [quiet, loud] = [new Idempotency(memory), new Idempotency(memory)]
  quiet.claim('first', 'hash', 0, 60_000)
  quiet.settle('first', 'hash', 'answer')
  for (let i = 0; i < 1_000; i++) {
    loud.claim(`key ${i}`, 'hash', 0, 60_000)
    loud.settle(`key ${i}`, 'hash', 'answer')
  }
  t.ok(loud.bytes < 100_000 && loud.records().length > 200, `${loud.records().length} records`)
  t.same(quiet.match('first', 'hash'), { answer: 'answer' })
  t.same(loud.match('key 999', 'hash'), { answer: 'answer' })
  t.equal(loud.match('key 0', 'hash'), undefined)
  loud.discard()
  t.equal(loud.bytes, 0)
})

t.test('the job that finished first makes room; unfinished ones never do', async t => {
  const store = new JobStore(new MemoryBudget(2 ** 20), () => {})
  const job = (id: string) => ({ view: { id, status: 'created' }, bytes: 1 }) as unknown as JobRecord
  const [a, b, c] = [job('a'), job('b'), job('c')]
  for (const each of [a, b, c]) {
    store.add(each)
    store.move(each, 'pending')
    store.move(each, 'processing')
  }
  t.notOk(store.dropOldestFinished())
  store.move(b, 'failed')
  store.move(c, 'completed')
  store.move(b, 'pending')
  t.ok(store.dropOldestFinished())
  t.same(
    [...store].map(({ view }) => view.id),
    ['a', 'b'],
    'b was started again, so c was the oldest finished one',
  )
  t.same(
    store.page(10, 0, undefined).jobs.map(({ view }) => view.id),
    ['b', 'a'],
  )
  t.match(store.page(10, 0, 'pending'), { total: 1, jobs: [{ view: { id: 'b' } }] })
  store.add({ view: { id: 'restored', status: 'completed' }, bytes: 1 } as unknown as JobRecord)
  t.ok(store.dropOldestFinished(), 'one that a snapshot brought along makes room too')
  t.notOk(store.get('restored'))
})
