/**
 * The fixtures in the runners that they are for: a project of two files for each, which run in two workers at the same time. Each
 * file waits for the mock of the other, so that a runner with one worker would not end. What the docs show comes first in them, in
 * the same files, as each file costs a process: after a test that failed Playwright starts another worker for what is left.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import t from 'tap'
import { blocksOf } from '../../.ci/docs/page.ts'
import { packageRoot } from '../../base/paths.ts'
import { builtFile } from '../support.ts'

interface Case {
  state: 'passed' | 'failed'
  /** All that the report says of it. */
  told: string
}

interface Runner {
  /** What a test file begins with. */
  head: string
  /** The parameters of a test's body. */
  given: string
  file: (name: string) => string
  config?: Record<string, string>
  command: readonly string[]
  /** The files that the docs show of it: tests that are green. */
  shown: Record<string, string>
  /** Those of them whose tests the two files begin with; a file without begins with `head`. */
  begun: readonly string[]
  /** The cases in the runner's own report, by their titles. */
  read(stdout: string, folder: string): Promise<Map<string, Case>>
}

const bin = (path: string) => join(packageRoot, 'node_modules', path)
const guide = (name: string) => readFileSync(join(packageRoot, 'docs', 'guides', name), 'utf8')

/** The files that a page shows, or a section of it. */
function shownIn(page: string, section = ''): Record<string, string> {
  const from = page.indexOf(section)
  const to = page.indexOf('\n## ', from + 1)
  const blocks = blocksOf(section === '' ? page : page.slice(from, to === -1 ? undefined : to))
  return Object.fromEntries(blocks.flatMap(block => (block.kind === 'file' ? [[block.name, block.text] as const] : [])))
}

const runnersPage = guide('test-runners.md')

const runners: Record<string, Runner> = {
  vitest: {
    head: "import { expect, test } from 'understudy-mock/vitest'",
    given: '{ understudy }',
    file: name => `${name}.test.mjs`,
    config: { 'vitest.config.mjs': 'export default { test: { maxWorkers: 2, testTimeout: 60_000 } }' },
    shown: shownIn(runnersPage, '## Vitest'),
    begun: ['shop.test.mjs'],
    command: [
      bin('vitest/vitest.mjs'),
      'run',
      '--reporter=json',
      '--reporter=junit',
      '--outputFile.json=report.json',
      '--outputFile.junit=junit.xml',
    ],
    async read(_stdout, folder) {
      const { testResults } = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))
      const junit = await readFile(join(folder, 'junit.xml'), 'utf8')
      const printed = (title: string) => junit.split('<testcase ').find(one => one.includes(`name="${title}"`)) ?? ''
      return new Map(
        testResults.flatMap(({ assertionResults }: { assertionResults: never[] }) =>
          assertionResults.map(({ title, status, failureMessages }: Record<string, string>) => [
            title as string,
            { state: status, told: failureMessages + printed(title as string) },
          ]),
        ),
      )
    },
  },
  jest: {
    // CommonJS, without --experimental-vm-modules.
    head: '',
    given: '',
    file: name => `${name}.test.js`,
    config: {
      'jest.config.js':
        "module.exports = { testEnvironment: 'understudy-mock/jest', transform: {}, maxWorkers: 2, testTimeout: 60_000 }",
    },
    shown: shownIn(runnersPage, '## Jest'),
    begun: ['shop.test.js'],
    command: [bin('jest/bin/jest.js'), '--json', '--watchman=false', '--cache=false'],
    read: async stdout =>
      new Map(
        JSON.parse(stdout).testResults.flatMap(({ assertionResults }: { assertionResults: never[] }) =>
          assertionResults.map(({ title, status, failureMessages }: Record<string, string>) => [
            title as string,
            { state: status, told: String(failureMessages) },
          ]),
        ),
      ),
  },
  playwright: {
    head: "import { expect, test } from 'understudy-mock/playwright'",
    given: '{ understudy }',
    file: name => `${name}.spec.mjs`,
    config: { 'playwright.config.mjs': 'export default { timeout: 60_000, workers: 2, reporter: "json" }' },
    shown: shownIn(guide('playwright.md')),
    // One has the options of the fixture, the other those of its fixtures.mjs: not in one worker either way.
    begun: ['api.spec.mjs', 'shop.spec.mjs'],
    command: [bin('@playwright/test/cli.js'), 'test'],
    read: async stdout =>
      new Map(
        JSON.parse(stdout).suites.flatMap(({ specs }: { specs: never[] }) =>
          specs.map(({ title, tests }: { title: string; tests: { results: Record<string, unknown>[] }[] }) => {
            const [result] = tests.flatMap(one => one.results)
            const { status, errors, attachments } = result as unknown as {
              status: string
              errors: { message: string }[]
              attachments: { name: string; body?: string }[]
            }
            const attached = attachments.map(one => `${one.name}\n${Buffer.from(one.body ?? '', 'base64')}`)
            return [title, { state: status, told: [...errors.map(({ message }) => message), ...attached].join('\n') }]
          }),
        ),
      ),
  },
  'node-test': {
    head: "import { expect, test } from 'understudy-mock/node-test'",
    given: 't, understudy',
    file: name => `${name}.test.mjs`,
    shown: { ...shownIn(runnersPage, '## Vitest'), ...shownIn(runnersPage, '## node:test') },
    begun: ['shop.test.mjs'],
    command: ['--test', '--test-reporter=junit', '--test-concurrency=2', ...['x', 'y'].map(name => `${name}.test.mjs`)],
    async read(stdout) {
      const cases = stdout.split('<testcase ').slice(1)
      return new Map(
        cases.map(told => {
          const title = /name="([^"]*)"/.exec(told)?.[1] ?? ''
          return [title, { state: told.includes('<failure') ? 'failed' : 'passed', told }] as const
        }),
      )
    },
  },
}

