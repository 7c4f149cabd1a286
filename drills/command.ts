/** `understudy drill`: load, rate limits and outages, with a verdict. Each drill is a verb of its own, with its options. */

import { readFileSync } from 'node:fs'
import { type Command, CommanderError } from 'commander'
import { type CommandIo, type Environment, type ExitCode, hasColor, writeJson, writeLine } from '../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../base/flags.ts'
import { ConfigError, flagOf, type OptionRow } from '../base/options.ts'
import { atTarget } from '../base/targetError.ts'
import { plural } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import {
  type Chosen,
  makeWritable,
  reporterOption,
  reporterText,
  styleOf,
  writeReports,
} from '../reports/reporterOption.ts'
import { compareDrills, readDrillReport } from './compare.ts'
import { k6Script } from './k6.ts'
import { liveOn } from './live.ts'
import { commonOptions } from './named/drill.ts'
import { drills } from './named/index.ts'
import { type DrillOptionName, type DrillSettings, defaultText, drillOptions, timeText } from './options.ts'
import type { DrillName } from './report.ts'
import { comparisonJson, comparisonText } from './reporters/comparison.ts'
import { drillReporters } from './reporters/index.ts'
import { type DrillReporterName, drillReporterHelp } from './reporters/names.ts'
import { type DrillPlan, drill, prepared } from './run.ts'

interface DrillFlags extends DrillSettings {
  reporter?: Chosen<DrillReporterName>[]
}

const drillNames = Object.keys(drills) as DrillName[]

export const setUpDrill: VerbSetup = (verb, run) => {
  verb
    .command('list')
    .description('list the drills with their clauses and thresholds')
    .option(...jsonFlag)
    .action(
      run(({ stdout }, { json }: { json?: boolean }) => {
        if (json) {
          const all = Object.entries(drills)
          writeJson(stdout, {
            drills: all.map(([name, { title, clauses, thresholds }]) => ({ name, title, clauses, thresholds })),
          })
          return 0
        }
        for (const [name, { title, clauses, thresholds }] of Object.entries(drills)) {
          writeLine(stdout, `${name.padEnd(8)} ${title}`)
          writeLine(stdout, `${' '.repeat(9)}${clauses.join(' ')}; ${thresholds.join(', ')}`)
        }
        return 0
      }),
    )
  for (const name of drillNames)
    addDrill(verb, name).action(run((io, target: string, flags: DrillFlags) => runDrill(io, name, target, flags)))
  verb
    .command('compare')
    .argument('<A.json>')
    .argument('<B.json>')
    .description('compare two reports: the ratio of each number, and whether it is more than noise')
    .option('--json', 'as JSON')
    .action(
      run(({ stdout, env }, a: string, b: string, { json }: { json?: boolean }) => {
        const comparison = compareDrills(readReport(a), readReport(b))
        const text = json ? comparisonJson(comparison) : comparisonText(comparison, styleOf(stdout, env))
        stdout.write(`${text.trimEnd()}\n`)
        return 0
      }),
    )
  const exporting = verb.command('export').description('export a drill for another tool')
  const k6 = exporting.command('k6').description('export a drill as a script for k6, such as to run it on a cluster')
  for (const name of drillNames)
    addDrillOptions(
      k6
        .command(name)
        .argument('<base-url>', 'the target of the script, unless BASE_URL is set')
        .description(`write ${name} as a script for k6 to stdout`),
      name,
    ).action(
      run(({ stdout, env }, target: string, flags: DrillSettings) => {
        stdout.write(k6Script({ drill: name, ...prepared(name, target, settingsOf(name, flags, env)) }))
        return 0
      }),
    )
}

function addDrill(verb: Command, name: DrillName): Command {
  const { title, thresholds } = drills[name]
  const command = verb
    .command(name)
    .description(title)
    .argument('<base-url>', 'where the API is, such as http://127.0.0.1:4010')
  return addDrillOptions(command, name)
    .addOption(reporterOption(drillReporterHelp))
    .addHelpText(
      'after',
      `\nThresholds, unless --threshold says otherwise:\n  ${thresholds.join('\n  ')}\n${reporterText(drillReporterHelp)}`,
    )
}

/** The options that the drill takes, each with its default there. */
function addDrillOptions(command: Command, name: DrillName): Command {
  const table = Object.entries(rowsOf(name)).map(([option, row]) => [
    option,
    { ...row, defaultText: defaultText(option as DrillOptionName, drills[name].defaults, row) },
  ])
  return addOptions(command, Object.fromEntries(table), 'drill').exitOverride(error => {
    throw namingTakers(error)
  })
}

const rowsOf = (name: DrillName): Record<string, OptionRow> =>
  Object.fromEntries([...drills[name].takes, ...commonOptions].map(option => [option, drillOptions[option]]))

/** An option of other drills: names those that take it. */
function namingTakers(error: CommanderError): CommanderError {
  const flag = /^error: unknown option '(--[\w-]+)/.exec(error.message)?.[1]
  const option = Object.keys(drillOptions).find(name => flagOf(name) === flag)
  const takers = drillNames.filter(name => (drills[name].takes as readonly string[]).includes(option ?? ''))
  if (takers.length === 0) return error
  return new CommanderError(
    error.exitCode,
    error.code,
    `error: unknown option '${flag}'\n(taken by ${takers.join(', ')})`,
  )
}

async function runDrill(
  { stdout, stderr, env, signal }: CommandIo,
  name: DrillName,
  target: string,
  { reporter = [], ...flags }: DrillFlags,
): Promise<ExitCode> {
  makeWritable(reporter)
  let live: ReturnType<typeof liveOn> | undefined
  const drilling = drill(name, target, {
    ...settingsOf(name, flags, env),
    signal,
    onPlan: plan => writeLine(stderr, planText(plan)),
    onStart: session => {
      live = liveOn(stderr, session, { title: `drill ${name}`, color: hasColor(stderr, env) })
    },
  })
  const report = await atTarget(target, drilling).finally(() => live?.stop())
  writeReports({ stdout, env }, report, reporter, drillReporters)
  return report.ok ? 0 : 1
}

/** A flag wins over its variable. */
const settingsOf = (name: DrillName, flags: DrillSettings, environment: Environment): DrillSettings => ({
  ...readVariables(rowsOf(name), environment, 'drill'),
  ...flags,
})

/** The most that the drill does: on stderr, before anything is sent. */
function planText({ drill, target, seed, rate, requests, ms, jobs, ...bounds }: DrillPlan): string {
  const { maxRate, maxRequests, maxTime } = bounds
  const parts = [
    `up to ${plural(requests, 'request')}`,
    ...(rate === undefined ? [] : [`up to ${rate}/s`]),
    ...(jobs > 0 ? [plural(jobs, 'job')] : []),
    ...(ms > 0 ? [`up to ${timeText(ms)}`] : []),
  ]
  const caps = [
    ...(maxRate === undefined ? [] : [`${maxRate}/s`]),
    ...(maxRequests === undefined ? [] : [plural(maxRequests, 'request')]),
    ...(maxTime === undefined ? [] : [timeText(maxTime)]),
  ]
  const bound = caps.length > 0 ? `; it ends at ${caps.join(', ')}` : ''
  return `understudy drill ${drill} ${target}   seed: ${seed}\n${parts.join(', ')}${bound}`
}

function readReport(file: string): ReturnType<typeof readDrillReport> {
  try {
    return readDrillReport(readFileSync(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${file} can't be read: ${(error as Error).message}`)
  }
}
