/** mutate(): the user's own tests, run once against each broken mock and each correct one that is different. */

import { monotonicMs } from '../base/clock.ts'
import { defined } from '../base/inputs.ts'
import { ConfigError, refuseUnknown } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { tagOf } from '../base/seed.ts'
import { formatDuration, oneLine, plural, shorten } from '../base/text.ts'
import type { ExchangeEntry, JournalEntry } from '../client/mock.ts'
import { countVerdicts } from '../contracts/verdict.ts'
import { reportVersion } from '../reports/document.ts'
import { readExpectedFailures, settleExpected } from '../reports/expectedFailures.ts'
import { buildApp } from '../server/app.ts'
import { completeConfig } from '../server/config.ts'
import { makeLog } from '../server/log.ts'
import { applyMutant } from '../server/mutants/index.ts'
import type { Mutation } from '../server/mutants/mutation.ts'
import { listen } from '../server/start.ts'
import { allRoutes, type CatalogueEntry, catalogue, chosenEntries, placeName } from './catalogue.ts'
import { exchangeShown } from './evidence.ts'
import { type MutateSettings, mutateOptions } from './options.ts'
import { inOrder } from './order.ts'
import { type MutationReport, type MutationResult, type MutationRun, type Outcome, outcomes } from './report.ts'
import { commandRunner, functionRunner, type Runner, type TestsToRun } from './runners.ts'
import { takenOver } from './since.ts'

export interface MutateOptions extends MutateSettings {
  /** Ends it early; the report then says what is known. */
  signal?: AbortSignal
  onProgress?: (progress: MutateProgress) => void
}

/** A command in the place of a function. */
export interface MutateCommand extends MutateOptions {
  /** The program and its arguments; {url}, {key}, {secret} and {run} in them stand for the mock's. */
  command: readonly [string, ...string[]]
  /** What its environment is, beside the variables that lead it to the mock. */
  environment: Readonly<Record<string, string | undefined>>
}

export type MutateProgress =
  | { type: 'healthy'; run: number; of: number }
  /** `timeoutMs` is what a run has at most. */
  | { type: 'started'; id: string; of: number; timeoutMs: number }
  | { type: 'ended'; id: string; of: number; done: number; result: MutationResult }

/** Runs without a mutant: a suite that is red or flaky by itself says nothing of mutants. */
const healthyRuns = 3
/** A run with a mutant has so many times what the slowest without one took, and this at least, ms. */
const patience = 3
const leastTimeoutMs = 2_000
/** The most that the slowest variant takes longer for an answer, ms. */
const slowMs = 100

/**
 * Runs the tests three times against the healthy mock, then once against each mutant and correct variant that their calls can
 * reach, with a mock of its own for each. Rejects with a ConfigError for tests that are red or flaky without a mutant, that
 * never call the mock, or a selection that is empty.
 */
export const mutate = (tests: TestsToRun, options: MutateOptions = {}): Promise<MutationReport> =>
  mutateBy(functionRunner(tests), options)

/** The same of a command. */
export function mutateCommand({ command, environment, ...options }: MutateCommand): Promise<MutationReport> {
  return mutateBy(commandRunner(command, environment, options.env ?? []), options)
}

const defaults = () => ({
  jobs: mutateOptions.jobs.default(),
  timeout: mutateOptions.timeout.default(),
  speed: mutateOptions.speed.default(),
  rateLimit: mutateOptions.rateLimit.default(),
  jobLimit: mutateOptions.jobLimit.default(),
  credits: mutateOptions.credits.default(),
  seed: mutateOptions.seed.default(),
})

type Settings = MutateOptions & ReturnType<typeof defaults>

async function mutateBy(runner: Runner, options: MutateOptions): Promise<MutationReport> {
  try {
    refuseUnknown(options, [...Object.keys(mutateOptions), 'signal', 'onProgress'])
    return await mutateAll(runner, { ...defaults(), ...defined(options) })
  } finally {
    runner.close()
  }
}

