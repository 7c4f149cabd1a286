/** What a client gets for a request that is wrong: the envelope, a sentence that helps, and no side effect. */
import { once } from 'node:events'
import { request as httpRequest, METHODS } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { type Answer, client, start } from '../support.ts'

/** One for all: what is refused changes nothing, so no test can see another. */
const mock = await start(t)
const { get, post, job, call } = client(mock)

const url = 'https://example.com/cat.mp4#t=2'
const long = 'x'.repeat(10_000)
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
const withMetadata = (json: string) => `{"video_url":"${url}","metadata":{"deep":${json}}}`

/** All that a call could have changed in the key's world: its jobs, and the credits that a 402 tells of. */
async function sideEffects() {
  const { total } = (await get('/v1/jobs')).body
  const tooLong = await post('/v1/jobs', { video_url: 'https://example.com/cat.mp4#t=86400' })
  return { total, credits: tooLong.body.error.message }
}

/** ERR-1 and ERR-6, to the letter. `entries` is 0 for calls under /__mock, which are no part of the API. */
async function isRefusal(t: Test, answer: Answer, status: number, says: RegExp, entries = 1) {
  const { headers, body } = answer
  t.equal(answer.status, status)
  t.match(headers.get('content-type'), /^application\/json(;|$)/)
  t.strictSame(Object.keys(body), ['error'])
  t.strictSame(Object.keys(body.error).sort(), ['code', 'message', 'request_id'])
  t.equal(body.error.code, status === 404 ? 'not_found' : 'invalid_request')
  t.match(body.error.message, says)
  t.ok(body.error.message.length < 1000, 'the message can be read')
  t.equal(headers.get('x-request-id'), body.error.request_id)
  t.equal(mock.journal.count({ requestId: body.error.request_id }), entries)
  t.equal((await get('/health')).status, 200)
}

/** Sends the path as it is: fetch would tidy it up first. */
async function verbatim(method: string, path: string): Promise<Answer> {
  const sent = httpRequest({ port: mock.port, method, path, headers: { 'x-api-key': mock.key }, agent: false }).end()
  const [response] = await once(sent, 'response')
  const body = await text(response)
  const headers = new Headers(response.headers as Record<string, string>)
  return { status: response.statusCode, headers, body: body === '' ? '' : JSON.parse(body) }
}

const bodies: [title: string, body: string, status: number, says: RegExp][] = [
  ['broken JSON', '{"video_url": ', 400, /^Invalid JSON: /],
  ['JSON with more behind it', `{"video_url":"${url}"} {}`, 400, /^Invalid JSON: /],
  ['JSON of 100 levels', withMetadata(nested(100)), 400, /^Invalid JSON: nested deeper than 32 levels$/],
  ['JSON of 100,000 levels', withMetadata(nested(100_000)), 400, /^Invalid JSON: nested deeper than 32 levels$/],
  ['100,000 levels that are never closed', '['.repeat(100_000), 400, /^Invalid JSON: /],
  ['100,000 levels with __proto__ in them', withMetadata(`[{"__proto__":1},${nested(100_000)}]`), 400, /^Invalid JSON/],
  ['a body of a byte over 1 MiB', `"${'x'.repeat(1024 * 1024 - 1)}"`, 413, /^Request body too large/],
  ['__proto__', withMetadata('{"__proto__":{"polluted":true}}'), 400, /^Invalid JSON: .*__proto__/],
  ['an escaped __proto__', withMetadata('{"\\u005f_proto__":{"polluted":true}}'), 400, /^Invalid JSON: /],
  [
    'constructor.prototype',
    withMetadata('{"constructor":{"prototype":{"polluted":true}}}'),
    400,
    /^Invalid JSON: .*constr/,
  ],
  ['an empty body', '', 400, /^Invalid request: the body is (missing|null); expected an object$/],
  ['an array', '[]', 400, /^Invalid request: the body is \[\]; expected an object$/],
  ['a number', '7', 400, /^Invalid request: the body is 7; expected an object$/],
  ['null', 'null', 400, /^Invalid request: the body is null; expected an object$/],
  ['a text', `"${url}"`, 400, /^Invalid request: the body is ".*"; expected an object$/],
]

