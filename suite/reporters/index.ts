/** The suite's reporters by name: a report in, a text out. */

import { ctrfText } from '../../reports/ctrf.ts'
import { documentText } from '../../reports/document.ts'
import { junitText } from '../../reports/junit.ts'
import type { PrettyOptions } from '../../reports/layout.ts'
import type { ReporterName } from '../../reports/names.ts'
import { tapText } from '../../reports/tap.ts'
import { type Report, reportSchemaId } from '../report.ts'
import { checkRun, clauseRun } from './cases.ts'
import { suiteHtml } from './html.ts'
import { suiteMarkdown } from './markdown.ts'
import { suitePretty } from './pretty.ts'
import { suiteSarif } from './sarif.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type Reporter = (report: Report, options?: PrettyOptions) => string

export const reporters = {
  pretty: suitePretty,
  json: report => documentText(reportSchemaId, report),
  junit: report => junitText(checkRun(report)),
  ctrf: report => ctrfText(checkRun(report)),
  tap: report => tapText(clauseRun(report)),
  html: suiteHtml,
  markdown: suiteMarkdown,
  sarif: suiteSarif,
} as const satisfies Record<ReporterName, Reporter>
