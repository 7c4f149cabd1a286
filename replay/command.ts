/** `understudy replay FILE.har <base-url>`: the recorded calls again, and what is answered otherwise than it was. */

import { Command } from 'commander'
import { addOptions } from '../base/flags.ts'
import { reporterOption } from '../reports/reporterOption.ts'
import { type ReplayFlags, replayOptions, replayVariableOf } from './options.ts'
import { replayReporterHelp } from './reporters.ts'

export function replayCommand(): Command {
  const command = new Command('replay')
    .description('send a recording (HAR) to an endpoint again: exit 0 if it answers as it did')
    .argument('<file.har>', 'the recording, such as incident.har')
    .argument('<base-url>', 'where the API is, such as http://127.0.0.1:4010')
  return addOptions(command, replayOptions, replayVariableOf)
    .option('--no-control', "leave the mock's own /__mock alone: it then needs --key like any other endpoint")
    .addOption(reporterOption(replayReporterHelp))
    .addHelpText(
      'after',
      `\nReporters:\n${reporterLines}\n\nExit: 0 no difference, 1 some, 2 wrong usage or recording, 3 nobody answers.`,
    )
    .action(async (file: string, target: string, flags: ReplayFlags) => {
      // Loaded now: every other verb would wait for it.
      const { runReplay } = await import('./runCommand.ts')
      return runReplay(file, target, flags)
    })
}

const reporterLines = Object.entries(replayReporterHelp)
  .map(([name, text]) => `  ${name.padEnd(9)} ${text}`)
  .join('\n')
