/** What a mock may hold and what it may be handed: memory over all worlds, worlds beyond their number, deep texts, broken snapshots. */
import { once } from 'node:events'
import { readdir, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'
import { isLoopback, isLoopbackAddress } from '../../base/loopback.ts'
import { buildApp } from '../../server/app.ts'
import { completeConfig } from '../../server/config.ts'
import { listen } from '../../server/start.ts'
import { client, clip, start } from '../support.ts'

t.test('journals share one bound: the largest makes room, a quiet world keeps what it has', async t => {
  const mock = await start(t, { journalBytes: 1024 * 1024 })
  await client(mock, 'test_quiet').job()
  const note = 'x'.repeat(30_000)
  for (let i = 0; i < 60; i++) await client(mock, `test_loud_${i % 3}`).job({ metadata: { note, i } })
  t.equal(mock.journal.count({ key: 'test_quiet' }), 1)
  const loud = [0, 1, 2].map(i => mock.journal.entries({ key: `test_loud_${i}` }).length)
  t.ok(Math.max(...loud) < 20 && Math.min(...loud) > 5, `${loud} of 20 each`)
  const { body } = await client(mock).get('/__mock/journal?key=test_loud_0')
  t.ok(body.evicted > 0, 'what made room is said')
})

t.test('a scenario nested deeper than any is refused with its place, before a parser sees it', async t => {
  const mock = await start(t)
  const texts = {
    brackets: `rules: ${'['.repeat(40)}${']'.repeat(40)}`,
    lists: `rules:\n  ${'- '.repeat(40)}a`,
    lines: Array.from({ length: 40 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
  }
  for (const [how, text] of Object.entries(texts)) {
    const init = { headers: { 'content-type': 'application/yaml' }, body: text }
    const { status, body } = await client(mock).call('POST', '/__mock/scenarios', init)
    t.equal(status, 400, how)
    t.match(body.error.message, /:\d+:\d+: is nested deeper than 32 levels/, how)
  }
  const large = { headers: { 'content-type': 'application/yaml' }, body: `# ${'x'.repeat(300_000)}` }
  t.match(await client(mock).call('POST', '/__mock/scenarios', large), { status: 400 })
})

t.test('WH-3 a webhook_url that is none, in a snapshot, fails its delivery and nothing else', async t => {
  const mock = await start(t, { speed: 1 })
  const id = await client(mock).job({ webhook_url: 'http://127.0.0.1:9/' })
  const text = JSON.stringify(mock.snapshot('test_key')).replaceAll('http://127.0.0.1:9/', 'no url')
  const init = { headers: { 'content-type': 'application/json' }, body: text }
  const { status } = await client(mock).call('PUT', '/__mock/snapshot?key=test_restored', init)
  t.equal(status, 200)
  mock.clock.step('1h')
  const [entry] = await mock.journal.waitFor({ kind: 'webhook', key: 'test_restored' })
  t.match(entry, { error: /^not sent: Invalid URL/, next_try_at: null })
  t.equal((await client(mock).get(`/v1/jobs/${id}`)).status, 200, 'the mock lives')
})

t.test('an address is judged as it is, in each of its forms; a name by its form only', async t => {
  const cases: [host: string, is: boolean][] = [
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['[::1]', true],
    ['::ffff:127.0.0.1', true],
    ['::ffff:7f00:1', true],
    ['::ffff:7f7f', false],
    ['::ffff:7f0:1', false],
    ['128.0.0.1', false],
    ['0.0.0.0', false],
    ['localhost', true],
    ['app.localhost', true],
    ['localhost.app.test', false],
    ['127.0.0.1.app.test', false],
  ]
  for (const [host, is] of cases) t.equal(isLoopback(host), is, host)
  t.equal(isLoopbackAddress('localhost'), false)
})

t.test('secrets of other names are no part of a journal either', async t => {
  const mock = await start(t)
  const secret = 'canary-0123456789'
  const headers = { 'x-auth-token': secret, 'api-key': secret, 'x-access-token': secret, 'idempotency-key': 'shown-1' }
  await client(mock).get(`/v1/jobs?token=${secret}&api_key=${secret}`, headers)
  for (const path of ['/__mock/journal', '/__mock/journal.har', '/metrics'])
    t.notOk(JSON.stringify((await client(mock).get(path)).body).includes(secret), path)
  t.match(mock.journal.entries()[0]?.request.headers, { 'idempotency-key': 'shown-1' })
})

const skip = process.platform === 'linux' ? false : 'what is open is read from /proc'
t.test('DL-3 files of pipelined calls are closed with their connection', { skip }, async t => {
  const mock = await start(t)
  // More than a stream reads ahead, so that it stays open until somebody takes the rest.
  const { body } = await client(mock).upload(Buffer.concat([await clip('short.mp4'), Buffer.alloc(500_000)]))
  const { pathname } = new URL(body.video_url)
  const leads = (fd: string) => readlink(`/proc/self/fd/${fd}`).catch(() => '')
  const open = async () => {
    const links = await Promise.all((await readdir('/proc/self/fd')).map(leads))
    return links.filter(link => link.endsWith('.mp4')).length
  }
  mock.use([{ when: { route: 'listJobs' }, then: { delay: '1h' } }])
  const socket = connect(mock.port, '127.0.0.1')
  const call = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Api-Key: test_key\r\n\r\n`
  socket.write(call('/v1/jobs') + call(pathname).repeat(20))
  await mock.journal.waitFor({ route: 'getUploadedFile' }, { atLeast: 20 })
  while ((await open()) < 20) await setImmediate()
  socket.destroy()
  await once(socket, 'close')
  // A leak would stay, and time this test out.
  while ((await open()) > 0) await setImmediate()
  t.equal((await client(mock).get('/health')).status, 200)
})

t.test('jobs share one bound: finished ones of the largest world make room, unfinished ones never do', async t => {
  const log = new PassThrough()
  const mock = await listen(
    buildApp(completeConfig({ port: 0, jobBytes: 2 ** 20, speed: 1 }), pino({ level: 'warn' }, log)),
  )
  t.teardown(() => mock.close())
  const of = (key: string) => client(mock, key)
  const create = (key: string, bytes: number) =>
    of(key).post('/v1/jobs', { video_url: 'https://a.test/a.mp4', metadata: { note: 'x'.repeat(bytes) } })
  for (const key of ['test_quiet', 'test_loud', 'test_busy'])
    mock.setKey({ key, credits: 1e6, jobLimit: 0, rateLimit: 0 })
  const totalOf = async (key: string) => (await of(key).get('/v1/jobs')).body.total
  const { body: quiet } = await create('test_quiet', 100)
  for (let i = 0; i < 20; i++) await create('test_loud', 10_000)
  mock.clock.step('1m')
  for (let i = 0; i < 40; i++) t.match(await create('test_busy', 10_000), { status: 200 }, 'unfinished ones are taken')
  t.equal(await totalOf('test_busy'), 40, 'none of those made room')
  const left = await totalOf('test_loud')
  t.ok(left < 20, `${left} of 20 that were finished`)
  t.match(await of('test_quiet').get(`/v1/jobs/${quiet.id}`), { status: 200 }, 'a quiet world keeps its own')

  const refused = []
  for (let i = 0; i < 20; i++) refused.push(await create('test_busy', 10_000))
  t.match(refused.at(-1), { status: 429, body: { error: { message: /unfinished jobs take all of 1048576 bytes/ } } })
  t.equal(refused.at(-1)?.headers.get('retry-after'), '60')
  mock.clock.step('1m')
  t.match(await create('test_busy', 10_000), { status: 200 }, 'when some are finished there is room')
  const { body: metrics } = await of('test_busy').get('/metrics')
  t.match(metrics, /understudy_jobs_evicted_total [1-9]/)
  t.match(String(log.read()), /"jobs":\d+,"msg":"finished jobs made room for others"/)
})

t.test(
  'what grows with the square of a text is not there: thousands of mistakes take a moment, and so do thousands of keys',
  async t => {
    const mock = await start(t)
    const many = (what: (i: number) => string, between: string, length = 1600) =>
      Array.from({ length }, (_, i) => what(i)).join(between)
    const cases: [name: string, type: string, text: string, told: RegExp][] = [
      [
        'wrong faults, YAML',
        'yaml',
        `rules:\n${many(() => '- {then: {fault: {type: x}}}', '\n')}`,
        /:2:\d+: rules\[0\]\.then\.fault\.type: is "x"/,
      ],
      [
        'wrong faults, JSON',
        'json',
        `{"rules":[${many(() => '{"then":{"fault":{"type":"x"}}}', ',')}]}`,
        /rules\[0\]\.then\.fault\.type: is "x"/,
      ],
      [
        'keys of a map',
        'yaml',
        `rules: [{when: {header: {${many(i => `h${i}: a`, ',')}}}, then: {error: x}}]`,
        /when\.header: is /,
      ],
      ['unknown fields', 'yaml', many(i => `f${i}: a`, '\n'), /f0: is unknown.*and 18 more/],
      [
        'a key twice',
        'yaml',
        `${many(i => `f${i}: a`, '\n')}\nf7: b`,
        /:1601:1: not valid YAML: there are two fields f7/,
      ],
      [
        'too many values',
        'json',
        `{"rules":[${many(() => '1,2,3,4,5,6,7,8,9,0,1,2,3,4,5', ',', 4000)}]}`,
        /has more than 50,000 values/,
      ],
    ]
    for (const [name, type, body, told] of cases) {
      const before = process.cpuUsage()
      const init = { headers: { 'content-type': `application/${type}` }, body }
      const { status, body: answer } = await client(mock).call('POST', '/__mock/scenarios', init)
      const { user, system } = process.cpuUsage(before)
      t.equal(status, 400, name)
      t.match(answer.error.message, told, name)
      // Some 16 s before, and 0.1 s now: a bound that a busy machine does not come near.
      t.ok(user + system < 5e6, `${name}: ${Math.round((user + system) / 1000)} ms of CPU`)
    }
  },
)
