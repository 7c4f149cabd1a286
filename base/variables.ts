/** The options that a verb is given by its UNDERSTUDY_* variables. */
import type { Environment } from './commandIo.ts'
import { type OptionRow, parseAs, variableOf } from './options.ts'
import { refuseOldVariables } from './renamed.ts'

/** Reads the table's variables. Throws a ConfigError for a wrong value, and for a variable by its old name. */
export function readVariables(
  table: Readonly<Record<string, OptionRow>>,
  environment: Environment,
  verb?: string,
): Record<string, unknown> {
  if (verb !== undefined) refuseOldVariables(Object.keys(table), environment, verb)
  const found: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const variable = variableOf(name, verb)
    const value = environment[variable]
    if (value) found[name] = parseAs(row, value, variable)
  }
  return found
}
