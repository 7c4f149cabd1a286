/** What `understudy drill` does: the run, its live view, its reports, its exit code. */

import { readFileSync } from 'node:fs'
import { ConfigError } from '../base/options.ts'
import { plural } from '../base/text.ts'
import { type Chosen, makeWritable, onInterrupt, writeReports } from '../reports/reporterOption.ts'
import { TargetError } from '../suite/run.ts'
import { compareDrills, readDrillReport } from './compare.ts'
import { k6Script } from './k6.ts'
import { liveOn } from './live.ts'
import { commonOptions } from './named/drill.ts'
import { drills } from './named/index.ts'
import { type DrillSettings, readDrillEnvironment, timeText } from './options.ts'
import type { DrillName } from './report.ts'
import { comparisonJson, comparisonText } from './reporters/comparison.ts'
import { drillReporters } from './reporters/index.ts'
import type { DrillReporterName } from './reporters/names.ts'
import { type DrillPlan, drill, prepared } from './run.ts'

export interface DrillFlags extends DrillSettings {
  reporter?: Chosen<DrillReporterName>[]
}

export async function runDrill(
  name: DrillName,
  target: string,
  { reporter = [], ...flags }: DrillFlags,
): Promise<void> {
  makeWritable(reporter)
  const { signal, release } = onInterrupt()
  const color = process.stderr.isTTY === true && !process.env.NO_COLOR
  let live: ReturnType<typeof liveOn> | undefined
  try {
    const report = await drill(name, target, {
      ...settingsOf(name, flags),
      signal,
      onPlan: plan => process.stderr.write(`${planText(plan)}\n`),
      onStart: session => {
        live = liveOn(process.stderr, session, { title: `drill ${name}`, color })
      },
    })
    live?.stop()
    writeReports(report, reporter, drillReporters)
    process.exitCode = report.ok ? 0 : 1
  } catch (error) {
    live?.stop()
    if (!(error instanceof TargetError)) throw error
    console.error(`understudy: ${target}: ${error.message}`)
    process.exitCode = 3
  } finally {
    release()
  }
}

/** A flag wins over its variable. */
const settingsOf = (name: DrillName, flags: DrillSettings): DrillSettings => ({
  ...readDrillEnvironment(process.env, [...drills[name].takes, ...commonOptions]),
  ...flags,
})

/** What the drill does at the most: on stderr, before anything of it is sent. */
function planText({ drill, target, seed, rate, requests, ms, jobs, ...bounds }: DrillPlan): string {
  const { maxRate, maxRequests, maxTime } = bounds
  const parts = [
    `up to ${plural(requests, 'request')}`,
    ...(rate === undefined ? [] : [`${rate}/s at the most`]),
    ...(jobs > 0 ? [plural(jobs, 'job')] : []),
    ...(ms > 0 ? [`${timeText(ms)} at the most`] : []),
  ]
  const caps = [
    ...(maxRate === undefined ? [] : [`${maxRate}/s`]),
    ...(maxRequests === undefined ? [] : [plural(maxRequests, 'request')]),
    ...(maxTime === undefined ? [] : [timeText(maxTime)]),
  ]
  const bound = caps.length > 0 ? `; it ends at ${caps.join(', ')}` : ''
  return `understudy drill ${drill} ${target}   seed: ${seed}\n${parts.join(', ')}${bound}`
}

export function printList(): void {
  for (const [name, { title, clauses, thresholds }] of Object.entries(drills)) {
    console.log(`${name.padEnd(8)} ${title}`)
    console.log(`${' '.repeat(9)}${clauses.join(' ')}; ${thresholds.join(', ')}`)
  }
}

export function compareFiles(a: string, b: string, asJson: boolean): void {
  const [first, second] = [a, b].map(file => readDrillReport(readTextFile(file), file)) as [
    ReturnType<typeof readDrillReport>,
    ReturnType<typeof readDrillReport>,
  ]
  const comparison = compareDrills(first, second)
  const color = process.stdout.isTTY === true && !process.env.NO_COLOR
  const width = process.stdout.columns || undefined
  const text = asJson
    ? comparisonJson(comparison)
    : comparisonText(comparison, { color, ...(width !== undefined && { width }) })
  process.stdout.write(`${text.trimEnd()}\n`)
}

function readTextFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${file} can't be read: ${(error as Error).message}`)
  }
}

export function exportK6(name: DrillName, target: string, flags: DrillSettings): void {
  process.stdout.write(k6Script({ drill: name, ...prepared(name, target, settingsOf(name, flags)) }))
}
