/** The drills' reporters by name: a report in, a text out. */
import { ctrfText } from '../../reports/ctrf.ts'
import { documentText } from '../../reports/document.ts'
import { junitText } from '../../reports/junit.ts'
import type { PrettyOptions } from '../../reports/layout.ts'
import { type DrillReport, drillReportSchemaId } from '../report.ts'
import { drillRun } from './cases.ts'
import { drillHtml } from './html.ts'
import { drillMarkdown } from './markdown.ts'
import type { DrillReporterName } from './names.ts'
import { drillPretty } from './pretty.ts'

/** The same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type DrillReporter = (report: DrillReport, options?: PrettyOptions) => string

export const drillReporters = {
  pretty: drillPretty,
  json: report => documentText(drillReportSchemaId, report),
  junit: report => junitText(drillRun(report)),
  ctrf: report => ctrfText(drillRun(report)),
  markdown: drillMarkdown,
  html: drillHtml,
} as const satisfies Record<DrillReporterName, DrillReporter>
