/** Every reporter with one report, judged by who reads it: real parsers, and rules on what may never come through. */

import { createHash } from 'node:crypto'
import { Ajv } from 'ajv'
import t from 'tap'
import type { Evidence } from '../../contracts/evidence.ts'
import { countVerdicts, summaryText } from '../../contracts/verdict.ts'
import { reportVersion } from '../../reports/document.ts'
import { type ReporterName, reporterHelp } from '../../reports/names.ts'
import { compare } from '../../suite/baseline.ts'
import { type CheckResult, type ClauseResult, Report } from '../../suite/report.ts'
import { reporters } from '../../suite/reporters/index.ts'
import { proseOf, readJunit, readTap } from '../reports/readers.ts'

const names = Object.keys(reporters) as ReporterName[]

/** Terminal escapes, C1 controls, NUL, a lone surrogate, bidi, and what ends a block in each of the formats. */
const hostile = [
  '\u001b]0;owned\u0007\u001b[2J\u009b31m\u0000\ud800\u202e\ufeff\u2028\ufffe\r',
  '```\n````\n~~~\n| a | b |\n</details>',
  "]]><script>alert(1)</script></script><img src=x onerror=alert(1)>\" onload='alert(1)' &amp; -->",
  '...\n---\nok 99 - forged # SKIP\n1..7\nBail out!\n# Subtest: forged\n  ...',
  '{0} {{1}} [link](https://evil.example) \\# \\ {',
  '9'.repeat(5000),
].join('\n')

const hostileEvidence: Evidence = {
  check: 'errors.envelope',
  passed: false,
  expected: 'an envelope with the code not_found',
  found: hostile,
  pointer: `/error/${hostile.slice(0, 200)}`,
  request: {
    method: 'GET',
    url: `https://api.example/base/v1/jobs/job_1?${hostile.slice(0, 100)}`,
    headers: { 'x-api-key': '[redacted]', 'x-hostile': hostile.slice(0, 300) },
  },
  response: {
    status: 404,
    headers: { 'content-type': hostile, 'retry-after': '7', 'x-dull': 'dull' },
    body: hostile,
    ms: 12.4,
  },
  curl: 'curl -sS "$BASE/v1/jobs" \\\n  -H "X-Api-Key: $KEY"\ncurl -sS "$BASE/v1/jobs/job_1"',
}

const clause = (id: string, verdict: ClauseResult['verdict'], more: Partial<ClauseResult> = {}): ClauseResult => ({
  id,
  text: `The sentence of ${id}: {"error": {"code": string}} | \`code\` & <more>, ${'and so on '.repeat(15)}{`,
  level: 'core',
  verdict,
  notes: [],
  checks: [],
  evidence: [],
  ...more,
})

const check = (id: string, clauses: string[], more: Partial<CheckResult> = {}): CheckResult => ({
  id,
  title: `what ${id} sees`,
  clauses,
  verdict: 'passed',
  ms: 1234.5,
  requests: 3,
  ...more,
})

/** A run in which two clauses passed, two failed and three were skipped. */
function reportOf(more: Partial<Report> = {}): Report {
  const clauses = more.clauses ?? [
    clause('SYS-1', 'passed', { checks: ['system.health'] }),
    clause('ERR-1', 'failed', {
      checks: ['errors.envelope'],
      evidence: [hostileEvidence, { ...hostileEvidence, expected: 'another code' }],
    }),
    clause('WH-3', 'failed', {
      level: 'open',
      evidence: [{ check: 'explore', passed: false, expected: 'a retry', found: 'none' }],
    }),
    clause('ID-1', 'passed', { text: 'Holds # TODO \\# not yet', notes: ['Idempotency-Key is honoured'] }),
    clause('AUTH-3', 'skipped', { reason: 'one key is not enough # {', needs: ['a second key: --other-key'] }),
    clause('RL-1', 'skipped', { reason: 'one key is not enough # {', needs: ['a second key: --other-key'] }),
    clause('WH-1', 'skipped', { reason: hostile.slice(0, 150) }),
  ]
  const summary = countVerdicts(clauses)
  return {
    schema_version: reportVersion,
    understudy: '0.1.0',
    target: 'https://api.example/base',
    profile: 'full',
    seed: '7f3a',
    started_at: '2026-11-24T12:00:03.123Z',
    ms: 41_234,
    complete: true,
    ok: false,
    why: `${summaryText(summary)}; failed are ERR-1 and WH-3`,
    summary,
    spent: { requests: 213, credits: 1, sent_bytes: 3_400_000 },
    required: { clauses: [], missing: [] },
    extensions: ['file_too_large', hostile],
    clauses,
    checks: [
      check('system.health', ['SYS-1']),
      check('errors.envelope', ['ERR-1'], { verdict: 'failed', failed: ['ERR-1'] }),
      check('auth.other_key', ['AUTH-3', 'RL-1'], { verdict: 'skipped', reason: 'one key is not enough # {', ms: 0 }),
    ],
    explored: { sequences: 200, calls: 1432, seed: '7f3a' },
    changes: {
      since: '2026-11-20T00:00:00Z',
      changes: [{ clause: 'ERR-1', from: 'passed', to: 'failed' }],
      text: 'since 2026-11-20T00:00:00Z: ERR-1 passed -> failed',
    },
    ...more,
  }
}

