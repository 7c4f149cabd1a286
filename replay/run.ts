/** replay(): the calls of a recording, sent again to any base URL, and what is answered otherwise than it was. */

import { holdProcess, monotonicMs } from '../base/clock.ts'

import { baseOf, parseHeaderLines, unsendable } from '../base/inputs.ts'
import { isLoopback } from '../base/loopback.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { trustOf } from '../base/pem.ts'
import { freshSeed, tagOf } from '../base/seed.ts'
import { makeTransport } from '../base/send.ts'
import { TargetError } from '../base/targetError.ts'
import { plural } from '../base/text.ts'
import type { Trust } from '../base/wire.ts'
import { redactor } from '../contracts/observedExchange.ts'
import { type HarSource, openHar } from '../recordings/read.ts'
import { checkOptions } from '../suite/options.ts'
import { type Control, findReplayControl } from './control.ts'
import { Ids } from './ids.ts'
import { ReplayLedger, type ReplayRunFacts } from './ledger.ts'
import type { ReplaySettings } from './options.ts'
import { realPace, steppedPace } from './pace.ts'
import { replayPlanOf, type ScheduledReplay } from './plan.ts'
import { makePreparer } from './prepare.ts'
import type { ReplayReport } from './report.ts'
import { makeSender, type Sender } from './send.ts'
import { sendCalls } from './sendCalls.ts'
import { States } from './states.ts'

export interface ReplayOptions extends ReplaySettings {
  /** Ends the replay early; the report then says what is known. */
  signal?: AbortSignal
  /** Called before the first call is sent. */
  onPlan?: (plan: ReplayPlan) => void
  /** Called after each call was sent: how many of how many, and the differences so far. */
  onProgress?: (progress: { sent: number; of: number; differences: number }) => void
}

export interface ReplayPlan {
  target: string
  calls: number
  /** Different keys in the recording. */
  keys: number
  /** Whether the target is a mock that lends its hand. */
  aided: boolean
  /** ms from the first call to the last, as recorded. */
  ms: number
}

/**
 * Sends the calls of a recording (HAR) to a base URL again: in the same order, with the same gaps (divided by `speed`) and
 * at the same time as each other; ids and URLs that the server gives are followed. Compares the answers by what matters:
 * status, code, schema, cuts, the order of a job's states. Throws a ConfigError for a recording that can't be read or
 * options that make no sense, and a TargetError when nobody answers at the base URL. Nothing that the report holds is
 * secret. All times are in ms.
 */
export async function replay(file: string, target: string, options: ReplayOptions = {}): Promise<ReplayReport> {
  const base = baseOf(target)
  const local = isLoopback(new URL(base).hostname.replace(/^\[|\]$/g, ''))
  refuse(options, base, local)
  const own = parseHeaderLines(options.header ?? [])
  const trust = trustOf(options)
  const source = openHar(file)
  const release = holdProcess()
  const signal = options.signal ?? new AbortController().signal
  const sender = makeSender(trust, signal)
  let control: Control | undefined
  try {
    source.requireTraffic()
    const plan = replayPlanOf(source)
    await reach(base, trust, own, options.timeout ?? checkOptions.timeout.default(), signal)
    control = options.control !== false && local ? await findReplayControl(base, sender, own) : undefined
    return await run({ source, plan, base, own, sender, control, local, signal, options })
  } finally {
    await control?.close()
    sender.close()
    source.close()
    release()
  }
}

interface Run {
  source: HarSource
  plan: ScheduledReplay
  base: string
  own: Record<string, string>
  sender: Sender
  control: Control | undefined
  local: boolean
  signal: AbortSignal
  options: ReplayOptions
}

