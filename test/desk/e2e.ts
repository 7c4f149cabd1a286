/**
 * `npm run e2e`: the desk looked at more deeply than in `npm test`: every view at three widths, light and dark, by axe-core,
 * with a screenshot of each to look at; how long a row takes from the answer to the screen; and 1,000 calls a second for
 * 30 s with the desk open, against the same without. Exits 1 where a number is beyond its limit.
 *
 *   npm run e2e                      all; screenshots in node_modules/.cache/desk
 *   npm run e2e -- --seconds 10      a shorter load
 *   npm run e2e -- --only looks      one of looks, latency, load
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { type Browser, chromium, type Page } from 'playwright-core'
import { buildDesk } from '../../.ci/desk/build.mjs'
import { packageRoot } from '../../base/paths.ts'
import { chromiumPath } from './browser.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, only: { type: 'string' } },
})
const seconds = Number(values.seconds)
const problems: string[] = []
const say = (text: string): void => console.log(text)
const limit = (what: string, found: number, most: number, unit: string): void => {
  const text = `${what}: ${found.toFixed(1)} ${unit} (at most ${most})`
  say(text)
  if (found > most) problems.push(text)
}
const percentile = (numbers: number[], share: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))] ?? Number.NaN

/** The mock in a process of its own. */
async function startServer(...args: string[]) {
  const command = [
    '--import',
    'tsx',
    'cli/bin.ts',
    'serve',
    '--port',
    '0',
    '--log-level',
    'silent',
    '--seed',
    'e2e',
    ...args,
  ]
  const child = spawn(process.execPath, command, { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    const url = /ready at (http:\S+)/.exec(said)?.[1]
    if (url === undefined) continue
    child.stdout.resume()
    return { url, pid: child.pid as number, stop: () => void child.kill() }
  }
  throw new Error(`the mock did not start: ${said}`)
}

const headers = { 'x-api-key': 'test_e2e', 'content-type': 'application/json' }
const video = 'https://example.com/cat.mp4'

/** A journal with something of everything in it. */
async function fill(url: string): Promise<void> {
  const hooks = createServer((request, response) => {
    request.resume()
    response.end()
  }).listen(0, '127.0.0.1')
  await once(hooks, 'listening')
  hooks.unref()
  const webhook_url = `http://127.0.0.1:${(hooks.address() as { port: number }).port}/hook`
  const post = (path: string, body: object, key = 'test_shop', more: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { ...headers, 'x-api-key': key, ...more },
      body: JSON.stringify(body),
    }).catch(() => undefined)
  const control = (method: string, path: string, body: object) =>
    fetch(`${url}/__mock/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  for (const output_format of ['webm', 'gif', 'png_sequence']) {
    const made = await post('/v1/jobs', { video_url: video, output_format, webhook_url }, 'test_shop', {
      'idempotency-key': output_format,
    })
    if (made === undefined) throw new Error('no job was made')
    const { id } = (await made.json()) as { id: string }
    for (let i = 0; i < 3; i++) await fetch(`${url}/v1/jobs/${id}`, { headers: { 'x-api-key': 'test_shop' } })
  }
  await post('/v1/jobs', { video_url: 'https://example.com/fail.mp4', webhook_url: 'http://127.0.0.1:9/nobody' })
  await post('/v1/jobs', { video_url: video }, 'test_no_credits_1')
  await post('/v1/jobs', { video_url: video }, 'test_no_credits_1')
  await post('/v1/jobs', { video_url: video, model: 'best' })
  await control('PUT', 'scenario', { scenario: 'internal-error-once', key: 'test_app' })
  for (let i = 0; i < 2; i++) await post('/v1/jobs', { video_url: video }, 'test_app')
  await post('/v1/jobs', { video_url: video }, 'test_app', { 'x-mock-fault': 'reset' })
  await control('PUT', 'scenario', { scenario: 'rate-limited-burst', key: 'test_burst' })
  for (let i = 0; i < 8; i++) await fetch(`${url}/v1/jobs`, { headers: { 'x-api-key': 'test_burst' } })
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function axe(page: Page, where: string): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource)
  const found = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[]
  }
  for (const { id, impact, nodes } of found.violations)
    if (impact === 'serious' || impact === 'critical') problems.push(`${where}: ${id}: ${nodes[0]?.html.slice(0, 150)}`)
}

async function looks(browser: Browser): Promise<void> {
  const { url, stop } = await startServer('--speed', '20')
  const folder = join(packageRoot, 'node_modules', '.cache', 'desk')
  mkdirSync(folder, { recursive: true })
  try {
    await fill(url)
    const { jobs } = (await (await fetch(`${url}/__mock/jobs`)).json()) as {
      jobs: { job: { id: string; output_format: string } }[]
    }
    const webm = jobs.find(({ job }) => job.output_format === 'webm')?.job.id
    const views = [
      'calls',
      'calls?q=status:402',
      'worlds',
      'jobs',
      `jobs/${webm}`,
      'scenarios',
      'scenarios/go-live',
      'scenarios/new',
      'conduct',
      'numbers',
      'incidents',
    ]
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [360, 1280, 2560]) {
        const page = await browser.newPage({
          viewport: { width, height: width === 360 ? 740 : width * 0.6 },
          colorScheme,
          reducedMotion: 'reduce',
        })
        page.on('pageerror', error => problems.push(`${width} ${colorScheme}: ${error.message}`))
        await page.goto(`${url}/__mock/`)
        for (const view of views) {
          await page.goto(`${url}/__mock/#/${view}`)
          if (view.includes('402')) await page.getByRole('row', { name: / 402 / }).first().click()
          await page.waitForTimeout(800)
          const name = view.replace(/job_\w+/, 'open').replace(/\W+/g, '-')
          await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) })
          await axe(page, `${view} ${width} ${colorScheme}`)
          const isWide = await page.evaluate(
            () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
          )
          if (isWide) problems.push(`${view} ${width} ${colorScheme}: wider than the screen`)
        }
        await page.close()
      }
    say(`looks: ${views.length} views at 3 widths, light and dark; screenshots in ${folder}`)
  } finally {
    stop()
  }
}

