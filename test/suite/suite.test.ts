import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { outputsFolder } from '../../base/paths.ts'
import { type Clause, clauses } from '../../contracts/clauses.ts'
import { judge } from '../../contracts/judge.ts'
import { curlOf, type ObservedExchange, redactor } from '../../contracts/observedExchange.ts'
import { operationOf } from '../../contracts/operations.ts'
import { inspect } from '../../media/container.ts'
import { checks } from '../../suite/checks/index.ts'

t.test('every clause that an outside caller can see has a check, and no check speaks for another', async t => {
  const spoken = new Set(checks.flatMap(({ clauses }) => clauses))
  for (const [id, { unseen }] of Object.entries<Clause>(clauses)) {
    t.equal(spoken.has(id as never), unseen === undefined, `${id}${unseen ? ` (${unseen})` : ''}`)
  }
})

t.test('a check has an id of its own: its theme, a dot, what it is', async t => {
  const ids = checks.map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) t.match(id, /^[a-z]+\.[a-z0-9-]+$/)
})

const seen = (status: number, body: unknown, given: Partial<ObservedExchange> = {}): ObservedExchange => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    sent: { method: 'GET', url: 'http://api.test/v1/jobs/job_1', headers: {} },
    operation: 'getJob',
    status,
    headers: { 'content-type': 'application/json' },
    text,
    json: typeof body === 'string' ? undefined : body,
    bytes: new TextEncoder().encode(text),
    ms: 1,
    ...given,
  }
}
const envelope = (code: string, request_id = 'req_1') => ({ error: { code, message: 'No', request_id } })
const broken = (one: ObservedExchange, ids = new Map<string, string>()) =>
  judge(one, ids)
    .filter(({ holds }) => !holds)
    .map(({ clauses, pointer = '' }) => `${clauses.join('+')} ${pointer}`.trim())

t.test('ERR-5 each code goes with its status, and a status with its code', async t => {
  const pairs: [number, string, string[]][] = [
    [401, 'missing_api_key', []],
    [401, 'invalid_api_key', []],
    [402, 'insufficient_credits', []],
    [400, 'invalid_request', []],
    [404, 'invalid_request', []],
    [404, 'not_found', []],
    [422, 'invalid_request', []],
    [500, 'internal_error', []],
    [504, 'timeout', []],
    [503, 'timeout', []],
    [403, 'invalid_api_key', ['ERR-5 /error/code']],
    [401, 'unauthorized', ['ERR-5 /error/code']],
    [402, 'invalid_request', ['ERR-5 /error/code']],
    [400, 'rate_limited', ['ERR-5 /error/code']],
    [500, 'oops', ['ERR-5 /error/code']],
    [500, 'invalid_request', ['ERR-5 /error/code', 'ERR-3']],
    [400, 'INVALID_REQUEST', ['ERR-2 /error/code', 'ERR-5 /error/code']],
  ]
  for (const [status, code, due] of pairs) t.same(broken(seen(status, envelope(code))), due, `${status} ${code}`)
})

t.test('ERR-1 the envelope is exact', async t => {
  t.same(broken(seen(404, 'no')), ['ERR-1'])
  t.same(broken(seen(404, { error: 'not found' })), ['ERR-1 /error'])
  t.same(broken(seen(404, { ...envelope('not_found'), ok: false })), ['ERR-1 /ok'])
  t.same(broken(seen(404, { error: { ...envelope('not_found').error, hint: 1 } })), ['ERR-1 /error/hint'])
  const asHtml = seen(404, envelope('not_found'), { headers: { 'content-type': 'text/html' } })
  t.same(broken(asHtml), ['ERR-1 header Content-Type'])
})

t.test('ERR-6 a request_id that comes twice is broken the second time', async t => {
  const ids = new Map<string, string>()
  t.same(broken(seen(404, envelope('not_found', 'req_7')), ids), [])
  t.same(broken(seen(404, envelope('not_found', 'req_7')), ids), ['ERR-6 /error/request_id'])
  t.same(broken(seen(404, envelope('not_found', '')), ids), ['ERR-6 /error/request_id'])
})

t.test('RL-2 a 429 has Retry-After, RateLimit and X-RateLimit headers', async t => {
  const headers = {
    'content-type': 'application/json',
    'retry-after': '3',
    ratelimit: '"r";r=0;t=3',
    'x-ratelimit-limit': '10',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': '1700000000',
  }
  t.same(broken(seen(429, envelope('rate_limited'), { headers })), [])
  for (const name of Object.keys(headers).slice(1)) {
    const { [name]: _, ...rest } = headers as Record<string, string>
    t.equal(broken(seen(429, envelope('rate_limited'), { headers: rest })).length, 1, `without ${name}`)
  }
  for (const wrong of ['1.5', '-1', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
    const other = { ...headers, 'retry-after': wrong }
    t.same(broken(seen(429, envelope('rate_limited'), { headers: other })), ['RL-2 header Retry-After'], wrong)
  }
})

t.test('DL-3 every output that ships is whole and in its format; half of it is not', async t => {
  for (const name of await readdir(outputsFolder)) {
    const bytes = await readFile(join(outputsFolder, name))
    const format = name.split('.')[1]
    const whole = inspect(bytes)
    t.match(whole, { format, problem: undefined }, name)
    if (format !== 'png_sequence') t.equal(whole.seconds, 2, `${name} plays 2 s`)
    for (const cut of [bytes.length >> 1, bytes.length - 1, 20]) {
      t.ok(inspect(bytes.subarray(0, cut)).problem, `${name}, the first ${cut} bytes`)
    }
  }
  for (const bytes of ['', '<!doctype html>', 'GIF89a', 'RIFF....AVI LIST....']) {
    t.ok(inspect(new TextEncoder().encode(bytes)).problem, JSON.stringify(bytes))
  }
})

t.test('a path is known by its operation, whatever its query', async t => {
  t.equal(operationOf('GET', '/v1/jobs/job_1'), 'getJob')
  t.equal(operationOf('GET', '/v1/jobs?limit=2'), 'listJobs')
  t.equal(operationOf('POST', '/v1/jobs/job_1/start'), 'startJob')
  t.equal(operationOf('GET', '/v1/nowhere'), undefined)
})

t.test('a curl line has no key in it, and a shell reads it as it was sent', async t => {
  const redact = redactor({ API_KEY: 'sk_live_secret', SECOND_KEY: 'sk_live_secret_2' })
  const body = `{"text_prompt":"it's \\"quoted\\" \`$HOME\`","note":"sk_live_secret_2"}`
  const line = curlOf(
    { method: 'POST', url: 'http://api.test/v1/jobs', headers: { 'X-Api-Key': 'sk_live_secret' }, body },
    redact,
  )
  t.notMatch(line, 'sk_live')
  t.match(line, '"X-Api-Key: $API_KEY"')
  const env = { ...process.env, API_KEY: 'sk_live_secret', SECOND_KEY: 'sk_live_secret_2' }
  const words = execFileSync('bash', ['-c', `set -- ${line}; printf '%s\\0' "$@"`], { env, encoding: 'utf8' }).split(
    '\0',
  )
  t.ok(words.includes('X-Api-Key: sk_live_secret'))
  t.ok(words.includes(body), 'the body comes out as it was')
})
