import type { Verdict } from '../contracts/verdict.ts'
import type { Check } from './check.ts'
import type { Profile } from './needs.ts'
import type { Report } from './report.ts'

import type { Run } from './session.ts'
export interface RunOptions {
  checks: readonly Check[]
  profile: Profile
  /** Credits that may be spent; Infinity for as many as it takes. */
  maxCredits: number
  /** Clauses, checks or themes ("auth"); all without any. */
  only?: readonly string[]
  skip?: readonly string[]
  /** Clauses that have to hold; "core" for all of that level. */
  require?: readonly string[]
  /** Stops at the first clause that fails. */
  bail?: boolean
  signal?: AbortSignal
  /** Longest that the run may take by the environment's clock, ms; without one it takes as long as it does. */
  maxTimeMs?: number
  onProgress?: (progress: Progress) => void
  /** What goes into the report as it is. */
  about: { understudy: string; seed: string; startedAt: string }
  /** Runs after the checks, on the same budget: its findings count like theirs. */
  explore?: (run: Run) => Promise<Report['explored']>
}

export type Progress =
  | { type: 'started'; check: string; title: string; index: number; of: number; requests: number }
  | { type: 'ended'; check: string; verdict: Verdict; failed: string[]; index: number; of: number; requests: number }
