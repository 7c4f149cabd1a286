/**
 * `understudy check <base-url or FILE.har>`: which documented clauses an endpoint keeps, which it breaks, and what was not
 * tried; of a recording, as far as its traffic shows it.
 */

import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type CommandIo, type ExitCode, type OutputStream, writeJson, writeLine } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { baseOf } from '../base/inputs.ts'
import { ConfigError, flagOf } from '../base/options.ts'
import { atTarget } from '../base/targetError.ts'
import { plural } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import { clearLine } from '../reports/ansi.ts'
import { requireReportVersion } from '../reports/document.ts'
import { reporterHelp } from '../reports/names.ts'
import { makeWritable, reporterOption, reporterText, writeReports } from '../reports/reporterOption.ts'
import { type CheckFlags, type CheckSettings, checkOptions } from './options.ts'
import type { Report } from './report.ts'
import type { CheckPlan, listChecks } from './runCheck.ts'
import type { Progress } from './runOptions.ts'

export const setUpCheck: VerbSetup = (verb, run) =>
  addOptions(
    verb.argument('[target]', 'where the API is, such as http://127.0.0.1:4010; or a recording, such as incident.har'),
    checkOptions,
    'check',
  )
    .addOption(reporterOption(reporterHelp))
    .option('--baseline <file>', 'an earlier json report: adds a line with what changed since')
    .option('--base <url>', 'of a recording: the base URL of its calls, if their routes do not show it')
    .option('--list', 'list the checks, with their clauses and costs, and run none')
    .addHelpText('after', reporterText(reporterHelp))
    .action(
      run(async (io, target: string | undefined, flags: CheckFlags, command: Command) => {
        const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli'
        if (target !== undefined && isRecording(target)) return checkFile(io, target, flags, isGiven)
        if (isGiven('base')) throw new ConfigError('--base is for a recording; give an endpoint by its own base URL')
        return checkEndpoint(io, target, flags)
      }),
    )

async function checkEndpoint(
  io: CommandIo,
  target: string | undefined,
  { reporter = [], baseline, list, base: _ofRecordings, ...flags }: CheckFlags,
): Promise<ExitCode> {
  const settings = settingsOf(io, flags)
  // Loaded here, so that --help is quick.
  const [{ check, listChecks }, { reporters }] = await Promise.all([
    import('./runCheck.ts'),
    import('./reporters/index.ts'),
  ])
  if (list) {
    const all = listChecks(settings)
    if (isJson(reporter)) writeJson(io.stdout, { checks: all })
    else for (const one of all) writeLine(io.stdout, checkLine(one))
    return 0
  }
  if (target === undefined) throw new ConfigError('no base URL was given; expected one such as http://127.0.0.1:4010')
  makeWritable(reporter)
  const old = baseline === undefined ? undefined : readBaseline(baseline)
  const progress = progressOn(io.stderr)
  const checking = check(target, {
    ...settings,
    ...(old && { baseline: old }),
    signal: io.signal,
    onPlan: plan => writeLine(io.stderr, planText(plan)),
    onProgress: progress.show,
  })
  const report = await atTarget(target, checking).finally(progress.clear)
  writeReports(io, report, reporter, reporters)
  return report.ok ? 0 : 1
}

/** --list has two forms: lines, and JSON. */
const isJson = (reporter: NonNullable<CheckFlags['reporter']>): boolean => reporter.some(({ name }) => name === 'json')

const settingsOf = ({ env }: CommandIo, flags: CheckSettings): CheckSettings => ({
  ...readVariables(checkOptions, env, 'check'),
  ...flags,
})

/** A file that exists, or a name that ends like a recording's: neither is a base URL. */
const isRecording = (target: string): boolean =>
  !/^https?:\/\//i.test(target) && (/\.har$/i.test(target) || existsSync(target))

/** Options that choose what is checked; all others say how to send, and nothing is sent. */
const ofRecordings = ['only', 'skip', 'require', 'expectedFailures']

