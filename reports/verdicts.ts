/** How each verdict looks: the one table for all formats. Nothing is told by colour alone. */
import { type Verdict, type VerdictSummary, verdicts } from '../contracts/verdict.ts'
import type { Paint } from './ansi.ts'

/** Before a line of text. */
export const marks: Record<Verdict, string> = { passed: '✓', failed: '✗', skipped: '–', inconclusive: '?' }

/** For Markdown, where there is no colour. */
export const icons: Record<Verdict, string> = { passed: '✅', failed: '❌', skipped: '⚪', inconclusive: '❔' }

export const verdictHeadings: Record<Verdict, string> = {
  passed: 'Passed',
  failed: 'Failed',
  skipped: 'Skipped',
  inconclusive: 'Inconclusive',
}

/** The name of the terminal's colour. */
export const verdictColours: Record<Verdict, Exclude<keyof Paint, 'bold'>> = {
  passed: 'green',
  failed: 'red',
  skipped: 'dim',
  inconclusive: 'yellow',
}

/** What failed is what the reader came for. */
export const worstFirst = ['failed', 'inconclusive', 'skipped', 'passed'] as const satisfies Verdict[]

/** Inconclusive only where there is one: most runs have none. */
export const shownVerdicts = (summary: VerdictSummary): Verdict[] =>
  verdicts.filter(verdict => verdict !== 'inconclusive' || summary.inconclusive > 0)

/** Of a run that is green or not. */
export const okVerdict = (ok: boolean): Verdict => (ok ? 'passed' : 'failed')

/** Those of one verdict, in their order. */
export const withVerdict = <Result extends { verdict: Verdict }>(
  results: readonly Result[],
  verdict: Verdict,
): Result[] => results.filter(result => result.verdict === verdict)

/** Of a failure, whose level or whose being known may keep it from failing the run: "failed (should)". */
export const failedWord = ({ level, expected }: { level: 'must' | 'should'; expected?: boolean }): string =>
  expected ? 'failed, as expected' : level === 'should' ? 'failed (should)' : 'failed'
