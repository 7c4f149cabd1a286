/** Reports of conduct and rehearsals as the mock makes them: for the tests of what reads them. */

import type { ConductEvidence, ConductReport, EvidenceEntry, RuleResult } from '../../conduct/report.ts'
import { countVerdicts, summaryText, type VerdictSummary } from '../../contracts/verdict.ts'
import type { Rehearsal, RehearsedRule, RehearsedScenario } from '../../rehearse/report.ts'
import { reportVersion } from '../../reports/document.ts'

/** Terminal escapes, C1 controls, NUL, a lone surrogate, bidi, and what ends a block in each of the formats. */
export const hostile = [
  '\u001b]0;owned\u0007\u001b[2J\u009b31m\u0000\ud800\u202e\ufeff\u2028\ufffe\r',
  '```\n````\n~~~\n| a | b |\n</details>',
  "]]><script>alert(1)</script></script><img src=x onerror=alert(1)>\" onload='alert(1)' &amp; -- -->",
  '...\n---\nok 99 - forged # SKIP\n1..7\nBail out!\n# Subtest: forged\n  ...',
  '{0} {{1}} [link](https://evil.example) \\# \\ - "a": *x !!js/function {',
].join('\n')

export const entry = (number: number, what: string, more: Partial<EvidenceEntry> = {}): EvidenceEntry => ({
  number,
  time: new Date(Date.UTC(2026, 10, 20, 12, 0, 3, 120) + number * 310).toISOString(),
  what,
  ...more,
})

export const breach = (said: string, ...entries: EvidenceEntry[]): ConductEvidence => ({
  passed: false,
  said,
  key: '3f9a1c0d',
  entries,
})

export const rule = (id: string, clause: string, more: Partial<RuleResult> = {}): RuleResult => ({
  id,
  clause,
  clauses: [clause],
  level: 'must',
  title: `The title of ${id}`,
  verdict: 'passed',
  seen: 1,
  evidence: [],
  advice: `The advice of ${id}.`,
  provoke: [],
  ...more,
})

export const skipped = (id: string, clause: string, provoke: string[], more: Partial<RuleResult> = {}): RuleResult =>
  rule(id, clause, { verdict: 'skipped', seen: 0, reason: 'the situation never arose', provoke, ...more })

/** Broken by four things that the client did, two of them alike. */
export const retryAfter: RuleResult = rule('limits.retry-after', 'RL-3', {
  clauses: ['RL-3', 'GO-2'],
  title: 'After a 429 a client waits as long as Retry-After says before it tries again',
  verdict: 'failed',
  seen: 5,
  advice: 'Read Retry-After from the 429, wait at least that many seconds, and only then send the request again.',
  provoke: ['rate-limited-then-ok', 'rate-limited-burst'],
  evidence: [
    breach(
      'came back after 0.3 s, though asked to wait 2 s',
      entry(12, 'POST /v1/jobs → 429 rate_limited, Retry-After 2', { request_id: 'req_5c81f0' }),
      entry(13, 'POST /v1/jobs → 429 rate_limited, Retry-After 2', { request_id: 'req_5c81f1' }),
    ),
    breach(
      'came back after 0.6 s, though asked to wait 2 s',
      entry(13, 'POST /v1/jobs → 429 rate_limited, Retry-After 2', { request_id: 'req_5c81f1' }),
      entry(15, 'POST /v1/jobs → 201, queued', { request_id: 'req_5c81f3', job_id: 'job_77ab' }),
    ),
    breach(
      'came back after 0.3 s, though asked to wait 2 s',
      entry(21, 'GET /v1/jobs/job_77ab → 429 rate_limited, Retry-After 2'),
      entry(22, 'GET /v1/jobs/job_77ab → 200, processing', { job_id: 'job_77ab' }),
    ),
    breach('came back after 0 s, though asked to wait 1 s', entry(30, 'GET /v1/jobs/job_77ab → 429 rate_limited')),
  ],
})

const stops = rule('polling.stops', 'JOB-5', {
  title: 'A job that has ended is asked for no more',
  verdict: 'failed',
  seen: 1,
  advice: 'End the loop when state is completed, failed or cancelled: none of them changes any more.',
  provoke: ['go-live'],
  evidence: [
    breach(
      'asked 10 times more for a job that it knew to be completed',
      ...Array.from({ length: 11 }, (_, i) => entry(40 + i, 'GET /v1/jobs/job_77ab → 200, completed')),
    ),
  ],
})

