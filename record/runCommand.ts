/** What `understudy record` does: it records until it is told to stop, and says what there is. */

import { readVariables } from '../base/flags.ts'
import { stopped } from '../base/stopped.ts'
import { plural } from '../base/text.ts'
import { recordOptions, recordVariableOf } from './options.ts'
import { type RecorderOptions, startRecorder } from './recorder.ts'

export async function runRecord(flags: RecorderOptions): Promise<void> {
  const stop = stopped()
  const recorder = await startRecorder({ ...readVariables(recordOptions, process.env, recordVariableOf), ...flags })
  console.log(`Recording ${recorder.target} to ${recorder.file}: point your app at ${recorder.url}`)
  await stop
  await recorder.close()
  const { file, size, failed, cut, files } = recorder
  const beside = files === 0 ? '' : `, ${plural(files, 'file')} beside it`
  console.log(`${file}: ${plural(size, 'call')}, ${failed} failed, ${cut} cut${beside}`)
}
