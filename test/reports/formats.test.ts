/** JUnit and CTRF of every verb, by the schemas of those who read them. */
import { validate as validateCtrf } from 'ctrf'
import t from 'tap'
import { conductReporters } from '../../conduct/reporters/index.ts'
import { countVerdicts, type Verdict, verdicts } from '../../contracts/verdict.ts'
import { drillReporters } from '../../drills/reporters/index.ts'
import { rehearsalReporters } from '../../rehearse/reporters.ts'
import type { ReplayReport } from '../../replay/report.ts'
import { replayReporters } from '../../replay/reporters.ts'
import { ctrfText } from '../../reports/ctrf.ts'
import { reportVersion, requireReportVersion } from '../../reports/document.ts'
import { junitText } from '../../reports/junit.ts'
import { tapText } from '../../reports/tap.ts'
import type { TestCase, TestRun } from '../../reports/testCase.ts'
import * as conduct from '../conduct/reports.ts'
import { hostile, someConductReports } from '../conduct/reports.ts'
import { someReports } from '../drills/reports.ts'
import { readJunit, readTap } from './readers.ts'

const oneCase = (verdict: Verdict, more: Partial<TestCase> = {}): TestCase => ({
  id: `theme.${verdict}`,
  name: `theme.${verdict}: a sentence`,
  suite: 'theme',
  verdict,
  ms: 12.4,
  ...more,
})

const run = (more: Partial<TestRun> = {}): TestRun => ({
  understudy: '0.1.0',
  ok: false,
  why: '1 passed, 1 failed, 1 skipped, 1 inconclusive',
  ms: 1234.5,
  started_at: '2026-11-24T12:00:03.123Z',
  properties: { target: 'http://127.0.0.1:4010' },
  cases: [
    oneCase('passed', { text: 'what was seen' }),
    oneCase('failed', { message: hostile, text: hostile, details: { evidence: [hostile] } }),
    oneCase('skipped', { message: 'one key is not enough' }),
    oneCase('inconclusive', { fault: 'target', message: 'it gave no metrics' }),
  ],
  ...more,
})

const replayReport = (): ReplayReport => ({
  schema_version: reportVersion,
  understudy: '0.1.0',
  file: 'incident.har',
  target: 'http://127.0.0.1:4010',
  speed: 1,
  strict: false,
  started_at: '2026-11-24T12:00:03.123Z',
  ms: 812,
  complete: true,
  ok: false,
  why: '3 calls sent again: 1 difference in 1 call; 1 call could not be sent.',
  calls: 4,
  sent: 3,
  repeated: 0,
  left_out: { webhooks: 0, options: 0, other_hosts: 0, admin: 0, control: 0 },
  summary: { passed: 1, failed: 1, skipped: 0, inconclusive: 1 },
  routes: [
    { route: 'GET /health', verdict: 'passed', sent: 1, differences: 0, not_sent: 0 },
    { route: 'POST /v1/jobs', verdict: 'failed', sent: 2, differences: 1, not_sent: 0 },
    { route: 'GET /v1/jobs/{job_id}', verdict: 'inconclusive', fault: 'target', sent: 0, differences: 0, not_sent: 1 },
  ],
  notes: [],
  differences: [
    {
      call: 2,
      route: 'POST /v1/jobs',
      request: { method: 'POST', url: 'http://127.0.0.1:4010/v1/jobs' },
      what: 'status',
      expected: '200',
      found: '500',
      recorded: { status: 200 },
      answered: { status: 500, body: hostile },
    },
  ],
  more_differences: 0,
  not_sent: [
    {
      call: 3,
      route: 'GET /v1/jobs/{job_id}',
      request: { method: 'GET', url: 'http://127.0.0.1:4010/v1/jobs/job_1' },
      why: 'needs the id of call 2',
      fault: 'target',
    },
  ],
})

