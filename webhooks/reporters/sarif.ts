/** SARIF: a rule is a check, a result is a delivery that was answered wrongly, at the path of the receiver. */
import { shorten } from '../../base/text.ts'
import { evidenceText } from '../../reports/evidence.ts'
import { placeOf, type SarifRule, sarifText } from '../../reports/sarif.ts'
import { failedWord } from '../../reports/verdicts.ts'
import type { ReceiverReport, ReceiverResult } from '../report.ts'

export function receiverSarif(report: ReceiverReport): string {
  const { target, seed, complete } = report
  const notifications = complete ? [] : [{ level: 'error', text: 'It was stopped before its end.' } as const]
  return sarifText(
    { ...report, properties: { target, seed }, notifications },
    report.checks.map(check => ruleOf(report, check)),
  )
}

function ruleOf(report: ReceiverReport, check: ReceiverResult): SarifRule {
  const { id, title, level, clauses, advice } = check
  const place = placeOf({ method: 'POST', url: report.target })
  return {
    id,
    title: `${id} ${title}`,
    text: title,
    help: advice,
    level: level === 'must' ? 'error' : 'note',
    tags: ['api', 'webhooks', ...clauses],
    results: check.evidence
      .filter(({ passed }) => !passed)
      .map(one => ({
        message: `${id} ${failedWord(check)} at ${place.name}: expected ${shorten(one.expected, 500)}, found ${shorten(one.found, 500)}\n\n${evidenceText(report, one)}\n\nWhat to do: ${advice}`,
        place,
        identity: [id, place.name, one.expected],
      })),
  }
}