const passedRules = [
  rule('errors.client-errors-not-retried', 'ERR-3', {
    title: 'A request that was refused with a 4xx (400, 401, 404, …) is not sent again unchanged',
    evidence: [
      {
        passed: true,
        said: 'left it at that',
        key: '3f9a1c0d',
        entries: [entry(3, 'POST /api/upload → 400 invalid_request', { request_id: 'req_5c81e7' })],
      },
    ],
  }),
  rule('retries.grow', 'RL-3', { title: 'From one retry to the next the waiting grows', seen: 4 }),
  rule('secrets.key-not-in-url', 'AUTH-1', { title: 'The key is never part of a URL', seen: 50 }),
]

const skippedRules = [
  skipped('errors.retried', 'ERR-3', ['internal-error-once', 'rate-limited-then-ok'], {
    title: 'What failed with 429, with a 5xx or without an answer is tried again',
  }),
  skipped('credits.no-retry', 'ERR-3', ['insufficient-credits', 'credits-run-out-midway'], {
    title: 'What was refused for want of credits (402) is sent again with backoff, or when there are credits',
  }),
  skipped('errors.no-hammering', 'ERR-3', ['outage-of-30s', 'internal-error-once'], {
    title: 'After a 5xx or a lost answer a client waits a second or more before it tries again',
  }),
  skipped('goLive.paths', 'GO-5', ['go-live'], {
    title: 'Success, failure, timeout, retry and insufficient credits were each tried',
    reason: 'not tried yet: timeout, credits',
  }),
  skipped('uploads.acceptable', 'UP-2', [], { title: 'Only files are uploaded that can be accepted' }),
  skipped('observability.request-id', 'GO-4', [], {
    clauses: ['GO-4', 'ERR-6'],
    title: "request_id and job_id are in the client's logs and dashboards",
    reason: 'no way to know: what a client logs is not seen from outside',
  }),
]

/** A report of these rules, its sums and its sentence made from them as grading makes them. */
export function conductReport(rules: RuleResult[], more: Partial<ConductReport> = {}): ConductReport {
  const summary = countVerdicts(rules)
  const missing = more.required?.missing ?? []
  const lack = missing.length > 0 ? `; required, but not passed: ${missing.join(', ')}` : ''
  return {
    schema_version: reportVersion,
    understudy: '0.1.0',
    source: 'the journal of http://127.0.0.1:4010',
    key: '3f9a1c0d',
    keys: ['3f9a1c0d'],
    started_at: '2026-11-20T12:00:03.120Z',
    calls: 50,
    webhooks: 1,
    paths: ['success', 'retry'],
    ok: summary.failed === 0 && missing.length === 0,
    why: `${summaryText(summary)}${lack}`,
    summary,
    required: { rules: [], missing },
    level: 'must',
    rule_set: '2026-12',
    late_ms: 3,
    chains: [],
    rules,
    ...more,
  }
}

export const passedReport = (): ConductReport => conductReport(passedRules)
export const failedReport = (): ConductReport => conductReport([retryAfter, ...passedRules, stops, ...skippedRules])
export const skippedReport = (): ConductReport => conductReport([...passedRules, ...skippedRules])
/** Required are a clause of two rules not seen, a rule, and a clause that no rule speaks of. */
export const lackingReport = (): ConductReport =>
  conductReport([...passedRules.slice(1), ...skippedRules], {
    required: { rules: ['retries.grow', 'err-3', 'goLive.paths', 'XX-1'], missing: ['err-3', 'goLive.paths', 'XX-1'] },
  })
export const incompleteReport = (): ConductReport => ({
  ...passedReport(),
  key: 'all',
  keys: ['3f9a1c0d', '77b20e41'],
  incomplete: 'the journal holds 1,000 entries, and older ones are gone',
})
/** No call at all: not green, though nothing is broken and nothing required. */
export const emptyReport = (): ConductReport => ({
  ...conductReport(skippedRules, { calls: 0, webhooks: 0, keys: [], ok: false }),
  started_at: undefined,
  why: 'nothing was seen: there is no call of the key 3f9a1c0d',
})

