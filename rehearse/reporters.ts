/** The reporters of a rehearsal: one table, scenario by scenario, and the advice for each failed rule once. */

import * as text from '../base/text.ts'
import { adviceLines, bulleted, failedHead, hanging } from '../conduct/reporters/pretty.ts'
import { adviceText, nameOf } from '../conduct/reporters/shared.ts'
import { summaryText } from '../contracts/verdict.ts'
import { ctrfText } from '../reports/ctrf.ts'
import { documentText } from '../reports/document.ts'
import { when } from '../reports/evidence.ts'
import { junitText } from '../reports/junit.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs, verdict } from '../reports/layout.ts'
import { folded, inline, tableText } from '../reports/markdown.ts'
import { caseHelp, type ReporterName, reporterHelp } from '../reports/names.ts'
import type { TestCase, TestRun } from '../reports/testCase.ts'
import { icons, marks, okVerdict, verdictColours, withVerdict } from '../reports/verdicts.ts'

import { type Rehearsal, type RehearsedRule, type RehearsedScenario, rehearsalSchemaId } from './report.ts'

/** For --help, a line each. */
export const rehearsalHelp = {
  pretty: 'for a terminal: a table of the scenarios, then what to do about the rules that failed; the verdict last',
  json: reporterHelp.json,
  markdown: reporterHelp.markdown,
  ...caseHelp('scenario'),
} as const satisfies Partial<Record<ReporterName, string>>

export type RehearsalReporterName = keyof typeof rehearsalHelp

/** Pure: the same rehearsal gives the same text. Only `pretty` asks for options; the width is in characters. */
export type RehearsalReporter = (rehearsal: Rehearsal, options?: PrettyOptions) => string

export const rehearsalReporters = {
  pretty,
  json: rehearsal => documentText(rehearsalSchemaId, rehearsal),
  markdown,
  junit: rehearsal => junitText(runOf(rehearsal)),
  ctrf: rehearsal => ctrfText(runOf(rehearsal)),
} as const satisfies Record<RehearsalReporterName, RehearsalReporter>

function pretty(rehearsal: Rehearsal, options?: PrettyOptions): string {
  const layout = layoutOf(options)
  return paragraphs([
    head(rehearsal, layout),
    table(rehearsal.scenarios, layout),
    ...withVerdict(rehearsal.rules, 'failed').map(rule => failed(rule, layout)),
    skipped(rehearsal, layout),
    verdict(rehearsal, layout),
  ])
}

function head(rehearsal: Rehearsal, { paint, width }: Layout): string[] {
  const { understudy, command, started_at, ms, scenarios, rule_set, level } = rehearsal
  const facts = `understudy ${understudy}, ${text.plural(scenarios.length, 'scenario')} in ${text.formatDuration(ms)}, ${when(started_at)}`
  return [
    ...hanging(shortenLine(command, 300), width).map(paint.bold),
    ...hanging(shortenLine(facts, 300), width).map(paint.dim),
    ...hanging(`rules of ${rule_set}, level ${level}`, width).map(paint.dim),
  ]
}

/** On one line, and never longer. */
const shortenLine = (what: string, length: number): string =>
  text.shorten(text.oneLine(text.shorten(what, length)), length)

const titles = ['scenario', 'exit', 'finished', 'passed', 'failed', 'skipped']
const cellsOf = (one: RehearsedScenario): string[] => [
  shortenLine(one.scenario, 60),
  shortenLine(exitText(one), 10),
  one.finished ? 'yes' : 'no',
  ...[one.conduct.passed, one.conduct.failed, one.conduct.skipped].map(text.formatCount),
]
const isNumber = (column: number): boolean => column > 2

/** Below a scenario that failed stand the rules that failed in it, and why else it failed. */
function table(scenarios: readonly RehearsedScenario[], { paint, width }: Layout): string[] {
  if (scenarios.length === 0) return []
  const rows = scenarios.map(cellsOf)
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0)))
  const others = widths.slice(1).reduce((sum, one) => sum + one + 2, 2)
  // On a narrow terminal a scenario's name is cut down to this, and no further.
  widths[0] = Math.min(widths[0] ?? 0, Math.max(10, width - others))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => {
      const column = widths[i] ?? 0
      const fitting = i === 0 ? text.shorten(cell, column) : cell
      return isNumber(i) ? fitting.padStart(column) : fitting.padEnd(column)
    })
  return [
    paint.dim(`  ${line(titles).join('  ')}`),
    ...scenarios.flatMap((one, i) => {
      const tone = paint[verdictColours[one.verdict]]
      return [`${tone(marks[one.verdict])} ${line(rows[i] ?? []).join('  ')}`, ...below(one, width).map(tone)]
    }),
  ]
}