/** A run without a failed clause that is not green all the same. */
const lacking = (more: Partial<Report>): Report =>
  reportOf({
    clauses: [clause('SYS-1', 'passed'), clause('RL-1', 'skipped', { reason: 'no key' })],
    checks: [],
    ...more,
  })

t.test('no reporter lets a sign through that acts instead of showing', async t => {
  for (const name of names) {
    const text = reporters[name](reportOf())
    const acting = text.match(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu)
    t.same(acting, null, name)
    t.match(text, /(\\x1b|\\\\x1b|\\u001b)\]0;owned/, `${name} shows it escaped`)
    t.ok(text.endsWith('\n') && !text.endsWith('\n\n'), `${name} ends with one line break`)
    t.equal(reporters[name](reportOf()), text, `${name} says the same of the same`)
    t.ok(reporterHelp[name].length > 10 && !reporterHelp[name].includes('\n'))
  }
  const colours = reporters.pretty(reportOf(), { color: true })
  t.match(colours, '\u001b[31m')
  const plain = colours.split('\u001b[').map((part, i) => (i === 0 ? part : part.replace(/^\d+m/, '')))
  t.equal(plain.join(''), reporters.pretty(reportOf()), 'colours change no text')
})

t.test('every reporter copes with a report of nothing', async t => {
  const empty = reportOf({
    clauses: [],
    checks: [],
    extensions: [],
    explored: undefined,
    changes: undefined,
    ok: true,
    complete: false,
    why: 'nothing was tried',
  })
  for (const name of names) t.ok(reporters[name](empty).length > 0, name)
})

t.test('pretty says what failed, how to see it again and what was skipped, and the verdict last', async t => {
  const text = reporters.pretty(reportOf(), { width: 72 })
  const lines = text.trimEnd().split('\n')
  t.equal(lines.at(-1), '2 passed, 2 failed, 3 skipped; failed are ERR-1 and WH-3')
  for (const wanted of [
    '✗ ERR-1 failed (core)  new (baseline: passed)',
    '  check      errors.envelope: what errors.envelope sees',
    '  expected   an envelope with the code not_found',
    '  answer     404 in 12 ms',
    '             retry-after: 7',
    '  curl -sS "$BASE/v1/jobs" \\',
    '    -H "X-Api-Key: $KEY"',
    '✗ WH-3 failed (open)',
    '  check      explore: a generated sequence',
    '             │ ok 99 - forged # SKIP',
    'Skipped: 3',
    '– one key is not enough # {',
    '  AUTH-3, RL-1',
    '  needs a second key: --other-key',
    'ID-1    Idempotency-Key is honoured',
    'Passed: 2',
    'SYS-1 ID-1',
    'since 2026-11-20T00:00:00Z: ERR-1 passed -> failed',
    'explored 200 sequences of 1,432 calls, seed 7f3a',
    'spent 213 requests, 1 credit, 3.4 MB sent, in 41.2 s',
  ])
    t.ok(lines.includes(wanted), wanted)
  t.match(text, /9{20}… \(\d,\d{3} more characters\)/, 'long text is cut')
  t.notMatch(text, 'x-dull', 'headers that tell nothing stay away')
  const long = lines.filter(line => line.length > 72)
  t.same(long, [], 'and nothing is wider than asked')
  for (const line of lines.filter(line => /ok 99|1\.\.7|Bail out/.test(line)))
    t.match(line, /^ {13}/, 'what the endpoint said never looks like a line of the report')

  const many = Array.from({ length: 5 }, (_, i) => ({ ...hostileEvidence, found: `the ${i}th` }))
  const prettyOf = (evidence: Evidence[]) =>
    reporters.pretty(reportOf({ clauses: [clause('ERR-1', 'failed', { evidence })] }))
  t.match(prettyOf(many), '2 more like it: the json report has them all')
  const same = prettyOf(many.map(one => ({ ...one, found: 'the same' })))
  t.match(same, '4 more like it', 'the same seen again is shown once')
})

