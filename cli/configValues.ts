/** What the configuration file says of one command's options, by the tables that read its flags. */
import type { Command, Option } from 'commander'
import type { Environment } from '../base/commandIo.ts'
import { sourceOf } from '../base/flags.ts'
import { ConfigError, type Option as OptionOf, parseAs, refuseUnknown } from '../base/options.ts'
import { type ConfigFile, describe, isSection, type Section } from './configFile.ts'

/** From the verb down: ["drill", "burst"]. */
export const pathOf = (command: Command): string[] =>
  command.parent ? [...pathOf(command.parent), command.name()] : []

/** The command's options by their names; those that only help has are left out. */
export function optionsOf(command: Command): Map<string, Option> {
  const found = new Map<string, Option>()
  for (const option of command.options)
    if (!found.has(option.attributeName())) found.set(option.attributeName(), option)
  return found
}

/**
 * What the file says of the command's options, parsed: a section of `drill` is for each drill that takes the option, and
 * `drill.burst` for that one, which wins. Throws a ConfigError that names file and field.
 */
export function configured(command: Command, { file, sections }: ConfigFile): Map<string, unknown> {
  const values = new Map<string, unknown>()
  const own = optionsOf(command)
  const path = pathOf(command)
  let level: Command = command
  for (let depth = path.length; depth > 1; depth--) level = level.parent as Command
  let section: unknown = sections
  path.forEach((name, depth) => {
    section = (section as Section | undefined)?.[name]
    if (section === undefined) return
    const where = path.slice(0, depth + 1).join('.')
    if (!isSection(section))
      throw new ConfigError(`${file}: ${where} is ${describe(section)}; expected an object of options`)
    if (depth > 0) level = level.commands.find(one => one.name() === name) as Command
    refuseUnknownIn(section, level, `${file}: ${where}`)
    for (const [option, value] of Object.entries(section)) {
      const known = own.get(option)
      if (known && value !== undefined) values.set(option, parsed(known, value, `${file}: ${where}.${option}`))
    }
  })
  return values
}

function refuseUnknownIn(section: Section, command: Command, where: string): void {
  const names = (one: Command): string[] => [...optionsOf(one).keys(), ...one.commands.flatMap(names)]
  const known = [...new Set([...names(command), ...command.commands.map(one => one.name())])]
  try {
    refuseUnknown(section, known)
  } catch (error) {
    throw new ConfigError(`${where}: ${(error as Error).message}`)
  }
}

/** A value of JSON as the flag's text would be read; each of a list as if the flag were given again. */
function parsed(option: Option, value: unknown, where: string): unknown {
  if (option.isBoolean() || option.negate) {
    if (typeof value === 'boolean') return value
    throw new ConfigError(`${where} is ${describe(value)}; expected true or false`)
  }
  const isText = (one: unknown) => ['string', 'number', 'boolean'].includes(typeof one)
  if (!(isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText))))
    throw new ConfigError(`${where} is ${describe(value)}; expected a text, a number or a list of them`)
  const read = readerOf(option, where)
  if (!Array.isArray(value)) return read(String(value), undefined)
  const [first, ...rest] = value.map(String) as [string, ...string[]]
  const one = read(first, undefined)
  if (Array.isArray(one)) return rest.reduce<unknown>((before, text) => read(text, before), one)
  return read(value.join(','), undefined)
}

function readerOf(option: Option, where: string): (text: string, before: unknown) => unknown {
  const source = sourceOf(option)
  if (source)
    return (text, before) => {
      const value = parseAs(source.row, text, where)
      return Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
    }
  return (text, before) => {
    try {
      return option.parseArg ? option.parseArg(text, before) : text
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`${where}: ${error.message}`)
      throw error
    }
  }
}

/** Gives the command what the file says of its options, where neither a flag nor a variable says otherwise. */
export function applyConfig(command: Command, config: ConfigFile, environment: Environment): void {
  const options = optionsOf(command)
  for (const [name, value] of configured(command, config)) {
    const variable = sourceOf(options.get(name) as Option)?.variable
    if (command.getOptionValueSource(name) === 'cli' || (variable !== undefined && environment[variable])) continue
    command.setOptionValueWithSource(name, value, 'config')
  }
}

/** One option of a section, for who is another verb; undefined if the file does not say. */
export function valueIn<T>(
  { file, sections }: ConfigFile,
  verb: string,
  name: string,
  row: OptionOf<T>,
): T | undefined {
  const value = sections[verb]?.[name]
  return value === undefined ? undefined : parseAs(row, String(value), `${file}: ${verb}.${name}`)
}
