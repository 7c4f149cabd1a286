/** POST /__mock/clock: the time in the user's hand, of the whole mock or of one key. Every timer of the mock follows it. */
import { type Clock, latestMs } from '../../base/clock.ts'
import { parseDuration } from '../../base/duration.ts'
import type { WorldSelector } from '../../client/mock.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { worldsOf } from './select.ts'

/** What is given is done in this order: freeze or go on, speed, step. */
export interface ClockChange {
  freeze?: boolean
  /** How many times as fast as real time. */
  speed?: number
  /** "10m", "1.5s". */
  step?: string
}

export interface ClockState {
  /** UTC, ISO 8601. */
  now: string
  frozen: boolean
  speed: number
}

/** A day too many is a slip of the hand. */
const longestStepMs = 100 * 365 * 24 * 3_600_000

export function changeClock(mock: Mock, { freeze, speed, step }: ClockChange, selector: WorldSelector): ClockState {
  const stepMs = step === undefined ? 0 : parseDuration(step)
  if (stepMs === undefined || stepMs > longestStepMs) {
    throw apiError(
      'invalid_field',
      `step is ${JSON.stringify(step)}; expected a time up to 36500d, such as 10m or 1.5s`,
    )
  }
  const clocks = clocksOf(mock, selector)
  refuseStepTooFar(clocks, stepMs)
  for (const clock of clocks) {
    if (freeze === true) clock.freeze()
    if (freeze === false) clock.resume()
    if (speed !== undefined) clock.setSpeed(speed)
    if (stepMs > 0) clock.step(stepMs)
  }
  return clockStateOf(clocks[0] as Clock)
}

/** No step leads behind the last date: it would be done in part only. */
export function refuseStepTooFar(clocks: readonly Clock[], stepMs: number): void {
  const now = Math.max(...clocks.map(clock => clock.now()))
  if (now + stepMs <= latestMs) return
  throw apiError(
    'invalid_field',
    `step would lead behind the year 9999, from ${new Date(now).toISOString()}; expected a shorter one, or reset the world`,
  )
}

export const readClock = (mock: Mock, selector: WorldSelector): ClockState =>
  clockStateOf(clocksOf(mock, selector)[0] as Clock)

/** The one clock of all, or those of a key's worlds. */
export function clocksOf(mock: Mock, selector: WorldSelector): Clock[] {
  if (selector.key === undefined && selector.world === undefined) return [mock.clock]
  return worldsOf(mock, selector).map(({ clock }) => clock)
}

export const clockStateOf = (clock: Clock): ClockState => ({
  now: new Date(clock.now()).toISOString(),
  frozen: clock.frozen,
  speed: clock.speed,
})
