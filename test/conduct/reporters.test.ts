/** Every reporter of conduct, and of a rehearsal: judged by who reads it, and by what may never come through. */
import { Ajv } from 'ajv'
import t from 'tap'
import { ConductReport } from '../../conduct/report.ts'
import { conductRun } from '../../conduct/reporters/cases.ts'
import { conductReporters } from '../../conduct/reporters/index.ts'
import { conductReporterHelp } from '../../conduct/reporters/names.ts'
import { Rehearsal } from '../../rehearse/report.ts'
import { type RehearsalReporterName, rehearsalHelp, rehearsalReporters } from '../../rehearse/reporters.ts'
import type { ReporterName } from '../../reports/names.ts'
import { reporters } from '../../suite/reporters/index.ts'
import { acting, pageProblems, proseOf, readJunit, readTap } from '../reports/readers.ts'
import {
  breach,
  conductReport,
  emptyRehearsal,
  emptyReport,
  entry,
  failedReport,
  greenRehearsal,
  hostile,
  hostileRehearsal,
  hostileReport,
  incompleteReport,
  lackingReport,
  passedReport,
  rehearsal,
  retryAfter,
  rule,
  skipped,
  skippedReport,
  someConductReports,
  triedReport,
} from './reports.ts'

const names = Object.keys(conductReporters) as ReporterName[]
const rehearsalNames = Object.keys(rehearsalReporters) as RehearsalReporterName[]

const withoutColours = (text: string): string =>
  text
    .split('\u001b[')
    .map((part, i) => (i === 0 ? part : part.replace(/^\d+m/, '')))
    .join('')

t.test('no reporter lets a sign through that acts instead of showing, and each says the same of the same', async t => {
  t.same(names, Object.keys(reporters), "the names are the suite's")
  for (const name of names) {
    for (const report of [hostileReport(), ...someConductReports()]) {
      const text = conductReporters[name](report)
      t.same(text.match(acting), null, name)
      t.ok(text.endsWith('\n') && !text.endsWith('\n\n'), `${name} ends with one line break`)
      t.equal(conductReporters[name](structuredClone(report)), text, `${name} says the same of the same`)
    }
    t.match(conductReporters[name](hostileReport()), /(\\x1b|\\\\x1b|\\u001b)\]0;owned/, `${name} shows it escaped`)
    t.ok(conductReporterHelp[name].length > 10 && !conductReporterHelp[name].includes('\n'))
  }
  for (const name of rehearsalNames) {
    for (const one of [hostileRehearsal(), rehearsal(), greenRehearsal(), emptyRehearsal()]) {
      const text = rehearsalReporters[name](one)
      t.same(text.match(acting), null, `rehearsal: ${name}`)
      t.ok(text.endsWith('\n') && !text.endsWith('\n\n'), `rehearsal: ${name} ends with one line break`)
      t.equal(rehearsalReporters[name](structuredClone(one)), text, `rehearsal: ${name} says the same of the same`)
    }
    t.ok(rehearsalHelp[name].length > 10 && !rehearsalHelp[name].includes('\n'))
  }
})

t.test('a megabyte on one line is cut by all but json', async t => {
  for (const name of names.filter(name => name !== 'json'))
    t.ok(conductReporters[name](hostileReport()).length < 150_000, name)
  for (const name of rehearsalNames.filter(name => name !== 'json'))
    t.ok(rehearsalReporters[name](hostileRehearsal()).length < 150_000, `rehearsal: ${name}`)
})

t.test('colours change no text', async t => {
  for (const report of [hostileReport(), ...someConductReports()]) {
    const coloured = conductReporters.pretty(report, { color: true })
    t.match(coloured, '\u001b[')
    t.equal(withoutColours(coloured), conductReporters.pretty(report))
  }
  for (const one of [hostileRehearsal(), rehearsal(), greenRehearsal()])
    t.equal(withoutColours(rehearsalReporters.pretty(one, { color: true })), rehearsalReporters.pretty(one))
})

