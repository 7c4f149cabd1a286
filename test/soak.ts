/**
 * `npx tsx test/soak.ts 10`: ten minutes of mixed traffic over 10,000 keys (behind it: --max-worlds), and what the mock's memory does meanwhile. Not a
 * part of `npm test`; docs/more/under-stress.md has its figures.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { monotonicMs } from '../base/clock.ts'
import { packageRoot } from '../base/paths.ts'
import { SeededRandom } from '../base/seed.ts'

const minutes = Number(process.argv[2] ?? 10)
const keys = 10_000
const connections = 32
/** As many as by default, or so many that no world has to go and only the bounds of memory are met. */
const maxWorlds = process.argv[3] ?? '1000'

const child: ChildProcess = spawn(
  process.execPath,
  [
    ...['--import', 'tsx', 'cli/bin.ts', 'serve', '--port', '0', '--log-level', 'error', '--speed', '50'],
    ...['--rate-limit', '0', '--job-limit', '0', '--max-worlds', maxWorlds],
  ],
  { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] },
)
process.once('exit', () => child.kill('SIGKILL'))
const [greeting] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
const url = /http:\/\/[\w.:]+/.exec(String(greeting))?.[0] as string

const agent = new Agent({ keepAlive: true, maxSockets: connections })
const random = new SeededRandom('soak')
const video = readFileSync(join(packageRoot, 'fixtures', 'clips', 'short.mp4'))
const form = Buffer.concat([
  Buffer.from('--cut\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'),
  video,
  Buffer.from('\r\n--cut--\r\n'),
])
const statuses = new Map<number, number>()
let calls = 0
let broken = 0
/** The last jobs, to be polled. */
const jobs: { id: string; key: string }[] = []

async function call(method: string, path: string, key: string, body?: Buffer | string, more = {}): Promise<string> {
  const headers = {
    'x-api-key': key,
    ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    ...more,
  }
  calls++
  try {
    const sent = request(url + path, { method, agent, headers }).end(body)
    const [response] = await once(sent, 'response')
    const said = await text(response)
    statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1)
    return said
  } catch {
    broken++
    return ''
  }
}

async function step(n: number): Promise<void> {
  const key = `test_soak_${Math.floor(random.draw('key', n) * keys)}`
  const what = random.draw('what', n)
  if (what < 0.3) {
    const note = 'x'.repeat(Math.floor(random.draw('size', n) * 20_000))
    const body = JSON.stringify({ video_url: 'https://a.test/a.mp4#t=2', metadata: { note } })
    const said = await call('POST', '/v1/jobs', key, body, {
      'content-type': 'application/json',
      'idempotency-key': `k${n}`,
    })
    const { id } = (said === '' ? {} : JSON.parse(said)) as { id?: string }
    if (id !== undefined) jobs.push({ id, key })
    if (jobs.length > 5_000) jobs.splice(0, 1_000)
  } else if (what < 0.75 && jobs.length > 0) {
    const job = jobs[Math.floor(random.draw('job', n) * jobs.length)] as (typeof jobs)[number]
    await call('GET', what < 0.7 ? `/v1/jobs/${job.id}` : `/api/download/${job.id}`, job.key)
  } else if (what < 0.8) {
    await call('POST', '/v1/uploads', key, form, { 'content-type': 'multipart/form-data; boundary=cut' })
  } else if (what < 0.85) await call('POST', '/v1/jobs', key, '{"broken', { 'content-type': 'application/json' })
  else if (what < 0.9) await call('GET', '/v1/jobs', 'no such key')
  else if (what < 0.95)
    await call('GET', `/v1/jobs?limit=5&x=${n}`, key, undefined, { 'x-mock-fault': 'internal_error' })
  else await call('GET', '/v1/usage/summary?days=7', key)
}

async function memoryMiB(): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return Math.round(Number(/^process_resident_memory_bytes (\d+)$/m.exec(metrics)?.[1]) / 2 ** 20)
}

const startedAt = monotonicMs()
const endsAt = startedAt + minutes * 60_000
let n = 0
const workers = Array.from({ length: connections }, async () => {
  while (monotonicMs() < endsAt) await step(n++)
})
let nextLook = startedAt
const watch = (async () => {
  while (monotonicMs() < endsAt) {
    if (monotonicMs() >= nextLook) {
      nextLook += 20_000
      const seconds = Math.round((monotonicMs() - startedAt) / 1000)
      console.log(`${seconds} s  ${calls} calls  ${await memoryMiB()} MiB resident`)
    }
    await step(n++)
  }
})()
await Promise.all([...workers, watch])
console.log(`${calls} calls, ${broken} broken, ${await memoryMiB()} MiB resident at the end`)
console.log(Object.fromEntries([...statuses].sort(([a], [b]) => a - b)))
console.log(
  (await (await fetch(`${url}/metrics`)).text())
    .split('\n')
    .filter(line => /evicted|understudy_worlds |understudy_jobs/.test(line) && !line.startsWith('#'))
    .join('\n'),
)
child.kill('SIGTERM')
agent.destroy()
const [code] = await once(child, 'exit')
console.log(`ended with exit code ${code}`)
