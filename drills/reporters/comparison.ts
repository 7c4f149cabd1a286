/** A comparison of two runs, for a terminal and for programs. */

import { formatJson, oneLine, wrap } from '../../base/text.ts'
import { type Paint, paintWith } from '../../reports/ansi.ts'
import { when } from '../../reports/evidence.ts'
import { indent, widest } from '../../reports/layout.ts'

import type { Compared, ComparedVerdict, Comparison } from '../compare.ts'
import * as numbers from './numbers.ts'
import { tableLines } from './pretty.ts'

export const comparisonJson = (comparison: Comparison): string => formatJson(comparison)

/** Not to be told by colour alone. */
const signs: Record<ComparedVerdict, string> = { real: '≠', noise: '≈', unknown: ' ' }

/** What makes the two not comparable stands first, the sentence last. */
export function comparisonText(
  comparison: Comparison,
  { color = false, width = 80 }: { color?: boolean; width?: number } = {},
): string {
  const paint = paintWith(color)
  const page = { paint, width: Math.max(40, Math.min(width, widest)) }
  const { a, b, warnings, metrics, judging, text } = comparison
  const paragraphs = [
    warnings.flatMap(warning =>
      wrap(oneLine(warning), page.width - 2).map((line, i) => paint.yellow(i === 0 ? `! ${line}` : `  ${line}`)),
    ),
    [side('A', a, page), side('B', b, page)].flat(),
    table(metrics, page),
    wrap(judging, page.width).map(paint.dim),
    [paint.bold(oneLine(text))],
  ]
  return `${paragraphs
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`
}

interface Page {
  paint: Paint
  width: number
}

function side(
  name: string,
  { drill, target, started_at, seed, why }: Comparison['a'],
  { paint, width }: Page,
): string[] {
  const title = `${name}  ${oneLine(`${drill}: ${target}, ${when(started_at)}, seed ${seed}`)}`
  return [paint.bold(title), ...indent(wrap(oneLine(why), width - 3)).map(line => ` ${paint.dim(line)}`)]
}

function table(metrics: readonly Compared[], page: Page): string[] {
  const rows = metrics.map(one => [
    one.metric,
    numbers.anyUnit(one.a, one.unit),
    numbers.anyUnit(one.b, one.unit),
    numbers.ratio(one.ratio),
    `${signs[one.judgement]} ${one.judgement === 'unknown' ? 'not judged' : one.judgement}`,
    one.p === undefined ? one.why : `p ${one.p < 0.0001 ? '<0.0001' : one.p.toFixed(4)}, ${one.why}`,
  ])
  const lines = tableLines(page, { head: ['metric', 'A', 'B', 'B/A', 'so', 'told by'], text: [4, 5], rows })
  const isReal = (line: string) => line.includes(`  ${signs.real} real`)
  return lines.map(line => (isReal(line) ? page.paint.bold(line) : line))
}
