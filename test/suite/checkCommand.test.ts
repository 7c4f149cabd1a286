/** `understudy check` as a user runs it: its verdict, its streams, its exit code, and what it keeps to itself. */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { ConfigError } from '../../base/options.ts'
import type { Report } from '../../suite/report.ts'
import { reporters } from '../../suite/reporters/index.ts'
import { type CheckOptions, check } from '../../suite/runCheck.ts'
import { start } from '../support.ts'
import { checkCommand, front, listening } from './checking.ts'

const noTrace = /\n {4}at /
const small = ['--profile', 'safe']
const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

t.test('a run that proved nothing is not green, says so, and exits 1', async t => {
  const mock = await start(t)
  const always = async (status: number, body: string) =>
    `http://127.0.0.1:${await listening(
      t,
      createServer((request, response) => {
        request.resume().on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(body))
      }),
    )}`
  const cases: { args: string[]; says: RegExp; failedAtLeast?: number }[] = [
    { args: [mock.url, '--only', 'JOB-6', '--skip', 'jobs'], says: /nothing was proved: no check was selected$/ },
    {
      args: [mock.url, '--key', 'no_such_key', '--control', 'off', ...small],
      says: /nothing was proved: the key that was given is answered 401 everywhere$/,
    },
    {
      args: [
        await always(404, '{"error":{"code":"not_found","message":"no","request_id":"r"}}'),
        '--key',
        'k',
        ...small,
      ],
      says: /nothing was proved: only 404 was seen; is this the API's base URL\?$/,
      failedAtLeast: 5,
    },
    {
      args: [await always(200, '{}'), '--key', 'k', ...small],
      says: /nothing was proved: everything was answered 200, right or wrong$/,
      failedAtLeast: 10,
    },
    { args: [mock.url, '--only', 'CR-3', '--control', 'off', '--key', 'test_a'], says: /nothing could be tried$/ },
  ]
  for (const { args, says, failedAtLeast = 0 } of cases) {
    const { code, stdout, stderr } = await checkCommand(args)
    t.equal(code, 1, args.join(' '))
    t.notMatch(stderr, noTrace)
    const verdict = stdout.trim().split('\n').at(-1) ?? ''
    t.match(verdict, says)
    const failed = Number(/(\d+) failed/.exec(verdict)?.[1])
    t.ok(failedAtLeast === 0 ? failed === 0 : failed >= failedAtLeast, `${failed} failed`)
  }
})

t.test(
  'a wrong call is refused in words that say what to do, before anything is sent; the command exits 2',
  async t => {
    const mock = await start(t)
    const folder = t.testdir({ 'notes.txt': 'la', 'report.json': '{}', 'old.json': '{"clauses":[]}' })
    const notes = join(folder, 'notes.txt')
    const options: [options: CheckOptions, says: RegExp][] = [
      [{ only: ['JOB-99'] }, /^--only names "JOB-99"; expected clauses, checks or themes, as --list shows them$/],
      [{ skip: ['nothing'] }, /^--skip names "nothing"/],
      [{ require: ['all'] }, /^--require names "all"; expected "core", or clauses such as ERR-1/],
      [{ clip: notes }, /notes\.txt has no extension of a video/],
      [{ logs: [notes, folder] }, /^--logs is ".*", which is not a file$/],
      [{ ca: notes }, /^--ca .*notes\.txt holds no certificate/],
      [{ key: 'hush\u2026' }, /^--key has a character that no header can carry/],
      [{ header: ['X-A: b', 'hush hush'] }, /^--header number 2 is not of the form "Name: value"$/],
      [{ header: ['X-Token: hush\nhush'] }, /^--header \(X-Token\) has a character/],
    ]
    for (const [one, says] of options) {
      const error = await check(mock.url, one).catch(error => error)
      t.ok(error instanceof ConfigError)
      t.match(error.message, says)
      t.notMatch(error.message, /hush/)
    }
    const args: [args: string[], says: RegExp][] = [
      [['--only', 'JOB-99'], /--only names "JOB-99"/],
      [['--header', 'hush hush'], /--header is not of the form "Name: value"/],
      [['--reporter', 'xml'], /--reporter names "xml"; expected one of pretty, json/],
      [['--reporter', `json=${folder}`], /--reporter can't write ".*": it is a folder/],
      [['--baseline', join(folder, 'report.json')], /report\.json is not a report of understudy check/],
      [
        ['--baseline', join(folder, 'old.json')],
        /old\.json has no schema_version.*; expected 2: make a new report with understudy check/,
      ],
    ]
    for (const [one, says] of args) {
      const { code, stdout, stderr } = await checkCommand([mock.url, ...one])
      t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: says })
      t.match(stderr, /^understudy: .*\n$/, 'one line')
      t.notMatch(stderr, /hush/)
    }
    t.match(await checkCommand([]), { code: 2, stderr: /no base URL was given/ })
    t.match(await checkCommand(['http://understudy.invalid', '--profile', 'full']), {
      code: 2,
      stderr: /--max-credits N\n$/,
    })
    t.equal(mock.journal.count(), 0)
  },
)

