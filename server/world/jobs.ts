/**
 * The life of a job (JOB-3, JOB-4): created by a call, moved on by the world's clock, paid for when it completes.
 */
import { monotonicMs } from '../../base/clock.ts'
import { plural } from '../../base/text.ts'
import { alphaFormats, type Job, type JobCreate, type JobStart, type JobState } from '../../contracts/schemas.ts'
import { apiError } from '../errors.ts'
import type { Account } from './account.ts'
import { type Credits, priceOf } from './credits.ts'
import type { JobRecord } from './jobStore.ts'
import { jobPlanOf, type PlanChanges } from './plan.ts'
import { durationOf } from './videoLength.ts'
import type { World } from './world.ts'

/** JOB-4 as a table: from state, by event, to state. What isn't here can't happen; `refund` is done by hand only. */
const moves = {
  created: { start: 'pending' },
  pending: { begin: 'processing' },
  processing: { complete: 'completed', fail: 'failed' },
  completed: { refund: 'failed' },
  failed: { start: 'pending' },
} as const satisfies Record<JobState, Partial<Record<JobEvent, JobState>>>

type JobEvent = 'start' | 'begin' | 'complete' | 'fail' | 'refund'

/** How long jobs take at speed 1, in ms; drawn from the seed for each. */
const queueMs = { min: 300, max: 1200 }
const processingMs = { min: 1500, max: 4000 }
/** A job that fails does so after this share of its drawn processing. */
const failsAt = 0.6

/**
 * POST /v1/jobs: makes a job and, unless it is a draft, starts it. `account` pays for it, `changes` is what a scenario
 * says of how it goes. Throws 402 before anything is kept (CR-3).
 */
export function createJob(
  world: World,
  input: JobCreate,
  baseUrl: string,
  { credits }: Account = world.account,
  changes?: PlanChanges,
): JobRecord {
  refuseLostAlpha(input)
  const durationMs = durationOf(input.video_url, world.config)
  const price = priceOf(input.model, durationMs ?? 0)
  if (input.auto_start) refuseUnpayable(credits, price)
  const bytes = world.makeRoomForJob(input)
  const n = world.nextJob++
  const id = `job_${world.tag}${world.random.id('job', n)}`
  const job: JobRecord = {
    view: {
      id,
      status: 'created',
      progress: 0,
      output_url: null,
      error: null,
      created_at: isoOf(world.clock.now()),
      duration_seconds: durationMs === undefined ? null : durationMs / 1000,
      billing_status: null,
      webhook_url: input.webhook_url ?? null,
      webhook_events: [],
      video_url: input.video_url,
      model: input.model,
      output_format: input.output_format,
      bg_type: input.bg_type,
      bg_color: input.bg_color,
      text_prompt: input.text_prompt,
      background: input.background,
      composition: input.composition,
      metadata: input.metadata,
    },
    json: undefined,
    bytes,
    url: undefined,
    n,
    baseUrl,
    trace: undefined,
    durationMs,
    plan: jobPlanOf(input.video_url, changes),
    credits,
    attempt: 0,
    price,
    processingSince: 0,
    processingMs: 0,
    completedAt: 0,
    timer: undefined,
    making: undefined,
    waitsSince: undefined,
    message: undefined,
    older: undefined,
    newer: undefined,
  }
  world.jobs.add(job)
  if (input.auto_start) start(world, job)
  return job
}

let lastIso = { ms: Number.NaN, text: '' }

/** Under load many jobs are created in the same millisecond. */
function isoOf(now: number): string {
  const ms = Math.floor(now)
  if (ms !== lastIso.ms) lastIso = { ms, text: new Date(ms).toISOString() }
  return lastIso.text
}

/**
 * POST /v1/jobs/{id}/start: starts a draft, or a failed job again. A job that is underway or completed stays as it is:
 * the call was a retry (JOB-3). Returns whether it was started.
 */
export function startJob(
  world: World,
  job: JobRecord,
  overrides: JobStart,
  { credits }: Account = world.account,
  changes?: PlanChanges,
): boolean {
  if (!('start' in moves[job.view.status])) return false
  const changed = { ...job.view }
  takeInputs(changed, overrides)
  refuseLostAlpha(changed)
  const price = priceOf(changed.model, job.durationMs ?? 0)
  refuseUnpayable(credits, price)
  Object.assign(job.view, changed)
  world.jobs.measure(job)
  if (changes) job.plan = { ...job.plan, ...changes }
  job.credits = credits
  job.price = price
  start(world, job)
  return true
}

