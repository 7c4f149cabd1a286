/**
 * The desk as a person uses it, in a real Chromium: an app's page calls the mock while the desk is open, and each of its
 * views is used by mouse and by keyboard. `npm run e2e` looks deeper.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { strFromU8, unzipSync } from 'fflate'
import type { Page } from 'playwright-core'
import t from 'tap'
import { fingerprintOf } from '../../base/fingerprint.ts'
import { isProving, start } from '../support.ts'
import { openApp, openBrowser, openDesk, openPage } from './browser.ts'

const video = { video_url: 'https://example.com/cat.mp4#t=2' }
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const browser = await openBrowser(t)
const { page, problems } = await openPage(browser)

/** What axe-core finds that is serious or worse. The page's policy takes no script from outside: it is evaluated. */
async function seriousFindings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } }
    interface Violation {
      id: string
      impact: string
      nodes: { html: string; failureSummary: string }[]
    }
    const { violations } = await axe.run({ resultTypes: ['violations'] })
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary.slice(0, 300)}`)
  })
}

t.test(
  'a person finds out why, switches a scenario on, steps the clock, watches the output and saves the incident',
  async t => {
    const mock = await start(t, { speed: 1, rateLimit: 100, jobLimit: 10 })
    const app = await openApp(t, browser, mock)
    await openDesk(t, page, mock.url)

    // Why was a call answered 402?
    await app.call('GET', '/v1/jobs', 'test_other')
    t.equal((await app.call('POST', '/v1/jobs', 'test_no_credits_1', video)).status, 402)
    await page.getByRole('row', { name: / 402 / }).click()
    const why = page.getByRole('region', { name: 'Why' })
    await why.getByText("Refused by the mock's credits.").waitFor()
    t.match(await why.innerText(), /needs 2 credits, the key has 0/)
    t.match(page.url(), /#\/calls\/req_\w+$/)
    const takeAlong = page.getByRole('region', { name: 'Take along' })
    t.match(await takeAlong.locator('pre').innerText(), /^curl -i -X 'POST' 'http:\/\/127/)
    for (const [label, expected] of [
      ['fetch', /const answer = await fetch\("http/],
      ['Python', /requests\.request/],
      ['HAR entry', /"startedDateTime"/],
      ['Test', /mock\.close\(\)/],
      ['Scenario rule', /error: insufficient_credits/],
    ] as const) {
      await takeAlong.getByRole('button', { name: label }).click()
      await takeAlong.locator('pre').getByText(expected).waitFor()
    }
    t.same(await seriousFindings(page), [])

    // A link to the call can be sent to somebody.
    const link = page.url()
    const { page: colleague } = app
    const before = colleague.url()
    await colleague.goto(link)
    await colleague.getByText("Refused by the mock's credits.").waitFor()
    await colleague.goto(link.replace(/req_\w+$/, 'req_nobody'))
    await colleague.getByText(/req_nobody is not in the journal/).waitFor()
    await colleague.goto(before)

    // rate-limited-burst, for one key, by keyboard.
    await page.keyboard.press('Escape')
    await page.keyboard.press('g')
    await page.keyboard.press('s')
    await page.getByRole('link', { name: 'rate-limited-burst' }).click()
    await page.getByLabel('For which key').fill('test_shop')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('rate-limited-burst is on for test_shop').waitFor()
    const answers: number[] = []
    for (let i = 0; i < 7; i++) answers.push((await app.call('GET', '/v1/jobs', 'test_shop')).status)
    t.same(answers, [200, 200, 200, 200, 200, 429, 429])
    await page.getByText('no rules; 0 of 5 requests left').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('c')
    await page.getByRole('row').filter({ hasText: 'its limit' }).first().waitFor()
    t.equal(await page.getByRole('row').filter({ hasText: 'its limit' }).count(), 2)

    // The clock, for that key alone.
    await page.keyboard.press('g')
    await page.keyboard.press('w')
    await page.getByRole('searchbox', { name: 'Key' }).fill('test_shop')
    const shop = page.getByRole('article', { name: fingerprintOf('test_shop') })
    await shop.getByText('0 of 5 left in 10 s').waitFor()
    await shop.getByRole('button', { name: /^Step the clock of .* by 10s$/ }).click()
    await shop.getByText('5 of 5 left in 10 s').waitFor()
    t.equal((await app.call('GET', '/v1/jobs', 'test_shop')).status, 200)
    const credits = mock.setKey({ key: 'test_shop' }).credits.available
    await shop.getByRole('button', { name: 'Top up' }).click()
    await shop.getByText((credits + 100).toLocaleString('en'), { exact: true }).waitFor()

    // A job's output.
    mock.clock.freeze()
    const { body: made } = await app.call('POST', '/v1/jobs', 'test_film', video)
    await page.keyboard.press('g')
    await page.keyboard.press('j')
    await page.getByRole('link', { name: made.id }).click()
    const open = page.getByRole('region', { name: 'The open job' })
    await open.getByText('pending', { exact: true }).first().waitFor()
    await page.keyboard.press('Control+k')
    await page.keyboard.type('step 1m')
    await page.keyboard.press('Enter')
    const output = open.locator('video')
    await output.waitFor()
    await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0)
    t.same(await seriousFindings(page), [])
    const zipped = (await app.call('POST', '/v1/jobs', 'test_film', { ...video, output_format: 'png_sequence' })).body
      .id
    mock.clock.step('1m')
    await page.goto(`${mock.url}/__mock/#/jobs/${zipped}`)
    await page.getByText(/^\d+ of \d\d+$/).waitFor()

    // The incident, saved and opened again.
    await page.keyboard.press('g')
    await page.keyboard.press('i')
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download the incident' }).click()
    const file = await (await downloading).path()
    const files = unzipSync(await readFile(file))
    t.match(strFromU8(files['journal.har'] as Uint8Array), /insufficient_credits/)
    const dropped = await page.evaluateHandle(
      bytes => {
        const transfer = new DataTransfer()
        transfer.items.add(new File([new Uint8Array(bytes)], 'saved.zip'))
        return transfer
      },
      [...(await readFile(file))],
    )
    await page.dispatchEvent('main', 'drop', { dataTransfer: dropped })
    await page.getByText(/^check: 0 failed/).waitFor()
    await page.getByRole('row', { name: / 402 / }).click()
    await page.getByRole('region', { name: 'Response' }).getByText('"insufficient_credits"').waitFor()
    t.same(problems, [])
    await app.page.close()
  },
)