t.test('pretty says who was graded, what failed and what to do, what was skipped, and the verdict last', async t => {
  t.equal(
    conductReporters.pretty(failedReport()),
    `key 3f9a1c0d
understudy 0.1.0, the journal of http://127.0.0.1:4010, 50 calls and 1
  webhook, from 2026-11-20 12:00:03 UTC
rules of 2026-12, level must; the mock's own timers were late by up to 3 ms

✗ limits.retry-after (RL-3) failed
  After a 429 a client waits as long as Retry-After says before it tries again

  came back after 0.3 s, though asked to wait 2 s
    #12 12:00:06.840 POST /v1/jobs → 429 rate_limited, Retry-After 2  req_5c81f0
    #13 12:00:07.150 POST /v1/jobs → 429 rate_limited, Retry-After 2  req_5c81f1

  came back after 0.6 s, though asked to wait 2 s
    #13 12:00:07.150 POST /v1/jobs → 429 rate_limited, Retry-After 2  req_5c81f1
    #15 12:00:07.770 POST /v1/jobs → 201, queued  req_5c81f3  job_77ab

  came back after 0 s, though asked to wait 1 s
    #30 12:00:12.420 GET /v1/jobs/job_77ab → 429 rate_limited

  1 more like it: the json report has them all.

  advice     Read Retry-After from the 429, wait at least that many seconds, and
             only then send the request again.

✗ polling.stops (JOB-5) failed
  A job that has ended is asked for no more

  asked 10 times more for a job that it knew to be completed
    #40 12:00:15.520 GET /v1/jobs/job_77ab → 200, completed
    #41 12:00:15.830 GET /v1/jobs/job_77ab → 200, completed
    #42 12:00:16.140 GET /v1/jobs/job_77ab → 200, completed
    #43 12:00:16.450 GET /v1/jobs/job_77ab → 200, completed
    #44 12:00:16.760 GET /v1/jobs/job_77ab → 200, completed
    … 4 more
    #49 12:00:18.310 GET /v1/jobs/job_77ab → 200, completed
    #50 12:00:18.620 GET /v1/jobs/job_77ab → 200, completed

  advice     End the loop when state is completed, failed or cancelled: none of
             them changes any more.

Skipped: 6
– run scenario internal-error-once to provoke them
  errors.retried (ERR-3) What failed with 429, with a 5xx or without an
      answer is tried again
  errors.no-hammering (ERR-3) After a 5xx or a lost answer a client waits a
      second or more before it tries again
– run scenario insufficient-credits to provoke it
  credits.no-retry (ERR-3) What was refused for want of credits (402) is
      sent again with backoff, or when there are credits
– run scenario go-live to provoke it
  goLive.paths (GO-5) Success, failure, timeout, retry and insufficient
      credits were each tried: not tried yet: timeout, credits
– the situation never arose
  uploads.acceptable (UP-2) Only files are uploaded that can be accepted
– no way to know: what a client logs is not seen from outside
  observability.request-id (GO-4) request_id and job_id are in the client's
      logs and dashboards

Passed: 3
  errors.client-errors-not-retried retries.grow secrets.key-not-in-url

3 passed, 2 failed, 6 skipped
`,
  )
})

t.test('pretty warns of what it did not see, marks what is required, and is no wider than asked', async t => {
  t.equal(
    conductReporters.pretty(incompleteReport()),
    `all keys
understudy 0.1.0, the journal of http://127.0.0.1:4010, 50 calls and 1
  webhook, from 2026-11-20 12:00:03 UTC
rules of 2026-12, level must; the mock's own timers were late by up to 3 ms
keys found: 3f9a1c0d, 77b20e41
! Not all was seen: the journal holds 1,000 entries, and older ones are gone

Passed: 3
  errors.client-errors-not-retried retries.grow secrets.key-not-in-url

3 passed, 0 failed, 0 skipped
`,
  )
  const lacking = conductReporters.pretty(lackingReport())
  t.match(lacking, /^ {2}goLive\.paths \(GO-5\) \(required\) Success/m)
  t.match(lacking, /^ {2}errors\.retried \(ERR-3\) \(required\) What failed/m)
  t.notMatch(lacking, /uploads\.acceptable \(UP-2\) \(required\)/)
  t.match(lacking, /; required, but not passed: err-3, goLive\.paths, XX-1\n$/)
  t.notMatch(conductReporters.pretty(skippedReport()), '(required)')
  t.notMatch(conductReporters.pretty(emptyReport()), 'keys found')
  t.match(conductReporters.pretty(emptyReport()), /^understudy .*, 0 calls and 0 webhooks$/m)

  const all = conductReport([{ ...retryAfter, evidence: retryAfter.evidence.slice(0, 1) }], { key: 'all' })
  t.match(
    conductReporters.pretty(all),
    'though asked to wait 2 s (key 3f9a1c0d)',
    'by which key, where there are several',
  )
  t.match(
    conductReporters.pretty(conductReport([rule('a.b', 'X-1', { verdict: 'failed' })])),
    'No evidence was kept.',
    'a breach without evidence is one all the same',
  )

  for (const width of [40, 72, 100])
    for (const report of [hostileReport(), ...someConductReports()]) {
      const [verdict = '', ...lines] = conductReporters.pretty(report, { width }).trimEnd().split('\n').reverse()
      t.same(
        lines.filter(line => line.length > width),
        [],
        `within ${width}, but for the verdict`,
      )
      t.ok(verdict.length > 0)
    }
  for (const line of conductReporters.pretty(hostileReport()).split('\n').slice(0, -2))
    t.notMatch(line, /^(ok|not ok|1\.\.|Bail|---)/, 'what the client sent never starts a line')
})