t.test("json is what the report's own schema takes, and loses nothing", async t => {
  const report = reportOf()
  const parsed = JSON.parse(reporters.json(report))
  const validate = new Ajv({ strict: false }).compile(Report as object)
  t.ok(validate(parsed), JSON.stringify(validate.errors))
  t.same(parsed, JSON.parse(JSON.stringify({ $schema: 'understudy-mock/report.schema.json', ...report })))
  t.notOk(validate({ ...parsed, extra: 1 }), 'the schema is closed')
})

t.test('junit is read by an XML parser: a testcase for each check, and one for what exploring found', async t => {
  const { attributes, properties, cases } = readJunit(reporters.junit(reportOf()))
  t.match(attributes, { tests: '4', failures: '2', skipped: '1', errors: '0', time: '41.234' })
  t.match(properties, { target: 'https://api.example/base', profile: 'full', seed: '7f3a' })
  t.same(
    cases.map(({ classname, name, kind }) => [classname, name, kind]),
    [
      ['understudy.system', 'system.health: what system.health sees', ''],
      ['understudy.errors', 'errors.envelope: what errors.envelope sees', 'failure'],
      ['understudy.auth', 'auth.other_key: what auth.other_key sees', 'skipped'],
      ['understudy.explore', 'explore: WH-3', 'failure'],
    ],
  )
  const [held, failed, skipped, explored] = cases
  t.equal(held?.time, '1.234')
  t.match(failed?.message, /^ERR-1: expected an envelope with the code not_found, found \\x1b.* \(and 1 more\)$/)
  t.match(failed?.text, ']]><script>alert(1)</script>', 'content is content')
  t.match(failed?.text, 'reproduce\ncurl -sS "$BASE/v1/jobs" \\\n')
  t.equal(skipped?.message, 'one key is not enough # {')
  t.match(explored?.text, 'expected   a retry\nfound      none')
})

interface Point {
  ok: boolean
  id: number
  name: string
  skip: string | boolean
  todo: string | boolean
  diag: null | { level: string; evidence: { found: string; curl?: string; answer?: string }[] }
}

