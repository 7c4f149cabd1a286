/** What a replay says, as one JSON document; the types are derived from it, and every reporter writes this alone. */
import type { FromSchema } from 'json-schema-to-ts'
import { countSchema as count, textSchema as text } from '../base/jsonSchema.ts'
import { inconclusiveFaults, VerdictSummary, verdicts } from '../contracts/verdict.ts'
import { documentFields } from '../reports/document.ts'

/** What two answers to one call may differ in. */
export const differenceKinds = [
  'status',
  'code',
  'cut',
  'schema',
  'retry_after',
  'content_type',
  'state',
  'body',
] as const
export type DifferenceKind = (typeof differenceKinds)[number]

const side = {
  type: 'object',
  required: ['status'],
  additionalProperties: false,
  properties: {
    status: { ...count, description: '0: no answer came.' },
    code: { ...text, description: "The envelope's." },
    cut: { ...text, description: 'How it ended without a whole answer.' },
    content_type: text,
    request_id: text,
    body: { ...text, description: 'Cut after 2,000 characters.' },
  },
} as const

const request = {
  type: 'object',
  required: ['method', 'url'],
  additionalProperties: false,
  properties: { method: text, url: { ...text, description: 'As it was sent now.' } },
} as const

const difference = {
  type: 'object',
  required: ['call', 'route', 'request', 'what', 'expected', 'found', 'recorded', 'answered'],
  additionalProperties: false,
  properties: {
    call: { ...count, description: 'Its number in the recording.' },
    route: text,
    request,
    what: { enum: differenceKinds },
    pointer: { ...text, description: 'Where in the body, or in the headers.' },
    expected: { ...text, description: 'What was recorded, in short.' },
    found: { ...text, description: 'What came now, in short.' },
    recorded: side,
    answered: side,
  },
} as const

const fault = {
  enum: inconclusiveFaults,
  description: 'target: it never gave what a call needs. harness: the recording is not enough to send it.',
} as const

/** The id of the published schema. */
export const replaySchemaId = 'understudy-mock/replay.schema.json'

export const ReplayReport = {
  type: 'object',
  required: [
    'schema_version',
    'understudy',
    'file',
    'target',
    'speed',
    'strict',
    'started_at',
    'ms',
    'complete',
    'ok',
    'why',
    'calls',
    'sent',
    'repeated',
    'left_out',
    'summary',
    'routes',
    'notes',
    'differences',
    'more_differences',
    'not_sent',
  ],
  additionalProperties: false,
  properties: {
    ...documentFields,
    understudy: text,
    file: text,
    target: text,
    recorded_from: { ...text, description: 'The base URL of the recording.' },
    speed: {
      description: 'How many times as fast as recorded; instant: without the gaps.',
      type: ['number', 'string'],
    },
    strict: { type: 'boolean' },
    started_at: text,
    ms: { type: 'number' },
    complete: { type: 'boolean', description: 'false: it was stopped before its end.' },
    ok: { type: 'boolean', description: 'All was sent, and nothing differs.' },
    why: { ...text, description: 'The verdict in one sentence.' },
    calls: { ...count, description: 'Calls of the recording that were to be sent.' },
    sent: count,
    repeated: { ...count, description: 'Polls sent once more, as the job had not come as far as recorded.' },
    left_out: {
      type: 'object',
      description: 'Entries of the recording that are not sent again.',
      required: ['webhooks', 'options', 'other_hosts', 'admin', 'control'],
      additionalProperties: false,
      properties: {
        webhooks: { ...count, description: "The server's own calls." },
        options: { ...count, description: "A browser's OPTIONS." },
        other_hosts: { ...count, description: 'Calls of something else than the API.' },
        admin: { ...count, description: 'Calls under /v1/admin (AD-1).' },
        control: { ...count, description: "Calls of the mock's own /__mock." },
      },
    },
    summary: { ...VerdictSummary, description: 'How many of the routes have each verdict.' },
    routes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['route', 'verdict', 'sent', 'differences', 'not_sent'],
        additionalProperties: false,
        properties: {
          route: text,
          verdict: { enum: verdicts, description: 'inconclusive: nothing differs, but calls could not be sent.' },
          fault,
          sent: count,
          differences: count,
          not_sent: count,
        },
      },
    },
    notes: { type: 'array', items: text },
    differences: { type: 'array', items: difference },
    more_differences: { ...count, description: 'Those beyond the first 1,000, which are only counted.' },
    not_sent: {
      type: 'array',
      description: 'What could not be sent, as something that it needs never came.',
      items: {
        type: 'object',
        required: ['call', 'route', 'request', 'why', 'fault'],
        additionalProperties: false,
        properties: { call: count, route: text, request, why: text, fault },
      },
    },
  },
} as const

export type ReplayReport = FromSchema<typeof ReplayReport>
export type Difference = FromSchema<typeof difference>
export type Side = FromSchema<typeof side>
export type NotSent = ReplayReport['not_sent'][number]
