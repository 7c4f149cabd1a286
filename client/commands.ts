/** What startMock() and connectMock() share: how they read what they are given, and the errors that both throw. */

import type { Duration } from '../base/duration.ts'
import { ControlError, JournalEvictedError, WaitTimeoutError } from '../base/errors.ts'
import { ConfigError, durationToMs, refuseUnknown } from '../base/options.ts'
import { plural } from '../base/text.ts'
import type { ConductOptions, JournalFilter, KeyChange, LimitChange, ScenarioChoice, WorldSelector } from './mock.ts'
import type { LimitFormat, RuleFormat } from './scenarioFormat.ts'
import { mostFaultyConnections, type TlsFaultName, tlsFaultNames } from './tlsFaults.ts'

const filterNames = ['key', 'world', 'kind', 'route', 'status', 'jobId', 'requestId', 'trace', 'since', 'before']

/** Throws a ConfigError for a filter that is not known: it would let everything through. */
export function checkedFilter<F extends JournalFilter>(filter: F): F {
  refuseUnknown(filter, filterNames)
  const { trace } = filter
  if (trace !== undefined && traceIdIn(trace) === undefined)
    throw new ConfigError(`trace is ${JSON.stringify(trace)}; expected ${traceReads}`)
  return filter
}

/** As a trace is asked for: by its id, or by a traceparent. */
export const tracePattern = '^(?:[0-9a-fA-F]{2}-)?([0-9a-fA-F]{32})(?:-[0-9a-fA-F]{16}-[0-9a-fA-F]{2}.*)?$'
/** The same in words. */
export const traceReads = '32 hexadecimal digits, or a traceparent'
const asTrace = new RegExp(tracePattern)

/** In small letters, as it is in the journal, however a tool shows it. */
export const traceIdIn = (text: string): string | undefined => asTrace.exec(text)?.[1]?.toLowerCase()

/** What POST /__mock/keys takes; KeyChange has the fields' meaning. */
export interface KeyChangeBody extends WorldSelector {
  credits?: number
  top_up?: number
  rate_limit?: LimitFormat
  job_limit?: LimitFormat
  revoked?: boolean
}

/** What POST /__mock/tls takes. */
export interface TlsFaultBody {
  fault: TlsFaultName
  connections: number
}

/** Throws a ConfigError for a fault that there isn't, or a number of connections that can't be counted. */
export function checkedTlsFault(fault: TlsFaultName, connections = 1): TlsFaultBody {
  if (!tlsFaultNames.includes(fault))
    throw new ConfigError(`There is no TLS fault ${JSON.stringify(fault)}; expected one of ${tlsFaultNames.join(', ')}`)
  if (Number.isInteger(connections) && connections >= 1 && connections <= mostFaultyConnections)
    return { fault, connections }
  throw new ConfigError(`connections is ${connections}; expected a whole number from 1 to ${mostFaultyConnections}`)
}

/** What POST /__mock/scenario and /__mock/scenario/{id} answer. */
export interface ActivationState {
  id: string
  scenario: string
  counts: Record<string, number>
}

export function keyChangeBody(change: KeyChange): KeyChangeBody {
  refuseUnknown(change, ['key', 'world', 'credits', 'topUp', 'rateLimit', 'jobLimit', 'revoked'])
  const { topUp, rateLimit, jobLimit, ...same } = change
  return {
    ...same,
    ...(topUp !== undefined && { top_up: topUp }),
    ...(rateLimit !== undefined && { rate_limit: limitOnWire(rateLimit) }),
    ...(jobLimit !== undefined && { job_limit: limitOnWire(jobLimit) }),
  }
}

const limitOnWire = (limit: LimitChange): LimitFormat =>
  typeof limit === 'number' ? limit : { calls: limit.calls, per: durationText(limit.per) }

/** As the control routes take it: "250ms" for 250. */
export const durationText = (given: Duration): string => `${durationToMs(given)}ms`

/** Rules alone are a scenario, too. */
export const scenarioOf = (choice: ScenarioChoice | readonly RuleFormat[]): ScenarioChoice =>
  Array.isArray(choice) ? { rules: choice as RuleFormat[] } : (choice as ScenarioChoice)

export function checkedSpeed(factor: number): number {
  if (factor > 0 && factor <= 1_000_000) return factor
  throw new ConfigError(`The speed is ${factor}; expected a number above 0, up to 1000000`)
}

export const conductOptionNames: readonly (keyof ConductOptions)[] = [
  'maxPollTime',
  'require',
  'ended',
  'stoppedAt',
  'silentSince',
  'alone',
  'level',
  'rules',
]

/** Throws a ConfigError for a name that none of the scenario's rules has. */
export function checkedRule(scenario: string, rules: readonly string[], rule: string): string {
  if (rules.includes(rule)) return rule
  throw new ConfigError(`${scenario} has no rule ${JSON.stringify(rule)}; expected one of ${rules.join(', ')}`)
}

export function refuseUnfired(scenario: string, counts: Readonly<Record<string, number>>): void {
  const never = Object.keys(counts).filter(rule => counts[rule] === 0)
  if (never.length === 0) return
  throw new ControlError(
    `${scenario}: never fired: ${never.join(', ')}; mock.explain(request_id) tells what each rule lacked`,
    409,
  )
}

/**
 * How long waitFor() and fired() wait in real time, if they are not told: less than the 5 s after which Jest, Vitest and bun end a
 * test themselves, without a word of what was awaited.
 */
export const defaultWithin = '4s' satisfies Duration

export const firedTooLate = (rule: string, times: number, within: Duration, fired: number): WaitTimeoutError =>
  new WaitTimeoutError(
    `waited ${waited(within)} for ${rule} to fire ${plural(times, 'time')}; it fired ${plural(fired, 'time')}`,
  )

export const entriesTooLate = (
  filter: JournalFilter,
  atLeast: number,
  within: Duration,
  found: number,
  all: number | null,
): WaitTimeoutError =>
  new WaitTimeoutError(
    `waited ${waited(within)} for ${plural(atLeast, 'entry', 'entries')} with ${JSON.stringify(filter)}, found ${found} of ${all ?? 'many'} in the journal`,
  )

const waited = (within: Duration): string => (typeof within === 'number' ? `${within}ms` : within)

export const countUnknown = (evicted: number): JournalEvictedError =>
  new JournalEvictedError(
    `The journal can't tell: it has evicted ${plural(evicted, 'entry', 'entries')}. Ask with a later "since", or raise journalEntries.`,
  )
