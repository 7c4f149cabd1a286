/** The reporters of conduct by name: a report in, a text out. */

import { oneLine } from '../../base/text.ts'
import { ctrfText } from '../../reports/ctrf.ts'
import { documentText } from '../../reports/document.ts'
import { junitText } from '../../reports/junit.ts'
import type { PrettyOptions } from '../../reports/layout.ts'
import type { ReporterName } from '../../reports/names.ts'
import { tapText } from '../../reports/tap.ts'
import { type ConductReport, conductSchemaId } from '../report.ts'
import { conductRun } from './cases.ts'
import { conductHtml } from './html.ts'
import { conductMarkdown } from './markdown.ts'
import { conductPretty } from './pretty.ts'
import { conductSarif } from './sarif.ts'
import { incompleteText, seenText, whoText } from './shared.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type ConductReporter = (report: ConductReport, options?: PrettyOptions) => string

export const conductReporters = {
  pretty: conductPretty,
  json: report => documentText(conductSchemaId, report),
  junit: report => junitText(conductRun(report)),
  ctrf: report => ctrfText(conductRun(report)),
  tap: report => tapText(conductRun(report), comments(report)),
  html: conductHtml,
  markdown: conductMarkdown,
  sarif: conductSarif,
} as const satisfies Record<ReporterName, ConductReporter>

const comments = (report: ConductReport): string[] => [
  `${whoText(report)}: ${oneLine(report.source)}, ${seenText(report)}`,
  ...[incompleteText(report) ?? []].flat(),
]
