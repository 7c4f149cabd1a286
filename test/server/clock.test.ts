import t from 'tap'
import { Clock } from '../../base/clock.ts'
import { parseDuration } from '../../base/duration.ts'
import { SeededRandom } from '../../base/seed.ts'
import { type Timer, TimerHeap } from '../../base/timerHeap.ts'

t.test('a step runs what falls due on the way, in order, each at its own time', async t => {
  const clock = new Clock()
  t.teardown(() => clock.close())
  clock.freeze()
  const start = clock.now()
  const seen: [string, number][] = []
  const note = (name: string) => () => seen.push([name, clock.now() - start])
  clock.after(300, note('c'))
  clock.after(100, () => {
    note('a')()
    clock.after(50, note('b'))
  })
  clock.after(300, note('d'))
  const cancelled = clock.after(200, note('never'))
  clock.cancel(cancelled)
  clock.after(301, note('later'))
  clock.step(300)
  t.same(seen, [
    ['a', 100],
    ['b', 150],
    ['c', 300],
    ['d', 300],
  ])
  t.equal(clock.now() - start, 300)
})

t.test('timers come in the order of their times, those of the same time as they were set', async t => {
  const random = new SeededRandom('heap')
  const heap = new TimerHeap()
  let order = 0
  const put = (from: number): void => {
    const at = from + Math.floor(random.draw('at', order) * 40)
    heap.push({ at, cancelled: false, run: () => {}, dropped: undefined, order: order++ })
  }
  for (let i = 0; i < 500; i++) put(0)
  const came: Timer[] = []
  for (let first = heap.first; first; first = heap.first) {
    came.push(first)
    heap.pop()
    if (order < 2000) put(first.at)
  }
  t.equal(came.length, 2000)
  t.same(
    came.map(({ at, order }) => [at, order]),
    [...came].sort((a, b) => a.at - b.at || a.order - b.order).map(({ at, order }) => [at, order]),
  )
})

t.test("a world's clock follows the root, and its own freeze holds for it alone", async t => {
  const root = new Clock()
  t.teardown(() => root.close())
  root.freeze()
  const [a, b] = [new Clock(root), new Clock(root)]
  const [a0, b0] = [a.now(), b.now()]
  root.step(1000)
  t.same([a.now() - a0, b.now() - b0], [1000, 1000])
  a.freeze()
  b.setSpeed(10)
  root.step(1000)
  t.same([a.now() - a0, b.now() - b0], [1000, 11_000])
  a.step(5)
  t.equal(a.now() - a0, 1005)
  a.resume()
  root.step(1)
  t.equal(a.now() - a0, 1006)
})

t.test('a real timer wakes the clock, sooner when its speed is raised', async t => {
  const clock = new Clock()
  // The clock itself keeps no process alive.
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => {
    clock.close()
    clearInterval(alive)
  })
  const rung = new Promise<void>(resolve => clock.after(60_000, resolve))
  clock.setSpeed(1e6)
  await rung
  t.ok(clock.now() > 0)
})

t.test('wrong steps and speeds are refused', async t => {
  const clock = new Clock()
  for (const ms of [-1, Number.NaN]) t.throws(() => clock.step(ms), /0 or more/)
  for (const factor of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) t.throws(() => clock.setSpeed(factor), /above 0/)
})

t.test('1,000 timers in any order come out in theirs', async t => {
  const clock = new Clock()
  t.teardown(() => clock.close())
  clock.freeze()
  const chance = new SeededRandom('seed')
  const due = Array.from({ length: 1000 }, (_, i) => Math.floor(chance.between(0, 500, 'timer', i)))
  const seen: number[] = []
  for (const ms of due) clock.after(ms, () => seen.push(ms))
  clock.step(500)
  t.same(
    seen,
    due.sort((a, b) => a - b),
  )
})

t.test('chance depends on seed, owner, purpose and number, and on nothing else', async t => {
  const chance = new SeededRandom('seed', 'world')
  t.equal(chance.draw('a', 1), new SeededRandom('seed', 'world').draw('a', 1))
  const draws = [
    chance.draw('a', 1),
    chance.draw('a', 2),
    chance.draw('b', 1),
    chance.draw('a', 1, 1),
    new SeededRandom('seed', 'other').draw('a', 1),
    new SeededRandom('other', 'world').draw('a', 1),
  ]
  t.equal(new Set(draws).size, draws.length)
})

t.test('draws are even: 20 bins of 100,000 are within 5 sigma, and neighbours are independent', async t => {
  const chance = new SeededRandom('seed', 'world')
  const n = 100_000
  const bins = Array<number>(20).fill(0)
  let product = 0
  for (let i = 0; i < n; i++) {
    const drawn = chance.draw('p', i)
    bins[Math.floor(drawn * 20)] = (bins[Math.floor(drawn * 20)] as number) + 1
    product += (drawn - 0.5) * (chance.draw('p', i + 1) - 0.5)
  }
  const sigma = Math.sqrt(n * 0.05 * 0.95)
  for (const count of bins) t.ok(Math.abs(count - n / 20) < 5 * sigma, `${count}`)
  t.ok(Math.abs(product / n) < 5 / 12 / Math.sqrt(n), `${product / n}`)
})

t.test('100,000 ids are different, of their size and alphabet', async t => {
  const chance = new SeededRandom('seed', 'world')
  const ids = new Set(Array.from({ length: 100_000 }, (_, i) => chance.id('job', i)))
  t.equal(ids.size, 100_000)
  t.ok([...ids].every(id => /^[0-9a-hj-kmnp-z]{14}$/.test(id)))
})

t.test('durations are read as people write them', async t => {
  t.same(['500ms', '1.5s', '10m', '2h', '1d'].map(parseDuration), [500, 1500, 600_000, 7_200_000, 86_400_000])
  t.same(['', '5', 's', '-1s', '1 s', '5y'].map(parseDuration), Array(6).fill(undefined))
})
