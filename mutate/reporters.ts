/** The reporters of a mutation run: the score, then the blind spots, what was refused, and what is never called. */
import * as text from '../base/text.ts'
import type { Verdict } from '../contracts/verdict.ts'
import { ctrfText } from '../reports/ctrf.ts'
import { documentText } from '../reports/document.ts'
import { when } from '../reports/evidence.ts'
import { junitText } from '../reports/junit.ts'
import { indent, type Layout, layoutOf, type PrettyOptions, paragraphs, verdict } from '../reports/layout.ts'
import { fence, folded, inline, tableText } from '../reports/markdown.ts'
import { caseHelp, type ReporterName, reporterHelp } from '../reports/names.ts'
import { noPlace, placeOf, type SarifRule, sarifText } from '../reports/sarif.ts'
import type { TestCase, TestRun } from '../reports/testCase.ts'
import { icons, marks, okVerdict } from '../reports/verdicts.ts'
import { mutationHtml } from './html.ts'
import { type MutationReport, type MutationResult, mutationSchemaId } from './report.ts'
import { blindSpots, clauseText, freedomText, headText, notReached, refused, resultText, unclear } from './shared.ts'

/** For --help, a line each. */
export const mutationHelp = {
  pretty: 'for a terminal: the score by clause, the blind spots, what was refused; the verdict last',
  json: reporterHelp.json,
  html: reporterHelp.html,
  markdown: reporterHelp.markdown,
  ...caseHelp('mutant'),
  sarif: 'SARIF 2.1.0 for code scanning: a rule per mutant, a result per blind spot',
} as const satisfies Partial<Record<ReporterName, string>>

export type MutationReporterName = keyof typeof mutationHelp

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type MutationReporter = (report: MutationReport, options?: PrettyOptions) => string

export const mutationReporters = {
  pretty,
  json: report => documentText(mutationSchemaId, report),
  html: report => mutationHtml(report),
  markdown,
  junit: report => junitText(runOf(report)),
  ctrf: report => ctrfText(runOf(report)),
  sarif,
} as const satisfies Record<MutationReporterName, MutationReporter>

function pretty(report: MutationReport, options?: PrettyOptions): string {
  const layout = layoutOf(options)
  const { paint, width } = layout
  const blind = blindSpots(report)
  const bad = refused(report)
  const open = unclear(report)
  return paragraphs([
    [paint.bold(text.shorten(text.oneLine(report.command), 300)), paint.dim(headText(report))],
    scores(report, layout),
    ...(blind.length > 0
      ? [[paint.bold(`Blind spots: ${blind.length}`)], ...blind.map(one => block(one, layout))]
      : []),
    ...(bad.length > 0
      ? [[paint.bold(`Correct servers that were refused: ${bad.length}`)], ...bad.map(one => block(one, layout))]
      : []),
    ...(open.length > 0 ? [[paint.bold(`Unclear: ${open.length}`)], ...open.map(one => block(one, layout))] : []),
    notReached(report).flatMap(({ why, results }) =>
      text.wrap(`${marks.skipped} ${why}: ${results.length}`, width).map(paint.dim),
    ),
    verdict(report, layout),
  ])
}

function scores({ clauses }: MutationReport, { paint }: Layout): string[] {
  const rows = clauses.filter(({ reached }) => reached > 0)
  if (rows.length === 0) return []
  const line = (id: string, noticed: string, reached: string) =>
    `  ${id.padEnd(8)}${noticed.padStart(9)}${reached.padStart(9)}`
  return [
    paint.dim(line('clause', 'noticed', 'reached')),
    ...rows.map(({ id, noticed, reached }) => {
      const row = line(id, String(noticed), String(reached))
      return noticed === reached ? paint.green(row) : noticed === 0 ? paint.red(row) : paint.yellow(row)
    }),
  ]
}

/** One mutant: its sentence, the exchange, what would notice it. */
function block(result: MutationResult, { paint, width }: Layout): string[] {
  const { verdict, exchange } = result
  const tone = verdict === 'failed' ? paint.red : paint.yellow
  const rows = [
    ...text.wrap(resultText(result), width - 2),
    ...(result.kind === 'variant' ? text.wrap(freedomText(result), width - 2) : []),
    ...(result.why === undefined ? [] : text.wrap(result.why, width - 2)),
    ...(exchange === undefined
      ? []
      : [
          `${exchange.method} ${exchange.url}`,
          ...exchange.diff.slice(0, 6).map(line => text.shorten(text.oneLine(line), width - 2)),
          ...(result.kind === 'mutant' ? text.wrap(`assert ${exchange.asserts}`, width - 2) : []),
        ]),
  ].map(line => text.visible(line))
  return [`${tone(marks[verdict])} ${paint.bold(result.id)}${expectedMark(result)}`, ...indent(rows)]
}

