/** The names are the suite's; what some of them give is not. */
import { caseHelp, type ReporterName, reporterHelp } from '../../reports/names.ts'

/** For --help, a line each. */
export const receiverReporterHelp = {
  ...reporterHelp,
  pretty: 'for a terminal: what failed, with its proof and what to do; the verdict last',
  ...caseHelp('check'),
  tap: 'TAP 14: a test point per check',
  sarif: 'SARIF 2.1.0 for code scanning: a rule per check, a result per delivery that was answered wrongly',
} as const satisfies Record<ReporterName, string>
