import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t, { type Test } from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { openHar } from '../../recordings/read.ts'
import { Rehearsal } from '../../rehearse/report.ts'
import { noScenario, rehearse } from '../../rehearse/run.ts'
import { waitsTogether } from '../../rehearse/waitsTogether.ts'
import { Library } from '../../server/scenarios/library.ts'
import { understudy } from '../support.ts'

const valid = new Ajv({ strict: false }).compile(Rehearsal)

// Most of them wait for programs that wait; more at once would make a busy machine's programs late.
t.jobs = 3
const test = (title: string, run: (t: Test) => Promise<void>) => t.test(title, { buffered: true }, run)

const sh = (script: string): [string, ...string[]] => ['sh', '-c', script]
const get = 'curl -s -o /dev/null -H "X-Api-Key: $UNDERSTUDY_API_KEY" "$UNDERSTUDY_BASE_URL/v1/jobs"'

/** A program that makes a job; what it does about an error is in its hands. A shell begins in a twentieth of Node's time. */
const program = (onError: string, atEnd = ':'): [string, ...string[]] =>
  sh(`create() {
    curl -s -o /dev/null -w '%{http_code}' "$UNDERSTUDY_BASE_URL/v1/jobs" -H "X-Api-Key: $UNDERSTUDY_API_KEY" \
      -H 'Content-Type: application/json' -H 'Idempotency-Key: one' -d '{"video_url":"https://example.com/cat.mp4"}'
  }
  answer=$(create)
  [ "$answer" = 200 ] || { ${onError}; }
  echo "$answer"
  [ "$answer" = 200 ] || exit 5
  ${atEnd}`)
// A process id is no chance, and yet another one each time.
const good = program('sleep "1.$(($$ % 400 + 100))"; answer=$(create)')
const hasty = program('answer=$(create)')
const faint = program(':')

const run = (t: Test, command: [string, ...string[]], options: Partial<Parameters<typeof rehearse>[0]> = {}) =>
  rehearse({ command, environment: process.env, out: t.testdir({}) as string, seed: 'test', ...options })

