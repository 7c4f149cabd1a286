/** Which mutants are run first: those that tell most. The same seed gives the same order. */
import { SeededRandom } from '../base/seed.ts'
import type { CatalogueEntry } from './catalogue.ts'

/**
 * In rounds, in each of which every clause has one: its musts first, then the freedoms that it grants, then the rest. So the
 * first forty say something of each clause.
 */
export function inOrder(entries: readonly CatalogueEntry[], seed: string): CatalogueEntry[] {
  const random = new SeededRandom(seed, 'mutate')
  const rank = ({ severity, kind }: CatalogueEntry): number => (severity === 'must' ? 0 : kind === 'variant' ? 1 : 2)
  const shuffled = entries
    .map((entry, i) => ({ entry, draw: random.draw('order', i) }))
    .sort((a, b) => rank(a.entry) - rank(b.entry) || a.draw - b.draw)
    .map(({ entry }) => entry)
  const rounds: CatalogueEntry[][] = []
  const taken = new Map<string, number>()
  for (const entry of shuffled) {
    const round = taken.get(entry.clause) ?? 0
    taken.set(entry.clause, round + 1)
    rounds[round] = [...(rounds[round] ?? []), entry]
  }
  return rounds.flat()
}
