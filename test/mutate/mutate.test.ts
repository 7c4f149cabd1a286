import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { MutationReport } from '../../mutate/report.ts'
import { mutationReporters } from '../../mutate/reporters.ts'
import { type MutateOptions, mutate } from '../../mutate/run.ts'
import type { TestsToRun } from '../../mutate/runners.ts'
import { begin, isProving, understudy } from '../support.ts'
import * as suites from './suites.ts'

const valid = new Ajv({ strict: false }).compile(MutationReport)
const usual: MutateOptions = { speed: 'instant', rateLimit: 0, jobLimit: 0, credits: 100_000, seed: 'test' }

async function run(tests: TestsToRun, options: MutateOptions = {}): Promise<MutationReport> {
  const report = await mutate(tests, { ...usual, ...options })
  assert.ok(valid(report), JSON.stringify(valid.errors?.slice(0, 3)))
  for (const [name, reporter] of Object.entries(mutationReporters)) {
    const text = reporter(report)
    assert.ok(text.length > 0 && !/\[object|\bundefined\b/.test(text), name)
  }
  return report
}

const outcomesOf = (report: MutationReport) =>
  Object.fromEntries(report.results.map(({ id, outcome }) => [id, outcome]))

/** A small suite: one job, from its creation to its end. */
const oneJob: TestsToRun = async ({ url, key }) => {
  const headers = { 'X-Api-Key': key, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ video_url: 'https://example.com/cat.mp4#t=2' })
  const ask = async (path: string, init = {}): Promise<{ [field: string]: unknown }> =>
    (await (await fetch(url + path, { headers, ...init })).json()) as never
  const { id } = await ask('/v1/jobs', { method: 'POST', body })
  const { status, output_url } = await ask(`/v1/jobs/${id}`)
  return status === 'completed' && output_url !== null
}

t.test('a thorough suite notices what it reaches, and refuses no correct server', async t => {
  const only = isProving ? {} : { only: ['webhook-signature-bare', 'ids-uuid'] }
  const report = await run(suites.thorough, { ...only, jobs: 3 })
  const musts = report.results.filter(
    ({ severity, outcome }) => severity === 'must' && ['noticed', 'unnoticed'].includes(outcome),
  )
  const unnoticed = musts.filter(({ outcome }) => outcome === 'unnoticed').map(({ id }) => id)
  t.ok(musts.length >= (isProving ? 100 : 1), `${musts.length} musts reached`)
  t.ok(unnoticed.length <= musts.length * 0.05, `unnoticed: ${unnoticed}`)
  t.same(
    report.results
      .filter(({ outcome }) => outcome === 'refused' || outcome === 'unclear')
      .map(({ id, why }) => [id, why]),
    [],
  )
})

t.test('a suite that looks at statuses alone is blind to the rest', async t => {
  const report = await run(
    suites.statusOnly,
    isProving
      ? {}
      : {
          only: [
            'health-500',
            'unknown-job-400',
            'upload-size-off',
            'state-queued',
            'create-201',
            'webhook-put',
            'range-ignored',
          ],
        },
  )
  t.match(outcomesOf(report), {
    'health-500': 'noticed',
    'unknown-job-400': 'noticed',
    'upload-size-off': 'unnoticed',
    'state-queued': 'unnoticed',
    'create-201': 'accepted',
    'webhook-put': 'skipped',
    'range-ignored': 'skipped',
  })
  const blind = report.results.find(({ id }) => id === 'upload-size-off')
  t.match(blind, {
    verdict: 'failed',
    severity: 'must',
    loses: 'data',
    exchange: {
      place: 'POST /v1/uploads',
      healthy_from: 'the same call',
      diff: [/^- size: \d+$/, /^\+ size: \d+$/],
      asserts: /^that "size" in the answer of POST \/v1\/uploads is \d+$/,
    },
  })
  t.match(report.results.find(({ id }) => id === 'webhook-put')?.why, 'never receives a webhook')
  t.match(report.results.find(({ id }) => id === 'range-ignored')?.why, /^never calls GET \/files\/outputs/)
  t.ok(report.healthy.never_called.includes('POST /v1/jobs/{job_id}/start'))
})

