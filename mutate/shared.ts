/** What every format of a mutation report says in the same words. */
import { formatDuration, oneLine, plural, shorten } from '../base/text.ts'
import { clauses } from '../contracts/clauses.ts'
import { grouped, when } from '../reports/evidence.ts'
import type { MutationReport, MutationResult } from './report.ts'

const order = ({ expected, severity }: MutationResult): number => (expected ? 2 : severity === 'must' ? 0 : 1)

/** The musts first; what is expected last. */
export const blindSpots = ({ results }: MutationReport): MutationResult[] =>
  results.filter(({ outcome }) => outcome === 'unnoticed').sort((a, b) => order(a) - order(b))

export const refused = ({ results }: MutationReport): MutationResult[] =>
  results.filter(({ outcome }) => outcome === 'refused').sort((a, b) => order(a) - order(b))

export const unclear = ({ results }: MutationReport): MutationResult[] =>
  results.filter(({ outcome }) => outcome === 'unclear')

/** Those that were not reached, by why. */
export const notReached = ({ results }: MutationReport): { why: string; results: MutationResult[] }[] =>
  grouped(
    results.filter(({ outcome }) => outcome === 'skipped'),
    ({ why = '' }) => why,
  )
    .map(own => ({ why: oneLine(own[0].why ?? ''), results: own }))
    .sort((a, b) => b.results.length - a.results.length)

/** "JOB-5 must (data): a completed job has no output_url" */
export const resultText = ({ clause, severity, loses, what }: MutationResult): string =>
  oneLine(
    `${clause}${severity === undefined ? '' : ` ${severity}`}${loses === undefined ? '' : ` (${loses})`}: ${what}`,
  )

/** Of a variant: what grants its freedom. */
export const freedomText = ({ clause }: MutationResult): string => `${clause} grants it: ${clauseText(clause)}`

const standards: Readonly<Record<string, string>> = {
  'RFC 9110': 'HTTP Semantics: names of header fields have no case, and a client ignores fields that it does not know',
  'RFC 9112': 'HTTP/1.1: a body may come in chunks, and either side may close a connection after a response',
  'RFC 8259': 'JSON: an object is an unordered collection, and white space between tokens means nothing',
}

export function clauseText(id: string): string {
  const clause = Object.entries(clauses).find(([name]) => name === id)?.[1]
  return (
    standards[id] ??
    shorten(clause === undefined ? id : 'open' in clause ? `${clause.text} (${clause.open})` : clause.text, 300)
  )
}

export const headText = ({ understudy, results, healthy, jobs, ms, started_at, seed }: MutationReport): string => {
  const runs = healthy.runs.length + results.reduce((sum, one) => sum + (one.taken_over ? 0 : one.runs.length), 0)
  return oneLine(
    `understudy ${understudy}, ${plural(runs, 'run')}, ${jobs} at a time, in ${formatDuration(ms)}, ${when(started_at)}, seed ${seed}`,
  )
}
