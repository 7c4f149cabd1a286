/** The reporters of conduct by name: a report in, a text out. */

import type { PrettyOptions } from '../../reports/layout.ts'
import type { ReporterName } from '../../reports/names.ts'

import type { ConductReport } from '../report.ts'
import { conductHtml } from './html.ts'
import { conductJson } from './json.ts'
import { conductJunit } from './junit.ts'
import { conductMarkdown } from './markdown.ts'
import { conductPretty } from './pretty.ts'
import { conductSarif } from './sarif.ts'
import { conductTap } from './tap.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type ConductReporter = (report: ConductReport, options?: PrettyOptions) => string

export const conductReporters = {
  pretty: conductPretty,
  json: conductJson,
  junit: conductJunit,
  tap: conductTap,
  html: conductHtml,
  markdown: conductMarkdown,
  sarif: conductSarif,
} as const satisfies Record<ReporterName, ConductReporter>
