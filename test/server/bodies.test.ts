/** Bodies as clients send them: packed, in other bytes than UTF-8, empty under a type, with long numbers; and refused while they are sent. */

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { json as readJson, text } from 'node:stream/consumers'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { client, clip, start } from '../support.ts'

const mock = await start(t)
const api = client(mock)
const video = { video_url: 'https://example.com/a.mp4#t=2' }

t.test('JOB-1 a packed JSON body is unpacked, whatever its coding is called', async t => {
  const body = JSON.stringify(video)
  const packed = {
    gzip: gzipSync(body),
    'X-GZIP': gzipSync(body),
    deflate: deflateSync(body),
    br: brotliCompressSync(body),
  }
  for (const [coding, bytes] of Object.entries({ ...packed, identity: Buffer.from(body) })) {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding }
    const { status } = await api.call('POST', '/v1/jobs', { headers, body: new Uint8Array(bytes) })
    t.equal(status, 200, coding)
  }
  t.match(mock.journal.entries({ route: 'createJob' }).at(-2)?.request.body, video, 'the journal has it unpacked')
  const reset = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const control = await api.call('POST', '/__mock/reset', {
    headers: reset,
    body: new Uint8Array(gzipSync('{"key":"test_other"}')),
  })
  t.match(control, { status: 200, body: { reset: 'test_other' } })
})

t.test(
  'ERR-1 what can not be unpacked is 415 with what can; what is no such packing 400; what unpacks to too much 413',
  async t => {
    const send = (coding: string, body: Uint8Array, type = 'application/json', path = '/v1/jobs') =>
      api.call('POST', path, {
        headers: { 'content-type': type, 'content-encoding': coding },
        body: new Uint8Array(body),
      })
    for (const coding of ['compress', 'gzip, br', 'aes128gcm']) {
      const { status, headers, body } = await send(coding, gzipSync('{}'))
      t.match(
        { status, body },
        { status: 415, body: { error: { message: new RegExp(`Content-Encoding is ${coding}`) } } },
      )
      t.match(headers.get('accept-encoding'), /gzip, deflate, br/)
    }
    const form = await send('gzip', gzipSync('--X--'), 'multipart/form-data; boundary=X', '/v1/uploads')
    t.match({ status: form.status, taken: form.headers.get('accept-encoding') }, { status: 415, taken: 'identity' })
    t.match(await send('gzip', Buffer.from('{}')), {
      status: 400,
      body: { error: { message: /the body is not gzip/ } },
    })
    t.equal((await send('gzip', gzipSync(JSON.stringify({ ...video, a: 'x'.repeat(2 ** 21) })))).status, 413)
  },
)

t.test('ERR-5 a body in other bytes than UTF-8 is refused, not guessed at', async t => {
  for (const encoding of ['latin1', 'utf16le'] as const) {
    const body = new Uint8Array(Buffer.from(JSON.stringify({ ...video, metadata: { name: 'ünder' } }), encoding))
    const { status, body: said } = await api.call('POST', '/v1/jobs', {
      headers: { 'content-type': 'application/json' },
      body,
    })
    t.equal(status, 400, encoding)
    t.match(said.error.message, /^Invalid JSON: /)
  }
})

t.test('JOB-1 a byte order mark before JSON is passed over', async t => {
  const body = `\ufeff${JSON.stringify({ ...video, metadata: { order: 9 } })}`
  const answer = await api.call('POST', '/v1/jobs', { headers: { 'content-type': 'application/json' }, body })
  t.equal(answer.status, 200)
  t.same((await api.get(`/v1/jobs/${answer.body.id}`)).body.metadata, { order: 9 })
})

t.test('JOB-3 a call without content has no type to refuse', async t => {
  for (const type of [
    'application/x-www-form-urlencoded',
    'text/plain;charset=UTF-8',
    'application/octet-stream',
    'what',
  ]) {
    const id = await api.job({ auto_start: false })
    const { status } = await api.call('POST', `/v1/jobs/${id}/start`, { headers: { 'content-type': type }, body: '' })
    t.equal(status, 200, type)
    t.equal((await api.call('POST', '/__mock/reset', { headers: { 'content-type': type }, body: '' })).status, 200)
  }
  const id = await api.job({ auto_start: false })
  const chunked = new ReadableStream({ start: stream => stream.close() })
  const init = { headers: { 'content-type': 'text/plain' }, body: chunked, duplex: 'half' } as RequestInit
  t.equal((await api.call('POST', `/v1/jobs/${id}/start`, init)).status, 200, 'in no chunks')
  t.equal((await api.call('POST', '/v1/jobs', { headers: { 'content-type': 'text/plain' }, body: '{}' })).status, 415)
})

