/** The reporters of a receiver's grade by name: a report in, a text out. */
import { ctrfText } from '../../reports/ctrf.ts'
import { documentText } from '../../reports/document.ts'
import { junitText } from '../../reports/junit.ts'
import type { PrettyOptions } from '../../reports/layout.ts'
import type { ReporterName } from '../../reports/names.ts'
import { tapText } from '../../reports/tap.ts'
import { type ReceiverReport, receiverSchemaId } from '../report.ts'
import { receiverRun } from './cases.ts'
import { receiverHtml } from './html.ts'
import { receiverMarkdown } from './markdown.ts'
import { receiverPretty } from './pretty.ts'
import { receiverSarif } from './sarif.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type ReceiverReporter = (report: ReceiverReport, options?: PrettyOptions) => string

export const receiverReporters = {
  pretty: receiverPretty,
  json: report => documentText(receiverSchemaId, report),
  junit: report => junitText(receiverRun(report)),
  ctrf: report => ctrfText(receiverRun(report)),
  tap: report => tapText(receiverRun(report)),
  html: receiverHtml,
  markdown: receiverMarkdown,
  sarif: receiverSarif,
} as const satisfies Record<ReporterName, ReceiverReporter>
