/** rehearse(): the user's own program, run once under each scenario, and what its conduct was in each. */

import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monotonicMs } from '../base/clock.ts'
import { defined } from '../base/inputs.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { refuseRenamed } from '../base/renamed.ts'
import { tagOf } from '../base/seed.ts'
import { formatDuration, plural } from '../base/text.ts'
import type { RunningMock } from '../client/mock.ts'
import { isRulePassed } from '../conduct/grade.ts'
import type { ConductReport } from '../conduct/report.ts'
import { conductReporters } from '../conduct/reporters/index.ts'
import { allPaths, pathsTried } from '../conduct/rules/goLive.ts'
import { countVerdicts, summaryText } from '../contracts/verdict.ts'
import { reportVersion } from '../reports/document.ts'
import { Library } from '../server/scenarios/library.ts'
import { startMock } from '../server/start.ts'
import { type RehearseSettings, rehearseOptions } from './options.ts'

import { type Ended, runProgram } from './program.ts'
import type { Rehearsal, RehearsedRule, RehearsedScenario } from './report.ts'

export interface RehearseOptions extends RehearseSettings {
  /** The program and its arguments; {url}, {key}, {secret} and {scenario} in them stand for the mock's. */
  command: readonly [string, ...string[]]
  /** What its environment is, beside the variables that lead it to the mock. */
  environment: Readonly<Record<string, string | undefined>>
  /** Ends the rehearsal early; the report then says what was done. */
  signal?: AbortSignal
  onProgress?: (progress: RehearseProgress) => void
}

export type RehearseProgress =
  | { type: 'started'; scenario: string; of: number }
  | { type: 'ended'; scenario: string; of: number; done: number; result: RehearsedScenario }

/** The run without a scenario: what is wrong there is wrong everywhere. */
export const noScenario = 'none'

/**
 * Starts a mock for each scenario and runs the program against it. Throws a ConfigError for a scenario that there is not,
 * and for a program that can't be started. Writes for each scenario a folder with what the program printed, its conduct
 * (json, html, txt) and all its calls (journal.har).
 */
export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  refuseRenamed(options)
  const settings = { ...defaults(), ...defined(options) }
  const names = scenariosOf(settings)
  makeFolder(settings.out)
  const startedAt = new Date().toISOString()
  const begunAt = monotonicMs()
  const found: { result: RehearsedScenario; report: ConductReport }[] = []
  const waiting = [...names.keys()]
  const { signal, onProgress } = options

  async function work(): Promise<void> {
    for (let i = waiting.shift(); i !== undefined && !signal?.aborted; i = waiting.shift()) {
      const scenario = names[i] as string
      onProgress?.({ type: 'started', scenario, of: names.length })
      const one = await rehearseOne(scenario, settings)
      found[i] = one
      const done = found.filter(Boolean).length
      onProgress?.({ type: 'ended', scenario, of: names.length, done, result: one.result })
    }
  }

  await Promise.all(Array.from({ length: Math.min(settings.jobs, names.length) }, work))
  const done = found.filter(Boolean)
  const scenarios = done.map(({ result }) => result)
  const rules = rulesOf(done.map(({ result, report }) => ({ scenario: result.scenario, report })))
  const summary = countVerdicts(rules)
  const missing = (settings.require ?? []).filter(
    name =>
      !isRulePassed(
        done.flatMap(({ report }) => report.rules),
        name,
      ),
  )
  const bad = scenarios.filter(({ verdict }) => verdict !== 'passed').length
  const isWhole = done.length === names.length
  return {
    schema_version: reportVersion,
    understudy: packageVersion,
    command: options.command.join(' '),
    started_at: startedAt,
    ms: Math.round(monotonicMs() - begunAt),
    ok: bad === 0 && missing.length === 0 && isWhole,
    why: [
      `${plural(scenarios.length, 'scenario')}, ${bad} failed; rules: ${summaryText(summary)}`,
      ...(missing.length > 0 ? [`required, but not passed: ${missing.join(', ')}`] : []),
      ...(isWhole ? [] : [`it was stopped after ${done.length} of ${names.length}`]),
    ].join('; '),
    summary,
    scenarios,
    rules,
  }
}

