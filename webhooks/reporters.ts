/** The reporters of a receiver's grade: what failed with its proof first, then the rest; the verdict last. */
import * as text from '../base/text.ts'
import type { Evidence } from '../contracts/evidence.ts'
import { ctrfText } from '../reports/ctrf.ts'
import { documentText } from '../reports/document.ts'
import { evidenceRows, evidenceText, rowLines, when } from '../reports/evidence.ts'
import { junitText } from '../reports/junit.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs, verdict } from '../reports/layout.ts'
import { evidenceBlocks, folded, inline, tableText } from '../reports/markdown.ts'
import { caseHelp, type ReporterName, reporterHelp } from '../reports/names.ts'
import { tapText } from '../reports/tap.ts'
import type { TestCase, TestRun } from '../reports/testCase.ts'
import { icons, marks, okVerdict, verdictColours, withVerdict } from '../reports/verdicts.ts'
import { type ReceiverReport, type ReceiverResult, receiverSchemaId } from './report.ts'

/** For --help, a line each. */
export const receiverHelp = {
  pretty: 'for a terminal: what failed, with its proof and what to do; the verdict last',
  json: reporterHelp.json,
  markdown: reporterHelp.markdown,
  ...caseHelp('check'),
  tap: 'TAP 14: a test point per check',
} as const satisfies Partial<Record<ReporterName, string>>

export type ReceiverReporterName = keyof typeof receiverHelp

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type ReceiverReporter = (report: ReceiverReport, options?: PrettyOptions) => string

export const receiverReporters = {
  pretty,
  json: report => documentText(receiverSchemaId, report),
  markdown,
  junit: report => junitText(runOf(report)),
  ctrf: report => ctrfText(runOf(report)),
  tap: report => tapText(runOf(report)),
} as const satisfies Record<ReceiverReporterName, ReceiverReporter>

function pretty(report: ReceiverReport, options?: PrettyOptions): string {
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
  const needs = check.needs === undefined ? '' : ` (needs ${check.needs})`
  const said = check.reason === undefined ? check.title : `${check.title}: ${check.reason}${needs}`
  const [first = '', ...rest] = text.wrap(`${check.id.padEnd(26)} ${text.oneLine(said)}`, width - 2)
  return [`${paint[verdictColours[check.verdict]](marks[check.verdict])} ${first}`, ...indent(indent(rest))]
}

function markdown(report: ReceiverReport): string {
  const { checks, ok, why, target, started_at } = report
  const rows = checks.map(({ verdict, id, level, title, reason = '' }) => [icons[verdict], id, level, title, reason])
  const blocks = [
    `## ${icons[okVerdict(ok)]} ${inline(why)}`,
    inline(`${target}, ${when(started_at)}`),
    tableText(['', 'check', 'level', 'what a receiver does', 'why not'], rows),
    ...withVerdict(checks, 'failed').flatMap(check =>
      folded(check.id, check.title, [
        ...evidenceBlocks(
          check.evidence.map(one => evidenceText(report, one)),
          0,
        ),
        `**What to do:** ${inline(check.advice)}`,
      ]),
    ),
  ]
  return `${blocks.join('\n\n')}\n`
}

function runOf(report: ReceiverReport): TestRun {
  const { understudy, ok, why, ms, started_at, target, seed, checks } = report
  return {
    understudy,
    ok,
    why,
    ms,
    started_at,
    properties: { target, seed },
    cases: checks.map(check => caseOf(report, check)),
  }
}

function caseOf(report: ReceiverReport, check: ReceiverResult): TestCase {
  const { id, title, level, verdict, fault, ms, reason, advice, evidence } = check
  const about = { id, name: `${id}: ${title}`, suite: 'receiver', verdict, fault, ms }
  if (verdict === 'passed') return about
  const [first] = evidence
  const message = reason ?? `${level}: expected ${first?.expected}, found ${first?.found}`
  return { ...about, message, text: [...evidence.map(one => evidenceText(report, one)), advice].join('\n\n') }
}
