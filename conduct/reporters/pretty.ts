/** For people at a terminal: the rules that failed and what to do about it first, the verdict in one sentence last. */

import { formatCount, oneLine, shorten, wrap } from '../../base/text.ts'
import { rowLines } from '../../reports/evidence.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs, verdict } from '../../reports/layout.ts'

import { failedWord, marks, verdictHeadings, withVerdict } from '../../reports/verdicts.ts'
import type { ConductEvidence, ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export function conductPretty(report: ConductReport, options?: PrettyOptions): string {
  const page: Page = { report, ...layoutOf(options) }
  return paragraphs([
    head(page),
    ...withVerdict(report.rules, 'failed').map(rule => failed(page, rule)),
    ...withVerdict(report.rules, 'inconclusive').map(rule => inconclusive(page, rule)),
    tries(page),
    skipped(page),
    passed(page),
    verdict(report, page),
  ])
}

interface Page extends Layout {
  report: ConductReport
}

function head({ report, paint, width }: Page): string[] {
  const { understudy, source } = report
  const keys = shared.keysText(report)
  const facts = `understudy ${understudy}, ${source}, ${shared.seenText(report)}`
  return [
    ...hanging(shared.whoText(report), width).map(paint.bold),
    ...hanging(oneLine(shorten(facts, 1000)), width).map(paint.dim),
    ...hanging(shared.gradingText(report), width).map(paint.dim),
    ...(keys === undefined ? [] : hanging(`keys found: ${keys}`, width).map(paint.dim)),
    ...bulleted('!', shared.incompleteText(report), width).map(paint.yellow),
  ]
}

function failed({ report, paint, width }: Page, rule: RuleResult): string[] {
  const { shown, more } = shared.breachesOf(rule)
  return [
    ...failedHead(rule, { paint, width }),
    ...(shown.length === 0 ? ['', '  No evidence was kept.'] : shown.flatMap(one => ['', ...seen(report, one, width)])),
    ...(more > 0
      ? ['', ...indent(wrap(`${formatCount(more)} more like it: the json report has them all.`, width - 2))]
      : []),
    '',
    ...adviceLines(rule, { paint, width }),
    ...toleranceLines(rule, { paint, width }),
  ]
}

const toleranceLines = ({ tolerance }: RuleResult, { paint, width }: Layout): string[] =>
  tolerance === undefined ? [] : indent(rowLines([['tolerance', oneLine(tolerance)]], width - 2, paint.dim))

function inconclusive({ report, paint, width }: Page, rule: RuleResult): string[] {
  const { shown } = shared.breachesOf(rule)
  return [
    ...hanging(`${marks.inconclusive} ${shared.nameOf(rule)} inconclusive (${rule.fault})`, width).map(paint.yellow),
    ...indent(wrap(oneLine(shorten(rule.reason ?? '', 500)), width - 2)),
    ...shown.flatMap(one => ['', ...seen(report, one, width)]),
  ]
}

/** Each call that was tried again, as a line in time. */
function tries({ report, paint, width }: Page): string[] {
  const { chains } = report
  const more = chains.length - shared.chainsShown
  if (chains.length === 0) return []
  return [
    paint.bold('Tries'),
    ...chains
      .slice(0, shared.chainsShown)
      .flatMap(chain => [
        ...hanging(`  ${shared.chainName(report, chain)}`, width),
        ...wrap(shared.chainText(chain), width - 6).map(line => `    ${line}`),
      ]),
    ...(more > 0 ? [`  ${formatCount(more)} more: the json report has them.`] : []),
  ]
}

/** The rule, and what it asks for. */
export const failedHead = (
  rule: Pick<RuleResult, 'id' | 'clause' | 'title' | 'level' | 'expected'>,
  { paint, width }: Layout,
): string[] => [
  ...hanging(`${marks.failed} ${shared.nameOf(rule)} ${failedWord(rule)}`, width).map(line =>
    paint.red(paint.bold(line)),
  ),
  ...indent(wrap(oneLine(shorten(rule.title, 500)), width - 2)),
]

export const adviceLines = (rule: Pick<RuleResult, 'advice'>, { paint, width }: Layout): string[] =>
  indent(rowLines([['advice', shared.adviceText(rule)]], width - 2, paint.dim))

/** What the client did, and the calls by which it is seen. */
const seen = (report: ConductReport, evidence: ConductEvidence, width: number): string[] => [
  ...indent(wrap(shared.saidText(report, evidence), width - 2)),
  ...shared.entryLines(evidence).flatMap(line => entry(line, width)),
]

/** What goes on to a second line stands deeper than a call. */
function entry(line: string, width: number): string[] {
  if (line.length <= width - 4) return [`    ${line}`]
  return wrap(line, width - 8).map((part, i) => `${i === 0 ? '    ' : '        '}${part.trimEnd()}`)
}

function skipped({ report, paint, width }: Page): string[] {
  const groups = shared.skippedGroupsOf(report)
  if (groups.length === 0) return []
  const lacks = shared.conductShortfalls(report).rules
  const lines = groups.flatMap(({ title, rules }) => [
    ...bulleted(marks.skipped, title, width),
    ...rules.flatMap(rule => {
      const required = lacks.has(rule.id) ? ' (required)' : ''
      const reason = shared.ownReason(rule)
      const text = `${shared.nameOf(rule)}${required} ${oneLine(shorten(rule.title, 200))}${reason ? `: ${reason}` : ''}`
      return wrap(text, width - 6).map((line, i) => (i === 0 ? `  ${line}` : paint.dim(`      ${line}`)))
    }),
  ])
  return [paint.bold(`${verdictHeadings.skipped}: ${formatCount(report.summary.skipped)}`), ...lines]
}

function passed({ report, paint, width }: Page): string[] {
  const ids = withVerdict(report.rules, 'passed').map(({ id }) => oneLine(shorten(id, 100)))
  return ids.length === 0
    ? []
    : [
        paint.bold(`${verdictHeadings.passed}: ${formatCount(ids.length)}`),
        ...indent(wrap(ids.join(' '), width - 2)).map(paint.green),
      ]
}

/** Its second line and those below stand in, so that none looks like a line of its own. */
export const hanging = (text: string, width: number): string[] =>
  wrap(text, width - 2).map((line, i) => (i === 0 ? line : `  ${line}`))

/** A text behind a sign; nothing without one. */
export const bulleted = (sign: string, text: string | undefined, width: number): string[] =>
  text === undefined ? [] : wrap(text, width - 2).map((line, i) => `${i === 0 ? sign : ' '} ${line}`)
