/** rehearse(): the user's own program, run once under each scenario, and what its conduct was in each. */

import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { monotonicMs } from '../base/clock.ts'
import { defined } from '../base/inputs.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { refuseRenamed } from '../base/renamed.ts'
import { tagOf } from '../base/seed.ts'
import { formatDuration, plural } from '../base/text.ts'
import type { ExchangeEntry, RunningMock } from '../client/mock.ts'
import { readExpectedRules } from '../conduct/expected.ts'
import { isFailing, isRulePassed } from '../conduct/grade.ts'
import type { ConductReport } from '../conduct/report.ts'
import { conductReporters } from '../conduct/reporters/index.ts'
import { allPaths, pathsTried } from '../conduct/rules/goLive.ts'
import { jitter } from '../conduct/rules/retries.ts'
import { countVerdicts, summaryText } from '../contracts/verdict.ts'
import { reportVersion } from '../reports/document.ts'
import { type ExpectedFailures, settleExpected } from '../reports/expectedFailures.ts'
import type { Scenario } from '../server/scenarios/compiledScenario.ts'
import { Library } from '../server/scenarios/library.ts'
import { startMock } from '../server/start.ts'
import { hasComeUp } from './cameUp.ts'
import { type RehearseSettings, rehearseOptions } from './options.ts'

import { type Ended, runProgram } from './program.ts'
import type { Rehearsal, RehearsedRule, RehearsedScenario } from './report.ts'
import { fillPlaceholders, nextSecretOf, variablesFor } from './variables.ts'
import { type ScenarioReport, waitsTogether } from './waitsTogether.ts'

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
/** A scenario that lasts longer is a slow one, ms. */
const fastMs = 5_000
/** Slow ones mostly wait: so many run beside the others. */
const slowAtOnce = 16

/** A scenario to be run, and what the library has of it; undefined for the run without one. */
interface Part {
  name: string
  scenario: Scenario | undefined
}

/**
 * Starts a mock for each scenario and runs the program against it. Throws a ConfigError for a scenario that there is not,
 * and for a program that can't be started. Writes for each scenario a folder with what the program printed, its conduct
 * (json, html, txt) and all its calls (journal.har).
 */
export async function rehearse(options: RehearseOptions): Promise<Rehearsal> {
  refuseRenamed(options)
  const settings = { ...defaults(), ...defined(options) }
  const { expectedFailures } = settings
  const parts = scenariosOf(settings)
  const isScenario = (name: string): boolean => parts.some(part => part.name === name) || isInLibrary(name, settings)
  const list = expectedFailures === undefined ? undefined : readExpectedRules(expectedFailures, isScenario)
  makeFolder(settings.out)
  const startedAt = new Date().toISOString()
  const begunAt = monotonicMs()
  const found: { result: RehearsedScenario; report: ConductReport }[] = []
  const isSlow = (i: number): boolean => (parts[i]?.scenario?.lastsMs ?? 0) > fastMs
  const all = [...parts.keys()]
  const [fast, slow] = [all.filter(i => !isSlow(i)), all.filter(isSlow)]
  const { signal, onProgress } = options

  async function work(waiting: number[]): Promise<void> {
    for (let i = waiting.shift(); i !== undefined && !signal?.aborted; i = waiting.shift()) {
      const part = parts[i] as Part
      const about = { scenario: part.name, of: parts.length }
      onProgress?.({ type: 'started', ...about })
      const one = await rehearseOne(part, settings, list)
      found[i] = one
      const done = found.filter(Boolean).length
      onProgress?.({ type: 'ended', ...about, done, result: one.result })
    }
  }

  const workers = (count: number, waiting: number[]) =>
    Array.from({ length: Math.min(count, waiting.length) }, () => work(waiting))
  await Promise.all([...workers(settings.jobs, fast), ...workers(slowAtOnce, slow)])
  const done = found.filter(Boolean)
  const scenarios = done.map(({ result }) => result)
  const reports = done.map(({ result, report }) => ({ scenario: result.scenario, report }))
  const settled = list && settleExpected(list, resultsIn(reports))
  const isExpected = (scenario: string, name: string): boolean =>
    settled?.isExpected({ name, scenario, verdict: 'failed' }) === true
  const rules = rulesOf(reports, isExpected)
  const summary = countVerdicts(rules)
  const missing = (settings.require ?? []).filter(
    name =>
      !isRulePassed(
        done.flatMap(({ report }) => report.rules),
        name,
      ),
  )
  const bad = scenarios.filter(({ verdict }) => verdict === 'failed').length
  const skipped = scenarios.filter(({ verdict }) => verdict === 'skipped').length
  const nothing = scenarios.length > 0 && skipped === scenarios.length
  const isWhole = done.length === parts.length
  // What only several runs show fails none of them.
  const shown = rules.filter(rule => rule.said !== undefined && settings.level === 'should' && !rule.expected)
  return {
    schema_version: reportVersion,
    understudy: packageVersion,
    command: options.command.join(' '),
    started_at: startedAt,
    ms: Math.round(monotonicMs() - begunAt),
    ok: bad + missing.length + shown.length + (settled?.problems ?? []).length === 0 && isWhole && !nothing,
    why: [
      `${plural(scenarios.length, 'scenario')}, ${bad} failed${skipped > 0 ? `, ${skipped} did not come up` : ''}; rules: ${summaryText(summary)}`,
      ...(settled?.note ?? []),
      ...(nothing ? ['nothing was seen: no scenario came up'] : []),
      ...(missing.length > 0 ? [`required, but not passed: ${missing.join(', ')}`] : []),
      ...(isWhole ? [] : [`it was stopped after ${done.length} of ${parts.length}`]),
      ...(settled?.problems ?? []),
    ].join('; '),
    summary,
    level: settings.level,
    rule_set: settings.rules,
    ...(settled && { expected: settled.report }),
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
  level: rehearseOptions.level.default(),
  rules: rehearseOptions.rules.default(),
})

