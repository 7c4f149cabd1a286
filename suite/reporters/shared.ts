/** What several reporters read off a report in the same way. */

import { formatCount, formatDuration, formatSize, oneLine, plural, shorten } from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import type { Verdict } from '../../contracts/verdict.ts'
import { type Differing, differing, grouped, reasonOf } from '../../reports/evidence.ts'
import { withVerdict } from '../../reports/verdicts.ts'
import type { ClauseResult, Report } from '../report.ts'

const sameness = ({ expected, found, pointer }: Evidence): string => JSON.stringify([expected, found, pointer])

/** The evidence that a clause failed, and how much more of it there is. */
export const failedEvidence = ({ evidence }: ClauseResult): Differing<Evidence> =>
  differing(
    evidence.filter(({ passed }) => !passed),
    sameness,
  )

/** The skipped clauses, by why they were skipped. */
export function skippedGroups(report: Report): { reason: string; needs: readonly string[]; clauses: ClauseResult[] }[] {
  const alike = grouped(withVerdict(report.clauses, 'skipped'), one => JSON.stringify([reasonOf(one), one.needs ?? []]))
  return alike.map(([first, ...rest]) => ({
    reason: reasonOf(first),
    needs: first.needs ?? [],
    clauses: [first, ...rest],
  }))
}

/**
 * Why a run is not green beside its failed clauses, so that no format calls a run good that is not: a required clause
 * that was skipped, by its id, or the run as such, for instance when it was stopped early.
 */
export function suiteShortfalls(report: Report): { clause?: string; why: string }[] {
  const verdicts = new Map(report.clauses.map(clause => [clause.id, clause]))
  const missing = report.required.missing.filter(id => verdicts.get(id)?.verdict !== 'failed')
  const found = missing.map(clause => ({
    clause,
    why: `required, but skipped: ${reasonOf(verdicts.get(clause) ?? { reason: 'it is not in this report' })}`,
  }))
  const outlived = (report.expected?.passed ?? []).map(clause => ({
    clause,
    why: `it passed, though --expected-failures lists it: remove its line`,
  }))
  const told = found.length + outlived.length + withVerdict(report.clauses, 'failed').filter(isUnexpected).length
  return !report.ok && told === 0 ? [{ why: report.why }] : [...found, ...outlived]
}

/** A failure that --expected-failures does not list. */
const isUnexpected = ({ expected }: ClauseResult): boolean => expected !== true

/** The clause's verdict at the baseline, where it failed only since. */
export const failedSince = ({ changes }: Report, id: string): Verdict | undefined =>
  changes?.changes.find(({ clause, to }) => clause === id && to === 'failed')?.from

/** "213 requests, 12 credits, 3.4 MB sent, in 41.2 s" */
export function spentText({ spent: { requests, credits, sent_bytes }, ms }: Report): string {
  return `${plural(requests, 'request')}, ${plural(credits, 'credit')}, ${formatSize(sent_bytes)} sent, in ${formatDuration(ms)}`
}

/** What the endpoint called its own errors, and may have called them at any length. */
export const extensionsOf = ({ extensions }: Report): string[] => extensions.map(code => oneLine(shorten(code, 80)))

/** "200 sequences of 1,432 calls, seed 7f3a" */
export const exploredText = ({ sequences, calls, seed }: NonNullable<Report['explored']>): string =>
  `${plural(sequences, 'sequence')} of ${formatCount(calls)} calls, seed ${seed}`
