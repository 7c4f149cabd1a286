/** What `understudy replay` does: the run, its progress, its reports, its exit code. */

import { readVariables } from '../base/flags.ts'
import { formatDuration, plural } from '../base/text.ts'
import { clearLine } from '../reports/ansi.ts'
import { makeWritable, onInterrupt, writeReports } from '../reports/reporterOption.ts'
import { TargetError } from '../suite/run.ts'
import { type ReplayFlags, type ReplaySettings, replayOptions, replayVariableOf } from './options.ts'
import { replayReporters } from './reporters.ts'
import { type ReplayPlan, replay } from './run.ts'

export async function runReplay(file: string, target: string, { reporter = [], ...flags }: ReplayFlags): Promise<void> {
  makeWritable(reporter)
  const settings: ReplaySettings = { ...readVariables(replayOptions, process.env, replayVariableOf), ...flags }
  const { signal, release } = onInterrupt()
  const { isTTY } = process.stderr
  const clear = () => void (isTTY && process.stderr.write(clearLine))
  try {
    const report = await replay(file, target, {
      ...settings,
      signal,
      onPlan: plan => process.stderr.write(`${planText(file, plan, settings.speed ?? 1)}\n`),
      ...(isTTY && {
        onProgress: ({ sent, of, differences }) =>
          process.stderr.write(
            `${clearLine}[${sent}/${of}]${differences > 0 ? ` ${plural(differences, 'difference')}` : ''}`,
          ),
      }),
    })
    clear()
    writeReports(report, reporter, replayReporters)
    process.exitCode = report.ok ? 0 : 1
  } catch (error) {
    clear()
    if (!(error instanceof TargetError)) throw error
    console.error(`understudy: ${target}: ${error.message}`)
    process.exitCode = 3
  } finally {
    release()
  }
}

/** What is about to be sent: on stderr, before anything is. */
function planText(file: string, { target, calls, keys, aided, ms }: ReplayPlan, speed: number | 'instant'): string {
  const mock = aided ? '   a mock: keys are drawn, and its scenarios and clock follow the recording' : ''
  const takes = speed === 'instant' ? 'without its gaps' : `in ${formatDuration(ms / speed)} or more`
  return `understudy replay ${file} ${target}${mock}\n${plural(calls, 'call')} of ${plural(keys, 'key')}, ${takes}`
}