async function run({ source, plan, base, own, sender, control, local, signal, options }: Run): Promise<ReplayReport> {
  const { speed = 1, key: given = [], strict = false } = options
  // Two replays meet on the same endpoint, where an Idempotency-Key counts once.
  const tag = tagOf(8, freshSeed(), 'replay')
  const keys = keysFor(plan.keys, given, tag, control !== undefined)
  const unknownKey = `understudy_unknown_${tag}`
  const ids = new Ids({ from: plan.base, to: base })
  const factor = speed === 'instant' ? undefined : speed
  const ledger = new ReplayLedger(redactor(secretsOf(keys, unknownKey, own)))
  const preparer = makePreparer({
    plan,
    ids,
    target: base,
    folder: source.folder,
    keys,
    unknownKey,
    headers: own,
    tag,
    control,
    speed: factor,
    timeoutMs: options.timeout ?? checkOptions.timeout.default(),
    allowRemote: options.allowRemote === true,
  })
  options.onPlan?.({ target: base, calls: plan.calls, keys: plan.keys, aided: control !== undefined, ms: spanOf(plan) })
  const startedAt = monotonicMs()
  await sendCalls({
    source,
    plan,
    ids,
    states: new States(),
    hurried: new Set(),
    pace: control !== undefined && factor === undefined ? steppedPace(control) : realPace(factor, signal),
    sender,
    preparer,
    ledger,
    strict,
    jobTimeoutMs: options.jobTimeout ?? (local ? 120_000 : 600_000),
    signal,
    onSent: () => options.onProgress?.({ sent: ledger.sentSoFar, of: plan.calls, differences: ledger.differences }),
  })
  const about: ReplayRunFacts = {
    understudy: packageVersion,
    file: source.file,
    target: base,
    recorded_from: plan.base,
    speed,
    strict,
    started_at: new Date(startedAt).toISOString(),
    ms: Math.round(monotonicMs() - startedAt),
    complete: !signal.aborted,
    calls: plan.calls,
    left_out: plan.leftOut,
    notes: notesOn(source, plan, given),
  }
  return ledger.report(about)
}

function refuse(options: ReplayOptions, base: string, local: boolean): void {
  const { speed, key = [] } = options
  if (speed !== undefined && speed !== 'instant' && !(speed > 0 && Number.isFinite(speed)))
    throw new ConfigError(`--speed is ${JSON.stringify(speed)}; expected "instant" or a number above 0`)
  for (const [i, one] of key.entries()) {
    if (unsendable.test(one))
      throw new ConfigError(`--key number ${i + 1} has a character that no header can carry, such as a line's end`)
  }
  if (!local && options.allowRemote !== true) {
    throw new ConfigError(
      `${base} is not on this machine: what was recorded would be done there again, for credits too; say --allow-remote if it is to be`,
    )
  }
}

/** Throws a TargetError, in words, where nobody answers. */
async function reach(
  base: string,
  trust: Trust,
  headers: Record<string, string>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const transport = makeTransport(trust, signal)
  try {
    await transport.send({ method: 'GET', url: `${base}/health`, headers, timeoutMs })
  } catch (error) {
    throw new TargetError((error as Error).message)
  } finally {
    transport.close()
  }
}

function keysFor(count: number, given: readonly string[], tag: string, isMock: boolean): string[] {
  if (!isMock && given.length < count) {
    throw new ConfigError(
      `the recording has ${plural(count, 'key')}, and ${given.length === 0 ? 'none was' : `only ${given.length} of them were`} given; expected --key ${count === 1 ? 'with a valid key of the target' : `${count} times, with valid keys of the target`}`,
    )
  }
  return Array.from({ length: count }, (_, i) => given[i] ?? `test_replay_${tag}_${i + 1}`)
}

const secretsOf = (
  keys: readonly string[],
  unknownKey: string,
  own: Record<string, string>,
): Record<string, string> => ({
  ...Object.fromEntries(keys.map((key, i) => [`KEY_${i + 1}`, key])),
  UNKNOWN_KEY: unknownKey,
  ...Object.fromEntries(
    Object.entries(own).map(([name, value]) => [`HEADER_${name.toUpperCase().replace(/\W/g, '_')}`, value]),
  ),
})

function spanOf({ at, skip }: ScheduledReplay): number {
  const first = skip.indexOf(undefined)
  const last = skip.lastIndexOf(undefined)
  return first === -1 ? 0 : (at[last] as number) - (at[first] as number)
}

function notesOn({ log, areKeysLeftOut }: HarSource, plan: ScheduledReplay, given: readonly string[]): string[] {
  return [
    ...(areKeysLeftOut ? ['no call in the recording has a key: one was sent where a route needs it'] : []),
    ...(log._incomplete === undefined ? [] : [`the recording is not all that happened: ${log._incomplete}`]),
    ...(given.length > plan.keys
      ? [`${plural(given.length, 'key')} were given, and the recording has ${plan.keys}: the others were not used`]
      : []),
  ]
}
