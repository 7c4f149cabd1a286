/** startMock(): the mock inside of somebody's own tests, driven by its clock and read by its journal. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import type { Duration } from '../../base/duration.ts'
import { durationToMs } from '../../base/options.ts'
import { packageRoot } from '../../base/paths.ts'
import { defaultWithin } from '../../client/commands.ts'
import { ConfigError, type MockOptions, type RunningMock, startMock } from '../../server/index.ts'
import { builtFile, client, clip, start } from '../support.ts'

const run = promisify(execFile)

t.test('two mocks in one process do not meet, even with the same seed and key', async t => {
  const [one, other] = [await start(t), await start(t)]
  const id = await client(one).job()
  t.equal((await client(one).get(`/v1/jobs/${id}`)).status, 200)
  t.equal(other.journal.count(), 0)
  t.equal((await client(other).get(`/v1/jobs/${id}`)).status, 404)
  t.equal(one.journal.count(), 2)

  one.clock.freeze()
  one.clock.step('1h')
  t.ok(one.clock.now() - other.clock.now() > 3_000_000)
  await one.close()
  t.equal((await client(other).get('/health')).status, 200)
})

t.test('after close() nothing is left: no handle, no file, no listener', async t => {
  const TMPDIR = t.testdir()
  // A process of its own, as only that shows whether it can end by itself.
  const script = `
    import { startMock } from ${JSON.stringify(builtFile('server/index.js'))}
    import { client, clip } from ${JSON.stringify(builtFile('test/support.js'))}
    const mock = await startMock({ logLevel: 'silent' })
    const api = client(mock)
    const { body } = await api.upload(await clip('short.mp4'))
    await api.job({ video_url: body.video_url, webhook_url: 'http://127.0.0.1:9/' })
    const stream = await fetch(mock.url + '/__mock/journal/stream')
    await stream.body.getReader().read()
    const waiting = mock.journal.waitFor({ jobId: 'none' }, { within: '1h' })
    const listening = process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap')
    await Promise.all([mock.close(), mock.close()])
    await mock.close()
    const left = process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap' || name === 'Timeout')
    const gone = await fetch(mock.url).then(() => 'answers', error => error.cause.code)
    console.log(JSON.stringify({ listening, left, gone }))
  `
  const args = ['--input-type=module', '--eval', script]
  // Without an exit of its own it is ended here, and that is an error.
  const ended = await run(process.execPath, args, {
    cwd: packageRoot,
    env: { ...process.env, TMPDIR },
    timeout: 40_000,
  })
  t.equal(ended.stderr, '')
  t.same(JSON.parse(ended.stdout), { listening: ['TCPServerWrap'], left: [], gone: 'ECONNREFUSED' })
  t.same(
    (await readdir(TMPDIR)).filter(name => name.startsWith('understudy')),
    [],
  )
})

t.test('the same seed gives the same ids and timings, another seed others', async t => {
  const [first, again, another] = [await life(t, 'a'), await life(t, 'a'), await life(t, 'b')]
  t.same(again, first)
  t.not(another.jobs.length, 0)
  t.equal(another.jobs.filter(id => first.jobs.includes(id)).length, 0)
  t.not(another.upload, first.upload)
  t.not(another.request, first.request)
  t.notSame(another.trace, first.trace)
  t.notSame(another.lengths, first.lengths)
})

t.test('what one key does changes no id of another', async t => {
  const alone = await start(t)
  const expected = { a: await jobsOf(alone, 'test_a', 3), b: await jobsOf(alone, 'test_b', 3) }
  const mixed = await start(t)
  const found = { a: [] as string[], b: [] as string[] }
  for (let i = 0; i < 3; i++) {
    found.b.push(...(await jobsOf(mixed, 'test_b', 1)))
    await client(mixed, 'test_c').job()
    found.a.push(...(await jobsOf(mixed, 'test_a', 1)))
  }
  t.same(found, expected)
})

t.test('a wrong option throws a ConfigError that names it', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ speeed: 2 }, /"speeed"/],
    [{ port: 70_000 }, /option port is "70000"; expected a whole number from 0 to 65535/],
    [{ speed: -1 }, /option speed is "-1"; expected "instant" or a number above 0/],
    [{ credits: Number.NaN }, /option credits is "NaN"; expected/],
    [{ logLevel: 'loud' }, /option logLevel is "loud"; expected one of/],
    [{ seed: '' }, /option seed is ""; expected/],
    [{ dataDir: '/dev/null/here' }, /data folder \/dev\/null\/here/],
    [{ port }, new RegExp(`Port ${port} .* is taken`)],
  ]
  for (const [options, message] of wrong) {
    const error = await startMock(options as MockOptions).then(
      mock => mock.close(),
      (thrown: unknown) => thrown,
    )
    t.ok(error instanceof ConfigError, Object.keys(options).join())
    t.match(error, { message })
  }
})

t.test('JOB-4 the clock drives a job from pending over processing to completed, and nothing else does', async t => {
  const mock = await start(t, { speed: 1 })
  mock.clock.freeze()
  const began = mock.clock.now()
  const api = client(mock)
  const id = await api.job()
  const state = async () => (await api.get(`/v1/jobs/${id}`)).body
  t.match(await state(), { status: 'pending', progress: 0, created_at: new Date(began).toISOString() })
  t.match(await state(), { status: 'pending' }, 'frozen')
  mock.clock.step('1.2s')
  t.match(await state(), { status: 'processing', output_url: null })
  mock.clock.step(1000)
  const { status, progress } = await state()
  t.equal(status, 'processing')
  t.ok(progress > 0 && progress < 100, `${progress} %`)
  t.equal((await state()).progress, progress, 'frozen')
  mock.clock.step('4s')
  t.match(await state(), { status: 'completed', progress: 100, output_url: String, billing_status: 'charged' })
  t.equal(mock.clock.now() - began, 6200)
  mock.clock.resume()
  mock.clock.setSpeed(1000)
  t.throws(() => mock.clock.step('soon' as Duration), {
    code: 'ERR_CONFIG',
    message: /"soon" is not a time; expected one such as/,
  })
  t.throws(() => mock.clock.step(-1), ConfigError)
  t.throws(() => mock.clock.setSpeed(0), ConfigError)
})

t.test('GO-4 journal.waitFor gives the entries once they are there, or says what was there instead', async t => {
  const mock = await start(t)
  const { key } = mock
  const api = client(mock)
  const heard: (string | undefined)[] = []
  const stop = mock.journal.listen({ kind: 'exchange', status: '4xx' }, entry => heard.push(entry.request_id))
  const waiting = mock.journal.waitFor({ key, route: 'getJob', status: 404 }, { atLeast: 2 })
  const answers = [await api.get('/v1/jobs/job_a'), await api.get('/v1/jobs'), await api.get('/v1/jobs/job_b')]
  const ids = answers.map(({ headers }) => headers.get('x-request-id'))
  const entries = await waiting
  t.same(
    entries.map(entry => entry.request_id),
    [ids[0], ids[2]],
  )
  t.match(entries[0], { route: 'GET /v1/jobs/{job_id}', status: 404, url: '/v1/jobs/job_a' })
  t.same(heard, [ids[0], ids[2]])
  stop()
  await api.get('/v1/jobs/job_c')
  t.equal(heard.length, 2)
  t.equal(mock.journal.count({ route: 'listJobs' }), 1)
  await t.rejects(mock.journal.waitFor({ route: 'createJob' }, { within: '20ms' }), {
    message: 'waited 20ms for 1 entry with {"route":"createJob"}, found 0 of 4 in the journal',
  })
})

t.test('reset(key) empties the world of that key alone, reset() all of them', async t => {
  const mock = await start(t)
  const [mine, theirs] = [client(mock, 'test_mine'), client(mock, 'test_theirs')]
  const [a, b] = [await mine.job(), await theirs.job()]
  const { body, headers } = await mine.upload(await clip('short.mp4'))
  await mine.get(`/v1/jobs/${a}`)
  mock.reset('test_mine')
  t.equal(mock.journal.count({ key: 'test_mine' }), 0)
  t.equal(mock.journal.count({ key: 'test_theirs' }), 1)
  const lost = await mine.get(`/v1/jobs/${a}`)
  t.equal(lost.status, 404)
  t.not(lost.headers.get('x-request-id'), headers.get('x-request-id'), 'ERR-6 no request_id comes again')
  t.equal((await fetch(body.video_url)).status, 404, 'its uploads are gone')
  t.match((await mine.get('/v1/usage/summary')).body, { total_jobs: 0, credits_used: 0 })
  t.equal((await theirs.get(`/v1/jobs/${b}`)).status, 200)
  t.equal((await theirs.get('/v1/usage/summary')).body.total_jobs, 1)
  t.equal(await mine.job(), a, 'and it begins anew, with the same ids')
  mock.reset()
  t.equal((await theirs.get(`/v1/jobs/${b}`)).status, 404)
  t.equal(mock.journal.count(), 1)
})

/** Everything that chance has a hand in, in the life of one mock; its clock stands still but for steps of 100 ms. */
async function life(t: Test, seed: string) {
  const mock = await start(t, { seed, speed: 1 })
  mock.clock.freeze()
  const api = client(mock)
  const jobs = [await api.job({ video_url: 'https://example.com/a.mp4' }), await api.job()]
  const lengths = (await api.get('/v1/jobs')).body.jobs.map((job: { duration_seconds: number }) => job.duration_seconds)
  const upload = (await api.upload(await clip('short.mp4'))).body.video_id
  const request = (await api.get('/health')).headers.get('x-request-id')
  const trace: string[] = []
  for (let i = 0; i < 55; i++) {
    for (const id of jobs) {
      const { status, progress } = (await api.get(`/v1/jobs/${id}`)).body
      trace.push(`${status} ${progress}`)
    }
    mock.clock.step(100)
  }
  t.equal(trace.at(-1), 'completed 100')
  return { jobs, lengths, upload, request, trace }
}

async function jobsOf(mock: RunningMock, key: string, count: number): Promise<string[]> {
  const ids = []
  for (let i = 0; i < count; i++) ids.push(await client(mock, key).job())
  return ids
}

t.test('a wait that is not told how long ends before the test runner does, which gives a test 5 s', async t => {
  t.ok(durationToMs(defaultWithin) < 5_000)
})
