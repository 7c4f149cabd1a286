/**
 * `npm run lint:outputs`: makes each report once from a short run, the OpenAPI document, the metrics and a docs page, and
 * has the validators of those who read them look at it. Tools of npm are run by npx at a fixed version, so that they are
 * no dependencies; xmllint and promtool are Debian packages (libxml2-utils, prometheus): one that is not there is named.
 * A session with every route goes through Prism's proxy (prism.ts). The module for Testcontainers is type checked with that package.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Ajv } from 'ajv'
import { packageRoot } from '../base/paths.ts'
import { main } from '../cli/main.ts'
import { mutants } from '../server/mutants/index.ts'
import { startMock } from '../server/start.ts'
import { startMutant } from '../test/mutants/start.ts'
import { prismViolations } from './prism.ts'

const grafana = join(packageRoot, 'docs', 'grafana')
const folder = mkdtempSync(join(tmpdir(), 'understudy-outputs-'))
const at = (name: string) => join(folder, name)
const problems: string[] = []

const reporters = (name: string, kinds: Readonly<Record<string, string>>) =>
  Object.entries(kinds).flatMap(([kind, ending]) => ['--reporter', `${kind}=${at(`${name}.${ending}`)}`])
const usual = { json: 'json', junit: 'xml', html: 'html' }
const withSarif = { ...usual, sarif: 'sarif' }

async function run(...args: string[]): Promise<void> {
  let said = ''
  const stderr = { write: (text: string) => (said += text) }
  const io = {
    stdin: Readable.from(['']),
    stdout: stderr,
    stderr,
    env: process.env,
    signal: new AbortController().signal,
  }
  const code = await main(args, io)
  if (code > 1) throw new Error(`understudy ${args.join(' ')}: exit ${code}\n${said}`)
}

async function makeOutputs(): Promise<void> {
  const mock = await startMock({ port: 0, speed: 'instant', logLevel: 'silent', rateLimit: 0, jobLimit: 0 })
  const broken = await startMutant(mutants.find(({ id }) => id === 'codes-in-capitals') as (typeof mutants)[number], {
    speed: 'instant',
  })
  const skip = ['--skip', 'uploads.too-large,uploads.largest,limits,webhooks.retry']
  try {
    await run('check', mock.url, ...skip, ...reporters('check', withSarif))
    await run('check', broken.url, ...skip, ...reporters('check-red', withSarif))
    writeFileSync(at('calls.har'), mock.journal.har())
    await run('check', at('calls.har'), ...reporters('check-recording', withSarif))
    await run('conduct', at('calls.har'), ...reporters('conduct', withSarif))
    await run(
      'drill',
      'sustain',
      mock.url,
      '--key',
      'test_drill',
      '--rate',
      '20',
      '--duration',
      '1s',
      ...reporters('drill', usual),
    )
    const list = `fetch(process.env.UNDERSTUDY_BASE_URL + '/v1/jobs', { headers: { 'x-api-key': process.env.UNDERSTUDY_API_KEY } })`
    await run('mutate', '--only', 'JOB-6', ...reporters('mutate', withSarif), '--', process.execPath, '-e', list)
    await checkReceiver()
    const text = async (path: string) => (await fetch(mock.url + path)).text()
    writeFileSync(at('openapi.json'), await text('/openapi.json'))
    writeFileSync(at('control.openapi.json'), await text('/__mock/openapi.json'))
    writeFileSync(at('metrics.txt'), await text('/metrics'))
    const open = await fetch(`${mock.url}/metrics`, { headers: { accept: 'application/openmetrics-text' } })
    writeFileSync(at('openmetrics.txt'), withTimes(await open.text()))
  } finally {
    await mock.close()
    await broken.close()
  }
}

/** Of one that takes all, the forged ones too: some of its checks pass, some fail, and some are skipped. */
async function checkReceiver(): Promise<void> {
  const server = createServer((request, response) => request.resume().once('end', () => response.writeHead(204).end()))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
  try {
    await run('webhook-check', url, '--secret', 'whsec_test', ...reporters('webhook-check', withSarif))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const filesOf = (ending: string) =>
  readdirSync(folder)
    .filter(name => name.endsWith(ending))
    .map(at)

/** What is read into a database needs a time at each sample, which a scrape has by itself. */
const withTimes = (text: string): string =>
  text.replace(/^([^#\s{]+(?:\{(?:[^"}]|"[^"]*")*\})?) (\S+)/gm, '$1 $2 1764000000')

/** The dashboard's queries as rules, which promtool takes apart; and each metric that they name is one of the mock's. */
function dashboardRules(): string {
  const { panels } = JSON.parse(readFileSync(join(grafana, 'understudy.json'), 'utf8')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const known = readFileSync(at('metrics.txt'), 'utf8')
  const rules = panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }, i) => {
      for (const [metric] of expr.matchAll(/\b(understudy|process|nodejs)_\w+/g))
        if (!known.includes(metric)) problems.push(`the panel ${title}: /metrics has no ${metric}`)
      const record = `${title.replace(/\W+/g, '_')}_${i}`
      return { record, expr: expr.replaceAll('$__rate_interval', '1m') }
    }),
  )
  return JSON.stringify({ groups: [{ name: 'dashboard', rules }] })
}

/** Runs a validator; what it prints is shown where it fails. `isClean` looks closer, where its exit code does not tell. */
function validate(
  command: string,
  args: readonly string[],
  { input, isClean, called }: { input?: string; isClean?: (said: string) => boolean; called?: string } = {},
): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    ...(input !== undefined && { input }),
  })
  const name = called ?? args.find(word => /@v?\d/.test(word)) ?? command
  if (error) {
    console.log(`${name}: not installed, not run`)
    return
  }
  const isGood = status === 0 && (isClean?.(stdout + stderr) ?? true)
  console.log(`${name}: ${isGood ? 'clean' : 'failed'}`)
  if (!isGood) problems.push(`${name}\n${stdout}${stderr}`)
}