const testFile = ({ head, given }: Runner, begin: string | undefined, name: string, other: string) => `
${begin ?? head}
const { existsSync, readFileSync, writeFileSync } = process.getBuiltinModule('node:fs')
const call = ({ url, key }, path, body, headers = {}) =>
  fetch(url + path, {
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'X-Api-Key': key, 'Content-Type': 'application/json', ...headers },
  })
const orderJob = (understudy, video = 'cat', headers = {}) =>
  call(understudy, '/v1/jobs', { video_url: 'https://example.com/' + video + '.mp4' }, headers)

test('${name} one order', async (${given}) => {
  // First, so that whatever is found below, the other one does not wait for ever.
  writeFileSync('url-${name}', understudy.url)
  await understudy.use('internal-error-once')
  await orderJob(understudy)
  // Much more than a busy machine takes between two lines.
  await understudy.clock.step('60s')
  await orderJob(understudy)
  expect(await understudy.calls('createJob')).toHaveBeenCalledTimes(2)
  await expect(understudy).toHaveWaited('createJob', ['60s'], { tolerance: '20%' })
  await expect(understudy).toKeepConduct('RL-3')
  // The mock of the other worker is up as well, and nothing of it is seen here.
  while (!existsSync('url-${other}') || readFileSync('url-${other}', 'utf8') === '') await new Promise(resolve => setTimeout(resolve, 10))
  if (readFileSync('url-${other}', 'utf8') === understudy.url) throw new Error('one mock for both workers')
  if ((await understudy.mock.journal.count()) !== 2) throw new Error('calls of another test')
})

test('${name} sends a refused order again', async (${given}) => {
  await call(understudy, '/v1/jobs', { video_url: 'none' })
  await call(understudy, '/v1/jobs', { video_url: 'none' })
${name === 'x' ? '' : "  await expect(understudy).toKeepConduct('ERR-3')"}
})
`

for (const [name, runner] of Object.entries(runners)) {
  t.test(
    `${name}: a good client is green, one that breaks ERR-3 red with what it did`,
    { timeout: 120_000 },
    async t => {
      const [ofX, ofY] = runner.begun
      const others = Object.entries(runner.shown).filter(([file]) => !runner.begun.includes(file))
      const folder = t.testdir({
        ...Object.fromEntries(others),
        ...runner.config,
        [runner.file('x')]: testFile(runner, runner.shown[ofX ?? ''], 'x', 'y'),
        [runner.file('y')]: testFile(runner, runner.shown[ofY ?? ''], 'y', 'x'),
        'package.json': '{ "private": true }',
      })
      await linkPackage(folder)
      const { stdout, stderr, code } = await run(runner.command, folder)
      t.equal(code, 1)
      const cases = await runner
        .read(stdout, folder)
        .catch(error => t.fail(`${error} ${stdout} ${stderr}`.slice(0, 3000)) as never)
      const titles = Object.values(runner.shown).flatMap(text =>
        [...text.matchAll(/^test\('([^']+)'/gm)].map(found => found[1]),
      )
      t.ok(titles.length >= 2)
      for (const title of titles) t.equal(cases.get(title as string)?.state, 'passed', `the docs: ${title}`)
      for (const file of ['x', 'y']) {
        const missing: Case = { state: 'failed', told: `it is missing: ${stdout}${stderr}`.slice(0, 3000) }
        const good = cases.get(`${file} one order`) ?? missing
        t.equal(good.state, 'passed', good.told)
        t.notMatch(good.told, 'of the journal')
        const { state, told } = cases.get(`${file} sends a refused order again`) ?? missing
        t.equal(state, 'failed')
        t.match(told, file === 'x' ? '1 rule of conduct failed' : 'ERR-3 failed')
        t.match(told, /errors\.client-errors-not-retried \(ERR-3\)[\s\S]*sent POST \/v1\/jobs again/, 'why')
        const journal =
          /2 entries of the journal, key test_[\s\S]*#\d+ POST \/v1\/jobs → 400 invalid_request req_\w+[\s\S]*#\d+ \+\d/
        t.match(told, journal, 'the journal')
      }
    },
  )
}

/** As if it were installed: what the package exports, as this run of the tests has built it. */
async function linkPackage(folder: string): Promise<void> {
  const home = join(folder, 'node_modules', 'understudy-mock')
  await mkdir(home, { recursive: true })
  await symlink(resolve(builtFile('.')), join(home, 'dist'))
  const { exports } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'))
  await writeFile(join(home, 'package.json'), JSON.stringify({ name: 'understudy-mock', type: 'module', exports }))
}

interface Ended {
  code: unknown
  stdout: string
  stderr: string
}

/** A runner in its folder, with nothing of the environment that says what it runs in. */
const run = (args: readonly string[], cwd: string): Promise<Ended> =>
  new Promise(done => {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, NO_COLOR: '1' }
    execFile(process.execPath, args, { cwd, env, maxBuffer: 1e8, timeout: 60_000 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
