/** What `understudy rehearse` does: the runs, their progress, the table, the exit code. */

import { readVariables } from '../base/flags.ts'
import { ConfigError } from '../base/options.ts'
import { clearLine } from '../reports/ansi.ts'
import { makeWritable, onInterrupt, writeReports } from '../reports/reporterOption.ts'
import { type RehearseFlags, type RehearseSettings, rehearseOptions } from './options.ts'
import { rehearsalReporters } from './reporters.ts'
import { type RehearseProgress, rehearse } from './run.ts'

export async function runRehearse(words: string[], { reporter = [], ...flags }: RehearseFlags): Promise<void> {
  const [program, ...rest] = words
  if (program === undefined)
    throw new ConfigError(
      'no command was given; expected one behind --, such as understudy rehearse -- node my-client.js',
    )
  const settings: RehearseSettings = { ...readVariables(rehearseOptions, process.env), ...flags }
  const seed = settings.seed ?? rehearseOptions.seed.default()
  makeWritable(reporter)
  const { signal, release } = onInterrupt()
  const progress = progressOn(process.stderr)
  process.stderr.write(`understudy rehearse: ${words.join(' ')}   seed: ${seed}\n`)
  try {
    const report = await rehearse({
      ...settings,
      seed,
      command: [program, ...rest],
      environment: process.env,
      signal,
      onProgress: progress.show,
    })
    progress.clear()
    writeReports(report, reporter, rehearsalReporters)
    process.exitCode = report.ok ? 0 : 1
  } finally {
    progress.clear()
    release()
  }
}

/** In place on a terminal; a line for each scenario that has ended elsewhere. */
function progressOn(stream: NodeJS.WriteStream) {
  const { isTTY } = stream
  const clear = isTTY ? clearLine : ''
  const underway = new Set<string>()
  let done = 0
  return {
    show: (progress: RehearseProgress) => {
      if (progress.type === 'started') underway.add(progress.scenario)
      else {
        underway.delete(progress.scenario)
        done = progress.done
        const { scenario, verdict, why, failed } = progress.result
        const told = [...failed, ...(why === undefined ? [] : [why])].join(', ')
        if (!isTTY || verdict !== 'passed')
          stream.write(`${clear}[${done}/${progress.of}] ${scenario}: ${[verdict, told].filter(Boolean).join(' ')}\n`)
      }
      if (isTTY && underway.size > 0)
        stream.write(
          `${clear}${`[${done}/${progress.of}] ${[...underway].join(', ')}`.slice(0, (stream.columns || 80) - 1)}`,
        )
    },
    clear: () => void stream.write(clear),
  }
}
