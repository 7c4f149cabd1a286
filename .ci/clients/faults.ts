/**
 * `npm run clients:faults` brings every client of faultClients.ts under each fault and writes docs/faults.md; names after
 * `--` measure those clients alone, `--page` writes the page from what was measured last.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../base/paths.ts'
import { type RunningMock, startMock } from '../../server/index.ts'
import {
  type FaultCase,
  type FaultClient,
  faultClients,
  faultGroups,
  faultTimeoutMs,
  keptCases,
} from './faultClients.ts'
import { faultsPage } from './faultsPage.ts'
import { install } from './install.ts'
import { libraries } from './libraries.ts'
import { Gate, type Program, runProgram } from './measure.ts'

/** What a program told of one call, and what the mock saw of it. */
export interface SeenFault {
  /** How far its caller came: the call threw, the body, the JSON; or none of them did. */
  readonly where: 'call' | 'body' | 'json' | 'none'
  readonly status?: number
  /** Of the body, as the caller got it. */
  readonly bytes?: number
  /** "object", or what it has in the place of one. */
  readonly value?: string
  readonly error?: string
  /** How often the call reached the mock. */
  readonly sent: number
  readonly seconds: number
  readonly isStopped: boolean
}

export interface FaultRow {
  version: string
  date: string
  seen: Record<string, SeenFault>
}

export type FaultMeasurements = Record<string, FaultRow>

/** A program is stopped after so long, ms. */
const stoppedAfterMs = 20_000
const dataFile = join(import.meta.dirname, 'faults.json')
const boundary = 'clients-boundary'

const cases: Readonly<Record<string, FaultCase>> = { ...Object.assign({}, ...Object.values(faultGroups)), ...keptCases }

interface Bodies {
  upload: string
  create: string
}

async function measureClient(
  mock: RunningMock,
  gate: Gate,
  client: FaultClient,
  program: Program,
  bodies: Bodies,
): Promise<FaultRow['seen']> {
  const all = Object.entries(cases).map(
    async ([name, one]): Promise<[string, SeenFault]> => [
      name,
      await gate.through(() => see(mock, client, program, name, one, bodies)),
    ],
  )
  return Object.fromEntries(await Promise.all(all))
}

async function see(
  mock: RunningMock,
  client: FaultClient,
  program: Program,
  name: string,
  one: FaultCase,
  bodies: Bodies,
): Promise<SeenFault> {
  const key = `test_${`${client.name}_${name}`.replace(/\W+/g, '-')}`
  const list = `${mock.url}/v1/jobs`
  const headers = { 'X-Api-Key': key, 'Content-Type': 'application/json' }
  const made = await fetch(list, { method: 'POST', headers, body: readFileSync(bodies.create) })
  const { id } = (await made.json()) as { id: string }
  const asked = {
    job: { METHOD: 'GET', URL: `${list}/${id}`, BODY: '', TYPE: '' },
    create: { METHOD: 'POST', URL: list, BODY: bodies.create, TYPE: 'application/json' },
    upload: {
      METHOD: 'POST',
      URL: `${mock.url}/v1/uploads`,
      BODY: bodies.upload,
      TYPE: `multipart/form-data; boundary=${boundary}`,
    },
  }[one.ask]
  const route = { job: 'getJob', create: 'createJob', upload: 'uploadVideo' }[one.ask]
  const before = mock.journal.count({ key, route })
  mock.use([{ name: 'fails', when: { route }, ...(one.isKept && { first: 1 }), then: one.then }], { key })
  const env = { ...asked, KEY: key, TIMEOUT: String(faultTimeoutMs), WARM: one.isKept ? list : '', SETTINGS: 'default' }
  const {
    said,
    stoppedAt: _,
    ...run
  } = await runProgram(program.command, { ...program.env, ...env }, /^\{/, stoppedAfterMs)
  // What the mock still reads of an upload is written down when it has seen the end of it.
  await mock.journal.waitFor({ key, route }, { atLeast: before + 1, within: '5s' }).catch(() => {})
  await sleep(200)
  const sent = mock.journal.count({ key, route }) - before
  return { ...(run.isStopped ? { where: 'call' } : JSON.parse(said)), sent, ...run }
}

async function measureAll(chosen: readonly FaultClient[], found: FaultMeasurements): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'clients-'))
  const bodies = { upload: join(folder, 'upload'), create: join(folder, 'create') }
  writeFileSync(bodies.create, '{"video_url":"https://example.com/cat.mp4#t=5"}')
  const part = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="cat.mp4"\r\nContent-Type: video/mp4\r\n\r\n`
  const clip = readFileSync(join(packageRoot, 'fixtures', 'clips', 'short.mp4'))
  const padding = Buffer.alloc(Math.max(0, 3_000_000 - clip.length))
  writeFileSync(
    bodies.upload,
    Buffer.concat([Buffer.from(part), clip, padding, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  )
  const mock = await startMock({ rateLimit: 0, jobLimit: 0, speed: 'instant', credits: 1_000_000 })
  // Each takes a core while it starts, and a time-out of 2 s must not meet that.
  const gate = new Gate(availableParallelism() * 2)
  try {
    for (const client of chosen) {
      try {
        const toolchain = await install(
          client.registry,
          libraries.filter(({ registry }) => registry === client.registry),
        )
        const program = { command: toolchain.command(client.program), env: toolchain.env ?? {} }
        const seen = await measureClient(mock, gate, client, program, bodies)
        found[client.name] = {
          version: versionOf(client, toolchain),
          date: new Date().toISOString().slice(0, 10),
          seen,
        }
        console.log(`measured ${client.name}`)
      } catch (error) {
        process.exitCode = 1
        console.error(`${client.name}: ${(error as Error).message}`)
      }
    }
  } finally {
    await mock.close()
    rmSync(folder, { recursive: true })
  }
}

function versionOf(client: FaultClient, toolchain: Awaited<ReturnType<typeof install>>): string {
  if (client.package === undefined) return toolchain.versionOf?.(client.program) ?? toolchain.version
  const packages: Record<string, string> = Object.assign({}, ...libraries.map(one => one.packages))
  return packages[client.package] ?? '?'
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { page: { type: 'boolean' } } })
  const unknown = positionals.filter(name => !faultClients.some(one => one.name === name))
  if (unknown.length > 0) {
    console.error(`${unknown.join(', ')} is not measured; there are ${faultClients.map(one => one.name).join(', ')}`)
    process.exitCode = 2
    return
  }
  const found: FaultMeasurements = existsSync(dataFile) ? JSON.parse(readFileSync(dataFile, 'utf8')) : {}
  if (!values.page) {
    await measureAll(
      faultClients.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
      found,
    )
    writeFileSync(dataFile, `${JSON.stringify(found)}\n`)
  }
  writeFileSync(join(packageRoot, 'docs', 'faults.md'), faultsPage(found))
}

await main()
