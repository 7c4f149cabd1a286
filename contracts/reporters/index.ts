/** The reporters by name: a report in, a text out. */
import type { Report } from '../suite/report.ts'
import { html } from './html.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import type { ReporterName } from './names.ts'
import { pretty } from './pretty.ts'
import { sarif } from './sarif.ts'
import { tap } from './tap.ts'

/** Pure: the same report gives the same text. Only `pretty` asks for options; the width is in characters. */
export type Reporter = (report: Report, options?: { color?: boolean; width?: number }) => string

export const reporters = { pretty, json, junit, tap, html, markdown, sarif } as const satisfies Record<
  ReporterName,
  Reporter
>
