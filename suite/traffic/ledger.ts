/** What several observers need to know of jobs and keys, gathered once. */

import { field } from '../../contracts/answers.ts'
import type { RecordedCall } from '../../recordings/traffic.ts'
import { givenBy, type Observed } from '../../recordings/traffic.ts'

export interface Span {
  at: number
  endedAt: number
}

export interface JobFacts {
  /** The key that made it, where its creation was recorded. */
  maker: string | undefined
  /** What the client gave explicitly; undefined where it left it open, or a start may have changed it. */
  model: string | undefined
  format: string | undefined
  isDraft: boolean
  /** Calls that started it, or may have. */
  starts: Span[] | undefined
  /** When, and by which key, it was first seen completed. */
  completed: { endedAt: number; key: string } | undefined
  /** The last state that a poll has shown. */
  status: string | undefined
}

export class TrafficLedger {
  readonly jobs = new Map<string, JobFacts>()
  /** Some call shows a key: where none does, they may have been taken out. */
  hasKeys = false
  /** Keys that were answered 2xx where one is needed. */
  readonly good = new Set<string>()

  job(id: string): JobFacts {
    const known = this.jobs.get(id)
    if (known) return known
    const fresh: JobFacts = {
      maker: undefined,
      model: undefined,
      format: undefined,
      isDraft: false,
      starts: undefined,
      completed: undefined,
      status: undefined,
    }
    this.jobs.set(own(id), fresh)
    return fresh
  }

  /** Takes in a call, before the observers look at it. */
  add({ call, isWhole, isGood, hasBody }: Observed): void {
    if (call.hasKey) this.hasKeys = true
    if (isGood && call.hasKey && call.path.startsWith('/v1/')) this.good.add(call.key)
    if (call.operation === 'createJob' && isGood && hasBody) this.#made(call)
    if (call.operation === 'startJob' && call.jobId !== undefined) this.#started(call, isWhole)
    if (call.operation === 'getJob' && isGood && hasBody && call.jobId !== undefined) {
      const job = this.job(call.jobId)
      const status = field(call, 'status')
      job.status = typeof status === 'string' ? own(status) : undefined
      if (status === 'completed') job.completed ??= { endedAt: call.endedAt, key: call.key }
    }
  }

  #made(call: RecordedCall): void {
    const { jobId } = call
    if (jobId === undefined) return
    const job = this.job(jobId)
    // The same request again, answered with the first answer again (ID-1).
    if (job.maker !== undefined) return
    job.maker = call.key
    const given = givenBy(call)
    job.model = textIn(given, 'model')
    job.format = textIn(given, 'output_format')
    job.isDraft = given?.auto_start === false
  }

  #started(call: RecordedCall, isWhole: boolean): void {
    if (isWhole && call.status >= 400 && call.status < 500) return
    const job = this.job(call.jobId as string)
    // One without an answer may act whenever it arrives.
    const isSettled = isWhole && call.status < 500
    job.starts = [
      ...(job.starts ?? []).slice(-20),
      { at: call.at, endedAt: isSettled ? call.endedAt : Number.POSITIVE_INFINITY },
    ]
    job.model = undefined
    job.format = undefined
  }
}

const textIn = (given: Record<string, unknown> | undefined, name: string): string | undefined => {
  const value = given?.[name]
  return typeof value === 'string' ? own(value) : undefined
}

/** A copy: a piece of a long text would keep all of it in memory. */
export const own = (text: string): string => JSON.parse(JSON.stringify(text)) as string
