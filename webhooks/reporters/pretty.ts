/** For people at a terminal: what failed with its proof first, then the rest; the verdict last. */
import * as text from '../../base/text.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import { evidenceRows, rowLines, when } from '../../reports/evidence.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs, verdict } from '../../reports/layout.ts'
import { marks, verdictColours, withVerdict } from '../../reports/verdicts.ts'
import type { ReceiverReport, ReceiverResult } from '../report.ts'
import { reasonText } from './reasonText.ts'

export function receiverPretty(report: ReceiverReport, options?: PrettyOptions): string {
  const layout = layoutOf(options)
  const { paint } = layout
  const { target, understudy, seed, started_at, checks } = report
  return paragraphs([
    [
      paint.bold(text.oneLine(target)),
      paint.dim(text.oneLine(`understudy ${understudy}, seed ${seed}, ${when(started_at)}`)),
    ],
    ...withVerdict(checks, 'failed').map(check => failed(report, check, layout)),
    checks.filter(({ verdict }) => verdict !== 'failed').flatMap(check => lineOf(check, layout)),
    verdict(report, layout),
  ])
}

function failed(report: ReceiverReport, check: ReceiverResult, { paint, width }: Layout): string[] {
  // The check stands above.
  const rowsOf = (one: Evidence) => evidenceRows(report, one).filter(([label]) => label !== 'check')
  const proof = check.evidence.flatMap(one => ['', ...indent(rowLines(rowsOf(one), width - 2, paint.dim))])
  return [
    `${paint.red(paint.bold(`${marks.failed} ${check.id} failed`))} ${paint.dim(`(${check.level}, ${check.clauses.join(' ')})`)}`,
    ...indent(text.wrap(check.title, width - 2)),
    ...proof,
    '',
    ...indent(text.wrap(`What to do: ${check.advice}`, width - 2)),
  ]
}

function lineOf(check: ReceiverResult, { paint, width }: Layout): string[] {
  const reason = reasonText(check)
  const said = reason === '' ? check.title : `${check.title}: ${reason}`
  const [first = '', ...rest] = text.wrap(`${check.id.padEnd(26)} ${text.oneLine(said)}`, width - 2)
  return [`${paint[verdictColours[check.verdict]](marks[check.verdict])} ${first}`, ...indent(indent(rest))]
}
