/** Random calls: whatever comes, the answer is in the envelope, under an id of its own, and none of it is our own failure. */
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { SeededRandom } from '../../base/seed.ts'
import { parse } from '../../contracts/answers.ts'
import { operations } from '../../contracts/operations.ts'
import { isProving, start } from '../support.ts'

const calls = isProving ? 20_000 : 2_000
const connections = 32

const odd = [
  '',
  '/',
  '%',
  '%00',
  '..',
  '%2e%2e',
  'é',
  '🎬',
  "'",
  '"<b>',
  '-1',
  '1e999',
  'null',
  '__proto__',
  'a'.repeat(300),
]
const bodies = [
  ...['', '{', '[]', 'null', '1', '"text"', '{"video_url":1}', '{"video_url":""}', '{"__proto__":{"a":1}}', '\ufffe'],
  ...[
    '{"video_url":"https://e.com/a.mp4","metadata":[[[[[[]]]]]]}',
    `{"video_url":"https://e.com/${'a'.repeat(5000)}"}`,
  ],
  '{"video_url":"https://e.com/a.mp4#t=2","bg_color":[1,2,-3],"bg_type":"custom"}',
  '--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nno video\r\n--x--\r\n',
]
const types = [
  'application/json',
  'text/plain',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'a/b; charset=x',
]
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']

t.test('ERR-1 ERR-6 random calls are all answered in the envelope, each under its own request_id', async t => {
  const mock = await start(t)
  const random = new SeededRandom('random calls')
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  t.teardown(() => agent.destroy())
  const ids = new Set<string>()
  const wrong: string[] = []
  const paths = [...Object.values(operations).map(({ path }) => path), '/', '/nothing', '/v1', '/files/outputs/x/y']

  async function call(n: number): Promise<void> {
    const pick = <T>(list: readonly T[], what: string): T => list[Math.floor(random.draw(what, n) * list.length)] as T
    const is = (what: string, share: number) => random.draw(what, n) < share
    const path = encodeURI(pick(paths, 'path').replace(/\{\w+\}/g, () => pick(odd, 'id')))
    const query = is('query', 0.3)
      ? `?${encodeURI(pick(['limit', 'offset', 'status', 'days', 'x'], 'name'))}=${encodeURIComponent(pick(odd, 'value'))}`
      : ''
    const method = pick(methods, 'method')
    const body = method === 'GET' || method === 'HEAD' || method === 'TRACE' ? '' : pick(bodies, 'body')
    const headers: Record<string, string> = {
      ...(is('key', 0.8) && {
        'x-api-key': pick(['test_a', 'test_b', 'wrong', 'test_no_credits_x', '\u00e9'], 'key name'),
      }),
      ...(body !== '' && { 'content-type': pick(types, 'type'), 'content-length': String(Buffer.byteLength(body)) }),
      ...(is('idempotent', 0.2) && {
        'idempotency-key': pick(odd.slice(8), 'idempotency').replace(/[^\x20-\x7e]/g, ''),
      }),
      ...(is('range', 0.1) && { range: pick(['bytes=0-', 'bytes=5-1', 'bytes=-0', 'x'], 'range') }),
      ...(is('scenario', 0.05) && { 'x-mock-scenario': pick(['none', 'no-such', '../x'], 'scenario') }),
    }
    const url = `${mock.url}${path}${query}`
    const { status, id, type, answer } = await new Promise<Record<string, string | number>>((resolve, reject) => {
      const sent = request(url, { method, headers, agent }, async response => {
        const { statusCode = 0, headers } = response
        const [id, type] = [String(headers['x-request-id']), String(headers['content-type'])]
        resolve({ status: statusCode, id, type, answer: await text(response) })
      })
      sent.once('error', reject).end(body)
    })
    const line = `${method} ${path}${query} ${body.slice(0, 60)}: ${status} ${String(answer).slice(0, 200)}`
    if (ids.has(String(id))) wrong.push(`its request_id was there before: ${line}`)
    ids.add(String(id))
    if (Number(status) >= 500) wrong.push(line)
    if (Number(status) < 400 || method === 'HEAD') return
    const { error, ...others } = (parse(String(answer)) ?? {}) as { error?: Record<string, unknown> }
    const isEnvelope =
      String(type).startsWith('application/json') &&
      Object.keys(others).length === 0 &&
      Object.keys(error ?? {})
        .sort()
        .join() === 'code,message,request_id' &&
      error?.request_id === id
    if (!isEnvelope) wrong.push(`no envelope: ${line}`)
  }

  let next = 0
  const work = async () => {
    while (next < calls) await call(next++)
  }
  await Promise.all(Array.from({ length: connections }, work))
  t.same(wrong.slice(0, 10), [])
  t.equal(ids.size, calls)
})
