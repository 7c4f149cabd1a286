/** What changed between two reports, clause by clause. */
import type { Verdict } from '../contracts/verdict.ts'
import type { Report } from './report.ts'

type Changes = NonNullable<Report['changes']>

/**
 * Which clauses changed their verdict since `old`. A clause that only one of the two reports knows counts as skipped
 * in the other: nothing was proved of it there. The text names what matters one by one, what failed first.
 */
export function compare(old: Report, now: Report): Changes {
  const before = verdictsOf(old)
  const after = verdictsOf(now)
  const ids = [...new Set([...after.keys(), ...before.keys()])]
  const changes = ids
    .map(clause => ({ clause, from: before.get(clause) ?? 'skipped', to: after.get(clause) ?? 'skipped' }))
    .filter(({ from, to }) => from !== to)
  const known = changes.filter(({ clause }) => before.has(clause) && after.has(clause))
  const telling = known.filter(({ from, to }) => from === 'failed' || to === 'failed')
  const parts = [
    ...telling.filter(({ to }) => to === 'failed').map(arrow),
    ...telling.filter(({ to }) => to !== 'failed').map(arrow),
    ...ids.filter(id => !before.has(id)).map(id => `${id} is new (${after.get(id)})`),
    ...ids.filter(id => !after.has(id)).map(id => `${id} is gone (it was ${before.get(id)})`),
    ...counted(known.filter(({ from, to }) => from === 'skipped' && to === 'passed').length, 'more tried'),
    ...counted(known.filter(({ from, to }) => from === 'passed' && to === 'skipped').length, 'no longer tried'),
  ]
  const text =
    parts.length > 0 ? `since ${old.started_at}: ${parts.join('; ')}` : `nothing changed since ${old.started_at}`
  return { since: old.started_at, changes, text: text + otherwise(old, now) }
}

const verdictsOf = ({ clauses }: Report): Map<string, Verdict> =>
  new Map(clauses.map(({ id, verdict }) => [id, verdict]))

const arrow = ({ clause, from, to }: Changes['changes'][number]): string => `${clause} ${from} -> ${to}`

const counted = (number: number, what: string): string[] => (number === 0 ? [] : [`${number} ${what}`])

/** A baseline of another endpoint or profile explains much of a difference. */
function otherwise(old: Report, now: Report): string {
  const differs = [
    ...(old.target === now.target ? [] : [`of ${old.target}`]),
    ...(old.profile === now.profile ? [] : [`of profile ${old.profile}`]),
  ]
  return differs.length === 0 ? '' : ` (the baseline is ${differs.join(', ')})`
}
