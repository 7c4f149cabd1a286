/** All observers of recorded traffic, in the order of a report. */
import { answers, documentedCases, requestIds } from './answers.ts'
import { auth } from './auth.ts'
import { downloads } from './downloads.ts'
import { idempotency } from './idempotency.ts'
import { jobs } from './jobs.ts'
import { limits } from './limits.ts'
import { lists } from './lists.ts'
import type { Observer } from './observer.ts'
import { states } from './states.ts'
import { uploads } from './uploads.ts'
import { webhooks } from './webhooks.ts'

export const observers: readonly Observer[] = [
  answers,
  requestIds,
  documentedCases,
  auth,
  uploads,
  jobs,
  states,
  lists,
  downloads,
  idempotency,
  limits,
  webhooks,
]
