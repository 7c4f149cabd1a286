/** A replay's report as text: for a terminal, for programs, for CI. */

import {
  formatCount,
  formatDuration,
  formatJson as jsonText,
  oneLine,
  plural,
  shorten,
  shortenText,
  visible,
  wrap,
} from '../base/text.ts'
import type { Paint } from '../reports/ansi.ts'
import { when } from '../reports/evidence.ts'
import { suiteXml, type TestCase } from '../reports/junit.ts'
import { layoutOf, type PrettyOptions, paragraphs, verdict } from '../reports/layout.ts'
import { fence, inline } from '../reports/markdown.ts'

import type { Difference, NotSent, ReplayReport, Side } from './report.ts'

export const replayReporterHelp = {
  pretty: 'for a terminal: each difference with both sides; the verdict last',
  json: 'the report itself',
  junit: 'JUnit XML for Jenkins, GitLab and others: a testcase per route',
  markdown: 'for the summary of a CI job ($GITHUB_STEP_SUMMARY)',
} as const satisfies Record<string, string>
export type ReplayReporterName = keyof typeof replayReporterHelp

/** The id of the document's JSON Schema. */
export const replaySchemaId = 'understudy/replay.schema.json'

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
  left > 0 ? [`${formatCount(left)} more ${what}${left === 1 ? '' : 's'} like it: the json report has them.`] : []

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
  return [paint.red(paint.bold(`✗ ${oneLine(titleOf(one))}`)), ...rowLines(rowsOf(one), width, paint)]
}

const rowLines = (rows: [string, string][], width: number, paint: Paint): string[] =>
  rows.flatMap(([label, text]) =>
    wrap(visible(text), width - 12).map(
      (line, i) => `  ${i === 0 ? paint.dim(label.padEnd(10)) : ' '.repeat(10)}${line}`,
    ),
  )

const notSentLines = ({ call, request, why }: NotSent, paint: Paint, width: number): string[] => [
  paint.yellow(oneLine(`– call ${call}: ${request.method} ${pathOf(request.url)}: not sent`)),
  ...wrap(oneLine(why), width - 2).map(line => `  ${line}`),
]

const item = (text: string, width: number): string[] =>
  wrap(text, width - 2).map((line, i) => `${i === 0 ? '–' : ' '} ${line}`)

const skippedWords: Record<keyof ReplayReport['skipped'], readonly [one: string, more: string]> = {
  webhooks: ['webhook', 'webhooks'],
  options: ['OPTIONS call', 'OPTIONS calls'],
  other_hosts: ['call of another host', 'calls of other hosts'],
  admin: ['admin call', 'admin calls'],
  control: ['call of /__mock', 'calls of /__mock'],
}

function accountOf({ sent, calls, repeated, skipped, ms }: ReplayReport): string {
  const left = Object.entries(skippedWords).flatMap(([name, [one, more]]) => {
    const n = skipped[name as keyof typeof skipped]
    return n === 0 ? [] : [`${formatCount(n)} ${n === 1 ? one : more}`]
  })
  return [
    `${formatCount(sent)} of ${plural(calls, 'call')} sent in ${formatDuration(ms)}`,
    ...(repeated > 0 ? [`${plural(repeated, 'poll')} more, as jobs took longer than recorded`] : []),
    ...(left.length > 0 ? [`left out: ${left.join(', ')}`] : []),
  ].join('; ')
}

const json: Reporter = report => jsonText({ $schema: replaySchemaId, ...report })

function junit(report: ReplayReport): string {
  const { routes, differences, not_sent: notSent, file, target, why, understudy } = report
  const cases = routes.map(({ route, sent }): TestCase => {
    const own = differences.filter(one => one.route === route)
    const lost = notSent.filter(one => one.route === route)
    const name = `${route} answers as recorded (${plural(sent, 'call')})`
    if (own.length + lost.length === 0) return { id: 'replay', name }
    const text = [...own.slice(0, 5).map(blockOf), ...lost.slice(0, 5).map(lineOf)].join('\n\n')
    const message = own[0] ? titleOf(own[0]) : lineOf(lost[0] as NotSent)
    return { id: 'replay', name, failure: { message, text } }
  })
  return suiteXml(report, { file, target, understudy, why }, cases)
}

const blockOf = (one: Difference): string =>
  [titleOf(one), ...rowsOf(one).map(([label, text]) => `${label.padEnd(10)}${text}`)].join('\n')

const lineOf = ({ call, request, why }: NotSent): string =>
  `call ${call}: ${request.method} ${pathOf(request.url)}: not sent: ${why}`

function markdown(report: ReplayReport): string {
  const { ok, why, differences, not_sent: notSent, routes, notes, more_differences: more } = report
  const rows = routes.map(
    ({ route, sent, differences, not_sent }) =>
      `| ${differences + not_sent === 0 ? '✅' : '❌'} | ${inline(route)} | ${sent} | ${differences} | ${not_sent} |`,
  )
  const left = moreLine(differences.length - mostShown + more, 'difference')
  const blocks = [
    `## ${ok ? '✅' : '❌'} ${inline(why)}`,
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
    ['| | Route | Sent | Differences | Not sent |', '| --- | --- | --- | --- | --- |', ...rows].join('\n'),
    ...(notes.length > 0 ? ['### Notes', notes.map(note => `- ${inline(note)}`).join('\n')] : []),
    inline(accountOf(report)),
  ]
  return `${blocks.join('\n\n')}\n`
}

export const replayReporters = { pretty, json, junit, markdown } as const satisfies Record<ReplayReporterName, Reporter>
