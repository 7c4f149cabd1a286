/**
 * `npm run bench`: the mock, as it is packed, beside bare Fastify and another build of its own, side by side in one run. What
 * counts are the ratios: the servers take turns in short rounds, so that whatever else the machine does meets all of them.
 *
 *   ONLY=speed,cold npm run bench      some parts: speed, growth, cold, memory, peers
 *   BESIDE=../other/dist npm run bench another build, in a column of its own
 *   ROUNDS=9 SECONDS=2                 how many rounds, of how many seconds
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { bundle } from '../.ci/bundle.mjs'
import { packageRoot } from '../base/paths.ts'
import { examples } from '../contracts/examples.ts'
import { peers } from './peers.ts'

const rounds = Number(process.env.ROUNDS ?? 7)
const seconds = Number(process.env.SECONDS ?? 2)
const only = process.env.ONLY?.split(',')
const here = join(packageRoot, 'node_modules', '.cache', 'bench')

/** This build and, with BESIDE, the other one: the columns of the table. */
const builds: Record<string, string> = {
  ...(process.env.BESIDE && { before: resolve(process.env.BESIDE) }),
  now: join(packageRoot, 'dist'),
}
const columns = Object.keys(builds)

export interface Server {
  url: string
  child: ChildProcessByStdio<null, Readable, null>
}

const key = { 'x-api-key': 'test_bench' }
const unbounded = ['--port', '0', '--seed', 'bench', '--rate-limit', '0', '--job-limit', '0', '--credits', '100000000']

/** Starts a server that prints its URL; its log goes nowhere, but is written. */
export async function boot(command: string, args: readonly string[]): Promise<Server> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/[\w.:]+/.exec(line)?.[0]
    if (url !== undefined) {
      child.stdout.resume()
      return { url, child }
    }
  }
  throw new Error(`${command} ${args.join(' ')} ended without a URL`)
}

const bootBare = (variant: string): Promise<Server> => boot(process.execPath, [join(here, 'bench', 'bare.js'), variant])

/** The mock as a user gets it: key, limits and their headers, request_id, journal, metrics. */
const bootMock = (dist: string, ...args: string[]): Promise<Server> =>
  boot(process.execPath, [join(dist, 'cli', 'bin.js'), 'serve', ...unbounded, ...args])

async function stop(servers: Iterable<Server>): Promise<void> {
  for (const { child } of servers) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** Of the process, in MB; undefined where the system doesn't tell. */
function residentMb({ child }: Server): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

export type Call = 'GET' | 'POST'

async function makeJob({ url }: Server, apiKey = key['x-api-key']): Promise<string> {
  const body = '{"video_url":"https://example.com/cat.mp4#t=2"}'
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' }
  const response = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body })
  return ((await response.json()) as { id: string }).id
}

function loadOf({ url }: Server, call: Call, job: string): autocannon.Options {
  if (call === 'GET') return { url: `${url}/v1/jobs/${job}`, headers: key }
  const body = JSON.stringify(examples.JobCreate)
  return { url: `${url}/v1/jobs`, method: 'POST', headers: { ...key, 'content-type': 'application/json' }, body }
}

interface Round {
  perSecond: number
  p99: number
}

async function load(options: autocannon.Options, connections: number, amount?: number): Promise<Round> {
  const result = await autocannon({ ...options, connections, ...(amount ? { amount } : { duration: seconds }) })
  if (result.non2xx + result.errors > 0)
    throw new Error(`${options.url}: ${result.non2xx} answers are no 2xx, ${result.errors} failed`)
  return { perSecond: result.requests.total / result.duration, p99: result.latency.p99 }
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number

/** Each server's rounds, in turns; the first round warms up. */
export async function takeTurns<Name extends string>(
  servers: Record<Name, Server>,
  call: Call,
  connections = 10,
  times = rounds,
): Promise<Record<Name, Round[]>> {
  const names = Object.keys(servers) as Name[]
  const jobs = new Map<Name, string>()
  for (const name of names) jobs.set(name, await makeJob(servers[name]).catch(() => 'job_1'))
  const found = Object.fromEntries(names.map(name => [name, [] as Round[]])) as Record<Name, Round[]>
  for (let round = 0; round <= times; round++)
    for (const name of names) {
      const result = await load(loadOf(servers[name], call, jobs.get(name) as string), connections)
      if (round > 0) found[name].push(result)
    }
  return found
}

/**
 * The same with new processes every few rounds: two of the same build differ by a fifth for as long as they live, by where
 * their code happens to lie.
 */
async function takeTurnsAnew(
  boots: Record<string, () => Promise<Server>>,
  call: Call,
  connections = 10,
): Promise<Record<string, Round[]>> {
  const found = Object.fromEntries(Object.keys(boots).map(name => [name, [] as Round[]]))
  for (let left = rounds; left > 0; left -= roundsOfAProcess) {
    const servers: Record<string, Server> = {}
    for (const [name, boot] of Object.entries(boots)) servers[name] = await boot()
    const some = await takeTurns(servers, call, connections, Math.min(left, roundsOfAProcess))
    for (const [name, results] of Object.entries(some)) found[name]?.push(...results)
    await stop(Object.values(servers))
  }
  return found
}

const roundsOfAProcess = 2

/** The median of the ratios of rounds that followed each other. */
export const ratio = (one: Round[], other: Round[], what: keyof Round = 'perSecond'): number =>
  median(one.map((round, i) => round[what] / Math.max(other[i]?.[what] ?? 0, 1e-9)))

const widths = [58, ...columns.map(() => 12), 12]
export const row = (...cells: string[]): void =>
  console.log(
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[i] ?? 12))).join(''),
  )