/** Before the first run: what it leaves has to have a place. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw new ConfigError(`--out ${JSON.stringify(folder)} can't be written: ${(error as Error).message}`)
  }
}

const defaults = () => ({
  timeout: rehearseOptions.timeout.default(),
  jobs: rehearseOptions.jobs.default(),
  speed: rehearseOptions.speed.default(),
  maxPollTime: rehearseOptions.maxPollTime.default(),
  out: rehearseOptions.out.default(),
  seed: rehearseOptions.seed.default(),
})

type Settings = RehearseOptions & ReturnType<typeof defaults>

function scenariosOf({ scenario, scenarios }: Settings): string[] {
  const library = new Library(scenarios)
  if (scenario === undefined) {
    const broken = library.list().find(({ problems = [] }) => problems.length > 0)
    if (broken !== undefined)
      throw new ConfigError(
        `the scenario ${broken.name} can't be played; see understudy scenarios validate ${broken.name}`,
      )
    return [noScenario, ...library.list().map(({ name }) => name)]
  }
  for (const name of scenario) if (name !== noScenario) library.nameOrFile(name)
  const folders = scenario.map(folderOf)
  const twice = scenario.find((_, i) => folders.indexOf(folders[i] as string) !== i)
  if (twice !== undefined)
    throw new ConfigError(`--scenario names ${JSON.stringify(twice)} twice, or another of the same folder`)
  return [...scenario]
}

const folderOf = (scenario: string): string => scenario.replace(/[^\w.-]+/g, '_')

async function rehearseOne(
  scenario: string,
  settings: Settings,
): Promise<{ result: RehearsedScenario; report: ConductReport }> {
  const secret = `whsec_${tagOf(24, settings.seed, scenario)}`
  const mock = await startMock({
    seed: settings.seed,
    speed: settings.speed,
    webhookSecret: secret,
    ...defined({ scenarios: settings.scenarios }),
    ...(scenario !== noScenario && { scenario }),
  })
  const folder = join(settings.out, folderOf(scenario))
  try {
    mkdirSync(folder, { recursive: true })
    const key = `test_${tagOf(16, settings.seed, scenario, 'key')}`
    const places = { url: mock.url, key, secret, scenario }
    const ended = await runProgram({
      command: settings.command.map(word => filled(word, places)),
      environment: { ...settings.environment, ...variablesOf(places, settings.env ?? []) },
      log: join(folder, 'output.log'),
      timeoutMs: settings.timeout,
      ...defined({ signal: settings.signal }),
    })
    const report = mock.conduct(undefined, {
      maxPollTime: settings.maxPollTime,
      ended: ended.finished,
    })
    const result = resultOf(scenario, ended, report, mock, folder)
    writeReports(folder, { ...report, source: `${settings.command.join(' ')} under ${scenario}` }, mock)
    return { result, report }
  } finally {
    await mock.close()
  }
}

/** The placeholders of the command and of --env. */
const filled = (text: string, places: Readonly<Record<string, string>>): string =>
  text.replace(/\{(url|key|secret|scenario)\}/g, (_, name: string) => places[name] as string)

function variablesOf(places: Readonly<Record<string, string>>, own: readonly string[]): Record<string, string> {
  const given = own.map(line => {
    const at = line.indexOf('=')
    return [line.slice(0, at), filled(line.slice(at + 1), places)] as const
  })
  return {
    UNDERSTUDY_BASE_URL: places.url as string,
    UNDERSTUDY_API_KEY: places.key as string,
    UNDERSTUDY_SIGNING_SECRET: places.secret as string,
    UNDERSTUDY_REHEARSAL: places.scenario as string,
    ...Object.fromEntries(given),
  }
}

/** A program may well fail in a scenario, but not without one, and it never breaks down. */
function crashText(scenario: string, exitCode: number | null, signal: string | undefined): string | undefined {
  if (signal !== undefined) return `it was ended by ${signal}`
  return scenario === noScenario && exitCode !== 0
    ? `it failed with exit ${exitCode}, though nothing was wrong`
    : undefined
}

/** A program that makes no call for so long, and does not end, hangs. */
const quietMs = 30_000

function resultOf(
  scenario: string,
  { finished, exitCode, signal, ms }: Ended,
  { calls, summary, rules }: ConductReport,
  mock: RunningMock,
  folder: string,
): RehearsedScenario {
  const failed = rules.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id)
  const last = mock.journal.entries({ kind: 'exchange' }).at(-1)
  const quiet = last === undefined ? ms : mock.clock.now() - Date.parse(last.time)
  const why =
    calls === 0
      ? 'it made no call: does it read UNDERSTUDY_BASE_URL?'
      : finished
        ? crashText(scenario, exitCode, signal)
        : quiet > Math.min(quietMs, ms / 2)
          ? `it hung: no call for ${formatDuration(quiet)}, and no end`
          : `it did not end in ${formatDuration(ms)}; if it would give up later, raise --timeout`
  return {
    scenario,
    exit_code: exitCode,
    ...(signal !== undefined && { signal }),
    finished,
    ms: Math.round(ms),
    verdict: why === undefined && failed.length === 0 ? 'passed' : 'failed',
    conduct: summary,
    failed,
    ...(why !== undefined && { why }),
    folder,
  }
}

function writeReports(folder: string, report: ConductReport, mock: RunningMock): void {
  writeFileSync(join(folder, 'conduct.json'), conductReporters.json(report))
  writeFileSync(join(folder, 'conduct.html'), conductReporters.html(report))
  writeFileSync(join(folder, 'conduct.txt'), conductReporters.pretty(report))
  writeFileSync(join(folder, 'journal.har'), mock.journal.har())
}

function rulesOf(reports: readonly { scenario: string; report: ConductReport }[]): RehearsedRule[] {
  const [first] = reports
  return (first?.report.rules ?? []).map(({ id, clause, title, advice }) => {
    const verdicts = reports.map(({ scenario, report }) => ({
      scenario,
      verdict: report.rules.find(rule => rule.id === id)?.verdict,
    }))
    const failed = verdicts.filter(({ verdict }) => verdict === 'failed').map(({ scenario }) => scenario)
    // Nobody goes all paths of GO-5 in one run: that is what the scenarios are for.
    const gone = new Set(reports.flatMap(({ report }) => report.paths))
    const isPassed =
      verdicts.some(({ verdict }) => verdict === 'passed') ||
      (id === pathsTried.id && allPaths.every(path => gone.has(path)))
    return {
      id,
      clause,
      title,
      verdict: failed.length > 0 ? 'failed' : isPassed ? 'passed' : 'skipped',
      scenarios: failed,
      advice,
    }
  })
}