/** What every verb writes. */
const written = (name: 'junit' | 'ctrf'): string[] => [
  ...someConductReports().map(report => conductReporters[name](report)),
  conductReporters[name](conduct.hostileReport()),
  ...[conduct.rehearsal(), conduct.emptyRehearsal(), conduct.hostileRehearsal()].map(rehearsalReporters[name]),
  ...someReports().map(report => drillReporters[name](report)),
  replayReporters[name](replayReport()),
]

const formats = { junit: junitText, ctrf: ctrfText }
const texts = (name: 'junit' | 'ctrf'): string[] => [
  formats[name](run()),
  formats[name](run({ cases: [] })),
  ...written(name),
]

/** The attributes and children that the schema of Jenkins' xUnit plugin (junit-10.xsd) has for each element. */
const allowed: Record<string, { attributes: string[]; required: string[]; children: string[] }> = {
  testsuites: { attributes: ['name', 'time', 'tests', 'failures', 'errors'], required: [], children: ['testsuite'] },
  testsuite: {
    attributes: ['name', 'tests', 'failures', 'errors', 'time', 'skipped', 'timestamp'],
    required: ['name', 'tests', 'failures', 'errors'],
    children: ['properties', 'testcase'],
  },
  properties: { attributes: [], required: [], children: ['property'] },
  property: { attributes: ['name', 'value'], required: ['name', 'value'], children: [] },
  testcase: {
    attributes: ['name', 'time', 'classname'],
    required: ['name'],
    children: ['skipped', 'error', 'failure', 'system-out'],
  },
  skipped: { attributes: ['type', 'message'], required: [], children: [] },
  error: { attributes: ['type', 'message'], required: [], children: [] },
  failure: { attributes: ['type', 'message'], required: [], children: [] },
  'system-out': { attributes: [], required: [], children: [] },
}

