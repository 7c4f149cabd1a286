/** `understudy conduct [FILE.har]`: does the client do what the documentation asks of it? From a running mock, or a recording. */

import { Command } from 'commander'
import { addOptions } from '../base/flags.ts'
import { reporterOption, reporterText } from '../reports/reporterOption.ts'
import { type ConductFlags, conductOptions } from './options.ts'
import { conductReporterHelp } from './reporters/names.ts'

export function conductCommand(): Command {
  const command = new Command('conduct')
    .description('grade a client, rule by rule, by what it did: exit 0 if it broke none')
    .argument('[recording]', 'a HAR file; without one, the journal of a running mock is read')
  return addOptions(command, conductOptions)
    .addOption(reporterOption(conductReporterHelp))
    .addHelpText('after', reporterText(conductReporterHelp))
    .action(async (file: string | undefined, flags: ConductFlags) => {
      // Loaded now: every other verb would wait for it.
      const { runConduct } = await import('./runCommand.ts')
      return runConduct(file, flags)
    })
}
