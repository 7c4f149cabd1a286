/** `understudy rehearse -- <command>`: runs the user's own program under every scenario, and grades it in one table. */

import { type OutputStream, writeLine } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { oneLine } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import { clearLine } from '../reports/ansi.ts'
import { makeWritable, reporterOption, reporterText, writeReports } from '../reports/reporterOption.ts'
import { type RehearseFlags, type RehearseSettings, rehearseOptions } from './options.ts'
import { commandIn } from './program.ts'
import { rehearsalHelp, rehearsalReporters } from './reporters.ts'
import type { RehearseProgress } from './run.ts'

export const setUpRehearse: VerbSetup = (verb, run) =>
  addOptions(
    verb
      .usage('[options] -- <command> [arguments...]')
      .argument(
        '[command...]',
        'your program; it finds the mock by UNDERSTUDY_BASE_URL and UNDERSTUDY_API_KEY, or by {url} and {key} in its arguments',
      ),
    rehearseOptions,
    'rehearse',
  )
    .addOption(reporterOption(rehearsalHelp))
    .addHelpText('after', reporterText(rehearsalHelp))
    .action(
      run(async (io, words: string[], { reporter = [], ...flags }: RehearseFlags) => {
        const command = commandIn(words, 'rehearse -- node my-client.js')
        const settings: RehearseSettings = { ...readVariables(rehearseOptions, io.env, 'rehearse'), ...flags }
        const seed = settings.seed ?? rehearseOptions.seed.default()
        makeWritable(reporter)
        // Loaded here, so that --help is quick.
        const { rehearse } = await import('./run.ts')
        const progress = progressOn(io.stderr)
        writeLine(io.stderr, `understudy rehearse: ${words.join(' ')}   seed: ${seed}`)
        const report = await rehearse({
          ...settings,
          seed,
          command,
          environment: io.env,
          signal: io.signal,
          onProgress: progress.show,
        }).finally(progress.clear)
        writeReports(io, report, reporter, rehearsalReporters)
        return report.ok ? 0 : 1
      }),
    )

/** In place on a terminal; a line for each scenario that has ended elsewhere. */
function progressOn(stream: OutputStream) {
  const { isTTY } = stream
  const clear = isTTY ? clearLine : ''
  const underway = new Set<string>()
  let done = 0
  return {
    show: (progress: RehearseProgress) => {
      if (progress.type === 'started') underway.add(progress.scenario)
      else {
        underway.delete(progress.scenario)
        done = progress.done
        const { scenario, verdict, why, failed } = progress.result
        const told = [...failed, ...(why === undefined ? [] : [why])].join(', ')
        if (!isTTY || verdict !== 'passed')
          stream.write(
            `${clear}[${done}/${progress.of}] ${scenario}: ${oneLine([verdict, told].filter(Boolean).join(' '))}\n`,
          )
      }
      if (isTTY && underway.size > 0)
        stream.write(
          `${clear}${`[${done}/${progress.of}] ${[...underway].join(', ')}`.slice(0, (stream.columns || 80) - 1)}`,
        )
    },
    clear: () => void stream.write(clear),
  }
}
