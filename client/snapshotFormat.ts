/**
 * A world as one JSON document: its jobs with what is due of them, credits, limits, usage, idempotency records and time.
 * Not in it: the key itself, the journal, the files of uploads, and webhooks that wait to be sent again.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { Job, UsageEvent } from '../contracts/schemas.ts'
import { webhookFaultNames } from './scenarioFormat.ts'

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

export const account = {
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
    type: { enum: webhookFaultNames },
    copies: { type: 'integer', minimum: 1, maximum: 100 },
    lateMs: { type: 'number', minimum: 0 },
  },
} as const

export const plan = {
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
        speed: { type: 'number', exclusiveMinimum: 0, maximum: 1_000_000 },
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