t.test(
  'a suite that compares whole answers refuses correct servers, and is told what grants their freedom',
  async t => {
    const report = await run(
      suites.snapshots(),
      isProving ? {} : { only: ['more-fields', 'created-at-without-ms', 'job-model-missing', 'create-202'] },
    )
    t.match(outcomesOf(report), { 'more-fields': 'refused', 'job-model-missing': 'noticed', 'create-202': 'refused' })
    t.match(
      mutationReporters.pretty(report),
      /✗ create-202\n {2}JOB-2: a create is answered 202\n {2}JOB-2 grants it: Answer/,
    )
    t.equal(report.ok, true, 'a refused variant is told, and fails nothing')
  },
)

t.test('a suite that asserts nothing has the score 0, and fails where a score or the musts are asked for', async t => {
  const only = isProving ? {} : { only: ['JOB-2', 'job-output-url-null', 'missing-key-passes-listJobs'] }
  const report = await run(suites.assertsNothing, { ...only, require: 'must', minScore: 80 })
  t.match(report, { score: 0, ok: false, outcomes: { noticed: 0, refused: 0 } })
  t.match(report.why, /^0 of \d+ mutants noticed \(0 %\); .*musts; .*the score is below 80 %; \d+ musts unnoticed$/)
  t.match(report.results.find(({ id }) => id === 'missing-key-passes-listJobs')?.exchange, {
    healthy_from: 'a healthy run',
    healthy: { status: 401 },
    mutated: { status: 200 },
    asserts: /has status 401$/,
  })
})

t.test('a suite that is red, flaky or far away is refused before any mutant is run', async t => {
  let turn = 0
  await t.rejects(
    run(async mock => {
      await oneJob(mock)
      return ++turn !== 2
    }),
    {
      name: 'ConfigError',
      message:
        /^your suite is flaky or red without any mutant: run [23] of 3 failed; runs 2 and 3 ran at the same time/,
    },
  )
  await t.rejects(
    run(() => {
      throw new Error('no such table')
    }),
    { message: /run 1 of 3 failed; it printed:\nError: no such table/ },
  )
  await t.rejects(
    run(() => new Promise(() => {}), { timeout: 50 }),
    { message: /run 1 of 3 did not end in \d+ ms \(--timeout\)/ },
  )
  await t.rejects(
    run(() => true),
    { message: /never called the mock; it was given UNDERSTUDY_BASE_URL/ },
  )
  await t.rejects(run(oneJob, { only: ['JOB-99'] }), { message: /^--only names "JOB-99"; expected a clause/ })
  await t.rejects(run(oneJob, { only: ['AD-1'] }), {
    message: '--only AD-1 selects nothing: no mutant breaks this clause',
  })
  await t.rejects(run(oneJob, { sampel: 3 } as never), { message: /There is no option "sampel"/ })
})

t.test('what fails once and passes once is unclear; a mutant under which a suite does not end is noticed', async t => {
  const seen = new Map<string, number>()
  const chance: TestsToRun = async mock => {
    const id = mock.run.replace(/-again$/, '')
    seen.set(id, (seen.get(id) ?? 0) + 1)
    await oneJob(mock)
    return id.startsWith('healthy') || seen.get(id) !== 1
  }
  const flaky = await run(chance, { only: ['job-model-missing'] })
  t.match(flaky.results, [{ outcome: 'unclear', verdict: 'inconclusive', runs: [{ green: false }, { green: true }] }])
  const waits: TestsToRun = async mock => {
    if ((await oneJob(mock)) === false) await new Promise(() => {})
  }
  const hung = await run(waits, { only: ['job-output-url-null'] })
  t.match(hung.results, [{ outcome: 'noticed', runs: [{ timed_out: true }, { timed_out: true }] }])
})

