/**
 * `npm run prove`: the suite against servers that are broken in one place, and against correct ones that are different.
 * Each mutant's clause has to be accused and no innocent one; of the correct ones, none. Prints a row for each, and
 * exits 1 unless all of them came out right.
 *
 *   npm run prove -- --only retry-after-short    one mutant or variant, with what the suite said
 *   npm run prove -- --sample 12 --runs 1        a few
 *   npm run prove -- --load                      with every CPU kept busy
 */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { mutants, variants } from '../../server/mutants/index.ts'
import { isMutant, type Mutant, type Variant } from '../../server/mutants/mutant.ts'
import type { Report } from '../../suite/report.ts'
import { reporters } from '../../suite/reporters/index.ts'
import { judgeServer } from './judge.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sample: { type: 'string' },
    runs: { type: 'string', default: '10' },
    seed: { type: 'string', default: 'prove' },
    atOnce: { type: 'string', default: '4' },
    load: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    variants: { type: 'boolean', default: false },
  },
})

interface Row {
  id: string
  what: string
  isRight: boolean
  said: string
  ms: number
  reports: Report[]
}

async function prove(server: Mutant | Variant, n: number): Promise<Row> {
  const startedAt = performance.now()
  const reports: Report[] = []
  const problems = new Set<string>()
  for (let run = 0; run < (isMutant(server) ? 1 : Number(values.runs)); run++) {
    const judged = await judgeServer(server, { seed: `${values.seed} ${n} ${run}` })
    reports.push(judged.report)
    for (const problem of judged.problems) problems.add(problem)
  }
  const { breaks } = isMutant(server) ? server : { breaks: [] }
  const said = problems.size > 0 ? [...problems].join('; ') : breaks.length > 0 ? breaks.join(' ') : 'nothing accused'
  return {
    id: server.id,
    what: server.what,
    isRight: problems.size === 0,
    said,
    ms: performance.now() - startedAt,
    reports,
  }
}

const every = <T>(all: readonly T[], sample: number): T[] =>
  all.filter((_, i) => Math.floor((i * sample) / all.length) !== Math.floor(((i - 1) * sample) / all.length) || i === 0)

const chosen = (
  values.only !== undefined
    ? [...mutants, ...variants].filter(({ id }) => values.only?.split(',').includes(id))
    : [...(values.variants ? [] : mutants), ...(values.mutants ? [] : variants)]
) as (Mutant | Variant)[]
const servers = values.sample === undefined ? chosen : every(chosen, Number(values.sample))
if (servers.length === 0) {
  console.error(`there is no mutant or variant ${JSON.stringify(values.only)}`)
  process.exit(2)
}

/** Each CPU has a process: it is told which server is next, and tells how that one came out. */
if (process.env.PROVE_PART !== undefined) {
  process.on('message', async (n: number) => process.send?.({ n, row: await prove(servers[n] as Mutant | Variant, n) }))
  await once(process, 'disconnect')
  process.exit()
}

const spinners = values.load
  ? Array.from({ length: availableParallelism() }, () => new Worker('for (;;) {}', { eval: true }))
  : []
const rows: Row[] = []
let next = 0
const processes = Math.min(availableParallelism(), servers.length)
await Promise.all(
  Array.from({ length: processes }, async () => {
    const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
      env: { ...process.env, PROVE_PART: '1' },
    })
    const waiting = new Map<number, (row: Row) => void>()
    child.on('message', ({ n, row }: { n: number; row: Row }) => waiting.get(n)?.(row))
    const broken = once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`a process of prove ended with ${code}`)),
    )
    broken.catch(() => {})
    const proveNext = async (): Promise<void> => {
      while (next < servers.length) {
        const n = next++
        const judged = new Promise<Row>(resolve => waiting.set(n, resolve))
        child.send(n)
        const row = await Promise.race([judged, broken])
        rows.push(row)
        const { id, what, isRight, said, ms } = row
        console.log(
          `${isRight ? 'ok    ' : 'NOT OK'} ${id.padEnd(34)} ${said.padEnd(26)} ${what} (${(ms / 1000).toFixed(1)} s)`,
        )
      }
    }
    await Promise.all(Array.from({ length: Math.ceil(Number(values.atOnce) / processes) }, proveNext))
    child.disconnect()
  }),
)
for (const spinner of spinners) await spinner.terminate()

const wrong = rows.filter(({ isRight }) => !isRight)
if (values.only !== undefined) for (const { reports } of rows) console.log(reporters.pretty(reports[0] as Report))
const count = (isKind: (server: Mutant | Variant) => boolean) => servers.filter(isKind).length
console.log(
  `\n${count(isMutant)} mutants, ${count(server => !isMutant(server))} correct servers in ${values.runs} runs each: ` +
    (wrong.length === 0
      ? 'each accused where it is broken, and nowhere else'
      : `${wrong.length} came out wrong: ${wrong.map(({ id }) => id).join(', ')}`),
)
// Without a choice among the servers, the other proofs of which `npm test` has a sample.
const proofs = [
  'cli/cli',
  'cli/package',
  'cli/signals',
  'conduct/proof',
  'conduct/conduct',
  'drills/compare',
  'journeys/journeys',
  'journeys/recipes',
  'mutate/mutate',
  'recordings/fromHar',
  'replay/replay',
  'server/mutants',
  'server/playback',
  'server/streaming',
  'suite/check',
  'suite/checkRecording',
]
const areRight =
  values.only !== undefined || values.sample !== undefined || values.mutants || values.variants
    ? true
    : spawnSync(
        process.execPath,
        ['test/run.mjs', '--prove', '--timeout=900', ...proofs.map(name => `test/${name}.test.ts`)],
        {
          stdio: 'inherit',
        },
      ).status === 0
process.exitCode = wrong.length === 0 && areRight ? 0 : 1
