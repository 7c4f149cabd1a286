/** The reporters' names, with a line on each for --help. */
export const reporterHelp = {
  pretty: 'for a terminal: what is broken and how to see it again, then the rest; the verdict last',
  json: 'the report itself, as its JSON Schema describes it',
  junit: 'JUnit XML for Jenkins, GitLab and others: a testcase per check',
  tap: 'TAP 14: a test point per clause',
  html: 'one page that needs nothing else, to open, send or print',
  markdown: 'for the summary of a CI job ($GITHUB_STEP_SUMMARY)',
  sarif: 'SARIF 2.1.0 for code scanning: a rule per clause, a result per breach',
} as const satisfies Record<string, string>

export type ReporterName = keyof typeof reporterHelp
