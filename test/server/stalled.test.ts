/** Bodies that begin and do not end, and files that go away while they are sent. Nothing sleeps: the timers are the test's. */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { mock as fake } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { RunningMock } from '../../client/mock.ts'
import { client, clip, start } from '../support.ts'

const boundary = 'cut'
const formHead = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n`

interface Sending {
  sending: ClientRequest
  answer: Promise<{ status: number; body: unknown }>
}

/** A request whose body of `length` bytes is left to the test. */
function begin({ url }: RunningMock, path: string, type: string, length: number, more = {}): Sending {
  const headers = { 'x-api-key': 'test_key', 'content-type': type, 'content-length': length, ...more }
  const sending = request(url + path, { method: 'POST', headers, agent: false })
  const answer = once(sending, 'response').then(async ([response]: IncomingMessage[]) => ({
    status: response?.statusCode ?? 0,
    body: await json(response as IncomingMessage),
  }))
  sending.flushHeaders()
  return { sending, answer }
}

t.test(
  'ERR-1 a body that stops half-way is answered 408, whoever reads it; one that goes on is let to its end',
  async t => {
    fake.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => fake.timers.reset())
    const mock = await start(t)
    const minutes = (n: number) => {
      for (let i = 0; i < 8 * n; i++) fake.timers.tick(7_500)
    }

    // Its own routes are loaded with their first call.
    await client(mock).get('/__mock')
    const cases: [name: string, path: string, type: string, text: string, more?: Record<string, string>][] = [
      ['JSON', '/v1/jobs', 'application/json', '{"video_url": '],
      ['packed JSON', '/v1/jobs', 'application/json', '\x1f\x8b', { 'content-encoding': 'gzip' }],
      ['a form', '/v1/uploads', `multipart/form-data; boundary=${boundary}`, formHead],
      ['no byte at all', '/v1/jobs', 'application/json', ''],
      ['a control route', '/__mock/keys', 'application/json', '{'],
      ['a scenario', '/__mock/scenarios', 'application/yaml', 'name: '],
    ]
    for (const [name, path, type, text, more] of cases) {
      const { sending, answer } = begin(mock, path, type, 100_000, more)
      sending.on('error', () => {})
      sending.write(Buffer.from(text, 'latin1'))
      let isOver = false
      answer.finally(() => {
        isOver = true
      })
      // What was sent has been read when a later call has its answer.
      for (let i = 0; i < 3; i++) await client(mock).get('/health')
      fake.timers.tick(45_000)
      await setImmediate()
      t.equal(isOver, false, `${name}: not yet`)
      minutes(1)
      const { status, body } = await answer
      t.equal(status, 408, name)
      t.match(body, { error: { code: 'invalid_request', message: /did not arrive in time: 60000 ms passed/ } }, name)
      sending.destroy()
    }
    t.equal(mock.journal.count({ status: 408, route: 'createJob' }), 3)
    const { paths } = (await client(mock).get('/openapi.json')).body
    for (const path of ['/v1/jobs', '/v1/uploads', '/v1/jobs/{job_id}/start'])
      t.ok(408 in paths[path].post.responses, path)

    const bytes = await clip('short.mp4')
    const whole = Buffer.concat([Buffer.from(formHead), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)])
    const { sending, answer } = begin(mock, '/v1/uploads', `multipart/form-data; boundary=${boundary}`, whole.length)
    const step = Math.ceil(whole.length / 20)
    for (let at = 0; at < whole.length; at += step) {
      await new Promise(resolve => sending.write(whole.subarray(at, at + step), resolve))
      await client(mock).get('/health')
      fake.timers.tick(50_000)
    }
    t.match(await answer, { status: 200, body: { size: bytes.length } }, 'a quarter of an hour for one file')
  },
)

t.test('DL-3 a download during a reset is the file to its end, or 404: never an error of the mock', async t => {
  const mock = await start(t)
  const api = client(mock)
  const bytes = await clip('short.mp4')
  const seen = new Set<number>()
  for (let round = 0; round < 25; round++) {
    const { body } = await api.upload(bytes)
    const downloads = Array.from({ length: 20 }, async () => {
      const answer = await fetch(body.video_url)
      const got = Buffer.from(await answer.arrayBuffer())
      if (answer.status === 200 && !got.equals(bytes)) t.fail('a file without its end')
      seen.add(answer.status)
    })
    // At another moment in each round; some of the downloads are then between having found the file and having opened it.
    for (let turns = 0; turns < round; turns++) await setImmediate()
    mock.reset()
    await Promise.all(downloads)
  }
  seen.delete(200)
  seen.delete(404)
  t.same([...seen], [])
})