/** Brings a job's progress up to the world's time and gives what the API shows (JOB-5). */
export function viewOf(world: World, job: JobRecord): Job {
  if (job.view.status === 'processing') {
    const progress = progressOf(job, world.clock.now() - job.processingSince)
    if (progress > job.view.progress) {
      job.view.progress = progress
      job.json = undefined
    }
  }
  return job.view
}

function progressOf({ plan, processingMs }: JobRecord, passedMs: number): number {
  if (plan.points) return plan.points.findLast(({ atMs }) => atMs <= passedMs)?.progress ?? 0
  return Math.min(plan.outcome === 'stuck' ? plan.stuckAt : 99, Math.floor((passedMs / processingMs) * 100))
}

function start(world: World, job: JobRecord): void {
  job.attempt++
  job.making = undefined
  job.message = undefined
  delete job.view.message
  job.view.progress = 0
  job.view.error = null
  job.view.billing_status = 'pending'
  job.credits.reserve(job.price)
  world.usage.jobStarted(world.clock.now())
  advance(world, job, 'start')
  job.timer = world.clock.after(job.plan.queueMs ?? drawn(world, job, 'queue', queueMs), () => begin(world, job))
}

function begin(world: World, job: JobRecord): void {
  const { outcome, slower, processingMs: plannedMs } = job.plan
  job.processingSince = world.clock.now()
  job.processingMs = plannedMs ?? drawn(world, job, 'processing', processingMs) * slower
  advance(world, job, 'begin')
  viewOf(world, job)
  world.announce('job.started', job)
  job.timer = undefined
  if (outcome === 'stuck') return
  const share = isFailing(job) && plannedMs === undefined ? failsAt : 1
  const finish = isFailing(job) ? fail : completeWhenMade
  if (finish === completeWhenMade) job.making = world.makeOutput(job)
  job.timer = world.clock.after(job.processingMs * share, () => finish(world, job))
}

/** It is due: completed if its output is there, else as soon as it is. */
function completeWhenMade(world: World, job: JobRecord): void {
  const { making, attempt } = job
  job.timer = undefined
  if (making === undefined || making.isOver) return finishMade(world, job)
  const { clock } = world
  job.waitsSince = monotonicMs()
  making.done.then(() => {
    if (making.isCancelled) return
    const isOurs = job.waitsSince !== undefined && job.attempt === attempt && job.making === making
    // Reset, moved by hand, or held: nobody waits any more.
    if (!isOurs || world.clock !== clock || job.view.status !== 'processing' || job.timer !== undefined) return
    if (job.plan.outcome !== 'stuck') finishMade(world, job)
  })
}

function finishMade(world: World, job: JobRecord): void {
  if (job.making?.problem !== undefined) return fail(world, job)
  complete(world, job)
}

function complete(world: World, job: JobRecord): void {
  const { view } = job
  job.timer = undefined
  job.waitsSince = undefined
  job.completedAt = world.clock.now()
  const message = job.making?.message ?? job.message
  if (message !== undefined) view.message = message
  job.credits.charge(job.price)
  world.usage.jobCompleted(job.completedAt, job.price)
  view.progress = 100
  view.billing_status = 'charged'
  view.output_url = `${job.baseUrl}/files/outputs/${view.id}/${outputName(view.output_format)}`
  advance(world, job, 'complete')
  world.announce('job.completed', job)
}

function fail(world: World, job: JobRecord): void {
  viewOf(world, job)
  job.timer = undefined
  job.credits.release(job.price)
  world.usage.jobFailed(world.clock.now())
  job.view.billing_status = 'not_charged'
  job.waitsSince = undefined
  job.view.error = errorOf(job)
  advance(world, job, 'fail')
  world.announce('job.failed', job)
}

function errorOf({ durationMs, making, plan }: JobRecord): string {
  if (durationMs === undefined) return "Processing failed: the video can't be read"
  return making?.problem === undefined ? plan.error : `Processing failed: ${making.problem}`
}

