/** The options of a verb, from the table that its room has: flags, what --help says of them, their variables. */
import { type Command, Option } from 'commander'
import { flagOf, type Option as OptionRow, parseAs, variableOf } from '../server/config.ts'
import { together } from './reports.ts'

export type Row = OptionRow<unknown> & { isFlag?: true }

/** Adds each option of the table to the verb. */
export function addOptions(command: Command, table: Readonly<Record<string, Row>>): Command {
  for (const [name, row] of Object.entries(table)) {
    const text = `${row.description} (default: ${row.defaultText ?? String(row.default())}; ${variableOf(name)})`
    const option = new Option(row.isFlag ? flagOf(name) : `${flagOf(name)} ${row.argument}`, text)
    if (!row.isFlag)
      option.argParser((value: string, before: unknown) => together(before, parseAs(row, value, flagOf(name))))
    command.addOption(option)
  }
  return command
}

/** What the table's UNDERSTUDY_* variables say. */
export function readVariables(
  table: Readonly<Record<string, Row>>,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value = environment[variableOf(name)]
    if (value !== undefined && value !== '') found[name] = parseAs(row, value, variableOf(name))
  }
  return found
}
