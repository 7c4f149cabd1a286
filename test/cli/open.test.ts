/** `understudy open`, and `serve --open`: the desk in the user's browser. */
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { begin, client, start, understudy } from '../support.ts'

/** A browser that tells which URL it was given. */
async function fakeBrowser(t: Test, folder: string) {
  const server = createServer((request, response) => {
    response.end()
    server.emit('opened', decodeURIComponent(request.url?.slice(2) ?? ''))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const script = join(folder, 'browser')
  writeFileSync(
    script,
    `#!/bin/sh\nexec curl -s -G --data-urlencode "$1" http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`,
  )
  chmodSync(script, 0o755)
  return { env: { BROWSER: script }, opened: once(server, 'opened').then(([url]) => String(url).replace(/^=/, '')) }
}

t.test('open reads an incident, and opens the page that shows it', async t => {
  const mock = await start(t)
  const api = client(mock, 'test_to_open')
  await api.job()
  await client(mock, 'test_no_credits_open').post('/v1/jobs', { video_url: 'https://example.com/a.mp4' })
  const folder = t.testdir({})
  const file = join(folder, 'incident.zip')
  writeFileSync(file, new Uint8Array(await (await fetch(`${mock.url}/__mock/incident`)).arrayBuffer()))
  const browser = await fakeBrowser(t, folder)
  const running = begin(['open', file], { env: browser.env })
  const [, url = ''] = await running.printed(/incident\.zip: 2 entries, at (http:\S+)/)
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/__mock\/#\/incidents\/1$/)
  t.equal(await browser.opened, url)
  const { body } = await client({ url: new URL(url).origin }, null).get('/__mock/incidents/1')
  t.match(body, { name: 'incident.zip', rows: [{ status: 200 }, { status: 402 }] })
  t.match(await running.interrupt(), { code: 0, stderr: '' })
})

t.test('what can not be opened is said, with exit code 2', async t => {
  const folder = t.testdir({ 'notes.txt': 'no recording' })
  t.match(await understudy(['open', join(folder, 'nothing.har')]), {
    code: 2,
    stdout: '',
    stderr: /nothing\.har can't be read: /,
  })
  t.match(await understudy(['open', join(folder, 'notes.txt')]), { code: 2, stdout: '', stderr: /notes\.txt: / })
  t.match(await understudy(['open']), { code: 2, stderr: /missing required argument 'file'/ })
})

t.test(
  'serve --open opens the desk, whose address is printed beside the docs; where no browser is, it says so',
  async t => {
    const browser = await fakeBrowser(t, t.testdir({}))
    const running = begin(['serve', '--port', '0', '--open'], { env: browser.env })
    const [, url = ''] = await running.printed(/docs: http:\S+ {3}desk: (http:\S+\/__mock\/)\n/)
    t.equal(await browser.opened, url)
    await running.interrupt()
    const bare = begin(['serve', '--port', '0', '--open'], { env: { BROWSER: '/nowhere/browser' } })
    await bare.printed(/No browser could be opened; open http:\S+\/__mock\/ yourself/)
    t.equal((await bare.interrupt()).code, 0)
    const closed = begin(['serve', '--port', '0', '--host', '0.0.0.0', '--open'], { env: browser.env })
    await closed.printed(/The desk is closed off loopback; start the mock with --admin-token/)
    t.notMatch((await closed.interrupt()).stdout, /desk:/)
  },
)
