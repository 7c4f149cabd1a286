/**
 * All mutants and correct variants, by their names, and how one is switched on. A mutant is a hand's breadth of code in the
 * file of its theme; change.ts has what they are made with.
 */
import { ConfigError } from '../../base/options.ts'
import type { App } from '../app.ts'
import { didYouMean } from '../scenarios/problems.ts'
import { auth } from './auth.ts'
import { codes } from './codes.ts'
import { credits } from './credits.ts'
import { download } from './download.ts'
import { errors } from './errors.ts'
import { idempotency } from './idempotency.ts'
import { jobs } from './jobs.ts'
import { limits } from './limits.ts'
import { lists } from './lists.ts'
import type { Mutant, Variant } from './mutant.ts'
import { Mutation } from './mutation.ts'
import { sequences } from './sequences.ts'
import { starts } from './starts.ts'
import { states } from './states.ts'
import { uploads } from './uploads.ts'
import { usage } from './usage.ts'
import { variants } from './variants.ts'
import { webhooks } from './webhooks.ts'

/** The mock with one documented sentence broken in one place, by theme. */
export const mutants: readonly Mutant[] = [
  ...errors,
  ...codes,
  ...auth,
  ...uploads,
  ...jobs,
  ...starts,
  ...states,
  ...lists,
  ...download,
  ...credits,
  ...usage,
  ...limits,
  ...idempotency,
  ...webhooks,
  ...sequences,
]

export { variants }

export type Mutated = Mutant | Variant

const byName = new Map<string, Mutated>([...mutants, ...variants].map(one => [one.id, one]))

/** The mutant or variant of that name. Throws a ConfigError for one that there is not. */
export function mutantNamed(name: string, source: string): Mutated {
  const found = byName.get(name)
  if (found !== undefined) return found
  const hint = didYouMean(name, byName.keys())
  throw new ConfigError(
    `${source} is ${JSON.stringify(name)}; expected a mutant or variant of understudy mutate --list${hint}`,
  )
}

/** Switches a mutant on, for a mock that does not listen yet. */
export function applyMutant(app: App, mutant: Pick<Mutated, 'id' | 'apply'>): Mutation {
  const mutation = new Mutation(mutant.id, app)
  mutant.apply(mutation)
  mutation.watch()
  return mutation
}
