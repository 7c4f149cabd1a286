/** A replay's report as text: for a terminal, for programs, for CI. */

import { formatCount, formatDuration, oneLine, plural, shorten, shortenText, visible, wrap } from '../base/text.ts'
import type { Paint } from '../reports/ansi.ts'
import { ctrfText } from '../reports/ctrf.ts'
import { documentText } from '../reports/document.ts'
import { when } from '../reports/evidence.ts'
import { junitText } from '../reports/junit.ts'
import { layoutOf, type PrettyOptions, paragraphs, verdict } from '../reports/layout.ts'
import { fence, inline, tableText } from '../reports/markdown.ts'
import { caseHelp, type ReporterName, reporterHelp } from '../reports/names.ts'
import type { TestCase, TestRun } from '../reports/testCase.ts'
import { icons, marks, okVerdict } from '../reports/verdicts.ts'

import { type Difference, type NotSent, type ReplayReport, replaySchemaId, type Side } from './report.ts'

export const replayReporterHelp = {
  pretty: 'for a terminal: each difference with both sides; the verdict last',
  json: reporterHelp.json,
  ...caseHelp('route'),
  markdown: reporterHelp.markdown,
} as const satisfies Partial<Record<ReporterName, string>>
export type ReplayReporterName = keyof typeof replayReporterHelp

type Reporter = (report: ReplayReport, options?: PrettyOptions) => string

/** More than this nobody reads; the json report has all. */
const mostShown = 20

function pretty(report: ReplayReport, options?: PrettyOptions): string {
  const layout = layoutOf(options)
  const { paint, width } = layout
  const { differences, not_sent: notSent, more_differences: more, notes } = report
  return paragraphs([
    [paint.bold(oneLine(`${report.file} → ${report.target}`)), paint.dim(oneLine(factsOf(report)))],
    ...differences.slice(0, mostShown).map(one => differenceLines(one, paint, width)),
    moreLine(differences.length - mostShown + more, 'difference'),
    ...notSent.slice(0, mostShown).map(one => notSentLines(one, paint, width)),
    moreLine(notSent.length - mostShown, 'call'),
    notes.length === 0 ? [] : [paint.bold('Notes'), ...notes.flatMap(note => item(oneLine(note), width))],
    [paint.dim(oneLine(accountOf(report)))],
    verdict(report, layout),
  ])
}

const moreLine = (left: number, what: string): string[] =>
  left > 0 ? [`${plural(left, `more ${what}`)} like it: the json report has them.`] : []

const factsOf = ({ understudy, recorded_from: from, speed, strict, started_at: at }: ReplayReport): string =>
  `understudy ${understudy}, recorded from ${from ?? 'nowhere'}, speed ${speed}${strict ? ', strict' : ''}, ${when(at)}`

const whats: Record<Difference['what'], string> = {
  status: 'the status',
  code: 'the code',
  cut: 'how it ended',
  schema: 'the documented schema',
  retry_after: 'Retry-After',
  content_type: 'the content type',
  state: "the job's state",
  body: 'the body',
}

export const titleOf = ({ call, request, what }: Difference): string =>
  `call ${call}: ${request.method} ${pathOf(request.url)}: ${whats[what]} differs`

const pathOf = (url: string): string => url.replace(/^[a-z]+:\/\/[^/]*/i, '')

function rowsOf({ expected, found, pointer, recorded, answered, what }: Difference): [string, string][] {
  const isSchema = what === 'schema'
  const rows: [string, string | undefined][] = [
    [isSchema ? 'expected' : 'recorded', expected],
    [isSchema ? 'found' : 'now', found],
    ['at', pointer === '' ? 'the body' : pointer],
    ['was', sideText(recorded)],
    ['is', sideText(answered)],
  ]
  return rows.filter((row): row is [string, string] => row[1] !== undefined)
}

function sideText({ status, cut: ended, body, request_id: id }: Side): string {
  const head = [ended ?? String(status), ...(id === undefined ? [] : [`request_id ${id}`])].join(', ')
  return body === undefined ? head : `${head}: ${shortenText(visible(body).trim(), 400)}`
}

function differenceLines(one: Difference, paint: Paint, width: number): string[] {
  return [paint.red(paint.bold(`${marks.failed} ${oneLine(titleOf(one))}`)), ...rowLines(rowsOf(one), width, paint)]
}

const rowLines = (rows: [string, string][], width: number, paint: Paint): string[] =>
  rows.flatMap(([label, text]) =>
    wrap(visible(text), width - 12).map(
      (line, i) => `  ${i === 0 ? paint.dim(label.padEnd(10)) : ' '.repeat(10)}${line}`,
    ),
  )