/** A completed job turns out to have failed: its credits come back (CR-3). */
function refund(world: World, job: JobRecord): void {
  job.credits.refund(job.price)
  world.usage.jobRefunded(job.completedAt, job.price)
  job.view.billing_status = 'refunded'
  job.view.output_url = null
  delete job.view.message
  job.view.error = job.plan.error
  advance(world, job, 'refund')
  world.announce('job.failed', job)
}

/** What leads from a state to another one by hand, a step at a time; what isn't here the state machine has no way for. */
const waysTo: Partial<Record<JobState, Partial<Record<JobState, (world: World, job: JobRecord) => void>>>> = {
  pending: { created: start, failed: start },
  processing: { created: start, failed: start, pending: begin },
  completed: { created: start, failed: start, pending: begin, processing: complete },
  failed: { created: start, pending: begin, processing: fail, completed: refund },
}

/**
 * Moves a job to a state by hand, over all the states between, with all that goes with them: credits, usage, webhooks.
 * False when the state machine has no way there, as from completed to processing; throws 402 when nothing could pay for
 * its start (CR-3). Then nothing has changed.
 */
export function forceJob(world: World, job: JobRecord, to: JobState): boolean {
  const way = waysTo[to]?.[job.view.status]
  if (job.view.status !== to && !way) return false
  if (way === start) refuseUnpayable(job.credits, job.price)
  while (job.view.status !== to) {
    world.clock.cancel(job.timer)
    job.waitsSince = undefined
    waysTo[to]?.[job.view.status]?.(world, job)
  }
  return true
}

/** After a restore: what was due goes on being due. */
export function rearm(world: World, job: JobRecord, dueAt: number): void {
  const { status } = job.view
  const next = status === 'pending' ? begin : isFailing(job) ? fail : completeWhenMade
  if (next === completeWhenMade) job.making = world.makeOutput(job)
  job.timer = world.clock.after(Math.max(0, dueAt - world.clock.now()), () => next(world, job))
}

const isFailing = ({ plan, durationMs }: JobRecord): boolean => plan.outcome === 'failed' || durationMs === undefined

function advance(world: World, job: JobRecord, event: JobEvent): void {
  const from: Partial<Record<JobEvent, JobState>> = moves[job.view.status]
  const to = from[event]
  if (to === undefined) throw new Error(`JOB-4 has no move from ${job.view.status} by ${event}`)
  world.jobs.move(job, to)
}

/** The file of an output: output.webm; the frames of a png_sequence come as a zip. */
export const outputName = (format: Job['output_format']): string =>
  format === 'png_sequence' ? 'output.png_sequence.zip' : `output.${format}`

const overridable = [
  'model',
  'output_format',
  'bg_type',
  'bg_color',
  'text_prompt',
  'webhook_url',
  'background',
  'composition',
] as const satisfies (keyof JobStart)[]

/** Takes over the documented inputs that were given; anything else a client sends is ignored (JOB-1). */
function takeInputs(view: Job, given: JobStart): void {
  for (const name of overridable) if (given[name] !== undefined) Object.assign(view, { [name]: given[name] })
}

/** JOB-7: a transparent background needs an alpha format. `background` outranks bg_type, as the newer field. */
function refuseLostAlpha(inputs: Pick<JobCreate, 'output_format' | 'bg_type' | 'background'>): void {
  const transparent = (inputs.background?.type ?? inputs.bg_type) === 'transparent'
  if (!transparent || alphaFormats.includes(inputs.output_format)) return
  throw apiError(
    'invalid_field',
    `output_format ${inputs.output_format} has no alpha channel for a transparent background; expected one of ` +
      `${alphaFormats.join(', ')}, or another bg_type`,
  )
}

/** CR-3: too few credits, and nothing happens. */
function refuseUnpayable({ available }: Credits, price: number): void {
  if (price <= available && available > 0) return
  throw apiError('insufficient_credits', `needs ${plural(price / 1000, 'credit')}, the key has ${available / 1000}`)
}

function drawn(world: World, job: JobRecord, what: string, ms: { min: number; max: number }): number {
  if (world.config.speed === 'instant') return 0
  return world.random.between(ms.min, ms.max, what, job.n, job.attempt) / world.config.speed
}