// Texts, as what compiles this file would put helpers of its own into a function.
/** When each row was on the screen: a frame after it came into the document. */
const watchRows = `
  globalThis.seen = {}
  const look = () => {
    for (const cell of document.querySelectorAll('.rows .c-ids')) {
      const id = /req_\\w+/.exec(cell.textContent)?.[0]
      if (id === undefined || id in seen) continue
      seen[id] = Infinity
      requestAnimationFrame(() => { seen[id] = Date.now() })
    }
  }
  new MutationObserver(look).observe(document.querySelector('.rows'), { subtree: true, childList: true, characterData: true })`

/** Tasks of more than 50 ms, and the time between frames. */
const watchFrames = `
  globalThis.tasks = []
  globalThis.frames = []
  new PerformanceObserver(list => tasks.push(...list.getEntries().map(one => one.duration))).observe({ type: 'longtask' })
  let last = performance.now()
  const frame = now => { frames.push(now - last); last = now; requestAnimationFrame(frame) }
  requestAnimationFrame(frame)`

/** From the answer's arrival at its client to the row in the page, by the same machine's clock. */
async function latency(browser: Browser): Promise<void> {
  const { url, stop } = await startServer('--rate-limit', '0')
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.goto(`${url}/__mock/`)
    await page.getByText('live', { exact: true }).waitFor()
    await page.evaluate(watchRows)
    const answered: Record<string, number> = {}
    for (let i = 0; i < 300; i++) {
      const answer = await fetch(`${url}/v1/jobs`, { headers })
      answered[answer.headers.get('x-request-id') ?? ''] = Date.now()
      await answer.arrayBuffer()
      // About 20 a second, so that each comes by itself.
      await new Promise(resolve => setTimeout(resolve, 30 + (i % 7) * 5))
    }
    await page.waitForTimeout(500)
    const seen = (await page.evaluate('seen')) as Record<string, number>
    const taken = Object.entries(answered).map(([id, at]) => Math.max(0, (seen[id] ?? Number.POSITIVE_INFINITY) - at))
    say(`answer to row: p50 ${percentile(taken, 0.5)} ms, of ${taken.length} calls`)
    limit('answer to row, p95', percentile(taken, 0.95), 100, 'ms')
    await page.close()
  } finally {
    stop()
  }
}

