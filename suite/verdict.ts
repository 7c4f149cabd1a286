/**
 * From findings to verdicts: a clause passes only if every check that covers it was tried to its end and nothing
 * contradicted it; one contradiction fails it; anything less is skipped.
 */

import { plural } from '../base/text.ts'
import { type Clause, type ClauseId, clauses } from '../contracts/clauses.ts'
import { errorCodes } from '../contracts/errors.ts'
import type { Evidence } from '../contracts/evidence.ts'
import { codeOf } from '../contracts/judge.ts'
import { exchangeOf } from '../contracts/observedExchange.ts'
import { countVerdicts, summaryText, type Verdict } from '../contracts/verdict.ts'
import { reportVersion } from '../reports/document.ts'
import type { Check } from './check.ts'
import type { CheckResult, ClauseResult, Report } from './report.ts'
import type { RunOptions } from './runOptions.ts'

import { type Recorded, type Run, round } from './session.ts'

/** How a check went. */
export interface CheckOutcome {
  check: Check
  verdict: Verdict
  reason: string | undefined
  needs: readonly string[]
  ms: number
  requests: number
}

export const left = (check: Check, reason: string, needs: readonly string[] = []): CheckOutcome => ({
  check,
  verdict: 'skipped',
  reason,
  needs,
  ms: 0,
  requests: 0,
})

export interface Rest {
  complete: boolean
  ms: number
  refusal: string | undefined
  explored: Report['explored']
}

export function suiteReportOf(run: Run, options: RunOptions, outcomes: readonly CheckOutcome[], rest: Rest): Report {
  const results = (Object.keys(clauses) as ClauseId[]).map(id => clauseResult(run, options, id, outcomes))
  const summary = countVerdicts(results)
  const required = requiredOf(options.require ?? [])
  const missing = required.filter(id => results.find(result => result.id === id)?.verdict !== 'passed')
  const nothing = provedNothing(run, outcomes, rest)
  const bad = [
    ...(nothing === undefined ? [] : [nothing]),
    ...(run.stuck !== undefined && run.endedJobs === 0
      ? [`no job ended: ${run.stuck} ran longer than --job-timeout`]
      : []),
    ...(rest.complete
      ? []
      : [run.redact(run.gone ?? (run.isTimeOver ? run.ended : undefined) ?? 'it was stopped before its end')]),
    ...(missing.length > 0 ? [`required, but not passed: ${missing.join(', ')}`] : []),
  ]
  const { understudy, seed, startedAt } = options.about
  return {
    schema_version: reportVersion,
    understudy,
    target: run.redact(run.environment.base),
    profile: options.profile,
    seed,
    started_at: startedAt,
    ms: Math.round(rest.ms),
    complete: rest.complete,
    ok: summary.failed === 0 && bad.length === 0,
    why: [summaryText(summary), ...bad].join('; '),
    summary,
    spent: { requests: run.requests, credits: round(run.credits), sent_bytes: run.sentBytes },
    required: { clauses: required, missing },
    extensions: extensionsOf(run.findings).map(run.redact),
    clauses: results,
    checks: outcomes.map(outcome => checkResult(run, outcome)),
    ...(rest.explored && { explored: rest.explored }),
  }
}

/** The clauses that --require names; throws for what is none. */
export function requiredOf(names: readonly string[]): ClauseId[] {
  const all = Object.entries<Clause>(clauses)
  const required = new Set<ClauseId>()
  for (const name of names) {
    if (name === 'core') {
      for (const [id, { level, unseen }] of all) if (level === 'core' && !unseen) required.add(id as ClauseId)
    } else required.add(name.toUpperCase() as ClauseId)
  }
  return [...required]
}

/** Why a run says nothing of the endpoint, though nothing was broken; undefined if it says something. */
function provedNothing(run: Run, outcomes: readonly CheckOutcome[], { refusal, complete }: Rest): string | undefined {
  if (outcomes.length === 0) return 'nothing was proved: no check was selected'
  const statuses = [...run.statuses.keys()]
  const succeeded = statuses.some(status => status >= 200 && status < 300)
  if (refusal !== undefined) return `nothing was proved: ${refusal}`
  if (!succeeded && statuses.length > 0)
    return `nothing was proved: only ${statuses.sort().join(', ')} was seen; is this the API's base URL?`
  const isBroken = run.findings.some(({ holds }) => !holds)
  if (isBroken && statuses.length === 1 && run.requests > 3)
    return `nothing was proved: everything was answered ${statuses[0]}, right or wrong`
  if (complete && outcomes.every(({ verdict }) => verdict === 'skipped'))
    return 'nothing was proved: nothing could be tried'
  return undefined
}

