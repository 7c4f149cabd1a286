/** JUnit XML as Jenkins, GitLab and GitHub's actions read it: a testcase is a rule, and its name never changes. */

import { oneLine, shorten } from '../../base/text.ts'
import { ofRun, suiteXml, type TestCase } from '../../reports/junit.ts'

import type { ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductJunit(report: ConductReport): string {
  const lacks = shared.conductShortfalls(report)
  const cases = report.rules.map(rule => ofRule(report, rule, lacks.rules.get(rule.id)))
  const { source, key, calls, webhooks, understudy, why, incomplete } = report
  const properties = { source, key, calls: String(calls), webhooks: String(webhooks), understudy, why }
  return suiteXml(report, { ...properties, ...(incomplete !== undefined && { incomplete }) }, [
    ...cases,
    ...lacks.others.map(ofRun),
  ])
}

/** A failure is read in a browser: the JSON report has all of it. */
const evidencePerCase = 5

function ofRule(report: ConductReport, rule: RuleResult, lack: string | undefined): TestCase {
  const { id, verdict } = rule
  const name = `${shared.nameOf(rule)}: ${oneLine(shorten(rule.title, 300))}`
  const advice = `advice     ${shared.adviceText(rule)}`
  if (lack !== undefined) return { id, name, failure: { message: lack, text: advice } }
  if (verdict === 'kept') return { id, name }
  if (verdict === 'not_seen') return { id, name, skipped: shared.notSeenText(rule) }
  const { shown, more } = shared.breachesOf(rule, evidencePerCase)
  const [first] = shown
  const others = shown.length - 1 + more
  const message = `${rule.clause}: ${first ? shared.saidText(report, first) : 'broken'}${others > 0 ? ` (and ${others} more)` : ''}`
  const text = [...shown.map(one => shared.conductEvidenceText(report, one)), advice].join('\n\n')
  return { id, name, failure: { message, text } }
}
