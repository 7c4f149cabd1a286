/**
 * A world as one JSON document: its jobs with what is due of them, credits, limits, usage, idempotency records and time.
 * Not in it: the key itself, the journal, the files of uploads, and webhooks that wait to be sent again.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { Job, UsageEvent } from '../../contracts/schemas.ts'
import type { Account } from './account.ts'
import type { JobRecord } from './jobStore.ts'
import { rearm } from './jobs.ts'
import { type LimitSpec, type Window, windowOf } from './limits.ts'
import type { JobPlan } from './plan.ts'
import type { World } from './world.ts'

const number = { type: 'number' } as const
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
      properties: { now: number, frozen: { type: 'boolean' }, speed: { type: 'number', exclusiveMinimum: 0 } },
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
          due_at: {
            ...nullableNumber,
            description: 'When it moves on, ms since the epoch; null when nothing moves it.',
          },
          plan: { type: 'object', additionalProperties: true },
          paid_by: { enum: ['scenario'] },
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
        identities: { type: 'object', additionalProperties: whole },
        account,
      },
    },
  },
} as const satisfies JSONSchema

export type Snapshot = FromSchema<typeof snapshotFormat>
export type PlayedScenario = NonNullable<Snapshot['scenario']>

/** Of a scenario that is played in the world, its own part of the document comes with it. */
export function takeSnapshot(world: World, scenario: PlayedScenario | undefined): Snapshot {
  world.clock.catchUp()
  const { clock } = world
  return {
    understudy_snapshot: 1,
    tag: world.tag,
    clock: { now: clock.now(), frozen: clock.frozen, speed: clock.speed },
    revoked: world.revoked,
    account: accountOf(world.account),
    next: { job: world.nextJob, upload: world.nextUpload, delivery: world.nextDelivery, request: world.nextRequest },
    jobs: [...world.jobs].map(job => jobOf(world, job)),
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

function jobOf(world: World, job: JobRecord): Snapshot['jobs'][number] {
  const { view, timer } = job
  return {
    view: JSON.parse(JSON.stringify({ ...view, output_url: view.output_url?.slice(job.baseUrl.length) ?? null })),
    n: job.n,
    attempt: job.attempt,
    price: job.price,
    duration_ms: job.durationMs ?? null,
    processing_since: job.processingSince,
    processing_ms: Number.isFinite(job.processingMs) ? job.processingMs : null,
    due_at: timer === undefined || timer.cancelled ? null : timer.at,
    plan: JSON.parse(JSON.stringify(job.plan)),
    ...(job.credits !== world.account.credits && { paid_by: 'scenario' as const }),
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
  restoreAccount(world.account, account)
  world.nextJob = next.job
  world.nextUpload = next.upload
  world.nextDelivery = next.delivery
  world.nextRequest = Math.max(world.nextRequest, next.request)
  world.idempotency.restore(snapshot.idempotency)
  world.usage.restore(snapshot.usage)
  for (const job of snapshot.jobs) restoreJob(world, job, baseUrl, scenario)
}

export function restoreAccount({ credits, limits }: Account, saved: Snapshot['account']): void {
  credits.setBalance(saved.balance)
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
    credits: (saved.paid_by === 'scenario' ? scenario : undefined)?.credits ?? world.account.credits,
    attempt: saved.attempt,
    price: saved.price,
    processingSince: saved.processing_since,
    processingMs: saved.processing_ms ?? Number.POSITIVE_INFINITY,
    timer: undefined,
    older: undefined,
    newer: undefined,
  }
  world.jobs.add(job)
  if (job.view.billing_status === 'pending') job.credits.reserve(job.price)
  if (saved.due_at !== null) rearm(world, job, saved.due_at)
}
