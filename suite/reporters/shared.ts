/** What several reporters read off a report in the same way. */

import { formatCount, formatDuration, formatSize, oneLine, plural, shorten } from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import type { Verdict } from '../../contracts/verdict.ts'
import { type Differing, differing, grouped, reasonOf } from '../../reports/evidence.ts'
import type { ClauseResult, Report } from '../report.ts'

export const clausesWith = ({ clauses }: Report, verdict: Verdict): ClauseResult[] =>
  clauses.filter(clause => clause.verdict === verdict)
const sameness = ({ expected, found, pointer }: Evidence): string => JSON.stringify([expected, found, pointer])

/** The evidence that broke a clause, and how much more of it there is. */
export const brokenEvidence = ({ evidence }: ClauseResult): Differing<Evidence> =>
  differing(
    evidence.filter(({ holds }) => !holds),
    sameness,
  )

/** The clauses that were not tried, by why they were not. */
export function untried(report: Report): { reason: string; needs: readonly string[]; clauses: ClauseResult[] }[] {
  const alike = grouped(clausesWith(report, 'not_tried'), one => JSON.stringify([reasonOf(one), one.needs ?? []]))
  return alike.map(([first, ...rest]) => ({
    reason: reasonOf(first),
    needs: first.needs ?? [],
    clauses: [first, ...rest],
  }))
}

/**
 * Why a run is not green beside its broken clauses, so that no format calls a run good that is not: a required clause
 * that was not tried, by its id, or the run as such, for instance when it was stopped early.
 */
export function suiteShortfalls(report: Report): { clause?: string; why: string }[] {
  const verdicts = new Map(report.clauses.map(clause => [clause.id, clause]))
  const missing = report.required.missing.filter(id => verdicts.get(id)?.verdict !== 'broken')
  const found = missing.map(clause => ({
    clause,
    why: `required, but not tried: ${reasonOf(verdicts.get(clause) ?? { reason: 'it is not in this report' })}`,
  }))
  const unsaid = !report.ok && found.length === 0 && clausesWith(report, 'broken').length === 0
  return unsaid ? [{ why: report.why }] : found
}

/** What the clause was at the baseline, where it is broken only since. */
export const brokeSince = ({ changes }: Report, id: string): Verdict | undefined =>
  changes?.changes.find(({ clause, to }) => clause === id && to === 'broken')?.from

/** "213 requests, 12 credits, 3.4 MB sent, in 41.2 s" */
export function spentText({ spent: { requests, credits, sent_bytes }, ms }: Report): string {
  return `${plural(requests, 'request')}, ${plural(credits, 'credit')}, ${formatSize(sent_bytes)} sent, in ${formatDuration(ms)}`
}

/** What the endpoint called its own errors, and may have called them at any length. */
export const extensionsOf = ({ extensions }: Report): string[] => extensions.map(code => oneLine(shorten(code, 80)))

/** "200 sequences of 1,432 calls, seed 7f3a" */
export const exploredText = ({ sequences, calls, seed }: NonNullable<Report['explored']>): string =>
  `${plural(sequences, 'sequence')} of ${formatCount(calls)} calls, seed ${seed}`
