/** `ONLY=peers npm run bench`: beside other mock servers, each on one core (`taskset`), 50 connections. Installs them, pinned. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../base/paths.ts'
import { examples } from '../contracts/examples.ts'
import { buildOpenApi } from '../contracts/openapi.ts'
import { type Call, ratio, row, type Server, takeTurns } from './main.ts'

const folder = join(packageRoot, 'node_modules', '.cache', 'peers')
const pinned = ['@stoplight/prism-cli@5.14.2', '@mockoon/cli@9.3.0']
const wireMock = 'org.wiremock:wiremock-standalone:3.13.1'
const targets: Record<string, Record<Call, number>> = {
  WireMock: { GET: 5, POST: 2.5 },
  Prism: { GET: 5, POST: 3.5 },
  Mockoon: { GET: 16, POST: 12 },
}

export async function peers(): Promise<void> {
  install()
  const bin = join(folder, 'node_modules', '.bin')
  const [spec, jar] = [join(folder, 'openapi.json'), join(folder, 'wiremock.jar')]
  const commands: Record<string, (port: number) => string[]> = {
    understudy: port => [
      process.execPath,
      join(packageRoot, 'dist', 'cli', 'bin.js'),
      'serve',
      '--port',
      `${port}`,
      '--rate-limit',
      '0',
      '--job-limit',
      '0',
      '--credits',
      '100000000',
      '--log-level',
      'silent',
    ],
    WireMock: port => [
      'java',
      '-jar',
      jar,
      '--port',
      `${port}`,
      '--no-request-journal',
      '--root-dir',
      folder,
      '--disable-banner',
    ],
    Prism: port => [join(bin, 'prism'), 'mock', spec, '-p', `${port}`, '--verboseLevel', 'silent'],
    Mockoon: port => [join(bin, 'mockoon-cli'), 'start', '--data', spec, '--port', `${port}`, '--disable-log-to-file'],
  }
  const servers: Record<string, Server> = {}
  for (const [name, command] of Object.entries(commands)) servers[name] = await start(command(await freePort()))
  for (const call of ['GET', 'POST'] as const) {
    const found = await takeTurns(servers, call, 50)
    for (const name of Object.keys(targets))
      row(
        `${call}, one core each, of ${name}`,
        `${ratio(found.understudy ?? [], found[name] ?? []).toFixed(1)} x`,
        `>= ${targets[name]?.[call]}`,
      )
  }
  for (const { child } of Object.values(servers)) child.kill('SIGKILL')
}

function install(): void {
  mkdirSync(join(folder, 'mappings'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', ...pinned], { cwd: folder, stdio: 'inherit' })
  if (!existsSync(join(folder, 'wiremock.jar')))
    execFileSync(
      'mvn',
      ['-q', 'dependency:copy', `-Dartifact=${wireMock}`, `-DoutputDirectory=${folder}`, '-Dmdep.stripVersion=true'],
      { cwd: folder, stdio: 'inherit' },
    )
  execFileSync('cp', [join(folder, 'wiremock-standalone.jar'), join(folder, 'wiremock.jar')])
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(buildOpenApi('0')))
  const headers = { 'Content-Type': 'application/json; charset=utf-8' }
  const mappings = [
    {
      request: { method: 'GET', urlPathPattern: '/v1/jobs/[^/]+' },
      response: { status: 200, headers, jsonBody: examples.Job },
    },
    {
      request: { method: 'POST', urlPath: '/v1/jobs' },
      response: { status: 200, headers, jsonBody: examples.JobAccepted },
    },
  ]
  writeFileSync(join(folder, 'mappings', 'jobs.json'), JSON.stringify({ mappings }))
}

async function start(command: string[]): Promise<Server> {
  const port = /\d{4,5}/.exec(command.join(' ').replace(/^.*?(--port|-p) /, ''))?.[0]
  const child = spawn('taskset', ['-c', '0', ...command], { stdio: ['ignore', 'pipe', 'ignore'] })
  child.stdout.resume()
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 600; tries++) {
    if (
      await fetch(`${url}/v1/jobs/job_1`, { headers: { 'x-api-key': 'test_bench' } }).then(
        () => true,
        () => false,
      )
    )
      return { url, child }
    await sleep(100)
  }
  throw new Error(`${command.join(' ')} does not answer`)
}

function freePort(): Promise<number> {
  return new Promise(found => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => found(port))
    })
  })
}
