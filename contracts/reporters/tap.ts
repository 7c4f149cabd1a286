/** TAP 14: a test point is a clause. */
import { stringify } from 'yaml'
import type { ClauseResult, Report } from '../suite/report.ts'
import { answerText, brokenEvidence, reasonOf, shortfalls } from './shared.ts'
import { cut, oneLine, shorten, visible } from './text.ts'

export function tap(report: Report): string {
  const lacks = shortfalls(report)
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

/** The points, and lines for people behind them. */
export function tapText(points: readonly Point[], comments: readonly string[]): string {
  const lines = points.map(({ ok, name, skip, diagnostic }, i) => {
    const directive = skip === undefined ? '' : ` # SKIP ${safe(skip)}`
    return `${ok ? 'ok' : 'not ok'} ${i + 1} - ${safe(name)}${directive}\n${diagnostic ? yamlBlock(diagnostic) : ''}`
  })
  const ending = comments.map(comment => `# ${oneLine(comment)}\n`)
  return `TAP version 14\n1..${points.length}\n${lines.join('')}${ending.join('')}`
}

export interface Point {
  ok: boolean
  name: string
  skip?: string
  diagnostic?: object
}

function point(clause: ClauseResult, lack: string | undefined): Point {
  const name = `${clause.id} ${shorten(oneLine(clause.text), 120)}`
  if (lack !== undefined) return { ok: false, name, diagnostic: { message: oneLine(lack) } }
  if (clause.verdict === 'holds') return { ok: true, name }
  if (clause.verdict === 'not_tried') return { ok: true, name, skip: reasonOf(clause) }
  const { shown, more } = brokenEvidence(clause)
  const evidence = shown.map(({ check, expected, found, pointer, request, response, curl }) => ({
    check,
    expected: cut(expected, 1000),
    found: cut(found, 1000),
    at: pointer,
    request: request && cut(`${request.method} ${request.url}`, 1000),
    answer: response && answerText(response),
    body: response?.body && cut(response.body, 800),
    curl,
  }))
  return { ok: false, name, diagnostic: { level: clause.level, evidence, more: more || undefined } }
}

/** A description or a reason: # would start a directive, and { at the end a subtest. */
const safe = (text: string): string => oneLine(text).replace(/[\\#]/g, '\\$&').replace(/\{$/, '{…')

function yamlBlock(diagnostic: object): string {
  const shown = JSON.parse(JSON.stringify(diagnostic), (_, value) =>
    typeof value === 'string' ? visible(value) : value,
  ) as unknown
  const lines = stringify(shown, { lineWidth: 0 }).trimEnd().split('\n')
  return ['---', ...lines, '...'].map(line => (line === '' ? '\n' : `  ${line}\n`)).join('')
}
