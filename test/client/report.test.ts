/** `understudy report`: a zip of what a bug report needs of a running mock, with no secret in it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import t from 'tap'
import { packageVersion } from '../../base/paths.ts'
import { client, start, understudy } from '../support.ts'

const folder = t.testdir()
const filesIn = (path: string): Record<string, string> =>
  Object.fromEntries(Object.entries(unzipSync(readFileSync(path))).map(([name, bytes]) => [name, strFromU8(bytes)]))

t.test('report writes versions, seed, options, scenario, journal and snapshots, without any secret', async t => {
  const canary = (name: string) => `canary-${name}-0123456789`
  const secrets = ['admin', 'webhook', 'wrong-key', 'metadata', 'query', 'scenario', 'idempotent'].map(canary)
  const mock = await start(t, { adminToken: canary('admin'), webhookSecret: canary('webhook'), seed: 'seven' })
  const key = 'test_canary_world_key'
  const api = client(mock, key)
  mock.use({ rules: [{ name: 'never', when: { query: { token: canary('scenario') } }, then: { error: 'timeout' } }] })
  await api.get('/v1/jobs', { 'x-api-key': canary('wrong-key') })
  const fields = {
    video_url: `https://example.com/a.mp4?X-Amz-Signature=${canary('query')}#t=2`,
    webhook_url: `http://127.0.0.1:9/?token=${canary('query')}`,
    metadata: { password: canary('metadata'), note: `sent with ${canary('webhook')} and ${key}`, user: 'ann' },
  }
  const sent = await api.post('/v1/jobs', fields, { 'idempotency-key': 'order-1' })
  t.equal(sent.status, 200)

  const out = join(folder, 'full.zip')
  const ran = await understudy(['report', mock.url, '--out', out])
  t.match(ran, {
    code: 0,
    stderr: '',
    stdout: /full\.zip \(.*\): versions\.json, report\.json, journal\.har, snapshots/,
  })
  const files = filesIn(out)
  const all = Object.values(files).join('\n')
  for (const secret of [...secrets, key]) t.notOk(all.includes(secret), `no ${secret}`)
  const read = (name: string) => JSON.parse(files[name] as string)
  t.match(read('versions.json'), { understudy: packageVersion, node: process.version, os: /\w+ \S+ \w+/ })
  const report = read('report.json')
  t.match(report, {
    understudy: packageVersion,
    seed: 'seven',
    options: { adminToken: '[redacted]', webhookSecret: '[redacted]', speed: 'instant', rateLimit: 0 },
    scenario: { rules: [{ name: 'never', fired: 0 }] },
    worlds: [{ snapshot: 'snapshots/1.json', jobs: { completed: 1 } }],
    worlds_left_out: 0,
  })
  t.match(read('journal.har').log.entries, [{ response: { status: 401 } }, { response: { status: 200 } }])
  const snapshot = read(report.worlds[0].snapshot)
  t.match(snapshot.jobs, [{ view: { id: sent.body.id, metadata: { user: 'ann', password: '[redacted]' } } }])

  const again = client(mock, 'test_restored')
  const headers = { 'content-type': 'application/json' }
  const put = { body: JSON.stringify(snapshot), headers }
  t.match(await again.call('PUT', '/__mock/snapshot?key=test_restored', put), { status: 200, body: { restored: 1 } })
  const job = (await again.get('/v1/jobs')).body.jobs[0]
  t.match(job, { status: 'completed', metadata: { user: 'ann' } }, 'a snapshot of it can be restored')
})

t.test('report never overwrites a file unless it is told to', async t => {
  const mock = await start(t)
  const out = join(folder, 'mine.zip')
  writeFileSync(out, 'mine')
  const refused = await understudy(['report', mock.url, '--out', out])
  t.match(refused, { code: 2, stdout: '', stderr: /mine\.zip already exists; .*--out.*--force\n$/ })
  t.equal(readFileSync(out, 'utf8'), 'mine')
  t.match(await understudy(['report', mock.url, '--out', out, '--force']), { code: 0, stderr: '' })
  t.match(filesIn(out), { 'report.json': /"seed": "test"/ })
  const nowhere = await understudy(['report', mock.url, '--out', join(folder, 'no', 'where.zip')])
  t.match(nowhere, { code: 2, stderr: /^understudy: --out can't be written: / })
})

t.test('report without a running mock has versions only, says so, and exits with 3', async t => {
  const mock = await start(t)
  await mock.close()
  const out = join(folder, 'versions.zip')
  const ran = await understudy(['report', '--out', out], { env: { UNDERSTUDY_PORT: String(mock.port) } })
  t.match(ran, { code: 3, stdout: '', stderr: /does not answer .*versions\.zip has the versions only; run it again/ })
  t.same(Object.keys(filesIn(out)), ['versions.json'])
})

t.test('report needs the admin token of a mock that is off loopback', async t => {
  const mock = await start(t, { host: '0.0.0.0', adminToken: 'open-sesame' })
  const out = join(folder, 'token.zip')
  const closed = await understudy(['report', mock.url, '--out', out])
  t.match(closed, { code: 2, stderr: /\/__mock\/report answered 401 \(.*--admin-token/ })
  t.notOk(existsSync(out))
  t.match(await understudy(['report', mock.url, '--out', out, '--admin-token', 'open-sesame']), { code: 0 })
  t.ok(existsSync(out))
})
