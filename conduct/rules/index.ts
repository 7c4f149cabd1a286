/** Every rule of conduct, in the order in which a report shows them. */
import type { ConductRule } from '../rule.ts'
import { jobsPerIntent, keyOnRetry, noRetryWithoutCredits, oneJob } from './creates.ts'
import { afterCompletion } from './download.ts'
import { clientErrorsNotRetried, noHammering, retried } from './errors.ts'
import { acceptableUploads, audit, pathsTried, requestId } from './goLive.ts'
import { httpDate, noEarlyReturn, retryAfter } from './limits.ts'
import { givesUp, pace, slowsDown, stops } from './polling.ts'
import { bounded, grow, jitter, totalTime } from './retries.ts'
import { keyNotInBody, keyNotInUrl, keyOnlyWhereNeeded } from './secrets.ts'
import { timeOut } from './timeOut.ts'
import { answers2xx, duplicates, fallback, fresh, inTime, replay, signature } from './webhooks.ts'

export const rules: readonly ConductRule[] = [
  clientErrorsNotRetried,
  retried,
  noHammering,
  grow,
  jitter,
  bounded,
  totalTime,
  timeOut,
  retryAfter,
  httpDate,
  noEarlyReturn,
  oneJob,
  keyOnRetry,
  jobsPerIntent,
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
  fresh,
  replay,
  fallback,
  acceptableUploads,
  pathsTried,
  audit,
  requestId,
]
