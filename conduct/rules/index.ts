/** Every rule of conduct, in the order in which a report shows them. */
import type { ConductRule } from '../rule.ts'
import { noRetryWithoutCredits, oneJob } from './creates.ts'
import { afterCompletion } from './download.ts'
import { clientErrorsNotRetried, noHammering, retried } from './errors.ts'
import { acceptableUploads, audit, pathsTried, requestId } from './goLive.ts'
import { retryAfter } from './limits.ts'
import { givesUp, pace, slowsDown, stops } from './polling.ts'
import { grow, jitter } from './retries.ts'
import { keyNotInBody, keyNotInUrl, keyOnlyWhereNeeded } from './secrets.ts'
import { answers2xx, duplicates, inTime, signature } from './webhooks.ts'

export const rules: readonly ConductRule[] = [
  clientErrorsNotRetried,
  retried,
  noHammering,
  grow,
  jitter,
  retryAfter,
  oneJob,
  noRetryWithoutCredits,
  pace,
  slowsDown,
  stops,
  givesUp,
  afterCompletion,
  keyNotInUrl,
  keyNotInBody,
  keyOnlyWhereNeeded,
  inTime,
  answers2xx,
  duplicates,
  signature,
  acceptableUploads,
  pathsTried,
  audit,
  requestId,
]