t.test('the rules that were skipped are a list of as few scenarios as will do', async t => {
  const report = conductReport([
    skipped('a.one', 'X-1', ['rare', 'common']),
    skipped('a.two', 'X-2', ['other']),
    skipped('a.three', 'X-3', ['common', 'common', 'other']),
    skipped('a.four', 'X-4', ['common']),
  ])
  const lines = conductReporters.pretty(report).split('\n')
  t.same(
    lines.filter(line => line.startsWith('– ')),
    ['– run scenario common to provoke them', '– run scenario other to provoke it'],
  )
  for (const { id } of report.rules) t.equal(lines.filter(line => line.includes(id)).length, 1, `${id} once`)
})

t.test("json is what the report's own schema takes, and loses nothing", async t => {
  const ajv = new Ajv({ strict: false })
  const validate = ajv.compile(ConductReport as object)
  for (const report of [hostileReport(), ...someConductReports()]) {
    const parsed = JSON.parse(conductReporters.json(report))
    t.ok(validate(parsed), JSON.stringify(validate.errors))
    t.same(parsed, JSON.parse(JSON.stringify({ $schema: 'understudy-mock/conduct.schema.json', ...report })))
    t.notOk(validate({ ...parsed, extra: 1 }), 'the schema is closed')
  }
  const validateRehearsal = ajv.compile(Rehearsal as object)
  for (const one of [hostileRehearsal(), rehearsal(), greenRehearsal(), emptyRehearsal()]) {
    const parsed = JSON.parse(rehearsalReporters.json(one))
    t.ok(validateRehearsal(parsed), JSON.stringify(validateRehearsal.errors))
    t.same(parsed, JSON.parse(JSON.stringify({ $schema: 'understudy-mock/rehearsal.schema.json', ...one })))
    t.notOk(validateRehearsal({ ...parsed, extra: 1 }), 'the schema is closed')
    const [first] = parsed.scenarios
    if (first) t.notOk(validateRehearsal({ ...parsed, scenarios: [{ ...first, exit_code: 0.5 }] }))
  }
})

t.test('junit is read by an XML parser: a testcase for each rule, its theme as the class', async t => {
  const { attributes, properties, cases } = readJunit(conductReporters.junit(failedReport()))
  t.match(attributes, { tests: '11', failures: '2', skipped: '6', errors: '0', timestamp: '2026-11-20T12:00:03.120Z' })
  t.match(properties, { key: '3f9a1c0d', calls: '50', webhooks: '1', why: '3 passed, 2 failed, 6 skipped' })
  t.same(
    cases.map(({ classname, name, kind }) => [classname, name.split(' ')[0], kind]),
    [
      ['understudy.limits', 'limits.retry-after', 'failure'],
      ['understudy.errors', 'errors.client-errors-not-retried', ''],
      ['understudy.retries', 'retries.grow', ''],
      ['understudy.secrets', 'secrets.key-not-in-url', ''],
      ['understudy.polling', 'polling.stops', 'failure'],
      ['understudy.errors', 'errors.retried', 'skipped'],
      ['understudy.credits', 'credits.no-retry', 'skipped'],
      ['understudy.errors', 'errors.no-hammering', 'skipped'],
      ['understudy.goLive', 'goLive.paths', 'skipped'],
      ['understudy.uploads', 'uploads.acceptable', 'skipped'],
      ['understudy.observability', 'observability.request-id', 'skipped'],
    ],
  )
  t.equal(cases[0]?.message, 'RL-3: came back after 0.3 s, though asked to wait 2 s (and 3 more)')
  t.match(cases[0]?.text, '\n  #15 12:00:07.770 POST /v1/jobs → 201, queued  req_5c81f3  job_77ab\n')
  t.match(cases[0]?.text, /\n\nadvice {5}Read Retry-After from the 429, .* send the request again\.$/)
  t.equal(cases[4]?.message, 'JOB-5: asked 10 times more for a job that it knew to be completed')
  t.equal(
    cases[5]?.message,
    'the situation never arose; run the scenario internal-error-once or rate-limited-then-ok to provoke it',
  )
  t.equal(cases[9]?.message, 'the situation never arose', 'without a scenario that would')

  const bad = readJunit(conductReporters.junit(hostileReport()))
  t.match(bad.cases[0]?.text, ']]><script>alert(1)</script>', 'content is content')
  t.equal(bad.attributes.tests, '12', "the rules, and the required clause that is no rule's")
  t.match(readJunit(conductReporters.junit(incompleteReport())).properties.incomplete, 'older ones are gone')
})

