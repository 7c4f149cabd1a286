/**
 * `npm run e2e:nginx`: three replicas as processes of their own behind nginx. One is killed and started again under load, and
 * requests a second are compared with one replica by itself: the factor needs cores for all of them and for the load.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { packageRoot } from '../../base/paths.ts'
import { hasNginx, startNginx } from './nginx.ts'

/** With less than this for three replicas, nginx and the load, the factor says how busy the machine is, and nothing else. */
const coresNeeded = 6
const wantedFactor = 2.2
const seconds = Number(process.env.SECONDS_EACH ?? 5)

if (!hasNginx) throw new Error('nginx is not installed (Debian: nginx-light)')
const folder = mkdtempSync(join(tmpdir(), 'understudy-nginx-'))
const children = new Map<number, ChildProcess>()
const problems: string[] = []

async function replica(port: number): Promise<number> {
  const flags = ['--seed', 'one', '--speed', 'instant', '--rate-limit', '0', '--job-limit', '0', '--trust-proxy', 'on']
  const args = [
    join(packageRoot, 'dist', 'cli', 'bin.js'),
    'serve',
    '--json',
    '--log-level',
    'error',
    '--port',
    String(port),
    ...flags,
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder })
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  const { port: taken } = JSON.parse(String(line)) as { port: number }
  children.set(taken, child)
  return taken
}

/** Lists of 60 keys, which are spread over the replicas. */
async function load(url: string, forSeconds: number) {
  const requests = Array.from({ length: 60 }, (_, i) => ({
    path: '/v1/jobs',
    headers: { 'x-api-key': `test_load_${i}` },
  }))
  return autocannon({ url, connections: 60, duration: forSeconds, requests })
}

const told = ({ requests, non2xx, errors, latency }: autocannon.Result): string =>
  `${Math.round(requests.average)}/s, p99 ${latency.p99} ms, ${non2xx} not 2xx, ${errors} errors`

try {
  const ports = [await replica(0), await replica(0), await replica(0)]
  const nginx = await startNginx(folder, ports)
  try {
    const one = await load(`http://127.0.0.1:${ports[0]}`, seconds)
    console.log(`one replica alone:     ${told(one)}`)
    const three = await load(nginx.url, seconds)
    console.log(`three behind nginx:    ${told(three)}`)
    const factor = three.requests.average / one.requests.average
    const cores = availableParallelism()
    console.log(`factor: ${factor.toFixed(2)} on ${cores} cores`)
    if (cores >= coresNeeded && factor < wantedFactor)
      problems.push(`factor ${factor.toFixed(2)}; expected ${wantedFactor} or more`)
    if (three.non2xx + three.errors > 0)
      problems.push(`${three.non2xx + three.errors} answers of three replicas were none`)

    const victim = ports[1] as number
    const loading = load(nginx.url, seconds)
    const child = children.get(victim) as ChildProcess
    child.kill('SIGKILL')
    await once(child, 'exit')
    await replica(victim)
    const killed = await loading
    console.log(`one killed and back:   ${told(killed)}`)
    if (killed.errors > 0)
      problems.push(`${killed.errors} calls had no answer at all while a replica was away; expected an envelope`)
    const after = await load(nginx.url, 1)
    console.log(`afterwards:            ${told(after)}`)
    if (after.non2xx + after.errors > 0) problems.push('calls still fail after the replica is back')
  } finally {
    await nginx.close()
  }
} finally {
  for (const child of children.values()) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
