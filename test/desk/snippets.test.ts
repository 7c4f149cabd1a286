/** Lines to take along of a call: each does again what the call did. */
import { execFile } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { snippets } from '../../desk/snippets.ts'
import { builtFile, client, clip, start } from '../support.ts'

const run = promisify(execFile)

t.test('a call as curl and as a test is answered as it was, whatever is in it', async t => {
  const mock = await start(t)
  Object.assign(globalThis, { document: { baseURI: `${mock.url}/__mock/` } })
  const api = client(mock, 'test_a')
  const video = { video_url: 'https://example.com/it\'s $(a) `b` \\ "c".mp4', metadata: { ключ: '\u2028</script>' } }
  await api.post('/v1/jobs', video, { 'idempotency-key': "o'ne" })
  await client(mock, 'test_no_credits_1').post('/v1/jobs', video)
  await api.post('/v1/jobs', { model: 'best' })
  await client(mock, 'test_internal-error-once__a').post('/v1/jobs', video)
  await t.rejects(api.post('/v1/jobs', video, { 'x-mock-fault': 'reset' }))
  await api.upload(await clip('short.mp4'))
  const folder = t.testdir({})
  copyFileSync(join(packageRoot, 'fixtures', 'clips', 'short.mp4'), join(folder, 'short.mp4'))
  const entries = mock.journal.entries({ kind: 'exchange' })
  t.same(
    entries.map(({ status }) => status),
    [200, 402, 400, 500, 0, 200],
  )
  for (const entry of entries) {
    const text = await snippets.test.make(entry)
    const own = text.replace("'understudy'", JSON.stringify(builtFile(join('server', 'index.js'))))
    writeFileSync(join(folder, `${entry.seq}.test.mjs`), own)
  }
  // In one process: each of them would take longer to start than to run.
  const all = entries.map(({ seq }) => `import './${seq}.test.mjs'\n`)
  writeFileSync(join(folder, 'all.mjs'), all.join(''))
  const { stdout } = await run(process.execPath, ['all.mjs'], { cwd: folder, env: { PATH: process.env.PATH } })
  t.match(stdout, /^# pass 6$/m)

  // By the key test_key: what came of the key's name is not told again.
  for (const entry of entries.filter(({ seq }) => [1, 3, 6].includes(seq))) {
    const line = await snippets.curl.make(entry)
    const said = await run('bash', ['--norc', '-c', line], { cwd: folder })
    t.match(said.stdout, new RegExp(`^HTTP/1.1 ${entry.status} `), `entry ${entry.seq}`)
  }
  const last = mock.journal.entries({ route: 'createJob' }).at(-2)
  t.same(last?.request.body, video, 'the very same body')
})
