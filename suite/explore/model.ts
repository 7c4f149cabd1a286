/** What the contract lets one expect of a sequence of calls: the jobs and uploads that it made, as they have to be. */

import type { UploadFile } from '../../base/multipart.ts'
import { jsonValueText, plural } from '../../base/text.ts'
import { field, isSame } from '../../contracts/answers.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { alphaFormats, type Job, type JobState } from '../../contracts/schemas.ts'
import { clausesOfInput, listedIds } from '../../contracts/shapes.ts'
import { isPriceKept } from '../checks/journey.ts'
import { type Price, type Probe, priceOf } from '../probe.ts'
import { round } from '../session.ts'

export type Who = 'main' | 'second'

export interface ModelJob {
  id: string
  owner: Who
  /** Inputs that it was given, and those of a start over them. */
  inputs: Record<string, unknown>
  isStarted: boolean
  /** The state and progress that were seen last. */
  status: JobState | undefined
  progress: number
}

export interface ApiModel {
  jobs: ModelJob[]
  /** video_ids so far, with the name of what was uploaded. */
  uploads: Map<string, string>
  /** By Idempotency-Key: what was sent, and the id that it was answered with. */
  answers: Map<string, { sent: string; id: string; status: number; who: Who }>
  /** Calls with an Idempotency-Key, to be sent again as they were. */
  repeatable: ((model: ApiModel, real: Real) => Promise<void>)[]
  /** What the main key's jobs may have cost since the account was looked at last. */
  due: Price
  /** Its total then, beyond what there was at first. */
  seen: number
  /** How many of its jobs were started. */
  started: number
}

/** What the commands work on. */
export interface Real {
  t: Probe
  keys: Record<Who, string | undefined>
  /** Nobody else uses the keys: lists and totals are known exactly. */
  isAlone: boolean
  mayStart: boolean
  videoUrl: string
  /** Idempotency keys of this sequence. */
  idem(n: number): string
  usageBefore: { credits_used: number; total_jobs: number } | undefined
}

export const emptyModel = (): ApiModel => ({
  jobs: [],
  uploads: new Map(),
  answers: new Map(),
  repeatable: [],
  due: { exact: 0, below: 0 },
  seen: 0,
  started: 0,
})

export const modelKey = (real: Real, who: Who): { key: string } | Record<never, never> => {
  const key = real.keys[who]
  return key === undefined ? {} : { key }
}

/** JOB-7 of the inputs as they would be. Where no background was named, either answer is right. */
export const alphaOf = (inputs: Record<string, unknown>): 'right' | 'wrong' | 'open' => {
  const { output_format: format = 'webm', bg_type: background } = inputs
  if ((alphaFormats as readonly unknown[]).includes(format)) return 'right'
  return background === undefined ? 'open' : background === 'transparent' ? 'wrong' : 'right'
}

/** A job as its owner reads it, held against all that is known of it. */
export function expectJob(t: Probe, job: ModelJob, exchange: ObservedExchange, clauses?: readonly ClauseId[]): void {
  if (!t.expectStatus('AUTH-3', exchange, [200], 'the job for the key that made it')) return
  const now = exchange.json as Job
  t.expect('JOB-5', now.id === job.id, job.id, now.id, { exchange, pointer: '/id' })
  for (const [name, given] of Object.entries(job.inputs)) {
    const shown = field(exchange, name)
    // Whether an empty text is shown as one is not documented.
    const holds = isSame(given, shown) || (given === '' && (shown === null || shown === undefined))
    t.expect(clauses ?? clausesOfInput(name), holds, JSON.stringify(given), shown, {
      exchange,
      pointer: `/${name}`,
    })
  }
  if (!job.isStarted) {
    const isDraft = now.status === 'created' || now.status === 'pending'
    t.expect('JOB-3', isDraft, 'a draft still, as it was not started', now.status, {
      exchange,
      pointer: '/status',
    })
    t.expect('JOB-3', now.progress === 0, '0, as it was not started', now.progress, {
      exchange,
      pointer: '/progress',
    })
  }
  const before = job.status
  if (before === 'completed' || before === 'failed') {
    t.expect('JOB-4', now.status === before, `${before} still`, now.status, { exchange, pointer: '/status' })
  }
  t.expect('JOB-4', now.progress >= job.progress, `${job.progress} or more`, now.progress, {
    exchange,
    pointer: '/progress',
  })
  job.status = now.status
  job.progress = now.progress
}