/** A tool of Go, built at a fixed version; Go keeps what it has built. */
const goRun = (tool: string, args: readonly string[], more?: Parameters<typeof validate>[2]) =>
  validate('go', ['run', tool, ...args], more)

/** action.yml by GitHub's schema, and the workflows that the docs show by actionlint, which looks up the action's inputs too. */
function validateAction(): void {
  validate('npx', [
    '-y',
    '-p',
    '@action-validator/core@0.6.0',
    '-p',
    '@action-validator/cli@0.6.0',
    'action-validator',
    join(packageRoot, 'action.yml'),
  ])
  const workflows = at('.github/workflows')
  mkdirSync(workflows, { recursive: true })
  copyFileSync(join(packageRoot, 'action.yml'), at('action.yml'))
  const guide = readFileSync(join(packageRoot, 'docs', 'guides', 'ci.md'), 'utf8')
  for (const [i, [, block = '']] of [...guide.matchAll(/^```yml\n(# \.github[\s\S]*?)^```/gm)].entries())
    writeFileSync(join(workflows, `${i}.yml`), block.replaceAll('understudy-mock/understudy@v0', './'))
  spawnSync('git', ['init', '-q', folder])
  goRun('github.com/rhysd/actionlint/cmd/actionlint@v1.7.12', [])
  validate('bash', ['-n', join(packageRoot, 'integrations/github/run.sh')])
}

/** What integrations/ has for containers, each by its own tool; nginx's configuration is run by the tests. */
function validateContainers(): void {
  copyFileSync(join(packageRoot, 'integrations', 'prometheus', 'prometheus.yml'), at('prometheus.yml'))
  copyFileSync(join(grafana, 'alerts.yml'), at('alerts.yml'))
  validate('promtool', ['check', 'config', at('prometheus.yml')])
  // What `docker compose config` does, by Compose's own loader.
  goRun('github.com/compose-spec/compose-go/v2/cmd@v2.16.2', [join(packageRoot, 'compose.yaml')])
  // It brings the schemas of Kubernetes with it, as no registry has those that kubeconform fetches.
  const python =
    'python3 -m pip install -q --target kubernetes kubernetes-validate==1.37.0 && PYTHONPATH=kubernetes python3 -m kubernetes_validate'
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) console.log('kubernetes-validate: no pip, not run')
  else
    validate(
      'bash',
      ['-c', `${python} --strict -k 1.34.0 "$0"`, join(packageRoot, 'integrations/kubernetes/understudy.yaml')],
      { called: 'kubernetes-validate' },
    )
}

/**
 * /__mock/mcp by the protocol's own suite, which wants Node 22: what it asks of any server. All its other scenarios call tools of a
 * reference server, such as test_simple_text.
 */
function validateAgents(): void {
  const env = { ...process.env, UNDERSTUDY_STATE_DIR: at('state') }
  const command = ['--import', 'tsx', join(packageRoot, 'cli', 'bin.ts')]
  const self = (...args: string[]) =>
    spawnSync(process.execPath, [...command, ...args], { cwd: packageRoot, encoding: 'utf8', env })
  const { url } = JSON.parse(self('serve', '--detach', '--json', '--port', '0').stdout) as { url: string }
  const suite = ['-y', '-p', 'node@22', '-p', '@modelcontextprotocol/conformance@0.1.16', 'conformance', 'server']
  for (const scenario of conformance)
    validate('npx', [...suite, '--url', `${url}/__mock/mcp`, '--scenario', scenario], {
      called: `mcp conformance ${scenario}`,
      isClean: said => /Passed: [1-9]\d*\/\d+, 0 failed/.test(said),
    })
  self('stop', '--all')
}

