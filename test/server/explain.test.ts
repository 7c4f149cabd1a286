/** Why a call was answered as it was, and what a test's handle tells of its rules. */
import t from 'tap'
import { client, start } from '../support.ts'

t.test('explain tells each rule, each condition met or not, and the nearest miss', async t => {
  const mock = await start(t)
  const api = client(mock)
  mock.use([
    { name: 'far', when: { route: 'getJob', header: { 'x-a': '1' } }, then: { error: 'timeout' } },
    { name: 'near', when: { body: { output_format: 'gif', model: 'pro' } }, then: { error: 'timeout' } },
    {
      name: 'twice',
      when: { route: 'createJob' },
      after: 1,
      first: 1,
      then: { delay: '1ms', fault: 'truncated_body' },
    },
    { name: 'rest', when: { route: 'createJob', probability: 0.000001 }, then: { fault: 'reset' } },
  ])
  const create = () => api.post('/v1/jobs', { video_url: 'https://e.com/a.mp4', model: 'pro' })
  const id = String((await create()).headers.get('x-request-id'))
  const told = mock.explain(id)
  t.match(told, {
    request_id: id,
    route: 'POST /v1/jobs',
    status: 200,
    scenario: 'inline',
    source: 'put_all',
    rule: null,
  })
  t.same(
    told.rules.map(({ rule, verdict }) => [rule, verdict]),
    [
      ['far', 'not_met'],
      ['near', 'not_met'],
      ['twice', 'not_met'],
      ['rest', 'not_met'],
    ],
  )
  t.match(told.rules[1]?.conditions, [
    { what: 'route', met: true },
    { what: 'body output_format', expected: 'gif', found: 'absent', met: false },
    { what: 'body model', expected: 'pro', found: 'pro', met: true },
  ])
  t.match(told.rules[2]?.conditions.at(-1), { what: 'calls', found: 'call 1', met: false })
  t.match(told.rules[3]?.conditions.at(-1), {
    what: 'probability',
    expected: 'less than 0.000001',
    found: /^drew 0\.\d+/,
    met: false,
  })
  t.match(told.nearest, { rule: 'near', unmet: [{ what: 'body output_format' }] })

  await t.rejects(create())
  const entry = mock.journal.entries({ route: 'createJob' }).at(-1)
  t.match(entry, { scenario: 'inline', rule: 'twice', fault: 'truncated_body', delay_ms: 1, status: 200 })
  const fired = (await client(mock, null).get(`/__mock/explain/${entry?.request_id}`)).body
  t.match(fired, { rule: 'twice', nearest: { rule: 'near' } })
  t.match(fired.rules[2], {
    verdict: 'fired',
    does: 'passes the call on, then waits 0.001 s, then closes the connection after half of the bytes of the body',
  })
  t.equal(fired.rules[3].verdict, 'not_reached')

  const bare = await client(mock, 'test_b').get('/api/pricing')
  mock.reset()
  t.match(await client(mock, null).get(`/__mock/explain/${bare.headers.get('x-request-id')}`), {
    status: 404,
    body: { error: { message: /the journal has no request/ } },
  })
  const plain = await api.get('/v1/jobs')
  t.match(mock.explain(String(plain.headers.get('x-request-id'))), {
    scenario: null,
    why: 'no scenario was active for this call',
    rules: [],
  })
})

t.test('a handle counts, can be awaited, and tells which rule never fired', async t => {
  const mock = await start(t)
  const api = client(mock)
  const handle = mock.use([
    {
      name: 'lost-answer',
      when: { route: 'createJob' },
      first: 1,
      then: { pass: 'before_delay', fault: 'close_before_head' },
    },
    { name: 'never', when: { route: 'startJob' }, then: { error: 'timeout' } },
  ])
  const waiting = handle.fired('lost-answer')
  await t.rejects(api.post('/v1/jobs', { video_url: 'https://e.com/a.mp4' }))
  await waiting
  t.same(handle.counts, { 'lost-answer': 1, never: 0 })
  t.throws(() => handle.assertAllFired(), { message: /^inline: never fired: never; / })
  t.throws(() => handle.count('nope'), { message: /no rule "nope"; expected one of lost-answer, never/ })
  await t.rejects(handle.fired('never', { within: '20ms' }), {
    message: 'waited 20ms for never to fire 1 time; it fired 0 times',
  })
  t.equal((await api.get('/v1/jobs')).body.total, 1, 'ID-1 the work was done')
  handle.end()
  t.equal(mock.activeScenario().scenario, null)
  t.throws(() => mock.use([{ then: { error: 'tmeout' } }] as never), {
    message: /^inline: rules\[0\]\.then\.error: is "tmeout"; did you mean timeout\?/,
  })
})

