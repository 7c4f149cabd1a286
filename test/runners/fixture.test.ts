/** What the adapters share, without a runner: keys, options, matchers. */
import { AssertionError } from 'node:assert'
import t, { type Test } from 'tap'
import { expect } from '../../runners/expect.ts'
import { type FixtureOptions, openFixture } from '../../runners/fixture.ts'
import { client, start } from '../support.ts'

const open = async (t: Test, options?: FixtureOptions, worker?: string) => {
  const opened = await openFixture(options, worker)
  t.teardown(() => opened.close())
  return opened
}

const refused = { video_url: 'none' }

t.test('a test has a key of its own, the same in each run, that means nothing else to the mock', async t => {
  const [one, other] = [await open(t), await open(t)]
  const key = async (name: string[], worker = one) => (await worker.begin(name)).understudy.key
  const first = await key(['a.test.js', 'no credits: invalid!'])
  t.match(first, /^test_[0-9a-f]+_no-credits-invalid$/)
  t.equal(await key(['a.test.js', 'no credits: invalid!'], other), first)
  t.equal(await key(['a.test.js', 'no credits: invalid!']), `${first}-2`, 'two of one title at the same time')
  t.not(await key(['b.test.js', 'no credits: invalid!']), first)
  t.match(await key(['a.test.js', '動画']), /^test_[0-9a-f]+$/)
})

t.test('the world is as new after the test, the scenario off, the key free', async t => {
  const worker = await open(t)
  const { understudy, end } = await worker.begin(['one'])
  await understudy.setKey({ credits: 0 })
  await understudy.use('internal-error-once')
  t.equal((await client(understudy, understudy.key).post('/v1/jobs', refused)).status, 500)
  const { text, har } = await end()
  t.match(text, /1 entry of the journal, key test_\w+\n {2}#1 POST \/v1\/jobs → 500 internal_error \(rule once\) req_/)
  t.equal(JSON.parse(har).log.entries.length, 1)
  const again = await worker.begin(['one'])
  t.equal(again.understudy.key, understudy.key)
  t.same(await again.understudy.journal(), [])
  t.equal(
    (await client(understudy, understudy.key).post('/v1/jobs', { video_url: 'https://a.test/a.mp4' })).status,
    200,
  )
  t.match((await (await worker.begin(['two'])).end()).text, /no call of this test came to the mock/)
})

t.test('what is graded: must by default, should where asked for, off for one test', async t => {
  const problemOf = async (options: FixtureOptions, level?: 'off' | 'should', path = '/v1/jobs') => {
    const { understudy, end } = await (await open(t, options)).begin(['one'])
    if (level !== undefined) understudy.gradeConduct(level)
    const { post } = client(understudy, understudy.key)
    for (let i = 0; i < 2; i++) await post(path, refused)
    return (await end()).problem
  }
  t.match(await problemOf({}), { code: 'ERR_CONDUCT', message: /^1 rule of conduct failed\n.*\(ERR-3\)/ })
  t.equal(await problemOf({ conduct: 'off' }), undefined)
  t.equal(await problemOf({}, 'off'), undefined)
  t.match(await problemOf({ conduct: 'off' }, 'should'), { message: /\(ERR-3\)/ })
})

t.test(
  'a mock that runs already is shared, one world a test; an app that is started with its key has one a worker',
  async t => {
    const mock = await start(t)
    const [one, two] = [
      await open(t, { url: mock.url, keyPer: 'worker' }, '1'),
      await open(t, { url: mock.url, keyPer: 'worker' }, '2'),
    ]
    t.not(one.key, two.key)
    const { understudy, end } = await one.begin(['a'])
    t.equal(understudy.key, one.key)
    await t.rejects(one.begin(['b']), /Two tests run at the same time .* take keyPer: "test"/)
    await client(mock, one.key).post('/v1/jobs', refused)
    t.match((await (await two.begin(['a'])).end()).text, 'no call of this test came to the mock')
    t.match((await end()).text, /1 entry/)
    t.equal(mock.journal.count(), 0)
  },
)

t.test('ERR-3 RL-2 RL-3 the matchers pass, fail, and fail either way for what never arose', async t => {
  const { understudy } = await (await open(t)).begin(['one'])
  const { get, post } = client(understudy, understudy.key)
  await understudy.use('flaky-third-try-succeeds')
  const order = () => post('/v1/jobs', { video_url: 'https://a.test/a.mp4' }, { 'Idempotency-Key': 'order-1' })
  for (const wait of ['2s', '4s', '1ms'] as const) {
    await order()
    await understudy.clock.step(wait)
  }
  await expect(understudy).toKeepConduct()
  await expect(understudy).toKeepConduct('RL-3', 'errors.retried')
  await expect(understudy).toHaveWaited('createJob', ['2s', '4s'], { tolerance: '20%' })
  await expect(understudy).not.toHaveWaited('createJob', ['1s', '1s'])
  await t.rejects(expect(understudy).toHaveWaited('createJob', ['1s', '4s']), {
    message: /the first wait was 2(\.\d)? s; expected/,
  })
  await t.rejects(expect(understudy).toKeepConduct('RL-2'), { message: /RL-2 was skipped[\s\S]*provoke it with/ })
  await t.rejects(expect(understudy).not.toKeepConduct('RL-2'), { message: /RL-2 was skipped/ })
  await t.rejects(expect(understudy).not.toKeepConduct('RL-3'), { message: 'RL-3 was kept' })
  await t.rejects(
    expect(understudy).toKeepConduct('ERR-333' as 'ERR-3'),
    /There is no rule of conduct or clause "ERR-333"/,
  )
  for (let i = 0; i < 2; i++) await post('/v1/jobs', refused)
  await expect(understudy).not.toKeepConduct('ERR-3')
  await t.rejects(expect(understudy).toKeepConduct('ERR-3'), { message: /sent POST \/v1\/jobs again/ })
  await get('/v1/jobs')
  const calls = await understudy.calls('createJob')
  expect(calls).toHaveBeenCalledTimes(5)
  t.same(calls.mock.calls[4], [refused], 'what was sent, as arguments of a spy')
  t.throws(
    () => expect(calls).toHaveBeenCalledTimes(1),
    new AssertionError({ message: 'createJob was called 5 times; expected 1' }),
  )
  t.throws(() => expect(understudy).toHaveBeenCalledTimes(1), /takes what calls\(\) resolves with/)
  await t.rejects(expect(calls).toKeepConduct('ERR-3'), /takes the fixture/)
  t.equal((await understudy.calls()).entries.length, 6)
})

t.test('a wrong option says what is right', async t => {
  const wrong = (options: object) => openFixture(options as FixtureOptions)
  await t.rejects(wrong({ conduct: 'strict' }), /conduct is "strict"; expected must, should, off/)
  await t.rejects(wrong({ keyPer: 'file' }), /keyPer is "file"; expected test or worker/)
  await t.rejects(wrong({ url: 'http://127.0.0.1:1', mock: {} }), /give one of them/)
  await t.rejects(wrong({ speed: 1 }), /speed/)
})
