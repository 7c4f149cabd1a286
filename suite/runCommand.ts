/** What `understudy check` does: the run, its progress, its reports, its exit code. */

import { existsSync, readFileSync } from 'node:fs'
import { baseOf } from '../base/inputs.ts'
import { ConfigError, flagOf } from '../base/options.ts'
import { clearLine } from '../reports/ansi.ts'
import { requireReportVersion } from '../reports/document.ts'
import { makeWritable, onInterrupt, writeReports } from '../reports/reporterOption.ts'
import { checkRecording } from './checkRecording.ts'
import { type CheckSettings, type Flags, readCheckEnvironment } from './options.ts'
import type { Report } from './report.ts'
import { reporters } from './reporters/index.ts'
import { TargetError } from './run.ts'
import { type CheckPlan, check, listChecks } from './runCheck.ts'
import type { Progress } from './runOptions.ts'
import { observers } from './traffic/index.ts'

export async function runCheck(
  target: string | undefined,
  { reporter = [], baseline, list, base, ...flags }: Flags,
): Promise<void> {
  if (target !== undefined && isRecording(target)) return judge(target, { reporter, baseline, list, base, ...flags })
  if (base !== undefined)
    throw new ConfigError(
      '--base says what is in front of the routes of a recording; an endpoint is given by its base URL',
    )
  const settings = { ...readCheckEnvironment(process.env), ...flags }
  if (list) return printList(settings)
  if (target === undefined) throw new ConfigError('no base URL was given; expected one such as http://127.0.0.1:4010')
  makeWritable(reporter)
  const old = baseline === undefined ? undefined : readBaseline(baseline)
  const { signal, release } = onInterrupt()
  const progress = progressOn(process.stderr)
  try {
    const report = await check(target, {
      ...settings,
      ...(old && { baseline: old }),
      signal,
      onPlan: plan => process.stderr.write(`${planText(plan)}\n`),
      onProgress: progress.show,
    })
    progress.clear()
    writeReports(report, reporter, reporters)
    process.exitCode = report.ok ? 0 : 1
  } catch (error) {
    progress.clear()
    if (!(error instanceof TargetError)) throw error
    console.error(`understudy: ${target}: ${error.message}`)
    process.exitCode = 3
  } finally {
    release()
  }
}

/** A file that is there, or what is called like a recording: no base URL is either. */
const isRecording = (target: string): boolean =>
  !/^https?:\/\//i.test(target) && (/\.har$/i.test(target) || existsSync(target))

/** Options that say what is looked for; all others say how to send, and nothing is sent. */
const ofRecordings = ['only', 'skip', 'require']

function judge(file: string, { reporter = [], baseline, list, base, ...flags }: Flags): void {
  const other = Object.keys(flags).find(name => !ofRecordings.includes(name))
  if (other !== undefined)
    throw new ConfigError(
      `${flagOf(other)} is for an endpoint that calls are sent to; ${file} is a recording, and nothing is sent. Of a recording: --base, --only, --skip, --require, --baseline, --reporter`,
    )
  const { only, skip, require } = { ...readCheckEnvironment(process.env), ...flags }
  if (list) return printObservers()
  makeWritable(reporter)
  const report = checkRecording(file, {
    ...(base !== undefined && { base: baseOf(base) }),
    ...(only && { only }),
    ...(skip && { skip }),
    ...(require && { require }),
    ...(baseline !== undefined && { baseline: readBaseline(baseline) }),
  })
  writeReports(report, reporter, reporters)
  process.exitCode = report.ok ? 0 : 1
}

function printObservers(): void {
  for (const { id, title, clauses } of observers)
    console.log(`${id.padEnd(22)} ${clauses.join(' ').padEnd(44)} ${title}`)
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

/** What the run will do at the most: on stderr, before anything is sent. */
function planText({ target, profile, seed, aided, ...costs }: CheckPlan): string {
  const { checks, jobs, credits, maxCredits, burst, upload, seconds } = costs
  const parts = [`${checks} ${checks === 1 ? 'check' : 'checks'}`]
  if (jobs > 0)
    parts.push(
      `up to ${jobs} ${jobs === 1 ? 'job' : 'jobs, one after the other'}, for ${Math.min(credits, maxCredits)} credits at the most`,
    )
  if (burst > 0) parts.push(`bursts of up to ${burst} calls`)
  if (upload > 0) parts.push(`uploads of ${Math.round(upload / 1e6)} MB`)
  if (seconds > 0 && !aided) parts.push(`up to ${seconds} s of waiting for webhooks`)
  return `understudy check ${target}   profile: ${profile}   seed: ${seed}${aided ? '   a mock: keys and errors are drawn there' : ''}\n${parts.join(', ')}`
}

/** In place on a terminal, where what failed stays; a line for each check elsewhere. */
function progressOn(stream: NodeJS.WriteStream) {
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

function printList(settings: CheckSettings): void {
  for (const { id, title, clauses, costs = {}, needs = [] } of listChecks(settings)) {
    const { credits, burst, upload, seconds } = costs
    const what = [
      ...(credits ? [`${credits} credits`] : []),
      ...(burst ? ['a burst'] : []),
      ...(upload ? [`an upload of ${Math.round(upload / 1e6)} MB`] : []),
      ...(seconds ? [`up to ${seconds} s`] : []),
    ]
    const extra = [
      what.length > 0 ? `costs ${what.join(', ')}` : 'free',
      ...needs.filter(need => need !== 'key').map(need => `needs ${need}`),
    ]
    console.log(`${id.padEnd(28)} ${clauses.join(' ').padEnd(24)} ${title} (${extra.join('; ')})`)
  }
}
