/** All checks, in the order in which they run: what is free first, what fills limits and reads logs last. */
import type { Check } from '../check.ts'
import { authChecks } from './auth.ts'
import { browserChecks } from './browsers.ts'
import { creditChecks } from './credits.ts'
import { downloadChecks } from './download.ts'
import { errorChecks } from './errors.ts'
import { goLiveChecks, logChecks, systemChecks } from './goLive.ts'
import { idempotencyChecks } from './idempotency.ts'
import { jobChecks, lateChecks } from './jobs.ts'
import { lifecycleChecks } from './lifecycle.ts'
import { limitChecks } from './limits.ts'
import { uploadChecks } from './uploads.ts'
import { webhookChecks } from './webhooks.ts'

export const checks: readonly Check[] = [
  ...systemChecks,
  ...jobChecks,
  ...authChecks,
  ...browserChecks,
  ...errorChecks,
  ...uploadChecks,
  ...lifecycleChecks,
  ...downloadChecks,
  ...creditChecks,
  ...idempotencyChecks,
  ...webhookChecks,
  ...goLiveChecks,
  ...limitChecks,
  ...lateChecks,
  ...logChecks,
]