const x = (value: number): string => `${value.toFixed(2)} x`
const ms = (value: number): string => `${value.toFixed(0)} ms`
const mb = (value: number): string => `${value.toFixed(0)} MB`

async function speed(): Promise<void> {
  for (const logs of [false, true])
    for (const [call, target] of [
      ['GET', logs ? 0.95 : 0.92],
      ['POST', logs ? 0.85 : 0.75],
    ] as const) {
      const boots: Record<string, () => Promise<Server>> = {
        bare: () => bootBare(logs ? 'fastify+log' : 'fastify'),
      }
      for (const name of columns)
        boots[name] = () => bootMock(builds[name] as string, ...(logs ? [] : ['--log-level', 'silent']))
      const found = await takeTurnsAnew(boots, call)
      const path = call === 'GET' ? 'GET /v1/jobs/{id}' : 'POST /v1/jobs'
      row(
        `${path}, logs ${logs ? 'on' : 'off'}, requests/s of bare Fastify`,
        ...columns.map(name => x(ratio(found[name] as Round[], found.bare as Round[]))),
        `>= ${target}`,
      )
      if (call === 'GET' && !logs) {
        const busy = await takeTurnsAnew(boots, 'GET', 50)
        row(
          'p99 of polling at 50 connections, of bare Fastify',
          ...columns.map(name => x(ratio(busy[name] as Round[], busy.bare as Round[], 'p99'))),
          '<= 1.25',
        )
      }
    }
}

/** What grows must not make a poll slower. */
async function growth(): Promise<void> {
  const grown: Record<string, (server: Server) => Promise<unknown>> = {
    '10 to 100,000 jobs': server => load(loadOf(server, 'POST', ''), 10, 100_000),
    '1 to 1,000 worlds': async server => {
      for (let i = 0; i < 1000; i++) await makeJob(server, `test_world_${i}`)
    },
    '0 to 1,000 rules, by what they ask for': server =>
      useRules(server, i => ({ route: 'getJob', header: { 'x-tenant': `t${i}` } })),
    '0 to 1,000 rules that are asked on each call': server => useRules(server, () => ({ calls: '100000000-' })),
    '0 to 10 listeners to the journal': async server => {
      for (let i = 0; i < 10; i++) {
        const { body } = await fetch(`${server.url}/__mock/journal/stream`)
        body?.pipeTo(new WritableStream()).catch(() => {})
      }
    },
  }
  for (const [what, grow] of Object.entries(grown)) {
    const cells: string[] = []
    for (const name of columns) {
      const dist = builds[name] as string
      const servers = {
        small: await bootMock(dist, '--log-level', 'silent'),
        grown: await bootMock(dist, '--log-level', 'silent'),
      }
      await grow(servers.grown)
      const found = await takeTurns(servers, 'GET')
      cells.push(x(ratio(found.grown, found.small)))
      await stop(Object.values(servers))
    }
    row(`polling, ${what}`, ...cells, what.includes('each call') ? '>= 0.90' : '>= 0.95')
  }
}

