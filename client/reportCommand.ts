/** `understudy report [URL]`: what a bug report needs of a running mock, without its secrets, in one zip file. */
import { writeFileSync } from 'node:fs'
import { strToU8, type Zippable, zipSync } from 'fflate'
import { monotonicMs } from '../base/clock.ts'
import { type ExitCode, writeJson, writeLine } from '../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../base/flags.ts'
import { defined } from '../base/inputs.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { adminHeaders, mockUrl, reach, trustedFile } from '../base/reach.ts'
import { operatingSystem } from '../base/system.ts'
import { TargetError } from '../base/targetError.ts'
import { fileDate, formatSize } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import { type BugReport, bugReportFiles } from './bugReport.ts'
import { messageIn } from './control.ts'
import { type BugReportSettings, bugReportOptions } from './reportOptions.ts'

/** Snapshots and journals may be large. */
const timeoutMs = 60_000

export const setUpReport: VerbSetup = (verb, run) =>
  addOptions(
    verb.argument('[url]', 'the mock (default: this machine, port UNDERSTUDY_PORT or 4010)'),
    bugReportOptions,
    'report',
  )
    .option(...jsonFlag)
    .addHelpText('after', '\nExit: 0 written, 2 wrong usage, 3 no mock runs there: the file has versions only.')
    .action(
      run(
        async (
          io,
          given: string | undefined,
          { json: isJson, ...flags }: BugReportSettings & { json?: boolean },
        ): Promise<ExitCode> => {
          const settings: BugReportSettings = { ...readVariables(bugReportOptions, io.env, 'report'), ...flags }
          const url = mockUrl(given, io)
          const out = settings.out ?? `understudy-report-${fileDate(monotonicMs())}.zip`
          const found = await gather(url, { ...settings, ...defined({ ca: trustedFile(settings.ca, io.env) }) }).catch(
            error => {
              if (error instanceof TargetError) return error
              throw error
            },
          )
          const isAbsent = found instanceof TargetError
          const files: Zippable = { 'versions.json': json(versions()), ...(isAbsent ? {} : found) }
          // What a mock writes compresses well; it is quick at the lowest level too.
          const bytes = zipSync(files, { level: 3 })
          write(out, bytes, settings.force)
          if (isAbsent)
            throw new TargetError(
              `${found.message} ${out} has the versions only; run it again while the mock runs, or give its URL`,
            )
          if (isJson) {
            writeJson(io.stdout, { file: out, size: bytes.length, files: Object.keys(files) })
            return 0
          }
          writeLine(io.stdout, `${out} (${formatSize(bytes.length)}): ${Object.keys(files).join(', ')}`)
          writeLine(io.stdout, 'It has no keys and no tokens. Look through it before you attach it.')
          return 0
        },
      ),
    )

/** Of this command; those of the mock, which may run elsewhere, are in report.json. */
const versions = () => ({ understudy: packageVersion, node: process.version, os: operatingSystem() })

const json = (value: unknown): Uint8Array => strToU8(`${JSON.stringify(value, null, 2)}\n`)

/** Throws a TargetError where nobody answers, a ConfigError where somebody refuses. */
async function gather(url: string, { adminToken, ca }: BugReportSettings): Promise<Zippable> {
  const options = { headers: adminHeaders(adminToken), timeoutMs, ca }
  const ask = async (path: string): Promise<string> => {
    const answer = await reach(`${url}/__mock/${path}`, options)
    if (answer.status === 200) return answer.text
    const why = messageIn(answer)
    throw new ConfigError(
      `${url}/__mock/${path} answered ${answer.status} (${why}); expected a mock of version ${packageVersion} or newer, with its --admin-token off loopback`,
    )
  }
  const files = bugReportFiles(JSON.parse(await ask('report')) as BugReport, await ask('journal.har'))
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]))
}

function write(file: string, bytes: Uint8Array, force: boolean | undefined): void {
  try {
    writeFileSync(file, bytes, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConfigError(
      code === 'EEXIST'
        ? `${file} already exists; choose another with --out, or overwrite it with --force`
        : `--out can't be written: ${message}`,
    )
  }
}
