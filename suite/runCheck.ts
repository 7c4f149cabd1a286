/** check(): the contract suite against any base URL. What it needs of files, sockets and the clock is put together here. */

import { createHash, createHmac } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../base/clock.ts'
import { NoAnswer } from '../base/http.ts'
import { baseOf, defined, existing, parseHeaderLines, unsendable } from '../base/inputs.ts'
import { isLoopback } from '../base/loopback.ts'
import { ConfigError, flagOf } from '../base/options.ts'
import { packageRoot, packageVersion } from '../base/paths.ts'
import { trustOf } from '../base/pem.ts'
import { refuseRenamed } from '../base/renamed.ts'
import { tagOf } from '../base/seed.ts'
import { makeTransport } from '../base/send.ts'
import { clauses } from '../contracts/clauses.ts'
import { clipAt, type Video } from '../media/clip.ts'
import { examine } from '../media/examine.ts'
import { findFfmpeg } from '../media/ffmpeg.ts'
import { compare } from './baseline.ts'
import { checks } from './checks/index.ts'
import type { SuiteClock, SuiteEnvironment } from './environment.ts'
import { readExpectedClauses, withExpectedClauses } from './expected.ts'
import { startListener } from './listener.ts'
import { findMockSupport } from './mockSupport.ts'
import type { Profile } from './needs.ts'
import { type CheckSettings, checkOptions } from './options.ts'
import type { Report } from './report.ts'
import { costsOf, isCheckSelected, runSuite } from './run.ts'
import type { Progress } from './runOptions.ts'

export interface CheckOptions extends CheckSettings {
  /** A report of before: what changed since is in the new one. */
  baseline?: Report
  /** Ends the run early; the report then says what is known. */
  signal?: AbortSignal
  /** Called once, before the first check, with what the run may do. */
  onPlan?: (plan: CheckPlan) => void
  onProgress?: (progress: Progress) => void
  /** Nothing is sent to another machine, whatever links and redirects the endpoint answers with. */
  onlyLoopback?: boolean
  /** What the suite waits by, such as a Retry-After or the pause between polls. Default: real time. */
  clock?: SuiteClock
}

export interface CheckPlan {
  target: string
  profile: Profile
  seed: string
  /** Whether the target is a mock that lends its hand. */
  aided: boolean
  checks: number
  /** At the most: credits, jobs, calls at once, bytes beyond a few MB, seconds of waiting. */
  credits: number
  /** Jobs that are started, one after the other. */
  jobs: number
  maxCredits: number
  burst: number
  upload: number
  seconds: number
}

/**
 * Runs the contract suite against a base URL. Throws a ConfigError for options that make no sense, and a TargetError when
 * nobody answers there, or not the API. Nothing that the report holds is secret.
 */