t.test("junit has what the schema of Jenkins' xUnit plugin has, and no two cases of a class share a name", async t => {
  for (const xml of texts('junit')) {
    const problems: string[] = []
    const stack: string[] = []
    for (const [, end, tag = '', rest = '', self] of xml.matchAll(
      /<(\/?)([a-z-]+)((?:\s+[\w-]+="[^"]*")*)\s*(\/?)>/g,
    )) {
      if (end) {
        stack.pop()
        continue
      }
      const names = [...rest.matchAll(/([\w-]+)="/g)].map(([, name = '']) => name)
      const element = allowed[tag]
      if (!element) problems.push(`<${tag}>`)
      for (const name of names) if (!element?.attributes.includes(name)) problems.push(`${tag} has ${name}`)
      for (const name of element?.required ?? []) if (!names.includes(name)) problems.push(`${tag} lacks ${name}`)
      const parent = stack.at(-1)
      if (parent !== undefined && !allowed[parent]?.children.includes(tag)) problems.push(`${tag} in ${parent}`)
      if (!self) stack.push(tag)
    }
    t.same([problems, stack], [[], []])
    const { attributes, cases } = readJunit(xml)
    t.match(attributes.time, /^\d+\.\d{3}$/)
    t.equal(new Set(cases.map(({ classname, name }) => `${classname} ${name}`)).size, cases.length)
    const of = (kind: string) => String(cases.filter(one => one.kind === kind).length)
    t.match(attributes, {
      tests: String(cases.length),
      failures: of('failure'),
      errors: of('error'),
      skipped: of('skipped'),
    })
  }
})

t.test('each verdict is told as what it is in JUnit, TAP and CTRF', async t => {
  const { cases } = readJunit(junitText(run()))
  t.same(
    cases.map(({ kind }) => kind),
    ['system-out', 'failure', 'skipped', 'error'],
  )
  t.match(cases[3], { message: 'it gave no metrics' })
  t.match(junitText(run()), '<error type="inconclusive.target"')
  const { points } = readTap<{ ok: boolean; skip: string | boolean; diag: object | null }>(tapText(run()))
  t.match(points, [
    { ok: true, skip: false },
    { ok: false, diag: { verdict: 'failed' } },
    { ok: true, skip: 'one key is not enough' },
    { ok: false, diag: { verdict: 'inconclusive', fault: 'target', message: 'it gave no metrics' } },
  ])
  const { results } = JSON.parse(ctrfText(run()))
  t.same(
    results.tests.map(({ status, rawStatus }: { status: string; rawStatus: string }) => [status, rawStatus]),
    [
      ['passed', 'passed'],
      ['failed', 'failed'],
      ['skipped', 'skipped'],
      ['other', 'inconclusive'],
    ],
  )
  t.match(results.summary, { tests: 4, passed: 1, failed: 1, skipped: 1, other: 1, pending: 0, duration: 1235 })
  t.equal(results.summary.start, Date.parse('2026-11-24T12:00:03.123Z'))
  t.match(results.tests[1], { trace: hostile, extra: { evidence: [hostile] } }, 'nothing is lost')
})

t.test('two cases of one name get two names, and a run that is not green is red in each format', async t => {
  const twice = run({ cases: [oneCase('passed'), oneCase('passed'), oneCase('passed', { suite: 'other' })] })
  const { cases } = readJunit(junitText(twice))
  t.same(
    cases.map(({ classname, name }) => [classname, name]),
    [
      ['understudy.theme', 'theme.passed: a sentence'],
      ['understudy.theme', 'theme.passed: a sentence (2)'],
      ['understudy.other', 'theme.passed: a sentence'],
      ['understudy.run', 'run: it is green'],
    ],
  )
  t.match(cases[3], { kind: 'failure', message: twice.why })
  t.match(JSON.parse(ctrfText(twice)).results.summary, { tests: 4, failed: 1 })
  t.match(readTap(tapText(twice)).complete, { ok: false, count: 4, fail: 1 })
  t.match(readTap(tapText({ ...twice, ok: true })).complete, { ok: true, count: 3 })
})

t.test("ctrf is what CTRF's own schema takes, from every verb", async t => {
  for (const text of texts('ctrf')) {
    const document = JSON.parse(text)
    const { valid, errors } = validateCtrf(document)
    t.ok(valid, JSON.stringify(errors))
    const { summary, tests } = document.results
    const of = (status: string) => tests.filter((test: { status: string }) => test.status === status).length
    for (const status of ['passed', 'failed', 'skipped', 'other']) t.equal(summary[status], of(status), status)
    t.equal(summary.tests, tests.length)
  }
  const { tests } = JSON.parse(replayReporters.ctrf(replayReport())).results
  t.match(tests, [
    { testId: 'GET /health', status: 'passed' },
    { status: 'failed', message: 'call 2: POST /v1/jobs: the status differs' },
    { status: 'other', rawStatus: 'inconclusive', extra: { fault: 'target' } },
  ])
})

t.test('a summary counts each verdict', async t => {
  const results = [...verdicts, 'failed' as const].map(verdict => ({ verdict }))
  t.same(countVerdicts(results), { passed: 1, failed: 2, skipped: 1, inconclusive: 1 })
})

t.test('a report of another version is refused: by file, version found, version expected, and what to do', async t => {
  const refused = (value: unknown) =>
    t.throws(() => requireReportVersion(value, 'old.json', 'understudy drill')) as unknown as Error
  t.match(
    refused({ drill: 'burst' }).message,
    /^old\.json has no schema_version, as version 1 had none; expected 2: make a new report with understudy drill --reporter json=FILE/,
  )
  t.match(refused({ schema_version: 3 }).message, /^old\.json has schema_version 3; expected 2/)
  t.match(refused({ schema_version: 'two\u001b' }).message, /^old\.json has schema_version "two\\u001b"; expected 2/)
  t.doesNotThrow(() => requireReportVersion({ schema_version: 2 }, 'new.json', 'understudy check'))
})
