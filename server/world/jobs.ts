/**
 * The life of a job (JOB-3, JOB-4): created by a call, moved on by the world's clock, paid for when it completes.
 */
import { alphaFormats, type Job, type JobCreate, type JobStart, type JobState } from '../../contracts/schemas.ts'
import { apiError } from '../errors.ts'
import { findVideoMagic } from '../magic.ts'
import { priceOf } from './credits.ts'
import type { JobRecord } from './jobStore.ts'
import { durationOf } from './videoLength.ts'
import type { World } from './world.ts'

/** JOB-4 as a table: from state, by event, to state. What isn't here can't happen. */
const moves = {
  created: { start: 'pending' },
  pending: { begin: 'processing' },
  processing: { complete: 'completed', fail: 'failed' },
  completed: {},
  failed: { start: 'pending' },
} as const satisfies Record<JobState, Partial<Record<JobEvent, JobState>>>

type JobEvent = 'start' | 'begin' | 'complete' | 'fail'

/** How long jobs take at speed 1, in ms; drawn from the seed for each. */
const queueMs = { min: 300, max: 1200 }
const processingMs = { min: 1500, max: 4000 }
/** A job that fails does so after this share of its processing. */
const failsAt = 0.6
/** What a stuck job's progress stays at. */
const stuckProgress = 42

/** POST /v1/jobs: makes a job and, unless it is a draft, starts it. Throws 402 before anything is kept (CR-3). */
export function createJob(world: World, input: JobCreate, baseUrl: string): JobRecord {
  refuseLostAlpha(input)
  const durationMs = durationOf(input.video_url, world.config)
  const price = priceOf(input.model, durationMs ?? 0)
  if (input.auto_start) refuseUnpayable(world, price)
  world.makeRoomForJob()
  const n = world.nextJob++
  const id = `job_${world.tag}${world.chance.id('job', n)}`
  const job: JobRecord = {
    view: {
      id,
      status: 'created',
      progress: 0,
      output_url: null,
      error: null,
      created_at: new Date(world.clock.now()).toISOString(),
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
    url: undefined,
    n,
    baseUrl,
    durationMs,
    magic: findVideoMagic(input.video_url),
    attempt: 0,
    price,
    processingSince: 0,
    processingMs: 0,
    older: undefined,
    newer: undefined,
  }
  world.jobs.add(job)
  if (input.auto_start) start(world, job)
  return job
}

/**
 * POST /v1/jobs/{id}/start: starts a draft, or a failed job again. A job that is underway or completed stays as it is:
 * the call was a retry (JOB-3). Returns whether it was started.
 */
export function startJob(world: World, job: JobRecord, overrides: JobStart): boolean {
  if (!('start' in moves[job.view.status])) return false
  const changed = { ...job.view }
  takeInputs(changed, overrides)
  refuseLostAlpha(changed)
  const price = priceOf(changed.model, job.durationMs ?? 0)
  refuseUnpayable(world, price)
  Object.assign(job.view, changed)
  job.price = price
  start(world, job)
  return true
}

/** Brings a job's progress up to the world's time and gives what the API shows (JOB-5). */
export function viewOf(world: World, job: JobRecord): Job {
  if (job.view.status === 'processing') {
    const done = (world.clock.now() - job.processingSince) / job.processingMs
    const cap = job.magic.outcome === 'stuck' ? stuckProgress : 99
    const progress = Math.min(cap, Math.floor(done * 100))
    if (progress > job.view.progress) {
      job.view.progress = progress
      job.json = undefined
    }
  }
  return job.view
}

function start(world: World, job: JobRecord): void {
  job.attempt++
  job.view.progress = 0
  job.view.error = null
  job.view.billing_status = 'pending'
  world.credits.reserve(job.price)
  world.usage.jobStarted(world.clock.now())
  advance(world, job, 'start')
  world.clock.after(chance(world, job, 'queue', queueMs), () => begin(world, job))
}

function begin(world: World, job: JobRecord): void {
  const { outcome, slower } = job.magic
  job.processingSince = world.clock.now()
  job.processingMs = chance(world, job, 'processing', processingMs) * slower
  advance(world, job, 'begin')
  viewOf(world, job)
  world.announce('job.started', job)
  if (outcome === 'stuck') return
  const fails = outcome === 'failed' || job.durationMs === undefined
  const finish = fails ? fail : complete
  world.clock.after(job.processingMs * (fails ? failsAt : 1), () => finish(world, job))
}

function complete(world: World, job: JobRecord): void {
  const { view } = job
  world.credits.charge(job.price)
  world.usage.jobCompleted(world.clock.now(), job.price)
  view.progress = 100
  view.billing_status = 'charged'
  view.output_url = `${job.baseUrl}/files/outputs/${view.id}/${outputName(view.output_format)}`
  advance(world, job, 'complete')
  world.announce('job.completed', job)
}

function fail(world: World, job: JobRecord): void {
  viewOf(world, job)
  world.credits.release(job.price)
  world.usage.jobFailed(world.clock.now())
  job.view.billing_status = 'not_charged'
  job.view.error = job.durationMs === undefined ? "Processing failed: the video can't be read" : 'Processing failed'
  advance(world, job, 'fail')
  world.announce('job.failed', job)
}

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
function refuseUnpayable(world: World, price: number): void {
  if (price <= world.credits.available && world.credits.available > 0) return
  const credits = (thousandths: number) => thousandths / 1000
  throw apiError(
    'insufficient_credits',
    `needs ${credits(price)} credits, the key has ${credits(world.credits.available)}`,
  )
}

function chance(world: World, job: JobRecord, what: string, ms: { min: number; max: number }): number {
  if (world.config.speed === 'instant') return 0
  return world.chance.between(ms.min, ms.max, what, job.n, job.attempt) / world.config.speed
}