for (const [title, body, status, says] of bodies) {
  t.test(`ERR-1 POST /v1/jobs refuses ${title}`, async t => {
    const before = await sideEffects()
    await isRefusal(t, await post('/v1/jobs', body), status, says)
    t.strictSame(await sideEffects(), before)
    t.equal(({} as { polluted?: boolean }).polluted, undefined)
  })
}

t.test('JOB-1 a body of exactly 1 MiB, and one of 30 levels, are taken', async t => {
  const padding = 1024 * 1024 - withMetadata('""').length
  t.equal((await post('/v1/jobs', withMetadata(`"${'x'.repeat(padding)}"`))).status, 200)
  t.equal((await post('/v1/jobs', withMetadata(nested(30)))).status, 200)
})

for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense', undefined]) {
  t.test(`ERR-1 POST /v1/jobs refuses ${type ?? 'no'} content type with 415, and says which it expects`, async t => {
    const before = await sideEffects()
    const body = new TextEncoder().encode(JSON.stringify({ video_url: url }))
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
    const answer = await call('POST', '/v1/jobs', { body, headers })
    await isRefusal(t, answer, 415, /^Unsupported content type: .*application\/json/)
    t.strictSame(await sideEffects(), before)
  })
}

const fields: [clause: string, field: string, values: unknown[], expected: string][] = [
  [
    'JOB-1',
    'video_url',
    [undefined, '', 'cat.mp4', 'file:///etc/passwd', 'ftp://example.com/a.mp4', 7, null, `https://a.test/${long}`],
    'an http or https URL',
  ],
  ['JOB-1', 'model', ['best', 'Pro', 1, null], 'one of original, light, pro, human'],
  ['JOB-1', 'output_format', ['avi', '', null], 'one of webm, mov, mp4, gif, webp, png_sequence'],
  ['JOB-1', 'bg_type', ['pink', []], 'one of transparent, green, white, black, blue, custom, color, image'],
  ['JOB-1', 'bg_color', [[1, 2], [1, 2, 3, 4], 'red', {}], '3 items, each a number from 0 to 255'],
  [
    'JOB-1',
    'bg_color.1',
    [
      [0, -1, 0],
      [0, 256, 0],
      [0, '7', 0],
      [0, null, 0],
    ],
    'a number from 0 to 255',
  ],
  ['WH-1', 'webhook_url', ['ftp://127.0.0.1/hook', 'javascript:alert(1)', '', 7], 'an http or https URL'],
  ['JOB-3', 'auto_start', ['yes', 'true', 1, null], 'true or false'],
  ['GO-7', 'metadata', ['user 7', [], 7, null], 'an object'],
  ['JOB-1', 'text_prompt', [7, `${long}x`], 'a text of 0 to 10000 characters'],
  ['JOB-1', 'composition.canvas.width', [0, '100'], 'a number above 0'],
  ['JOB-1', 'background.type', ['pink', undefined], 'one of transparent, color, image'],
]

for (const [clause, field, values, expected] of fields) {
  for (const value of values) {
    const shown = JSON.stringify(value)?.slice(0, 40) ?? 'that is missing'
    t.test(`${clause} POST /v1/jobs refuses ${field} ${shown}, names it and says what it expects`, async t => {
      const before = await sideEffects()
      const body: Record<string, unknown> = { video_url: url }
      const [top, ...path] = (field === 'bg_color.1' ? 'bg_color' : field).split('.') as [string, ...string[]]
      body[top] = path.reduceRight((inner, name) => ({ [name]: inner }), value)
      const isLong = typeof value === 'string' && value.length > 4096
      const told = isLong ? 'has [\\d,]+ characters; expected at most [\\d,]+' : `is .*; expected ${expected}`
      const says = new RegExp(`^Invalid request: ${field.replaceAll('.', '\\.')} ${told}$`)
      await isRefusal(t, await post('/v1/jobs', body), 400, says)
      t.strictSame(await sideEffects(), before)
    })
  }
}

