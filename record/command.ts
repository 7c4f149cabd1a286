/** `understudy record --target URL`: a recording proxy in front of an endpoint, until it is stopped. */
import { aborted, type ExitCode, writeJson, writeLine } from '../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../base/flags.ts'
import { plural } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import { type RecorderOptions, recordOptions } from './options.ts'

export const setUpRecord: VerbSetup = (verb, run) =>
  addOptions(verb.option(...jsonFlag), recordOptions, 'record').action(
    run(
      async ({ env, signal, stdout }, { json, ...flags }: RecorderOptions & { json?: boolean }): Promise<ExitCode> => {
        // Loaded here, so that --help is quick.
        const { startRecorder } = await import('./recorder.ts')
        const recorder = await startRecorder({ ...readVariables(recordOptions, env, 'record'), ...flags })
        if (json) writeJson(stdout, { target: recorder.target, file: recorder.file, url: recorder.url })
        else writeLine(stdout, `Recording ${recorder.target} to ${recorder.file}: point your app at ${recorder.url}`)
        await aborted(signal)
        await recorder.close()
        const { file, size, failed, cut, files } = recorder
        const beside = files === 0 ? '' : `, ${plural(files, 'file')} beside it`
        if (json) writeJson(stdout, { file, calls: size, failed, cut, files })
        else writeLine(stdout, `${file}: ${plural(size, 'call')}, ${failed} failed, ${cut} cut${beside}`)
        return 0
      },
    ),
  )
