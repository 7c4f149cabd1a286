/**
 * `npm run bench`: the mock beside bare Fastify and node:http, side by side in one run. What counts are the ratios: the
 * servers take turns in short rounds, so that whatever else the machine does meets all of them.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { examples } from '../contracts/examples.ts'
import type { Variant } from './servers.ts'

const rounds = Number(process.env.ROUNDS ?? 7)
const seconds = Number(process.env.SECONDS ?? 2)
/** BESIDE=<servers.js of another build> puts that build's mock beside this one's: is it as fast as before? */
const beside = process.env.BESIDE

interface Server {
  variant: Name
  url: string
  child: ChildProcessByStdio<Writable, Readable, null>
  lines: Interface
}

/** `before` is the mock of another build. */
type Name = Variant | 'before'

interface Round {
  perSecond: number
  /** Microseconds of the server's CPU for each request: what the generator can't hide. */
  cpuUs: number
}

async function boot(variant: Name): Promise<Server> {
  const isBefore = variant === 'before'
  const script = isBefore ? String(beside) : fileURLToPath(new URL('./servers.js', import.meta.url))
  const profile = process.env.PROFILE === variant ? ['--cpu-prof', '--cpu-prof-dir=/tmp'] : []
  const child = spawn(process.execPath, [...profile, script, isBefore ? 'understudy' : variant], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const { url } = JSON.parse(await nextLine(lines))
  return { variant, url, child, lines }
}

const nextLine = async (lines: Interface): Promise<string> => (await once(lines, 'line'))[0]

async function usage({ child, lines }: Server): Promise<{ cpuMs: number; rssMb: number }> {
  const line = nextLine(lines)
  child.stdin.write('\n')
  return JSON.parse(await line)
}

async function createJobs({ url }: Server, count: number): Promise<string> {
  const created = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'x-api-key': 'test_bench', 'content-type': 'application/json' },
    body: '{"video_url":"https://example.com/cat.mp4#t=2"}',
  })
  const { id } = (await created.json()) as { id: string }
  if (count > 1)
    await autocannon({ ...target({ url } as Server, 'POST'), amount: count - 1, connections: Math.min(10, count - 1) })
  return id
}

function target({ url }: Server, method: 'GET' | 'POST', jobId = ''): autocannon.Options {
  const headers = { 'x-api-key': 'test_bench', 'content-type': 'application/json' }
  if (method === 'POST') return { url: `${url}/v1/jobs`, method, headers, body: JSON.stringify(examples.JobCreate) }
  return { url: `${url}/v1/jobs/${jobId}`, headers: { 'x-api-key': 'test_bench' } }
}

async function measure(server: Server, options: autocannon.Options): Promise<Round> {
  const before = await usage(server)
  const result = await autocannon({ ...options, connections: Number(process.env.CONNECTIONS ?? 10), duration: seconds })
  const after = await usage(server)
  if (result.non2xx + result.errors > 0)
    throw new Error(`${server.variant}: ${result.non2xx} non-2xx, ${result.errors} errors`)
  return {
    perSecond: result.requests.total / result.duration,
    cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / result.requests.total,
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number

async function compare(title: string, method: 'GET' | 'POST', variants: Name[], pairs: [Name, Name][]): Promise<void> {
  console.log(`\n${title}`)
  const servers = await Promise.all(variants.map(boot))
  const jobs = new Map<Server, string>()
  for (const server of servers) jobs.set(server, await createJobs(server, 1))
  const found = new Map<Name, Round[]>(variants.map(variant => [variant, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const server of servers) {
      const result = await measure(server, target(server, method, jobs.get(server)))
      // The first round warms up.
      if (round > 0) found.get(server.variant)?.push(result)
    }
  }
  for (const { child } of servers) child.stdin.end()
  const of = (variant: Name, what: keyof Round) => median((found.get(variant) as Round[]).map(result => result[what]))
  for (const variant of variants) {
    console.log(
      `  ${variant.padEnd(16)}${String(Math.round(of(variant, 'perSecond'))).padStart(8)} req/s${of(variant, 'cpuUs').toFixed(1).padStart(8)} µs CPU/req`,
    )
  }
  for (const [mock, bare] of pairs) {
    const paired = (found.get(mock) as Round[]).map(
      (result, i) => result.perSecond / ((found.get(bare) as Round[])[i] as Round).perSecond,
    )
    console.log(`  ${mock} / ${bare}: ${median(paired).toFixed(2)} of the requests/s`)
  }
}

/** Whether polling one job costs more when its world has many, and what they take in memory. */
async function fill(): Promise<void> {
  console.log('\nGET /v1/jobs/{id} in a full world')
  const [few, many] = await Promise.all([boot('understudy'), boot('understudy')])
  const jobOfFew = await createJobs(few, 10)
  const jobOfMany = await createJobs(many, 100_000)
  await measure(few, target(few, 'GET', jobOfFew))
  await measure(many, target(many, 'GET', jobOfMany))
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const withFew = await measure(few, target(few, 'GET', jobOfFew))
    const withMany = await measure(many, target(many, 'GET', jobOfMany))
    ratios.push(withMany.perSecond / withFew.perSecond)
  }
  const { rssMb } = await usage(many)
  console.log(
    `  with 100,000 jobs ${median(ratios).toFixed(2)} of the requests/s with 10; ${Math.round(rssMb)} MB resident`,
  )
  for (const { child } of [few, many]) child.stdin.end()
}

const bare: Name[] = ['node:http', 'fastify', 'understudy', 'fastify+log', 'understudy+log']
const besideBare: [Name, Name][] = [
  ['understudy', 'fastify'],
  ['understudy+log', 'fastify+log'],
]
const withRules: Name[] = ['understudy', 'understudy+rules']
const parts: Record<string, () => Promise<void>> = {
  get: () => compare('GET /v1/jobs/{id}', 'GET', bare, besideBare),
  post: () => compare('POST /v1/jobs', 'POST', bare, besideBare),
  rules: () =>
    compare('GET /v1/jobs/{id} with 1,000 rules loaded', 'GET', withRules, [['understudy+rules', 'understudy']]),
  fill,
  ...(beside && {
    before: async () => {
      await compare('GET, beside the other build', 'GET', ['before', 'understudy'], [['understudy', 'before']])
      await compare('POST, beside the other build', 'POST', ['before', 'understudy'], [['understudy', 'before']])
    },
  }),
}

/** ONLY=rules does one part. */
for (const [name, part] of Object.entries(parts)) if ((process.env.ONLY ?? name) === name) await part()
