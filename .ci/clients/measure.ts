/** Runs one library through each situation, and reads from the mock's journal what it did. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import type { ExchangeEntry } from '../../client/mock.ts'
import type { RuleResult } from '../../conduct/report.ts'
import type { RunningMock } from '../../server/index.ts'
import { type Situation, type SituationName, situationNames, situations, watchedMs } from './situations.ts'

/** How a library's program is started. */
export interface Program {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** What one run of a program was seen to do. */
export interface SeenRun {
  readonly tries: number
  /** Seconds from the end of a try to the next one's arrival at the mock. */
  readonly waits: readonly number[]
  /** Jobs that it made: more than one is a double order. */
  readonly jobs: number
  /** The Idempotency-Keys that its tries carried: none, one for all, or a new one each. */
  readonly keys: 'none' | 'same' | 'new'
  /** The last line of its output: "answer 200", or "error …" as its caller sees it. */
  readonly said: string
  /** Whether it was still at it when it was stopped. */
  readonly isStopped: boolean
  /** Seconds until it ended, or was stopped. */
  readonly seconds: number
  /** The same, from its last try on. */
  readonly inCall: number
  /** By the last try's status; 0 where it had no answer. */
  readonly status: number
  readonly broken: readonly BrokenRule[]
  readonly kept: readonly string[]
}

export interface BrokenRule {
  readonly id: string
  readonly level: string
  readonly said: string
}

export type Measured = Record<SituationName, SeenRun[]>
export type SettingsName = 'default' | 'careful'

/** Lets so many pass at once; the others wait. */
export class Gate {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/** Who may run: programs that wait cost nothing, those that start take a core each, and would slow the others' waits. */
export interface Gates {
  readonly running: Gate
  readonly starting: Gate
}

/** A program counts as started when its first call is over, or after so long, ms. */
const startingMs = 2500

/** All situations of one library, side by side. */
export async function measure(
  mock: RunningMock,
  gates: Gates,
  name: string,
  program: Program,
  settings: SettingsName,
): Promise<Measured> {
  const one = async (situation: SituationName): Promise<[SituationName, SeenRun[]]> => {
    const { runs = 1 }: Situation = situations[situation]
    const keys = Array.from(
      { length: runs },
      (_, i) => `test_${name.replace(/\W+/g, '-')}_${settings}_${situation}_${i}`,
    )
    return [
      situation,
      await Promise.all(
        keys.map(key => gates.running.through(() => see(mock, gates.starting, key, program, situation, settings))),
      ),
    ]
  }
  return Object.fromEntries(await Promise.all(situationNames.map(one))) as Measured
}

async function see(
  mock: RunningMock,
  starting: Gate,
  key: string,
  program: Program,
  situation: SituationName,
  settings: SettingsName,
): Promise<SeenRun> {
  const { method, rules, timeout }: Situation = situations[situation]
  const scenario = mock.use(rules, { key })
  const env = {
    METHOD: method,
    URL: `${mock.url}/v1/jobs`,
    KEY: key,
    SETTINGS: settings,
    TIMEOUT: String(timeout ?? ''),
  }
  const running = await starting.through(async () => {
    const started = runProgram(program.command, { ...program.env, ...env }, /^(answer|error) /, watchedMs)
    const called = new Promise<void>(resolve => {
      const end = mock.journal.listen({ key }, () => resolve(end()))
    })
    await Promise.race([started.catch(() => {}), called, sleep(startingMs)])
    // In an object: a promise alone would be waited for.
    return { started }
  })
  const run = await running.started
  const endedAt = Date.now()
  // What was open when it was stopped is written down when its connection is seen to end.
  await sleep(200)
  const entries = mock.journal.entries({ kind: 'exchange', key }) as ExchangeEntry[]
  const calls = entries.map(entry => ({
    ...entry,
    end: Date.parse(entry.time),
    start: Date.parse(entry.time) - entry.ms,
  }))
  calls.sort((a, b) => a.start - b.start)
  const { stoppedAt, ...ended } = run
  const { rules: verdicts } = mock.conduct(key, {
    ended: !run.isStopped,
    ...(stoppedAt !== undefined && { stoppedAt }),
  })
  scenario.end()
  const sent = new Set(calls.map(({ request }) => header(request.headers, 'idempotency-key')))
  return {
    tries: calls.length,
    waits: calls.slice(1).map((call, i) => Math.max(0, round((call.start - (calls[i]?.end ?? 0)) / 1000))),
    jobs: new Set(calls.flatMap(({ job_id }) => job_id ?? [])).size,
    keys: sent.size === 0 || sent.has(undefined) ? 'none' : sent.size === 1 ? 'same' : 'new',
    ...ended,
    inCall: calls.length === 0 ? 0 : round((endedAt - (calls.at(-1)?.start ?? 0)) / 1000),
    status: calls.at(-1)?.status ?? 0,
    broken: verdicts.filter(({ verdict }) => verdict === 'failed').map(brokenRule),
    // A key is never in a place of its own choosing here.
    kept: verdicts.flatMap(({ id, verdict }) => (verdict === 'passed' && !id.startsWith('secrets.') ? id : [])),
  }
}

const header = (headers: Record<string, string>, name: string): string | undefined =>
  Object.entries(headers).find(([one]) => one.toLowerCase() === name)?.[1]

const brokenRule = (rule: RuleResult): BrokenRule => ({
  id: rule.id,
  level: rule.level,
  said: rule.evidence.find(({ passed }) => !passed)?.said ?? '',
})

const round = (seconds: number): number => Math.round(seconds * 100) / 100

/** Of an exception's text more is not shown. */
const maxSaid = 4000

/** Runs a program to its end, or until it is stopped; `isSaying` tells what its last line looks like. */
export async function runProgram(
  [file, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  isSaying: RegExp,
  stoppedAfterMs: number,
): Promise<Pick<SeenRun, 'said' | 'isStopped' | 'seconds'> & { stoppedAt: number | undefined }> {
  const startedAt = performance.now()
  // A group of its own, so that what it starts is stopped with it.
  const child = spawn(file as string, args, { env: { ...inherited(), ...env }, detached: true })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', text => (output += text))
  child.stderr.setEncoding('utf8').on('data', text => (errors += text))
  let stoppedAt: number | undefined
  const timer = setTimeout(() => {
    stoppedAt = monotonicMs()
    process.kill(-(child.pid as number), 'SIGKILL')
  }, stoppedAfterMs)
  await once(child, 'close')
  clearTimeout(timer)
  const said = (output.trim().split('\n').at(-1) ?? '').slice(0, maxSaid)
  // A program that says nothing is a mistake of this folder, and no finding.
  const isStopped = stoppedAt !== undefined
  if (!isStopped && !isSaying.test(said)) throw new Error(`${file} ${args.join(' ')}: ${output}${errors}`)
  return { said, isStopped, stoppedAt, seconds: round((performance.now() - startedAt) / 1000) }
}

/** The environment without a proxy: all goes to this machine. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$|^NODE_OPTIONS$/i.test(name)))