t.test('JOB-7 mp4 with a transparent background is refused, on create and on start', async t => {
  const says = /^Invalid request: output_format mp4 .*transparent.*; expected one of webm, mov, gif, webp, png_sequence/
  const id = await job({ auto_start: false })
  const before = await sideEffects()
  const mp4 = { output_format: 'mp4', bg_type: 'transparent' }
  await isRefusal(t, await post('/v1/jobs', { video_url: url, ...mp4 }), 400, says)
  await isRefusal(t, await post(`/v1/jobs/${id}/start`, mp4), 400, says)
  const { status, output_format } = (await get(`/v1/jobs/${id}`)).body
  t.strictSame([status, output_format], ['created', 'webm'], 'the draft is what it was')
  t.strictSame(await sideEffects(), before)
})

const queries: [clause: string, path: string, name: string, values: string[], expected: string][] = [
  [
    'JOB-6',
    '/v1/jobs',
    'limit',
    ['0', '-1', '101', 'abc', '1.5', '', '1e400', '1&limit=2'],
    'a whole number from 1 to 100',
  ],
  ['JOB-6', '/v1/jobs', 'offset', ['-1', 'abc', '1e400'], 'a whole number (of 0 or more|from 0 to \\d+)'],
  ['JOB-6', '/v1/jobs', 'status', ['nonsense', ''], 'one of created, pending, processing, completed, failed'],
  ['US-1', '/v1/usage/summary', 'days', ['0', '91', 'abc'], 'a whole number from 1 to 90'],
  ['US-2', '/v1/usage/events', 'limit', ['0', '101'], 'a whole number from 1 to 100'],
]

for (const [clause, path, name, values, expected] of queries) {
  for (const value of values) {
    t.test(`${clause} GET ${path}?${name}=${value} is refused, and says what it expects`, async t => {
      const answer = await get(`${path}?${name}=${value}`)
      await isRefusal(t, answer, 400, new RegExp(`^Invalid request: ${name} is .*; expected ${expected}$`))
    })
  }
}

const ids = ['unknown', '../usage', '..', '%00', '%2e%2e%2f', '..%2f..%2fetc%2fpasswd', '%e2%98%83', long, '']
for (const id of ids) {
  t.test(`ERR-4 no job is found by the id "${id.slice(0, 30)}"`, async t => {
    const says = /^(Job|Route|File) not found/
    for (const path of [
      `/v1/jobs/${id}`,
      `/api/download/${id}`,
      `/files/uploads/${id}/a.mp4`,
      `/files/outputs/x/${id}`,
    ])
      await isRefusal(t, await verbatim('GET', path), 404, says)
    await isRefusal(t, await verbatim('POST', `/v1/jobs/${id}/start`), 404, says)
  })
}

t.test('ERR-1 an id that is no valid escape is a malformed request', async t => {
  for (const path of ['/v1/jobs/%zz', '/v1/jobs/%', '/api/download/%ff', '/files/uploads/%zz/%zz'])
    await isRefusal(t, await verbatim('GET', path), 400, /^Malformed HTTP request: .*%/)
})

t.test('AUTH-3 a job of another key is not found by any call', async t => {
  const id = await client(mock, 'test_other').job({ auto_start: false })
  await isRefusal(t, await get(`/v1/jobs/${id}`), 404, /^Job not found$/)
  await isRefusal(t, await post(`/v1/jobs/${id}/start`), 404, /^Job not found$/)
  await isRefusal(t, await get(`/api/download/${id}`), 404, /^Job not found$/)
  t.equal((await client(mock, 'test_other').get(`/v1/jobs/${id}`)).body.status, 'created')
})

for (const path of [
  '/',
  '/v1',
  '/v2/jobs',
  '/v1/jobs/a/b',
  '/health/',
  '/v1/uploads/',
  '/v1/jobs/?x=1',
  '//v1//jobs',
]) {
  t.test(`ERR-1 GET ${path} is not found`, async t => {
    await isRefusal(t, await verbatim('GET', path), 404, /^(Route|Job) not found/)
  })
}

