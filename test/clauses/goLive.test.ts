import t from 'tap'
import { client, start } from '../support.ts'

t.test('GO-4 request_id and job_id are in the journal, redacted of every secret', async t => {
  const mock = await start(t, { adminToken: 'canary-token' })
  const api = client(mock, 'test_canary')
  const id = await api.job({ metadata: { api_key: 'test_canary', note: 'mine is test_canary' } })
  const polled = await api.get(`/v1/jobs/${id}?api_key=test_canary`)
  await client(mock, 'canary-unknown').get('/v1/jobs')
  await client(mock, null).get('/v1/admin/keys', {
    'x-admin-token': 'canary-token',
    authorization: 'Bearer canary',
    cookie: 'a=canary',
  })
  const made = await client(mock, null).post('/v1/admin/keys', { client_id: 'c' }, { 'x-admin-token': 'canary-token' })

  const entries = mock.journal.entries({ kind: 'exchange' })
  t.match(
    entries.filter(({ job_id }) => job_id === id).map(({ route }) => route),
    ['POST /v1/jobs', 'GET /v1/jobs/{job_id}'],
  )
  t.equal(mock.journal.count({ requestId: polled.headers.get('x-request-id') as string }), 1)
  const text = JSON.stringify(entries)
  t.notMatch(text, /canary/)
  t.notOk(text.includes(made.body.api_key))
  t.match(text, /\[redacted\]/)
})
