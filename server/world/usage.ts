/** What one world has used: totals a day (US-1) and its recent calls (US-2). */
import { routeOf } from '../../contracts/operations.ts'
import type { UsageEvent, UsageSummary } from '../../contracts/schemas.ts'
import type { Exchange } from '../journal.ts'

const dayMs = 24 * 60 * 60 * 1000
/** US-2 gives at most 100, US-1 looks 90 days back. */
const maxEvents = 100
const maxDays = 90

interface Day {
  total: number
  completed: number
  failed: number
  /** In thousandths, as Credits keeps them. */
  charged: number
}

const dayOf = (at: number): number => Math.floor(at / dayMs)

export class Usage {
  readonly #days = new Map<number, Day>()
  /** A ring: written once a call. */
  readonly #calls: Exchange[] = []
  #next = 0
  /** Calls of the time before a restore; newest first. */
  #before: readonly UsageEvent[] = []

  jobStarted(at: number): void {
    this.#day(at).total++
  }

  jobCompleted(at: number, charged: number): void {
    const day = this.#day(at)
    day.completed++
    day.charged += charged
  }

  jobFailed(at: number): void {
    this.#day(at).failed++
  }

  /** A job that completed at `at` turns out to have failed. */
  jobRefunded(at: number, price: number): void {
    const day = this.#day(at)
    day.completed--
    day.failed++
    day.charged -= price
  }

  called(exchange: Exchange): void {
    this.#calls[this.#next] = exchange
    this.#next = this.#next === maxEvents - 1 ? 0 : this.#next + 1
  }

  /** The last `days` days up to today, oldest first. */
  summary(days: number, now: number): UsageSummary {
    const today = dayOf(now)
    const daily = Array.from({ length: days }, (_, i) => {
      const day = today - (days - 1) + i
      const row = this.#days.get(day) ?? { total: 0, completed: 0, failed: 0, charged: 0 }
      return { date: new Date(day * dayMs).toISOString().slice(0, 10), row }
    })
    const sum = { total: 0, completed: 0, failed: 0, charged: 0 }
    for (const { row } of daily) {
      sum.total += row.total
      sum.completed += row.completed
      sum.failed += row.failed
      sum.charged += row.charged
    }
    return { days, ...shown(sum), daily: daily.map(({ date, row }) => ({ date, ...shown(row) })) }
  }

  /** The last `limit` calls, newest first. */
  events(limit: number): UsageEvent[] {
    const count = Math.min(limit, this.#calls.length)
    const own = Array.from({ length: count }, (_, i) => {
      const call = this.#calls[(this.#next - 1 - i + 2 * maxEvents) % maxEvents] as Exchange
      return {
        request_id: call.requestId,
        job_id: call.jobId,
        endpoint: routeOf(call.operation) ?? call.url,
        status: call.status,
        credits: call.credits / 1000,
        time: new Date(call.at).toISOString(),
      }
    })
    return [...own, ...this.#before.slice(0, limit - count)]
  }

  /** As a snapshot has it: each day as [day, total, completed, failed, charged]. */
  save(): { days: number[][]; events: UsageEvent[] } {
    const days = [...this.#days].map(([day, row]) => [day, row.total, row.completed, row.failed, row.charged])
    return { days, events: this.events(maxEvents) }
  }

  restore({ days, events }: { days: readonly number[][]; events: readonly UsageEvent[] }): void {
    for (const [day, total, completed, failed, charged] of days as [number, number, number, number, number][]) {
      this.#days.set(day, { total, completed, failed, charged })
    }
    this.#before = events
  }

  #day(at: number): Day {
    const number = dayOf(at)
    let day = this.#days.get(number)
    if (day === undefined) {
      day = { total: 0, completed: 0, failed: 0, charged: 0 }
      this.#days.set(number, day)
      for (const old of this.#days.keys()) if (old <= number - maxDays) this.#days.delete(old)
    }
    return day
  }
}

const shown = (day: Day) => ({
  total_jobs: day.total,
  completed_jobs: day.completed,
  failed_jobs: day.failed,
  credits_used: day.charged / 1000,
})
