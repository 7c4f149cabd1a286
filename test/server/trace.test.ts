/** traceparent from a request to the journal, the log, the desk's rows and the webhooks; and OpenTelemetry spans by --otlp. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { connectMock } from '../../client/connect.ts'
import type { ExchangeEntry, WebhookEntry } from '../../client/mock.ts'
import { client, serve, start, understudy } from '../support.ts'

/** A server of the test's own on loopback. */
async function listen(t: Test, handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const video_url = 'https://example.com/cat.mp4#t=2'
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${parentId}-01`
const other = '0af7651916cd43dd8448eb211c80319c'

t.test('a traceparent is in the journal, its rows, the log and explain; the journal is found by it', async t => {
  const { url, stderr } = await serve(t, ['--speed', 'instant'])
  const mock = await connectMock(url)
  t.teardown(() => mock.close())
  const api = client({ url }, 'test_traced')
  const { headers } = await api.get('/v1/jobs/none', { traceparent })
  await api.get('/v1/jobs', { traceparent: `00-${other}-${parentId}-00` })
  await api.get('/v1/jobs')
  const id = headers.get('x-request-id') as string

  const entries = await mock.journal.entries({ trace: traceId })
  t.match(entries, [{ request_id: id, trace_id: traceId, status: 404 }])
  t.equal(entries.length, 1)
  t.equal(await mock.journal.count({ trace: traceparent }), 1)
  t.equal(await mock.journal.count({ trace: other }), 1)
  t.equal(await mock.journal.count({ trace: 'f'.repeat(32) }), 0)
  t.notOk(
    'trace_id' in ((await mock.journal.entries({ route: 'listJobs' }))[1] as ExchangeEntry),
    'there is none without',
  )
  await t.rejects(mock.journal.count({ trace: 'abc' }), {
    code: 'ERR_CONFIG',
    message: /expected 32 hexadecimal digits/,
  })
  const control = client({ url }, null)
  t.match((await control.get(`/__mock/journal?view=rows&trace=${traceId}`)).body.entries, [{ trace_id: traceId }])
  t.match(await control.get(`/__mock/journal?trace=${traceId.toUpperCase()}`), { body: { entries: { length: 1 } } })
  const wrong = {
    trace: /trace is "abc"; expected 32 hex.* traceparent/,
    status: /status is "abc"; expected a status such/,
  }
  for (const [name, message] of Object.entries(wrong))
    t.match(await control.get(`/__mock/journal?${name}=abc`), { status: 400, body: { error: { message } } })
  const waited = control.get(`/__mock/journal?trace=${other}&atLeast=2&wait=20s`)
  await api.get('/v1/jobs', { traceparent: `00-${other}-${parentId}-01` })
  t.match((await waited).body, { met: true, count: 2 })

  t.match(await mock.explain(traceId), { request_id: id, trace_id: traceId })
  await t.rejects(mock.explain(other), {
    message: /the trace has 2 requests; expected .* one: req_\w+ \(GET \/v1\/jobs, 200\), req_/,
  })
  t.match(await understudy(['explain', traceparent, url]), { code: 0, stdout: new RegExp(`^${id} .*answered 404`) })
  const lines = stderr()
    .split('\n')
    .filter(line => /"url":"\/v1.*"answered"/.test(line))
    .map(line => JSON.parse(line))
  t.same(
    lines.map(({ trace_id }) => trace_id),
    [traceId, other, undefined, other],
  )
})

t.test(
  'what the standard calls invalid is passed over, and a version to come is read as far as this one goes',
  async t => {
    const mock = await start(t)
    const api = client(mock, 'test_odd')
    const invalid = [
      '',
      'abc',
      `00-${traceId}-${parentId}`,
      `00-${traceId}-${parentId}-01-more`,
      `ff-${traceId}-${parentId}-01`,
      `00-${'0'.repeat(32)}-${parentId}-01`,
      `00-${traceId}-${'0'.repeat(16)}-01`,
      `00-${traceId.toUpperCase()}-${parentId}-01`,
      `00-${traceId}-${parentId}-0x`,
      `${traceparent}, ${traceparent}`,
    ]
    for (const value of invalid) await api.get('/v1/jobs', { traceparent: value })
    for (const entry of mock.journal.entries({ key: 'test_odd' }))
      t.notOk('trace_id' in entry, String(entry.request.headers.traceparent))
    await api.get('/v1/jobs', { traceparent: `cc-${traceId}-${parentId}-ff-more` })
    t.equal(mock.journal.count({ trace: traceId }), 1)
  },
)

t.test('WH-2 webhooks go on in the trace of the call that made the job, each under an id of its own', async t => {
  const received: IncomingHttpHeaders[] = []
  const receiver = await listen(t, (request, response) => {
    received.push(request.headers)
    response.writeHead(received.length === 1 ? 500 : 200).end()
  })
  const mock = await start(t)
  const api = client(mock, 'test_hooks')
  const create = (headers: Record<string, string>, fields = {}) =>
    api.post('/v1/jobs', { video_url, webhook_url: receiver, ...fields }, headers)
  const tracestate = 'vendor=a, other=b'
  await create({ traceparent, tracestate })
  const sent = await mock.journal.waitFor({ kind: 'webhook', trace: traceId }, { atLeast: 3 })
  t.match(sent[0], { event: 'job.started', status: 500, trace_id: traceId })
  const ids = received.map(headers => {
    const [version, trace, span, flags] = String(headers.traceparent).split('-')
    t.same([version, trace, flags, headers.tracestate], ['00', traceId, '01', 'vendor=a,other=b'])
    return span
  })
  t.equal(new Set([...ids, parentId]).size, 4, 'no id comes twice, and none is that of the caller')

  // A draft belongs to whoever starts it; flags go along, what is broken of tracestate does not.
  const draft = await create({ traceparent }, { auto_start: false })
  const unsampled = `00-${other}-${parentId}-00`
  await api.post(`/v1/jobs/${draft.body.id}/start`, {}, { traceparent: unsampled, tracestate: 'no' })
  const [started] = (await mock.journal.waitFor({ kind: 'webhook', jobId: draft.body.id })) as WebhookEntry[]
  t.match(started?.request.headers.traceparent, new RegExp(`^00-${other}-[0-9a-f]{16}-00$`))
  t.notOk('tracestate' in (started?.request.headers ?? {}))

  const plain = await create({})
  const [untraced] = (await mock.journal.waitFor({ kind: 'webhook', jobId: plain.body.id })) as WebhookEntry[]
  t.notOk('traceparent' in (untraced?.request.headers ?? {}), 'without one none is made')
})

interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
  status: { code?: number }
}

/** What an OTLP collector is for us: it takes JSON on /v1/traces, and keeps the spans. */
async function collector(t: Test) {
  const spans: (OtlpSpan & { facts: Record<string, unknown> })[] = []
  const resources: unknown[] = []
  const url = await listen(t, async (request, response) => {
    t.equal(`${request.method} ${request.url}`, 'POST /v1/traces')
    const { resourceSpans } = JSON.parse(await text(request))
    for (const { resource, scopeSpans } of resourceSpans) {
      resources.push(resource)
      for (const { spans: found } of scopeSpans)
        for (const span of found as OtlpSpan[]) {
          const facts = Object.fromEntries(
            span.attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
          )
          spans.push({ ...span, facts })
        }
    }
    response.setHeader('content-type', 'application/json').end('{}')
  })
  return { url, spans, resources }
}

t.test('--otlp sends each call and each webhook as a span, by the conventions, with scenario and rule', async t => {
  const receiver = await listen(t, (_request, response) => void response.end())
  const { url, spans, resources } = await collector(t)
  const mock = await start(t, { otlp: url })
  const api = client(mock, 'test_spans_secret')
  const since = Date.now()
  const made = await api.post(
    '/v1/jobs',
    { video_url, webhook_url: receiver },
    { traceparent, 'user-agent': 'my-app/1' },
  )
  await mock.journal.waitFor({ kind: 'webhook', trace: traceId }, { atLeast: 2 })
  mock.use('internal-error-once', { key: 'test_spans_secret' })
  await api.post('/v1/jobs', { video_url })
  await api.get('/v1/jobs?limit=5&api_key=test_spans_secret', { 'x-mock-fault': 'reset' }).catch(() => {})
  await api.get('/v1/jobs', { traceparent: `00-${other}-${parentId}-00` })
  await api.call('PROPFIND', '/nowhere')
  await mock.close()

  t.match(resources[0], {
    attributes: [{ key: 'service.name', value: { stringValue: 'understudy-mock' } }, { key: 'service.version' }],
  })
  const [create, hook] = ['POST /v1/jobs', 'POST'].map(name => spans.find(span => span.name === name))
  t.match(create, { traceId, parentSpanId: parentId, kind: 2, status: {} })
  t.match(create?.facts, {
    'http.request.method': 'POST',
    'http.route': '/v1/jobs',
    'http.response.status_code': 200,
    'url.path': '/v1/jobs',
    'url.scheme': 'http',
    'server.address': '127.0.0.1',
    'server.port': mock.port,
    'user_agent.original': 'my-app/1',
    'understudy.job_id': made.body.id,
    'understudy.request_id': made.headers.get('x-request-id'),
  })
  const began = Number(create?.startTimeUnixNano) / 1e6
  t.ok(began > since - 1_000 && began <= Number(create?.endTimeUnixNano) / 1e6 && began < Date.now() + 1_000)
  t.match(hook, { traceId, parentSpanId: create?.spanId, kind: 3 })
  t.match(hook?.facts, {
    'http.response.status_code': 200,
    'url.full': receiver,
    'understudy.webhook.event': /^job\./,
  })
  t.match(mock.journal.entries({ kind: 'webhook' })[0]?.request.headers.traceparent, new RegExp(`-${hook?.spanId}-`))

  const failed = spans.find(({ facts }) => facts['understudy.scenario'] === 'internal-error-once')
  t.match(failed, {
    status: { code: 2 },
    facts: { 'error.type': '500', 'understudy.rule': /./, 'http.response.status_code': 500 },
  })
  t.notOk(failed?.parentSpanId, 'a trace of its own')
  t.match(failed?.traceId, /^[0-9a-f]{32}$/)
  const cut = spans.find(({ facts }) => facts['understudy.fault'] === 'reset')
  t.match(cut, { name: 'GET /v1/jobs', status: { code: 2 }, facts: { 'error.type': 'reset' } })
  t.notOk(JSON.stringify(spans).includes('test_spans_secret'), 'no secret leaves')
  t.notOk(
    spans.some(span => span.traceId === other),
    'the client has not sampled it',
  )
  t.match(
    spans.find(({ name }) => name === 'HTTP'),
    { facts: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' } },
  )
})

t.test('a collector that is gone, or never answers, slows nothing down, the end of the mock neither', async t => {
  const silent = await listen(t, () => {})
  await Promise.all(
    ['http://127.0.0.1:1', silent].map(async otlp => {
      const running = await serve(t, ['--otlp', otlp, '--log-level', 'warn'])
      const api = client(running, 'test_gone')
      for (let i = 0; i < 30; i++) t.equal((await api.get('/v1/jobs')).status, 200)
      const since = performance.now()
      t.equal((await running.interrupt()).code, 0)
      t.ok(performance.now() - since < 1_900, `it ends all the same: ${otlp}`)
    }),
  )
  t.match(await understudy(['serve', '--otlp', 'collector:4318']), {
    code: 2,
    stderr: /--otlp is "collector:4318"; expected an http or https URL/,
  })
})
