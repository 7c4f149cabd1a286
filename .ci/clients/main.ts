/**
 * `npm run clients` measures every library of libraries.ts and writes docs/clients.md; `npm run clients -- got ky` those
 * rows alone, `-- --page` writes the page from what was measured last. Real time: minutes. No part of CI.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../base/paths.ts'
import { startMock } from '../../server/index.ts'
import { cacheFolder, install } from './install.ts'
import { type Library, libraries, type Registry } from './libraries.ts'
import { Gate, type Measured, measure } from './measure.ts'
import { clientsPage, hasCareful } from './page.ts'

/** What the page is made from; a row that is measured again replaces its own alone. */
export interface Measurements {
  /** Why the libraries of a registry were not measured, by its name. */
  missing: Partial<Record<Registry, string>>
  rows: Record<string, Row>
}

export interface Row {
  version: string
  toolchain: string
  /** The day, UTC. */
  date: string
  default: Measured
  careful?: Measured
}

const dataFile = join(import.meta.dirname, 'measured.json')
const page = join(packageRoot, 'docs', 'clients.md')

async function measureAll(chosen: readonly Library[], atOnce: number, found: Measurements): Promise<void> {
  const mock = await startMock({ rateLimit: 0, jobLimit: 0, speed: 'instant', credits: 1_000_000 })
  const gates = { running: new Gate(atOnce), starting: new Gate(availableParallelism()) }
  try {
    const registries = [...new Set(chosen.map(({ registry }) => registry))]
    await Promise.all(
      registries.map(one =>
        measureRegistry(
          one,
          chosen.filter(({ registry }) => registry === one),
        ),
      ),
    )
  } finally {
    await mock.close()
  }

  async function measureRegistry(registry: Registry, own: readonly Library[]): Promise<void> {
    const all = libraries.filter(one => one.registry === registry)
    const toolchain = await install(registry, all).catch((error: Error) => {
      found.missing[registry] = error.message.split('\n', 1)[0] as string
      console.error(`${registry}: not measured: ${error.message}`)
    })
    if (toolchain === undefined) return
    delete found.missing[registry]
    await Promise.all(
      own.map(async library => {
        const program = { command: toolchain.command(library.program), env: toolchain.env ?? {} }
        try {
          const [plain, careful] = await Promise.all([
            measure(mock, gates, library.name, program, 'default'),
            hasCareful(library) ? measure(mock, gates, library.name, program, 'careful') : undefined,
          ])
          found.rows[library.name] = {
            version: Object.values(library.packages)[0] ?? toolchain.versionOf?.(library.program) ?? '?',
            toolchain: toolchain.version,
            date: new Date().toISOString().slice(0, 10),
            default: plain,
            ...(careful && { careful }),
          }
          console.log(`measured ${library.name}`)
        } catch (error) {
          process.exitCode = 1
          console.error(`${library.name}: ${(error as Error).message}`)
        }
      }),
    )
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { page: { type: 'boolean' }, 'at-once': { type: 'string', default: '64' } },
  })
  const unknown = positionals.filter(name => !libraries.some(one => one.name === name || one.registry === name))
  if (unknown.length > 0) {
    console.error(`${unknown.join(', ')} is not measured; there are ${libraries.map(one => one.name).join(', ')}`)
    process.exitCode = 2
    return
  }
  const found: Measurements = existsSync(dataFile)
    ? JSON.parse(readFileSync(dataFile, 'utf8'))
    : { missing: {}, rows: {} }
  const chosen = libraries.filter(
    ({ name, registry }) => positionals.length === 0 || positionals.includes(name) || positionals.includes(registry),
  )
  if (!values.page) {
    console.log(`${chosen.length} libraries; installed in ${cacheFolder}`)
    await measureAll(chosen, Number(values['at-once']), found)
    const order = libraries.flatMap(({ name }) => (found.rows[name] ? [[name, found.rows[name]]] : []))
    found.rows = Object.fromEntries(order)
    // A row to a line: what was measured again is all that differs.
    const rows = Object.entries(found.rows).map(([name, row]) => `${JSON.stringify(name)}:${JSON.stringify(row)}`)
    writeFileSync(dataFile, `{"missing":${JSON.stringify(found.missing)},"rows":{\n${rows.join(',\n')}\n}}\n`)
  }
  writeFileSync(page, clientsPage(found))
}

await main()