const expectedMark = ({ expected }: MutationResult): string => (expected ? ' (expected)' : '')

function markdown(report: MutationReport): string {
  const blind = blindSpots(report)
  const bad = refused(report)
  const details = (result: MutationResult): string[] => {
    const { exchange } = result
    return folded(result.id, resultText(result), [
      ...(result.kind === 'variant' ? [inline(freedomText(result))] : []),
      ...(exchange === undefined
        ? []
        : [
            fence(text.visible([`${exchange.method} ${exchange.url}`, ...exchange.diff].join('\n'))),
            ...(result.kind === 'mutant' ? [inline(`Assert ${exchange.asserts}.`)] : []),
          ]),
    ])
  }
  const blocks = [
    `## ${icons[okVerdict(report.ok)]} ${inline(report.why)}`,
    inline(`${text.shorten(report.command, 300)}, ${when(report.started_at)}, ${text.formatDuration(report.ms)}`),
    tableText(
      ['clause', 'noticed', 'reached'],
      report.clauses
        .filter(({ reached }) => reached > 0)
        .map(({ id, noticed, reached }) => [id, `${noticed}`, `${reached}`]),
      column => column > 0,
    ),
    ...(blind.length > 0 ? ['### Blind spots', ...blind.flatMap(details)] : []),
    ...(bad.length > 0 ? ['### Correct servers that were refused', ...bad.flatMap(details)] : []),
    ...(notReached(report).length > 0
      ? [
          '### Not reached',
          notReached(report)
            .map(({ why, results }) => `- ${inline(why)}: ${results.length}`)
            .join('\n'),
        ]
      : []),
  ]
  return `${blocks.join('\n\n')}\n`
}

function runOf(report: MutationReport): TestRun {
  const { understudy, ok, why, ms, started_at, command, seed, results } = report
  return {
    name: 'understudy mutate',
    understudy,
    ok,
    why,
    ms,
    started_at,
    properties: { command, seed },
    cases: results.map(caseOf),
  }
}

function caseOf(result: MutationResult): TestCase {
  const { id, clause, kind, runs, why, exchange, outcome, expected } = result
  const shown: Verdict = expected ? 'skipped' : result.verdict
  const ms = runs.reduce((sum, run) => sum + run.ms, 0)
  const about = { id, name: `${id}: ${text.shorten(result.what, 200)}`, suite: clause, verdict: shown, ms }
  if (shown === 'passed') return about
  if (shown === 'skipped') return { ...about, message: expected ? `${outcome}, as expected` : (why ?? 'not reached') }
  const lines = [
    resultText(result),
    ...(kind === 'variant' ? [freedomText(result)] : []),
    ...(exchange === undefined
      ? []
      : [`${exchange.method} ${exchange.url}`, ...exchange.diff, `assert ${exchange.asserts}`]),
    ...runs.flatMap(({ output }) => output ?? []),
  ]
  return {
    ...about,
    ...(shown === 'inconclusive' && { fault: 'target' as const }),
    message: `${outcome}: ${why ?? result.what}`,
    text: text.visible(lines.join('\n')),
  }
}

function sarif(report: MutationReport): string {
  const { understudy, ok, why, complete, started_at, command, seed, results } = report
  return sarifText(
    { understudy, ok, why, complete, started_at, properties: { command, seed }, notifications: [] },
    results.filter(({ verdict, expected }) => verdict === 'failed' && !expected).map(ruleOf),
  )
}

function ruleOf(result: MutationResult): SarifRule {
  const { id, kind, clause, severity, exchange } = result
  const place =
    exchange === undefined || exchange.place === 'webhook'
      ? noPlace('mutants', id)
      : placeOf({ method: exchange.method, url: exchange.url })
  const advice = kind === 'mutant' ? `Assert ${exchange?.asserts ?? clauseText(clause)}` : freedomText(result)
  return {
    id,
    title: `${clause} ${result.what}`,
    text: resultText(result),
    help: advice,
    level: severity === 'must' ? 'error' : 'warning',
    tags: ['api', 'test-suite', clause],
    results: [
      {
        message: `${result.outcome}: ${result.what}\n\n${(exchange?.diff ?? []).join('\n')}\n\n${advice}`,
        place,
        identity: [id],
      },
    ],
  }
}