t.test('GO-7 ID-1 numbers that JavaScript would round come back digit for digit, everywhere', async t => {
  const world = await start(t, { speed: 1 })
  const seen: string[] = []
  const receiver = createServer(async (request: IncomingMessage, response) => {
    seen.push(await text(request))
    response.end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.teardown(() => void receiver.close())
  const { port } = receiver.address() as { port: number }
  const ids =
    '{"order":1285704473650888703,"deep":[{"n":-9007199254740993}],"pi":3.14159265358979323846,"big":1e400,"plain":1.10}'
  const send = (metadata: string, key: string) =>
    client(world).call('POST', '/v1/jobs', {
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: `{"video_url":"https://e.com/a.mp4#t=2","webhook_url":"http://127.0.0.1:${port}/","metadata":${metadata}}`,
    })
  const { body } = await send(ids, 'one')
  world.clock.step('1h')
  await world.journal.waitFor({ kind: 'webhook', jobId: body.id }, { atLeast: 2 })
  const read = async (path: string) => (await fetch(world.url + path, { headers: { 'x-api-key': 'test_key' } })).text()
  const exact = ids.replace('1.10', '1.1')
  for (const path of [`/v1/jobs/${body.id}`, '/v1/jobs', '/__mock/snapshot?key=test_key'])
    t.ok((await read(path)).replace(/\s/g, '').includes(exact), path)
  t.ok(seen.length > 0 && seen.every(text => text.includes(exact)), 'and webhooks')
  const kept = await read('/__mock/snapshot?key=test_key')
  const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: kept }
  t.equal((await fetch(`${world.url}/__mock/snapshot?key=test_restored`, init)).status, 200)
  const restored = await fetch(`${world.url}/v1/jobs/${body.id}`, { headers: { 'x-api-key': 'test_restored' } })
  t.ok((await restored.text()).includes(exact), 'and what is restored')

  t.equal((await send('{"order":9007199254740992}', 'two')).status, 200)
  t.equal((await send('{"order":9007199254740993}', 'two')).status, 422, 'another number is another body')
  t.equal((await send('{"order":9007199254740992.0}', 'two')).status, 200, 'the same number is the same')
})

t.test('ID-1 a quoted Idempotency-Key, as the draft has it, and the bare one are the same key', async t => {
  const send = (key: string) => api.post('/v1/jobs', video, { 'idempotency-key': key })
  const first = await send('a-1')
  const again = await send('"a-1"')
  t.equal(again.body.id, first.body.id)
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  t.not((await send('"a-1')).body.id, first.body.id, 'an unpaired quote is a part of the key')
})

t.test('ERR-1 a refusal reaches a client that is still sending, and reads only when it has sent all', async t => {
  const clipBytes = await clip('short.mp4')
  const form = (length: number) =>
    Buffer.concat([
      Buffer.from('--X\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'),
      clipBytes,
      Buffer.alloc(length),
      Buffer.from('\r\n--X--\r\n'),
    ])
  const cases: [status: number, path: string, key: string, type: string][] = [
    [401, '/v1/uploads', 'nope', 'multipart/form-data; boundary=X'],
    [402, '/v1/uploads', 'test_no_credits', 'multipart/form-data; boundary=X'],
    [429, '/v1/uploads', 'test_rate_limited', 'multipart/form-data; boundary=X'],
    [404, '/v1/nowhere', 'test_key', 'multipart/form-data; boundary=X'],
    [415, '/v1/jobs', 'test_key', 'text/plain'],
    [413, '/v1/jobs', 'test_key', 'application/json'],
  ]
  const body = form(8_000_000)
  for (const connection of ['close', 'keep-alive'])
    for (const [status, path, key, type] of cases) {
      const socket = connect({ port: mock.port, host: '127.0.0.1' })
      const broken: Error[] = []
      socket.on('error', error => broken.push(error))
      socket.pause()
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${key}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: ${connection}\r\n\r\n`,
      )
      await new Promise(resolve => socket.write(body, resolve))
      socket.end()
      const answer = await text(socket)
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${status} ${connection}`)
      t.same(broken, [])
    }
  t.equal(((await readJson((await fetch(`${mock.url}/health`)).body as never)) as { status: string }).status, 'ok')
})
