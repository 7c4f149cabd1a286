/** What GET /__mock/report answers: all that a bug report needs to know of a running mock, without its secrets. */
import type { ActiveScenario, KeyState } from './mock.ts'
import type { Snapshot } from './snapshotFormat.ts'

export interface BugReport {
  /** Version of the package that runs the mock. */
  understudy: string
  /** Version of Node that runs it. */
  node: string
  /** Its operating system: name, release, processor. */
  os: string
  seed: string
  /** Every option as it is in force; a secret that was given is `[redacted]`. */
  options: Record<string, unknown>
  /** What is active for every key; each world says what is active for it. */
  scenario: ActiveScenario
  /** The worlds that were called last, newest first, each with a snapshot. */
  worlds: (KeyState & { snapshot: Snapshot })[]
  /** How many worlds more there are. */
  worlds_left_out: number
}

/** A report as the files of a zip: each world's snapshot in a file of its own, and the journal as a recording. */
export function bugReportFiles({ worlds, ...about }: BugReport, har: string): Record<string, string> {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
  const file = (i: number): string => `snapshots/${i + 1}.json`
  return {
    'report.json': json({
      ...about,
      worlds: worlds.map(({ snapshot: _, ...state }, i) => ({ ...state, snapshot: file(i) })),
    }),
    'journal.har': har,
    ...Object.fromEntries(worlds.map(({ snapshot }, i) => [file(i), json(snapshot)])),
  }
}
