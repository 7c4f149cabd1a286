/**
 * The one clock. Nobody else in the mock asks for the time or sets a timer, so that time can be frozen, stepped or
 * scaled and tests never sleep.
 *
 * Clocks form a tree: the root follows the machine's monotonic time, each world has a child of it. What is done to the
 * root holds for every world; what is done to a world's clock holds for that world alone.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Timer, TimerHeap } from './timerHeap.ts'

const bootMs = performance.timeOrigin

/** The last ms of the year 9999: what is later has no ISO 8601 date of four digits. A clock stands still there. */
export const latestMs = 253_402_300_799_999

/** Real milliseconds since the epoch, never going back. For measuring; what the API tells is a Clock's now(). */
export const monotonicMs = (): number => bootMs + performance.now()

/**
 * The machine's own time, ms since the epoch: for what another program compares with its clock. It may be set back, and unlike
 * monotonicMs() it goes on while the machine sleeps.
 */
export const wallClockMs = (): number => Date.now()

/**
 * Waits in real time: for what is outside of the mock, such as a client that is awaited. Without `keepsAlive: false` the process
 * lives as long: Node would end it with exit code 13 in the midst of a command that waits for nothing else.
 */
export const realDelay = (ms: number, signal?: AbortSignal, { keepsAlive = true } = {}): Promise<void> =>
  delay(ms, undefined, { signal, ref: keepsAlive }).catch(() => {})

/** Aborts after `ms` of real time: for an answer from outside that may never come. */
export const realTimeout = (ms: number): AbortSignal => AbortSignal.timeout(ms)

/** Runs `run` in `ms` of real time, unless the returned function is called before. */
export function laterReal(ms: number, run: () => void): () => void {
  const timeout = setTimeout(run, ms)
  timeout.unref()
  return () => clearTimeout(timeout)
}

/** Keeps the process alive until the returned function is called: of the other timers in here, only realDelay() does. */
export function holdProcess(): () => void {
  const timer = setInterval(() => {}, longestTimeoutMs)
  return () => clearInterval(timer)
}

/** Node refuses longer timers; a longer wait is armed again. */
const longestTimeoutMs = 2 ** 31 - 1

export class Clock {
  readonly #parent: Clock | undefined
  readonly #children = new Set<Clock>()
  #speed = 1
  #frozen = false
  /** now() = #base + (the parent's time since #parentBase) * #speed */
  #base: number
  #parentBase: number
  /** While a due timer runs, the time that it was due at: a late timer still acts at its own time. */
  #pinned: number | undefined
  readonly #timers = new TimerHeap()
  #order = 0
  #timeout: NodeJS.Timeout | undefined
  /** What the real timer will wake us for, in this clock's time. */
  #armedFor = Number.POSITIVE_INFINITY
  #closed = false
  #lateMs = 0

  constructor(parent?: Clock) {
    this.#parent = parent
    this.#parentBase = this.#parentNow()
    this.#base = this.#parentBase
    if (parent) parent.#children.add(this)
  }

  /** Milliseconds since the epoch, by this clock. `realMs` is monotonicMs(), for a caller that has just read it. */
  now(realMs = monotonicMs()): number {
    if (this.#pinned !== undefined) return this.#pinned
    if (this.#frozen) return this.#base
    const now = this.#base + (this.#parentNow(realMs) - this.#parentBase) * this.#speed
    return now < latestMs ? now : latestMs
  }

  /** How late a real timer of this clock was at the most, in real ms. */
  get lateMs(): number {
    return this.#lateMs
  }

  /** Whether the time stands still: this clock's own, or that of one above it. */
  get frozen(): boolean {
    return this.#rate() === 0
  }

  get speed(): number {
    return this.#speed
  }

  /** Stops the time; timers wait, step() still moves it. */
  freeze(): void {
    this.#change(() => {
      this.#frozen = true
    })
  }

  /** Lets the time go on from where it is. */
  resume(): void {
    this.#change(() => {
      this.#frozen = false
    })
  }

  /** Moves the time forward by `ms` at once, to latestMs at most; what falls due on the way runs in order, each at its own time. */
  step(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`step needs milliseconds of 0 or more, got ${ms}`)
    this.#change(() => {
      this.#base = Math.min(this.#base + ms, latestMs)
    })
    this.catchUp()
    for (const child of this.#children) child.catchUp()
  }

  /** Sets the time itself: for a world that goes on from where another one stopped. */
  setTo(now: number): void {
    this.#change(() => {
      this.#base = Math.min(now, latestMs)
    })
  }

  /** Makes the time pass `factor` times as fast as the parent's; above 0. */
  setSpeed(factor: number): void {
    if (!(factor > 0 && Number.isFinite(factor))) throw new RangeError(`speed needs a number above 0, got ${factor}`)
    this.#change(() => {
      this.#speed = factor
    })
  }

  /** Runs `run` once in `ms` of this clock's time; `dropped`, if the clock is closed before. */
  after(ms: number, run: () => void, dropped?: () => void): Timer {
    const timer: Timer = { at: this.now() + ms, cancelled: false, run, dropped, order: this.#order++ }
    this.#timers.push(timer)
    if (timer.at < this.#armedFor) this.#arm()
    return timer
  }

  cancel(timer: Timer | undefined): void {
    if (timer) timer.cancelled = true
  }

  /** Runs all that is due by now: cheap when nothing is, so every read of a world's state can call it first. */
  catchUp(): void {
    const { first } = this.#timers
    if (first === undefined || this.#pinned !== undefined) return
    const now = this.now()
    if (first.at > now) return
    try {
      for (let timer: Timer | undefined = first; timer && timer.at <= now; timer = this.#timers.first) {
        this.#timers.pop()
        if (timer.cancelled) continue
        this.#pinned = timer.at
        timer.run()
      }
    } finally {
      this.#pinned = undefined
    }
    // The real timer stays: it comes too early at the worst, and is armed for the next one then.
  }

  /** Forgets all timers; the clock still tells the time. */
  close(): void {
    this.#closed = true
    for (const timer of this.#timers.clear()) if (!timer.cancelled) timer.dropped?.()
    clearTimeout(this.#timeout)
    if (this.#parent) this.#parent.#children.delete(this)
    for (const child of [...this.#children]) child.close()
  }

  #parentNow(realMs = monotonicMs()): number {
    return this.#parent ? this.#parent.now(realMs) : realMs
  }

  #change(change: () => void): void {
    const parentNow = this.#parentNow()
    this.#base = this.now()
    this.#parentBase = parentNow
    change()
    this.#rearm()
  }

  #rearm(): void {
    this.#arm()
    for (const child of this.#children) child.#rearm()
  }

  /** Milliseconds of this clock that pass in one real millisecond. */
  #rate(): number {
    if (this.#frozen) return 0
    return this.#speed * (this.#parent ? this.#parent.#rate() : 1)
  }

  /** At most one real timer, for the first that is due. */
  #arm(): void {
    clearTimeout(this.#timeout)
    this.#armedFor = Number.POSITIVE_INFINITY
    const { first } = this.#timers
    const rate = this.#rate()
    if (first === undefined || rate === 0 || this.#closed) return
    this.#armedFor = first.at
    const realMs = Math.max(0, Math.ceil((first.at - this.now()) / rate))
    const due = monotonicMs() + realMs
    this.#timeout = setTimeout(
      () => {
        this.#lateMs = Math.max(this.#lateMs, monotonicMs() - due)
        this.catchUp()
        this.#arm()
      },
      Math.min(realMs, longestTimeoutMs),
    )
    this.#timeout.unref()
  }
}