/** Waits for a started job's end, so that what it cost is known. */
export async function settle(real: Real, model: ApiModel, job: ModelJob): Promise<void> {
  const { t } = real
  expectJob(t, job, await t.job(job.id, modelKey(real, job.owner)))
  const { answers, job: last } = await t.finish(job.id, modelKey(real, job.owner))
  for (const exchange of answers) expectJob(t, job, exchange)
  if (job.owner !== 'main') return
  model.started++
  if (last.status !== 'completed') return
  const { exact, below } = priceOf(job.inputs.model, Number(jsonValueText(last.duration_seconds ?? 0)))
  model.due = { exact: model.due.exact + exact, below: model.due.below + below }
}

/** The key's own jobs, each once; one more than was made was made by what was done last. */
async function expectList(
  { t, ...real }: Real,
  { jobs }: ApiModel,
  clauses: Parameters<Probe['expect']>[0],
): Promise<void> {
  const exchange = await t.get('/v1/jobs?limit=100', modelKey({ t, ...real }, 'main'))
  const shown = listedIds(exchange.json)
  const foreign = jobs.find(({ id, owner }) => owner !== 'main' && shown.includes(id))
  const missing = jobs.find(({ id, owner }) => owner === 'main' && !shown.includes(id))
  const more = shown.filter((id, i) => !jobs.some(job => job.id === id) || shown.indexOf(id) !== i)
  const place = { exchange, pointer: '/jobs' }
  t.expect('AUTH-3', foreign === undefined, "only the key's own jobs", foreign?.id ?? 'only those', place)
  t.expect('JOB-6', missing === undefined, "all of the key's jobs", missing ? `${missing.id} is missing` : 'all', place)
  const own = jobs.filter(({ owner }) => owner === 'main').map(({ id }) => id)
  const due = own.toReversed().join(', ')
  const inOrder = shown.filter((id, i) => own.includes(id) && shown.indexOf(id) === i).join(', ')
  if (missing === undefined)
    t.expect('JOB-6', inOrder === due, `newest first: ${due || 'none'}`, inOrder || 'none', place)
  const isListed = more.length > 0 && jobs.some(({ id }) => more.includes(id))
  t.expect(
    isListed ? 'JOB-6' : clauses,
    more.length === 0,
    'no job that was not made',
    more.join(', ') || 'none',
    place,
  )
}

/** What the account has come to: a surplus was caused by what was done last. */
export async function expectSpent(real: Real, model: ApiModel, clauses: Parameters<Probe['expect']>[0]): Promise<void> {
  const { t, usageBefore, isAlone } = real
  if (!isAlone || usageBefore === undefined) return
  const now = await t.usage(modelKey(real, 'main'))
  const used = now.credits_used - usageBefore.credits_used
  const credits = round(used - model.seen)
  const { due } = model
  const expected = `${plural(round(due.exact), 'credit')} more used${due.exact === 0 ? '' : `; where it rounds up, less than ${due.below}`}`
  t.expect(clauses, isPriceKept(credits, due), expected, plural(credits, 'credit'))
  model.seen = used
  model.due = { exact: 0, below: 0 }
  await expectList(real, model, clauses)
  const jobs = now.total_jobs - usageBefore.total_jobs
  // Whether a draft counts before its start is not documented.
  const made = model.jobs.filter(({ owner }) => owner === 'main').length
  const isCounted = jobs >= Math.min(model.started, made) && jobs <= Math.max(model.started, made)
  t.expect(clauses, isCounted, `${plural(model.started, 'job')} started, ${made} made`, plural(jobs, 'job'))
}

export const textFile: UploadFile = {
  name: 'note.txt',
  type: 'text/plain',
  content: new TextEncoder().encode('no video'),
}