t.test('whatever a client sends is shown as text, in every view', async t => {
  const mock = await start(t, { speed: 'instant' })
  const html = '<img src=x onerror="globalThis.owned=1"><script>globalThis.owned=1</script>'
  const key = 'test_markup'
  const send = (path: string, init: RequestInit) =>
    fetch(mock.url + path, { ...init, headers: { 'x-api-key': key, ...init.headers } })
  const json = { 'content-type': 'application/json' }
  mock.use([{ name: 'marked', when: { header: { 'x-a': html } }, then: { error: 'timeout', message: html } }], {
    key,
  })
  const body = JSON.stringify({
    ...video,
    text_prompt: html,
    metadata: { [html]: html },
    webhook_url: `http://127.0.0.1:9/${encodeURIComponent(html)}?${html}`,
  })
  const headers = { ...json, 'idempotency-key': html, traceparent: html, 'user-agent': html, 'x-mock-draw': html }
  await send(`/v1/jobs?${encodeURIComponent(html)}=<b>`, { method: 'POST', headers, body })
  await send('/v1/jobs', { method: 'POST', headers: { ...json, 'x-a': html }, body })
  await send('/v1/jobs', { headers: { 'x-mock-world': html } })
  await send('/v1/jobs', {
    method: 'POST',
    headers: json,
    body: `{"video_url": ${JSON.stringify(html)}, "model": ${JSON.stringify(html)}}`,
  })
  await send('/v1/jobs/%3Cimg%20src%3Dx%3E', {})
  const form = new FormData()
  form.append('file', new Blob(['no video'], { type: 'video/mp4' }), `${html}.mp4`)
  await send('/v1/uploads', { method: 'POST', body: form })
  await mock.journal.waitFor({ kind: 'webhook' })
  await fetch(`${mock.url}/__mock/scenarios`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ name: 'marked', description: html, rules: [] }),
  })

  await openDesk(t, page, mock.url)
  const isClean = async (where: string) => {
    t.equal(await page.locator('img[src="x"], #desk script, #desk b b').count(), 0, where)
    t.equal(await page.evaluate(() => 'owned' in globalThis), false, where)
  }
  const rows = await page.getByRole('row').count()
  t.ok(rows > 6)
  for (let i = 0; i < rows - 1; i++) {
    await page.keyboard.press(i === 0 ? 'Enter' : 'j')
    if (i === 0) await page.getByRole('grid').press('Enter')
    await page.getByRole('region', { name: 'Request' }).waitFor()
    await isClean(`row ${i}`)
  }
  t.match(await page.locator('#desk').innerText(), /<img src=x/)
  const { id } = (await (await send('/v1/jobs', {})).json()).jobs[0]
  for (const view of [
    'worlds',
    'jobs',
    `jobs/${id}`,
    'scenarios',
    'scenarios/marked',
    'conduct',
    'numbers',
    'incidents',
  ]) {
    await page.goto(`${mock.url}/__mock/#/${view}`)
    await page.locator('main h2, main li, main figure').first().waitFor()
    await isClean(view)
    if (isProving || view === 'jobs' || view === 'numbers') t.same(await seriousFindings(page), [], view)
  }
  t.same(problems, [])
})