const below = (one: RehearsedScenario, width: number): string[] =>
  reasonsOf(one).flatMap(reason => indent(indent(text.wrap(reason, width - 4))))

/** Why a scenario failed: its rules, what else there is to say, and where to read on. */
function reasonsOf({ verdict, failed, noted, why, folder }: RehearsedScenario): string[] {
  return [
    ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : []),
    ...(noted.length > 0 ? [`failed, and fails nothing: ${noted.join(', ')}`] : []),
    ...(why === undefined ? [] : [why]),
    ...(folder === undefined || verdict !== 'failed' ? [] : [`see ${folder}`]),
  ].map(reason => shortenLine(reason, 1000))
}

/** "0", "SIGKILL" */
const exitText = ({ exit_code, signal }: RehearsedScenario): string => signal ?? String(exit_code ?? 'none')

const failed = (rule: RehearsedRule, layout: Layout): string[] => [
  ...failedHead(rule, layout),
  ...indent(text.wrap(whereText(rule), layout.width - 2)),
  ...adviceLines(rule, layout),
]

const whereText = ({ scenarios, said }: RehearsedRule): string =>
  text.oneLine(
    said === undefined
      ? `in ${scenarios.length === 0 ? 'no scenario' : text.shorten(scenarios.join(', '), 1000)}`
      : text.shorten(said, 1000),
  )

function skipped({ rules, summary }: Rehearsal, { paint, width }: Layout): string[] {
  const unseen = withVerdict(rules, 'skipped')
  if (unseen.length === 0) return []
  const lines = unseen.flatMap(rule => bulleted(marks.skipped, ruleText(rule), width))
  return [paint.bold(`Skipped in every scenario: ${text.formatCount(summary.skipped)}`), ...lines]
}

const ruleText = (rule: RehearsedRule): string => `${nameOf(rule)} ${shortenLine(rule.title, 200)}`

function markdown(rehearsal: Rehearsal): string {
  const { command, ok, why, scenarios, rules, started_at, ms } = rehearsal
  const unseen = withVerdict(rules, 'skipped')
  const rows = scenarios.map(one => [icons[one.verdict], ...cellsOf(one), reasonsOf(one).join('; ')])
  const blocks = [
    `## ${icons[okVerdict(ok)]} ${inline(why)}`,
    inline(`${text.shorten(command, 300)}, ${when(started_at)}, ${text.formatDuration(ms)}`),
    ...(rows.length > 0 ? [tableText(['', ...titles, 'why not'], rows)] : []),
    ...withVerdict(rules, 'failed').flatMap(rule =>
      folded(text.shorten(rule.id, 100), `(${text.shorten(rule.clause, 30)}) ${text.shorten(rule.title, 100)}`, [
        inline(whereText(rule)),
        `**Advice:** ${inline(adviceText(rule))}`,
      ]),
    ),
    ...(unseen.length > 0
      ? ['### Skipped in every scenario', unseen.map(rule => `- ${inline(ruleText(rule))}`).join('\n')]
      : []),
  ]
  return `${blocks.join('\n\n')}\n`
}

function runOf(rehearsal: Rehearsal): TestRun {
  const { command, understudy, ok, why, ms, started_at, scenarios } = rehearsal
  const cases = scenarios.map(one => caseOf(rehearsal, one))
  return { understudy, ok, why, ms, started_at, properties: { command }, cases }
}

function caseOf({ rules }: Rehearsal, one: RehearsedScenario): TestCase {
  const name = text.shorten(one.scenario, 200)
  const { verdict, ms } = one
  const about = { id: one.scenario, name, suite: 'rehearsal', verdict, ms }
  if (verdict === 'passed') return about
  if (verdict === 'skipped') return { ...about, message: shortenLine(one.why ?? 'it did not come up', 300) }
  const facts = `exit ${exitText(one)}, ${one.finished ? 'finished' : 'not finished'}, ${summaryText(one.conduct)}`
  const advice = rules
    .filter(rule => one.failed.includes(rule.id))
    .map(rule => `${ruleText(rule)}\n  ${adviceText(rule)}`)
  const reasons = reasonsOf(one)
  const lines = [shortenLine(facts, 300), ...reasons, ...advice]
  return { ...about, message: reasons.join('; ') || facts, text: lines.join('\n') }
}