/** Processor time that a process has used, in ms; not a number where /proc is not. */
function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return Number.NaN
  }
}

async function fire({ url, pid }: { url: string; pid: number }) {
  const before = cpuMs(pid)
  const run = await autocannon({
    url: `${url}/v1/jobs`,
    headers,
    connections: 10,
    overallRate: 1000,
    duration: seconds,
  })
  if (run.non2xx > 0 || run.errors > 0) problems.push(`${run.non2xx} calls were refused, ${run.errors} failed`)
  return { rate: run['2xx'] / run.duration, p99: run.latency.p99, cpuUs: (1000 * (cpuMs(pid) - before)) / run['2xx'] }
}

async function load(browser: Browser): Promise<void> {
  const server = await startServer('--rate-limit', '0')
  const { url, stop } = server
  try {
    // What the first seconds compile is no cost of either.
    await autocannon({ url: `${url}/v1/jobs`, headers, connections: 10, amount: 3000 })
    const without = await fire(server)
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.goto(`${url}/__mock/`)
    await page.getByText('live', { exact: true }).waitFor()
    await page.waitForTimeout(1000)
    await page.evaluate(watchFrames)
    const cdp = await page.context().newCDPSession(page)
    const heap = async () => {
      await cdp.send('HeapProfiler.collectGarbage')
      const { usedSize } = await cdp.send('Runtime.getHeapUsage')
      return usedSize / 2 ** 20
    }
    const before = await heap()
    const half = fire(server)
    // A person scrolls and filters meanwhile.
    const isOver = half.then(() => true)
    for (
      let i = 0;
      !(await Promise.race([isOver, new Promise(resolve => setTimeout(() => resolve(false), 500))]));
      i++
    ) {
      await page.mouse.move(400, 400)
      await page.mouse.wheel(0, i % 2 === 0 ? 900 : -900)
    }
    const withDesk = await half
    const { tasks, frames } = (await page.evaluate('({ tasks, frames })')) as { tasks: number[]; frames: number[] }
    const told = ({ rate, p99, cpuUs }: typeof without) =>
      `${rate.toFixed(0)} calls/s, p99 ${p99} ms, ${cpuUs.toFixed(0)} µs of the mock's processor a call`
    say(`without the desk: ${told(without)}`)
    say(`with it:          ${told(withDesk)}`)
    limit('lost of the calls/s', 100 * (1 - withDesk.rate / without.rate), 10, '%')
    limit('longest task of the page', Math.max(0, ...tasks), 200, 'ms')
    say(
      `frames: ${(frames.length / (frames.reduce((sum, one) => sum + one, 0) / 1000)).toFixed(0)} a second, p95 ${percentile(frames, 0.95).toFixed(0)} ms`,
    )
    say(`heap of the page: ${before.toFixed(0)} MB before`)
    limit('heap of the page', await heap(), 100, 'MB')
    const rows = await page.getByRole('grid').getAttribute('aria-rowcount')
    say(`rows in the page: ${Number(rows) - 1}`)
    await page.close()
  } finally {
    stop()
  }
}

await buildDesk()
const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
try {
  const parts = { looks, latency, load }
  for (const [name, part] of Object.entries(parts))
    if (values.only === undefined || values.only === name) await part(browser)
} finally {
  await browser.close()
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
