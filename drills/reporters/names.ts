import { caseHelp, type ReporterName, reporterHelp } from '../../reports/names.ts'

/** For --help, a line each. */
export const drillReporterHelp = {
  pretty: 'for a terminal: what failed and its evidence, then the numbers; the verdict last',
  json: reporterHelp.json,
  ...caseHelp('threshold'),
  markdown: reporterHelp.markdown,
  html: 'one page that needs nothing else, with plots: to open, send or print',
} as const satisfies Partial<Record<ReporterName, string>>

export type DrillReporterName = keyof typeof drillReporterHelp
