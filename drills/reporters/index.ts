/** The drills' reporters by name: a report in, a text out. */
import type { DrillReport } from '../report.ts'
import { html } from './html.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import type { DrillReporterName } from './names.ts'
import { pretty } from './pretty.ts'

/** The same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type DrillReporter = (report: DrillReport, options?: { color?: boolean; width?: number }) => string

export const drillReporters = { pretty, json, junit, markdown, html } as const satisfies Record<
  DrillReporterName,
  DrillReporter
>
