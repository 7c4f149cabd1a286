import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { DrillReport } from '../../drills/report.ts'
import { ended } from '../suite/checking.ts'
import { begin, type Ran, spawnCommand, start, understudy } from '../support.ts'
import { foreign } from './foreign.ts'

// They wait more than they do, and none of them measures time.
t.jobs = 4
const test = (title: string, run: (t: Test) => Promise<void>) => t.test(title, { buffered: true }, run)

const command = (args: string[], env: Record<string, string> = {}): Promise<Ran> =>
  understudy(['drill', ...args], { env })

const quick = ['--rate', '30', '--duration', '1s', '--key', 'k']
const unhurried = ['--threshold', 'p99 < 9m', '--threshold', 'completed >= 0%']
/** Of a process on a machine that does other things; all but the verdict is as it would be. */
const isStrained = (stdout: string) => stdout.includes('this machine could not make the load')

test('exit 0, the plan on stderr and the report on stdout', async t => {
  const { url } = await foreign(t)
  const { code, stdout, stderr } = await ended(
    // In a process of its own, for a load that has to be on time.
    spawnCommand(['drill', 'sustain', url, ...quick, '--seed', '7', ...unhurried]),
  )
  t.equal(code, isStrained(stdout) ? 1 : 0, stderr)
  t.match(
    stderr,
    /^understudy drill sustain http:\/\/127\.0\.0\.1:\d+ {3}seed: 7\nup to 40 requests, up to 30\/s, 4 jobs, up to 1s\n/,
  )
  if (!isStrained(stdout)) t.match(stdout, /✓ 7 thresholds passed\n$/)
  t.notOk((stdout + stderr).includes('\u001b'), 'no colours off a terminal')
})

test('exit 1 for a broken threshold, which says when and by how much', async t => {
  const { url } = await foreign(t, { serviceMs: 30 })
  const args = ['sustain', url, ...quick, '--threshold', 'p50 < 10ms', '--threshold', '5xx > 5%']
  const { code, stdout } = await command(args)
  t.equal(code, 1)
  // On a machine that does other things it is told the same, without being held against the target.
  const late =
    /[✗?] p50 < 10ms(?: \(inconclusive\))?\n\s+[\d.,]+ ms, [\d.,]+ ms over \([\d,]+ %\), first in the 250 ms at [\d.]+ s\n/
  t.match(stdout, late)
  t.match(stdout, /✗ 5xx > 5%\n\s+0 %, 5 % under, first in the 250 ms at 0 s\n/)
})

test('exit 2 for wrong usage, in one line that says what to do', async t => {
  const cases: [string[], RegExp][] = [
    [['sustain', 'http://192.0.2.7'], /192\.0\.2\.7 is not on this machine.*--allow-remote/],
    [['sustain', 'nowhere'], /"nowhere" is not a URL/],
    [['sustain', 'http://127.0.0.1:9', '--rate', 'fast'], /--rate is "fast"; expected requests a second, such as 50/],
    [['sustain', 'http://127.0.0.1:9', '--mix', 'poll'], /--mix is "poll"; expected shares of create, poll/],
    [
      ['recover', 'http://127.0.0.1:9', '--steps', '3'],
      /unknown option '--steps' \(taken by ramp\); see understudy drill recover --help/,
    ],
    [
      ['outage', 'http://127.0.0.1:9', '--break-with', 'x'],
      /--break-with is now called --outage-start; see understudy drill outage --help/,
    ],
    [['sustain', 'http://127.0.0.1:9', '--threshold', 'p99'], /--threshold is "p99"; expected a metric/],
    [
      ['sustain', 'http://127.0.0.1:9', '--reporter', 'pdf'],
      /--reporter names "pdf"; expected one of pretty, json, junit/,
    ],
    [['swim', 'http://127.0.0.1:9'], /unknown command 'swim'/],
    [['sustain'], /missing required argument 'base-url'/],
    [['compare', 'a.json', 'b.json'], /a\.json can't be read/],
  ]
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await command(args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, message)
    t.equal(stderr.trim().split('\n').length, 1, stderr)
  }
})

test('exit 3 where nobody answers', async t => {
  const { code, stderr } = await command(['burst', 'http://127.0.0.1:9', '--key', 'k'])
  t.equal(code, 3)
  t.match(stderr, /\nunderstudy: http:\/\/127\.0\.0\.1:9: nothing listens at 127\.0\.0\.1:9\n$/)
})

test('an option may be given as its variable; a flag wins', async t => {
  const { url } = await foreign(t)
  const env = {
    UNDERSTUDY_DRILL_RATE: '20',
    UNDERSTUDY_DRILL_DURATION: '9s',
    UNDERSTUDY_DRILL_KEY: 'k',
    UNDERSTUDY_SCENARIO: 'x',
  }
  const { stderr } = await command(['sustain', url, '--duration', '500ms'], env)
  t.match(stderr, /up to 20 requests, up to 20\/s, 2 jobs, up to 500ms/)
  const wrong = await command(['sustain', url], { UNDERSTUDY_DRILL_RATE: 'x' })
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /UNDERSTUDY_DRILL_RATE is "x"/)
})

