import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { client, start } from '../support.ts'

interface Received {
  headers: IncomingHttpHeaders
  raw: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}

/** A receiver on a real port; `answer` decides what it says to the n-th delivery. */
async function receiver(t: Test, answer: (response: ServerResponse, n: number) => void = response => response.end()) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let raw = ''
    request.on('data', chunk => {
      raw += chunk
    })
    request.on('end', () => {
      received.push({ headers: request.headers, raw, body: JSON.parse(raw) })
      answer(response, received.length)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received }
}

t.test('WH-1 job.started and job.completed arrive in order, with the job as it was', async t => {
  const mock = await start(t)
  const hook = await receiver(t)
  const id = await client(mock).job({ webhook_url: hook.url, metadata: { user: 1 } })
  await mock.journal.waitFor({ kind: 'webhook', jobId: id }, { atLeast: 2 })
  t.match(
    hook.received.map(({ body }) => [body.event, body.data.status]),
    [
      ['job.started', 'processing'],
      ['job.completed', 'completed'],
    ],
  )
  t.match(hook.received[1]?.body.data, { id, output_url: /^http/, metadata: { user: 1 } })
})

t.test('WH-1 a job that fails sends job.failed', async t => {
  const mock = await start(t)
  const hook = await receiver(t)
  const id = await client(mock).job({ webhook_url: hook.url, video_url: 'https://e.com/fail.mp4' })
  await mock.journal.waitFor({ kind: 'webhook', jobId: id }, { atLeast: 2 })
  t.match(hook.received[1]?.body, { event: 'job.failed', data: { id, status: 'failed', error: 'Processing failed' } })
})

t.test('WH-2 the headers are there, and the signature fits timestamp and raw body', async t => {
  const mock = await start(t, { webhookSecret: 'hush' })
  const hook = await receiver(t)
  await client(mock).job({ webhook_url: hook.url })
  await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 2 })
  for (const { headers, raw, body } of hook.received) {
    t.equal(headers['x-webhook-event'], body.event)
    const timestamp = String(headers['x-webhook-timestamp'])
    t.equal(new Date(timestamp).toISOString(), timestamp)
    t.equal(
      headers['x-webhook-signature'],
      `sha256=${createHmac('sha256', 'hush').update(`${timestamp}.${raw}`).digest('hex')}`,
    )
  }
  t.equal(new Set(hook.received.map(({ headers }) => headers['x-webhook-delivery-id'])).size, 2)
  t.notOk(JSON.stringify(mock.journal.entries()).includes('hush'))
})

t.test(
  'WH-2 a receiver that refuses old timestamps takes what comes after a step, in frozen time, and again by hand',
  async t => {
    const mock = await start(t, { webhookSecret: 'hush' })
    const hook = await receiver(t, (response, n) => {
      const off = Math.abs(Date.now() - Date.parse(String(hook.received[n - 1]?.headers['x-webhook-timestamp'])))
      response.writeHead(off < 300_000 ? 204 : 400).end()
    })
    mock.clock.step('10m')
    const api = client(mock)
    await api.job({ webhook_url: hook.url })
    await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 2 })
    mock.clockOf('test_key').freeze()
    mock.clockOf('test_key').step('2d')
    const id = hook.received[0]?.headers['x-webhook-delivery-id']
    t.equal((await api.post(`/__mock/webhooks/${id}/redeliver`)).status, 200)
    t.match(
      mock.journal.entries({ kind: 'webhook' }).map(({ status }) => status),
      [204, 204, 204],
    )
    const [first, second] = hook.received.map(({ headers }) => headers['x-webhook-signature'])
    t.not(first, second)
  },
)

t.test('WH-2 without a secret there is no signature', async t => {
  const mock = await start(t)
  const hook = await receiver(t)
  await client(mock).job({ webhook_url: hook.url })
  await mock.journal.waitFor({ kind: 'webhook' })
  t.notOk('x-webhook-signature' in (hook.received[0] as Received).headers)
})

