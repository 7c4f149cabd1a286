/** --reporter name[=file] of every verb that writes a report; it may be given several times. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Option } from 'commander'
import { type CommandIo, type Environment, hasColor, type OutputStream } from '../base/commandIo.ts'
import { requireWritable } from '../base/inputs.ts'
import { ConfigError } from '../base/options.ts'

export interface Chosen<Name extends string = string> {
  name: Name
  /** undefined: stdout. */
  path: string | undefined
}

export const reporterOption = <Name extends string>(help: Readonly<Record<Name, string>>): Option =>
  new Option(
    '--reporter <name[=file]>',
    `${Object.keys(help).join(', ')}; may be given more than once (default: pretty)`,
  ).argParser((value: string, before: Chosen<Name>[] = []) => [...before, chosenOf(value, help)])

/** What --help says below the options. */
export const reporterText = (help: Readonly<Record<string, string>>): string =>
  `\nReporters:\n${Object.entries(help)
    .map(([name, text]) => `  ${name.padEnd(9)} ${text}`)
    .join('\n')}`

function chosenOf<Name extends string>(text: string, help: Readonly<Record<Name, string>>): Chosen<Name> {
  const [name = '', ...path] = text.split('=')
  if (!(name in help)) {
    throw new ConfigError(
      `--reporter names ${JSON.stringify(name)}; expected one of ${Object.keys(help).join(', ')}, or NAME=FILE`,
    )
  }
  if (path.length > 0 && path.join('=') === '') throw new ConfigError(`--reporter ${name}= has no file name`)
  return { name: name as Name, path: path.length === 0 ? undefined : path.join('=') }
}

/** Checked before the run, so that no run is lost because its report can't be written. */
export function makeWritable(chosen: readonly Chosen[]): void {
  for (const { path } of chosen) {
    if (path === undefined) continue
    try {
      mkdirSync(dirname(path), { recursive: true })
      requireWritable(path)
    } catch (error) {
      throw new ConfigError(`--reporter can't write ${JSON.stringify(path)}: ${(error as Error).message}`)
    }
  }
}

type Reporters<Name extends string, Report> = Readonly<
  Record<Name, (report: Report, options?: { color?: boolean; width?: number }) => string>
>

/** Writes the reports to their files and to stdout, where the pretty one is the default. */
export function writeReports<Name extends string, Report>(
  { stdout, env }: Pick<CommandIo, 'stdout' | 'env'>,
  report: Report,
  chosen: readonly Chosen<Name>[],
  reporters: Reporters<Name | 'pretty', Report>,
): void {
  const toStdout = chosen.filter(({ path }) => path === undefined)
  for (const { name, path } of chosen) if (path !== undefined) writeFileSync(path, reporters[name](report))
  const style = styleOf(stdout, env)
  for (const { name } of toStdout.length > 0 ? toStdout : [{ name: 'pretty' as const }])
    stdout.write(`${reporters[name](report, style).trimEnd()}\n`)
}

/** What a text for people may use of the stream. */
export function styleOf(stream: OutputStream, environment: Environment): { color: boolean; width?: number } {
  // 0 on a terminal that doesn't know its width.
  const width = stream.columns || undefined
  return { color: hasColor(stream, environment), ...(width !== undefined && { width }) }
}
