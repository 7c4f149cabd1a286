/** `understudy config [verb]`: each option's value, and where it comes from. */
import type { Command, Option } from 'commander'
import { type Environment, type ExitCode, writeLine } from '../base/commandIo.ts'
import { sourceOf, type VerbSetup } from '../base/flags.ts'
import { ConfigError, flagOf, parseAs } from '../base/options.ts'
import { isSecretName, redacted } from '../base/redaction.ts'
import type { ConfigFile } from './configFile.ts'
import { configured, optionsOf, pathOf } from './configValues.ts'

/** Options that show what they hold by none of their names. */
const alsoSecret: ReadonlySet<string> = new Set(['header', 'redact', 'env'])

interface Setting {
  /** "serve", "drill burst" */
  verb: string
  option: string
  value: unknown
  /** A variable's name, a file's name, or "default". */
  from: string
  /** How help shows a default that is made at the start. */
  text?: string
}

/** The verb that knows of all others, which are loaded for it; `file` gives what was read before it runs. */
export const setUpConfig =
  (file: () => ConfigFile | undefined): VerbSetup =>
  (verb, run) =>
    verb
      .argument('[verb]', 'a verb, whose defaults are shown too (default: what is set, of all verbs)')
      .option('--json', 'as JSON')
      .addHelpText(
        'after',
        '\nAn option wins over its variable, a variable over the file, the file over the default. Secrets are not shown.',
      )
      .action(
        run((io, name: string | undefined, { json }: { json?: boolean }): ExitCode => {
          const program = verb.parent as Command
          const config = file()
          const wanted = program.commands.filter(one => one !== verb && (name === undefined || one.name() === name))
          if (wanted.length === 0)
            throw new ConfigError(`There is no verb ${JSON.stringify(name)}; see understudy --help`)
          const all = wanted.flatMap(one => settingsBelow(one, config, io.env))
          const shown = name === undefined ? all.filter(({ from }) => from !== 'default') : all
          if (json) io.stdout.write(`${JSON.stringify({ file: config?.file ?? null, settings: shown }, null, 2)}\n`)
          else writeLine(io.stdout, textOf(config, shown))
          return 0
        }),
      )

function settingsBelow(command: Command, config: ConfigFile | undefined, environment: Environment): Setting[] {
  if (command.commands.length > 0) return command.commands.flatMap(one => settingsBelow(one, config, environment))
  const values = config === undefined ? new Map<string, unknown>() : configured(command, config)
  const verb = pathOf(command).join(' ')
  return [...optionsOf(command)].map(([name, option]) => {
    const { value, from, text } = settingOf(name, option, values, config?.file ?? '', environment)
    const isSecret = value !== undefined && (isSecretName(flagOf(name)) || alsoSecret.has(name))
    return {
      verb,
      option: name,
      value: isSecret ? redacted : (value ?? null),
      from,
      ...(text !== undefined && { text }),
    }
  })
}

function settingOf(
  name: string,
  option: Option,
  values: ReadonlyMap<string, unknown>,
  file: string,
  environment: Environment,
): Pick<Setting, 'value' | 'from' | 'text'> {
  const source = sourceOf(option)
  const set = source && environment[source.variable]
  if (source && set) return { value: parseAs(source.row, set, source.variable), from: source.variable }
  if (values.has(name)) return { value: values.get(name), from: file }
  const { defaultText } = source?.row ?? {}
  // A seed that is drawn here would be another one in the run.
  if (defaultText !== undefined) return { value: undefined, from: 'default', text: defaultText }
  return { value: source?.row.default() ?? option.defaultValue, from: 'default' }
}

/** A list as it is written after a flag; a reporter with its file. */
function shownAs(value: unknown): string {
  if (value === null) return 'none'
  if (Array.isArray(value)) return value.map(shownAs).join(', ')
  if (typeof value !== 'object') return String(value)
  const { name, path } = value as { name?: string; path?: string }
  return name === undefined ? JSON.stringify(value) : `${name}${path === undefined ? '' : `=${path}`}`
}

function textOf(config: ConfigFile | undefined, settings: readonly Setting[]): string {
  const head =
    config === undefined ? 'no configuration file: understudy.config.json, .yaml or .ts' : `file: ${config.file}`
  const rows = settings.map(({ verb, option, value, from, text }) => ({
    verb,
    left: `  ${flagOf(option)}`,
    middle: text ?? shownAs(value),
    from,
  }))
  const width = (key: 'left' | 'middle') => Math.min(40, Math.max(0, ...rows.map(row => row[key].length)))
  const [left, middle] = [width('left'), width('middle')]
  let last = ''
  const lines = rows.flatMap(row => {
    const line = `${row.left.padEnd(left)}  ${row.middle.padEnd(middle)}  ${row.from}`
    const isNew = row.verb !== last
    last = row.verb
    return isNew ? ['', row.verb, line] : [line]
  })
  return [head, ...lines].join('\n')
}
