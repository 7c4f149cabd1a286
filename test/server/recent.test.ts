/** The last 15 minutes in numbers. */
import t from 'tap'
import type { Exchange } from '../../server/journal.ts'
import { Recent } from '../../server/recent.ts'

const exchange = (seq: number, ms: number, status = 200): Exchange =>
  ({ seq, ms, status, requestId: `req_${seq}`, jobId: null }) as unknown as Exchange

t.test('percentiles are within a tenth, and the slowest call is named', async t => {
  const recent = new Recent()
  for (let ms = 1; ms <= 1000; ms++) recent.answered(exchange(ms, ms, ms % 10 === 0 ? 429 : 200), 1_000_000)
  const [point] = recent.points(1_000_100)
  t.match(point, { count: 1000, statuses: { 200: 900, 429: 100 }, from_seq: 1, to_seq: 1000 })
  t.same(point?.slowest, { request_id: 'req_1000', job_id: null, ms: 1000 })
  for (const [found, exact] of [
    [point?.p50, 500],
    [point?.p95, 950],
    [point?.p99, 990],
  ] as const)
    t.ok(Math.abs(Number(found) - exact) <= exact / 10, `${found} for ${exact}`)
})

t.test('what is older than 15 minutes is forgotten, and quiet times have no point', async t => {
  const recent = new Recent()
  recent.answered(exchange(1, 0), 0)
  recent.answered(exchange(2, 1e9), 600_000)
  t.same(
    recent.points(600_000).map(({ from_seq }) => from_seq),
    [1, 2],
  )
  t.same(
    recent.points(905_000).map(({ from_seq }) => from_seq),
    [2],
  )
  recent.answered(exchange(3, 5), 900_000)
  t.same(
    recent.points(905_000).map(({ count }) => count),
    [1, 1],
    'the place of the first was taken',
  )
})
