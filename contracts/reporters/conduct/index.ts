/** The reporters of conduct by name: a report in, a text out. */
import type { ConductReport } from '../../conduct/report.ts'
import type { ReporterName } from '../names.ts'
import type { PrettyOptions } from '../pretty.ts'
import { html } from './html.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import { pretty } from './pretty.ts'
import { sarif } from './sarif.ts'
import { tap } from './tap.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type ConductReporter = (report: ConductReport, options?: PrettyOptions) => string

export const conductReporters = { pretty, json, junit, tap, html, markdown, sarif } as const satisfies Record<
  ReporterName,
  ConductReporter
>