t.test(
  'the journal by keyboard: filter, walk, mark, make a scenario of calls, try it, see where a draft is wrong',
  async t => {
    const mock = await start(t)
    await openDesk(t, page, mock.url)
    mock.use('internal-error-once', { key: 'test_keys' })
    const call = (path: string, init: RequestInit = {}) =>
      fetch(mock.url + path, { ...init, headers: { 'x-api-key': 'test_keys', ...init.headers } })
    const create = () =>
      call('/v1/jobs', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-note': 'needle' },
        body: JSON.stringify(video),
      })
    await create()
    await create()
    for (let i = 0; i < 5; i++) await call('/v1/usage/summary')
    await page.getByRole('row', { name: '/v1/usage/summary' }).nth(4).waitFor()
    const shown = async () => (await page.getByRole('row').count()) - 1
    t.equal(await shown(), 7)

    await page.keyboard.press('/')
    await page.keyboard.type('status:5xx')
    await page.waitForFunction(() => document.querySelectorAll('.rows [role=row]').length === 1)
    await page.getByLabel('Filter', { exact: true }).fill('needle')
    await page.waitForFunction(() => document.querySelectorAll('.rows [role=row]').length === 2)
    await page.keyboard.press('Enter')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('Enter')
    await page.getByText('The rule “once” of internal-error-once fired.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Make a scenario of these' }).click()
    await page.getByRole('textbox', { name: 'The scenario, as YAML' }).waitFor()
    await page.getByText('It can be played.').waitFor()
    await page.getByRole('button', { name: 'Try', exact: true }).click()
    await page.getByText('Of 7 calls, 1 would have met a rule').waitFor()
    t.same(await seriousFindings(page), [])
    const editor = page.getByRole('textbox', { name: 'The scenario, as YAML' })
    await editor.press('Control+End')
    await editor.pressSequentially('acc')
    await page.getByRole('option', { name: 'account' }).waitFor()
    await editor.pressSequentially('ident: 1')
    await page
      .getByRole('button', { name: /^\d+:\d+$/ })
      .first()
      .waitFor()
    t.equal(mock.activeScenario('test_keys').rules?.[0]?.fired, 1, 'nothing of it was played')

    await page.goto(`${mock.url}/__mock/#/calls`)
    await page.getByRole('grid').waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByLabel('Filter', { exact: true }).fill('')
    await page.getByRole('button', { name: 'Pause' }).click()
    await call('/health')
    await page.getByRole('button', { name: 'Go on (1 new)' }).click()
    await page.getByRole('row', { name: '/health' }).waitFor()
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByRole('button', { name: 'Clear it' }).click()
    await page.getByText('Nothing has called the mock yet').waitFor()
    t.equal(mock.journal.count(), 0)
    t.same(problems, [])
  },
)

t.test('off loopback the page asks for the admin token once, and keeps it nowhere; what made room is said', async t => {
  const mock = await start(t, { host: '0.0.0.0', adminToken: 'open-sesame', journalEntries: 3 })
  const ids: (string | null)[] = []
  for (let i = 0; i < 5; i++) {
    const { headers } = await fetch(`${mock.url}/v1/jobs`, { headers: { 'x-api-key': 'test_far' } })
    ids.push(headers.get('x-request-id'))
  }
  await page.goto(`${mock.url}/__mock/`)
  await page.getByRole('textbox', { name: 'Admin token' }).fill('open-sesame')
  await page.keyboard.press('Enter')
  await page.getByText(/^2 older entries are not shown/).waitFor()
  t.equal(await page.getByRole('row', { name: '/v1/jobs' }).count(), 3)
  await page.goto(`${mock.url}/__mock/#/calls/${ids[0]}`)
  await page.getByText(/is not in the journal any more, or never was: 2 entries had to make room/).waitFor()
  const kept = await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length])
  t.same(kept, ['', 0, 0])
})