const notSentLines = ({ call, request, why }: NotSent, paint: Paint, width: number): string[] => [
  paint.yellow(oneLine(`${marks.inconclusive} call ${call}: ${request.method} ${pathOf(request.url)}: not sent`)),
  ...wrap(oneLine(why), width - 2).map(line => `  ${line}`),
]

const item = (text: string, width: number): string[] =>
  wrap(text, width - 2).map((line, i) => `${i === 0 ? '–' : ' '} ${line}`)

const leftOutWords: Record<keyof ReplayReport['left_out'], readonly [one: string, more: string]> = {
  webhooks: ['webhook', 'webhooks'],
  options: ['OPTIONS call', 'OPTIONS calls'],
  other_hosts: ['call of another host', 'calls of other hosts'],
  admin: ['admin call', 'admin calls'],
  control: ['call of /__mock', 'calls of /__mock'],
}

function accountOf({ sent, calls, repeated, left_out: leftOut, ms }: ReplayReport): string {
  const left = Object.entries(leftOutWords).flatMap(([name, [one, more]]) => {
    const n = leftOut[name as keyof typeof leftOut]
    return n === 0 ? [] : [`${formatCount(n)} ${n === 1 ? one : more}`]
  })
  return [
    `${formatCount(sent)} of ${plural(calls, 'call')} sent in ${formatDuration(ms)}`,
    ...(repeated > 0 ? [`${plural(repeated, 'poll')} more, as jobs took longer than recorded`] : []),
    ...(left.length > 0 ? [`left out: ${left.join(', ')}`] : []),
  ].join('; ')
}

function runOf(report: ReplayReport): TestRun {
  const { routes, file, target, ok, why, ms, started_at, understudy } = report
  return {
    understudy,
    ok,
    why,
    ms,
    started_at,
    properties: { file, target },
    cases: routes.map(one => caseOf(report, one)),
  }
}

function caseOf(report: ReplayReport, { route, verdict, fault, sent }: ReplayReport['routes'][number]): TestCase {
  const about = {
    id: route,
    name: `${route} answers as recorded (${plural(sent, 'call')})`,
    suite: 'replay',
    verdict,
    fault,
  }
  const own = report.differences.filter(one => one.route === route)
  const lost = report.not_sent.filter(one => one.route === route)
  const [message] = [...own.map(titleOf), ...lost.map(lineOf)]
  if (verdict === 'passed' || message === undefined) return about
  return { ...about, message, text: [...own.slice(0, 5).map(blockOf), ...lost.slice(0, 5).map(lineOf)].join('\n\n') }
}

const blockOf = (one: Difference): string =>
  [titleOf(one), ...rowsOf(one).map(([label, text]) => `${label.padEnd(10)}${text}`)].join('\n')

const lineOf = ({ call, request, why }: NotSent): string =>
  `call ${call}: ${request.method} ${pathOf(request.url)}: not sent: ${why}`

function markdown(report: ReplayReport): string {
  const { ok, why, differences, not_sent: notSent, routes, notes, more_differences: more } = report
  const rows = routes.map(({ route, verdict, ...counts }) => [
    icons[verdict],
    route,
    ...[counts.sent, counts.differences, counts.not_sent].map(String),
  ])
  const left = moreLine(differences.length - mostShown + more, 'difference')
  const blocks = [
    `## ${icons[okVerdict(ok)]} ${inline(why)}`,
    inline(`${report.file} → ${report.target}, ${factsOf(report)}`),
    ...differences
      .slice(0, mostShown)
      .flatMap(one => [`### ${inline(shorten(titleOf(one), 150))}`, fence(visible(blockOf(one)))]),
    ...left,
    ...(notSent.length > 0
      ? [
          '### Not sent',
          notSent
            .slice(0, mostShown)
            .map(one => `- ${inline(lineOf(one))}`)
            .join('\n'),
        ]
      : []),
    tableText(['', 'Route', 'Sent', 'Differences', 'Not sent'], rows),
    ...(notes.length > 0 ? ['### Notes', notes.map(note => `- ${inline(note)}`).join('\n')] : []),
    inline(accountOf(report)),
  ]
  return `${blocks.join('\n\n')}\n`
}

export const replayReporters = {
  pretty,
  json: report => documentText(replaySchemaId, report),
  junit: report => junitText(runOf(report)),
  ctrf: report => ctrfText(runOf(report)),
  markdown,
} as const satisfies Record<ReplayReporterName, Reporter>
