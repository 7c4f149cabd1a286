#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
/** The command `understudy`: parses, calls, prints, exits. 0 good, 1 a check failed, 2 wrong usage, 3 unreachable. */
import { ConfigError } from '../base/options.ts'

import { packageVersion } from '../base/paths.ts'
import { conductCommand } from '../conduct/command.ts'
import { drillCommand } from '../drills/command.ts'
import { recordCommand } from '../record/command.ts'
import { rehearseCommand } from '../rehearse/command.ts'
import { replayCommand } from '../replay/command.ts'
import { serveCommand } from '../server/command.ts'
import { healthCommand } from '../server/healthCommand.ts'
import { scenariosCommand } from '../server/scenarios/command.ts'
import { explainCommand } from '../server/scenarios/explainCommand.ts'
import { checkCommand } from '../suite/command.ts'

const program = new Command('understudy')
  .description('The stand-in for a video-background-removal API: a mock server and contract test harness.')
  .version(packageVersion, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ writeErr: () => {} })

const commands = [
  serveCommand(),
  checkCommand(),
  await drillCommand(process.argv[2] === 'drill'),
  conductCommand(),
  recordCommand(),
  rehearseCommand(),
  replayCommand(),
  scenariosCommand(),
  explainCommand(),
  healthCommand(),
]
for (const command of commands) {
  quiet(command)
  program.addCommand(command)
}

/** What goes wrong is told below, in one line. */
function quiet(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError()
  command.commands.forEach(quiet)
}

// Whoever reads our output may have enough of it, as head has: what is under way still ends as it should.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = explain(error)
}

/** One clear line on stderr, and the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') {
      const verb = program.commands.find(command => command.name() === process.argv[2])
      process.stderr.write((verb ?? program).helpInformation())
      return 2
    }
    const [line = '', hint = ''] = error.message.replace(/^error: /, '').split('\n')
    console.error(`understudy: ${line}${hint && ` ${hint}`}; see understudy --help`)
    return 2
  }
  if (error instanceof ConfigError) {
    console.error(`understudy: ${error.message}`)
    return 2
  }
  throw error
}
