/**
 * Rate limits (RL-1, RL-2): fixed windows that open with their first request. When a window ends, the whole limit is
 * there again, so its end is a Retry-After that never lies.
 */
export class Window {
  readonly name: string
  readonly limit: number
  readonly limitText: string
  readonly windowMs: number
  /** RateLimit-Policy's item for this window. */
  readonly policy: string
  #used = 0
  #endsAt = 0

  /** `limit` 0 is no limit. */
  constructor(name: string, limit: number, windowMs: number) {
    this.name = name
    this.limit = limit
    this.limitText = String(limit)
    this.windowMs = windowMs
    this.policy = `"${name}";q=${limit};w=${Math.ceil(windowMs / 1000)}`
  }

  /** Opens a new window when the last one has ended; true when there is room in it. */
  hasRoom(now: number): boolean {
    if (now >= this.#endsAt) {
      this.#endsAt = now + this.windowMs
      this.#used = 0
    }
    return this.#used < this.limit
  }

  /** Counts one request. Refused requests don't count. */
  take(): void {
    this.#used++
  }

  useUp(now: number): void {
    this.#endsAt = now + this.windowMs
    this.#used = this.limit
  }

  /** Goes on from where a snapshot was taken. */
  restore(used: number, endsAt: number): void {
    this.#used = used
    this.#endsAt = endsAt
  }

  get used(): number {
    return this.#used
  }

  get remaining(): number {
    return this.limit - this.#used
  }

  /** Milliseconds since the epoch. */
  get endsAt(): number {
    return this.#endsAt
  }
}

/** Whole seconds until a window ends, rounded up: waiting that long is enough (RL-2). */
export const secondsLeft = (endsAt: number, now: number): number => Math.max(0, Math.ceil((endsAt - now) / 1000))

/** How many calls in how long; a bare number counts a minute, and 0 is no limit. */
export type LimitSpec = number | { limit: number; windowMs: number }

const minuteMs = 60_000

export function windowOf(name: string, spec: LimitSpec): Window | undefined {
  const { limit, windowMs } = typeof spec === 'number' ? { limit: spec, windowMs: minuteMs } : spec
  return limit === 0 ? undefined : new Window(name, limit, windowMs)
}

/** A world counts at most this many client addresses of keyless calls apart; ended windows make room first. */
const maxAddresses = 10_000

/** The limits of one account. */
export class Limits {
  requests: Window | undefined
  jobs: Window | undefined
  readonly #perAddress = new Map<string, Window>()

  constructor(requests: LimitSpec, jobs: LimitSpec) {
    this.set(requests, jobs)
  }

  /** Sets the limits that are given anew, with nothing used of them; the other stays as it is. */
  set(requests: LimitSpec | undefined, jobs: LimitSpec | undefined): void {
    if (requests !== undefined) {
      this.requests = windowOf('requests', requests)
      this.#perAddress.clear()
    }
    if (jobs !== undefined) this.jobs = windowOf('jobs', jobs)
  }

  /** Other limits where they are given, the same ones where not. */
  with(requests: LimitSpec | undefined, jobs: LimitSpec | undefined): Limits {
    const other = new Limits(0, 0)
    other.requests = this.requests
    other.jobs = this.jobs
    other.set(requests, jobs)
    return other
  }

  /** RL-1: keyless legacy calls count per client address. */
  requestsFrom(address: string, now: number): Window | undefined {
    if (this.requests === undefined) return undefined
    let window = this.#perAddress.get(address)
    if (window === undefined) {
      if (this.#perAddress.size >= maxAddresses) this.#makeRoom(now)
      window = new Window(this.requests.name, this.requests.limit, this.requests.windowMs)
      this.#perAddress.set(address, window)
    }
    return window
  }

  #makeRoom(now: number): void {
    for (const [address, window] of this.#perAddress) if (window.endsAt <= now) this.#perAddress.delete(address)
    const oldest = this.#perAddress.keys().next()
    if (this.#perAddress.size >= maxAddresses && !oldest.done) this.#perAddress.delete(oldest.value)
  }
}
