/** A verb's flags, made from its table of options. */

import { type Command, Option } from 'commander'
import type { CommandIo, ExitCode } from './commandIo.ts'
import { flagOf, type OptionRow, parseAs, variableOf } from './options.ts'

/** Makes an action of a function that is given the io of the run and returns its exit code. */
export type RunAction = <Args extends unknown[]>(
  action: (io: CommandIo, ...args: Args) => ExitCode | Promise<ExitCode>,
) => (...args: Args) => Promise<void>

/** Adds arguments, options and the action to a verb, or verbs of its own. */
export type VerbSetup = (verb: Command, run: RunAction) => void

/** Of a verb whose output has another form for programs; reports have --reporter json, and the same flag for it. */
export const jsonFlag = ['--json', 'as JSON, an object a line'] as const

/** What an option of a command is read by: its row in a table, and the variable that it has too. */
export interface OptionSource {
  row: OptionRow
  variable: string
}

const sources = new WeakMap<Option, OptionSource>()

/** Of an option that addOptions() made; undefined for any other. */
export const sourceOf = (option: Option): OptionSource | undefined => sources.get(option)

/** Adds each option of the table, with its default and its variable; `serve` alone has variables without a verb in the name. */
export function addOptions(command: Command, table: Readonly<Record<string, OptionRow>>, verb?: string): Command {
  for (const [name, row] of Object.entries(table)) {
    const text = `${row.description} (default: ${row.defaultText ?? String(row.default())}; ${variableOf(name, verb)})`
    const option = new Option(row.isFlag ? flagOf(name) : `${flagOf(name)} ${row.argument}`, text)
    if (!row.isFlag)
      option.argParser((value: string, before: unknown) => together(before, parseAs(row, value, flagOf(name))))
    sources.set(option, { row, variable: variableOf(name, verb) })
    command.addOption(option)
  }
  return command
}

/** An option that takes several values may be given several times. */
const together = (before: unknown, value: unknown): unknown =>
  Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
