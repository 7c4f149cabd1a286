/** The reporters by name: a report in, a text out. */
import type { Report } from '../suite/report.ts'
import { html } from './html.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import { pretty } from './pretty.ts'
import { sarif } from './sarif.ts'
import { tap } from './tap.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type Reporter = (report: Report, options?: { color?: boolean; width?: number }) => string

export const reporters = { pretty, json, junit, tap, html, markdown, sarif } as const satisfies Record<string, Reporter>

export type ReporterName = keyof typeof reporters

/** A line on each, for --help. */
export const reporterHelp = {
  pretty: 'for a terminal: what is broken and how to see it again, then the rest; the verdict last',
  json: 'the report itself, as its JSON Schema describes it',
  junit: 'JUnit XML for Jenkins, GitLab and others: a testcase per check',
  tap: 'TAP 14: a test point per clause',
  html: 'one page that needs nothing else, to open, send or print',
  markdown: 'for the summary of a CI job ($GITHUB_STEP_SUMMARY)',
  sarif: 'SARIF 2.1.0 for code scanning: a rule per clause, a result per breach',
} as const satisfies Record<ReporterName, string>
