/** The states that a job was seen in, recorded and now: both have to end alike, and to go the same way (JOB-4). */
import type { ResponseDifference } from './compare.ts'

/** How far a job has come; two names of one place have the same. */
const rank: Readonly<Record<string, number>> = { created: 0, pending: 1, processing: 2, completed: 3, failed: 3 }
export const isEnd = (state: string | undefined): boolean => state === 'completed' || state === 'failed'

/** undefined for what is no state of the contract: nothing is known of its place. */
export const stateOf = (json: unknown): string | undefined => {
  const { status } = (typeof json === 'object' && json !== null ? json : {}) as { status?: unknown }
  return typeof status === 'string' && status in rank ? status : undefined
}

/** The job has not come as far as it had when it was recorded: it is worth another look. */
export const isEarlierState = (recorded: string | undefined, found: string | undefined): boolean =>
  recorded !== undefined && found !== undefined && (rank[found] as number) < (rank[recorded] as number)

interface Track {
  recorded: string | undefined
  found: string | undefined
  /** When it was polled, by the recording's clock. */
  at: number
  /** When the last answer was there, so that the answers of polls at once are not taken for a sequence. */
  endedAt: number
}

export class States {
  readonly #tracks = new Map<string, Track>()

  /** The job was started, perhaps again: it may go back to where it began. */
  started(job: string): void {
    this.#tracks.delete(job)
  }

  /** What the recorded client had been told last. */
  lastRecorded(job: string): string | undefined {
    return this.#tracks.get(job)?.recorded
  }

  lastFound(job: string): string | undefined {
    return this.#tracks.get(job)?.found
  }

  /** ms since the job was polled last, by the recording's clock. */
  gapOf(job: string, at: number): number {
    return at - (this.#tracks.get(job)?.at ?? at)
  }

  /** Both answers to one poll, which was sent and answered at these times (ms by one clock). */
  polled(
    job: string,
    recorded: string | undefined,
    found: string | undefined,
    { at, startedAt, endedAt }: { at: number; startedAt: number; endedAt: number },
  ): ResponseDifference | undefined {
    const before = this.#tracks.get(job)
    const isNext = before === undefined || startedAt >= before.endedAt
    if (isNext) this.#tracks.set(job, { recorded, found, at, endedAt })
    if (recorded === undefined || found === undefined) return undefined
    const told = { what: 'state' as const, pointer: '/status' }
    if (isEnd(recorded) && recorded !== found) return { ...told, expected: recorded, found }
    if (isEarlierState(recorded, found)) return { ...told, expected: recorded, found }
    if (!isNext || before?.found === undefined || before.recorded === undefined) return undefined
    const wentBack = isEarlierState(before.found, found) || (isEnd(before.found) && before.found !== found)
    const wasBack = isEarlierState(before.recorded, recorded)
    return wentBack && !wasBack
      ? { ...told, expected: `${before.recorded}, then ${recorded}`, found: `${before.found}, then ${found}` }
      : undefined
  }
}