test('every report in one run, with the same numbers and without a secret', async t => {
  const { url } = await foreign(t, {
    // What a careless server answers with.
    alter: (answer, { n }) =>
      n === 20
        ? { status: 400, body: { error: { code: 'invalid_request', message: 'canary_key and canary_header' } } }
        : answer,
  })
  const folder = t.testdir({})
  const files = { json: 'a/report.json', junit: 'report.xml', markdown: 'report.md', html: 'report.html' }
  const reporters = Object.entries(files).flatMap(([name, file]) => ['--reporter', `${name}=${join(folder, file)}`])
  const { code, stdout, stderr } = await command([
    ...[
      'sustain',
      url,
      '--rate',
      '30',
      '--duration',
      '1s',
      '--key',
      'canary_key',
      '--header',
      'X-Extra: canary_header',
    ],
    ...['--threshold', 'errors < 90%', ...reporters],
  ])
  t.equal(code, 1, 'an envelope without a request_id')
  const read = (file: string) => readFile(join(folder, file), 'utf8')
  const [json, junit, markdown, html] = await Promise.all(Object.values(files).map(read))
  for (const text of [stdout, stderr, json, junit, markdown, html]) t.notMatch(text, /canary/)
  const report = JSON.parse(json as string) as DrillReport
  t.equal(report.contract.breaches[0]?.clauses[0], 'ERR-1')
  for (const text of [stdout, markdown, html]) t.match(text, /broken = 0/)
  t.match(junit, /<testcase classname="[^"]*" name="broken"[^>]*>\s*<failure/)
  const embedded = /<script id="data"[^>]*>([\s\S]*?)<\/script>/.exec(html as string)?.[1]
  t.ok(embedded, 'the page has its numbers with it')
})

test('Ctrl-C ends it at once, with a report of what was done', async t => {
  const { url, counts } = await foreign(t)
  // That a signal to the process does the same is test/cli/signals.test.ts's.
  const args = ['sustain', url, '--key', 'k', '--rate', '40', ...unhurried, '--reporter', 'json']
  const running = begin(['drill', ...args])
  const polls = () => counts.get('GET /v1/jobs/{id}') ?? 0
  let isOver = false
  const over = running.ended.then(() => {
    isOver = true
  })
  while (!isOver && polls() < 8) await new Promise(resolve => setTimeout(resolve, 20))
  const { code, stdout } = await running.interrupt()
  await over
  t.equal(code, 1)
  const report = JSON.parse(stdout) as DrillReport
  t.equal(report.complete, false)
  t.match(report.why, /it was stopped before its end/)
  t.ok(report.load.completed > 0)
  t.ok(report.load.due < 40 * 30, `${report.load.due} of 1200 were due when it ended`)
})

test('what a mock plays in an outage is over after Ctrl-C, too', async t => {
  const mock = await start(t)
  const args = ['outage', mock.url, '--rate', '20', '--duration', '20s', '--outage-at', '200ms', '--outage-for', '15s']
  const running = begin(['drill', ...args, '--key', 'test_outage'])
  const isOn = () => mock.activeScenario('test_outage').scenario !== null
  while (!isOn()) await new Promise(resolve => setTimeout(resolve, 20))
  await running.interrupt()
  t.notOk(isOn())
})

test('two reports are compared', async t => {
  const [fast, slow] = await Promise.all([foreign(t), foreign(t, { serviceMs: 40 })])
  const folder = t.testdir({})
  const [a, b] = [join(folder, 'a.json'), join(folder, 'b.json')] as const
  const run = (url: string, file: string) =>
    command(['sustain', url, '--rate', '60', '--duration', '1s', '--key', 'k', '--reporter', `json=${file}`])
  await Promise.all([run(fast.url, a), run(slow.url, b)])
  const { code, stdout } = await command(['compare', a, b])
  t.equal(code, 0)
  t.match(stdout, /p50/)
  const { metrics } = JSON.parse((await command(['compare', a, b, '--json'])).stdout)
  t.ok(Array.isArray(metrics) && metrics.length > 5)
  await writeFile(b, '{"clauses":[]}')
  const wrong = await command(['compare', a, b])
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /b\.json/)
})

test('list tells each drill in a line, and its help has its own defaults', async t => {
  const { stdout } = await command(['list'])
  for (const name of ['burst', 'sustain', 'ramp', 'journey', 'outage', 'recover', 'soak'])
    t.match(stdout, new RegExp(`^${name} `, 'm'))
  const { stdout: help } = await command(['outage', '--help'])
  t.match(help, /--scenario <name>.*\n?.*\(default:\s+outage-of-30s/)
  t.match(help, /recovery < 5s/)
  t.notMatch(help, /--steps/)
})