t.test('the same seed gives the same order; a sample has one of each clause first', async t => {
  const order = async (seed: string) => {
    const ids: string[] = []
    await run(oneJob, {
      only: ['JOB-2', 'JOB-5', 'JOB-4'],
      sample: 4,
      seed,
      jobs: 1,
      onProgress: one => one.type === 'started' && ids.push(one.id),
    })
    return ids
  }
  const first = await order('one')
  t.same(await order('one'), first)
  t.not((await order('another')).join(), first.join())
  t.equal(first.length, 4)
})

t.test('expected failures fail nothing until they are noticed; --since takes over what was noticed', async t => {
  const folder = t.testdir({ known: 'job-model-missing # nobody reads it\n', stale: 'job-output-url-null\n' })
  const only = ['job-model-missing', 'job-output-url-null']
  const known = await run(oneJob, { only, minScore: 100, expectedFailures: join(folder, 'known') })
  t.match(known, { ok: true, score: 100, expected: { failed: ['job-model-missing'] } })
  const stale = await run(oneJob, { only, expectedFailures: join(folder, 'stale') })
  t.match(stale, {
    ok: false,
    why: /job-output-url-null passed, though .*stale:1 expects it to fail: remove this line/,
  })
  const file = join(folder, 'report.json')
  writeFileSync(file, mutationReporters.json(stale))
  const started: string[] = []
  const later = await run(oneJob, {
    only,
    since: file,
    onProgress: one => one.type === 'started' && started.push(one.id),
  })
  t.same(started, ['job-model-missing'])
  t.match(
    later.results.find(({ id }) => id === 'job-output-url-null'),
    { outcome: 'noticed', taken_over: true },
  )
  t.match(later.why, /; 1 taken over$/)
  writeFileSync(file, '{"schema_version":2}')
  await t.rejects(run(oneJob, { since: file }), { message: /is no report of understudy mutate/ })
})

t.test('a sample has one of each clause that the tests can reach', async t => {
  // Most of ID-1 breaks what this suite never calls.
  const { results } = await run(oneJob, { only: ['ID-1', 'JOB-5'], sample: 2 })
  const sampled = results.filter(({ runs }) => runs.length > 0)
  t.same(sampled.map(({ clause }) => clause).sort(), ['ID-1', 'JOB-5'])
})

t.test('a list is no blind spot because its jobs are further on a moment later', async t => {
  const lists: TestsToRun = async ({ url, key }) => {
    const headers = { 'X-Api-Key': key, 'Content-Type': 'application/json' }
    await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body: '{"video_url":"https://example.com/cat.mp4#t=60"}' })
    for (let n = 0; n < 10; n++) await fetch(`${url}/v1/jobs`, { headers })
  }
  const only = ['list-limit-ignored', 'list-offset-ignored', 'foreign-jobs-listed']
  // So fast that two looks at a job hardly ever find it where it was.
  const report = await run(lists, { only, speed: 500 })
  t.same(new Set(Object.values(outcomesOf(report))), new Set(['skipped']), JSON.stringify(outcomesOf(report)))
})

t.test('what is stopped before its end leaves a report of what is known', async t => {
  const stop = new AbortController()
  const report = await run(oneJob, {
    only: ['JOB-5'],
    jobs: 1,
    signal: stop.signal,
    onProgress: ({ type }) => type === 'ended' && stop.abort(),
  })
  t.match(report, { complete: false, ok: false, why: /it was stopped with \d+ still to run/ })
  t.equal(report.results.filter(({ runs }) => runs.length > 0).length, 1)
})

const program = `const { UNDERSTUDY_BASE_URL: url, UNDERSTUDY_API_KEY: key } = process.env
fetch(url + '/v1/jobs', { headers: { 'X-Api-Key': key } }).then(r => r.json()).then(list => { process.exitCode = list.total === 0 ? 0 : 4 })`

