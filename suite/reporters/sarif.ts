/** SARIF 2.1.0: a rule is a clause, a result is a piece of evidence that broke it. */

import { shorten, visible } from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import { evidenceText } from '../../reports/evidence.ts'
import { located, noPlace, pathOf, placeOf, plain, sarifText } from '../../reports/sarif.ts'
import type { ClauseResult, Report } from '../report.ts'
import { suiteShortfalls } from './shared.ts'

export function suiteSarif(report: Report): string {
  const { understudy, ok, complete, why, started_at, target, profile, seed, clauses } = report
  const run = {
    tool: { driver: { name: 'Understudy', version: visible(understudy), rules: clauses.map(ruleOf) } },
    invocations: [
      {
        executionSuccessful: complete,
        exitCode: ok ? 0 : 1,
        exitCodeDescription: visible(why),
        startTimeUtc: started_at,
        toolExecutionNotifications: suiteShortfalls(report).map(lack => ({ level: 'error', message: plain(lack.why) })),
      },
    ],
    properties: { target, profile, seed },
    results: clauses.flatMap((clause, ruleIndex) =>
      clause.evidence.filter(({ holds }) => !holds).map(evidence => resultOf(report, clause, ruleIndex, evidence)),
    ),
  }
  return sarifText(run)
}

const levelOf = ({ level }: ClauseResult): 'warning' | 'error' => (level === 'open' ? 'warning' : 'error')

const ruleOf = (clause: ClauseResult) => ({
  id: clause.id,
  shortDescription: plain(shorten(`${clause.id} ${clause.text}`, 250)),
  fullDescription: plain(clause.text),
  help: plain(clause.text),
  defaultConfiguration: { level: levelOf(clause) },
  properties: { tags: ['api', 'contract', clause.level] },
})

function resultOf(report: Report, clause: ClauseResult, ruleIndex: number, evidence: Evidence) {
  const { request } = evidence
  const place = request ? placeOf(request, pathOf(report.target)) : noPlace('clauses', clause.id)
  // Which item of a list it was is chance.
  const pointer = shorten(evidence.pointer ?? '', 200).replace(/\/\d+(?=\/|$)/g, '/*')
  const identity = [clause.id, evidence.check, place.name, pointer]
  return {
    ruleId: clause.id,
    ruleIndex,
    level: levelOf(clause),
    message: plain(
      `${clause.id} is broken at ${place.name}: expected ${shorten(evidence.expected, 500)}, found ${shorten(evidence.found, 500)}\n\n${evidenceText(report, evidence)}`,
    ),
    ...located(place, identity),
  }
}