t.test(
  'stdout has the report and nothing else, stderr the plan and how far it is; without a terminal there is no colour',
  async t => {
    const mock = await start(t)
    const folder = t.testdir()
    const files = Object.keys(reporters).flatMap(name => ['--reporter', `${name}=${join(folder, 'new', name)}`])
    const args = [mock.url, ...small, '--seed', 'seven']
    const plain = await checkCommand(args)
    // Not at the same time: one seed makes the same keys.
    const asJson = await checkCommand([...args, '--reporter', 'json', ...files])
    for (const { code, stderr } of [plain, asJson]) {
      t.equal(code, 0)
      const [head = '', plan = '', ...more] = stderr.split('\n')
      t.match(head, `understudy check ${mock.url}   profile: safe   seed: seven   a mock:`)
      t.match(plan, /^3\d checks$/)
      t.equal(more.pop(), '')
      t.ok(more.length > 30, 'and a line for each check')
      for (const line of more) t.match(line, /^\[\d+\/3\d\] [a-z]+\.[a-z0-9-]+ (passed|skipped)$/)
    }
    t.match(plain.stdout, /\n\d+ passed, 0 failed, \d+ skipped\n$/)
    t.notOk((plain.stdout + plain.stderr).includes('\u001b'))
    const report: Report = JSON.parse(asJson.stdout)
    t.match(report, { ok: true, seed: 'seven' })
    const written = Object.fromEntries(Object.keys(reporters).map(name => [name, read(folder, 'new', name)]))
    t.same(JSON.parse(written.json as string), report, 'the same run in every format')
    t.match(written, {
      tap: /^TAP version 14/,
      junit: /^<\?xml/,
      html: /^<!doctype html>/i,
      sarif: /^\{/,
      markdown: /passed/,
    })
    t.equal(written.pretty, reporters.pretty(report))

    const file = join(folder, 'new', 'json')
    const again = await checkCommand([...args, '--baseline', file])
    t.match(again, { code: 0, stdout: `nothing changed since ${report.started_at}` })
  },
)

t.test('--only, --skip and --list choose; --require and --bail decide; --timeout bounds an answer', async t => {
  const mock = await start(t)
  const { url } = await front(t, mock, async (call, pass) => {
    if (call.url === '/api/pricing') await setTimeout(1500)
    return pass()
  })
  const [listed, some, required, bailed] = await Promise.all([
    checkCommand(['--list', '--only', 'usage,DL-2', '--skip', 'usage.failed']),
    checkCommand([mock.url, '--only', 'CR-2,system', '--skip', 'GO-1', '--reporter', 'json']),
    checkCommand([mock.url, '--only', 'US-2', '--require', 'US-2,SYS-1', '--reporter', 'json']),
    checkCommand([url, '--only', 'CR-2,US-2', '--timeout', '300ms', '--bail', '--reporter', 'json']),
  ])
  t.match(listed, { code: 0, stderr: '' })
  t.same(
    listed.stdout
      .trim()
      .split('\n')
      .map(line => /^[\w.]+/.exec(line)?.[0]),
    ['download.early', 'usage.summary', 'usage.counts', 'usage.events'],
  )
  t.match(listed.stdout, /usage\.counts +US-1 +a job that was completed is counted \(costs 2 credits\)/)
  const parsed = ({ stdout }: { stdout: string }): Report => JSON.parse(stdout)
  t.equal(some.code, 0)
  t.same(
    parsed(some).checks.map(({ id }) => id),
    ['system.health', 'credits.pricing'],
  )
  t.equal(required.code, 1)
  t.match(parsed(required), {
    required: { clauses: ['US-2', 'SYS-1'], missing: ['SYS-1'] },
    why: /not passed: SYS-1$/,
  })
  t.equal(bailed.code, 1)
  t.match(parsed(bailed), {
    complete: false,
    checks: [
      { id: 'credits.pricing', verdict: 'failed' },
      { id: 'usage.events', verdict: 'skipped', reason: 'the run ended before' },
    ],
  })
  const [evidence] = parsed(bailed).clauses.find(({ id }) => id === 'CR-2')?.evidence ?? []
  t.match(evidence, { found: 'no answer within 0.3 s', response: { status: 0 }, curl: `curl -i ${url}/api/pricing` })
})
