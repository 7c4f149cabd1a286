/** `understudy record --target URL`: a recording proxy before an endpoint, until it is told to stop. */
import { Command, Option } from 'commander'
import { type RecorderOptions, recordOptions, recordVariableOf } from '../harness/recorder/options.ts'
import { flagOf, parseAs } from '../server/config.ts'
import type { Row } from './flags.ts'
import { together } from './reports.ts'

export function recordCommand(): Command {
  const command = new Command('record').description(
    'record what a client and an endpoint say to each other, through a proxy before that, as a HAR file',
  )
  for (const [name, row] of Object.entries<Row>(recordOptions)) {
    const text = `${row.description} (default: ${row.defaultText ?? String(row.default())}; ${recordVariableOf(name)})`
    const option = new Option(row.isFlag ? flagOf(name) : `${flagOf(name)} ${row.argument}`, text)
    if (!row.isFlag)
      option.argParser((value: string, before: unknown) => together(before, parseAs(row, value, flagOf(name))))
    command.addOption(option)
  }
  return command.action(async (flags: RecorderOptions) => {
    // Loaded now: every other verb would wait for it.
    const { runRecord } = await import('./runRecord.ts')
    return runRecord(flags)
  })
}