async function mutateAll(runner: Runner, settings: Settings): Promise<MutationReport> {
  const chosen = chosenEntries(settings.only)
  const list =
    settings.expectedFailures === undefined
      ? undefined
      : readExpectedFailures(settings.expectedFailures, {
          nameOf: name => (catalogue.some(({ id }) => id === name) ? name : undefined),
          expected: 'a mutant or a variant of understudy mutate --list',
        })
  const before = settings.since === undefined ? undefined : takenOver(settings.since)
  const startedAt = new Date().toISOString()
  const begunAt = monotonicMs()
  const { runs, entries } = await runHealthy(runner, settings)
  const healthy = reachOf(runs, entries)
  const timeoutMs = Math.max(leastTimeoutMs, patience * Math.max(...runs.map(({ ms }) => ms)))

  const found = new Map<string, MutationResult>()
  const ordered = inOrder(chosen, settings.seed)
  for (const entry of ordered) {
    const why = unreachable(entry, healthy, entries)
    const known = before?.results.get(entry.id)
    if (why !== undefined) found.set(entry.id, resultFor(entry, 'skipped', { why }))
    else if (known !== undefined) found.set(entry.id, { ...known, taken_over: true })
  }
  // In an order of their own: a sample of them has one of each clause too.
  const reachable = inOrder(
    chosen.filter(({ id }) => !found.has(id)),
    settings.seed,
  )
  const waiting = reachable.slice(0, settings.sample)
  const of = waiting.length
  const { signal, onProgress } = settings
  let begun = 0
  let done = 0
  const exchanges = entries.filter(entry => entry.kind === 'exchange')

  async function work(): Promise<void> {
    for (let entry = waiting.shift(); entry !== undefined && !signal?.aborted; entry = waiting.shift()) {
      const itsTimeoutMs = timeoutMs + delayOf(entry, exchanges)
      onProgress?.({ type: 'started', id: entry.id, of, timeoutMs: itsTimeoutMs })
      const result = await judgeEntry(entry, `run-${++begun}`, runner, settings, itsTimeoutMs, exchanges)
      // What was broken off says nothing.
      if (signal?.aborted) return
      found.set(entry.id, result)
      done++
      onProgress?.({ type: 'ended', id: entry.id, of, done, result })
    }
  }
  await Promise.all(Array.from({ length: Math.min(settings.jobs, of) }, work))

  const results = ordered.flatMap(({ id }) => found.get(id) ?? [])
  return summed({
    runner,
    settings,
    startedAt,
    ms: Math.round(monotonicMs() - begunAt),
    healthy,
    results,
    isComplete: done === of && signal?.aborted !== true,
    missing: of - done,
    list,
    takenFrom: before?.command,
  })
}

/** What a slow server adds to a run is no fault of the tests: ms. */
const delayOf = ({ signs }: CatalogueEntry, calls: readonly unknown[]): number =>
  signs.includes('timing') ? slowMs * calls.length : 0

type Healthy = MutationReport['healthy']

/** A mock of its own, with the mutant on; it is gone when the run is over. */
async function runOnce(
  runner: Runner,
  settings: Settings,
  name: string,
  entry: CatalogueEntry | undefined,
  timeoutMs: number,
): Promise<{ run: MutationRun; mutation: Mutation | undefined; entries: JournalEntry[] }> {
  const secret = `whsec_${tagOf(24, settings.seed, 'mutate')}`
  const { speed, rateLimit, jobLimit, credits, seed } = settings
  const config = completeConfig({
    port: 0,
    logLevel: 'silent',
    // Who looks at its headers would notice each mutant.
    mockHeaders: false,
    // Hundreds of runs, none of which is to wait for ffmpeg.
    outputs: 'canned',
    webhookSecret: secret,
    speed,
    rateLimit,
    jobLimit,
    credits,
    seed,
  })
  const app = buildApp(config, await makeLog(config.logLevel))
  const mutation = entry && applyMutant(app, entry.mutant)
  const mock = await listen(app)
  try {
    const key = `test_${tagOf(16, settings.seed, 'mutate', 'key')}`
    const run = await runner.run({ url: mock.url, key, secret, run: name }, timeoutMs, settings.signal)
    return { run, mutation, entries: mutation === undefined ? mock.journal.entries() : [] }
  } finally {
    await mock.close()
  }
}

