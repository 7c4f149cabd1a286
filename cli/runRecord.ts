/** What `understudy record` does: it records until it is told to stop, and says what there is. */
import { plural } from '../contracts/reporters/text.ts'
import { recordOptions, recordVariableOf } from '../harness/recorder/options.ts'
import { type RecorderOptions, startRecorder } from '../harness/recorder.ts'
import { readVariables } from './flags.ts'
import { stopped } from './stopped.ts'

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
