/** --reporter and what comes of it, as every verb with a report has it: name[=file], several times. */

import { accessSync, constants, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Option } from 'commander'
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
    .join('\n')}\n\nEach option of a value may be given as its variable instead.`

function chosenOf<Name extends string>(text: string, help: Readonly<Record<Name, string>>): Chosen<Name> {
  const [name = '', ...path] = text.split('=')
  if (!(name in help)) {
    throw new ConfigError(
      `--reporter names ${JSON.stringify(name)}; expected one of ${Object.keys(help).join(', ')}, with =FILE behind it if need be`,
    )
  }
  if (path.length > 0 && path.join('=') === '') throw new ConfigError(`--reporter ${name}= names no file`)
  return { name: name as Name, path: path.length === 0 ? undefined : path.join('=') }
}

/** Before the run: a report that can't be written is no use of one. */
export function makeWritable(chosen: readonly Chosen[]): void {
  for (const { path } of chosen) {
    if (path === undefined) continue
    try {
      mkdirSync(dirname(path), { recursive: true })
      accessSync(existsSync(path) ? path : dirname(path), constants.W_OK)
      if (existsSync(path) && statSync(path).isDirectory()) throw new Error('it is a folder')
    } catch (error) {
      throw new ConfigError(`--reporter can't write ${JSON.stringify(path)}: ${(error as Error).message}`)
    }
  }
}

type Reporters<Name extends string, Report> = Readonly<
  Record<Name, (report: Report, options?: { color?: boolean; width?: number }) => string>
>

/** To their files and to stdout; the pretty one, unless another is to go there. */
export function writeReports<Name extends string, Report>(
  report: Report,
  chosen: readonly Chosen<Name>[],
  reporters: Reporters<Name | 'pretty', Report>,
): void {
  const toStdout = chosen.filter(({ path }) => path === undefined)
  for (const { name, path } of chosen) if (path !== undefined) writeFileSync(path, reporters[name](report))
  const color = process.stdout.isTTY === true && !process.env.NO_COLOR
  // 0 on a terminal that does not know.
  const width = process.stdout.columns || undefined
  for (const { name } of toStdout.length > 0 ? toStdout : [{ name: 'pretty' as const }]) {
    process.stdout.write(`${reporters[name](report, { color, ...(width !== undefined && { width }) }).trimEnd()}\n`)
  }
}

/** Ctrl-C ends the run with a report of what was done; a second one ends at once. */
export function onInterrupt(): { signal: AbortSignal; release(): void } {
  const stop = new AbortController()
  const interrupt = () => {
    process.once('SIGINT', () => process.exit(130))
    stop.abort()
  }
  process.once('SIGINT', interrupt)
  return { signal: stop.signal, release: () => void process.off('SIGINT', interrupt) }
}