async function runHealthy(
  runner: Runner,
  settings: Settings,
): Promise<{ runs: MutationRun[]; entries: JournalEntry[] }> {
  const runs: MutationRun[] = []
  const one = async (n: number): Promise<JournalEntry[]> => {
    settings.onProgress?.({ type: 'healthy', run: n, of: healthyRuns })
    const { run, entries } = await runOnce(runner, settings, `healthy-${n}`, undefined, settings.timeout)
    if (settings.signal?.aborted) throw new ConfigError('it was stopped before the runs without a mutant were over')
    runs.push(run)
    if (!entries.some(({ kind }) => kind === 'exchange') && run.green) throw new ConfigError(neverCalled(runner))
    if (!run.green) throw new ConfigError(redText(n, run, settings))
    return entries
  }
  const entries = await one(1)
  // The others together, as those with mutants run: what can't run beside itself is found out now.
  const others = Array.from({ length: healthyRuns - 1 }, (_, i) => i + 2)
  if (settings.jobs > 1) {
    const ended = await Promise.allSettled(others.map(one))
    const failed = ended.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  } else for (const n of others) await one(n)
  return { runs, entries }
}

const neverCalled = ({ name }: Runner): string =>
  `${shorten(oneLine(name), 200)} never called the mock; it was given UNDERSTUDY_BASE_URL and UNDERSTUDY_API_KEY, and {url} and {key} in its arguments: let your tests read them`

function redText(
  n: number,
  { exit_code, signal, timed_out, ms, output = '' }: MutationRun,
  settings: Settings,
): string {
  const how = timed_out
    ? `did not end in ${formatDuration(ms)} (--timeout)`
    : signal !== undefined
      ? `was ended by ${signal}`
      : exit_code === null
        ? 'failed'
        : `failed with exit ${exit_code}`
  const beside =
    n > 1 && settings.jobs > 1 ? '; runs 2 and 3 ran at the same time: if yours can not, pass --jobs 1' : ''
  const limits = /\b429\b|rate_limited/.test(output) ? '; it met a limit: see --rate-limit and --job-limit' : ''
  const tail = output.trim() === '' ? '; it printed nothing' : `; it printed:\n${output.trim()}`
  return `your suite is flaky or red without any mutant: run ${n} of ${healthyRuns} ${how}${beside}${limits}${tail}`
}

/** Which routes were called, and which fields their answers had. */
function reachOf(runs: MutationRun[], entries: readonly JournalEntry[]): Healthy {
  const calls = entries.filter(entry => entry.kind === 'exchange')
  const routes = [...new Set(calls.flatMap(({ route }) => route ?? []))].sort()
  return {
    runs: runs.map(({ output: _, ...run }) => run),
    operations: routes.map(route => {
      const own = calls.filter(call => call.route === route)
      const fields = own.flatMap(({ response }) => Object.keys(fieldsOf(response?.body)))
      return { route, calls: own.length, fields: [...new Set(fields)].sort() }
    }),
    webhooks: entries.filter(({ kind }) => kind === 'webhook').length,
    never_called: allRoutes.filter(route => !routes.includes(route)),
  }
}

const fieldsOf = (body: unknown): object =>
  typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}

