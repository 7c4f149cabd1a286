/** `understudy rehearse -- <command>`: the user's own program under every scenario, and one table of how it did. */

import { Command } from 'commander'
import { addOptions } from '../base/flags.ts'
import { reporterOption, reporterText } from '../reports/reporterOption.ts'
import { type RehearseFlags, rehearseOptions } from './options.ts'
import { rehearsalHelp } from './reporters.ts'

export function rehearseCommand(): Command {
  const command = new Command('rehearse')
    .description('run your own program once under each scenario, and grade it: exit 0 if it broke no rule in any')
    .usage('[options] -- <command> [arguments...]')
    .argument(
      '[command...]',
      'what is run; it finds the mock by UNDERSTUDY_BASE_URL and UNDERSTUDY_API_KEY, or by {url} and {key} in its arguments',
    )
  return addOptions(command, rehearseOptions)
    .addOption(reporterOption(rehearsalHelp))
    .addHelpText('after', reporterText(rehearsalHelp))
    .action(async (words: string[], flags: RehearseFlags) => {
      // Loaded now: every other verb would wait for it.
      const { runRehearse } = await import('./runCommand.ts')
      return runRehearse(words, flags)
    })
}
