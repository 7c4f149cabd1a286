/** The options of a verb, from the table that its room has: flags, what --help says of them, their variables. */

import { type Command, Option } from 'commander'
import { flagOf, type Option as OptionRow, parseAs, variableOf } from './options.ts'

export type FlagRow = OptionRow<unknown> & { isFlag?: true }

/** The variable that an option can be given by as well; undefined for one that has none. */
export type VariableOf = (name: string) => string | undefined

/** Adds each option of the table to the verb. */
export function addOptions(
  command: Command,
  table: Readonly<Record<string, FlagRow>>,
  variable: VariableOf = variableOf,
): Command {
  for (const [name, row] of Object.entries(table)) {
    const facts = [`default: ${row.defaultText ?? String(row.default())}`, variable(name)]
    const text = `${row.description} (${facts.filter(Boolean).join('; ')})`
    const option = new Option(row.isFlag ? flagOf(name) : `${flagOf(name)} ${row.argument}`, text)
    if (!row.isFlag)
      option.argParser((value: string, before: unknown) => together(before, parseAs(row, value, flagOf(name))))
    command.addOption(option)
  }
  return command
}

/** What the table's UNDERSTUDY_* variables say. */
export function readVariables(
  table: Readonly<Record<string, FlagRow>>,
  environment: Readonly<Record<string, string | undefined>>,
  variable: VariableOf = variableOf,
): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const from = variable(name)
    const value = from && environment[from]
    if (from && value) found[name] = parseAs(row, value, from)
  }
  return found
}

/** An option that takes several values may be given several times. */
export const together = (before: unknown, value: unknown): unknown =>
  Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
