/** GET /__mock/journal.har and mock.journal.har(): the journal as a recording that other tools read too. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { HarEntry, HarLog } from '../../recordings/har.ts'
import { openHar } from '../../recordings/read.ts'
import { client, clip, start } from '../support.ts'

type Log = Omit<HarLog['log'], 'entries'> & { version: string; entries: HarEntry[] }
const parsed = (text: string): Log => JSON.parse(text).log

t.test('over HTTP it is a file to download, the same as in process, and names target and seed', async t => {
  const mock = await start(t)
  const api = client(mock)
  await api.get(`/v1/jobs/${await api.job()}`)
  const answer = await fetch(`${mock.url}/__mock/journal.har`)
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.equal(answer.headers.get('content-disposition'), 'attachment; filename="journal.har"')
  const text = await answer.text()
  t.equal(text, mock.journal.har())
  t.match(parsed(text), {
    version: '1.2',
    creator: { name: 'understudy' },
    _target: mock.url,
    _seed: 'test',
    _incomplete: undefined,
    entries: [
      { request: { method: 'POST', url: `${mock.url}/v1/jobs` }, response: { status: 200 }, _number: 1, _kind: 'call' },
      { request: { method: 'GET' }, response: { status: 200 }, _number: 2 },
    ],
  })
})

t.test('it takes the filters of the journal, and says which it does not know', async t => {
  const mock = await start(t)
  const api = client(mock)
  await api.job()
  await api.get('/v1/jobs/none')
  await client(mock, 'test_other').get('/v1/jobs')
  const counts: [string, number][] = [
    ['', 3],
    ['?status=404', 1],
    ['?route=createJob', 1],
    ['?since=1', 2],
    [`?since=${encodeURIComponent(new Date(mock.clock.now() + 1000).toISOString())}`, 0],
    ['?since=2020-01-01T00:00:00Z', 3],
    ['?key=test_other', 1],
    ['?key=test_key&kind=exchange', 2],
    ['?key=test_nobody', 0],
  ]
  for (const [query, count] of counts) {
    t.equal((await api.get(`/__mock/journal.har${query}`)).body.log.entries.length, count, query)
  }
  t.match(await api.get('/__mock/journal.har?since=yesterday'), { status: 400 })
  t.match(await api.get('/__mock/journal.har?limit=2'), { status: 400 })
})

t.test('the keyless calls of a key are in its recording: files and legacy downloads, and nobody else’s', async t => {
  const mock = await start(t)
  const nobody = client(mock, null)
  const calls = async (key: string) => {
    const { body } = await client(mock, key).upload(await clip('short.mp4'))
    const id = await client(mock, key).job({ video_url: body.video_url })
    await nobody.get(body.video_url)
    await nobody.get((await nobody.get(`/api/download/${id}`)).body.download_url)
  }
  await calls('test_a')
  await calls('test_b')
  await nobody.get('/health')
  const routes = (key: string) =>
    parsed(mock.journal.har({ key })).entries.map(({ request, _world }) => [request.url, _world])
  const [a, b] = [routes('test_a'), routes('test_b')]
  t.equal(a.length, 5)
  t.equal(a.filter(([, world]) => world === 'anonymous').length, 3)
  t.equal(b.length, 5)
  t.notOk(
    a.some(
      ([url]) => url !== `${mock.url}/v1/jobs` && url !== `${mock.url}/v1/uploads` && b.some(other => other[0] === url),
    ),
  )
  t.equal(parsed(mock.journal.har()).entries.length, 11)
})

t.test('when entries had to make room it says so', async t => {
  const mock = await start(t, { journalEntries: 2 })
  for (let i = 0; i < 5; i++) await client(mock).get('/v1/jobs')
  const log = parsed(mock.journal.har())
  t.equal(log.entries.length, 2)
  t.match(log._incomplete, /^3 entries .*--journal-entries/)
  t.equal(parsed(mock.journal.har({ since: 3 }))._incomplete, undefined)
})

t.test('no secret is in it, wherever a client has put it', async t => {
  const canary = 'test_canary_0123456789'
  const received: string[] = []
  const hook = createServer((request, response) => {
    received.push(String(request.headers['x-webhook-signature']))
    response.end()
  })
  await once(hook.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => hook.close())
  const webhook_url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook?token=canary-in-hook-url`
  const mock = await start(t, { adminToken: 'canary-admin-token', webhookSecret: 'canary-webhook-secret' })
  const api = client(mock, canary)
  await api.job({ webhook_url, metadata: { note: `my key is ${canary}`, api_key: 'canary-in-a-field' } })
  await api.get(`/v1/jobs?key=${canary}&X-Amz-Signature=canary-signature&other=canary-signed-too`)
  await api.get('/v1/jobs', { authorization: 'Bearer canary-bearer', cookie: 'a=canary-cookie', 'x-note': canary })
  await api.get('/v1/admin/keys', { 'x-admin-token': 'canary-admin-token' })
  await api.get(`/v1/${canary}`)
  await api.post('/v1/jobs', `{"video_url": "https://u:canary-password@e.com/a?sig=canary-sig", "key": "${canary}`)
  await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 2 })
  const text = mock.journal.har()
  const overHttp = await (await fetch(`${mock.url}/__mock/journal.har`)).text()
  for (const one of [text, overHttp]) {
    t.notMatch(one, /canary[-_]/)
    for (const signature of received) t.notOk(one.includes(signature.slice(7)))
  }
  const { entries } = parsed(text)
  t.equal(entries.length, 8)
  t.same(
    [...new Set(entries.flatMap(({ _key_in }) => _key_in ?? []))].sort(),
    ['body', 'header', 'url'],
    'it tells where the key was',
  )
})

t.test('faults, cuts, uploads and webhooks are told; the reader takes it back', async t => {
  const mock = await start(t)
  const api = client(mock)
  await api.upload(await clip('short.mp4'))
  await api.get('/v1/jobs', { 'x-mock-fault': 'close_before_head' }).catch(() => {})
  await api.get('/v1/jobs', { 'x-mock-fault': 'truncated_body; after_bytes=7' }).catch(() => {})
  const file = join(t.testdir({}), 'a.har')
  writeFileSync(file, mock.journal.har())
  const source = openHar(file)
  t.teardown(() => source.close())
  const entries = [...source.entries()]
  t.match(entries, [
    { request: { postData: { params: [{ fileName: 'short.mp4', _body_file: { sha256: /^[0-9a-f]{64}$/ } }] } } },
    {
      response: { status: 0 },
      _fault: 'close_before_head',
      _cut: { by: 'server', when: 'before_head', how: 'closed' },
    },
    { response: { status: 200 }, _cut: { when: 'in_body', how: 'closed', bytes: 7 } },
  ])
  t.equal(source.at(1)._fault, 'close_before_head')
  t.equal(source.base, mock.url)
})
