/** `understudy replay FILE.har <base-url>`: the recorded calls again, and what is answered otherwise than it was. */
import { Command } from 'commander'
import { type ReplayReporterName, replayReporterHelp } from '../contracts/reporters/replay.ts'
import { type ReplaySettings, replayOptions, replayVariableOf } from '../harness/replay/options.ts'
import { addOptions } from './flags.ts'
import { type Chosen, reporterOption } from './reports.ts'

export interface ReplayFlags extends ReplaySettings {
  reporter?: Chosen<ReplayReporterName>[]
}

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
      const { runReplay } = await import('./runReplay.ts')
      return runReplay(file, target, flags)
    })
}

const reporterLines = Object.entries(replayReporterHelp)
  .map(([name, text]) => `  ${name.padEnd(9)} ${text}`)
  .join('\n')