function clauseResult(run: Run, options: RunOptions, id: ClauseId, outcomes: readonly CheckOutcome[]): ClauseResult {
  const { text, level, unseen }: Clause = clauses[id]
  const speaking = options.checks.filter(check => check.clauses.includes(id))
  const findings = run.findings.filter(finding => finding.clauses.includes(id))
  const broken = findings.filter(({ holds }) => !holds)
  const own = speaking.map(check => {
    return outcomes.find(outcome => outcome.check === check) ?? left(check, 'it was left out by the filter')
  })
  const untried = own.filter(({ check, verdict, reason }) => {
    // A check that broke off at another clause's fault has not shown this one either.
    return verdict === 'skipped' || (verdict === 'failed' && reason !== undefined && !isShown(findings, check))
  })
  const verdict: Verdict =
    broken.length > 0 ? 'failed' : speaking.length === 0 || untried.length > 0 ? 'skipped' : 'passed'
  const evidence = evidenceOf(run, verdict === 'failed' ? broken : findings)
  const isCut = verdict === 'failed' && evidence.length >= mostEvidence.broken
  const notes = [
    ...(isCut
      ? [`${plural(broken.length, 'finding')} against it, of which the first ${evidence.length} that differ are here`]
      : []),
    ...new Set(findings.flatMap(({ note }) => (note === undefined ? [] : run.redact(note)))),
  ]
  return {
    id,
    text,
    level,
    verdict,
    ...(verdict === 'skipped' && {
      reason: unseen ?? run.redact(reasonOf(untried, own.length)),
      needs: [...new Set(untried.flatMap(({ needs }) => needs))],
    }),
    notes,
    checks: speaking.map(({ id }) => id),
    evidence,
  }
}

const isShown = (findings: readonly Recorded[], check: Check): boolean =>
  findings.some(finding => finding.check === check.id && finding.holds)

function reasonOf(untried: readonly CheckOutcome[], of: number): string {
  const byReason = new Map<string, string[]>()
  for (const { check, reason = 'it was not tried' } of untried) {
    byReason.set(reason, [...(byReason.get(reason) ?? []), check.id])
  }
  const [only] = byReason.keys()
  // What is true of all of its checks needs no list of them.
  if (byReason.size === 1 && only !== undefined && untried.length === of) return only
  const texts = [...byReason].map(([reason, ids]) => `${ids.join(', ')}: ${reason}`)
  const part = of > untried.length ? `${of - untried.length} of ${of} checks passed, but ` : ''
  return part + texts.join('; ')
}

/** How many pieces of evidence a clause keeps: of what is broken more than that only where a check has no other. */
export const mostEvidence = { broken: 50, holding: 3 }

interface Told {
  check: string
  holds: boolean
  expected: string
  pointer?: string | undefined
}

/** Whether a piece is worth its place beside those `kept`: each check's first, and of what is broken each in its own words. */
export function isEvidence(kept: readonly Told[], { check, holds, expected, pointer }: Told): boolean {
  const alike = kept.filter(one => one.holds === holds)
  const own = alike.filter(one => one.check === check)
  if (own.length === 0) return !holds || alike.length < mostEvidence.holding
  if (holds || alike.length >= mostEvidence.broken) return false
  return !own.some(one => one.expected === expected && one.pointer === pointer)
}

/** What is broken, in the order in which it was found; of what holds, a piece from each check. */
function evidenceOf(run: Run, findings: readonly Recorded[]): Evidence[] {
  const chosen: Recorded[] = []
  for (const finding of findings) if (isEvidence(chosen, finding)) chosen.push(finding)
  return chosen.map(finding => ({
    check: finding.check,
    passed: finding.holds,
    expected: run.redact(finding.expected),
    found: run.redact(finding.found),
    ...(finding.pointer !== undefined && { pointer: finding.pointer }),
    ...(finding.exchange && exchangeOf(finding.exchange, run.redact)),
    ...(finding.curl !== undefined && { curl: finding.curl }),
  }))
}

/** The clauses that failed in a check. */
export const failedIn = (run: Run, check: string): ClauseId[] => [
  ...new Set(run.findings.flatMap(finding => (finding.check === check && !finding.holds ? finding.clauses : []))),
]

function checkResult(run: Run, { check, verdict, reason, ms, requests }: CheckOutcome): CheckResult {
  const failed = failedIn(run, check.id)
  return {
    id: check.id,
    title: check.title,
    clauses: [...check.clauses],
    verdict,
    ...(reason !== undefined && { reason: run.redact(reason) }),
    ms: Math.round(ms),
    requests,
    ...(failed.length > 0 && { failed }),
  }
}

/** ERR-2: codes that are no documented ones. */
function extensionsOf(findings: readonly Recorded[]): string[] {
  const documented = (code: string) =>
    (errorCodes as Record<string, { documented: boolean }>)[code]?.documented === true
  const codes = findings.flatMap(({ exchange: seen }) => (seen && seen.status >= 400 ? (codeOf(seen) ?? []) : []))
  return [...new Set(codes)].filter(code => code !== '' && !documented(code)).sort()
}
