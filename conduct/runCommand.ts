/** What `understudy conduct` does: a report from a recording, or from a mock that runs, and its exit code. */

import { readVariables } from '../base/flags.ts'
import { defined } from '../base/inputs.ts'
import { ConfigError } from '../base/options.ts'
import { mockUrl, reach } from '../base/reach.ts'
import { makeWritable, writeReports } from '../reports/reporterOption.ts'
import { conduct } from './fromRecording.ts'
import { type ConductFlags, type ConductSettings, conductOptions } from './options.ts'
import type { ConductReport } from './report.ts'
import { conductReporters } from './reporters/index.ts'

export async function runConduct(file: string | undefined, { reporter = [], ...flags }: ConductFlags): Promise<void> {
  const settings: ConductSettings = { ...readVariables(conductOptions, process.env), ...flags }
  makeWritable(reporter)
  const report = file === undefined ? await ofMock(settings) : ofRecording(file, settings)
  if (report === undefined) return
  writeReports(report, reporter, conductReporters)
  process.exitCode = report.ok ? 0 : 1
}

function ofRecording(file: string, { patience, key, world, base, require }: ConductSettings): ConductReport {
  return conduct(file, defined({ key, world, base, require, patienceMs: patience }))
}

/** undefined where nobody answers: that is said already. */
async function ofMock({ url, key, world, patience, require, base, adminToken }: ConductSettings) {
  if (base !== undefined) throw new ConfigError('--base is about a recording, and no file was given')
  const query = new URLSearchParams(
    defined({
      key,
      world,
      patience: patience === undefined ? undefined : `${patience}ms`,
      require: require?.join(','),
    }),
  )
  const from = mockUrl(url)
  const headers: Record<string, string> = adminToken === undefined ? {} : { 'X-Admin-Token': adminToken }
  const answer = await reach(`${from}/__mock/conduct?${query}`, headers)
  if (answer === undefined) return undefined
  const body = (await answer.json().catch(() => undefined)) as
    | (ConductReport & { error?: { message: string } })
    | undefined
  if (answer.status === 200 && body?.rules !== undefined) return { ...body, source: `the journal of ${from}` }
  const why = body?.error?.message ?? 'expected a mock'
  throw new ConfigError(`${from}/__mock/conduct answered ${answer.status}: ${why}`)
}