type Settings = RehearseOptions & ReturnType<typeof defaults>

function scenariosOf({ scenario, scenarios, slow = false }: Settings): Part[] {
  const library = new Library(scenarios)
  if (scenario === undefined) {
    const broken = library.list().find(({ problems = [] }) => problems.length > 0)
    if (broken !== undefined)
      throw new ConfigError(
        `the scenario ${broken.name} can't be played; see understudy scenarios validate ${broken.name}`,
      )
    const all = library.list().map(({ name, scenario: one }): Part => ({ name, scenario: one }))
    return [without, ...all.filter(part => slow || (part.scenario?.lastsMs ?? 0) <= fastMs)]
  }
  const parts = scenario.map(name => (name === noScenario ? without : { name, scenario: library.nameOrFile(name) }))
  const folders = scenario.map(folderOf)
  const twice = scenario.find((_, i) => folders.indexOf(folders[i] as string) !== i)
  if (twice !== undefined)
    throw new ConfigError(`--scenario names ${JSON.stringify(twice)} twice, or another of the same folder`)
  return parts
}

/** A list may name scenarios that are not run this time. */
const isInLibrary = (name: string, { scenarios }: Settings): boolean =>
  name === noScenario || new Library(scenarios).names().includes(name)

const without: Part = { name: noScenario, scenario: undefined }

const folderOf = (scenario: string): string => scenario.replace(/[^\w.-]+/g, '_')

