/** `understudy open FILE`: an incident (zip) or a recording (HAR) read in a browser like a live journal. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { aborted, type ExitCode, writeJson, writeLine } from '../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../base/flags.ts'
import { openBrowser } from '../base/openBrowser.ts'
import { ConfigError, type Option, portOption } from '../base/options.ts'
import { readVariables } from '../base/variables.ts'
import { completeConfig } from './config.ts'
import { ApiError } from './errors.ts'
import { silentLog } from './log.ts'

const options = {
  port: { ...portOption, description: 'TCP port of the page', defaultText: 'a free one', default: () => 0 },
} as const satisfies { port: Option<number> }

export const setUpOpen: VerbSetup = (verb, run) =>
  addOptions(
    verb.argument('<file>', 'a zip of the desk or of `understudy report`, or a HAR of any tool'),
    options,
    'open',
  )
    .option(...jsonFlag)
    .option('--no-browser', 'only print the address')
    .addHelpText('after', '\nExit: 0 when it is stopped, 2 for a file that can not be read.')
    .action(
      run(async (io, file: string, flags: { port?: number; browser: boolean; json?: boolean }): Promise<ExitCode> => {
        const bytes = read(file)
        const [{ buildApp }, { listen }, { openIncident }] = await Promise.all([
          import('./app.ts'),
          import('./start.ts'),
          import('./control/incidents.ts'),
        ])
        const { port } = { port: 0, ...readVariables(options, io.env, 'open'), ...flags }
        const config = completeConfig({ port, logLevel: 'silent' })
        const app = buildApp(config, silentLog)
        const mock = await listen(app)
        try {
          const { id, rows } = openIncident(app.mock, basename(file), bytes)
          const url = `${mock.url}/__mock/#/incidents/${id}`
          if (flags.json) writeJson(io.stdout, { file, entries: rows.length, url })
          else writeLine(io.stdout, `${file}: ${rows.length} entries, at ${url}`)
          if (flags.browser && !(await openBrowser(url, io.env)))
            writeLine(io.stderr, `No browser could be opened; open ${url} yourself, or set BROWSER to its command`)
          await aborted(io.signal)
        } catch (error) {
          throw error instanceof ApiError
            ? new ConfigError(error.message.replace(/^.*?the file: /, `${file}: `))
            : error
        } finally {
          await mock.close()
        }
        return 0
      }),
    )

function read(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ConfigError(`${file} can't be read: ${(error as Error).message}`)
  }
}