export async function check(target: string, options: CheckOptions = {}): Promise<Report> {
  refuseRenamed(options)
  const base = baseOf(target)
  const settings = { ...defaults(), ...defined(options) }
  const local = isLoopback(new URL(base).hostname.replace(/^\[|\]$/g, ''))
  const profile = settings.profile ?? (local ? 'full' : 'safe')
  refuse(settings, profile, local)
  const list = settings.expectedFailures === undefined ? undefined : readExpectedClauses(settings.expectedFailures)
  const own = parseHeaderLines(settings.header ?? [])
  const trust = trustOf(settings)
  for (const file of settings.logs ?? []) existing(file, 'logs')
  const maxTimeMs = settings.maxTime ?? (local ? 5 * 60_000 : undefined)
  const limit = timeLimit(maxTimeMs, options.signal)
  const transport = makeTransport({ ...trust, onlyLoopback: options.onlyLoopback ?? false }, limit.signal)
  const startedAt = new Date().toISOString()
  const { seed = '' } = settings
  // Two runs of one seed meet on the same endpoint, where an Idempotency-Key counts once.
  const tag = (what: string) => tagOf(16, seed, startedAt, what)
  const { clock = realTime } = options
  const listener = await listenerFor(settings, local, clock)
  try {
    const { send } = transport
    const given: SuiteEnvironment['keys'] = defined({
      main: settings.key,
      second: settings.secondKey,
      emptyAccount: settings.emptyAccountKey,
    })
    const { adminToken, webhookSecret } = settings
    const isMaybeMock = settings.control !== false && (local || adminToken !== undefined)
    const mockSupport = isMaybeMock
      ? await findMockSupport({
          base,
          send: out => send({ ...out, headers: { ...own, ...out.headers } }),
          keys: given,
          tag,
          timeoutMs: settings.timeout,
          // Who runs it at each save doesn't wait for jobs.
          speed: profile === 'quick' ? quickSpeed : 1,
          ...(adminToken !== undefined && { adminToken }),
        }).catch(noAid)
      : undefined
    const keys = mockSupport?.keys ?? given
    const secrets: Record<string, string> = defined({
      API_KEY: keys.main,
      SECOND_KEY: keys.second,
      EMPTY_ACCOUNT_KEY: keys.emptyAccount,
      WEBHOOK_SECRET: webhookSecret,
      ADMIN_TOKEN: adminToken,
      ...Object.fromEntries(
        Object.entries(own).map(([name, value]) => [`HEADER_${name.toUpperCase().replace(/\W/g, '_')}`, value]),
      ),
    })
    const failingUrl = settings.failingUrl ?? (mockSupport ? 'https://example.com/fail.mp4' : undefined)
    const environment: SuiteEnvironment = {
      base,
      send,
      sleep: ms => clock.sleep(ms, limit.signal),
      now: () => clock.now(),
      hmac: (secret, text) => createHmac('sha256', secret).update(text).digest('hex'),
      tag,
      keys,
      secrets,
      unknownKey: `understudy_unknown_${tag('unknown key')}`,
      ...(failingUrl !== undefined && { failingUrl }),
      ...(webhookSecret !== undefined && { webhookSecret }),
      ...(listener && { listener }),
      ...(mockSupport && { mockSupport: { ...mockSupport, limitedKey: remembered(mockSupport.limitedKey, secrets) } }),
      ...logsOf(settings, mockSupport, clock),
      clips: await clipsOf(settings.clip),
      examiner: async () => {
        const found = await findFfmpeg()
        return 'missing' in found ? found.missing : examine
      },
      outputFormat: settings.outputFormat ?? 'webm',
      headers: { ...own, ...mockSupport?.headers },
      timeoutMs: settings.timeout,
      maxWaitMs: settings.maxWait,
      graceMs: local ? 30 : 250,
      jobTimeoutMs: settings.jobTimeout ?? (local ? 120_000 : 600_000),
      // RL-3 for what is real; a mock on this machine has nothing to be spared.
      pollMs: local ? 20 : 2_000,
      queueMs: local ? 1_000 : 10_000,
      burst: settings.burst,
    }
    const maxCredits = settings.maxCredits ?? Number.POSITIVE_INFINITY
    const run = { checks, profile, maxCredits, ...defined({ only: settings.only, skip: settings.skip }) }
    options.onPlan?.({ target: base, profile, seed, aided: mockSupport !== undefined, maxCredits, ...costsOf(run) })
    const report = await runSuite(environment, {
      ...run,
      ...defined({
        require: settings.require,
        bail: settings.bail,
        signal: limit.signal,
        maxTimeMs,
        onProgress: options.onProgress,
      }),
      about: { understudy: packageVersion, seed, startedAt },
      ...(settings.explore &&
        keys.main !== undefined && {
          // Loaded where it is asked for: most runs never draw a sequence.
          explore: async run => {
            const { explore } = await import('./explore/explore.ts')
            const sequences = settings.explore ?? 0
            return explore(run, { sequences, seed, seedNumber: numberOf(seed), mayStart: profile !== 'safe' })
          },
        }),
    })
    const settled = withExpectedClauses(report, list)
    return options.baseline ? { ...settled, changes: compare(options.baseline, settled) } : settled
  } finally {
    limit.clear()
    transport.close()
    listener?.close()
  }
}

/** How many times as fast a mock's jobs pass in the profile quick. */
const quickSpeed = 100

const realTime: SuiteClock = {
  now: monotonicMs,
  sleep: (ms, signal) => delay(ms, undefined, { ...(signal && { signal }) }).catch(() => {}),
}

/** Ends what is under way when the time is over, by real time: between calls the run looks at its own clock. */
function timeLimit(maxTimeMs: number | undefined, signal: AbortSignal | undefined) {
  if (maxTimeMs === undefined) return { signal, clear: () => {} }
  const over = new AbortController()
  // A timer may be a moment early.
  const timer = setTimeout(() => over.abort(), Math.min(maxTimeMs + 50, 2 ** 31 - 1))
  return { signal: signal ? AbortSignal.any([signal, over.signal]) : over.signal, clear: () => clearTimeout(timer) }
}

const defaults = () => ({
  timeout: checkOptions.timeout.default(),
  maxWait: checkOptions.maxWait.default(),
  burst: checkOptions.burst.default(),
  seed: checkOptions.seed.default(),
})

/** 31 bits of a seed that may be any text. */
const numberOf = (seed: string): number => createHash('sha256').update(seed).digest().readUInt32LE() >>> 1

