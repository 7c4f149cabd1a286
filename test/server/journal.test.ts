import t from 'tap'
import { client, clip, start } from '../support.ts'

t.test('a client that has its answer finds its entry, with request and answer', async t => {
  const mock = await start(t)
  const api = client(mock)
  for (let i = 0; i < 50; i++) {
    const { headers } = await api.post('/v1/jobs', { video_url: 'https://e.com/a.mp4' })
    t.equal(mock.journal.count({ requestId: headers.get('x-request-id') as string }), 1)
  }
  const [entry] = mock.journal.entries({ kind: 'exchange' })
  t.match(entry, {
    kind: 'exchange',
    method: 'POST',
    url: '/v1/jobs',
    route: 'POST /v1/jobs',
    status: 200,
    request: {
      headers: { 'content-type': 'application/json', 'x-api-key': '[redacted]' },
      body: { video_url: 'https://e.com/a.mp4' },
    },
    response: { headers: { 'x-request-id': entry?.request_id }, body: { success: true, id: entry?.job_id } },
  })
})

t.test('filters by key, route, status, job, request, kind and since, over HTTP and in process', async t => {
  const mock = await start(t)
  const [a, b] = [client(mock, 'test_a'), client(mock, 'test_b')]
  const id = await a.job()
  const polled = await a.get(`/v1/jobs/${id}`)
  await a.get('/v1/jobs/none')
  await b.get('/v1/jobs')
  const requestId = polled.headers.get('x-request-id') as string
  const counts: [string, number][] = [
    ['', 4],
    ['key=test_a', 3],
    ['key=test_nobody', 0],
    ['route=getJob', 2],
    ['route=GET%20/v1/jobs/{job_id}', 2],
    ['route=/v1/jobs', 2],
    ['status=404', 1],
    ['status=2xx', 3],
    [`job_id=${id}`, 2],
    [`request_id=${requestId}`, 1],
    ['kind=webhook', 0],
    ['since=3', 1],
    [`since=${encodeURIComponent(new Date(mock.clock.now() + 1000).toISOString())}`, 0],
    ['key=test_a&status=404', 1],
  ]
  for (const [query, count] of counts) t.equal((await a.get(`/__mock/journal?${query}`)).body.count, count, query)
  const page = (await a.get('/__mock/journal?limit=3')).body
  t.match(page, { count: 4, complete: true, evicted: 0, next: 3 })
  t.match((await a.get(`/__mock/journal?limit=3&since=${page.next}`)).body, { entries: [{ seq: 4 }], next: null })
})

