/** The one vocabulary of verdicts: every report, in JSON and for people, says no other words. */
import type { FromSchema } from 'json-schema-to-ts'

/**
 * - passed: tried, and right.
 * - failed: tried, and wrong; the evidence is beside it.
 * - skipped: not tried; `reason` says why, `needs` or `provoke` what it would take.
 * - inconclusive: tried, but the result proves nothing; `fault` says whose fault that is.
 */
export const verdicts = ['passed', 'failed', 'skipped', 'inconclusive'] as const
export type Verdict = (typeof verdicts)[number]

/** Who keeps a result from being conclusive: this tool and its machine, or the server under test. */
export const inconclusiveFaults = ['harness', 'target'] as const
export type InconclusiveFault = (typeof inconclusiveFaults)[number]

const count = { type: 'integer', minimum: 0 } as const

export const VerdictSummary = {
  type: 'object',
  description: 'How many have each verdict.',
  required: verdicts,
  additionalProperties: false,
  properties: { passed: count, failed: count, skipped: count, inconclusive: count },
} as const
export type VerdictSummary = FromSchema<typeof VerdictSummary>

export function countVerdicts(results: readonly { verdict: Verdict }[]): VerdictSummary {
  const summary = { passed: 0, failed: 0, skipped: 0, inconclusive: 0 }
  for (const { verdict } of results) summary[verdict]++
  return summary
}

/** "41 passed, 2 failed, 5 skipped"; inconclusive is named only where there is one. */
export const summaryText = ({ passed, failed, skipped, inconclusive }: VerdictSummary): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped${inconclusive === 0 ? '' : `, ${inconclusive} inconclusive`}`