function refuse(
  { only = [], skip = [], require = [], ...settings }: CheckSettings,
  profile: Profile,
  local: boolean,
): void {
  const ids = checks.map(({ id }) => id)
  const names = new Set([...ids, ...ids.map(id => id.split('.', 1)[0])])
  const isClause = (name: string) => name.toUpperCase() in clauses
  for (const [flag, list] of Object.entries({ only, skip })) {
    const wrong = list.find(name => !names.has(name) && !isClause(name))
    if (wrong !== undefined) {
      throw new ConfigError(
        `${flagOf(flag)} names ${JSON.stringify(wrong)}; expected clauses, checks or themes, as --list shows them`,
      )
    }
  }
  const wrong = require.find(name => name !== 'core' && !isClause(name))
  if (wrong !== undefined) {
    throw new ConfigError(
      `--require names ${JSON.stringify(wrong)}; expected "core", or clauses such as ${Object.keys(clauses).slice(0, 3).join(', ')}`,
    )
  }
  const { key, secondKey, emptyAccountKey, adminToken } = settings
  for (const [option, value] of Object.entries({ key, secondKey, emptyAccountKey, adminToken })) {
    if (value !== undefined && unsendable.test(value))
      throw new ConfigError(`${flagOf(option)} has a character that no header can carry, such as a line's end`)
  }
  for (const other of ['secondKey', 'emptyAccountKey'] as const) {
    if (settings.key === undefined || settings[other] !== settings.key) continue
    throw new ConfigError(`${flagOf(other)} is the same key as --key; expected one of another account`)
  }
  if (profile !== 'safe' && !local && settings.maxCredits === undefined) {
    throw new ConfigError(
      `the profile ${profile} spends credits on an endpoint that is not on this machine; say how many with --max-credits N`,
    )
  }
}

/** A mock that goes away in between is what the run itself will say. */
function noAid(error: unknown): undefined {
  if (!(error instanceof NoAnswer)) throw error
}

async function listenerFor({ webhookUrl, webhookPort = 0 }: CheckSettings, local: boolean, clock: SuiteClock) {
  if (webhookUrl === undefined && !local) return undefined
  const port = webhookPort || (webhookUrl === undefined ? 0 : Number(new URL(webhookUrl).port))
  return startListener({ port, clock, ...(webhookUrl !== undefined && { publicUrl: webhookUrl }) }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new ConfigError(
        `the webhook listener can't use port ${port} (${error.code}); choose another with --webhook-port`,
      )
    },
  )
}

/** A key that was drawn on the way is no more to be shown than those that were given. */
function remembered(limitedKey: (calls: number, seconds: number) => Promise<string>, secrets: Record<string, string>) {
  return async (calls: number, seconds: number): Promise<string> => {
    const key = await limitedKey(calls, seconds)
    secrets[`LIMITED_KEY${Object.keys(secrets).filter(name => name.startsWith('LIMITED_KEY')).length || ''}`] = key
    return key
  }
}

function logsOf(
  { logs }: CheckSettings,
  mockSupport: Pick<SuiteEnvironment, 'findInLogs'> | undefined,
  clock: SuiteClock,
): Pick<SuiteEnvironment, 'findInLogs'> {
  if (logs === undefined || logs.length === 0)
    return mockSupport?.findInLogs ? { findInLogs: mockSupport.findInLogs } : {}
  return { findInLogs: ids => findInFiles(logs, ids, clock) }
}

const looks = 3
const betweenLooksMs = 500

/** Which of the ids are in the files; looked at more than once, as a log is written behind the answer. */
async function findInFiles(
  files: readonly string[],
  ids: readonly string[],
  clock: SuiteClock,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let look = 1; ; look++) {
    for (const file of files) {
      const missing = new Set(ids.filter(id => !found.has(id)))
      // It may be rotated away under our hands; the next look finds the new one.
      const log = await open(file).catch(() => undefined)
      for await (const line of log?.readLines() ?? []) {
        if (missing.size === 0) break
        for (const id of missing) if (line.includes(id)) found.add(id) && missing.delete(id)
      }
      await log?.close().catch(() => {})
    }
    if (found.size === ids.length || look === looks) return found
    await clock.sleep(betweenLooksMs)
  }
}

const clipNames = ['short.mp4', 'short.mov', 'short.webm', 'short.avi', 'longer.mp4', 'difficult.mp4'] as const
/** How long those are is known (fixtures/README.md): reading it takes half a second. */
const clipSeconds: Readonly<Record<(typeof clipNames)[number], number>> = {
  'short.mp4': 2,
  'short.mov': 2,
  'short.webm': 2,
  'short.avi': 2,
  'longer.mp4': 12,
  'difficult.mp4': 3,
}

async function clipsOf(own: string | undefined): Promise<SuiteEnvironment['clips']> {
  const folder = join(packageRoot, 'fixtures', 'clips')
  const [mp4, mov, webm, avi, longer, difficult] = (await Promise.all(
    clipNames.map(name => clipAt(join(folder, name), clipSeconds[name])),
  )) as [Video, Video, Video, Video, Video, Video]
  const short = own === undefined ? mp4 : await clipAt(existing(own, 'clip'))
  return { short, longer, difficult, others: [mp4, mov, webm, avi] }
}

/** What --list shows: each check that would run, with its clauses and costs. */
export function listChecks(filter: Pick<CheckSettings, 'only' | 'skip'> = {}) {
  return checks.filter(check => isCheckSelected(check, defined(filter)))
}