t.test(
  'the newest come first by order=newest, and the pages before them by next, whatever comes in meanwhile',
  async t => {
    const mock = await start(t)
    const a = client(mock, 'test_a')
    const b = client(mock, 'test_b')
    for (let i = 0; i < 5; i++) await a.get('/v1/jobs')
    const seqsOf = (page: { entries: { seq: number }[] }) => page.entries.map(({ seq }) => seq)
    const page = async (query: string) => (await a.get(`/__mock/journal?${query}`)).body
    const first = await page('key=test_a&order=newest&limit=2')
    t.match(first, { next: 4, count: 5 })
    t.same(seqsOf(first), [5, 4])
    await b.get('/v1/jobs')
    await a.get('/v1/jobs')
    const second = await page(`key=test_a&order=newest&limit=2&before=${first.next}`)
    t.same([seqsOf(second), second.next], [[3, 2], 2], 'what came in since shifts nothing')
    const last = await page(`key=test_a&order=newest&limit=2&before=${second.next}`)
    t.same([seqsOf(last), last.next, last.limited_by], [[1], null, null])
    t.same(seqsOf(await page('since=1&before=4&order=newest')), [3, 2], 'both ends')
    t.same(seqsOf(await page('before=3')), [1, 2], 'oldest first too')
    const [, , third] = mock.journal.entries()
    t.same(seqsOf(await page(`before=${third?.time}`)).includes(3), false, 'or a time')
    t.same(
      mock.journal.entries({ key: 'test_a', before: 3 }).map(({ seq }) => seq),
      [1, 2],
    )
    t.equal((await a.get('/__mock/journal?order=latest')).status, 400)
    t.match((await a.get('/__mock/journal?before=soon')).body, {
      error: { message: /before is "soon"; expected an entry's seq or an ISO 8601 time/ },
    })
  },
)

t.test('waiting ends when enough is there, or when its time is over', async t => {
  const mock = await start(t)
  const api = client(mock)
  const waited = api.get('/__mock/journal?route=getJob&wait=30s&atLeast=2')
  await api.get('/v1/jobs/a')
  await api.get('/v1/jobs/b')
  t.match((await waited).body, { met: true, count: 2 })
  t.match((await api.get('/__mock/journal?route=listJobs&wait=50ms')).body, { met: false, count: 0 })
  await t.rejects(
    mock.journal.waitFor({ route: 'listJobs' }, { within: '20ms' }),
    /waited 20ms for 1 entry .* found 0 of 2/,
  )
})

t.test('a page is bounded in bytes too, says so, and goes on where it ended', async t => {
  const mock = await start(t)
  const api = client(mock)
  const note = 'x'.repeat(60_000)
  const id = await api.job({ metadata: { note } })
  for (let i = 1; i < 300; i++) await api.get(`/v1/jobs/${id}`)
  const { body: first } = await api.get('/__mock/journal?limit=10000')
  t.match(first, { count: 300, limited_by: 'bytes' })
  t.ok(first.entries.length > 200 && first.entries.length < 300, `${first.entries.length} entries`)
  const { body: rest } = await api.get(`/__mock/journal?limit=10000&since=${first.next}`)
  t.match(rest, { next: null, limited_by: null })
  t.equal(first.entries.length + rest.entries.length, 300)
  t.equal(rest.entries[0].seq, first.entries.at(-1).seq + 1)
  t.match((await api.get('/__mock/journal?limit=2')).body, { limited_by: 'limit' })
  const { body: newest } = await api.get('/__mock/journal?limit=300&order=newest')
  t.match(newest, { next: newest.entries.at(-1).seq, limited_by: 'bytes' })
  const { body: older } = await api.get(`/__mock/journal?limit=300&order=newest&before=${newest.next}`)
  t.match(older, { next: null, limited_by: null })
  t.equal(older.entries[0].seq, newest.entries.at(-1).seq - 1, 'the newest first, as far back as it goes')
  t.equal(mock.journal.entries().length, 300, 'all of them, in this process')
})

t.test('an evicted stretch is told, and never counted too low', async t => {
  const mock = await start(t, { journalEntries: 10 })
  const api = client(mock)
  for (let i = 0; i < 25; i++) await api.get(`/v1/jobs/none${i}`)
  const page = mock.journal.read()
  t.match(page, { count: null, evicted: 15, complete: false })
  t.same(
    page.entries.map(({ url }) => url),
    Array.from({ length: 10 }, (_, i) => `/v1/jobs/none${15 + i}`),
  )
  t.throws(() => mock.journal.count(), /it has evicted 15 entries/)
  t.match(
    mock.journal.read({ since: 15 }),
    { count: 10, complete: true },
    'what is later than the last evicted is complete',
  )
  await client(mock, 'test_other').get('/v1/jobs')
  t.equal(mock.journal.count({ key: 'test_other' }), 1, "another world's journal is complete")
})

t.test('bodies are cut at 64 KiB, uploads are kept as size, type and hash', async t => {
  const mock = await start(t)
  const api = client(mock)
  await api.job({ metadata: { long: 'x'.repeat(100_000) } })
  const body = mock.journal.entries()[0]?.request.body as string
  t.ok(body.length < 66_000 && body.endsWith('(cut)'))
  await api.upload(await clip('short.mp4'))
  const entry = mock.journal.entries({ route: 'uploadVideo' })[0]
  t.match(entry?.upload, { filename: 'short.mp4', size: 31052, type: 'video/mp4', sha256: /^[0-9a-f]{64}$/ })
  t.equal(entry?.request.body, undefined)
})

t.test('the stream sends each entry as it comes, with the same filters', async t => {
  const mock = await start(t)
  const stream = await fetch(`${mock.url}/__mock/journal/stream?status=404`)
  t.equal(stream.headers.get('content-type'), 'text/event-stream')
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
  const api = client(mock)
  await api.get('/v1/jobs')
  await api.get('/v1/jobs/none')
  let text = ''
  while (!text.includes('data:')) text += new TextDecoder().decode((await reader.read()).value)
  t.match(text, /event: exchange\ndata: .*"url":"\/v1\/jobs\/none"/)
  t.notMatch(text, /"url":"\/v1\/jobs"/)
  await reader.cancel()
})

t.test('GO-4 each listener has what fits its own filter from then on, without secrets, in both views', async t => {
  const mock = await start(t)
  const api = client(mock, 'test_secret_key')
  const listen = async (query: string) => {
    const { body } = await fetch(`${mock.url}/__mock/journal/stream?${query}`)
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    t.teardown(() => reader.cancel())
    let text = ''
    return async (until: string) => {
      while (!text.includes(until)) text += new TextDecoder().decode((await reader.read()).value)
      return text
    }
  }
  const notes = (text: string) => [...new Set(text.match(/note\d/g))]
  const send = (n: number) =>
    api.post(`/v1/jobs?note${n}`, { video_url: 'https://e.com/a.mp4', text_prompt: 'test_secret_key' })
  const found = await listen('status=200')
  await send(1)
  const [missed, rows] = [await listen('status=404'), await listen('status=200&view=rows')]
  await send(2)
  await api.get('/v1/none?note3')
  await send(4)
  t.same(notes(await found('note4')), ['note1', 'note2', 'note4'])
  t.same(notes(await rows('note4')), ['note2', 'note4'])
  t.same(notes(await missed('note3')), ['note3'])
  for (const text of [await found('note4'), await rows('note4')]) t.notMatch(text, 'test_secret_key')
  t.match(await found('note4'), /"text_prompt":"\[redacted\]"/)
})

t.test('DELETE empties one key or all', async t => {
  const mock = await start(t)
  for (const key of ['test_a', 'test_b']) await client(mock, key).get('/v1/jobs')
  await client(mock).call('DELETE', '/__mock/journal?key=test_a')
  t.same([mock.journal.count({ key: 'test_a' }), mock.journal.count({ key: 'test_b' })], [0, 1])
  await client(mock).call('DELETE', '/__mock/journal')
  t.equal(mock.journal.count(), 0)
})

t.test('GET /metrics tells requests, latency, jobs, credits, limits and webhooks', async t => {
  const mock = await start(t, { rateLimit: 5 })
  const api = client(mock)
  const id = await api.job({ webhook_url: 'http://127.0.0.1:1/hook' })
  await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 8 })
  for (let i = 0; i < 5; i++) await api.get(`/v1/jobs/${id}`)
  const { body, headers } = await api.get('/metrics')
  t.match(headers.get('content-type'), 'text/plain')
  for (const line of [
    'understudy_requests_total{route="GET /v1/jobs/{job_id}",status="200"} 4',
    'understudy_requests_total{route="GET /v1/jobs/{job_id}",status="429"} 1',
    'understudy_rate_limited_total 1',
    'understudy_jobs{state="completed"} 1',
    'understudy_credits_charged 2',
    'understudy_webhook_attempts_total{result="failed"} 8',
    'understudy_request_duration_seconds_count{route="GET /v1/jobs/{job_id}"} 5',
    'understudy_request_duration_seconds_bucket{le="+Inf",route="GET /v1/jobs/{job_id}"} 5',
  ]) {
    t.ok(body.includes(line), line)
  }
  t.match(body, /process_resident_memory_bytes \d+/)
})

t.test('off loopback /__mock is closed, unless a token is set and sent', async t => {
  const open = await start(t, { host: '0.0.0.0' })
  t.match(await client(open).get('/__mock/journal'), {
    status: 404,
    body: { error: { message: /closed off loopback/ } },
  })
  t.equal((await client(open).get('/v1/jobs')).status, 200)
  const guarded = await start(t, { host: '0.0.0.0', adminToken: 'token' })
  t.equal((await client(guarded).get('/__mock/journal')).status, 401)
  t.equal((await client(guarded).get('/__mock/journal', { 'x-admin-token': 'token' })).status, 200)
})