t.test('understudy mutate -- <command>: reports, progress and exit codes', async t => {
  const folder = t.testdir({})
  const at = (name: string) => join(folder, name)
  const { code, stdout, stderr } = await understudy([
    'mutate',
    '--only',
    'list-total-off,list-oldest-first,few-headers',
    '--seed',
    '1',
    '--reporter',
    `html=${at('m.html')}`,
    '--reporter',
    `json=${at('m.json')}`,
    '--',
    process.execPath,
    '-e',
    program,
  ])
  t.equal(code, 0, stderr)
  t.match(stdout, /\n1 of 1 mutant noticed \(100 %\); 1 of 1 correct variant accepted; 1 not reached\n$/)
  t.match(stderr, /^understudy mutate: .*seed: 1\nwithout a mutant: run 1 of 3\n/s)
  t.match(JSON.parse(readFileSync(at('m.json'), 'utf8')), { $schema: 'understudy-mock/mutation.schema.json', ok: true })
  t.match(
    readFileSync(at('m.html'), 'utf8'),
    /<details class="clause mutant" id="list-total-off" data-verdict="passed">/,
  )
})

t.test('on a terminal it shows what runs and what is left; Ctrl-C leaves a report and no process', async t => {
  const args = ['mutate', '--only', 'JOB-6', '--seed', '1', '--jobs', '1', '--', process.execPath, '-e', program]
  const running = begin(args, { tty: 120 })
  const [line] = await running.printed(/\[0\/\d+\] list-[\w-]+ {3}\d+ mutants left, [\d.]+ s at most a run/)
  t.ok(line.length <= 120)
  const { code, stdout } = await running.interrupt()
  t.equal(code, 1)
  t.match(stdout, /it was stopped with \d+ still to run\S*\n$/)
})

t.test('understudy mutate: a line for each wrong use, and exit 2', async t => {
  for (const { args, says } of [
    { args: [], says: /no command was given; expected one after --/ },
    { args: ['--', 'no-such-program-here'], says: /no-such-program-here can't be started: there is no such program/ },
    { args: ['--', ''], says: /no command was given; expected one after --/ },
    { args: ['--', 'npm test'], says: /npm test can't be started: .*; give it and its arguments unquoted/ },
    { args: ['--', 'true', 'x'.repeat(3e6)], says: /true can't be started: .*E2BIG/ },
    { args: ['--only', 'DL-9', '--', 'true'], says: /--only names "DL-9"/ },
    { args: ['--', 'true'], says: /true never called the mock/ },
    {
      args: ['--', process.execPath, '-e', 'process.stdin.on("end", () => process.exit(3)).resume()'],
      says: /run 1 of 3 failed with exit 3; it printed nothing/,
    },
    {
      args: ['--timeout', '200ms', '--', process.execPath, '-e', 'setInterval(() => {}, 1e6)'],
      says: /did not end in/,
    },
    { args: ['--reporter', 'json=package.json/x.json', '--', 'true'], says: /--reporter can't write/ },
    { args: ['--json', '--', 'true'], says: /--json goes with --list/ },
  ]) {
    const { code, stderr } = await understudy(['mutate', ...args])
    t.equal(code, 2, args.join(' ').slice(0, 200))
    t.match(stderr, says)
  }
})

t.test('understudy mutate --list prints mutants and variants, for people and as JSON', async t => {
  const { stdout } = await understudy(['mutate', '--list', '--only', 'DL-3'])
  t.match(stdout, /^Mutants, each with one documented sentence broken: \d+\n/)
  t.match(stdout, / {2}file-cut-in-half +DL-3 +must, data +the second half of the file is missing\n/)
  const all = JSON.parse((await understudy(['mutate', '--list', '--json'])).stdout)
  t.ok(all.length >= 279, String(all.length))
  t.match(
    all.find(({ id }: { id: string }) => id === 'job-output-url-null'),
    {
      kind: 'mutant',
      clause: 'JOB-5',
      severity: 'must',
      operations: ['GET /v1/jobs/{job_id}', 'GET /v1/jobs'],
      noticeable_by: ['field'],
    },
  )
})