/** One that has ended, and waits for its parent to take note of it, is gone too. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

test('a good client is graded green, and each run leaves its reports and what was printed', async t => {
  const progress: string[] = []
  const report = await run(t, good, {
    scenario: [noScenario, 'internal-error-once'],
    onProgress: ({ type, scenario }) => progress.push(`${type} ${scenario}`),
  })
  t.ok(valid(report), JSON.stringify(valid.errors))
  t.match(report, {
    ok: true,
    why: /^2 scenarios, 0 failed; rules: \d+ passed, 0 failed, \d+ skipped$/,
    scenarios: [
      { scenario: 'none', exit_code: 0, finished: true, verdict: 'passed', failed: [] },
      { scenario: 'internal-error-once', exit_code: 0, finished: true, verdict: 'passed', failed: [] },
    ],
  })
  t.same(progress.slice(0, 2), ['started none', 'started internal-error-once'])
  const folder = report.scenarios[1]?.folder as string
  t.equal(readFileSync(join(folder, 'output.log'), 'utf8'), '200\n')
  for (const file of ['conduct.json', 'conduct.html', 'conduct.txt']) t.ok(existsSync(join(folder, file)), file)
  const har = openHar(join(folder, 'journal.har'))
  t.same(
    [...har.entries()].map(({ response }) => response.status),
    [500, 200],
  )
  har.close()
})

test('a bad one is graded red, with the rule, the scenario and what to do', async t => {
  const report = await run(t, hasty, { scenario: [noScenario, 'internal-error-once'] })
  t.match(report, {
    ok: false,
    scenarios: [{ verdict: 'passed' }, { verdict: 'failed', failed: ['errors.no-hammering'] }],
  })
  t.match(
    report.rules.filter(({ verdict }) => verdict === 'failed'),
    [{ id: 'errors.no-hammering', scenarios: ['internal-error-once'], advice: /^Wait 1-2 s before the first retry/ }],
  )
  const other = await run(t, faint, { scenario: ['internal-error-once'] })
  t.match(other.scenarios, [{ exit_code: 5, failed: ['errors.retried'], verdict: 'failed' }])
})

test("the README's two clients: the one as it should be, and the one that was written in a hurry", async t => {
  const recipe = (name: string): [string, ...string[]] => [process.execPath, join(packageRoot, 'test', 'recipes', name)]
  const scenario = ['rate-limited-then-ok', 'invalid-request']
  const should = await run(t, recipe('client.mjs'), { scenario, require: ['RL-2', 'ERR-3'] })
  t.equal(should.ok, true, should.why)
  const hurried = await run(t, recipe('hasty.mjs'), { scenario, require: ['RL-2'] })
  t.same(
    hurried.scenarios.map(({ failed }) => failed),
    [['limits.retry-after'], ['errors.client-errors-not-retried']],
  )
  t.match(hurried.why, /required, but not passed: RL-2/)
})

test('one that hangs, makes no call, or is killed is told apart from one that ends', async t => {
  const quiet = await run(t, ['true'], { scenario: [noScenario] })
  t.match(quiet.scenarios, [
    { exit_code: 0, finished: true, verdict: 'failed', why: /made no call: does it read UNDERSTUDY_BASE_URL/ },
  ])
  const hung = await run(t, program(':', 'sleep 60'), {
    scenario: [noScenario],
    timeout: 4_000,
  })
  t.match(hung.scenarios, [
    { exit_code: null, signal: 'SIGTERM', finished: false, verdict: 'failed', why: /^it hung: no call for/ },
  ])
})

test('one that breaks down, fails without a scenario or is still at it when its time is up is not good', async t => {
  const ends = async (end: string, scenario: string, timeout = 20_000) => {
    const { scenarios, ok } = await run(t, sh(`${get}; ${end}`), { scenario: [scenario], timeout })
    t.equal(ok, scenarios[0]?.verdict === 'passed')
    return scenarios[0]
  }
  t.match(await ends('exit 3', noScenario), {
    verdict: 'failed',
    why: /^it failed with exit 3, though nothing was/,
  })
  const allowed = await ends('exit 3', 'internal-error-once')
  t.match(allowed, { verdict: 'passed', exit_code: 3 }, 'in a scenario it may')
  const crash = await ends('kill -SEGV $$', 'job-fails')
  t.match(crash, { verdict: 'failed', signal: 'SIGSEGV', why: 'it was ended by SIGSEGV' })
  const on = `while :; do ${get}; sleep 0.1; done`
  t.match(await ends(on, 'job-stuck', 4_000), {
    verdict: 'failed',
    finished: false,
    why: /^it did not end in .* raise --timeout$/,
  })
})

test('{url}, {key} and --env lead any program to the mock, and what it has started ends with it', async t => {
  const script = 'curl -s -o /dev/null -H "X-Api-Key: $MY_KEY" "$1/v1/jobs?name=$MY_SCENARIO"; sleep 60 & echo $!'
  const report = await run(t, ['sh', '-c', script, 'sh', '{url}'], {
    scenario: ['internal-error-once'],
    env: ['MY_KEY={key}', 'MY_SCENARIO=is-{scenario}'],
  })
  t.match(report.scenarios, [{ exit_code: 0, finished: true, verdict: 'passed' }])
  const folder = report.scenarios[0]?.folder as string
  const har = openHar(join(folder, 'journal.har'))
  t.match([...har.entries()], [{ request: { url: /name=is-internal-error-once$/ }, response: { status: 500 } }])
  har.close()
  const pid = Number(readFileSync(join(folder, 'output.log'), 'utf8'))
  t.ok(isGone(pid), 'the sleep is gone')
})

test('several run at a time, each against a mock of its own', async t => {
  const report = await run(t, good, { scenario: [noScenario, 'job-fails', 'webhook-duplicate'], jobs: 3 })
  t.same(
    report.scenarios.map(({ scenario, verdict }) => [scenario, verdict]),
    [
      ['none', 'passed'],
      ['job-fails', 'passed'],
      // It gives no webhook_url, so that nothing of this one happens to it.
      ['webhook-duplicate', 'skipped'],
    ],
  )
})

test('a scenario that never came up says nothing: it is skipped, and none but such is not good', async t => {
  const report = await run(t, good, { scenario: ['job-not-found', 'key-revoked-midway', 'internal-error-once'] })
  t.match(report, { ok: true, why: /^3 scenarios, 0 failed, 2 did not come up; / })
  t.match(report.scenarios, [
    { verdict: 'skipped', why: 'did not come up: no call of the program met it' },
    { verdict: 'skipped' },
    { verdict: 'passed' },
  ])
  const nothing = await run(t, good, { scenario: ['job-not-found'] })
  t.match(nothing, { ok: false, why: /nothing was seen: no scenario came up/ })
})

test('without names it runs what lasts up to 5 s; --slow adds the rest, and gives each the time that it lasts', async t => {
  const own = mkdtempSync(join(tmpdir(), 'understudy-'))
  t.teardown(() => rmSync(own, { recursive: true }))
  for (const [name, lasts] of [
    ['short-one', '5s'],
    ['long-one', '6s'],
  ])
    writeFileSync(join(own, `${name}.yaml`), `lasts: ${lasts}\nrules: [{ then: { delay: 1ms } }]`)
  const given = { scenarios: own, out: join(own, 'out') }
  // Stopped before it begins: it only says how many there are.
  const signal = AbortSignal.abort()
  const of = async (slow: boolean) =>
    Number(/after 0 of (\d+)$/.exec((await run(t, faint, { ...given, signal, slow })).why)?.[1])
  const scenarios = new Library(own).list()
  const long = scenarios.filter(({ scenario }) => (scenario?.lastsMs ?? 0) > 5_000).length
  t.ok(long > 5, 'there are slow ones')
  t.equal(await of(true), scenarios.length + 1)
  t.equal(await of(false), scenarios.length + 1 - long)
  // It needs longer than --timeout, and less than that and what the scenario lasts.
  const sleeper = program(':', 'sleep 2.5')
  const timed = await run(t, sleeper, { ...given, timeout: 1_500, scenario: ['long-one', noScenario] })
  t.match(timed.scenarios, [
    { finished: true, verdict: 'passed' },
    { finished: false, verdict: 'failed' },
  ])
})

test('one that waits for an answer is not told that it never tried again, but that it has no time-out', async t => {
  const report = await run(t, good, { scenario: ['no-answer'], timeout: 4_000 })
  t.match(report.scenarios, [
    { verdict: 'failed', failed: [], why: /^it was still waiting for an answer after .*: it has no time-out, or one/ },
  ])
})

test('ERR-3 a program that gives up has to say so, by its exit code or by a line', async t => {
  const giveUp = (end: string) => sh(`echo begun; ${get}; sleep 1.1; ${get}; ${end}`)
  const own = mkdtempSync(join(tmpdir(), 'understudy-'))
  t.teardown(() => rmSync(own, { recursive: true }))
  const file = join(own, 'ill-for-good.yaml')
  writeFileSync(file, 'rules: [{ then: { error: internal_error } }]')
  let runs = 0
  const boundedOf = async (end: string) => {
    const { rules, scenarios } = await run(t, giveUp(end), { scenario: [file], out: join(own, String(runs++)) })
    const [one] = scenarios
    return [rules.find(({ id }) => id === 'retries.bounded')?.verdict, one?.verdict, one?.noted]
  }
  const all = [boundedOf(':'), boundedOf('exit 1'), boundedOf('echo gave up >&2')]
  t.same(await Promise.all(all), [
    ['failed', 'passed', ['retries.bounded']],
    ['passed', 'passed', []],
    ['passed', 'passed', []],
  ])
})

test('RL-3 waits that are the same in several runs have no jitter, though each run has too few of them', async t => {
  const chains = (...waits: number[]) => [
    {
      key: 'a',
      call: 'POST /v1/jobs',
      operation: 'createJob',
      tries: [0, ...waits].map((wait_ms, i) => ({
        number: i + 1,
        time: '2026-11-20T12:00:03.120Z',
        ms: 5,
        outcome: '500',
        ...(i > 0 && { wait_ms }),
      })),
    },
  ]
  const runs = (...all: number[][]) =>
    all.map((waits, i) => ({ scenario: `run-${i}`, report: { chains: chains(...waits) } }))
  t.equal(waitsTogether(runs([1_033, 2_009])), undefined, 'one run has too few')
  t.match(waitsTogether(runs([1_033, 2_009], [1_011, 2_015], [1_020])), {
    isRigid: true,
    said: 'in 3 runs, between tries of createJob, it waited 1.033 s, 2.009 s, 1.011 s, 2.015 s, 1.020 s: always the same',
    scenarios: ['run-0', 'run-1', 'run-2'],
  })
  t.match(waitsTogether(runs([1_733, 2_309], [1_111, 3_015], [1_420])), { isRigid: false })
})

test('--expected-failures: a failure in one scenario, or in all', async t => {
  const out = t.testdir({ 'known.txt': 'internal-error-once errors.no-hammering # a library of ours\n' }) as string
  const expected = ['--expected-failures', join(out, 'known.txt')]
  const args = ['rehearse', '--out', out, ...expected, '--scenario']
  const excused = await understudy([...args, 'internal-error-once', '--', ...hasty])
  t.match(excused, { code: 0, stdout: /failed, and fails nothing: errors\.no-hammering[\s\S]*1 failure expected/ })
  const elsewhere = await understudy([...args, 'internal-error-once,flaky-third-try-succeeds', '--', ...hasty])
  t.match(elsewhere, { code: 1, stdout: /✗ flaky-third-try-succeeds/ })
  writeFileSync(join(out, 'wrong.txt'), 'brownout retries.jitter\nblackout retries.jitter\n')
  const wrong = ['rehearse', '--out', out, '--expected-failures', join(out, 'wrong.txt'), '--scenario', 'none']
  const unknown = await understudy([...wrong, '--', ...good])
  t.match(unknown, { code: 2, stderr: /wrong\.txt:2: "blackout" is no scenario; expected "none", or/ })
  const outlived = await understudy([...args, 'internal-error-once', '--', ...good])
  t.match(outlived, { code: 1, stdout: /known\.txt:1 expects it to fail: remove this line/ })
})

test('it can be stopped, and then is not good', async t => {
  const stop = new AbortController()
  const report = await run(t, ['sleep', '60'], {
    scenario: [noScenario, 'job-fails'],
    jobs: 1,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  })
  t.match(report, { ok: false, why: /it was stopped after 1 of 2$/ })
})

test('understudy rehearse -- command: the table, the exit codes, wrong usage', async t => {
  const out = t.testdir({}) as string
  const known = ['rehearse', '--scenario', 'none,internal-error-once', '--out', out]
  const red = await understudy([...known, '--reporter', 'pretty', '--reporter', `json=${out}/r.json`, '--', ...hasty])
  t.equal(red.code, 1)
  t.match(red.stdout, /✓ none .* 0 +yes/)
  t.match(red.stdout, /✗ internal-error-once .* 0 +yes/)
  t.match(red.stdout, /errors\.no-hammering/)
  t.match(red.stderr, /\[2\/2\] /)
  t.ok(valid(JSON.parse(readFileSync(join(out, 'r.json'), 'utf8'))))
  t.equal((await understudy([...known, '--', ...good])).code, 0)
  for (const [args, message] of [
    [['rehearse'], /no command was given; expected one after --/],
    [['rehearse', '--scenario', 'nonesuch', '--', 'true'], /nonesuch/],
    [
      ['rehearse', '--scenario', 'none', '--out', out, '--', './no-such-program'],
      /\.\/no-such-program can't be started: there is no such program/,
    ],
    [['rehearse', '--scenario', 'none,none', '--', 'true'], /--scenario names "none" twice/],
    [['rehearse', '--out', join(out, 'r.json'), '--', 'true'], /--out .* can't be written: EEXIST|ENOTDIR/],
    [['rehearse', '--timeout', 'soon', '--', 'true'], /--timeout is "soon"; expected a time/],
    [['rehearse', '--env', '=x', '--', 'true'], /--env is "=x"; expected NAME=VALUE/],
  ] as const) {
    const { code, stderr } = await understudy(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
})
