/** The reporters of a rehearsal: one table, scenario by scenario, and the advice for each broken rule once. */

import * as text from '../base/text.ts'
import { conductSummary } from '../conduct/report.ts'
import { adviceLines, brokenHead, bulleted, hanging } from '../conduct/reporters/pretty.ts'
import { adviceText, markOf, nameOf, rulesWith } from '../conduct/reporters/shared.ts'
import { when } from '../reports/evidence.ts'
import { suiteXml, type TestCase } from '../reports/junit.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs, verdict } from '../reports/layout.ts'
import { folded, icons, inline, tableText } from '../reports/markdown.ts'

import { type ReporterName, reporterHelp } from '../reports/names.ts'

import type { Rehearsal, RehearsedRule, RehearsedScenario } from './report.ts'

/** For --help, a line each. */
export const rehearsalHelp = {
  pretty: 'for a terminal: a table of the scenarios, then what to do about what is broken; the verdict last',
  json: reporterHelp.json,
  markdown: reporterHelp.markdown,
  junit: 'JUnit XML for Jenkins, GitLab and others: a testcase per scenario',
} as const satisfies Partial<Record<ReporterName, string>>

export type RehearsalReporterName = keyof typeof rehearsalHelp

/** The id of the document's JSON Schema. */
export const rehearsalSchemaId = 'understudy/rehearsal.schema.json'

/** Pure: the same rehearsal gives the same text. Only `pretty` asks for options; the width is in characters. */
export type RehearsalReporter = (rehearsal: Rehearsal, options?: PrettyOptions) => string

export const rehearsalReporters = {
  pretty,
  json: rehearsal => text.formatJson({ $schema: rehearsalSchemaId, ...rehearsal }),
  markdown,
  junit,
} as const satisfies Record<RehearsalReporterName, RehearsalReporter>

function pretty(rehearsal: Rehearsal, options?: PrettyOptions): string {
  const layout = layoutOf(options)
  return paragraphs([
    head(rehearsal, layout),
    table(rehearsal.scenarios, layout),
    ...rulesWith(rehearsal.rules, 'broken').map(rule => broken(rule, layout)),
    notSeen(rehearsal, layout),
    verdict(rehearsal, layout),
  ])
}

function head(rehearsal: Rehearsal, { paint, width }: Layout): string[] {
  const { understudy, command, started_at, ms, scenarios } = rehearsal
  const facts = `understudy ${understudy}, ${text.plural(scenarios.length, 'scenario')} in ${text.formatDuration(ms)}, ${when(started_at)}`
  return [
    ...hanging(shortenLine(command, 300), width).map(paint.bold),
    ...hanging(shortenLine(facts, 300), width).map(paint.dim),
  ]
}

/** On one line, and never longer. */
const shortenLine = (what: string, length: number): string =>
  text.shorten(text.oneLine(text.shorten(what, length)), length)

const titles = ['scenario', 'exit', 'finished', 'kept', 'broken', 'not seen']
const cellsOf = (one: RehearsedScenario): string[] => [
  shortenLine(one.scenario, 60),
  shortenLine(exitText(one), 10),
  one.finished ? 'yes' : 'no',
  ...[one.conduct.kept, one.conduct.broken, one.conduct.not_seen].map(text.formatCount),
]
const isNumber = (column: number): boolean => column > 2

/** Below a scenario that is not ok stands what it broke, and why it is not. */
function table(scenarios: readonly RehearsedScenario[], { paint, width }: Layout): string[] {
  if (scenarios.length === 0) return []
  const rows = scenarios.map(cellsOf)
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0)))
  const others = widths.slice(1).reduce((sum, one) => sum + one + 2, 2)
  // On a narrow terminal a scenario's name is cut down to this, and no further.
  widths[0] = Math.min(widths[0] ?? 0, Math.max(12, width - others))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => {
      const column = widths[i] ?? 0
      const fitting = i === 0 ? text.shorten(cell, column) : cell
      return isNumber(i) ? fitting.padStart(column) : fitting.padEnd(column)
    })
  return [
    paint.dim(`  ${line(titles).join('  ')}`),
    ...scenarios.flatMap((one, i) => {
      const tone = one.ok ? paint.green : paint.red
      const mark = markOf(one.ok ? 'kept' : 'broken')
      return [`${tone(mark)} ${line(rows[i] ?? []).join('  ')}`, ...below(one, width).map(tone)]
    }),
  ]
}

