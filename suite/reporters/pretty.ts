/** For people at a terminal: what failed and how to see it again first, the verdict in one sentence last. */

import { formatCount, oneLine, wrap } from '../../base/text.ts'
import { evidenceRows, rowLines, when } from '../../reports/evidence.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs, verdict } from '../../reports/layout.ts'
import { marks, verdictHeadings, withVerdict } from '../../reports/verdicts.ts'
import type { ClauseResult, Report } from '../report.ts'
import * as shared from './shared.ts'

export function suitePretty(report: Report, options?: PrettyOptions): string {
  const page: Page = { report, ...layoutOf(options) }
  return paragraphs([
    head(page),
    ...withVerdict(report.clauses, 'failed').map(clause => failed(page, clause)),
    skipped(page),
    choices(page),
    extensions(page),
    passed(page),
    accounts(page),
    verdict(report, page),
  ])
}

interface Page extends Layout {
  report: Report
}

function head({ report, paint }: Page): string[] {
  const { understudy, target, profile, seed, started_at, complete } = report
  const facts = `understudy ${understudy}, profile ${profile}, seed ${seed}, ${when(started_at)}`
  const stopped = complete ? [] : [paint.yellow('It was stopped before its end.')]
  return [paint.bold(oneLine(target)), paint.dim(oneLine(facts)), ...stopped]
}

function failed({ report, paint, width }: Page, clause: ClauseResult): string[] {
  const { shown, more } = shared.failedEvidence(clause)
  const from = shared.failedSince(report, clause.id)
  const since = from === undefined ? '' : paint.yellow(`  new (baseline: ${from})`)
  const evidence = shown.flatMap(one => ['', ...indent(rowLines(evidenceRows(report, one), width - 2, paint.dim))])
  return [
    `${paint.red(paint.bold(`${marks.failed} ${oneLine(clause.id)} ${clause.expected ? 'failed, as expected' : 'failed'}`))} ${paint.dim(`(${clause.level})`)}${since}`,
    ...indent(wrap(oneLine(clause.text), width - 2)),
    ...(shown.length === 0 ? ['', '  No evidence was kept.'] : evidence),
    ...(more > 0 ? ['', `  ${formatCount(more)} more like it: the json report has them all.`] : []),
  ]
}

function skipped({ report, paint, width }: Page): string[] {
  const groups = shared.skippedGroups(report)
  if (groups.length === 0) return []
  const required = new Set(report.required.missing)
  const lines = groups.flatMap(({ reason, needs, clauses }) => {
    const ids = clauses.map(({ id }) => (required.has(id) ? `${id} (required)` : id))
    return [
      ...wrap(oneLine(reason), width - 2).map((line, i) => (i === 0 ? `${marks.skipped} ${line}` : `  ${line}`)),
      ...indent(wrap(oneLine(ids.join(', ')), width - 2)),
      ...needs.flatMap(need => indent(wrap(`needs ${oneLine(need)}`, width - 2).map(paint.yellow))),
    ]
  })
  return [paint.bold(`${verdictHeadings.skipped}: ${formatCount(report.summary.skipped)}`), ...lines]
}

function choices({ report, paint, width }: Page): string[] {
  const lines = report.clauses.flatMap(({ id, notes }) =>
    notes.flatMap(note => {
      const label = oneLine(id).padEnd(8)
      return wrap(oneLine(note), width - label.length).map((line, i) => (i === 0 ? label : ' '.repeat(8)) + line)
    }),
  )
  return lines.length === 0
    ? []
    : [paint.bold('Where the documentation leaves a choice, it was seen to do this:'), ...lines]
}

function extensions({ report, paint, width }: Page): string[] {
  const codes = shared.extensionsOf(report)
  if (codes.length === 0) return []
  const title = 'Error codes beyond the documented ones (no violation):'
  return [paint.bold(title), ...wrap(codes.join(', '), width)]
}

function passed({ report, paint, width }: Page): string[] {
  const ids = withVerdict(report.clauses, 'passed').map(({ id }) => id)
  if (ids.length === 0) return []
  return [
    paint.bold(`${verdictHeadings.passed}: ${formatCount(ids.length)}`),
    ...wrap(oneLine(ids.join(' ')), width).map(paint.green),
  ]
}

function accounts({ report, paint }: Page): string[] {
  const { changes, explored } = report
  return [
    ...(changes ? [oneLine(changes.text)] : []),
    ...(explored ? [paint.dim(oneLine(`explored ${shared.exploredText(explored)}`))] : []),
    paint.dim(`spent ${shared.spentText(report)}`),
  ]
}
