/** The reporters' names, with a line on each for --help. */
export const drillReporterHelp = {
  pretty: 'for a terminal: what is broken and its evidence, then the numbers; the verdict last',
  json: 'the report itself, as its JSON Schema describes it',
  junit: 'JUnit XML for Jenkins, GitLab and others: a testcase per threshold',
  markdown: 'for the summary of a CI job ($GITHUB_STEP_SUMMARY)',
  html: 'one page that needs nothing else, with plots: to open, send or print',
} as const satisfies Record<string, string>

export type DrillReporterName = keyof typeof drillReporterHelp