t.test('tap is read by a TAP parser: a test point for each clause, whatever the endpoint said', async t => {
  const { points, comments, rest, version, complete } = readTap<Point>(reporters.tap(reportOf()))
  t.same(rest, ['complete'], 'no bail out, no subtest, nothing that is not TAP')
  t.equal(version, 14)
  t.match(complete, { ok: false, count: 7, fail: 2, skip: 3, plan: { end: 7 } })
  t.same(
    points.map(({ ok, id, name }) => [ok, id, name.split(' ')[0]]),
    [
      [true, 1, 'SYS-1'],
      [false, 2, 'ERR-1'],
      [false, 3, 'WH-3'],
      [true, 4, 'ID-1'],
      [true, 5, 'AUTH-3'],
      [true, 6, 'RL-1'],
      [true, 7, 'WH-1'],
    ],
  )
  t.match(points[0]?.name, /^SYS-1 The sentence of SYS-1: \{"error"/)
  t.match(points[1]?.diag, { level: 'core', evidence: [{ answer: '404 in 12 ms', curl: hostileEvidence.curl }, {}] })
  t.match(points[1]?.diag?.evidence[0]?.found, /owned.*\n\.\.\.\n---\nok 99 - forged # SKIP\n/s)
  t.match(points[3], { name: 'ID-1 Holds # TODO \\# not yet', todo: false })
  t.equal(points[4]?.skip, 'one key is not enough # {…')
  t.match(comments.at(-1), '# 2 passed, 2 failed, 3 skipped; failed are ERR-1 and WH-3')
})

t.test('a run that is not green without a failed clause is not green in TAP and JUnit either', async t => {
  const required = lacking({ required: { clauses: ['RL-1', 'SYS-1'], missing: ['RL-1'] }, why: 'RL-1 is required' })
  const { complete, points } = readTap<Point>(reporters.tap(required))
  t.match(complete, { ok: false, count: 2, fail: 1 })
  t.match(points[1], { ok: false, skip: false, diag: { message: 'required, but skipped: no key' } })
  t.match(readJunit(reporters.junit(required)).cases, [{ name: 'required: RL-1', kind: 'failure' }])

  const stopped = lacking({ complete: false, why: 'stopped after 3 requests' })
  t.match(readTap<Point>(reporters.tap(stopped)).complete, { ok: false, count: 3, fail: 1 })
  t.match(readJunit(reporters.junit(stopped)).cases, [{ kind: 'failure', message: 'stopped after 3 requests' }])

  const bare = lacking({ clauses: [clause('RL-1', 'failed')], why: 'RL-1 failed' })
  t.match(readTap<Point>(reporters.tap(bare)).complete, { ok: false, fail: 1 })
  t.match(readJunit(reporters.junit(bare)).cases, [{ kind: 'failure', message: 'RL-1 failed' }])

  const green = lacking({ ok: true, why: '1 passed' })
  t.match(readTap<Point>(reporters.tap(green)).complete, { ok: true, count: 2, fail: 0, skip: 1 })
  t.match(readJunit(reporters.junit(green)).attributes, { tests: '0', failures: '0' })
})

t.test('markdown keeps what the endpoint said within fences, and a table row in three cells', async t => {
  const text = reporters.markdown(reportOf())
  t.match(text, /^## ❌ 2 passed, 2 failed, 3 skipped; failed are ERR-1 and WH-3\n/)
  const { prose: outside, isClosed } = proseOf(text)
  t.ok(isClosed, 'every fence is closed')
  const prose = outside.join('\n')
  t.same(
    prose.match(/<\/?\w+/g),
    [...Array(2).fill(['<details', '<summary', '<b', '</b', '</summary', '</details'])].flat(),
  )
  t.match(prose, '- one key is not enough \\# { (needs a second key: --other-key): AUTH-3, RL-1')
  const rows = outside.filter(line => line.startsWith('|'))
  t.equal(rows.length, 2 + 7)
  for (const row of rows) t.equal(row.split('|').length, 5, row)
  t.match(rows[3], /^\| ❌ \| ERR-1 \| The sentence of ERR-1: .* &#124; \\`code\\` &amp; &lt;more&gt;, /)
})

interface Sarif {
  version: string
  runs: [
    {
      tool: { driver: { name: string; version: string; rules: { id: string; shortDescription: { text: string } }[] } }
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
    },
  ]
}

t.test('sarif has a rule for each clause and a result, at its route, for each breach', async t => {
  const read = (report: Report) => JSON.parse(reporters.sarif(report)) as Sarif
  const {
    version,
    runs: [run],
  } = read(reportOf())
  t.equal(version, '2.1.0')
  t.equal(run.tool.driver.name, 'Understudy')
  t.same(
    run.tool.driver.rules.map(({ id }) => id),
    ['SYS-1', 'ERR-1', 'WH-3', 'ID-1', 'AUTH-3', 'RL-1', 'WH-1'],
  )
  t.same(
    run.results.map(({ ruleId, level }) => [ruleId, level]),
    [
      ['ERR-1', 'error'],
      ['ERR-1', 'error'],
      ['WH-3', 'warning'],
    ],
  )
  for (const { ruleId, ruleIndex, message, locations } of run.results) {
    t.equal(run.tool.driver.rules[ruleIndex]?.id, ruleId)
    t.notMatch(message.text, /\]\(|\{\d+\}/, 'nothing is a link or a placeholder')
    t.match(locations[0]?.physicalLocation.artifactLocation.uri, /^[\w%./-]+$/, 'relative, and a URI')
  }
  t.equal(run.results[0]?.locations[0]?.logicalLocations[0]?.fullyQualifiedName, 'GET /v1/jobs/{job_id}')

  const fingerprintAt = (url: string) => {
    const evidence = [{ ...hostileEvidence, request: { method: 'GET', url, headers: {} } }]
    return read(reportOf({ clauses: [clause('ERR-1', 'failed', { evidence })] })).runs[0].results[0]
      ?.partialFingerprints
  }
  const fingerprint = fingerprintAt('https://api.example/base/v1/jobs/job_1')
  t.same(fingerprintAt('https://api.example/base/v1/jobs/job_2?a=b'), fingerprint, 'a job id is no identity')
  t.strictNotSame(fingerprintAt('https://api.example/base/v1/jobs/job_1/start'), fingerprint)
  t.ok(fingerprintAt('no url \ud800'))
})

t.test('html runs its own script only, loads nothing, and holds what the endpoint said as text', async t => {
  const page = reporters.html(reportOf())
  const scripts = [...page.matchAll(/<script\b([^>]*)>(.*?)<\/script/gis)]
  t.same(
    scripts.map(([, attributes]) => attributes),
    [''],
    'one script, inline',
  )
  const hash = createHash('sha256').update(String(scripts[0]?.[2])).digest('base64')
  t.match(page, `script-src 'sha256-${hash}'`, 'scriptHash in page.ts has to be this')
  t.match(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; /)
  t.notMatch(page, /\bsrc\s*=\s*["']|@import|url\(|<(link|iframe|img|object|embed|base)\b/i)
  t.same(page.match(/href="(?!#)[^"]*"/g), null, 'it links to itself only')
  const body = page.slice(page.indexOf('</head>'), page.indexOf('<script>'))
  t.notMatch(body, /<[^>]*\son\w+\s*=/i, 'no attribute that is a script')
  t.match(body, '&#60;script&#62;alert(1)&#60;/script&#62;')
  const open = new Set(['meta', 'br', 'input', 'rect'])
  const stack: string[] = []
  for (const [, end, name = '', self] of page
    .replace(/<(style|script)>.*?<\/\1>/gs, '')
    .matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g))
    if (end) t.equal(stack.pop(), name)
    else if (!self && !open.has(name)) stack.push(name)
  t.same(stack, [], 'every element is closed')
})

t.test('html is whole without its script, with what failed open and first', async t => {
  const page = reporters.html(reportOf())
  t.match(
    page,
    /<h1><span class="failed">✗<\/span> 2 passed, 2 failed, 3 skipped<\/h1>\s*<p class="lede">Failed are ERR-1 and WH-3<\/p>/,
  )
  const clauses = [...page.matchAll(/<details class="clause" id="([^"]+)" data-verdict="(\w+)"( open)?>/g)]
  t.same(
    clauses.map(([, id, verdict, open]) => [id, verdict, open !== undefined]),
    [
      ['ERR-1', 'failed', true],
      ['WH-3', 'failed', true],
      ['AUTH-3', 'skipped', false],
      ['RL-1', 'skipped', false],
      ['WH-1', 'skipped', false],
      ['SYS-1', 'passed', false],
      ['ID-1', 'passed', false],
    ],
  )
  t.match(page, /<form class="filter" hidden/)
  t.match(page, 'GET https://api.example/base/v1/jobs/job_1')
  t.match(page, '<b>Needs:</b> a second key: --other-key')
  t.match(page, '<dt>Baseline</dt><dd>since 2026-11-20T00:00:00Z: ERR-1 passed -&#62; failed</dd>')
  t.match(page, '<rect class="failed" x="2" width="2" height="1"/>')
  t.match(page, /prefers-color-scheme: dark/)
})

t.test('a baseline tells which clauses changed, which are new and which are gone', async t => {
  const old = reportOf({
    started_at: '2026-11-20T00:00:00Z',
    clauses: [
      clause('RL-2', 'passed'),
      clause('ERR-1', 'failed'),
      clause('UP-1', 'skipped'),
      clause('UP-2', 'skipped'),
      clause('DL-1', 'passed'),
      clause('OLD-1', 'passed'),
    ],
  })
  const now = reportOf({
    profile: 'safe',
    clauses: [
      clause('ERR-1', 'passed'),
      clause('RL-2', 'failed'),
      clause('UP-1', 'passed'),
      clause('UP-2', 'passed'),
      clause('DL-1', 'skipped'),
      clause('NEW-1', 'failed'),
      clause('NEW-2', 'skipped'),
    ],
  })
  t.same(compare(old, now), {
    since: '2026-11-20T00:00:00Z',
    changes: [
      { clause: 'ERR-1', from: 'failed', to: 'passed' },
      { clause: 'RL-2', from: 'passed', to: 'failed' },
      { clause: 'UP-1', from: 'skipped', to: 'passed' },
      { clause: 'UP-2', from: 'skipped', to: 'passed' },
      { clause: 'DL-1', from: 'passed', to: 'skipped' },
      { clause: 'NEW-1', from: 'skipped', to: 'failed' },
      { clause: 'OLD-1', from: 'passed', to: 'skipped' },
    ],
    text: 'since 2026-11-20T00:00:00Z: RL-2 passed -> failed; ERR-1 failed -> passed; NEW-1 is new (failed); NEW-2 is new (skipped); OLD-1 is gone (it was passed); 2 more tried; 1 no longer tried (the baseline is of profile full)',
  })
  t.same(compare(old, old), {
    since: '2026-11-20T00:00:00Z',
    changes: [],
    text: 'nothing changed since 2026-11-20T00:00:00Z',
  })
})
