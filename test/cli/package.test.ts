/**
 * What `npm install understudy-mock` gives, laid out as npm would beside the packages that it depends on, and used there: its
 * files, and its JavaScript as this run of the tests has built it; with --prove the package as it is really built and packed,
 * types among it. `.ci/run` does so, and installs it by npm itself.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { brokenLinks } from '../../.ci/docs/links.ts'
import { writeNpx } from '../../.ci/docs/pack.ts'
import { runPage } from '../../.ci/docs/runPage.ts'
import { packageRoot, packageVersion } from '../../base/paths.ts'
import { clauses } from '../../contracts/clauses.ts'
import { altered, front } from '../suite/checking.ts'
import { builtFile, client, clip, isProving, start } from '../support.ts'

const run = promisify(execFile)
const folder = t.testdir({ 'package.json': JSON.stringify({ name: 'app', private: true, type: 'module' }) })
const quiet = ['--silent', '--no-audit', '--no-fund', '--no-update-notifier']
let packed: string[] = []
// Building and installing take their time on a slow machine.
t.setTimeout(240_000)

const home = join(folder, 'node_modules', 'understudy-mock')
const needsBuild =
  !isProving && 'it needs the types, whose build takes half a minute: --prove has it, which .ci/run gives'

t.test('the package builds and packs', async t => {
  const metadata = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'))
  const bin = join(folder, 'node_modules', '.bin')
  await mkdir(bin, { recursive: true })
  if (isProving) {
    await run('npm', ['run', 'build', ...quiet, '--', '--noCheck'], { cwd: packageRoot })
    const filename = await pack(packageRoot, '--pack-destination', folder)
    await run('tar', ['-xzf', filename, '-C', join(folder, 'node_modules')], { cwd: folder })
    await rename(join(folder, 'node_modules', 'package'), home)
  } else {
    // npm is asked by their names: it would read all that lies in node_modules, and compress what is built.
    const names = t.testdir({})
    copyNames(packageRoot, names)
    copyFileSync(join(packageRoot, 'package.json'), join(names, 'package.json'))
    await pack(names, '--dry-run')
    for (const path of packed) copyInto(packageRoot, path)
    const entries = (Object.values(metadata.exports) as (string | { default: string })[]).flatMap(target =>
      typeof target === 'string' ? [] : [target.default],
    )
    const modules = [...entries, metadata.bin.understudy].map(path => path.replace(/^(\.\/)?dist\/|\.js$/g, ''))
    const { partsOf } = await import(pathToFileURL(join(packageRoot, '.ci', 'bundle.mjs')).href)
    const build = builtFile('.')
    const parts: string[] = partsOf(JSON.parse(await readFile(join(build, 'meta.json'), 'utf8')), modules)
    for (const path of parts) copyInto(build, relative(build, join(packageRoot, path)), 'dist')
  }
  t.ok(packed.length > 40)
  await symlink(join('..', 'understudy-mock', metadata.bin.understudy), join(bin, 'understudy'))
  await chmod(join(bin, 'understudy'), 0o755)

  async function pack(cwd: string, ...args: string[]): Promise<string> {
    const options = { cwd, maxBuffer: 1e8 }
    const [{ filename, files }] = JSON.parse(
      (await run('npm', ['pack', '--ignore-scripts', '--json', ...args, ...quiet], options)).stdout,
    )
    packed = files.map(({ path }: { path: string }) => path)
    return filename
  }

  function copyInto(from: string, path: string, to = '.'): void {
    mkdirSync(dirname(join(home, to, path)), { recursive: true })
    copyFileSync(join(from, path), join(home, to, path))
  }
})

/** A folder's files as empty ones, without what is installed, built or git's. */
function copyNames(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (['node_modules', 'dist', '.git', '.tap'].includes(entry.name)) continue
    if (entry.isDirectory()) {
      mkdirSync(join(to, entry.name))
      copyNames(join(from, entry.name), join(to, entry.name))
    } else writeFileSync(join(to, entry.name), '')
  }
}