const wrongMethods: [method: string, path: string, allowed: string[]][] = [
  ['DELETE', '/v1/jobs', ['GET', 'HEAD', 'POST']],
  ['PROPFIND', '/v1/jobs?x=1', ['GET', 'HEAD', 'POST']],
  ['PUT', '/v1/jobs/job_1', ['GET', 'HEAD']],
  ['GET', '/v1/jobs/job_1/start', ['POST']],
  ['GET', '/v1/uploads', ['POST']],
  ['PATCH', '/api/upload', ['POST']],
  ['POST', '/health', ['GET', 'HEAD']],
  ['DELETE', '/__mock/reset', ['POST']],
  ['POST', '/__mock/openapi.json', ['GET', 'HEAD']],
  ['PATCH', '/__mock/jobs/job_1', ['POST']],
  ['POST', '/docs', ['GET', 'HEAD']],
  ['PUT', '/docs/guide/api.html', ['GET', 'HEAD']],
  ['DELETE', '/metrics', ['GET', 'HEAD']],
  ['POST', '/openapi.json?x=1', ['GET', 'HEAD']],
  // A node that doesn't know the method refuses it before there is a request.
  ...(METHODS.includes('QUERY') ? [['QUERY', '/v1/jobs', ['GET', 'HEAD', 'POST']] as [string, string, string[]]] : []),
]

for (const [method, path, allowed] of wrongMethods) {
  t.test(`ERR-1 ${method} ${path} is refused with 405 and what is allowed`, async t => {
    const answer = await verbatim(method, path)
    await isRefusal(t, answer, 405, new RegExp(`^Method not allowed: ${method} .*; expected .*${allowed[0]}`))
    t.strictSame(answer.headers.get('allow')?.split(', ').sort(), allowed)
  })
}

t.test('ERR-6 a HEAD that finds nothing has no body, but a request id that is in the journal', async t => {
  for (const path of ['/v1/jobs/unknown', '/nowhere', '/files/uploads/vid_1/a.mp4']) {
    const { status, headers, body } = await verbatim('HEAD', path)
    t.strictSame([status, body], [404, ''])
    t.match(headers.get('content-type'), /^application\/json/)
    t.equal(mock.journal.count({ requestId: headers.get('x-request-id') as string }), 1)
  }
})

for (const key of ['', 'k'.repeat(256)]) {
  t.test(`ID-1 an Idempotency-Key of ${key.length} characters is refused`, async t => {
    const before = await sideEffects()
    const answer = await post('/v1/jobs', { video_url: url }, { 'idempotency-key': key })
    await isRefusal(t, answer, 400, /^Invalid request: Idempotency-Key .*; expected 1 to 255/)
    t.strictSame(await sideEffects(), before)
  })
}

const journalQueries: [query: string, says: RegExp][] = [
  ['since=yesterday', /since is "yesterday"; expected an entry's seq or an ISO 8601 time/],
  ['wait=long', /wait is "long"; expected a time up to 60s/],
  ['wait=61s', /wait is "61s"; expected a time up to 60s/],
  ['status=6xx', /status is "6xx"; expected /],
  ['limit=-1', /limit is -1; expected a whole number from 0 to 10000/],
  ['colour=red', /colour.*; expected (one of )?key, world, kind, route, status/],
]

for (const [query, says] of journalQueries) {
  t.test(`ERR-1 GET /__mock/journal?${query} is refused, and says what it expects`, async t => {
    await isRefusal(t, await get(`/__mock/journal?${query}`), 400, says, 0)
  })
}

t.test('ERR-1 POST /__mock/reset refuses a field that it does not know, and resets nothing', async t => {
  await job()
  const before = await sideEffects()
  await isRefusal(t, await post('/__mock/reset', { keys: 'x' }), 400, /keys.*; expected .*key/, 0)
  await isRefusal(t, await post('/__mock/reset', { key: 7 }), 400, /key is 7; expected a text/, 0)
  t.strictSame(await sideEffects(), before)
})