const conformance = [
  'server-initialize',
  'ping',
  'tools-list',
  'resources-list',
  'prompts-list',
  'dns-rebinding-protection',
]

const npx = (tool: string, args: readonly string[], more?: Parameters<typeof validate>[2]) =>
  validate('npx', ['-y', tool, ...args], more)

/** The published schemas in ajv's strict mode, and each JSON report by its own. */
function validateSchemas(): void {
  const rooms = { check: 'suite', conduct: 'conduct', drill: 'drills', mutate: 'mutate', 'webhook-check': 'webhooks' }
  const all = ['suite', 'conduct', 'rehearse', 'mutate', 'replay', 'webhooks', 'drills'].map(
    room => `${room}/report.schema.json`,
  )
  const before = problems.length
  for (const path of [...all, 'scenarios/scenario.schema.json']) {
    const ajv = new Ajv({ strict: true, logger: false })
    try {
      const isFit = ajv.compile(JSON.parse(readFileSync(join(packageRoot, path), 'utf8')))
      for (const file of filesOf('.json')) {
        const room = Object.entries(rooms).find(([name]) => file.startsWith(at(name)))?.[1]
        if (!path.startsWith(`${room}/`)) continue
        if (!isFit(JSON.parse(readFileSync(file, 'utf8')))) problems.push(`${file}: ${ajv.errorsText(isFit.errors)}`)
      }
    } catch (error) {
      problems.push(`${path}: ${(error as Error).message}`)
    }
  }
  console.log(`ajv --strict: ${problems.length === before ? 'clean' : 'failed'}`)
}

/** integrations/testcontainers by the types of the real package: it would take a Docker daemon to run it. */
function checkTestcontainers(): void {
  validate('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', 'testcontainers@11.14.0'])
  const module = 'understudyContainer.ts'
  copyFileSync(join(packageRoot, 'integrations', 'testcontainers', module), at(module))
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, noImplicitOverride: true },
    ...{ module: 'nodenext', target: 'es2023', lib: ['es2023', 'es2024.string'] },
    typeRoots: [join(packageRoot, 'node_modules', '@types')],
    types: ['node'],
    paths: { 'understudy-mock/client': [join(packageRoot, 'client', 'index.ts')] },
  }
  writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, files: [module] }))
  validate(join(packageRoot, 'node_modules', '.bin', 'tsc'), ['-p', at('tsconfig.json')])
}

try {
  checkTestcontainers()
  await makeOutputs()
  validateSchemas()
  validateAction()
  validateContainers()
  validateAgents()
  validate('xmllint', ['--noout', '--schema', join(packageRoot, 'test', 'reports', 'junit.xsd'), ...filesOf('.xml')])
  validate('promtool', ['check', 'metrics'], { input: readFileSync(at('metrics.txt'), 'utf8') })
  const exemplars = readFileSync(at('openmetrics.txt'), 'utf8').match(/ # \{request_id=/g) ?? []
  if (exemplars.length === 0) problems.push('/metrics as OpenMetrics has no exemplar')
  validate('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', at('openmetrics.txt'), at('blocks')])
  writeFileSync(at('dashboard.rules'), dashboardRules())
  validate('promtool', ['check', 'rules', at('dashboard.rules'), join(grafana, 'alerts.yml')])
  validate('promtool', ['test', 'rules', join(packageRoot, 'test', 'grafana', 'alerts.yml')])
  npx('@redocly/cli@2.77.0', ['lint', '--extends', 'recommended', '--max-problems', '20', ...filesOf('openapi.json')])
  writeFileSync(at('.spectral.yaml'), 'extends: ["spectral:oas"]\n')
  npx('@stoplight/spectral-cli@6.16.3', [
    'lint',
    '--fail-severity',
    'warn',
    '-r',
    at('.spectral.yaml'),
    ...filesOf('openapi.json'),
  ])
  const violations = await prismViolations(at('openapi.json'))
  console.log(`prism proxy: ${violations.length === 0 ? 'clean' : 'failed'}`)
  problems.push(...violations.map(violation => `prism: ${violation}`))
  writeFileSync(at('.htmlvalidate.json'), '{ "extends": ["html-validate:standard"] }')
  npx('html-validate@10.17.0', filesOf('.html'))
  // It exits 0 for a file that is against the schema, so that what it says is looked at.
  npx('@microsoft/sarif-multitool@5.7.0', ['validate', ...filesOf('.sarif')], {
    isClean: said => !/\b(error|warning) (JSON|SARIF)\d+/i.test(said),
  })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
