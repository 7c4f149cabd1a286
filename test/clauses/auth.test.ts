import t from 'tap'
import { client, clip, start } from '../support.ts'

t.test('AUTH-1 a call without a key is 401 missing_api_key, with an unknown one 401 invalid_api_key', async t => {
  const mock = await start(t)
  for (const path of ['/v1/jobs', '/v1/jobs/x', '/v1/usage/summary', '/v1/usage/events']) {
    t.match(await client(mock, null).get(path), { status: 401, body: { error: { code: 'missing_api_key' } } }, path)
    for (const key of ['', 'live_abc', 'Test_key', 'test_invalid_1', `test_${'x'.repeat(300)}`]) {
      t.match(await client(mock, key).get(path), { status: 401, body: { error: { code: 'invalid_api_key' } } }, key)
    }
  }
})

t.test('AUTH-2 legacy calls need no key, and a key that is sent there must be valid', async t => {
  const mock = await start(t)
  const nobody = client(mock, null)
  t.equal((await nobody.get('/api/pricing')).status, 200)
  const upload = await nobody.upload(await clip('short.mp4'), 'short.mp4', 'video/mp4', '/api/upload')
  t.equal(upload.status, 200)
  t.match(await client(mock, 'wrong').get('/api/pricing'), {
    status: 401,
    body: { error: { code: 'invalid_api_key' } },
  })

  const id = await client(mock).job({ video_url: upload.body.video_url })
  const job = await client(mock).get(`/v1/jobs/${id}`)
  t.equal(job.body.duration_seconds, 2, 'a keyless upload is billed at its true length')
  t.match(await nobody.get(`/api/download/${id}`), { status: 200, body: { success: true } })
  t.match(await client(mock, 'test_other').get(`/api/download/${id}`), { status: 404 })
})

t.test("AUTH-3 another key's job is 404 Job not found everywhere", async t => {
  const mock = await start(t)
  const id = await client(mock, 'test_a').job({ auto_start: false })
  const other = client(mock, 'test_b')
  const notFound = { status: 404, body: { error: { code: 'not_found', message: 'Job not found' } } }
  t.match(await other.get(`/v1/jobs/${id}`), notFound)
  t.match(await other.post(`/v1/jobs/${id}/start`), notFound)
  t.match(await other.get(`/api/download/${id}`), notFound)
  t.equal((await other.get('/v1/jobs')).body.total, 0)
  t.match((await client(mock, 'test_a').get(`/v1/jobs/${id}`)).body, { id, status: 'created' })
})

t.test('GO-1 an endpoint called with a valid key answers 200, with an invalid one 401', async t => {
  const mock = await start(t)
  t.equal((await client(mock, 'test_anything').get('/v1/jobs')).status, 200)
  t.equal((await client(mock, 'anything').get('/v1/jobs')).status, 401)
})

t.test('AD-1 the admin routes are off until a token is set', async t => {
  const mock = await start(t)
  t.equal((await client(mock).get('/v1/admin/config')).status, 404)
})

t.test('AD-1 keys are made, listed by fingerprint, disabled and enabled', async t => {
  const mock = await start(t, { adminToken: 'secret-token' })
  const admin = client(mock, null)
  const token = { 'x-admin-token': 'secret-token' }
  t.match(await admin.get('/v1/admin/keys'), { status: 401 })
  t.match(await admin.get('/v1/admin/keys', { 'x-admin-token': 'wrong' }), { status: 401 })
  t.match(await admin.get('/v1/admin/config', token), { status: 200, body: { max_upload_bytes: 524288000 } })

  const made = (await admin.post('/v1/admin/keys', { client_id: 'web', note: 'n' }, token)).body
  t.match(made, { client_id: 'web', note: 'n', disabled: false })
  const listed = (await admin.get('/v1/admin/keys', token)).body.keys
  t.match(listed, [{ key_fingerprint: made.key_fingerprint }])
  t.notOk(JSON.stringify(listed).includes(made.api_key), 'the key itself is shown once')

  const user = client(mock, made.api_key)
  t.equal((await user.get('/v1/jobs')).status, 200)
  const body = { key_fingerprint: made.key_fingerprint }
  t.match(await admin.post('/v1/admin/keys/disable', body, token), { status: 200, body: { disabled: true } })
  t.match(await user.get('/v1/jobs'), { status: 401, body: { error: { code: 'invalid_api_key' } } })
  t.match(await admin.post('/v1/admin/keys/enable', body, token), { status: 200, body: { disabled: false } })
  t.equal((await user.get('/v1/jobs')).status, 200)
  t.match(await admin.post('/v1/admin/keys/disable', { key_fingerprint: 'none' }, token), { status: 400 })
})
