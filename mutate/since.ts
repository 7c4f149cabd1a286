/** --since: what a report of before has settled, and need not be run again. */
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { requireReportVersion } from '../reports/document.ts'
import { MutationReport, type MutationResult } from './report.ts'

/** By id: what was noticed or accepted, and by which command. Throws a ConfigError for a file that is no such report. */
export function takenOver(file: string): { command: string; results: Map<string, MutationResult> } {
  const { understudy, command, results } = readReport(file)
  // Mutants of another version may be others, by the same name.
  const settled =
    understudy === packageVersion
      ? results.filter(({ outcome }) => outcome === 'noticed' || outcome === 'accepted')
      : []
  return { command, results: new Map(settled.map(result => [result.id, result])) }
}

function readReport(file: string): MutationReport {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigError(`--since ${JSON.stringify(file)} can't be read: ${(error as Error).message}`)
  }
  requireReportVersion(value, file, 'understudy mutate')
  const ajv = new Ajv({ strict: false })
  if (ajv.validate(MutationReport, value)) return value as MutationReport
  throw new ConfigError(
    `--since ${JSON.stringify(file)} is no report of understudy mutate: ${ajv.errorsText()}; make one with --reporter json=FILE`,
  )
}