t.test('the package holds the code, the fixtures and what a reader needs, and no more', async t => {
  t.same(packed.filter(path => !path.includes('/')).sort(), [
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'llms.txt',
    'package.json',
  ])
  for (const kind of ['clips', 'outputs']) {
    const shipped = packed.filter(path => path.startsWith(`fixtures/${kind}/`)).map(path => path.split('/')[2])
    t.same(shipped.sort(), (await readdir(join(packageRoot, 'fixtures', kind))).sort())
  }
  t.same(
    packed.filter(path => /\.map$|\.test\.|(^|\/)(test|bench|node_modules)\//.test(path)),
    [],
  )
  t.same(
    packed.filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts')),
    [],
    'built, not as source',
  )
  const stale = []
  for (const path of packed) {
    const source = /^dist\/(.*)\.(?:d\.ts|js)$/.exec(path)?.[1]
    // What several entries share lies in dist/chunks and dist/types. The site is made of docs/, the desk of desk/.
    if (source === undefined || /^(chunks|types|site|desk)\//.test(source)) continue
    const [room, name] = [join(packageRoot, source, '..'), `${source.split('/').at(-1)}.ts`]
    if (!(await readdir(room).catch(() => [] as string[])).includes(name)) stale.push(path)
  }
  t.same(stale, [], 'nothing of an older build: if there is, remove dist and build again')
})

t.test('every link of its pages leads somewhere in the package', async t => {
  const pages = packed.filter(path => path.endsWith('.md'))
  t.ok(pages.length > 40)
  for (const page of pages) t.same(brokenLinks(page, await readFile(join(home, page), 'utf8'), home), [], page)
})

t.test(
  'its pages install, import and fetch it by the name that it has at npm, and its command is there by both names',
  async t => {
    const { name, bin } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'))
    t.same(
      Object.keys(bin),
      ['understudy', name],
      'npx, pnpm dlx and yarn dlx run the one that is called as the package',
    )
    const otherPackage =
      /(npm (i|install|add)|--save-dev|-D|add|dlx) understudy(?!-mock)|['"`]understudy(\/[a-z]+)?['"`]\)?$|node_modules\/understudy\b(?!-mock)/m
    t.match('npm install --save-dev understudy\n', otherPackage)
    t.match("import { startMock } from 'understudy'\n", otherPackage)
    const pages = packed.filter(path => /\.(md|yaml|json|d\.ts)$/.test(path))
    const texts = await Promise.all(pages.map(page => readFile(join(packageRoot, page), 'utf8').catch(() => '')))
    t.same(
      pages.filter((_, i) => otherPackage.test(texts[i] ?? '')),
      [],
    )
  },
)

t.test('DL-3 node_modules/.bin/understudy serves, and completes a job whose output is there', async t => {
  const server = spawn(join(folder, 'node_modules', '.bin', 'understudy'), ['serve', '--port', '0', '--speed', '20'], {
    cwd: folder,
    // The package's own files; what ffmpeg makes of a clip is the same from wherever it is called.
    env: { ...process.env, ...(!isProving && { UNDERSTUDY_OUTPUTS: 'canned' }) },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(server, 'exit')
  t.teardown(() => server.kill('SIGKILL') && exited)
  const [greeting] = await once(server.stdout, 'data')
  const url = String(/http:\/\/[\w.:]+/.exec(String(greeting))?.[0])
  t.equal((await fetch(`${url}/health`)).status, 200)
  const health = await run(join(folder, 'node_modules', '.bin', 'understudy'), ['health', url])
  t.equal(health.stdout, `${url}/health is up\n`)

  const lines = String(greeting)
    .split('\n')
    .filter(line => line.startsWith('  '))
  const pasted = await run('bash', ['-euc', lines.join('\necho\n')], { cwd: folder })
  t.match(
    pasted.stdout,
    /"filename":"short\.mp4".*"video_url":"https:\/\/example\.com\/cat\.mp4"/s,
    'what it prints works here',
  )

  const api = client({ url })
  const { body } = await api.upload(await clip('short.mp4'))
  const id = await api.job({ video_url: body.video_url, output_format: 'png_sequence' })
  let job = (await api.get(`/v1/jobs/${id}`)).body
  for (let tries = 0; tries < 90 && job.status !== 'completed'; tries++) {
    await setTimeout(50)
    job = (await api.get(`/v1/jobs/${id}`)).body
  }
  t.match(job, { status: 'completed', duration_seconds: 2 })
  const output = await fetch(job.output_url)
  t.equal(output.status, 200)
  t.equal(Buffer.from(await output.arrayBuffer()).toString('latin1', 0, 2), 'PK')
  server.kill('SIGTERM')
  t.same(await exited, [0, null])
})

t.test("import { startMock } from 'understudy-mock' works there, in JavaScript", async t => {
  const script = `
    import { get } from 'node:http'
    import { startMock } from 'understudy-mock'
    import { errorCases } from 'understudy-mock/contract'
    import metadata from 'understudy-mock/package.json' with { type: 'json' }
    const mock = await startMock({ speed: 'instant', seed: '1' })
    const { statusCode: status } = await new Promise(done => get(mock.url + '/v1/jobs', done))
    console.log(JSON.stringify({ status, count: mock.journal.count(), version: metadata.version, message: errorCases.job_not_found.message }))
    await mock.close()
  `
  await writeFile(join(folder, 'use.js'), script)
  const { stdout } = await run(process.execPath, ['--no-warnings', 'use.js'], { cwd: folder, timeout: 15_000 })
  t.same(JSON.parse(stdout), { status: 401, count: 1, version: packageVersion, message: 'Job not found' })
})

t.test(
  "a recipe makes each clause a case of the user's own suite: passed, failed with evidence, or skipped",
  async t => {
    const mock = await start(t)
    const broken = await front(t, mock, async ({ url }, pass) => {
      const reply = await pass()
      const isIt = url === '/api/pricing' && reply.status === 200
      return isIt ? altered(reply, body => ({ ...body, packages: 'none' })) : reply
    })
    // As if it were installed beside the package.
    await symlink(join(packageRoot, 'node_modules', 'tap'), join(folder, 'node_modules', 'tap'))
    const recipes = [
      { name: 'contract.node.mjs', args: [...(isProving ? ['--test'] : []), '--test-reporter=tap'] },
      { name: 'contract.tap.mjs', args: [] },
    ]
    for (const { name, args } of recipes) {
      const recipe = await readFile(join(packageRoot, 'test', 'recipes', name), 'utf8')
      t.ok(recipe.trim().split('\n').length < 25, `${name} is short`)
      await writeFile(join(folder, 'contract.test.mjs'), recipe)
      const under = (url: string) => {
        const options = { cwd: folder, env: { ...process.env, API_URL: url, API_KEY: 'test_recipe' } }
        return run(process.execPath, [...args, 'contract.test.mjs'], options).catch(failed => failed)
      }
      // Both make their cases of the same report: the one that has words of its own for what failed is red, the other green.
      const isRed = name === 'contract.node.mjs'
      for (const { url } of isProving ? [mock, broken] : [isRed ? broken : mock]) {
        const { code = 0, stdout } = await under(url)
        t.equal(code, url === broken.url ? 1 : 0, `${name} is green where all holds, and only there`)
        const lines: string[] = stdout.split('\n').map((line: string) => line.trim())
        const cases = lines.filter(line => /^(not )?ok \d+ - /.test(line))
        const caseOf = (id: string) => cases.filter(line => line.includes(` - ${id} `))
        for (const id of Object.keys(clauses)) t.equal(caseOf(id).length, 1, `${id} is a case`)
        t.match(caseOf('SYS-1'), [/^ok \d+ - SYS-1 GET \/health: 200\.( # time=.*)?$/])
        t.match(caseOf('RL-3'), [/^ok .* # SKIP it is about what the client does/])
        t.match(caseOf('GO-6'), [/^ok .* # SKIP .*the profile safe does not/])
        t.match(caseOf('CR-2'), [url === broken.url ? /^not ok / : /^ok /])
        if (url === broken.url) t.match(stdout, `curl -i ${broken.url}/api/pricing`, 'with its evidence')
        t.equal(
          lines.filter(line => line.startsWith('not ok') && !line.includes('contract.test.mjs')).length,
          url === broken.url ? 2 : 0,
          'it, and the run',
        )
      }
    }
  },
)

t.test('and in TypeScript, where a wrong option is an error', { skip: needsBuild }, async t => {
  const script = `
    import { type JournalEntry, type MockOptions, type RunningMock, startMock } from 'understudy-mock'
    import type { schemas } from 'understudy-mock/contract'
    const options: MockOptions = { speed: 'instant', seed: '1' }
    const mock: RunningMock = await startMock(options)
    const entries: JournalEntry[] = mock.journal.entries({ route: 'createJob' })
    const model: schemas.Model = 'human'
    // @ts-expect-error: there is no such option
    await startMock({ speeed: 1 })
    // @ts-expect-error: the URL is not a number
    const port: number = mock.url
    // @ts-expect-error: a model that isn't documented
    const other: schemas.Model = 'dog'
    export { entries, model, other, port }
  `
  // Both ways to resolve, by one compiler that reads the libraries' types once.
  // No typings but Node's by themselves: those that lie here are of the tools of this repository.
  const shared = { types: ['node'], noEmit: true, strict: true, skipLibCheck: true, target: 'es2023' }
  const bundler = { module: 'esnext', moduleResolution: 'bundler', listFiles: true }
  const written = {
    'use.ts': script,
    'type.ts': "export type { RunningMock } from 'understudy-mock'\n",
    'use.json': JSON.stringify({ compilerOptions: { ...shared, module: 'nodenext' }, files: ['use.ts'] }),
    'type.json': JSON.stringify({ compilerOptions: { ...shared, ...bundler }, files: ['type.ts'] }),
  }
  for (const [name, text] of Object.entries(written)) await writeFile(join(folder, name), text)
  const tsc = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [tsc, '--build', 'use.json', 'type.json']
  const { stdout } = await run(process.execPath, args, { cwd: folder }).catch(failed => failed)
  const files: string[] = stdout.split('\n').filter((line: string) => line !== '')
  t.same(
    files.filter(line => !line.startsWith('/')),
    [],
    'no error',
  )
  t.ok(files.some(file => file.endsWith('/type.ts')))
  // A type of the mock loads no typings of what the mock is made of.
  const foreign = files.filter(file => /\/node_modules\//.test(file))
  t.same(
    foreign.filter(file => !/node_modules\/(typescript|understudy-mock|@types|undici-types|buffer)\//.test(file)),
    [],
  )
})

t.test('the types for one test runner load no other, which may not be installed', { skip: needsBuild }, async t => {
  const runners = join(home, 'dist', 'runners')
  const typesOf: Record<string, string[]> = {}
  for (const name of (await readdir(runners)).filter(one => one.endsWith('.d.ts'))) {
    const text = await readFile(join(runners, name), 'utf8')
    const from = [...text.matchAll(/^(?:import|export) .* from '([^']+)'/gm)].map(([, module = '']) => module)
    typesOf[name] = [...new Set(from)].filter(module => !module.startsWith('../'))
  }
  t.same(typesOf, {
    'jest.d.ts': [],
    'nodeTest.d.ts': ['node:test'],
    'playwright.d.ts': ['@playwright/test'],
    'vitest.d.ts': ['vitest'],
  })
})

t.test('require() finds it too, as Jest and other CommonJS code load it', async t => {
  const script =
    "const { startMock } = require('understudy-mock'); startMock().then(mock => mock.close()).then(() => console.log('closed'))"
  const { stdout } = await run(process.execPath, ['--no-warnings', '--input-type=commonjs', '-e', script], {
    cwd: folder,
  })
  t.equal(stdout, 'closed\n')
})

// The pages themselves are run by `npm run docs:check`, in the same way.
t.test('a page is run in it: an output that was changed by hand is found, and a command that fails', async t => {
  await writeNpx(folder)
  const page = `\`\`\`console
$ echo $((1 + 1))
2
$ npx understudy --version
9.9.9
$ node -e "process.exit(3)"
\`\`\`
`
  t.match(await runPage(page, folder), [
    { line: 5, text: /`9\.9\.9` is shown/ },
    { line: 6, text: /exit code 3/ },
  ])
  if (isProving) t.same(await runPage(await readFile(join(packageRoot, 'docs', 'first-steps.md'), 'utf8'), folder), [])
})