interface Point {
  ok: boolean
  id: number
  name: string
  skip: string | boolean
  todo: string | boolean
  diag: null | { message?: string; advice: string; evidence?: { said: string; entries: string[] }[]; more?: number }
}

t.test('tap is read by a TAP parser: a test point for each rule, whatever the client sent', async t => {
  const { points, comments, rest, version, complete } = readTap<Point>(conductReporters.tap(failedReport()))
  t.same(rest, ['complete'])
  t.equal(version, 14)
  t.match(complete, { ok: false, count: 11, fail: 2, skip: 6, plan: { end: 11 } })
  t.equal(points[0]?.name, `limits.retry-after (RL-3): ${retryAfter.title}`)
  t.match(points[0]?.diag, {
    clause: 'RL-3',
    evidence: [
      {
        said: 'came back after 0.3 s, though asked to wait 2 s',
        entries: ['#12 12:00:06.840 POST /v1/jobs → 429 rate_limited, Retry-After 2  req_5c81f0', String],
      },
      { said: 'came back after 0.6 s, though asked to wait 2 s' },
      { said: 'came back after 0 s, though asked to wait 1 s' },
    ],
    more: 1,
    advice: retryAfter.advice,
  })
  t.equal(points[8]?.skip, 'not tried yet: timeout, credits; run the scenario go-live to provoke it')
  t.equal(points[10]?.skip, 'no way to know: what a client logs is not seen from outside')
  t.match(comments.at(-2), '# key 3f9a1c0d: the journal of http://127.0.0.1:4010, 50 calls and 1 webhook, from')
  t.match(comments.at(-1), '# 3 passed, 2 failed, 6 skipped')
  t.match(
    readTap<Point>(conductReporters.tap(incompleteReport())).comments.at(-2),
    '# Not all was seen: the journal holds',
  )

  const bad = readTap<Point>(conductReporters.tap(hostileReport()))
  t.same(bad.rest, ['complete'], 'no bail out, no subtest, nothing that is not TAP')
  t.match(bad.complete, { ok: false, count: 12, plan: { end: 12 } })
  t.same(
    bad.points.map(({ id, todo }) => [id, todo]),
    bad.points.map((_, i) => [i + 1, false]),
  )
  t.match(bad.points[0]?.diag?.evidence?.[0]?.said, 'ok 99 - forged # SKIP 1..7 Bail out!')
})

t.test('a client that is not graded green is so in TAP, JUnit and SARIF, whatever the reason', async t => {
  const lacking = lackingReport()
  const { complete, points } = readTap<Point>(conductReporters.tap(lacking))
  t.match(complete, { ok: false, count: 9, fail: 5, skip: 2 })
  t.same(
    points.filter(({ ok }) => !ok).map(({ name, diag }) => [name.split(' ')[0], diag?.message]),
    [
      ['errors.retried', requiredText('internal-error-once or rate-limited-then-ok')],
      ['credits.no-retry', requiredText('insufficient-credits or credits-run-out-midway')],
      ['errors.no-hammering', requiredText('outage-of-30s or internal-error-once')],
      [
        'goLive.paths',
        'required, but skipped: not tried yet: timeout, credits; run the scenario go-live to provoke it',
      ],
      ['run:', 'required, but not passed: XX-1'],
    ],
    'a clause whatever its case, a rule, and what is neither',
  )
  const junit = readJunit(conductReporters.junit(lacking))
  t.match(junit.attributes, { tests: '9', failures: '5', skipped: '2' })
  t.match(junit.cases[2], { kind: 'failure', message: requiredText('internal-error-once or rate-limited-then-ok') })
  t.match(junit.cases[8], { kind: 'failure', message: 'required, but not passed: XX-1' })
  t.equal(readSarif(lacking).invocations[0].toolExecutionNotifications.length, 5)

  const empty = emptyReport()
  t.match(readTap<Point>(conductReporters.tap(empty)).complete, { ok: false, count: 7, fail: 1, skip: 6 })
  t.match(readJunit(conductReporters.junit(empty)).cases.at(-1), { kind: 'failure', message: empty.why })
  t.match(readSarif(empty).invocations[0], {
    exitCode: 1,
    toolExecutionNotifications: [{ message: { text: empty.why } }],
  })

  const both = conductReport([retryAfter], { required: { rules: ['RL-3'], missing: ['RL-3'] } })
  t.match(readTap<Point>(conductReporters.tap(both)).complete, { count: 1, fail: 1 }, 'what failed is not told twice')

  t.match(readTap<Point>(conductReporters.tap(passedReport())).complete, { ok: true, count: 3, fail: 0, skip: 0 })
  t.match(readTap<Point>(conductReporters.tap(skippedReport())).complete, { ok: true, count: 9, fail: 0, skip: 6 })
  t.match(readJunit(conductReporters.junit(skippedReport())).attributes, { tests: '9', failures: '0', skipped: '6' })
  t.match(readSarif(skippedReport()).invocations[0], { exitCode: 0, toolExecutionNotifications: [] })
})

