import { oneLine, shorten, shortenText } from '../../base/text.ts'
import { answerText, reasonOf } from '../../reports/evidence.ts'
import { type TapPoint, tapText } from '../../reports/tap.ts'
import type { ClauseResult, Report } from '../report.ts'
import { brokenEvidence, suiteShortfalls } from './shared.ts'

export function suiteTap(report: Report): string {
  const lacks = suiteShortfalls(report)
  const points = report.clauses.map(clause => {
    const lack = lacks.find(({ clause: id }) => id === clause.id)
    return point(clause, lack?.why)
  })
  const known = new Set(report.clauses.map(({ id }) => id))
  for (const { clause, why } of lacks)
    if (clause === undefined || !known.has(clause))
      points.push({ ok: false, name: clause ?? 'the run is green', diagnostic: { message: oneLine(why) } })
  return tapText(points, [report.why])
}

function point(clause: ClauseResult, lack: string | undefined): TapPoint {
  const name = `${clause.id} ${shorten(oneLine(clause.text), 120)}`
  if (lack !== undefined) return { ok: false, name, diagnostic: { message: oneLine(lack) } }
  if (clause.verdict === 'holds') return { ok: true, name }
  if (clause.verdict === 'not_tried') return { ok: true, name, skip: reasonOf(clause) }
  const { shown, more } = brokenEvidence(clause)
  const evidence = shown.map(({ check, expected, found, pointer, request, response, curl }) => ({
    check,
    expected: shortenText(expected, 1000),
    found: shortenText(found, 1000),
    at: pointer,
    request: request && shortenText(`${request.method} ${request.url}`, 1000),
    answer: response && answerText(response),
    body: response?.body && shortenText(response.body, 800),
    curl,
  }))
  return { ok: false, name, diagnostic: { level: clause.level, evidence, more: more || undefined } }
}