/** Why no run is needed to know that a mutant can't show itself; undefined where it may. */
function unreachable(entry: CatalogueEntry, healthy: Healthy, entries: readonly JournalEntry[]): string | undefined {
  const answers = entries.flatMap(one => (one.kind === 'exchange' ? [one.status] : []))
  const { statuses } = entry
  if (statuses?.length === 1 && !answers.some(status => status === statuses[0])) return `no answer was a ${statuses[0]}`
  if (statuses !== undefined && !answers.some(status => status >= 400)) return 'no call was refused'
  if (entry.anywhere || entry.places.length === 0) return undefined
  const names = entry.places.map(placeName)
  const isCalled = (name: string): boolean => {
    if (name === 'webhook') return entries.some(({ kind }) => kind === 'webhook')
    if (name === 'journal') return false
    return healthy.operations.some(({ route }) => route === name)
  }
  if (names.some(isCalled)) return undefined
  const [first = '', ...more] = names
  const which =
    more.length === 0 ? first : `${more.length > 1 ? names.slice(0, -1).join(', ') : first} or ${names.at(-1)}`
  return first === 'webhook'
    ? 'never receives a webhook'
    : first === 'journal'
      ? "never reads the mock's journal"
      : `never calls ${which}`
}

async function judgeEntry(
  entry: CatalogueEntry,
  name: string,
  runner: Runner,
  settings: Settings,
  timeoutMs: number,
  healthyRun: readonly ExchangeEntry[],
): Promise<MutationResult> {
  const first = await runOnce(runner, settings, name, entry, timeoutMs)
  const { run, mutation } = first
  if (mutation?.first === undefined)
    return run.green
      ? resultFor(entry, 'skipped', { runs: [run], why: 'not reached: it changed no answer' })
      : resultFor(entry, 'unclear', {
          runs: [run],
          why: 'the run failed before a changed answer was sent: your suite is flaky, or did not wait for it',
        })
  const exchange = exchangeShown(mutation.first, healthyRun)
  const isMutant = entry.kind === 'mutant'
  if (run.green) return resultFor(entry, isMutant ? 'unnoticed' : 'accepted', { runs: [run], exchange })
  if (settings.signal?.aborted) return resultFor(entry, 'unclear', { runs: [run] })
  // It may have been chance.
  const again = await runOnce(runner, settings, `${name}-again`, entry, timeoutMs)
  const runs = [run, again.run]
  if (again.run.green)
    return resultFor(entry, 'unclear', {
      runs,
      exchange,
      why: 'it failed once and passed once: your suite is flaky here',
    })
  return resultFor(entry, isMutant ? 'noticed' : 'refused', { runs, exchange })
}

const verdictOf: Readonly<Record<Outcome, MutationResult['verdict']>> = {
  noticed: 'passed',
  accepted: 'passed',
  unnoticed: 'failed',
  refused: 'failed',
  skipped: 'skipped',
  unclear: 'inconclusive',
}

function resultFor(
  { id, kind, clause, what, severity, loses, places, signs }: CatalogueEntry,
  outcome: Outcome,
  found: Pick<MutationResult, 'why' | 'exchange'> & { runs?: MutationRun[] },
): MutationResult {
  const { runs = [], why, exchange } = found
  // Only what is to be read on keeps what it printed.
  const isShown = outcome === 'refused' || outcome === 'unclear'
  return {
    id,
    kind,
    clause,
    what,
    ...(severity !== undefined && { severity }),
    ...(loses !== undefined && { loses }),
    operations: places.map(placeName),
    noticeable_by: [...signs],
    outcome,
    verdict: verdictOf[outcome],
    ...(why !== undefined && { why }),
    runs: runs.map(({ output, ...run }) => (isShown && output !== undefined ? { ...run, output } : run)),
    ...(exchange !== undefined && { exchange }),
  }
}

/** "3 of the 7 blind spots are musts" */
const mustText = (musts: number, all: number): string =>
  all === 1
    ? 'the blind spot is a must'
    : `${musts === all ? 'all' : musts} of the ${all} blind spots ${musts === 1 ? 'is a must' : 'are musts'}`