async function rehearseOne(
  { name: scenario, scenario: played }: Part,
  settings: Settings,
  list: ExpectedFailures | undefined,
): Promise<{ result: RehearsedScenario; report: ConductReport }> {
  const secret = `whsec_${tagOf(24, settings.seed, scenario)}`
  const folder = join(settings.out, folderOf(scenario))
  const ca = settings.tls ? join(resolve(folder), 'ca.pem') : undefined
  if (ca !== undefined) mkdirSync(folder, { recursive: true })
  const mock = await startMock({
    seed: settings.seed,
    speed: settings.speed,
    // How the program behaves is graded, and it is not to wait for ffmpeg under each scenario.
    outputs: 'canned',
    webhookSecret: secret,
    webhookNextSecret: nextSecretOf(secret),
    ...defined({ scenarios: settings.scenarios }),
    ...(scenario !== noScenario && { scenario }),
    ...(ca !== undefined && { tlsCaOut: ca }),
  })
  try {
    mkdirSync(folder, { recursive: true })
    const key = `test_${tagOf(16, settings.seed, scenario, 'key')}`
    const places = { url: mock.url, key, secret, scenario, ca: ca ?? '' }
    const ended = await runProgram({
      command: settings.command.map(word => fillPlaceholders(word, places)),
      environment: {
        ...settings.environment,
        ...variablesFor(
          { ...places, UNDERSTUDY_REHEARSAL: scenario, ...(ca !== undefined && { NODE_EXTRA_CA_CERTS: ca }) },
          settings.env ?? [],
        ),
      },
      log: join(folder, 'output.log'),
      timeoutMs: settings.timeout + (played?.lastsMs ?? 0),
      ...defined({ signal: settings.signal }),
    })
    const report = mock.conduct(undefined, {
      maxPollTime: settings.maxPollTime,
      ended: ended.finished,
      alone: true,
      level: settings.level,
      rules: settings.rules,
      ...defined({ stoppedAt: ended.stoppedAt, silentSince: ended.silentSince }),
    })
    const isExpected = (rule: string): boolean =>
      list?.lines.some(line => line.name === rule && (line.scenario ?? scenario) === scenario) === true
    const result = resultOf({ scenario, played, ended, report, mock, folder, isExpected })
    writeReports(folder, { ...report, source: `${settings.command.join(' ')} under ${scenario}` }, mock)
    return { result, report }
  } finally {
    await mock.close()
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

interface RunFacts {
  scenario: string
  played: Scenario | undefined
  ended: Ended
  report: ConductReport
  mock: RunningMock
  folder: string
  isExpected: (rule: string) => boolean
}

function resultOf({ scenario, played, ended, report, mock, folder, isExpected }: RunFacts): RehearsedScenario {
  const { finished, exitCode, signal, ms } = ended
  const { calls, summary, rules, level } = report
  const all = rules.filter(({ verdict }) => verdict === 'failed')
  const failed = all.filter(rule => isFailing(rule, level) && !isExpected(rule.id)).map(({ id }) => id)
  const why =
    calls === 0
      ? 'it made no call: does it read UNDERSTUDY_BASE_URL?'
      : finished
        ? crashText(scenario, exitCode, signal)
        : hangText(ended, mock)
  const isIdle = played !== undefined && !hasComeUp(played, mock.journal.entries())
  const isFailed = why !== undefined || failed.length > 0
  return {
    scenario,
    exit_code: exitCode,
    ...(signal !== undefined && { signal }),
    finished,
    ms: Math.round(ms),
    verdict: isFailed ? 'failed' : isIdle ? 'skipped' : 'passed',
    conduct: summary,
    failed,
    noted: all.map(({ id }) => id).filter(id => !failed.includes(id)),
    ...(isFailed ? why !== undefined && { why } : isIdle && { why: 'did not come up: no call of the program met it' }),
    folder,
  }
}

/** Why a program had to be ended: it waits, it does nothing that is seen, or it is still at it. */
function hangText({ ms, stoppedAt = 0 }: Ended, mock: RunningMock): string {
  const calls = mock.journal.entries({ kind: 'exchange' })
  const last = calls.at(-1)
  const quiet = last === undefined ? ms : stoppedAt - Date.parse(last.time)
  const silent = calls.filter(({ fault }) => fault === 'no_answer' || fault === 'stall_body')
  // Who has given such a call up before will give this one up too.
  if (last !== undefined && silent.at(-1) === last && (silent.length === 1 || quiet > ms / 2))
    return `it was still waiting for an answer after ${formatDuration(quiet)}: it has no time-out, or one that is longer than --timeout`
  return quiet > Math.min(quietMs, ms / 2)
    ? `it hung: no call for ${formatDuration(quiet)}, and no end${askedText(last)}`
    : `it did not end in ${formatDuration(ms)}; if it would give up later, raise --timeout`
}

/** It may wait for what it was told, or has read out of it. */
function askedText(last: ExchangeEntry | undefined): string {
  const asked = last?.response?.headers['retry-after']
  return asked === undefined ? '' : `; its last answer said Retry-After ${JSON.stringify(asked)}`
}

function writeReports(folder: string, report: ConductReport, mock: RunningMock): void {
  writeFileSync(join(folder, 'conduct.json'), conductReporters.json(report))
  writeFileSync(join(folder, 'conduct.html'), conductReporters.html(report))
  writeFileSync(join(folder, 'conduct.txt'), conductReporters.pretty(report))
  writeFileSync(join(folder, 'journal.har'), mock.journal.har())
}

const resultsIn = (reports: readonly ScenarioReport[]) =>
  reports.flatMap(({ scenario, report }) => report.rules.map(({ id, verdict }) => ({ name: id, scenario, verdict })))

function rulesOf(
  reports: readonly ScenarioReport[],
  isExpected: (scenario: string, rule: string) => boolean,
): RehearsedRule[] {
  const [first] = reports
  return (first?.report.rules ?? []).map(({ id, clause, level, title, advice }) => {
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
    const together = id === jitter.id && failed.length === 0 ? waitsTogether(reports) : undefined
    const isFailed = failed.length > 0 || together?.isRigid === true
    const isUnclear = verdicts.some(({ verdict }) => verdict === 'inconclusive')
    return {
      id,
      clause,
      level,
      title,
      verdict: isFailed
        ? 'failed'
        : isPassed || together?.isRigid === false
          ? 'passed'
          : isUnclear
            ? 'inconclusive'
            : 'skipped',
      scenarios: failed.length > 0 ? failed : isFailed ? (together?.scenarios ?? []) : [],
      ...(together?.isRigid === true && { said: together.said }),
      ...(isFailed &&
        (failed.length > 0 ? failed : (together?.scenarios ?? [])).every(scenario => isExpected(scenario, id)) && {
          expected: true,
        }),
      advice,
    }
  })
}
