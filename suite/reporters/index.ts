/** The reporters by name: a report in, a text out. */

import type { ReporterName } from '../../reports/names.ts'
import type { Report } from '../report.ts'
import { suiteHtml } from './html.ts'
import { suiteJson } from './json.ts'
import { suiteJunit } from './junit.ts'
import { suiteMarkdown } from './markdown.ts'
import { suitePretty } from './pretty.ts'
import { suiteSarif } from './sarif.ts'
import { suiteTap } from './tap.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type Reporter = (report: Report, options?: { color?: boolean; width?: number }) => string

export const reporters = {
  pretty: suitePretty,
  json: suiteJson,
  junit: suiteJunit,
  tap: suiteTap,
  html: suiteHtml,
  markdown: suiteMarkdown,
  sarif: suiteSarif,
} as const satisfies Record<ReporterName, Reporter>
