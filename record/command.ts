/** `understudy record --target URL`: a recording proxy before an endpoint, until it is told to stop. */
import { Command } from 'commander'
import { addOptions } from '../base/flags.ts'
import { type RecorderOptions, recordOptions, recordVariableOf } from './options.ts'

export function recordCommand(): Command {
  const command = new Command('record').description(
    'record what a client and an endpoint say to each other, through a proxy before that, as a HAR file',
  )
  return addOptions(command, recordOptions, recordVariableOf).action(async (flags: RecorderOptions) => {
    // Loaded now: every other verb would wait for it.
    const { runRecord } = await import('./runCommand.ts')
    return runRecord(flags)
  })
}
