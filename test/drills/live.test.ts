/** How a drill shows itself while it runs, on streams that only remember what was written to them. */
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { type Test, test } from 'tap'
import { monotonicMs } from '../../base/clock.ts'
import { liveOn, type Watched } from '../../drills/live.ts'
import { Records } from '../../drills/load/records.ts'

/** A stream that is a terminal of so many columns, or none. */
function fakeStream(columns: number | undefined, isTTY = true) {
  const written: string[] = []
  const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 }
  return { written, stream: stream as unknown as NodeJS.WriteStream & { columns: number } }
}

/** What a terminal shows of it: only what the view writes is known here. */
function screenOf(written: readonly string[], columns: number) {
  const rows: string[] = ['']
  let isCursorShown = true
  for (const [, up, clear, cursor, text] of written
    .join('')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's own
    .matchAll(/\x1b\[(?:(\d+)A|(0J)|\?25([hl])|\d+m)|([^\x1b]+)/g)) {
    if (up !== undefined) {
      if (Number(up) >= rows.length) throw new Error('the cursor goes above what was drawn')
      rows.splice(rows.length - 1 - Number(up))
      rows.push('')
    } else if (cursor !== undefined) isCursorShown = cursor === 'h'
    else if (clear !== undefined) rows[rows.length - 1] = ''
    else
      for (const sign of text ?? '') {
        if (sign === '\n') rows.push('')
        else if ((rows.at(-1) as string).length >= columns) rows.push(sign)
        else rows[rows.length - 1] += sign
      }
  }
  return { rows, isCursorShown }
}

/** A load that is underway for ten seconds: what it did last is known. */
function session(change: Partial<Watched> = {}): Watched {
  const records = new Records()
  const call = records.callOf('poll')
  const add = (ended: number, ms: number, status: number) =>
    records.add({ call, due: ended - ms, sent: ended - ms, ended, status, lagMs: 0 })
  for (let i = 0; i < 450; i++) add(i * 20, 1, 200)
  for (let i = 0; i < 40; i++) add(9_100 + i * 20, 1 + i / 10, 200)
  for (const [i, status] of [429, 429, 500, 404, 0].entries()) add(9_900 + i * 10, 80, status)
  return {
    phase: '50/s',
    plannedMs: 30_000,
    due: 500,
    loadEndAt: 0,
    now: () => 10_000,
    records,
    setup: { base: 'http://127.0.0.1:4010', wire: { inFlight: 5 }, sampler: { judged: 120, broken: 0 } },
    ...change,
  }
}

/** After a few looks, however long a busy machine takes for them. */
async function shown(t: Test, columns: number | undefined, watched = session(), color = false) {
  const { written, stream } = fakeStream(columns)
  const live = liveOn(stream, watched, { title: 'drill sustain', color, everyMs: 20 })
  t.teardown(() => live.stop())
  for (let waited = 0; written.length < 6 && waited < 5_000; waited += 20) await delay(20)
  return { written, stream, live, screen: () => screenOf(written, stream.columns || 80) }
}

test('on a terminal it is drawn in place: what it is, how far it is, and what the last second was', async t => {
  const { screen, written } = await shown(t, 100)
  const { rows, isCursorShown } = screen()
  t.notOk(isCursorShown)
  t.ok(rows.length <= 12, `${rows.length} rows`)
  t.ok(written.length >= 4, 'drawn anew again and again')
  t.equal(rows[0], 'drill sustain http://127.0.0.1:4010')
  t.match(rows[1], /^10\.0 s of 30\.0 s \[#{10}-{20}\] 50\/s$/)
  t.match(rows[2], /^now 45\/s, 5 underway; p50 \d\.\d\d ms, p99 80\.0 ms, max 80\.0 ms$/)
  t.match(rows[3], /^p99 █+$/)
  const text = rows.join('\n')
  t.match(text, /^2xx {2}█+ +490 in all, 40 in the last second$/m)
  t.match(text, /^429 {2}█ +2 in all, 2 in the last second$/m)
  for (const name of ['4xx ', '5xx ', 'none'])
    t.match(text, new RegExp(`^${name} +█ +1 in all, 1 in the last second$`, 'm'))
  t.notMatch(text, '3xx')
  t.match(text, '500 due, 495 done; 120 answers keep the contract')
})

test('stopped, it has left nothing but a cursor; a late timer draws no more', async t => {
  const { live, screen, written } = await shown(t, 100)
  live.stop()
  t.same(screen(), { rows: [''], isCursorShown: true })
  const before = written.length
  await delay(60)
  t.equal(written.length, before)
  const listeners = process.listenerCount('exit')
  const quick = fakeStream(80)
  liveOn(quick.stream, session(), { title: 'drill sustain' }).stop()
  t.same(screenOf(quick.written, 80), { rows: [''], isCursorShown: true }, 'before the first look')
  t.equal(process.listenerCount('exit'), listeners)
})

test('a process that ends at once still has a cursor', t => {
  const { written, stream } = fakeStream(80)
  const before = new Set(process.listeners('exit'))
  const live = liveOn(stream, session(), { title: 'drill sustain' })
  for (const listener of process.listeners('exit')) if (!before.has(listener)) listener(0)
  t.ok(screenOf(written, 80).isCursorShown)
  live.stop()
  t.end()
})

test('no line is wider than the terminal, whatever its width is', async t => {
  for (const columns of [1, 2, 5, 9, 20, 33, 47, 80, 110, 400, 0, undefined]) {
    const { live, screen, written } = await shown(t, columns, session({ phase: 'an outage of '.repeat(20) }))
    const rows = stripVTControlCharacters(written.at(-1) ?? '').split('\n')
    const most = Math.max(...rows.map(row => row.length))
    t.ok(most <= Math.max(1, (columns || 80) - 1), `${most} of ${columns}`)
    live.stop()
    t.same(screen().rows, [''], `${columns} columns: nothing is left`)
  }
})

test('a terminal that is made wider is filled, and of one that is made narrower nothing is left behind', async t => {
  for (const [from, to] of [
    [60, 100],
    [100, 40],
  ] as const) {
    const { written, stream } = fakeStream(from)
    const live = liveOn(stream, session(), { title: 'drill sustain', everyMs: 20 })
    while (written.length < 4) await delay(20)
    const before = stripVTControlCharacters(written.at(-1) ?? '')
      .split('\n')
      .slice(0, -1)
    stream.columns = to
    const until = written.length
    while (written.length === until) await delay(20)
    // Rows that the old lines take in the terminal as it is now.
    const rows = before.reduce((sum, row) => sum + Math.max(1, Math.ceil(row.length / to)), 0)
    t.match(written[until], `\x1b[${rows}A\x1b[0J`)
    const last = stripVTControlCharacters(written.at(-1) ?? '').split('\n')
    t.ok(last.every(row => row.length < to))
    live.stop()
  }
})

test('colour is for those who want it, and says nothing by itself', async t => {
  const plain = await shown(t, 100)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's own
  const colours = /\x1b\[\d+m/
  t.notMatch(plain.written.join('').replaceAll('\x1b[0J', ''), colours)
  const painted = await shown(t, 100, session(), true)
  t.match(painted.written.join(''), colours)
  t.equal(stripVTControlCharacters(painted.written.at(-1) ?? ''), stripVTControlCharacters(plain.written.at(-1) ?? ''))
})

test('what is wrong is said: broken clauses, requests that are late', async t => {
  const watched = session()
  watched.setup.sampler.broken = 3
  ;(watched.records as Records).add({ call: 0, due: 0, sent: 900, ended: 901, status: 301, lagMs: 900 })
  const { screen } = await shown(t, 110, watched)
  const text = screen().rows.join('\n')
  t.match(text, '3 of 120 answers break the contract')
  t.match(text, /496 done, 0\.20 % late \(1 by this machine\)/)
  t.match(text, /^3xx +1 in all, 0 in the last second$/m)
})

test('before there is anything, and where nobody knows the end, it says so', async t => {
  const empty = session({ records: new Records(), phase: 'getting ready', plannedMs: 0, due: 0, now: () => 0 })
  const { rows } = (await shown(t, 80, empty)).screen()
  t.equal(rows[1], '0.0 s  getting ready')
  t.match(rows[2], 'now 0/s, 5 underway; p50 –, p99 –, max –')
  t.notMatch(rows.join(), /NaN|Infinity|undefined/)
  t.match(
    (await shown(t, 80, session({ now: () => 45_000 }))).screen().rows[1],
    '30.0 s of 30.0 s [##############################]',
  )
})

test('what a session says can do nothing to a terminal', async t => {
  const { written } = await shown(t, 80, session({ phase: 'evil \x1b[2J\x07\u202e\nnew' }))
  t.notMatch(written.join(''), '\x1b[2J')
  t.notMatch(written.join(''), '\x07')
  t.notMatch(written.join(''), '\u202e')
  t.match(written.join(''), 'evil \\x1b[2J\\x07\\u202e new')
})

test('elsewhere it is a line from time to time, while the load is on', async t => {
  const { written, stream } = fakeStream(undefined, false)
  const watched = session({ due: 0 })
  const live = liveOn(stream, watched, { title: 'drill sustain', color: true, everyMs: 20 })
  await delay(50)
  t.same(written, [], 'nothing is due yet')
  watched.due = 500
  await delay(50)
  t.match(
    written[0],
    /^drill sustain 10\.0 s of 30\.0 s {2}50\/s: 495 of 500 done, 45\/s, p50 \d\.\d\d ms, p99 80\.0 ms, 2 429, 1 4xx, 1 5xx, 1 without an answer\n$/,
  )
  watched.loadEndAt = 1
  const before = written.length
  await delay(50)
  t.equal(written.length, before)
  live.stop()
  t.equal(written.length, before)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's own
  t.notMatch(written.join(''), /\x1b/)
})

test('a look costs little: the same process makes the load', async t => {
  const records = new Records()
  const call = records.callOf('poll')
  for (let i = 0; i < 300_000; i++)
    records.add({ call, due: i / 5, sent: i / 5, ended: i / 5 + 1, status: 200, lagMs: 0 })
  const { written, stream } = fakeStream(100)
  const startedAt = process.cpuUsage().user
  const began = monotonicMs()
  const live = liveOn(stream, session({ records, now: () => 60_000 }), { title: 'drill ramp', everyMs: 20 })
  await delay(400)
  live.stop()
  const perLook = (process.cpuUsage().user - startedAt) / 1000 / written.length
  t.ok(
    perLook < 20,
    `${perLook.toFixed(2)} ms for each of ${written.length} looks in ${Math.round(monotonicMs() - began)} ms`,
  )
})
