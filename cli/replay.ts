/** `understudy replay FILE.har <base-url>`: the recorded calls again, and what is answered otherwise than it was. */
import { Command, Option } from 'commander'
import { type ReplayReporterName, replayReporterHelp } from '../contracts/replay/reporters.ts'
import { type ReplayOption, type ReplaySettings, replayOptions } from '../harness/replay/options.ts'
import { flagOf, parseAs, variableOf } from '../server/config.ts'
import { type Chosen, reporterOption, together } from './reports.ts'

export interface ReplayFlags extends ReplaySettings {
  reporter?: Chosen<ReplayReporterName>[]
}

export function replayCommand(): Command {
  const command = new Command('replay')
    .description('send a recording (HAR) to an endpoint again: exit 0 if it answers as it did')
    .argument('<file.har>', 'the recording, such as incident.har')
    .argument('<base-url>', 'where the API is, such as http://127.0.0.1:4010')
  for (const [name, row] of Object.entries<ReplayOption>(replayOptions)) {
    const variable = row.hasVariable ? `; ${variableOf(name)}` : ''
    const text = `${row.description} (default: ${row.defaultText ?? String(row.default())}${variable})`
    const option = new Option(row.isFlag ? flagOf(name) : `${flagOf(name)} ${row.argument}`, text)
    if (!row.isFlag)
      option.argParser((value: string, before: unknown) => together(before, parseAs(row, value, flagOf(name))))
    command.addOption(option)
  }
  return command
    .option('--no-control', "leave the mock's own /__mock alone: it then needs --key like any other endpoint")
    .addOption(reporterOption(replayReporterHelp))
    .addHelpText(
      'after',
      `\nReporters:\n${reporterLines}\n\nExit: 0 no difference, 1 some, 2 wrong usage or recording, 3 nobody answers.`,
    )
    .action(async (file: string, target: string, flags: ReplayFlags) => {
      // Loaded now: every other verb would wait for it.
      const { runReplay } = await import('./runReplay.ts')
      return runReplay(file, target, flags)
    })
}

const reporterLines = Object.entries(replayReporterHelp)
  .map(([name, text]) => `  ${name.padEnd(9)} ${text}`)
  .join('\n')
