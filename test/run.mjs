/**
 * `npm test`: builds sources and tests once, runs the test files in a few Node processes without any loader, one after the other
 * in each, and hands the results to tap's reporters.
 *
 *   npm test                                    all
 *   npm test -- test/server/faults.test.ts      some files, or all of a folder
 *   npm test -- --jobs=1 --reporter=tap         --jobs and --timeout (in seconds), and any option of tap's reporters
 *   npm test -- --prove test/conduct            proofs in full, of which the tests have a sample otherwise
 *
 * The `tap` command by itself would have a process for each file, and load its TypeScript, mock and coverage hooks into each of
 * them and all that they start. Nothing here uses them, and they take longer than most of the files do.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, normalize } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { bundle } from '../.ci/bundle.mjs'
import { buildDesk } from '../.ci/desk/build.mjs'

const { values, tokens } = parseArgs({
  options: {
    // One more than there are CPUs: some files wait for what they have started.
    jobs: { type: 'string', default: String(availableParallelism() + 1) },
    timeout: { type: 'string', default: '300' },
    prove: { type: 'boolean', default: false },
  },
  allowPositionals: true,
  strict: false,
  tokens: true,
})
const wanted = tokens.filter(({ kind }) => kind === 'positional').map(({ value }) => normalize(value))
const forTap = process.argv
  .slice(2)
  .filter(argument => argument.startsWith('-') && !/^--(prove$|(jobs|timeout)=)/.test(argument))
const timeoutSeconds = Number(values.timeout)

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.test.ts'))
  .map(name => join('test', name))
  .filter(name => wanted.length === 0 || wanted.some(path => name === path || name.startsWith(join(path, '/'))))
  // The long ones first, as far as their size tells: none of them is left over for one core at the end.
  .sort((a, b) => statSync(b).size - statSync(a).size)
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`)
  process.exit(1)
}

// Below node_modules, so that git and the linter pass it by; a folder for each run, so that two don't meet.
const outdir = join('node_modules', '.cache', 'understudy', `test-${process.pid}`)
process.once('exit', () => rmSync(outdir, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
if (files.some(name => name.startsWith(join('test', 'desk')))) await buildDesk()
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const exported = Object.values(exports).flatMap(({ default: path }) =>
  path ? [path.slice('./dist/'.length, -'.js'.length)] : [],
)
const entries = [
  ...exported.map(name => `${name}.ts`),
  'cli/bin.ts',
  'conduct/fromRecording.ts',
  'test/support.ts',
  'test/worker.ts',
  ...files,
]
/** What a test file has as tap is the test of that file in its process. */
/** @type {import('esbuild').Plugin} */
const tapOfFile = {
  name: 'tap-of-file',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^tap$/ }, ({ importer }) =>
      importer.endsWith('.test.ts') ? { path: importer, namespace: 'tap-of-file' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'tap-of-file' }, () => ({
      contents: `import { testOfFile } from './test/worker.ts'
        const t = testOfFile()
        export const test = t.test.bind(t)
        export default t`,
      resolveDir: process.cwd(),
    }))
  },
}
const metafile = await bundle(
  entries.map(entry => entry.replace(/\.ts$/, '')),
  outdir,
  // tap is a hundred files, and each test file would read them all.
  { inside: ['tap'], alias: { 'async-hook-domain': './test/noDomain.mjs' }, plugins: [tapOfFile], sourcemap: true },
)
// Which files are those of an entry: for test/cli/package.test.ts.
writeFileSync(join(outdir, 'meta.json'), JSON.stringify(metafile))

/**
 * A process that runs one file after the other, so that what they have in common is loaded, and compiled by V8, once. Each
 * file's TAP is one subtest of it. Another process takes its place when it has ended, as one does whose file threw something
 * that nobody caught.
 */
class Worker {
  #child
  #lines = []
  /** The file's own lines have begun, its test point has come. */
  #isBegun = false
  #isOver = false
  #settle = () => {}
  #before = ''

  /** Runs a file; resolves with its TAP, its test point numbered. */
  async run(file, number) {
    const startedAt = performance.now()
    let isWhole = false
    for (;;) {
      if (!this.#child?.connected) this.#start()
      const child = this.#child
      this.#lines = []
      this.#isBegun = this.#isOver = false
      const settled = new Promise(resolve => {
        this.#settle = resolve
      })
      child.send(file, error => error && this.#settle(false))
      // tap ends a file that takes too long, and says where it was; this is for one that can't listen any more.
      const stuck = setTimeout(() => child.kill('SIGKILL'), (timeoutSeconds + 30) * 1000)
      isWhole = await settled
      clearTimeout(stuck)
      if (!isWhole) this.#child = undefined
      if (isWhole || this.#isBegun) break
      console.error(`${this.#before} has left something behind that ended its process`)
      process.exitCode = 1
    }
    this.#before = file
    const text = this.#lines.join('\n')
    if (isWhole) return `${text.replace(/(?<=^(?:not )?ok )\d+(?= - )/m, number)}\n\n`
    const ms = (performance.now() - startedAt).toFixed(0)
    return `${text}\nnot ok ${number} - ${file} # time=${ms}ms\n  ---\n  message: its process has ended\n  ...\n\n`
  }

  /** Has it end. */
  async close() {
    if (!this.#child?.connected) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }

  #start() {
    const child = spawn(process.execPath, ['--enable-source-maps', join(outdir, 'test', 'worker.js')], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: {
        ...process.env,
        TAP: '1',
        TAP_TIMEOUT: '0',
        TEST_TIMEOUT: String(timeoutSeconds),
        TEST_BUILD: outdir,
        ...(values.prove && { TEST_PROVE: '1' }),
      },
    })
    this.#child = child
    createInterface({ input: child.stdout }).on('line', line => {
      if (this.#child !== child || line === 'TAP version 14' || /^1\.\.\d+|^# (?!Subtest)/.test(line)) return
      this.#isBegun ||= line.startsWith('# Subtest: ')
      this.#lines.push(line)
      // A test point may have lines of its own, and then an empty one.
      this.#isOver ||= /^(not )?ok \d+ - /.test(line)
      if (this.#isOver && line === '') this.#settle(true)
    })
    child.on('close', () => this.#child === child && this.#settle(false))
  }
}

const reporter = spawn(process.execPath, ['node_modules/tap/dist/esm/run.mjs', '-', ...forTap], {
  stdio: ['pipe', 'inherit', 'inherit'],
})
const ended = once(reporter, 'exit')
reporter.stdin.write(`TAP version 14\n1..${files.length}\n`)
const queue = [...files]
let number = 0
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    const worker = new Worker()
    for (let file = queue.shift(); file; file = queue.shift()) reporter.stdin.write(await worker.run(file, ++number))
    await worker.close()
  }),
)
reporter.stdin.end()
const [code] = await ended
process.exitCode ||= code ?? 1