async function checkFile(
  io: CommandIo,
  file: string,
  { reporter = [], baseline, list, base, ...flags }: CheckFlags,
  isGiven: (name: string) => boolean,
): Promise<ExitCode> {
  const other = Object.keys(flags).find(name => isGiven(name) && !ofRecordings.includes(name))
  if (other !== undefined)
    throw new ConfigError(
      `${flagOf(other)} is for an endpoint that calls are sent to; ${file} is a recording, and nothing is sent. For a recording: --base, --only, --skip, --require, --expected-failures, --baseline, --reporter`,
    )
  const { only, skip, require, expectedFailures } = settingsOf(io, flags)
  const [{ checkRecording }, { observers }, { reporters }] = await Promise.all([
    import('./checkRecording.ts'),
    import('./traffic/index.ts'),
    import('./reporters/index.ts'),
  ])
  if (list) {
    if (isJson(reporter))
      writeJson(io.stdout, { checks: observers.map(({ id, title, clauses }) => ({ id, title, clauses })) })
    else
      for (const { id, title, clauses } of observers)
        writeLine(io.stdout, `${id.padEnd(22)} ${clauses.join(' ').padEnd(44)} ${title}`)
    return 0
  }
  makeWritable(reporter)
  const report = checkRecording(file, {
    ...(base !== undefined && { base: baseOf(base) }),
    ...(only && { only }),
    ...(skip && { skip }),
    ...(require && { require }),
    ...(expectedFailures !== undefined && { expectedFailures }),
    ...(baseline !== undefined && { baseline: readBaseline(baseline) }),
  })
  if (report.incomplete !== undefined) writeLine(io.stderr, `Not all was judged: ${report.incomplete}`)
  writeReports(io, report, reporter, reporters)
  return report.ok ? 0 : 1
}

function readBaseline(file: string): Report {
  const report = parsedBaseline(file)
  if (!Array.isArray(report?.clauses))
    throw new ConfigError(`--baseline ${file} is not a report of understudy check --reporter json`)
  requireReportVersion(report, `--baseline ${file}`, 'understudy check')
  return report
}

function parsedBaseline(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report | null
  } catch (error) {
    throw new ConfigError(`--baseline ${file} can't be read: ${(error as Error).message}`)
  }
}

/** The most that the run will do: on stderr, before anything is sent. */
function planText({ target, profile, seed, aided, ...costs }: CheckPlan): string {
  const { checks, jobs, credits, maxCredits, burst, upload, seconds } = costs
  const parts = [plural(checks, 'check')]
  if (jobs > 0)
    parts.push(
      `up to ${plural(jobs, 'job')}${jobs > 1 ? ', one at a time' : ''}, for up to ${plural(Math.min(credits, maxCredits), 'credit')}`,
    )
  if (burst > 0) parts.push(`bursts of up to ${plural(burst, 'call')}`)
  if (upload > 0) parts.push(`uploads of ${Math.round(upload / 1e6)} MB`)
  if (seconds > 0 && !aided) parts.push(`up to ${seconds} s of waiting for webhooks`)
  return `understudy check ${target}   profile: ${profile}   seed: ${seed}${aided ? '   a mock: keys and errors are created there' : ''}\n${parts.join(', ')}`
}

/** In place on a terminal, where only what failed stays; elsewhere a line for each check. */
function progressOn(stream: OutputStream) {
  const { isTTY } = stream
  const clear = isTTY ? clearLine : ''
  return {
    show: (progress: Progress) => {
      const place = `[${progress.index + 1}/${progress.of}] ${progress.check}`
      if (progress.type === 'started') {
        if (isTTY) stream.write(`${clear}${`${place}: ${progress.title}`.slice(0, (stream.columns || 80) - 1)}`)
      } else if (!isTTY || progress.verdict === 'failed') {
        stream.write(`${clear}${[place, progress.verdict, ...progress.failed].join(' ')}\n`)
      }
    },
    clear: () => void stream.write(clear),
  }
}

/** A check of --list, with its clauses and costs. */
function checkLine({ id, title, clauses, costs = {}, needs = [] }: ReturnType<typeof listChecks>[number]): string {
  const { credits, burst, upload, seconds } = costs
  const what = [
    ...(credits ? [plural(credits, 'credit')] : []),
    ...(burst ? ['a burst'] : []),
    ...(upload ? [`an upload of ${Math.round(upload / 1e6)} MB`] : []),
    ...(seconds ? [`up to ${seconds} s`] : []),
  ]
  const extra = [
    what.length > 0 ? `costs ${what.join(', ')}` : 'free',
    ...needs.filter(need => need !== 'key').map(need => `needs ${need}`),
  ]
  return `${id.padEnd(28)} ${clauses.join(' ').padEnd(24)} ${title} (${extra.join('; ')})`
}
