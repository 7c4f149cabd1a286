/** The names of the formats, with a line on each for --help: loaded by every verb, so it is apart from what writes them. */
export const reporterHelp = {
  pretty: 'for a terminal: what failed and how to see it again, then the rest; the verdict last',
  json: 'the report itself, as its JSON Schema describes it',
  junit: 'JUnit XML for Jenkins, GitLab and others: a testcase per check',
  ctrf: 'CTRF, the Common Test Report Format (JSON): a test per check',
  tap: 'TAP 14: a test point per clause',
  html: 'one page that needs nothing else, to open, send or print',
  markdown: 'for the summary of a CI job ($GITHUB_STEP_SUMMARY)',
  sarif: 'SARIF 2.1.0 for code scanning: a rule per clause, a result per breach',
} as const satisfies Record<string, string>

export type ReporterName = keyof typeof reporterHelp

/** Where a case is another thing than the suite's check: "a testcase per rule". */
export const caseHelp = <const What extends string>(what: What) =>
  ({
    junit: `JUnit XML for Jenkins, GitLab and others: a testcase per ${what}`,
    ctrf: `CTRF, the Common Test Report Format (JSON): a test per ${what}`,
  }) as const