async function useRules({ url }: Server, when: (i: number) => object): Promise<void> {
  const rules = Array.from({ length: 1000 }, (_, i) => ({ when: when(i), then: { error: 'internal_error' } }))
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/__mock/scenario`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ scenario: { rules } }),
  })
  if (!response.ok) throw new Error(await response.text())
}

interface Cold {
  ms: number
  cpuMs: number
  secondMs: number
  useMs: number
  docsMs: number
}

async function cold(): Promise<void> {
  const run = (what: string) =>
    JSON.parse(execFileSync(process.execPath, [join(here, 'bench', 'cold.js'), what], { encoding: 'utf8' })) as Cold
  const whats: Record<string, string> = {
    bare: 'fastify',
    ...Object.fromEntries(columns.map(name => [name, join(builds[name] as string, 'server', 'index.js')])),
  }
  const found = Object.fromEntries(Object.keys(whats).map(name => [name, [] as Cold[]])) as Record<string, Cold[]>
  for (let round = 0; round <= rounds; round++)
    for (const [name, what] of Object.entries(whats)) {
      const result = run(what)
      if (round > 0) found[name]?.push(result)
    }
  const of = (name: string, what: keyof Cold) => median((found[name] as Cold[]).map(one => one[what]))
  row(
    'cold process: import, start, one answer, close: time, of bare Fastify',
    ...columns.map(name => x(of(name, 'ms') / of('bare', 'ms'))),
    '<= 1.4',
  )
  row('the same: CPU', ...columns.map(name => x(of(name, 'cpuMs') / of('bare', 'cpuMs'))), '<= 1.4')
  row('second startMock() and close() of a process', ...columns.map(name => ms(of(name, 'secondMs'))), '<= 10 ms')
  row('first use() of a scenario in YAML: CPU', ...columns.map(name => ms(of(name, 'useMs'))), '<= 20 ms')
  row('first GET /docs: CPU, the asking included', ...columns.map(name => ms(of(name, 'docsMs'))), '<= 50 ms')
  const starts = Object.fromEntries(Object.keys(whats).map(name => [name, [] as number[]])) as Record<string, number[]>
  for (let round = 0; round < rounds; round++)
    for (const name of Object.keys(whats)) {
      const at = performance.now()
      const server =
        name === 'bare' ? await bootBare('fastify') : await bootMock(builds[name] as string, '--log-level', 'silent')
      await (await fetch(`${server.url}/health`)).text()
      starts[name]?.push(performance.now() - at)
      await stop([server])
    }
  row(
    'understudy serve: process to first 200, of bare Fastify',
    ...columns.map(name => x(median(starts[name] as number[]) / median(starts.bare as number[]))),
    '<= 1.15',
  )
}

async function memory(): Promise<void> {
  const idle: string[] = []
  const full: string[] = []
  const worlds: string[] = []
  for (const name of columns) {
    const server = await bootMock(builds[name] as string, '--log-level', 'silent', '--speed', 'instant')
    await makeJob(server)
    await sleep(500)
    idle.push(mb(residentMb(server)))
    await load(loadOf(server, 'POST', ''), 10, 100_000)
    await sleep(500)
    full.push(mb(residentMb(server)))
    await stop([server])
    const crowd = await bootMock(builds[name] as string, '--log-level', 'silent', '--speed', 'instant')
    for (let world = 0; world < 1000; world++) {
      const apiKey = `test_world_${world}`
      const url = `${crowd.url}/v1/jobs/${await makeJob(crowd, apiKey)}`
      // Not by the load generator, which takes a second for the least that it does.
      const poll = async () => {
        for (let i = 0; i < 30; i++) await (await fetch(url, { headers: { 'x-api-key': apiKey } })).text()
      }
      await Promise.all(Array.from({ length: 10 }, poll))
    }
    worlds.push(mb(residentMb(crowd)))
    await stop([crowd])
  }
  row('resident, idle', ...idle, '<= 65 MB')
  row('resident, after 100,000 finished jobs', ...full, '<= 180 MB')
  row('resident, 1,000 worlds with 300 calls each', ...worlds, '<= 256 MB')
}

const parts: Record<string, () => Promise<void>> = { speed, growth, cold, memory, peers }
// With chunks of its own, so that nothing of the mock is loaded with what it is held against.
await bundle(['bench/bare', 'bench/cold'], here, { outside: ['fastify', 'pino'] })
if (only === undefined)
  execFileSync('npm', ['run', '--silent', 'build', '--', '--noCheck'], { cwd: packageRoot, stdio: 'inherit' })
row('', ...columns, 'target')
for (const [name, part] of Object.entries(parts)) if (only?.includes(name) ?? name !== 'peers') await part()
