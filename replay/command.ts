/** `understudy replay FILE.har <base-url>`: sends the recorded calls again and reports what is answered otherwise. */

import { writeLine } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { atTarget } from '../base/targetError.ts'
import { formatDuration, plural } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import { clearLine } from '../reports/ansi.ts'
import { makeWritable, reporterOption, reporterText, writeReports } from '../reports/reporterOption.ts'
import { type ReplayFlags, type ReplaySettings, replayOptions } from './options.ts'
import { replayReporterHelp, replayReporters } from './reporters.ts'
import type { ReplayPlan } from './run.ts'

export const setUpReplay: VerbSetup = (verb, run) =>
  addOptions(
    verb
      .argument('<file.har>', 'the recording, such as incident.har')
      .argument('<base-url>', 'where the API is, such as http://127.0.0.1:4010'),
    replayOptions,
    'replay',
  )
    .option('--no-control', "don't use the mock's own /__mock: it then needs --key like any other endpoint")
    .addOption(reporterOption(replayReporterHelp))
    .addHelpText(
      'after',
      `${reporterText(replayReporterHelp)}\n\nExit: 0 no difference, 1 a difference, 2 wrong usage or recording, 3 unreachable.`,
    )
    .action(
      run(async (io, file: string, target: string, { reporter = [], ...flags }: ReplayFlags) => {
        makeWritable(reporter)
        const settings: ReplaySettings = { ...readVariables(replayOptions, io.env, 'replay'), ...flags }
        // Loaded here, so that --help is quick.
        const { replay } = await import('./run.ts')
        const { signal, stderr } = io
        const clear = () => void (stderr.isTTY && stderr.write(clearLine))
        const replaying = replay(file, target, {
          ...settings,
          signal,
          onPlan: plan => writeLine(stderr, planText(file, plan, settings.speed ?? 1)),
          ...(stderr.isTTY && {
            onProgress: ({ sent, of, differences }) =>
              stderr.write(
                `${clearLine}[${sent}/${of}]${differences > 0 ? ` ${plural(differences, 'difference')}` : ''}`,
              ),
          }),
        })
        const report = await atTarget(target, replaying).finally(clear)
        writeReports(io, report, reporter, replayReporters)
        return report.ok ? 0 : 1
      }),
    )

/** What is about to be sent: on stderr, before anything is. */
function planText(file: string, { target, calls, keys, aided, ms }: ReplayPlan, speed: number | 'instant'): string {
  const mock = aided ? '   a mock: keys are created, and its scenarios and clock follow the recording' : ''
  const takes = speed === 'instant' ? 'without its gaps' : `in ${formatDuration(ms / speed)} or more`
  return `understudy replay ${file} ${target}${mock}\n${plural(calls, 'call')} of ${plural(keys, 'key')}, ${takes}`
}