/** Every text as bad as can be, and a megabyte of it in what the client sent. */
export function hostileReport(): ConductReport {
  const huge = `GET /${'9'.repeat(1_000_000)}`
  const bad = (one: RuleResult, i: number): RuleResult => ({
    ...one,
    id: `theme.${i} ${hostile}`,
    clause: `C-${i} ${hostile}`,
    clauses: [`C-${i} ${hostile}`, hostile],
    title: hostile,
    ...(one.reason !== undefined && { reason: hostile }),
    advice: hostile,
    provoke: one.provoke.map(name => `${name} ${hostile}`),
    evidence: one.evidence.map(({ passed, entries }, i) => ({
      passed,
      said: `${i} ${hostile}`,
      key: hostile,
      entries: [
        ...entries.map(({ number }) => ({
          number,
          time: hostile,
          what: `GET /v1/jobs?${hostile}`,
          request_id: hostile,
          job_id: hostile,
        })),
        { number: 99, time: '2026-11-20T12:00:03.120Z', what: huge },
      ],
    })),
  })
  return {
    ...conductReport([retryAfter, stops, ...passedRules, ...skippedRules].map(bad)),
    understudy: hostile,
    source: hostile,
    key: hostile,
    keys: [hostile, huge],
    paths: [hostile],
    started_at: hostile,
    incomplete: hostile,
    why: hostile,
    required: { rules: [hostile], missing: [hostile, `theme.5 ${hostile}`] },
  }
}

export const someConductReports = (): ConductReport[] => [
  passedReport(),
  failedReport(),
  skippedReport(),
  lackingReport(),
  incompleteReport(),
  emptyReport(),
  conductReport([]),
]

const counts = (passed: number, failed: number, skipped: number): VerdictSummary => ({
  passed,
  failed,
  skipped,
  inconclusive: 0,
})

const rehearsed = (scenario: string, more: Partial<RehearsedScenario> = {}): RehearsedScenario => ({
  scenario,
  exit_code: 0,
  finished: true,
  ms: 1234.5,
  conduct: counts(12, 0, 12),
  failed: [],
  noted: [],
  verdict: 'passed',
  ...more,
})

const merged = ({ id, clause, level, title, verdict, advice }: RuleResult, ...scenarios: string[]): RehearsedRule => ({
  id,
  clause,
  level,
  title,
  verdict,
  scenarios,
  advice,
})

const bad: RehearsedScenario[] = [
  rehearsed('rate-limited-then-ok', {
    conduct: counts(11, 2, 11),
    failed: ['limits.retry-after', 'polling.stops'],
    verdict: 'failed',
    folder: 'rehearsal/rate-limited-then-ok',
  }),
  rehearsed('job-stuck', {
    exit_code: null,
    signal: 'SIGKILL',
    finished: false,
    conduct: counts(9, 1, 14),
    failed: ['polling.stops'],
    verdict: 'failed',
    why: 'it did not end within 60 s and was killed',
    folder: 'rehearsal/job-stuck',
  }),
]

export function rehearsal(more: Partial<Rehearsal> = {}): Rehearsal {
  return {
    schema_version: reportVersion,
    understudy: '0.1.0',
    command: 'node client.mjs clip.mp4',
    started_at: '2026-11-20T12:00:03.120Z',
    ms: 83_400,
    ok: false,
    why: '2 of 4 scenarios went wrong: rate-limited-then-ok, job-stuck',
    summary: counts(3, 2, 2),
    level: 'must',
    rule_set: '2026-12',
    scenarios: [rehearsed('go-live'), ...bad, rehearsed('flaky-third-try-succeeds', { exit_code: 1 })],
    rules: [
      merged(retryAfter, 'rate-limited-then-ok'),
      ...passedRules.map(one => merged(one)),
      merged(stops, 'rate-limited-then-ok', 'job-stuck'),
      ...skippedRules.slice(4).map(one => merged(one)),
    ],
    ...more,
  }
}

export const greenRehearsal = (): Rehearsal =>
  rehearsal({
    ok: true,
    why: 'all 2 scenarios went well',
    summary: counts(3, 0, 0),
    scenarios: [rehearsed('go-live'), rehearsed('webhook-lost')],
    rules: passedRules.map(one => merged(one)),
  })

export const emptyRehearsal = (): Rehearsal =>
  rehearsal({
    why: 'there was no scenario to rehearse',
    summary: counts(0, 0, 0),
    scenarios: [],
    rules: [],
  })

export function hostileRehearsal(): Rehearsal {
  const { scenarios, rules } = rehearsal()
  return rehearsal({
    understudy: hostile,
    command: hostile,
    started_at: hostile,
    why: hostile,
    scenarios: scenarios.map((one, i) => ({
      ...one,
      scenario: `${i} ${hostile}`,
      ...(one.signal !== undefined && { signal: hostile }),
      failed: one.failed.map(() => hostile),
      ...(one.verdict !== 'passed' && { why: hostile, folder: `${'9'.repeat(1_000_000)}${hostile}` }),
    })),
    rules: rules.map((one, i) => ({
      ...one,
      id: `${i} ${hostile}`,
      clause: hostile,
      title: hostile,
      scenarios: one.scenarios.map(() => hostile),
      advice: hostile,
    })),
  })
}
