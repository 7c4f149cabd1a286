/** Takes a snapshot of a world, and restores a world from one. */
import type { Snapshot } from '../../client/snapshotFormat.ts'
import type { Account } from './account.ts'
import { Credits } from './credits.ts'
import { type JobRecord, sizeOfJob } from './jobStore.ts'
import { rearm } from './jobs.ts'
import { type LimitSpec, type Limits, type Window, windowOf } from './limits.ts'
import type { JobPlan } from './plan.ts'
import type { World } from './world.ts'
export type PlayedScenario = NonNullable<Snapshot['scenario']>

/** Of a scenario that is played in the world, its own part of the document comes with it, and what pays in it. */
export function takeSnapshot(
  world: World,
  scenario: PlayedScenario | undefined,
  played: Credits | undefined,
): Snapshot {
  world.clock.catchUp()
  const { clock } = world
  return {
    understudy_snapshot: 1,
    tag: world.tag,
    clock: { now: clock.now(), frozen: clock.frozen, speed: clock.speed },
    revoked: world.revoked,
    account: accountOf(world.account),
    next: { job: world.nextJob, upload: world.nextUpload, delivery: world.nextDelivery, request: world.nextRequest },
    jobs: [...world.jobs].map(job => jobOf(world, job, played)),
    idempotency: world.idempotency.records(),
    usage: world.usage.save(),
    ...(scenario && { scenario }),
  }
}

export const accountOf = ({ credits, limits }: Account): Snapshot['account'] => ({
  balance: credits.balance,
  requests: windowSnapshot(limits.requests),
  jobs: windowSnapshot(limits.jobs),
})

const windowSnapshot = (window: Window | undefined): Snapshot['account']['requests'] =>
  window ? { limit: window.limit, window_ms: window.windowMs, used: window.used, ends_at: window.endsAt } : null

/** `played` are the credits of the scenario that is played. */
function jobOf(world: World, job: JobRecord, played: Credits | undefined): Snapshot['jobs'][number] {
  const { view, timer } = job
  return {
    view: JSON.parse(JSON.stringify({ ...view, output_url: view.output_url?.slice(job.baseUrl.length) ?? null })),
    n: job.n,
    attempt: job.attempt,
    price: job.price,
    duration_ms: job.durationMs ?? null,
    processing_since: job.processingSince,
    processing_ms: Number.isFinite(job.processingMs) ? job.processingMs : null,
    completed_at: job.completedAt,
    // One that waits for its output alone has been due, and is so at once.
    due_at: job.waitsSince !== undefined ? world.clock.now() : timer === undefined || timer.cancelled ? null : timer.at,
    plan: JSON.parse(JSON.stringify(job.plan)),
    ...(job.credits !== world.account.credits && {
      paid_by: job.credits === played ? ('scenario' as const) : ('ended' as const),
    }),
  }
}

/**
 * Puts a world, which has just been reset, into the state of a document. `scenario` is the account of the scenario that
 * goes on in it, `baseUrl` where its files are found now.
 */
export function restoreSnapshot(
  world: World,
  snapshot: Snapshot,
  baseUrl: string,
  scenario: Account | undefined,
): void {
  const { clock, next, account } = snapshot
  if (clock.frozen && !world.clock.frozen) world.clock.freeze()
  world.clock.setSpeed(clock.speed)
  world.clock.setTo(clock.now)
  world.revoked = snapshot.revoked
  world.account.credits.setBalance(account.balance)
  restoreLimits(world.account.limits, account)
  world.nextJob = next.job
  world.nextUpload = next.upload
  world.nextDelivery = next.delivery
  world.nextRequest = Math.max(world.nextRequest, next.request)
  world.idempotency.restore(snapshot.idempotency)
  world.usage.restore(snapshot.usage)
  for (const job of snapshot.jobs) restoreJob(world, job, baseUrl, scenario)
}

export function restoreLimits(limits: Limits, saved: Snapshot['account']): void {
  limits.requests = windowFrom('requests', saved.requests)
  limits.jobs = windowFrom('jobs', saved.jobs)
}

function windowFrom(name: string, saved: Snapshot['account']['requests']): Window | undefined {
  if (saved === null) return undefined
  const spec: LimitSpec = { limit: saved.limit, windowMs: saved.window_ms }
  const window = windowOf(name, spec)
  window?.restore(saved.used, saved.ends_at)
  return window
}

function restoreJob(
  world: World,
  saved: Snapshot['jobs'][number],
  baseUrl: string,
  scenario: Account | undefined,
): void {
  const output = saved.view.output_url
  const plan = saved.plan as unknown as JobPlan & { processingMs?: number | null }
  const job: JobRecord = {
    view: { ...saved.view, output_url: output === null ? null : baseUrl + output },
    json: undefined,
    bytes: sizeOfJob(saved.view),
    url: undefined,
    n: saved.n,
    baseUrl,
    durationMs: saved.duration_ms ?? undefined,
    plan: { ...plan, processingMs: plan.processingMs === null ? Number.POSITIVE_INFINITY : plan.processingMs },
    credits: payerOf(world, saved, scenario),
    attempt: saved.attempt,
    price: saved.price,
    processingSince: saved.processing_since,
    processingMs: saved.processing_ms ?? Number.POSITIVE_INFINITY,
    completedAt: saved.completed_at,
    timer: undefined,
    making: undefined,
    waitsSince: undefined,
    message: saved.view.message,
    older: undefined,
    trace: undefined,
    newer: undefined,
  }
  world.jobs.add(job)
  if (job.view.billing_status === 'pending') job.credits.reserve(job.price)
  if (saved.due_at !== null) rearm(world, job, saved.due_at)
}

/** The account of a scenario that has ended is gone: what it had for this job is all that is left of it. */
function payerOf(
  { account }: World,
  { paid_by, price }: Snapshot['jobs'][number],
  scenario: Account | undefined,
): Credits {
  if (paid_by === undefined) return account.credits
  return (paid_by === 'scenario' ? scenario?.credits : undefined) ?? new Credits(price / 1000)
}

/** What a document can't mean, though each of its fields is right by itself; undefined when it is sound. */
export function whatIsWrong({ jobs }: Snapshot): string | undefined {
  if (new Set(jobs.map(({ view }) => view.id)).size < jobs.length) return 'two jobs of the snapshot have one id'
  const moved = jobs.find(({ view, due_at }) => due_at !== null && !['pending', 'processing'].includes(view.status))
  return moved && `the job ${moved.view.id} is ${moved.view.status}, and yet has a due_at`
}