const requiredText = (scenarios: string): string =>
  `required, but skipped: the situation never arose; run the scenario ${scenarios} to provoke it`

t.test('markdown folds what failed, lists what was skipped by scenario, and lets no text be markup', async t => {
  const text = conductReporters.markdown(failedReport())
  t.match(text, /^## ❌ 3 passed, 2 failed, 6 skipped\n\nkey 3f9a1c0d, the journal of /)
  t.match(text, `<details><summary>❌ <b>limits.retry-after</b> (RL-3) ${retryAfter.title}</summary>`)
  t.match(text, '```text\ncame back after 0.3 s, though asked to wait 2 s\n  #12 12:00:06.840 POST')
  t.match(text, '1 more piece of evidence: the json report has them all.')
  t.match(text, `**Advice:** ${retryAfter.advice}`)
  t.match(text, '- run scenario internal-error-once to provoke them\n  - errors.retried (ERR-3) What failed')
  t.match(text, '- no way to know: what a client logs is not seen from outside\n  - observability.request-id (GO-4)')
  t.match(text, '| ✅ | retries.grow | RL-3 | From one retry to the next the waiting grows |')
  t.match(conductReporters.markdown(lackingReport()), '- goLive.paths (GO-5) **required** Success, failure')
  t.match(conductReporters.markdown(incompleteReport()), '\n\n> ⚠️ Not all was seen: the journal holds 1,000')
  t.match(conductReporters.markdown(passedReport()), /^## ✅ 3 passed, 0 failed, 0 skipped\n/)
  t.match(
    conductReporters.markdown(conductReport([])),
    /^## ✅ 0 passed, 0 failed, 0 skipped\n\nkey [^\n]*\n\nrules of [^\n]*\n$/,
  )

  const { prose, isClosed } = proseOf(conductReporters.markdown(hostileReport()))
  t.ok(isClosed, 'every fence is closed')
  const folds = ['<details', '<summary', '<b', '</b', '</summary', '</details']
  t.same(prose.join('\n').match(/<\/?\w+/g), [...folds, ...folds])
  t.notMatch(prose.join('\n'), /[^\\]\]\(/, 'no link')
  const rows = prose.filter(line => line.startsWith('|'))
  t.equal(rows.length, 2 + 3)
  for (const row of rows) t.equal(row.split('|').length, 6, row)
})

interface SarifRun {
  tool: { driver: { rules: { id: string; help: { text: string } }[] } }
  invocations: [{ exitCode: number; toolExecutionNotifications: { level: string; message: { text: string } }[] }]
  results: {
    ruleId: string
    ruleIndex: number
    level: string
    message: { text: string }
    locations: {
      physicalLocation: { artifactLocation: { uri: string } }
      logicalLocations: { fullyQualifiedName: string }[]
    }[]
    partialFingerprints: Record<string, string>
  }[]
}

function readSarif(report: ConductReport): SarifRun {
  const { version, runs } = JSON.parse(conductReporters.sarif(report)) as { version: string; runs: [SarifRun] }
  t.equal(version, '2.1.0')
  return runs[0]
}

t.test('sarif has a rule for each rule, with its advice, and a result, at its route, for each breach', async t => {
  const run = readSarif(failedReport())
  t.equal(run.tool.driver.rules.length, 11)
  t.match(run.tool.driver.rules[0], { id: 'limits.retry-after', help: { text: retryAfter.advice } })
  t.same(
    run.results.map(({ ruleId, locations }) => [ruleId, locations[0]?.logicalLocations[0]?.fullyQualifiedName]),
    [
      ['limits.retry-after', 'POST /v1/jobs'],
      ['limits.retry-after', 'POST /v1/jobs'],
      ['limits.retry-after', 'GET /v1/jobs/{job_id}'],
      ['limits.retry-after', 'GET /v1/jobs/{job_id}'],
      ['polling.stops', 'GET /v1/jobs/{job_id}'],
    ],
  )
  t.match(
    run.results[0]?.message.text,
    /at POST \/v1\/jobs: came back after 0\.3 s.*\n {2}#12 .*\n\nadvice: Read Retry/s,
  )
  for (const report of [failedReport(), hostileReport()]) {
    const { tool, results } = readSarif(report)
    for (const { ruleId, ruleIndex, message, locations } of results) {
      t.equal(tool.driver.rules[ruleIndex]?.id, ruleId)
      t.notMatch(message.text, /\]\(|\{\d+\}/, 'nothing is a link or a placeholder')
      t.match(locations[0]?.physicalLocation.artifactLocation.uri, /^[\w%./-]+$/, 'relative, and a URI')
    }
  }
  t.match(readSarif(incompleteReport()).invocations[0].toolExecutionNotifications, [{ level: 'warning' }])

  const fingerprintOf = (said: string, what: string) =>
    readSarif(conductReport([{ ...retryAfter, evidence: [breach(said, entry(1, what))] }])).results[0]
      ?.partialFingerprints
  const one = fingerprintOf('after 0.3 s', 'GET /v1/jobs/job_1?api_key=a → 200')
  t.same(fingerprintOf('after 0.4 s', 'GET /v1/jobs/job_2 → 200'), one, 'a job id and a time are no identity')
  t.strictNotSame(fingerprintOf('after 0.3 s', 'POST /v1/jobs → 201'), one)
  const hook = readSarif(
    conductReport([{ ...retryAfter, evidence: [breach('was slow', entry(1, 'webhook job.completed → 500'))] }]),
  )
  t.equal(hook.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri, 'rules/limits.retry-after')
})

t.test('html runs its own script only, loads nothing, and holds what the client sent as text', async t => {
  for (const report of [hostileReport(), ...someConductReports()]) {
    const page = conductReporters.html(report)
    t.strictSame(pageProblems(page), [])
  }
  t.match(conductReporters.html(hostileReport()), '&#60;script&#62;alert(1)&#60;/script&#62;')
})

t.test('html is whole without its script, with what failed open and first', async t => {
  const page = conductReporters.html(failedReport())
  t.match(page, /<h1><span class="failed">✗<\/span> 3 passed, 2 failed, 6 skipped<\/h1>/)
  const rules = [...page.matchAll(/<details class="clause rule" id="([^"]+)" data-verdict="(\w+)"( open)?>/g)]
  t.same(
    rules.map(([, id, verdict, open]) => [id, verdict, open !== undefined]),
    [
      ['limits.retry-after', 'failed', true],
      ['polling.stops', 'failed', true],
      ['errors.retried', 'skipped', false],
      ['errors.no-hammering', 'skipped', false],
      ['credits.no-retry', 'skipped', false],
      ['goLive.paths', 'skipped', false],
      ['uploads.acceptable', 'skipped', false],
      ['observability.request-id', 'skipped', false],
      ['errors.client-errors-not-retried', 'passed', false],
      ['retries.grow', 'passed', false],
      ['secrets.key-not-in-url', 'passed', false],
    ],
  )
  t.same(
    [...page.matchAll(/<h4>([^<]*)<\/h4>/g)].map(([, title]) => title),
    [
      'Run scenario internal-error-once to provoke them',
      'Run scenario insufficient-credits to provoke it',
      'Run scenario go-live to provoke it',
      'The situation never arose',
      'No way to know: what a client logs is not seen from outside',
    ],
  )
  t.equal(page.match(/<article class="evidence breach">/g)?.length, 5, 'all of the evidence')
  t.match(page, '<li><code>#12 12:00:06.840 POST /v1/jobs → 429 rate_limited, Retry-After 2  req_5c81f0</code></li>')
  t.match(page, `<b>Advice:</b> ${retryAfter.advice}`)
  t.match(page, 'Of RL-3, GO-2; seen 5 times; must.')
  t.match(page, '<span class="reason">not tried yet: timeout, credits</span>')
  t.match(page, '<rect class="failed" x="3" width="2" height="1"/>')
  t.match(conductReporters.html(lackingReport()), '<span class="reason">required, and skipped</span>')
  t.match(conductReporters.html(incompleteReport()), '<p class="badge">Not all was seen: the journal holds')
  t.match(
    conductReporters.html(passedReport()),
    /<h1><span class="passed">✓<\/span> 3 passed, 0 failed, 0 skipped<\/h1>/,
  )
})

t.test('a rehearsal is one table, then what to do about what failed, and the verdict last', async t => {
  t.equal(
    rehearsalReporters.pretty(rehearsal()),
    `node client.mjs clip.mp4
understudy 0.1.0, 4 scenarios in 1 min 23 s, 2026-11-20 12:00:03 UTC
rules of 2026-12, level must

  scenario                  exit     finished  passed  failed  skipped
✓ go-live                   0        yes           12       0       12
✗ rate-limited-then-ok      0        yes           11       2       11
    failed: limits.retry-after, polling.stops
    see rehearsal/rate-limited-then-ok
✗ job-stuck                 SIGKILL  no             9       1       14
    failed: polling.stops
    it did not end within 60 s and was killed
    see rehearsal/job-stuck
✓ flaky-third-try-succeeds  1        yes           12       0       12

✗ limits.retry-after (RL-3) failed
  After a 429 a client waits as long as Retry-After says before it tries again
  in rate-limited-then-ok
  advice     Read Retry-After from the 429, wait at least that many seconds, and
             only then send the request again.

✗ polling.stops (JOB-5) failed
  A job that has ended is asked for no more
  in rate-limited-then-ok, job-stuck
  advice     End the loop when state is completed, failed or cancelled: none of
             them changes any more.

Skipped in every scenario: 2
– uploads.acceptable (UP-2) Only files are uploaded that can be accepted
– observability.request-id (GO-4) request_id and job_id are in the client's logs
  and dashboards

2 of 4 scenarios went wrong: rate-limited-then-ok, job-stuck
`,
  )
  t.equal(
    rehearsalReporters.pretty(greenRehearsal()),
    `node client.mjs clip.mp4
understudy 0.1.0, 2 scenarios in 1 min 23 s, 2026-11-20 12:00:03 UTC
rules of 2026-12, level must

  scenario      exit  finished  passed  failed  skipped
✓ go-live       0     yes           12       0       12
✓ webhook-lost  0     yes           12       0       12

all 2 scenarios went well
`,
  )
  t.match(rehearsalReporters.pretty(emptyRehearsal()), /0 scenarios in .*\n.*\n\nthere was no scenario to rehearse\n$/)
  for (const width of [60, 80, 200])
    for (const one of [rehearsal(), hostileRehearsal()]) {
      const lines = rehearsalReporters.pretty(one, { width }).trimEnd().split('\n').slice(0, -1)
      t.same(
        lines.filter(line => line.length > width),
        [],
        `within ${width}, but for the verdict`,
      )
    }
})

t.test('a rehearsal in markdown is one table, whatever the program printed', async t => {
  const text = rehearsalReporters.markdown(rehearsal())
  t.match(text, /^## ❌ 2 of 4 scenarios went wrong: rate-limited-then-ok, job-stuck\n\nnode client\.mjs clip\.mp4, /)
  t.match(
    text,
    '| ✅ | go-live | 0 | yes | 12 | 0 | 12 | |\n| ❌ | rate-limited-then-ok | 0 | yes | 11 | 2 | 11 | failed:',
  )
  t.match(text, `(RL-3) ${retryAfter.title}</summary>\n\nin rate-limited-then-ok\n\n**Advice:** Read Retry-After`)
  t.match(text, '### Skipped in every scenario\n\n- uploads.acceptable (UP-2) Only')
  t.match(rehearsalReporters.markdown(greenRehearsal()), /^## ✅ all 2 scenarios went well\n/)
  const { prose } = proseOf(rehearsalReporters.markdown(hostileRehearsal()))
  const folds = ['<details', '<summary', '<b', '</b', '</summary', '</details']
  t.same(prose.join('\n').match(/<\/?\w+/g), [...folds, ...folds])
  const rows = prose.filter(line => line.startsWith('|'))
  t.equal(rows.length, 2 + 4)
  for (const row of rows) t.equal(row.split('|').length, 10, row)
})

t.test('a rehearsal in junit has a testcase for each scenario', async t => {
  const { attributes, properties, cases } = readJunit(rehearsalReporters.junit(rehearsal()))
  t.match(attributes, { tests: '4', failures: '2', skipped: '0', time: '83.400' })
  t.equal(properties.command, 'node client.mjs clip.mp4')
  t.same(
    cases.map(({ classname, name, kind, time }) => [classname, name, kind, time]),
    [
      ['understudy.rehearsal', 'go-live', '', '1.234'],
      ['understudy.rehearsal', 'rate-limited-then-ok', 'failure', '1.234'],
      ['understudy.rehearsal', 'job-stuck', 'failure', '1.234'],
      ['understudy.rehearsal', 'flaky-third-try-succeeds', '', '1.234'],
    ],
  )
  t.equal(
    cases[2]?.message,
    'failed: polling.stops; it did not end within 60 s and was killed; see rehearsal/job-stuck',
  )
  t.match(cases[2]?.text, /^exit SIGKILL, not finished, 9 passed, 1 failed, 14 skipped\n.*\n {2}End the loop when/s)
  t.match(readJunit(rehearsalReporters.junit(hostileRehearsal())).cases[1]?.text, ']]><script>')
  t.match(readJunit(rehearsalReporters.junit(greenRehearsal())).attributes, { tests: '2', failures: '0' })
  t.match(readJunit(rehearsalReporters.junit(emptyRehearsal())).cases, [
    { kind: 'failure', message: 'there was no scenario to rehearse' },
  ])
})

t.test('what the helpers of these tests call hostile is so', async t => {
  t.ok((hostile.match(acting)?.length ?? 0) >= 10)
})

t.test('what fails nothing is no failure to a test runner, and is said to have failed', async t => {
  const failure = { verdict: 'failed', evidence: retryAfter.evidence } as const
  const report = conductReport(
    [
      rule('retries.jitter', 'RL-3', { ...failure, level: 'should' }),
      rule('limits.retry-after', 'RL-2', { ...failure, expected: true }),
      rule('errors.no-hammering', 'RL-3', { verdict: 'inconclusive', fault: 'harness', reason: 'late by 90 ms' }),
    ],
    { ok: true },
  )
  const { cases } = conductRun(report)
  t.match(cases, [
    { verdict: 'skipped', message: /^failed \(should\): RL-3: / },
    { verdict: 'skipped', message: /^failed, as expected: RL-2: / },
    { verdict: 'inconclusive', fault: 'harness', message: /late by 90 ms/ },
  ])
  const pretty = conductReporters.pretty(report)
  t.match(pretty, /✗ retries\.jitter \(RL-3\) failed \(should\)\n/)
  t.match(pretty, /✗ limits\.retry-after \(RL-2\) failed, as expected\n/)
  t.match(pretty, /\? errors\.no-hammering \(RL-3\) inconclusive \(harness\)\n {2}late by 90 ms\n/)
  t.match(conductReporters.markdown(report), /failed, as expected: [\s\S]*### Inconclusive\n\n- errors\.no-hammering/)
  const levels = JSON.parse(conductReporters.sarif(report)).runs[0].results.map((one: { level: string }) => one.level)
  t.same([...new Set(levels)], ['note'])
  t.match(conductReporters.html(report), '<span class="reason">failed, as expected</span>')
  const outlived = conductReport([rule('retries.grow', 'RL-3')], {
    ok: false,
    expected: { file: 'known.txt', failed: [], passed: ['retries.grow'] },
  })
  t.match(conductRun(outlived).cases.at(-1), { verdict: 'failed', message: /retries\.grow passed, .* remove its line/ })
})

t.test('an entry says how long its call took', async t => {
  const one = entry(1, 'POST /v1/jobs → no answer', { ended: '2026-11-20T12:00:33.930Z' })
  const report = conductReport([
    rule('errors.retried', 'ERR-3', { verdict: 'failed', evidence: [breach('gave up', one)] }),
  ])
  t.match(conductReporters.pretty(report), '#1 12:00:03.430 +31 s POST /v1/jobs → no answer')
})

t.test('what was tried again is a line in time, to the scale of the longest wait', async t => {
  const report = triedReport()
  t.match(
    conductReporters.pretty(report, { width: 100 }),
    `Tries
  POST /v1/jobs, from #12 on
    500 internal_error ───1.5 s─── 500 internal_error ──────3 s────── 200
`,
  )
  const page = conductReporters.html(report)
  t.match(page, '<figcaption>POST /v1/jobs, from #12 on: <code>500 internal_error ───1.5 s─── 500 internal_error')
  const places = [...page.matchAll(/<rect x="(\d+)" y="14" width="(\d+)"/g)].map(([, x, width]) => [x, width])
  t.same(places, [
    ['30', '59'],
    ['375', '8'],
    ['955', '15'],
  ])
})
