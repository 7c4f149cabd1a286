/**
 * The format of a scenario file, as one JSON Schema, which the types are derived from. The mock validates files with it
 * (server/scenarios/format.ts).
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { clauses } from '../contracts/clauses.ts'
import { errorCases, errorCodes } from '../contracts/errors.ts'
import { type Operation, operations } from '../contracts/operations.ts'
import { jobStates, webhookEvents } from '../contracts/schemas.ts'

export const scenarioName = '^[a-z0-9][a-z0-9-]{0,63}$'
const durationPattern = '\\d+(\\.\\d+)?(ms|s|m|h|d)'

const duration = {
  type: 'string',
  pattern: `^${durationPattern}$`,
  maxLength: 20,
  reads: 'a time, such as 500ms, 5s, 10m or 2h',
  description: "A time by the mock's clock, such as 500ms, 5s, 10m, 2h.",
} as const
const signedDuration = {
  type: 'string',
  pattern: `^-?${durationPattern}$`,
  maxLength: 21,
  reads: 'a time, such as 5s, or -5s for one that has passed',
} as const
const retryAfter = {
  anyOf: [
    { type: 'integer', minimum: -1_000_000, maximum: 1_000_000 },
    duration,
    {
      type: 'object',
      additionalProperties: false,
      required: ['date'],
      properties: { date: signedDuration },
      description: "An HTTP-date that far ahead by the mock's clock.",
    },
    {
      type: 'object',
      additionalProperties: false,
      required: ['text'],
      properties: {
        text: { type: 'string', pattern: '^[\\t\\x20-\\x7e]*$', maxLength: 200, reads: 'a text of one line' },
      },
      description: 'A text as it is, such as 120junk.',
    },
  ],
} as const
const count = { type: 'integer', minimum: 1, maximum: 1_000_000_000 } as const
const text = { type: 'string', minLength: 1, maxLength: 2000 } as const
const progress = { type: 'integer', minimum: 0, maximum: 100 } as const
const oneOrMore = <const T extends JSONSchema>(one: T) =>
  ({ anyOf: [one, { type: 'array', items: one, minItems: 1, maxItems: 100 }] }) as const

export const limitFormat = {
  description: 'Calls a minute, 0 for no limit; or calls in a time.',
  anyOf: [
    { type: 'integer', minimum: 0, maximum: 1_000_000_000 },
    {
      type: 'object',
      additionalProperties: false,
      required: ['calls', 'per'],
      properties: { calls: count, per: duration },
    },
  ],
} as const

const account = {
  type: 'object',
  description: "What holds for the account while the scenario is active, in the place of the key's own.",
  additionalProperties: false,
  properties: {
    credits: { type: 'number', minimum: 0, maximum: 1e12, description: 'Credits that it has (CR-3).' },
    rate_limit: { ...limitFormat, description: 'Requests a minute, 0 for no limit; or calls in a time (RL-1).' },
    job_limit: { ...limitFormat, description: 'Job creations a minute, 0 for no limit; or calls in a time (RL-1).' },
    revoked: {
      type: 'object',
      description: 'The key is answered 401 from then on (AUTH-1).',
      additionalProperties: false,
      minProperties: 1,
      properties: {
        after_calls: { type: 'integer', minimum: 0, description: 'So many calls get through before.' },
        after: { ...duration, description: 'Since the first call.' },
      },
    },
    idempotency_kept: {
      ...duration,
      description: 'How long an Idempotency-Key is remembered (ID-1); a day otherwise.',
    },
  },
} as const

export const webhookFaults = {
  lost: 'is never sent, though the job shows it as sent',
  duplicate: 'is sent `copies` times (2 by default) with one delivery id',
  late: 'is sent later, by `by` (30s by default)',
  out_of_order: 'job.started comes after the job has finished',
  bad_signature: 'is signed with another secret',
  rotated_secret: 'is signed with the next secret (`--webhook-next-secret`)',
  stale: 'has a timestamp of `by` ago (10m by default), rightly signed',
  replayed: 'is sent again `by` later (30s by default), to the byte: with its old timestamp and signature',
  changed_retry: 'is sent again at once under its delivery id, with another body',
  without_id: 'has no X-Webhook-Delivery-Id',
} as const
export const webhookFaultNames = Object.keys(webhookFaults) as (keyof typeof webhookFaults)[]

const webhookFault = {
  anyOf: [
    { enum: webhookFaultNames },
    {
      type: 'object',
      additionalProperties: false,
      required: ['type'],
      properties: {
        type: { enum: webhookFaultNames },
        copies: { type: 'integer', minimum: 2, maximum: 100, description: 'Of a duplicate.' },
        by: { ...duration, description: 'How late, or how long ago.' },
      },
    },
  ],
} as const

const job = {
  type: 'object',
  description: 'How a job goes. What is left out stays as the video and the seed say.',
  additionalProperties: false,
  properties: {
    outcome: { enum: ['completed', 'failed', 'stuck'], description: 'stuck: it stays in processing for good.' },
    error: { ...text, description: "A failed job's error: a string, not the envelope (JOB-5)." },
    queue: { ...duration, description: 'How long it is pending.' },
    duration: { ...duration, description: 'How long it is processed.' },
    stuck_at: { ...progress, description: "A stuck job's progress." },
    timeline: {
      type: 'array',
      description:
        'Its states and its progress, each so long after the start; what it ends with is its outcome (JOB-4).',
      minItems: 1,
      maxItems: 1000,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['after'],
        minProperties: 2,
        properties: {
          after: { ...duration, description: 'Since the start.' },
          status: { enum: ['processing', 'completed', 'failed'] },
          progress,
        },
      },
    },
    webhooks: {
      description: 'What is wrong with its webhooks: with all of them, or with one event each (WH-1 to WH-3).',
      anyOf: [
        webhookFault,
        {
          type: 'object',
          additionalProperties: false,
          minProperties: 1,
          properties: Object.fromEntries(webhookEvents.map(event => [event, webhookFault])) as Record<
            (typeof webhookEvents)[number],
            typeof webhookFault
          >,
        },
      ],
    },
  },
} as const

const scalar = { type: ['string', 'number', 'boolean', 'null'], description: 'null: it must not be there.' } as const
const fieldsToMatch = {
  type: 'object',
  minProperties: 1,
  maxProperties: 50,
  additionalProperties: oneOrMore(scalar),
} as const

const allOperations = Object.entries<Operation>(operations)
const routeText = { type: 'string', minLength: 1, maxLength: 200 } as const

const when = {
  type: 'object',
  description: 'All that is given has to fit; without any, every documented call but GET /health does.',
  additionalProperties: false,
  properties: {
    route: {
      ...oneOrMore(routeText),
      description: `An operation (createJob), a route (POST /v1/jobs), a path, or a path with * in it: ${allOperations.map(([id, { method, path }]) => `${id} = ${method} ${path}`).join('; ')}`,
    },
    method: oneOrMore({ enum: ['GET', 'HEAD', 'POST'] } as const),
    key: { ...oneOrMore(text), description: 'The API key, with * for any characters.' },
    job_state: { ...oneOrMore({ enum: jobStates } as const), description: 'The state of the job in the path (JOB-4).' },
    header: { ...fieldsToMatch, description: 'Headers by name; * stands for any characters, null for its absence.' },
    query: { ...fieldsToMatch, description: 'Query parameters by name, likewise.' },
    body: { ...fieldsToMatch, description: 'Fields of the JSON body by path, such as metadata.user, likewise.' },
    calls: {
      description: 'Which calls that fit all of the above: 3, "2-5" or "6-".',
      anyOf: [
        count,
        { type: 'string', pattern: '^[1-9]\\d{0,8}-([1-9]\\d{0,8})?$', reads: 'a range such as "2-5" or "6-"' },
      ],
    },
    time: {
      type: 'string',
      pattern: `^${durationPattern}-(${durationPattern})?$`,
      reads: 'a window, such as 10s-40s or 10s-',
      description: 'A window since the first call under this scenario: 10s-40s, or 10s- without an end.',
    },
    probability: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'Drawn from the seed, for each request its own.',
    },
  },
} as const

const delay = {
  description: 'How long the answer takes: a time, or a distribution by its percentiles.',
  anyOf: [
    duration,
    {
      type: 'object',
      additionalProperties: false,
      minProperties: 1,
      properties: { min: duration, max: duration },
      patternProperties: { '^p([1-9]|[1-9]\\d)(\\.\\d+)?$': duration },
    },
  ],
} as const

/** The faults' own parameters come to it in server/scenarios/format.ts. */
export const faultField = {
  description: 'A fault on the wire: its name, or an object with its type and parameters.',
} as const

