/**
 * `understudy check <base-url or FILE.har>`: which documented clause an endpoint keeps, which it breaks, and what could
 * not be tried; of a recording, as far as traffic shows it.
 */

import { Command } from 'commander'
import { addOptions } from '../base/flags.ts'
import { reporterHelp } from '../reports/names.ts'
import { reporterOption, reporterText } from '../reports/reporterOption.ts'
import { checkOptions, type Flags } from './options.ts'

export function checkCommand(): Command {
  const command = new Command('check')
    .description('judge an endpoint, or recorded traffic, clause by clause: exit 0 if nothing is broken')
    .argument('[target]', 'where the API is, such as http://127.0.0.1:4010; or a recording, such as incident.har')
  return addOptions(command, checkOptions)
    .addOption(reporterOption(reporterHelp))
    .option('--baseline <file>', 'a json report of before: says in one line what changed since')
    .option('--base <url>', 'of a recording: the base URL of its calls, where that can not be told')
    .option('--list', 'list the checks, with their clauses and what they cost, and run none')
    .addHelpText('after', reporterText(reporterHelp))
    .action(async (target: string | undefined, flags: Flags) => {
      // Loaded now: every other verb would wait for it.
      const { runCheck } = await import('./runCommand.ts')
      return runCheck(target, flags)
    })
}
