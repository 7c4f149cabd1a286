/** The names are the suite's; what some of them give is not. */
import { caseHelp, type ReporterName, reporterHelp } from '../../reports/names.ts'

/** For --help, a line each. */
export const conductReporterHelp = {
  ...reporterHelp,
  pretty: 'for a terminal: the rules that failed and what to do about it, then the rest; the verdict last',
  ...caseHelp('rule'),
  tap: 'TAP 14: a test point per rule',
  sarif: 'SARIF 2.1.0 for code scanning: a rule per rule of conduct, a result per breach',
} as const satisfies Record<ReporterName, string>
