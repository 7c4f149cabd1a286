/** What `understudy record` does: it records until it is told to stop, and says what there is. */
import { plural } from '../contracts/reporters/text.ts'
import { readRecordEnvironment } from '../harness/recorder/options.ts'
import { type RecorderOptions, startRecorder } from '../harness/recorder.ts'

export async function runRecord(flags: RecorderOptions): Promise<void> {
  const stop = stopped()
  const recorder = await startRecorder({ ...readRecordEnvironment(process.env), ...flags })
  console.log(`Recording ${recorder.target} to ${recorder.file}: point your app at ${recorder.url}`)
  await stop
  await recorder.close()
  const { file, size, failed, cut, files } = recorder
  const beside = files === 0 ? '' : `, ${plural(files, 'file')} beside it`
  console.log(`${file}: ${plural(size, 'call')}, ${failed} failed, ${cut} cut${beside}`)
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopped(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130))
        resolve()
      })
    }
  })
}
