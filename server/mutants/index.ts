/**
 * All mutants and correct variants, by their names, and how one is switched on. A mutant is a hand's breadth of code in the
 * file of its theme; change.ts has what they are made with.
 */

import { didYouMean } from '../../base/didYouMean.ts'
import { ConfigError } from '../../base/options.ts'
import type { App } from '../app.ts'
import { authMutants } from './auth.ts'
import { codeMutants } from './codes.ts'
import { creditsMutants } from './credits.ts'
import { downloadMutants } from './download.ts'
import { errorMutants } from './errors.ts'
import { idempotencyMutants } from './idempotency.ts'
import { jobMutants } from './jobs.ts'
import { limitMutants } from './limits.ts'
import { listMutants } from './lists.ts'
import type { Mutant, Variant } from './mutant.ts'
import { Mutation } from './mutation.ts'
import { outputMutants } from './outputs.ts'
import { sequenceMutants } from './sequences.ts'
import { startMutants } from './starts.ts'
import { stateMutants } from './states.ts'
import { uploadMutants } from './uploads.ts'
import { usageMutants } from './usage.ts'
import { variants } from './variants.ts'
import { webhookMutants } from './webhooks.ts'

/** The mock with one documented sentence broken in one place, by theme. */
export const mutants: readonly Mutant[] = [
  ...errorMutants,
  ...codeMutants,
  ...authMutants,
  ...uploadMutants,
  ...jobMutants,
  ...startMutants,
  ...stateMutants,
  ...listMutants,
  ...downloadMutants,
  ...outputMutants,
  ...creditsMutants,
  ...usageMutants,
  ...limitMutants,
  ...idempotencyMutants,
  ...webhookMutants,
  ...sequenceMutants,
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
