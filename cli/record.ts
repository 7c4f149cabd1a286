/** `understudy record --target URL`: a recording proxy before an endpoint, until it is told to stop. */
import { Command } from 'commander'
import { type RecorderOptions, recordOptions, recordVariableOf } from '../harness/recorder/options.ts'
import { addOptions } from './flags.ts'

export function recordCommand(): Command {
  const command = new Command('record').description(
    'record what a client and an endpoint say to each other, through a proxy before that, as a HAR file',
  )
  return addOptions(command, recordOptions, recordVariableOf).action(async (flags: RecorderOptions) => {
    // Loaded now: every other verb would wait for it.
    const { runRecord } = await import('./runRecord.ts')
    return runRecord(flags)
  })
}
