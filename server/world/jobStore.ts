/**
 * The jobs of one world: found by id in one step, listed newest first, and the oldest finished one given up first when
 * there are too many.
 */

import type { Timer } from '../../base/timerHeap.ts'
import type { Job, JobState } from '../../contracts/schemas.ts'
import type { TraceSpan } from '../trace.ts'
import type { Credits } from './credits.ts'
import { type MemoryBudget, type MemoryHolder, sizeInMemory } from './memoryBudget.ts'
import type { JobPlan } from './plan.ts'

/** What a job takes beside its texts, with its record, its timer and its place in the maps, roughly. */
const jobBytes = 2048

/** An output that is being made. */
export interface Making {
  /** Resolves when it is there, or can't be. */
  done: Promise<void>
  isOver: boolean
  /** Nobody waits for it any more: its world was reset, or the mock is closed. */
  isCancelled: boolean
  /** What is wrong with the video, or went wrong; undefined while all is well. */
  problem: string | undefined
  /** What the job's client should know of the way in which it was made. */
  message: string | undefined
}

/** A job as the mock keeps it. `view` is what the API shows, kept up to date in place: a poll copies nothing. */
export interface JobRecord {
  readonly view: Job
  /** The view as JSON, until it changes: most polls find nothing new. */
  json: Buffer | undefined
  /** What it takes in memory, roughly: sizeOfJob(). */
  bytes: number
  /** The URL that it is polled at: one text for all of the journal's entries. */
  url: string | undefined
  /** The n-th job of its world; what its chance is drawn from. */
  readonly n: number
  /** http://host:port that its client called; its output_url begins with it. */
  readonly baseUrl: string
  /** Of the call that has made or started it; its webhooks go on from there. */
  trace: TraceSpan | undefined
  /** Milliseconds of video; undefined when they can't be read. */
  readonly durationMs: number | undefined
  /** Shared by many: it is replaced, never changed. */
  plan: JobPlan
  /** What pays for it: the account's that started it. */
  credits: Credits
  /** How often it was started. */
  attempt: number
  /** Thousandths of a credit, reserved while it is underway and charged when it completes. */
  price: number
  /** Where it stands in processing, in the world's time; progress is worked out from these. */
  processingSince: number
  processingMs: number
  /** When it was charged for; 0 before. */
  completedAt: number
  /** What moves it on next; undefined when nothing does. */
  timer: Timer | undefined
  /** Its output, where that is made while it is processed. */
  making: Making | undefined
  /** Since when it waits for its output alone, in real ms; undefined while it does not. */
  waitsSince: number | undefined
  /** What it says of its output once it is completed. */
  message: string | undefined
  older: JobRecord | undefined
  newer: JobRecord | undefined
}

export const isFinished = (state: JobState): boolean => state === 'completed' || state === 'failed'

export class JobStore implements MemoryHolder {
  readonly #byId = new Map<string, JobRecord>()
  readonly #byState: Record<JobState, number> = { created: 0, pending: 0, processing: 0, completed: 0, failed: 0 }
  #newest: JobRecord | undefined
  /** In the order in which they finished; a failed job that was started again is skipped when its turn comes. */
  #finished: JobRecord[] = []
  #finishedFrom = 0
  readonly #budget: MemoryBudget
  readonly #evicted: (jobs: number) => void
  #bytes = 0

  /** `evicted` is told of finished jobs that made room. */
  constructor(budget: MemoryBudget, evicted: (jobs: number) => void) {
    this.#budget = budget
    this.#evicted = evicted
    budget.add(this)
  }

  get bytes(): number {
    return this.#bytes
  }

  get(id: string): JobRecord | undefined {
    return this.#byId.get(id)
  }

  get size(): number {
    return this.#byId.size
  }

  count(state: JobState): number {
    return this.#byState[state]
  }

  get unfinished(): number {
    return this.#byState.pending + this.#byState.processing
  }

  add(job: JobRecord): void {
    this.#byId.set(job.view.id, job)
    this.#byState[job.view.status]++
    job.older = this.#newest
    if (this.#newest) this.#newest.newer = job
    this.#newest = job
    // One that is restored may have finished before.
    if (isFinished(job.view.status)) this.#finished.push(job)
    this.#count(job.bytes)
  }

  /** It was given other inputs. */
  measure(job: JobRecord): void {
    const before = job.bytes
    job.bytes = sizeOfJob(job.view)
    this.#count(job.bytes - before)
  }

  move(job: JobRecord, to: JobState): void {
    this.#byState[job.view.status]--
    this.#byState[to]++
    job.view.status = to
    job.json = undefined
    if (isFinished(to)) this.#finished.push(job)
  }

  /** A page of the jobs, newest first, and how many there are in all (JOB-6). */
  page(limit: number, offset: number, status: JobState | undefined): { jobs: JobRecord[]; total: number } {
    const total = status === undefined ? this.#byId.size : this.#byState[status]
    const jobs: JobRecord[] = []
    let skipped = 0
    for (let job = this.#newest; job && jobs.length < limit && skipped + jobs.length < total; job = job.older) {
      if (status !== undefined && job.view.status !== status) continue
      if (skipped < offset) skipped++
      else jobs.push(job)
    }
    return { jobs, total }
  }

  /** Gives up the job that finished first; false when none is finished. */
  dropOldestFinished(): boolean {
    if (!this.#dropOne()) return false
    this.#evicted(1)
    return true
  }

  /** Only finished ones go, those first that finished first. */
  evictBytes(bytes: number): number {
    const before = this.#bytes
    let jobs = 0
    while (before - this.#bytes < bytes && this.#dropOne()) jobs++
    if (jobs > 0) this.#evicted(jobs)
    return before - this.#bytes
  }

  /** Its world is gone, or begins anew. */
  discard(): void {
    this.#budget.remove(this)
    this.#count(-this.#bytes)
  }

  #dropOne(): boolean {
    while (this.#finishedFrom < this.#finished.length) {
      const job = this.#finished[this.#finishedFrom++] as JobRecord
      if (this.#finishedFrom > 1000 && this.#finishedFrom * 2 > this.#finished.length) {
        this.#finished = this.#finished.slice(this.#finishedFrom)
        this.#finishedFrom = 0
      }
      if (!isFinished(job.view.status) || !this.#byId.has(job.view.id)) continue
      this.#remove(job)
      return true
    }
    return false
  }

  *[Symbol.iterator](): Generator<JobRecord> {
    yield* this.#byId.values()
  }

  #remove(job: JobRecord): void {
    this.#byId.delete(job.view.id)
    this.#count(-job.bytes)
    this.#byState[job.view.status]--
    if (job.newer) job.newer.older = job.older
    else this.#newest = job.older
    if (job.older) job.older.newer = job.newer
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#budget.use(bytes)
  }
}

/** Twice, as its answer to a poll is kept beside it. */
export const sizeOfJob = (inputs: object): number => jobBytes + 2 * sizeInMemory(inputs)
