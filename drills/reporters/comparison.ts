/** A comparison of two runs, for a terminal and for programs. */

import { formatJson, oneLine, wrap } from '../../base/text.ts'
import { when } from '../../reports/evidence.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs } from '../../reports/layout.ts'

import type { Compared, Comparison, ComparisonOutcome } from '../compare.ts'
import * as numbers from './numbers.ts'
import { tableLines } from './pretty.ts'

export const comparisonJson = (comparison: Comparison): string => formatJson(comparison)

/** Not to be told by colour alone. */
const signs: Record<ComparisonOutcome, string> = { changed: '≠', unchanged: '≈', inconclusive: ' ' }

/** What makes the two not comparable stands first, the sentence last. */
export function comparisonText(comparison: Comparison, options?: PrettyOptions): string {
  const page = layoutOf(options)
  const { paint } = page
  const { a, b, warnings, metrics, method, text } = comparison
  const parts = [
    warnings.flatMap(warning =>
      wrap(oneLine(warning), page.width - 2).map((line, i) => paint.yellow(i === 0 ? `! ${line}` : `  ${line}`)),
    ),
    [side('A', a, page), side('B', b, page)].flat(),
    table(metrics, page),
    wrap(method, page.width).map(paint.dim),
    [paint.bold(oneLine(text))],
  ]
  return paragraphs(parts.map(lines => lines.map(line => line.trimEnd())))
}

function side(
  name: string,
  { drill, target, started_at, seed, why }: Comparison['a'],
  { paint, width }: Layout,
): string[] {
  const title = `${name}  ${oneLine(`${drill}: ${target}, ${when(started_at)}, seed ${seed}`)}`
  return [paint.bold(title), ...indent(wrap(oneLine(why), width - 3)).map(line => ` ${paint.dim(line)}`)]
}

function table(metrics: readonly Compared[], page: Layout): string[] {
  const rows = metrics.map(one => [
    one.metric,
    numbers.anyUnit(one.a, one.unit),
    numbers.anyUnit(one.b, one.unit),
    numbers.ratio(one.ratio),
    `${signs[one.outcome]} ${one.outcome}`,
    one.p === undefined ? one.why : `p ${one.p < 0.0001 ? '<0.0001' : one.p.toFixed(4)}, ${one.why}`,
  ])
  const lines = tableLines(page, { head: ['metric', 'A', 'B', 'B/A', 'so', 'told by'], text: [4, 5], rows })
  const isChanged = (line: string) => line.includes(`  ${signs.changed} changed`)
  return lines.map(line => (isChanged(line) ? page.paint.bold(line) : line))
}
