/** The names are the suite's; what some of them give is not. */
import { type ReporterName, reporterHelp } from '../../reports/names.ts'

/** For --help, a line each. */
export const conductReporterHelp = {
  ...reporterHelp,
  pretty: 'for a terminal: what the client breaks and what to do about it, then the rest; the verdict last',
  junit: 'JUnit XML for Jenkins, GitLab and others: a testcase per rule',
  tap: 'TAP 14: a test point per rule',
  sarif: 'SARIF 2.1.0 for code scanning: a rule per rule of conduct, a result per breach',
} as const satisfies Record<ReporterName, string>
