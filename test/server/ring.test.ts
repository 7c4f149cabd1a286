/** The journal keeps what an exchange held, field for field, however often its ring has wrapped round. */
import t from 'tap'
import type { RunningMock } from '../../client/mock.ts'
import { Exchange, Journal } from '../../server/journal.ts'
import { MemoryBudget } from '../../server/world/memoryBudget.ts'
import { client, clip, start } from '../support.ts'

t.test('every field of an exchange is in the journal, also after the ring has wrapped round', async t => {
  const journal = new Journal(3, new MemoryBudget(2 ** 30))
  const clock = { now: () => 0 }
  const world = { name: 'a', tag: 'aaaaaa', key: 'test_a', partition: undefined, evictedAt: undefined, journal, clock }
  const pushed: Exchange[] = []
  const held: object[] = []
  for (let seq = 1; seq <= 8; seq++) {
    const text = `no. ${seq}`
    const exchange = new Exchange({
      id: seq,
      world,
      operation: text,
      at: seq,
      startedAt: seq,
      method: text,
      url: text,
      requestHeaders: [text],
      headerBytes: seq,
      keyState: 'valid',
      placeOnConnection: seq,
      connection: seq,
    })
    // Whatever fields there are, each gets a value of this exchange alone.
    for (const [name, value] of Object.entries(exchange)) {
      if (value === undefined || value === null) Object.assign(exchange, { [name]: text })
      if (value === 0) Object.assign(exchange, { [name]: seq })
      if (value === false) Object.assign(exchange, { [name]: true })
    }
    exchange.ruleContext = undefined
    pushed.push(exchange)
    held.push({ ...exchange })
    journal.push(exchange)
  }
  const kept = [...journal]
  t.strictSame(
    kept.map(entry => ({ ...entry })),
    held.slice(-3),
  )
  t.same(
    kept.map(entry => (entry as Exchange).requestId),
    pushed.slice(-3).map(({ requestId }) => requestId),
  )
  t.equal(journal.evicted, 5)
})

t.test('journal, HAR and explain say the same of a call before the ring has wrapped round and after', async t => {
  const mock = await start(t, { journalEntries: 6, rateLimit: 1000, jobLimit: 1000 })
  mock.use({
    name: 'ring',
    rules: [
      { name: 'slow', when: { route: 'listJobs' }, then: { delay: '5ms' } },
      { name: 'cut', when: { route: 'getPricing' }, then: { fault: 'truncated_body' } },
    ],
  })
  const first = await sixCalls(mock, 'key-1')
  t.equal(mock.journal.read().evicted, 0)
  const again = await sixCalls(mock, 'key-2')
  t.equal(mock.journal.read().evicted, 6)
  t.equal(first.entries.length, 6)
  t.strictSame(again, first)
})

/** Calls that fill different fields of an entry, and all that is shown of them but what is theirs alone. */
async function sixCalls(
  mock: RunningMock,
  idempotencyKey: string,
): Promise<Record<'entries' | 'har' | 'explained', unknown[]>> {
  const api = client(mock)
  const body = { video_url: 'https://example.com/cat.mp4#t=2' }
  await api.upload(await clip('short.mp4'))
  await api.post('/v1/jobs', body, { 'idempotency-key': idempotencyKey })
  await api.post('/v1/jobs', body, { 'idempotency-key': idempotencyKey })
  await api.get('/v1/jobs?limit=1')
  await api.get('/v1/pricing').catch(() => {})
  await api.get('/v1/jobs/none')
  const { entries } = mock.journal.read({ kind: 'exchange' })
  const har = JSON.parse(mock.journal.har()).log.entries as object[]
  const explained = await Promise.all(
    entries.map(async ({ request_id }) => (await api.get(`/__mock/explain/${request_id}`)).body),
  )
  return { entries: entries.map(withoutTime), har: har.map(withoutTime), explained: explained.map(withoutTime) }
}

/** Numbers, times and ids differ from one call to the next; that they are there is compared all the same. */
const withoutTime = (shown: object): unknown =>
  JSON.parse(JSON.stringify(shown), (name, value) => {
    if (typeof value === 'number') return name === 'status' ? value : 0
    if (typeof value !== 'string') return value
    return value
      .replace(/\b(req|job|vid)_\w+/g, '$1')
      .replace(/boundary=.*/, 'boundary')
      .replace(/"[0-9a-f-]+"/, 'an etag')
      .replace(/\b\w+, \d+ \w+ \d+ [\d:]+ GMT/g, 'a date')
      .replace(/\d+/g, '0')
  })
