/** All mutants, by theme: each is the mock with one documented sentence broken in one place. */
import { auth } from './auth.ts'
import { codes } from './codes.ts'
import { credits } from './credits.ts'
import { download } from './download.ts'
import { errors } from './errors.ts'
import { idempotency } from './idempotency.ts'
import { jobs } from './jobs.ts'
import { limits } from './limits.ts'
import { lists } from './lists.ts'
import { outputs } from './outputs.ts'
import { sequences } from './sequences.ts'
import { starts } from './starts.ts'
import { states } from './states.ts'
import type { Mutant } from './tools.ts'
import { uploads } from './uploads.ts'
import { usage } from './usage.ts'
import { webhooks } from './webhooks.ts'

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
  ...outputs,
  ...credits,
  ...usage,
  ...limits,
  ...idempotency,
  ...webhooks,
  ...sequences,
]