const then = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    error: {
      enum: [...new Set([...Object.keys(errorCodes), ...Object.keys(errorCases)])],
      description: 'An error by its code (ERR-2), or by its case (ERR-4), such as file_too_large.',
    },
    message: { ...text, description: "The envelope's message; the documented one by default." },
    status: { type: 'integer', minimum: 200, maximum: 599, description: "The answer's status." },
    retry_after: {
      description:
        'Retry-After: whole seconds (2, or 2s), {date: 5s} for an HTTP-date, {text: 120junk}, null for none, or a list for several at once (RL-2). A rate_limited without one says 1.',
      anyOf: [...retryAfter.anyOf, { type: 'null' }, { type: 'array', items: retryAfter, minItems: 2, maxItems: 5 }],
    },
    headers: {
      type: 'object',
      description: 'Headers of the answer; null takes one away.',
      maxProperties: 50,
      propertyNames: { pattern: "^[\\w!#$%&'*+.^`|~-]+$" },
      additionalProperties: {
        type: ['string', 'number', 'null'],
        pattern: '^[\\t\\x20-\\x7e\\x80-\\xff]*$',
        reads: 'a text of one line, a number or null',
      },
    },
    body: { description: "The answer's body instead: an object or list is sent as JSON, a text as it is." },
    patch: {
      type: 'object',
      description: "Changes fields of the answer's JSON; null takes one away (RFC 7396).",
      additionalProperties: true,
    },
    delay,
    fault: faultField,
    pass: {
      enum: ['before_delay', 'after_delay', 'never'],
      description:
        'When the call is passed on to the real handler, which does its work: before the delay, after it, or never. never where the rule has an answer or ends the connection, else before_delay.',
    },
    job: { ...job, description: 'How the job goes that this call creates or starts.' },
  },
} as const

