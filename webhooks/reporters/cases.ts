/** A receiver's grade as test cases: a case is a check, and its name never changes. */
import { evidenceText } from '../../reports/evidence.ts'
import type { TestCase, TestRun } from '../../reports/testCase.ts'
import { failedWord } from '../../reports/verdicts.ts'
import type { ReceiverReport, ReceiverResult } from '../report.ts'
import { reasonText } from './reasonText.ts'

export function receiverRun(report: ReceiverReport): TestRun {
  const { understudy, ok, why, ms, started_at, target, seed, checks } = report
  return {
    understudy,
    ok,
    why,
    ms,
    started_at,
    properties: { target, seed },
    cases: checks.map(check => caseOf(report, check)),
  }
}

function caseOf(report: ReceiverReport, check: ReceiverResult): TestCase {
  const { id, title, level, verdict, fault, ms, advice, evidence } = check
  const about = { id, name: `${id}: ${title}`, suite: 'receiver', verdict, fault, ms }
  if (verdict === 'passed') return about
  if (verdict !== 'failed') return { ...about, message: reasonText(check), text: advice }
  const [first] = evidence
  return {
    ...about,
    // A test runner knows no failure that fails nothing: it is skipped there, and says that it failed.
    verdict: level === 'must' ? verdict : 'skipped',
    message: `${failedWord(check)}: expected ${first?.expected}, found ${first?.found}`,
    text: [...evidence.map(one => evidenceText(report, one)), advice].join('\n\n'),
  }
}
