/** The drills' reporters by name: a report in, a text out. */
import type { DrillReport } from '../report.ts'
import { drillHtml } from './html.ts'
import { drillJson } from './json.ts'
import { drillJunit } from './junit.ts'
import { drillMarkdown } from './markdown.ts'
import type { DrillReporterName } from './names.ts'
import { drillPretty } from './pretty.ts'

/** The same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type DrillReporter = (report: DrillReport, options?: { color?: boolean; width?: number }) => string

export const drillReporters = {
  pretty: drillPretty,
  json: drillJson,
  junit: drillJunit,
  markdown: drillMarkdown,
  html: drillHtml,
} as const satisfies Record<DrillReporterName, DrillReporter>
