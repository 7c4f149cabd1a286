/** action.yml as GitHub runs it: its shell steps, with their inputs, in a folder with GITHUB_* files. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { packageRoot } from '../../base/paths.ts'
import { cliPath, start } from '../support.ts'

interface Step {
  id?: string
  if?: string
  run?: string
  uses?: string
  env?: Record<string, string>
  with?: Record<string, string>
}
interface Action {
  inputs: Record<string, { required?: boolean; default?: string }>
  outputs: Record<string, { value: string }>
  runs: { using: string; steps: Step[] }
}
const action = parse(readFileSync(join(packageRoot, 'action.yml'), 'utf8')) as Action

/** Runs the composite's steps in order; what it uses of others is only noted. */
async function act(t: Test, given: Record<string, string>) {
  mkdirSync(join(t.testdirName, '..'), { recursive: true })
  const folder = mkdtempSync(join(t.testdirName, '..', 'action-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const inputs: Record<string, string> = { command: `${process.execPath} ${cliPath}` }
  for (const [name, { default: usual = '' }] of Object.entries(action.inputs)) inputs[name] ||= given[name] ?? usual
  const unknown = Object.keys(given).filter(name => !(name in action.inputs))
  if (unknown.length > 0) throw new Error(`no input ${unknown}`)
  const outputs: Record<string, string> = {}
  const valued = (template: string) =>
    template.replace(
      /\$\{\{ (inputs|steps\.run\.outputs)\.([\w-]+) \}\}/g,
      (_, from, name) => (from === 'inputs' ? inputs[name] : outputs[name]) ?? '',
    )
  const [summary, output] = [join(folder, 'summary'), join(folder, 'output')]
  const used: Step[] = []
  let printed = ''
  let code: number | null = 0
  for (const step of action.runs.steps) {
    if (step.uses !== undefined) {
      used.push(step)
      continue
    }
    writeFileSync(output, '')
    const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, valued(value)]))
    // What GitHub runs for `shell: bash`.
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run as string], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        GITHUB_ACTION_PATH: packageRoot,
        GITHUB_STEP_SUMMARY: summary,
        GITHUB_OUTPUT: output,
        GITHUB_ACTIONS: 'true',
        ...env,
      },
    })
    const said = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    printed += said[0] + said[1]
    code = child.exitCode
    for (const line of readFileSync(output, 'utf8').split('\n').filter(Boolean)) {
      const [name = '', ...value] = line.split('=')
      outputs[name] = value.join('=')
    }
    if (code !== 0) break
  }
  return { folder, code, printed, outputs, used, summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '' }
}

t.test('check: summary, reports, SARIF with a category, exit code 0', async t => {
  const mock = await start(t)
  const { code, folder, outputs, printed, summary, used } = await act(t, {
    verb: 'check',
    args: `${mock.url}\n--only SYS-1`,
    category: 'nightly',
  })
  t.equal(code, 0, printed)
  t.match(outputs, { 'exit-code': '0', reports: 'understudy-reports', category: 'nightly' })
  t.equal(outputs.sarif, join(folder, 'understudy-reports', 'report.sarif'))
  t.match(JSON.parse(readFileSync(outputs.sarif as string, 'utf8')), { version: '2.1.0' })
  for (const name of ['report.json', 'report.junit.xml', 'report.ctrf.json', 'report.md'])
    t.ok(existsSync(join(folder, 'understudy-reports', name)), name)
  t.match(summary, /SYS-1|passed/)
  t.match(printed, /1 passed, 0 failed/)
  t.notMatch(printed, /^::error/m)
  t.match(used, [
    {
      uses: /^github\/codeql-action\/upload-sarif@v\d+$/,
      if: /inputs\.upload-sarif == 'true' && steps\.run\.outputs\.sarif != ''/,
      with: { sarif_file: /outputs\.sarif/, category: /outputs\.category/ },
    },
  ])
})

t.test('what failed is annotated, exit code 1; nothing that a server says becomes a command', async t => {
  const server = createServer((_request, response) =>
    response.writeHead(500).end('::error::mine\n::set-output name=a::b'),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, outputs, printed, summary } = await act(t, {
    verb: 'check',
    args: `http://127.0.0.1:${port} --only SYS-1`,
  })
  t.equal(code, 1)
  t.match(outputs, { 'exit-code': '1', category: 'understudy-check' })
  t.match(summary, /SYS-1/)
  const lines = printed.split('\n')
  const [token] = lines.flatMap(line => /^::stop-commands::(\w{32})$/.exec(line)?.[1] ?? [])
  const told = lines.slice(lines.indexOf(`::${token}::`))
  t.ok(told.length > 0, 'commands are stopped while the verb runs')
  t.match(
    told.filter(line => line.startsWith('::error')),
    [/^::error title=understudy system\.health%3A GET \/health is 200::ERR-1: /],
  )
})

t.test('rehearse: a program with quoted words behind --, graded and annotated', async t => {
  const program = `const { UNDERSTUDY_BASE_URL: u, UNDERSTUDY_API_KEY: k } = process.env; require("http").get(u + "/v1/jobs", { headers: { "x-api-key": k } }, answer => answer.resume())`
  const { code, printed, summary, outputs } = await act(t, {
    verb: 'rehearse',
    args: `--scenario none --seed s\n-- ${process.execPath} -e '${program}'`,
  })
  t.equal(code, 0, printed)
  t.equal(outputs.sarif, '', 'it has no SARIF')
  t.match(summary, /none/)
})

t.test('what proves nothing is red, and says so though nothing failed', async t => {
  const { code, printed } = await act(t, { verb: 'drill', args: `burst ${(await start(t)).url} --calls 3` })
  t.equal(code, 1)
  t.match(printed, '::error title=understudy drill::it ended with exit code 1; its output says why')
})

t.test('exit codes 2 and 3: a wrong verb, a quote, an option, and nobody at the target', async t => {
  const [verb, quote, option, nobody] = await Promise.all([
    act(t, { verb: 'serve; touch x' }),
    act(t, { verb: 'check', args: "'half" }),
    act(t, { verb: 'check', args: '--no-such', reports: 'a' }),
    act(t, { verb: 'drill', args: 'burst http://127.0.0.1:9 --key "$(touch x)" --calls 2', annotations: 'false' }),
  ])
  t.match(verb, { code: 2, printed: /::error title=understudy::verb is "serve\? touch x"; expected check, conduct/ })
  t.match(quote, { code: 2, printed: /args has a quote that is not closed/ })
  t.match(option, { code: 2, printed: /unknown option '--no-such'/ })
  t.match(option.printed, '::error title=understudy check::it ended with exit code 2; its output says why')
  t.match(nobody, { code: 3, printed: /nothing listens at 127\.0\.0\.1:9/ })
  t.notMatch(nobody.printed, /::error/)
  t.notOk(existsSync(join(nobody.folder, 'x')), 'nothing in args is run')
})