const below = (one: RehearsedScenario, width: number): string[] =>
  reasonsOf(one).flatMap(reason => indent(indent(text.wrap(reason, width - 4))))

/** Why a scenario is not ok: what it broke, what else there is to say, and where to read on. */
function reasonsOf({ ok, broken, why, folder }: RehearsedScenario): string[] {
  if (ok) return []
  return [
    ...(broken.length > 0 ? [`broken: ${broken.join(', ')}`] : []),
    ...(why === undefined ? [] : [why]),
    ...(folder === undefined ? [] : [`see ${folder}`]),
  ].map(reason => shortenLine(reason, 1000))
}

/** "0", "SIGKILL" */
const exitText = ({ exit_code, signal }: RehearsedScenario): string => signal ?? String(exit_code ?? 'none')

const broken = (rule: RehearsedRule, layout: Layout): string[] => [
  ...brokenHead(rule, layout),
  ...indent(text.wrap(whereText(rule), layout.width - 2)),
  ...adviceLines(rule, layout),
]

const whereText = ({ scenarios }: RehearsedRule): string =>
  text.oneLine(`in ${scenarios.length === 0 ? 'no scenario' : text.shorten(scenarios.join(', '), 1000)}`)

function notSeen({ rules, summary }: Rehearsal, { paint, width }: Layout): string[] {
  const unseen = rulesWith(rules, 'not_seen')
  if (unseen.length === 0) return []
  const lines = unseen.flatMap(rule => bulleted(markOf('not_seen'), ruleText(rule), width))
  return [paint.bold(`Not seen in any scenario: ${text.formatCount(summary.not_seen)}`), ...lines]
}

const ruleText = (rule: RehearsedRule): string => `${nameOf(rule)} ${shortenLine(rule.title, 200)}`

function markdown(rehearsal: Rehearsal): string {
  const { command, ok, why, scenarios, rules, started_at, ms } = rehearsal
  const unseen = rulesWith(rules, 'not_seen')
  const rows = scenarios.map(one => [one.ok ? icons.holds : icons.broken, ...cellsOf(one), reasonsOf(one).join('; ')])
  const blocks = [
    `## ${ok ? icons.holds : icons.broken} ${inline(why)}`,
    inline(`${text.shorten(command, 300)}, ${when(started_at)}, ${text.formatDuration(ms)}`),
    ...(rows.length > 0 ? [tableText(['', ...titles, 'why not'], rows)] : []),
    ...rulesWith(rules, 'broken').flatMap(rule =>
      folded(text.shorten(rule.id, 100), `(${text.shorten(rule.clause, 30)}) ${text.shorten(rule.title, 100)}`, [
        inline(whereText(rule)),
        `**Advice:** ${inline(adviceText(rule))}`,
      ]),
    ),
    ...(unseen.length > 0
      ? ['### Not seen in any scenario', unseen.map(rule => `- ${inline(ruleText(rule))}`).join('\n')]
      : []),
  ]
  return `${blocks.join('\n\n')}\n`
}

function junit(rehearsal: Rehearsal): string {
  const { command, understudy, why, rules, scenarios } = rehearsal
  const cases = scenarios.map((one): TestCase => {
    const id = `rehearsal.${one.scenario}`
    const name = text.shorten(one.scenario, 200)
    if (one.ok) return { id, name, ms: one.ms }
    const facts = `exit ${exitText(one)}, ${one.finished ? 'finished' : 'not finished'}, ${conductSummary(one.conduct)}`
    const advice = rules
      .filter(rule => one.broken.includes(rule.id))
      .map(rule => `${ruleText(rule)}\n  ${adviceText(rule)}`)
    const reasons = reasonsOf(one)
    const lines = [shortenLine(facts, 300), ...reasons, ...advice]
    return { id, name, ms: one.ms, failure: { message: reasons.join('; ') || facts, text: lines.join('\n') } }
  })
  return suiteXml(rehearsal, { command, understudy, why }, cases)
}