/** What a rule can say behind `then`. */
export const thenFields: object = then.properties

const rule = {
  type: 'object',
  additionalProperties: false,
  required: ['then'],
  properties: {
    name: {
      type: 'string',
      pattern: '^[\\w][\\w .:-]{0,99}$',
      description: 'What it is called in answers, journal and explanations.',
    },
    description: text,
    when,
    after: { type: 'integer', minimum: 0, description: 'The first so many calls that fit are let pass.' },
    first: { ...count, description: 'Only the first so many calls (behind `after`).' },
    every: { ...count, description: 'Every n-th call only (behind `after`).' },
    times: { ...count, description: 'It fires so often, and never again.' },
    for: { ...duration, description: 'It fires for so long since it first did: then it has healed.' },
    then,
  },
} as const

export const scenarioFormat = {
  title: 'Scenario',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { type: 'string' },
    name: {
      type: 'string',
      pattern: scenarioName,
      reads: 'lower case with hyphens',
      description: "The file's own name.",
    },
    description: { type: 'string', minLength: 1, maxLength: 500, description: 'What it is for, in a line.' },
    clauses: { type: 'array', items: { enum: Object.keys(clauses) }, description: 'What it puts to the test.' },
    lasts: {
      ...duration,
      description:
        'How long a client that does all right needs, at the least. `rehearse` leaves what is longer than 5s to --slow.',
    },
    extends: {
      ...oneOrMore({ type: 'string', pattern: scenarioName, reads: 'the name of a scenario' } as const),
      description: 'Other scenarios by name. Its own rules come before theirs; one of the same name takes its place.',
    },
    account,
    jobs: job,
    rules: { type: 'array', items: rule, maxItems: 10_000, description: 'The first that fires decides.' },
  },
} as const

export type ScenarioFile = FromSchema<typeof scenarioFormat>
export type RuleFormat = NonNullable<ScenarioFile['rules']>[number]
export type RetryAfterFormat = FromSchema<typeof retryAfter>
export type ThenFormat = RuleFormat['then']
export type WhenFormat = NonNullable<RuleFormat['when']>
export type JobFormat = NonNullable<ScenarioFile['jobs']>
export type LimitFormat = FromSchema<typeof limitFormat>
