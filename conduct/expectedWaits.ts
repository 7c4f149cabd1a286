/** The schedule of a client's tries as an assertion. */
import type { Duration } from '../base/duration.ts'
import { ConfigError, durationToMs, refuseUnknown } from '../base/options.ts'
import { plural } from '../base/text.ts'
import { type OperationId, operations } from '../contracts/operations.ts'
import { ConductError } from './expectation.ts'
import type { ConductChain, ConductReport } from './report.ts'
import { time } from './rule.ts'

/** A wait, or the shortest and the longest that it may be, where it has jitter. */
export type ExpectedWait = Duration | readonly [Duration, Duration]

export interface ExpectedWaitsOptions {
  /** How far off each wait may be: "20%" of it, or a time such as "200ms". 10% by default. */
  tolerance?: `${number}%` | Duration
}

/**
 * Passes when each call of the operation that was tried again was tried so often, and with these waits: from the end of a
 * try to the begin of the next. Throws a ConductError that shows the waits there were.
 */
export function checkWaits(
  report: ConductReport,
  operation: OperationId,
  waits: readonly ExpectedWait[],
  options: ExpectedWaitsOptions = {},
): ConductReport {
  refuseUnknown(options, ['tolerance'])
  if (!(operation in operations))
    throw new ConfigError(
      `There is no operation ${JSON.stringify(operation)}; expected one of ${Object.keys(operations).join(', ')}`,
    )
  const { tolerance = '10%' } = options
  const ranges = waits.map(wait => rangeOf(wait, tolerance))
  const chains = report.chains.filter(chain => chain.operation === operation)
  if (chains.length === 0 && waits.length > 0)
    throw new ConductError(`no call of ${operation} was tried again; expected waits of ${rangesText(ranges)}`, report)
  for (const chain of chains) {
    const wrong = problemOf(chain, ranges)
    if (wrong !== undefined) throw new ConductError(`${operation}: ${wrong}\n${linesOf(chain)}`, report)
  }
  return report
}

type Range = readonly [fromMs: number, toMs: number]

function rangeOf(wait: ExpectedWait, tolerance: NonNullable<ExpectedWaitsOptions['tolerance']>): Range {
  const [from, to] = (Array.isArray(wait) ? wait : [wait, wait]) as readonly [Duration, Duration]
  const [fromMs, toMs] = [durationToMs(from), durationToMs(to)]
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(String(tolerance))?.[1]
  if (percent !== undefined) return [fromMs * (1 - Number(percent) / 100), toMs * (1 + Number(percent) / 100)]
  const slackMs = durationToMs(tolerance as Duration)
  return [fromMs - slackMs, toMs + slackMs]
}

const rangeText = ([from, to]: Range): string => `${time(from)} to ${time(to)}`
const rangesText = (ranges: readonly Range[]): string => ranges.map(rangeText).join(', then ')

function problemOf({ tries }: ConductChain, ranges: readonly Range[]): string | undefined {
  const waits = tries.slice(1).map(({ wait_ms = 0 }) => wait_ms)
  if (waits.length !== ranges.length)
    return `waited ${plural(waits.length, 'time')} (${waits.map(time).join(', ')}); expected ${rangesText(ranges) || 'no further try'}`
  const at = waits.findIndex((ms, i) => {
    const [from, to] = ranges[i] as Range
    return ms < from || ms > to
  })
  return at === -1
    ? undefined
    : `the ${ordinalText(at)} wait was ${time(waits[at] as number)}; expected ${rangeText(ranges[at] as Range)}`
}

const ordinalText = (at: number): string => ['first', 'second', 'third', 'fourth'][at] ?? `${at + 1}th`

const linesOf = ({ tries }: ConductChain): string =>
  tries
    .map(({ number, time: began, outcome, wait_ms }) => {
      const wait = wait_ms === undefined ? '' : ` after ${time(wait_ms)}`
      return `  #${number} ${began.slice(11, 23)} ${outcome}${wait}`
    })
    .join('\n')