t.test('what is put later is above what was put before, which is there again when it ends', async t => {
  const mock = await start(t)
  const key = 'test_a'
  const status = async () => (await client(mock, key).get('/v1/jobs')).status
  const below = mock.use([{ then: { error: 'timeout' } }], { key })
  const above = mock.use([{ then: { error: 'internal_error' } }], { key })
  t.equal(await status(), 500)
  above.end()
  t.equal(await status(), 504)
  const over = mock.use([{ then: { status: 202 } }], { key })
  below.end()
  t.equal(await status(), 202)
  over.end()
  t.equal(await status(), 200)
  t.throws(() => mock.use('go-live', { kye: key } as never), /no option "kye"; did you mean key/)
  const { body } = await client(mock, null).call('PUT', '/__mock/scenario', {
    body: JSON.stringify({ scenario: 'timeout-504', key }),
    headers: { 'content-type': 'application/json' },
  })
  t.same(body.overridden, [])
  const [{ key_fingerprint }] = (await client(mock, null).get(`/__mock/keys?key=${key}`)).body.keys
  t.match((await client(mock, null).call('DELETE', `/__mock/scenario?key=${key_fingerprint}`)).body, { ended: true })
})

t.test('what is kept of calls is bounded: rules that counted them, and requests that chance told apart', async t => {
  const mock = await start(t)
  const rules = Array.from({ length: 1000 }, (_, i) => ({ after: 1_000_000 + i, then: { error: 'timeout' as const } }))
  mock.use(rules, { key: 'test_a' })
  const { headers } = await client(mock, 'test_a').get('/v1/jobs')
  const told = mock.explain(String(headers.get('x-request-id')))
  t.match(told.rules[0]?.conditions.at(-1), { what: 'calls', found: 'call 1' })
  t.match(told.rules.at(-1)?.conditions.at(-1), { found: /^not kept/ })
  mock.use([{ when: { probability: 0.5 }, then: { error: 'timeout' } }], { key: 'test_b' })
  await client(mock, 'test_b').post('/v1/jobs', {
    video_url: 'https://e.com/a.mp4',
    metadata: { long: 'x'.repeat(100_000) },
  })
  t.ok(JSON.stringify(mock.snapshot('test_b').scenario).length < 1_000, 'no body is kept')
})

t.test('a rule that is not asked, as the call was refused before its body, says so', async t => {
  const mock = await start(t)
  mock.use([{ name: 'pro', when: { body: { model: 'pro' } }, then: { error: 'timeout' } }])
  const { headers } = await client(mock, 'wrong').post('/v1/jobs', { model: 'pro' })
  t.match(mock.explain(String(headers.get('x-request-id'))), {
    status: 401,
    rules: [{ verdict: 'not_asked' }],
    nearest: null,
  })
})

t.test('CR-3 an error that no rule made is explained by its message, the key and the account', async t => {
  const mock = await start(t)
  const reasonsOf = async (key: string, fields = {}) => {
    const { headers } = await client(mock, key).post('/v1/jobs', { video_url: 'https://e.com/a.mp4#t=2', ...fields })
    return mock.explain(String(headers.get('x-request-id'))).reasons
  }
  const needs = 'insufficient_credits: Not enough credits to process this video: needs 2 credits, the key has 0'
  t.match(await reasonsOf('test_no_credits_1'), [needs, /^the key starts with test_no_credits: an account without/])
  t.match(await reasonsOf('test_insufficient-credits__1'), [
    needs,
    /^the scenario gives the key an account .*"credits":0/,
  ])
  t.match(await reasonsOf('test_a', { model: 'dog' }), [/^invalid_request: .*model/])
  t.same(await reasonsOf('test_a'), [])
  mock.use([{ when: { route: 'createJob' }, then: { error: 'insufficient_credits' } }], { key: 'test_b' })
  t.same(await reasonsOf('test_b'), [], 'here the rule is the reason')
})

t.test('GO-4 no key is in an explanation, a journal entry or a scenario list', async t => {
  const mock = await start(t)
  mock.use([{ name: 'k', when: { key: 'test_other_secret' }, then: { error: 'timeout' } }])
  const { headers } = await client(mock, 'test_my_secret').get('/v1/jobs')
  const told = JSON.stringify(mock.explain(String(headers.get('x-request-id'))))
  t.notMatch(told, /test_my_secret/)
  t.match(told, /"found":"another key"/)

  const secrets = [
    'test_key_canary',
    'Bearer canary_auth',
    'canary_cookie',
    'canary_query',
    'canary_body',
    'canary_hook',
  ]
  const [key, authorization, cookie] = secrets as [string, string, string]
  mock.use([
    {
      when: { header: { authorization: 'x', cookie: 'x', 'x-api-key': 'x' }, query: { api_key: 'z' } },
      then: { status: 500 },
    },
    { when: { body: { 'metadata.token': 'z', webhook_url: 'x' } }, then: { status: 500 } },
  ])
  const answer = await client(mock, key).post(
    '/v1/jobs?api_key=canary_query',
    {
      video_url: 'https://e.com/a.mp4',
      webhook_url: 'http://127.0.0.1:9/?token=canary_hook',
      metadata: { token: 'canary_body' },
    },
    { authorization, cookie },
  )
  const shown = JSON.stringify(mock.explain(String(answer.headers.get('x-request-id'))))
  for (const secret of secrets) t.notOk(shown.includes(secret), secret)
  t.match(shown, /"found":"\[redacted\]"/)
})
