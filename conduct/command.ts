/** `understudy conduct [FILE.har]`: does a client do what the documentation asks of it? From a running mock, or a recording. */

import type { CommandIo } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { defined } from '../base/inputs.ts'
import { ConfigError } from '../base/options.ts'
import { adminHeaders, mockUrl, reach, trustedFile } from '../base/reach.ts'
import { readVariables } from '../base/variables.ts'
import { makeWritable, reporterOption, reporterText, writeReports } from '../reports/reporterOption.ts'
import { type ConductFlags, type ConductSettings, conductOptions } from './options.ts'
import type { ConductReport } from './report.ts'
import { conductReporterHelp } from './reporters/names.ts'

export const setUpConduct: VerbSetup = (verb, run) =>
  addOptions(
    verb.argument('[recording]', 'a HAR file; without one, the journal of a running mock'),
    conductOptions,
    'conduct',
  )
    .addOption(reporterOption(conductReporterHelp))
    .addHelpText('after', reporterText(conductReporterHelp))
    .action(
      run(async (io, file: string | undefined, { reporter = [], ...flags }: ConductFlags) => {
        const settings: ConductSettings = { ...readVariables(conductOptions, io.env, 'conduct'), ...flags }
        makeWritable(reporter)
        // Loaded here, so that --help is quick.
        const { conductReporters } = await import('./reporters/index.ts')
        const { readExpectedRules, withExpected } = await import('./expected.ts')
        const list = settings.expectedFailures === undefined ? undefined : readExpectedRules(settings.expectedFailures)
        const graded = file === undefined ? await gradeMock(io, settings) : await gradeRecording(file, settings)
        const report = withExpected(graded, list)
        writeReports(io, report, reporter, conductReporters)
        return report.ok ? 0 : 1
      }),
    )

async function gradeRecording(file: string, settings: ConductSettings): Promise<ConductReport> {
  const { conduct } = await import('./fromRecording.ts')
  const { maxPollTime: maxPollTimeMs, key, world, base, require, level, rules } = settings
  return conduct(file, defined({ key, world, base, require, maxPollTimeMs, level, rules }))
}

async function gradeMock(io: CommandIo, settings: ConductSettings): Promise<ConductReport> {
  const { url, key, world, maxPollTime, require, base, adminToken, ca, level, rules } = settings
  if (base !== undefined) throw new ConfigError('--base is for a recording, and no file was given')
  const query = new URLSearchParams(
    defined({
      key,
      world,
      max_poll_time: maxPollTime === undefined ? undefined : `${maxPollTime}ms`,
      require: require?.join(','),
      level,
      rules,
    }),
  )
  const from = mockUrl(url, io)
  const answer = await reach(`${from}/__mock/conduct?${query}`, {
    headers: adminHeaders(adminToken),
    ca: trustedFile(ca, io.env),
  })
  const body = answer.json as (ConductReport & { error?: { message: string } }) | undefined
  if (answer.status === 200 && body?.rules !== undefined) return { ...body, source: `the journal of ${from}` }
  const why = body?.error?.message ?? 'expected a mock'
  throw new ConfigError(`${from}/__mock/conduct answered ${answer.status}: ${why}`)
}