interface Sum {
  runner: Runner
  settings: Settings
  startedAt: string
  ms: number
  healthy: Healthy
  results: MutationResult[]
  isComplete: boolean
  missing: number
  list: ReturnType<typeof readExpectedFailures> | undefined
  /** The command of the report that --since names. */
  takenFrom: string | undefined
}

function summed({
  runner,
  settings,
  startedAt,
  ms,
  healthy,
  results: all,
  isComplete,
  missing,
  list,
  takenFrom,
}: Sum): MutationReport {
  const settled =
    list &&
    settleExpected(
      list,
      all.map(({ id, verdict }) => ({ name: id, verdict })),
    )
  const results = all.map(result =>
    result.verdict === 'failed' && settled?.isExpected({ name: result.id, verdict: 'failed' })
      ? { ...result, expected: true }
      : result,
  )
  const counted = results.filter(({ expected }) => expected !== true)
  const isReached = ({ outcome }: MutationResult): boolean => outcome === 'noticed' || outcome === 'unnoticed'
  const reached = counted.filter(isReached)
  const noticed = reached.filter(({ outcome }) => outcome === 'noticed').length
  const score = reached.length === 0 ? null : Math.round((1000 * noticed) / reached.length) / 10
  const musts = reached.filter(({ outcome, severity }) => outcome === 'unnoticed' && severity === 'must').length
  const counts = Object.fromEntries(
    outcomes.map(outcome => [outcome, results.filter(result => result.outcome === outcome).length]),
  ) as Record<Outcome, number>
  const taken = results.filter(({ taken_over }) => taken_over).length
  const otherCommand = `another command, ${shorten(oneLine(takenFrom ?? ''), 60)}`
  const nothing = isComplete && results.every(({ outcome }) => outcome === 'skipped')
  const problems = [
    ...(settings.minScore !== undefined && (score ?? 0) < settings.minScore
      ? [`the score is below ${settings.minScore} %`]
      : []),
    ...(settings.require === 'must' && musts > 0 ? [`${plural(musts, 'must')} unnoticed`] : []),
    ...(nothing ? ['nothing was reached: no mutant changed an answer'] : []),
    ...(settled?.problems ?? []),
  ]
  const clauses = [...new Set(results.filter(({ kind }) => kind === 'mutant').map(({ clause }) => clause))].sort()
  return {
    schema_version: reportVersion,
    understudy: packageVersion,
    command: runner.name,
    started_at: startedAt,
    ms,
    seed: settings.seed,
    jobs: settings.jobs,
    ok: problems.length === 0 && isComplete,
    why: [
      `${noticed} of ${plural(reached.length, 'mutant')} noticed${score === null ? '' : ` (${score} %)`}`,
      ...(musts > 0 ? [mustText(musts, reached.length - noticed)] : []),
      `${counts.accepted} of ${plural(counts.accepted + counts.refused, 'correct variant')} accepted`,
      ...(counts.skipped > 0 ? [`${counts.skipped} not reached`] : []),
      ...(counts.unclear > 0 ? [`${counts.unclear} unclear`] : []),
      ...(taken > 0 ? [`${taken} taken over${takenFrom === runner.name ? '' : ` from ${otherCommand}`}`] : []),
      ...(settled?.note ?? []),
      ...(isComplete ? [] : [`it was stopped with ${missing} still to run`]),
      ...problems,
    ].join('; '),
    complete: isComplete,
    score,
    summary: countVerdicts(results),
    outcomes: counts,
    ...(settled && { expected: settled.report }),
    healthy,
    clauses: clauses.map(id => {
      const own = reached.filter(({ clause }) => clause === id)
      return { id, noticed: own.filter(({ outcome }) => outcome === 'noticed').length, reached: own.length }
    }),
    results,
  }
}