t.test('WH-3 what is not answered 2xx is tried three times more, 10 s apart, with the same id', async t => {
  const mock = await start(t, { speed: 1 })
  mock.clock.freeze()
  const hook = await receiver(t, response => response.writeHead(500).end())
  const id = await client(mock).job({ webhook_url: hook.url, video_url: 'https://e.com/stuck.mp4' })
  mock.clock.step('2s')
  for (let attempt = 1; attempt <= 4; attempt++) {
    const entries = await mock.journal.waitFor({ kind: 'webhook', jobId: id }, { atLeast: attempt })
    t.equal(entries.length, attempt)
    t.match(entries.at(-1), { attempt, status: 500, error: /answered 500/ })
    const next = entries.at(-1)?.next_try_at
    if (attempt < 4) t.equal(Date.parse(next as string) - Math.floor(mock.clock.now()), 10_000)
    else t.equal(next, null, 'then it is given up')
    mock.clock.step('9.9s')
    t.equal(mock.journal.count({ kind: 'webhook', jobId: id }), attempt, 'not before its time')
    mock.clock.step('0.1s')
  }
  t.equal(new Set(hook.received.map(({ headers }) => headers['x-webhook-delivery-id'])).size, 1)
  t.match((await client(mock).get(`/v1/jobs/${id}`)).body.webhook_events, [{ event: 'job.started', status: 'failed' }])
})

t.test('WH-3 a retry that is answered 2xx ends it, and the job shows it as sent', async t => {
  const mock = await start(t)
  const hook = await receiver(t, (response, n) => response.writeHead(n === 1 ? 503 : 204).end())
  const id = await client(mock).job({ webhook_url: hook.url })
  await mock.journal.waitFor({ kind: 'webhook', status: '2xx' }, { atLeast: 2 })
  const { webhook_events } = (await client(mock).get(`/v1/jobs/${id}`)).body
  t.match(webhook_events, [
    { event: 'job.started', status: 'sent' },
    { event: 'job.completed', status: 'sent' },
  ])
})

t.test('WH-3 an answer is read to its end: a receiver may work until it has answered whole', async t => {
  const mock = await start(t)
  const begun: ServerResponse[] = []
  const hook = await receiver(t, response => {
    response.writeHead(200).write('a')
    begun.push(response)
  })
  const api = client(mock)
  const id = await api.job({ webhook_url: hook.url })
  for (let event = 1; event <= 2; event++) {
    while (begun.length < event) await api.get(`/v1/jobs/${id}`)
    // Time enough to hang up in.
    for (let n = 0; n < 5; n++) await api.get('/health')
    t.equal(mock.journal.count({ kind: 'webhook' }), event - 1, 'it is not over')
    const response = begun[event - 1] as ServerResponse
    t.notOk(response.destroyed)
    response.end('b')
    await mock.journal.waitFor({ kind: 'webhook', status: '2xx' }, { atLeast: event })
  }
})

t.test('webhooks go to loopback only, unless a host is allowed by name; redirects are not followed', async t => {
  const mock = await start(t)
  const id = await client(mock).job({ webhook_url: 'http://example.com/hook' })
  const [entry] = await mock.journal.waitFor({ kind: 'webhook', jobId: id })
  t.match(entry, { status: 0, error: /not loopback; allow it with --webhook-allow example.com/, next_try_at: null })

  const elsewhere = await receiver(t)
  const hook = await receiver(t, response => response.writeHead(302, { location: elsewhere.url }).end())
  const redirected = await client(mock).job({ webhook_url: hook.url })
  await mock.journal.waitFor({ kind: 'webhook', jobId: redirected, status: 302 })
  t.equal(elsewhere.received.length, 0)
})

t.test('a receiver that is down is an entry with its error; one call sends a delivery again', async t => {
  const mock = await start(t)
  let up = false
  const hook = await receiver(t, response => (up ? response.end() : response.destroy()))
  const id = await client(mock).job({ webhook_url: hook.url })
  const entries = await mock.journal.waitFor({ kind: 'webhook', jobId: id }, { atLeast: 8 })
  t.match(entries[0], { status: 0, error: 'ECONNRESET' })
  up = true
  const { delivery_id } = entries[0] as { delivery_id: string }
  const again = await client(mock).post(`/__mock/webhooks/${delivery_id}/redeliver`)
  t.match(again, { status: 200, body: { redelivered: delivery_id } })
  t.match(mock.journal.entries({ kind: 'webhook', status: 200 }), [{ delivery_id, attempt: 5 }])
  t.equal((await client(mock).post('/__mock/webhooks/whd_none/redeliver')).status, 404)
})
