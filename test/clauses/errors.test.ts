import t from 'tap'
import { errorCases, errorCodes, statusOf } from '../../contracts/errors.ts'
import { client, clip, start } from '../support.ts'

const documented = [
  'invalid_request',
  'invalid_api_key',
  'rate_limited',
  'insufficient_credits',
  'internal_error',
  'timeout',
  'missing_api_key',
]

t.test('ERR-1 every error has exactly the envelope, and nothing else', async t => {
  const mock = await start(t)
  const api = client(mock)
  const answers = [
    await client(mock, null).get('/v1/jobs'),
    await client(mock, 'nobody').get('/v1/jobs'),
    await client(mock, 'test_no_credits').post('/v1/jobs', { video_url: 'https://example.com/a.mp4' }),
    await client(mock, 'test_rate_limited').get('/v1/jobs'),
    await api.get('/v1/jobs/none'),
    await api.get('/nowhere'),
    await api.call('PUT', '/v1/jobs'),
    await api.post('/v1/jobs', { video_url: 1 }),
    await api.upload(Buffer.from('not a video at all')),
  ]
  for (const { status, headers, body } of answers) {
    t.ok(status >= 400, `${status} ${body.error.code}`)
    t.same(Object.keys(body), ['error'])
    t.same(Object.keys(body.error), ['code', 'message', 'request_id'])
    t.ok(Object.values(body.error).every(value => typeof value === 'string' && value !== ''))
    t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  }
})

t.test('ERR-2 all codes but the extensions of the catalogue are documented ones', async t => {
  const codes = Object.entries(errorCodes)
  t.same(
    codes
      .filter(([, { documented }]) => documented)
      .map(([code]) => code)
      .sort(),
    [...documented].sort(),
  )
  t.same(
    codes.filter(([, { documented }]) => !documented).map(([code]) => code),
    ['not_found'],
  )
})

t.test('ERR-3 each case belongs to a class that says what a client should do', async t => {
  for (const [name, { code }] of Object.entries(errorCases)) {
    const { class: errorClass } = errorCodes[code]
    const status = statusOf(name as keyof typeof errorCases)
    const expected = status >= 500 ? 'server' : status === 402 || status === 429 ? 'capacity' : 'client'
    t.equal(errorClass, expected, name)
  }
})

t.test('ERR-4 the documented cases have their status and message', async t => {
  const mock = await start(t, { maxUploadBytes: 1000 })
  const api = client(mock)
  const wrongType = await api.upload(Buffer.from('%PDF-1.7 no video'), 'a.pdf', 'application/pdf', '/api/upload')
  t.match(wrongType, { status: 400, body: { error: { code: 'invalid_request', message: /^Invalid file type/ } } })
  const tooLarge = await api.upload(await clip('short.mp4'), 'short.mp4', 'video/mp4', '/api/upload')
  t.match(tooLarge, { status: 400, body: { error: { code: 'invalid_request', message: /^File too large/ } } })
  t.match(await api.get('/v1/jobs/job_nowhere'), { status: 404, body: { error: { message: 'Job not found' } } })
  const draft = await api.job({ auto_start: false })
  t.match(await api.get(`/api/download/${draft}`), { status: 400, body: { error: { message: 'Job not completed' } } })
  t.match(errorCases.processing_failed, { code: 'internal_error', message: 'Processing failed' })
  t.equal(statusOf('processing_failed'), 500)
})

t.test('ERR-5 each code has its status, and a file that is too large is 400', async t => {
  const expected = {
    missing_api_key: 401,
    invalid_api_key: 401,
    insufficient_credits: 402,
    rate_limited: 429,
    invalid_request: 400,
    internal_error: 500,
    timeout: 504,
  }
  for (const [code, status] of Object.entries(expected))
    t.equal(errorCodes[code as keyof typeof errorCodes].status, status, code)
  t.equal(statusOf('file_too_large'), 400)
})

t.test('ERR-6 request_id is unique per answer, in the header and in the journal', async t => {
  const mock = await start(t)
  const api = client(mock)
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => api.get(i % 2 ? '/v1/jobs' : `/v1/jobs/none${i}`)),
  )
  const ids = answers.map(({ headers }) => headers.get('x-request-id'))
  t.equal(new Set(ids).size, 200)
  for (const { headers, body } of answers) {
    if (body.error) t.equal(body.error.request_id, headers.get('x-request-id'))
  }
  t.equal(mock.journal.count({ requestId: ids[7] as string }), 1)
  mock.reset()
  const after = await api.get('/v1/jobs')
  t.notOk(ids.includes(after.headers.get('x-request-id')), 'not even after a reset')
})
