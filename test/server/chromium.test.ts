/** A page in a real browser, served from another port as a developer's own is: what it can do with the mock, and what it can't. */
import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { clip, start } from '../support.ts'
import { smallClip, smallSize } from './smallClip.ts'

/** A Chromium of this machine; undefined where there is none. */
function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
  const folders = (process.env.PATH ?? '').split(delimiter)
  const paths = folders.flatMap(folder => names.map(name => join(folder, name)))
  return [...paths, '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const executablePath = findChromium()
if (executablePath === undefined) t.plan(0, 'no Chromium is installed')
else await testIn(executablePath)

async function testIn(executablePath: string): Promise<void> {
  // A name that was made to lead here, as an attacker's does after a second look-up.
  const args = ['--no-sandbox', '--host-resolver-rules=MAP evil.test 127.0.0.1']
  const browser = await chromium.launch({ executablePath, args })
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  const script = await readFile(join(packageRoot, 'test', 'server', 'chromiumPage.js'), 'utf8')
  const server = createServer((_request, response) =>
    response
      .setHeader('content-type', 'text/html')
      .end(`<!doctype html><meta charset=utf-8><title>a page</title><script>${script}</script>`),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const mock = await start(t)

  t.test('BR-1 a page uploads, creates, polls and downloads by fetch', async t => {
    const page = await open(context, `http://localhost:${port}`)
    const bytes = [...(await clip('short.mp4'))]
    const seen = await run(page, 'journey', mock.url, bytes)
    t.match(seen, {
      upload: { success: true, filename: 'katze 🐈.mp4', size: bytes.length },
      requestId: /^req_/,
      job: { status: 'completed', progress: 100 },
      download: { success: true, output_format: 'webm' },
      file: { type: 'video/webm', disposition: /^inline; filename=job_\w+\.webm$/, range: /^bytes 0-9\/\d+$/ },
    })
    t.ok(seen.file.size > 1000, 'the whole file')
  })

  t.test(
    'RL-2 ERR-1 a page reads Retry-After and the limits of a 429, and the envelope of errors and faults',
    async t => {
      const page = await open(context, `http://127.0.0.1:${port}`)
      const asks: [key: string | undefined, fault?: string][] = [
        ['test_rate_limited'],
        [undefined],
        ['test_key', 'internal_error'],
        ['test_key', 'wrong_status; status=503'],
      ]
      const answers = await run(page, 'askAll', mock.url, asks)
      const error = (code: string) => ({ error: { code, request_id: /^req_/ } })
      const limits = { 'retry-after': /^\d+$/, ratelimit: /t=\d+/, 'x-ratelimit-limit': /^\d+$/ }
      t.match(answers, [
        { status: 429, headers: limits, body: error('rate_limited') },
        { status: 401, headers: { 'x-request-id': /^req_/ }, body: error('missing_api_key') },
        { status: 500, headers: { 'x-request-id': /^req_/ }, body: error('internal_error') },
        { status: 503 },
      ])
      const cut = run(page, 'askAll', mock.url, [['test_key', 'truncated_body']])
      await t.rejects(cut, /Failed to fetch/, 'a fault on the wire is what it is')
    },
  )

  t.test('a page can neither reset the mock nor read its journal; with --control-origin it can', async t => {
    const origin = `http://localhost:${port}`
    const desk = await start(t, { controlOrigin: [origin] })
    const page = await open(context, origin)
    for (const { url } of [mock, desk]) await run(page, 'askAll', url, [['test_desk']])
    const before = mock.journal.count({ key: 'test_desk' })
    t.equal(before, 1)
    const refused = await run(page, 'control', mock.url)
    t.same(refused, { simple: 'opaque', reset: 'Failed to fetch', journal: 'Failed to fetch' })
    const [form] = await Promise.all([
      page.waitForResponse(/reset/),
      // Before it is there, the page can't be led elsewhere.
      page.waitForURL(/reset/),
      run(page, 'submit', `${mock.url}/__mock/reset`),
    ])
    t.equal(form.status(), 403, 'nor by a form')
    t.equal(mock.journal.count({ key: 'test_desk' }), before, 'nothing was reset')
    const taken = await run(await open(context, origin), 'control', desk.url)
    t.match(taken, { reset: 200, journal: 200 })
    t.equal(desk.journal.count({ key: 'test_desk' }), 0, 'it was reset')
  })

  t.test('a name that was made to lead here gets no control route, by whatever page', async t => {
    const evil = `http://evil.test:${mock.port}`
    const page = await open(context, `${evil}/health`)
    await page.addScriptTag({ content: script })
    const seen = await run(page, 'statuses', '', ['GET /__mock/journal', 'POST /__mock/reset', 'GET /health'])
    t.same(seen, [403, 403, 200])
    t.equal((await page.goto(`${evil}/__mock/journal`))?.status(), 403, 'nor when it is opened')
    t.equal((await page.goto(`${mock.url}/__mock/journal`))?.status(), 200, 'by its own address it is')
  })

  t.test('the scenario no-cors stops a page as the browser does, and no program', async t => {
    const closed = await start(t, { scenario: 'no-cors' })
    const page = await open(context, `http://localhost:${port}`)
    const calls = ['GET /v1/jobs', 'GET /api/pricing']
    t.same(await run(page, 'statuses', mock.url, calls), [200, 200])
    // The first by its preflight, the second, which needs none, by its answer.
    t.same(await run(page, 'statuses', closed.url, calls), ['Failed to fetch', 'Failed to fetch'])
    t.equal((await fetch(`${closed.url}/v1/jobs`, { headers: { 'X-Api-Key': 'test_page' } })).status, 200)
  })

  t.test(
    'DL-3 an output plays in a page and may be drawn; what no browser plays is saved under a usable name',
    async t => {
      const page = await open(context, `http://localhost:${port}`)
      const seen = await run(page, 'play', mock.url)
      t.match(seen, { width: 320, height: 180 })
      t.ok(seen.seconds > 0, 'it has run')
      t.ok(seen.pixels > 0, 'crossorigin: its pixels may be read')
      for (const [format, extension] of [
        ['mov', 'mov'],
        ['png_sequence', 'png_sequence.zip'],
      ]) {
        const url = await run(page, 'output', mock.url, format)
        const id = url.split('/').at(-2)
        const [download] = await Promise.all([page.waitForEvent('download'), run(page, 'location.assign', url)])
        t.equal(download.suggestedFilename(), `${id}.${extension}`)
        await download.delete()
      }
    },
  )

  t.test('DL-3 a page plays what was made of its own clip, and sees through it', async t => {
    const made = await start(t, { outputs: 'made', renderJobs: 2 })
    const page = await open(context, `http://localhost:${port}`)
    const jobs = [{}, { output_format: 'gif' }, { output_format: 'webp' }, { output_format: 'mp4', bg_type: 'green' }]
    // The corner, and the forehead.
    const places = [
      [2, 2],
      [80, 25],
    ] as const
    const seen = await run(page, 'seeThrough', made.url, [...(await smallClip(t.testdir({})))], jobs, places)
    const isNear = (found: number[], expected: number[]) =>
      found.every((one, i) => Math.abs(one - (expected[i] as number)) < 24)
    for (const [i, { width, height, seconds, colours }] of seen.entries()) {
      const format = jobs[i]?.output_format ?? 'webm'
      t.same([width, height], [160, 90], format)
      if (seconds !== undefined) t.ok(Math.abs(seconds - smallSize.frames / 25) < 0.04, `${format}: ${seconds} s`)
      t.ok(isNear(colours[0], format === 'mp4' ? [0, 255, 0] : [255, 0, 0]), `${format}: behind is ${colours[0]}`)
      t.ok(isNear(colours[1], [224, 172, 130]), `${format}: the face is ${colours[1]}`)
    }
  })
}

/** Has the page run one of the functions of chromiumPage.js. */
const run = (page: Page, name: string, ...args: unknown[]) =>
  page.evaluate<ReturnType<typeof JSON.parse>>(`${name}(${args.map(arg => JSON.stringify(arg)).join(', ')})`)

/** One page goes from address to address: each new one would be a process more of Chromium. */
async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = context.pages()[0] ?? (await context.newPage())
  await page.goto(url)
  return page
}
