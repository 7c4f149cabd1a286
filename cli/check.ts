/** `understudy check <base-url>`: which documented clause an endpoint keeps, which it breaks, and what could not be tried. */
import { Command, Option } from 'commander'
import { type ReporterName, reporterHelp } from '../contracts/reporters/names.ts'
import { type CheckSettings, checkOptions } from '../harness/options.ts'
import { ConfigError, flagOf, type Option as OptionRow, parseAs, variableOf } from '../server/config.ts'

export interface Flags extends CheckSettings {
  reporter?: Chosen[]
  baseline?: string
  list?: boolean
}

export interface Chosen {
  name: ReporterName
  /** undefined: stdout. */
  path: string | undefined
}

export function checkCommand(): Command {
  const command = new Command('check')
    .description('judge an endpoint, the mock or the real API, clause by clause: exit 0 if nothing is broken')
    .argument('[base-url]', 'where the API is, such as http://127.0.0.1:4010')
  for (const [name, row] of Object.entries<OptionRow<unknown> & { isFlag?: true }>(checkOptions)) {
    const text = `${row.description} (default: ${row.defaultText ?? String(row.default())}; ${variableOf(name)})`
    const option = new Option(row.isFlag ? flagOf(name) : `${flagOf(name)} ${row.argument}`, text)
    if (!row.isFlag)
      option.argParser((value: string, before: unknown) => together(before, parseAs(row, value, flagOf(name))))
    command.addOption(option)
  }
  return command
    .addOption(
      new Option(
        '--reporter <name[=file]>',
        `${Object.keys(reporterHelp).join(', ')}; may be given more than once (default: pretty)`,
      ).argParser((value: string, before: Chosen[] = []) => [...before, chosenOf(value)]),
    )
    .option('--baseline <file>', 'a json report of before: says in one line what changed since')
    .option('--list', 'list the checks, with their clauses and what they cost, and run none')
    .addHelpText(
      'after',
      `\nReporters:\n${Object.entries(reporterHelp)
        .map(([name, text]) => `  ${name.padEnd(9)} ${text}`)
        .join('\n')}\n\nEach option of a value may be given as its variable instead.`,
    )
    .action(async (target: string | undefined, flags: Flags) => {
      // Loaded now: every other verb would wait for it.
      const { runCheck } = await import('./runCheck.ts')
      return runCheck(target, flags)
    })
}

/** An option that takes several values may be given several times. */
const together = (before: unknown, value: unknown): unknown =>
  Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value

function chosenOf(text: string): Chosen {
  const [name = '', ...path] = text.split('=')
  if (!(name in reporterHelp)) {
    throw new ConfigError(
      `--reporter names ${JSON.stringify(name)}; expected one of ${Object.keys(reporterHelp).join(', ')}, with =FILE behind it if need be`,
    )
  }
  if (path.length > 0 && path.join('=') === '') throw new ConfigError(`--reporter ${name}= names no file`)
  return { name: name as ReporterName, path: path.length === 0 ? undefined : path.join('=') }
}
