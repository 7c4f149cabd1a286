/** The timers of a clock, the first that is due on top. */

export interface Timer {
  /** When it is due, in its clock's milliseconds since the epoch. */
  readonly at: number
  cancelled: boolean
  readonly run: () => void
  /** Told when the clock forgets the timer, so that nobody waits for it in vain. */
  readonly dropped: (() => void) | undefined
  /** Of two that are due at the same time the lower one comes first. */
  readonly order: number
}

/**
 * A heap whose times lie side by side in an array of their own, four children each: with 50,000 jobs under way a look at
 * every timer on the path would miss the processor's cache each time.
 */
export class TimerHeap {
  #timers: Timer[] = []
  #times: number[] = []

  get first(): Timer | undefined {
    return this.#timers[0]
  }

  push(timer: Timer): void {
    let i = this.#timers.length
    const { at } = timer
    while (i > 0) {
      const up = (i - 1) >> 2
      if (!this.#isBefore(at, timer, up)) break
      this.#move(up, i)
      i = up
    }
    this.#timers[i] = timer
    this.#times[i] = at
  }

  /** Takes the first away. */
  pop(): void {
    const last = this.#timers.pop()
    const at = this.#times.pop()
    const size = this.#timers.length
    if (last === undefined || at === undefined || size === 0) return
    let i = 0
    for (;;) {
      const begin = 4 * i + 1
      if (begin >= size) break
      const end = Math.min(begin + 4, size)
      let first = begin
      for (let child = begin + 1; child < end; child++)
        if (!this.#isBefore(this.#times[first] as number, this.#timers[first] as Timer, child)) first = child
      if (this.#isBefore(at, last, first)) break
      this.#move(first, i)
      i = first
    }
    this.#timers[i] = last
    this.#times[i] = at
  }

  /** Takes all away. */
  clear(): Timer[] {
    const all = this.#timers
    this.#timers = []
    this.#times = []
    return all
  }

  #move(from: number, to: number): void {
    this.#timers[to] = this.#timers[from] as Timer
    this.#times[to] = this.#times[from] as number
  }

  /** Whether a timer, due at `at`, comes before the one at `i`. */
  #isBefore(at: number, timer: Timer, i: number): boolean {
    const other = this.#times[i] as number
    return at < other || (at === other && timer.order < (this.#timers[i] as Timer).order)
  }
}
