/**
 * When each call is sent. Either by the wall clock, with the recorded gaps divided by the speed, or at once; on a mock that
 * is replayed at once its clock is stepped by the gaps in their place. A gap never gets shorter: what takes longer now
 * moves all that follows.
 */
import { monotonicMs, realDelay } from '../base/clock.ts'
import type { Control, WorldPlace } from './control.ts'

export interface Flight {
  /** ms, by the recording's clock. */
  at: number
  end: number
  done: Promise<void>
  isDone: boolean
  place: WorldPlace | undefined
  /** The mock holds its answer back until its clock has come so far. */
  isHeld: boolean
  /** It was never answered: no time that passes will change that. */
  isSilent: boolean
}

export interface Pace {
  /** Resolves when it is time for a call that was recorded at `at`. */
  until(at: number, place: WorldPlace | undefined): Promise<void>
  /** A call has ended that was recorded to end at `end`. */
  ended(end: number, place: WorldPlace | undefined): void
  /** Waits for calls to end, and lets the time pass that they need. */
  waitFor(flights: readonly Flight[]): Promise<void>
  /** Lets `ms` of the recording's time pass before a call is sent once more. Gives the ms that counted. */
  pause(ms: number, place: WorldPlace | undefined): Promise<number>
}

const shortestPauseMs = 20

/** `speed` undefined: no gaps at all. */
export function realPace(speed: number | undefined, signal: AbortSignal): Pace {
  const scaled = (ms: number) => (speed === undefined ? 0 : ms / speed)
  let offset: number | undefined
  return {
    async until(at) {
      offset ??= monotonicMs() - scaled(at)
      if (speed === undefined) return
      const due = scaled(at) + offset
      for (let left = due - monotonicMs(); left > 0 && !signal.aborted; left = due - monotonicMs())
        await realDelay(Math.ceil(left), signal)
    },
    ended(end) {
      offset = Math.max(offset ?? 0, monotonicMs() - scaled(end))
    },
    waitFor: async flights => void (await Promise.all(flights.map(({ done }) => done))),
    async pause(ms) {
      const waited = Math.max(shortestPauseMs, scaled(ms))
      await realDelay(waited, signal)
      return waited
    },
  }
}

interface WorldTime {
  /** ms that its clock was stepped by. */
  now: number
  /** now - the recording's time; grows only. */
  offset: number | undefined
  ready: Promise<void>
}

/** Real ms that an answer of the mock may take before its clock is thought to hold it back. */
const patienceMs = 15
/** The same once its clock has been let run ahead for some seconds: it is the machine that is slow, as likely as not. */
const slowPatienceMs = 250
const quickSteps = 6
const longPatienceMs = 1_000
const maxStepMs = 2_000

/** The clocks of the replayed keys stand still, and are stepped. */
export function steppedPace(control: Control): Pace {
  const times = new Map<string, WorldTime>()
  const timeOf = (place: WorldPlace): WorldTime => {
    const name = `${place.key}/${place.world ?? ''}`
    let time = times.get(name)
    if (time === undefined) {
      time = { now: 0, offset: undefined, ready: control.freeze(place, true) }
      times.set(name, time)
    }
    return time
  }
  const step = async (place: WorldPlace, ms: number): Promise<void> => {
    const whole = Math.ceil(ms)
    if (!(whole > 0)) return
    const time = timeOf(place)
    time.now += whole
    await time.ready
    await control.step(place, whole)
  }
  return {
    async until(at, place) {
      if (place === undefined) return
      const time = timeOf(place)
      await time.ready
      time.offset ??= time.now - at
      await step(place, at + time.offset - time.now)
    },
    ended(end, place) {
      if (place === undefined) return
      const time = timeOf(place)
      time.offset = Math.max(time.offset ?? Number.NEGATIVE_INFINITY, time.now - end)
    },
    async waitFor(flights) {
      const all = Promise.all(flights.map(({ done }) => done))
      const startedAt = monotonicMs()
      for (let n = 0; flights.some(({ isDone }) => !isDone); n++) {
        const gone = new AbortController()
        await Promise.race([all, realDelay(n < quickSteps ? patienceMs : slowPatienceMs, gone.signal)])
        gone.abort()
        const isLate = monotonicMs() - startedAt > longPatienceMs
        for (const [place, end] of held(flights, isLate)) {
          const { now, offset = 0 } = timeOf(place)
          await step(place, Math.max(end + offset - now, Math.min(maxStepMs, 125 * 2 ** n)))
        }
      }
      await all
    },
    async pause(ms, place) {
      const waited = Math.max(shortestPauseMs, ms)
      if (place === undefined) await realDelay(shortestPauseMs)
      else await step(place, waited)
      return waited
    },
  }
}

/** Each world in which an answer is held back, with the earliest recorded end of those. */
function held(flights: readonly Flight[], isLate: boolean): Map<WorldPlace, number> {
  const found = new Map<WorldPlace, number>()
  for (const { place, end, isDone, isHeld, isSilent } of flights) {
    if (isDone || isSilent || place === undefined || !(isHeld || isLate)) continue
    found.set(place, Math.min(found.get(place) ?? Number.POSITIVE_INFINITY, end))
  }
  return found
}
