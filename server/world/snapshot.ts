/**
 * A world as one JSON document: its jobs with what is due of them, credits, limits, usage, idempotency records and time.
 * Not in it: the key itself, the journal, the files of uploads, and webhooks that wait to be sent again.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { Job, UsageEvent } from '../../contracts/schemas.ts'
import type { Account } from './account.ts'
import { Credits } from './credits.ts'
import type { JobRecord } from './jobStore.ts'
import { rearm } from './jobs.ts'
import { type LimitSpec, type Limits, type Window, windowOf } from './limits.ts'
import type { JobPlan } from './plan.ts'
import type { World } from './world.ts'

const number = { type: 'number' } as const
/** Some 2,000 years from now: dates go on for longer. */
const latest = 1e14
const whole = { type: 'integer', minimum: 0 } as const
const nullableNumber = { type: ['number', 'null'] } as const
const text = { type: 'string' } as const

const window = {
  type: ['object', 'null'],
  additionalProperties: false,
  required: ['limit', 'window_ms', 'used', 'ends_at'],
  properties: { limit: whole, window_ms: number, used: whole, ends_at: number },
} as const

const account = {
  type: 'object',
  additionalProperties: false,
  required: ['balance', 'requests', 'jobs'],
  properties: { balance: { ...number, description: 'Thousandths of a credit.' }, requests: window, jobs: window },
} as const

const webhookFault = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'copies', 'lateMs'],
  properties: {
    type: { enum: ['lost', 'duplicate', 'late', 'out_of_order', 'bad_signature'] },
    copies: { type: 'integer', minimum: 1, maximum: 100 },
    lateMs: { type: 'number', minimum: 0 },
  },
} as const

const plan = {
  type: 'object',
  additionalProperties: false,
  required: ['outcome', 'error', 'slower', 'stuckAt', 'webhooks'],
  properties: {
    outcome: { enum: ['completed', 'failed', 'stuck'] },
    error: { ...text, minLength: 1 },
    queueMs: { type: 'number', minimum: 0 },
    processingMs: { type: ['number', 'null'], minimum: 0 },
    slower: { type: 'number', exclusiveMinimum: 0 },
    stuckAt: { type: 'integer', minimum: 0, maximum: 100 },
    points: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['atMs', 'progress'],
        properties: { atMs: number, progress: { type: 'integer', minimum: 0, maximum: 100 } },
      },
    },
    webhooks: {
      type: 'object',
      additionalProperties: false,
      properties: { 'job.started': webhookFault, 'job.completed': webhookFault, 'job.failed': webhookFault },
    },
  },
} as const

const counts = { type: 'array', items: nullableNumber } as const

export const snapshotFormat = {
  type: 'object',
  additionalProperties: false,
  required: ['understudy_snapshot', 'tag', 'clock', 'revoked', 'account', 'next', 'jobs', 'idempotency', 'usage'],
  properties: {
    understudy_snapshot: { const: 1, description: 'The version of this format.' },
    tag: { ...text, pattern: '^[0-9a-z]{6}$', description: 'What the ids of this world begin with.' },
    clock: {
      type: 'object',
      additionalProperties: false,
      required: ['now', 'frozen', 'speed'],
      properties: {
        now: { type: 'number', minimum: 0, maximum: latest },
        frozen: { type: 'boolean' },
        speed: { type: 'number', exclusiveMinimum: 0 },
      },
    },
    revoked: { type: 'boolean' },
    account,
    next: {
      type: 'object',
      additionalProperties: false,
      required: ['job', 'upload', 'delivery', 'request'],
      properties: { job: whole, upload: whole, delivery: whole, request: whole },
    },
    jobs: {
      type: 'array',
      maxItems: 100_000,
      items: {
        type: 'object',
        additionalProperties: false,
        required: [
          'view',
          'n',
          'attempt',
          'price',
          'duration_ms',
          'processing_since',
          'processing_ms',
          'completed_at',
          'due_at',
          'plan',
        ],
        properties: {
          view: Job,
          n: whole,
          attempt: whole,
          price: number,
          duration_ms: nullableNumber,
          processing_since: number,
          processing_ms: nullableNumber,
          completed_at: number,
          due_at: {
            ...nullableNumber,
            description: 'When it moves on, ms since the epoch; null when nothing moves it.',
          },
          plan,
          paid_by: { enum: ['scenario', 'ended'], description: 'Another account than the own one: it is charged.' },
        },
      },
    },
    idempotency: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['key', 'fingerprint', 'answer', 'expires_at'],
        properties: { key: text, fingerprint: text, answer: text, expires_at: number },
      },
    },
    usage: {
      type: 'object',
      additionalProperties: false,
      required: ['days', 'events'],
      properties: {
        days: { type: 'array', items: { type: 'array', items: number, minItems: 5, maxItems: 5 } },
        events: { type: 'array', items: UsageEvent, maxItems: 100 },
      },
    },
    scenario: {
      type: 'object',
      description: 'What was played, and how far.',
      additionalProperties: false,
      required: ['source', 'started_at', 'calls', 'met', 'fired', 'fired_at', 'identities', 'account'],
      properties: {
        source: { type: 'object', additionalProperties: true },
        started_at: nullableNumber,
        calls: whole,
        met: counts,
        fired: counts,
        fired_at: counts,
        identities: { type: 'array', items: { type: 'array', items: whole, minItems: 2, maxItems: 2 } },
        account,
      },
    },
  },
} as const satisfies JSONSchema

export type Snapshot = FromSchema<typeof snapshotFormat>
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
    due_at: timer === undefined || timer.cancelled ? null : timer.at,
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
    older: undefined,
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
