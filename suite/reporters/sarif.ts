/** SARIF: a rule is a clause, a result is a piece of evidence that broke it. */

import { shorten } from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import { evidenceText } from '../../reports/evidence.ts'
import { noPlace, pathOf, placeOf, type SarifResult, type SarifRule, sarifText } from '../../reports/sarif.ts'
import type { ClauseResult, Report } from '../report.ts'
import { suiteShortfalls } from './shared.ts'

export function suiteSarif(report: Report): string {
  const { target, profile, seed } = report
  const notifications = suiteShortfalls(report).map(({ why }) => ({ level: 'error', text: why }) as const)
  return sarifText(
    { ...report, properties: { target, profile, seed }, notifications },
    report.clauses.map(clause => ruleOf(report, clause)),
  )
}

const ruleOf = (report: Report, clause: ClauseResult): SarifRule => ({
  id: clause.id,
  title: `${clause.id} ${clause.text}`,
  text: clause.text,
  help: clause.text,
  level: clause.expected ? 'note' : clause.level === 'open' ? 'warning' : 'error',
  tags: ['api', 'contract', clause.level],
  results: clause.evidence.filter(({ passed }) => !passed).map(evidence => resultOf(report, clause, evidence)),
})

function resultOf(report: Report, clause: ClauseResult, evidence: Evidence): SarifResult {
  const { request } = evidence
  const place = request ? placeOf(request, pathOf(report.target)) : noPlace('clauses', clause.id)
  // Which item of a list it was is chance.
  const pointer = shorten(evidence.pointer ?? '', 200).replace(/\/\d+(?=\/|$)/g, '/*')
  return {
    message: `${clause.id} failed at ${place.name}: expected ${shorten(evidence.expected, 500)}, found ${shorten(evidence.found, 500)}\n\n${evidenceText(report, evidence)}`,
    place,
    identity: [clause.id, evidence.check, place.name, pointer],
  }
}
