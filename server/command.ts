/** `understudy serve`: the mock on a port, until it is told to stop. */

import { Command, Option } from 'commander'
import { flagOf, variableOf } from '../base/options.ts'
import { defaultTextOf, type MockOptions, type OptionName, options, parseOption, readEnvironment } from './config.ts'

export function serveCommand(): Command {
  const command = new Command('serve').description('run the mock server')
  for (const name of Object.keys(options) as OptionName[]) {
    const { argument, description } = options[name]
    const text = `${description} (default: ${defaultTextOf(name)}; ${variableOf(name)})`
    command.addOption(
      new Option(`${flagOf(name)} ${argument}`, text).argParser(value => parseOption(name, value, flagOf(name))),
    )
  }
  return command.action(async (flags: MockOptions) => {
    // Loaded now: every other verb would wait for it.
    const { runServe } = await import('./runCommand.ts')
    return runServe({ ...readEnvironment(), ...flags })
  })
}
