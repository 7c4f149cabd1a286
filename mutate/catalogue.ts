/** The mutants and variants as a user meets them: what `--list` prints, and what a run chooses from. */

import { didYouMean } from '../base/didYouMean.ts'
import { ConfigError } from '../base/options.ts'
import { type ClauseId, clauses } from '../contracts/clauses.ts'
import { operations, routeOf } from '../contracts/operations.ts'
import { type Mutated, mutants, variants } from '../server/mutants/index.ts'
import { isMutant, type Loss, type Severity, type Sign } from '../server/mutants/mutant.ts'
import type { MutantPlace } from '../server/mutants/mutation.ts'
import { lossOf, severityOf } from '../server/mutants/severity.ts'
import { traits } from '../server/mutants/traits.ts'

/** A mutant or a variant, with all that is known of it. */
export interface CatalogueEntry {
  id: string
  kind: 'mutant' | 'variant'
  /** What it breaks first, or what grants its freedom. */
  clause: string
  what: string
  severity: Severity | undefined
  loses: Loss | undefined
  places: readonly MutantPlace[]
  /** It may show at any route: then only a run can tell. */
  anywhere: boolean
  /** Of a mutant that changes refusals alone: their statuses. */
  statuses: readonly number[] | undefined
  signs: readonly Sign[]
  mutant: Mutated
}

function entryOf(mutant: Mutated): CatalogueEntry {
  const { places = [], signs = [], anywhere = false, statuses } = traits[mutant.id] ?? {}
  return {
    id: mutant.id,
    kind: isMutant(mutant) ? 'mutant' : 'variant',
    clause: isMutant(mutant) ? String(mutant.breaks[0]) : mutant.grants,
    what: mutant.what,
    severity: isMutant(mutant) ? severityOf(mutant.id) : undefined,
    loses: isMutant(mutant) ? lossOf(mutant.id) : undefined,
    places,
    anywhere,
    statuses,
    signs,
    mutant,
  }
}

export const catalogue: readonly CatalogueEntry[] = [...mutants, ...variants].map(entryOf)

/** A route, "webhook" or "journal". */
export const placeName = (place: MutantPlace): string => routeOf(place) ?? place

/** Those of these clauses and names. Throws a ConfigError for one that there is not. */
export function chosenEntries(only: readonly string[] | undefined): readonly CatalogueEntry[] {
  if (only === undefined) return catalogue
  for (const name of only) {
    if (catalogue.some(entry => isNamed(entry, name))) continue
    const isClause = (Object.keys(clauses) as ClauseId[]).some(id => id === name)
    if (isClause) throw new ConfigError(`--only ${name} selects nothing: no mutant breaks this clause`)
    const hint = didYouMean(name, [...catalogue.map(({ id }) => id), ...Object.keys(clauses)])
    throw new ConfigError(
      `--only names ${JSON.stringify(name)}; expected a clause, a mutant or a variant of understudy mutate --list${hint}`,
    )
  }
  return catalogue.filter(entry => only.some(name => isNamed(entry, name)))
}

const isNamed = ({ id, clause, mutant }: CatalogueEntry, name: string): boolean =>
  id === name || clause === name || (isMutant(mutant) && mutant.breaks.some(broken => broken === name))

/** Every route that a test suite may call. */
export const allRoutes: readonly string[] = Object.values(operations)
  .filter(({ tag }) => tag !== 'admin')
  .map(({ method, path }) => `${method} ${path}`)

/** What `--list` prints. */
export function listText(entries: readonly CatalogueEntry[]): string {
  const width = Math.max(...entries.map(({ id }) => id.length))
  const lines = (kind: CatalogueEntry['kind']) =>
    entries
      .filter(entry => entry.kind === kind)
      .map(({ id, clause, severity, loses, what }) => {
        const level = severity === undefined ? '' : `${loses === undefined ? severity : `${severity}, ${loses}`}`
        return `  ${id.padEnd(width)}  ${clause.padEnd(8)}  ${kind === 'mutant' ? `${level.padEnd(11)}  ` : ''}${what}`
      })
  const [broken, correct] = [lines('mutant'), lines('variant')]
  return [
    ...(broken.length > 0 ? [`Mutants, each with one documented sentence broken: ${broken.length}`, ...broken] : []),
    ...(correct.length > 0 ? [`Variants, each correct and different: ${correct.length}`, ...correct] : []),
    '',
  ].join('\n')
}

/** The same as data. */
export const listDocument = (entries: readonly CatalogueEntry[]) =>
  entries.map(({ id, kind, clause, what, severity, loses, places, anywhere, signs }) => ({
    id,
    kind,
    clause,
    what,
    ...(severity !== undefined && { severity }),
    ...(loses !== undefined && { loses }),
    operations: anywhere ? ['any route'] : places.map(placeName),
    noticeable_by: signs,
  }))
