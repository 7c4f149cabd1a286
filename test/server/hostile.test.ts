/** What others put into fields and files, where a text or a sensible time was expected: no bug of the mock, and nothing that a terminal acts on. */
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { client, clip, start, understudy } from '../support.ts'

t.test('a value that no text can be made of breaks neither conduct, recordings nor checks', async t => {
  const mock = await start(t)
  const api = client(mock)
  const mean = { toString: 1, valueOf: null }
  t.match(await api.post('/v1/jobs', { video_url: mean }), { status: 400 })
  t.match(await api.post('/v1/jobs', { video_url: [mean], metadata: mean }), { status: 400 })
  t.match(await api.get('/__mock/conduct?key=test_key'), { status: 200, body: { calls: 2 } })

  const params = [{ name: mean, value: 'a' }]
  const entry = (postData: object) => ({
    startedDateTime: '2026-01-01T00:00:00Z',
    request: { method: 'POST', url: 'https://api.test/v1/jobs', headers: [], postData },
    response: { status: 200, headers: [], content: { mimeType: 'application/json', text: '{"id":{"toString":1}}' } },
  })
  const entries = [entry({ mimeType: 'application/json', params }), entry({ mimeType: mean, params, text: '' })]
  const har = join(t.testdir(), 'a.har')
  writeFileSync(har, JSON.stringify({ log: { version: '1.2', entries } }))
  for (const verb of ['conduct', 'check']) {
    const { code, stdout } = await understudy([verb, har])
    t.ok(code === 0 || code === 1, `${verb}: ${stdout}`)
  }
})

t.test('terminal escapes of others are shown, not acted on', async t => {
  const folder = t.testdir()
  const file = join(folder, 'a.yaml')
  const hidden = '\\e]0;owned\\a\\u202e'
  writeFileSync(
    file,
    `name: a\ndescription: "${hidden}"\nrules:\n  - name: "r"\n    when: { header: { x: "${hidden}" } }\n    then: { error: timeout, message: "${hidden}" }\n`,
  )
  const mock = await start(t, { scenario: file })
  const { headers } = await client(mock).get('/v1/jobs')
  const id = String(headers.get('x-request-id'))
  const broken = join(folder, 'b.yaml')
  writeFileSync(broken, `name: b\nrules: [{ "${hidden}": 1 }]\n`)
  const runs = {
    show: await understudy(['scenarios', 'show', file]),
    list: await understudy(['scenarios', 'list', '--scenarios', folder]),
    explain: await understudy(['explain', id, mock.url]),
    validate: await understudy(['scenarios', 'validate', broken]),
    usage: await understudy(['serve', '--cors', '\x1b]0;owned\x07']),
  }
  for (const [name, { stdout, stderr }] of Object.entries(runs)) {
    const text = stdout + stderr
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
    t.notMatch(text, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/, name)
    t.match(text, /owned/, name)
  }
})

t.test('a clock stepped behind the last date is a clear 400, and one that gets there stands still', async t => {
  const mock = await start(t)
  const api = client(mock)
  for (let i = 0; i < 79; i++) mock.clock.step('36500d')
  const { status, body } = await api.post('/__mock/clock', { step: '36500d' })
  t.equal(status, 400)
  t.match(body.error.message, /step would lead behind the year 9999, from 99/)
  t.throws(() => mock.clock.step('36500d'), /behind the year 9999/)
  mock.clockOf('test_key').setSpeed(1e6)
  mock.clock.step('28000d')
  for (const path of ['/v1/jobs', '/v1/usage/summary?days=90', '/v1/usage/events', '/__mock/clock?key=test_key'])
    t.match(await api.get(path), { status: 200 }, path)
  const job = await api.job()
  t.match((await api.get(`/v1/jobs/${job}`)).body.created_at, /^99/)
  t.match(await api.get('/__mock/journal'), { status: 200 })
  t.match(await api.get('/__mock/conduct'), { status: 200 })
})

t.test('off loopback /metrics is as closed as the other control routes', async t => {
  const local = '127.0.0.1'
  const closed = await start(t, { host: '0.0.0.0' })
  const open = await start(t, { host: '0.0.0.0', adminToken: 'open' })
  const at = ({ port }: { port: number }) => client({ url: `http://${local}:${port}` })
  t.match(await at(closed).get('/metrics'), { status: 404, body: { error: { code: 'not_found' } } })
  t.match(await at(open).get('/metrics'), { status: 401 })
  t.match(await at(open).get('/metrics', { 'x-admin-token': 'open' }), { status: 200, body: /understudy_worlds / })
})

t.test('WH-3 a webhook is sent where it was to go, and follows no redirect', async t => {
  let strays = 0
  const stray = createServer((_request, response) => {
    strays++
    response.end()
  })
  const redirecting = createServer((request, response) => {
    request.resume()
    response.writeHead(307, { location: urlOf(stray) }).end()
  })
  const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  for (const server of [stray, redirecting]) {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
  }
  const mock = await start(t)
  await client(mock).job({ webhook_url: urlOf(redirecting) })
  const [entry] = await mock.journal.waitFor({ kind: 'webhook' }, { atLeast: 8 })
  t.match(entry, { status: 307, error: /answered 307; expected 2xx/ })
  t.equal(strays, 0)
})

t.test('line breaks in the name of a file reach no header, no log and no URL', async t => {
  const mock = await start(t)
  const api = client(mock)
  const name = 'a"\r\nX-Canary: here\r\n.mp4'
  const { status, body } = await api.upload(await clip('short.mp4'), name)
  t.equal(status, 200)
  t.notMatch(body.video_url, /[\r\n]/)
  const file = await fetch(body.video_url)
  t.equal(file.status, 200)
  t.equal(file.headers.get('x-canary'), null)
  const job = await api.job({ video_url: body.video_url })
  t.equal((await api.get(`/v1/jobs/${job}`)).headers.get('x-canary'), null)
})
