/**
 * What `understudy mutate` found, as one JSON document: each mutant and variant with its runs. The schema is published, the
 * types are derived from it, and the reporters write this and nothing else.
 */
import type { FromSchema } from 'json-schema-to-ts'
import { countSchema as count, textSchema as text, textsSchema as texts } from '../base/jsonSchema.ts'
import { VerdictSummary, verdicts } from '../contracts/verdict.ts'
import { documentFields } from '../reports/document.ts'
import { expectedSchema } from '../reports/expectedFailures.ts'
import { losses, signs } from '../server/mutants/mutant.ts'

/** In the words of mutation testing; `verdict` says the same in those of every report. */
export const outcomes = ['noticed', 'unnoticed', 'accepted', 'refused', 'skipped', 'unclear'] as const
export type Outcome = (typeof outcomes)[number]

const headers = { type: 'object', additionalProperties: text } as const

const message = {
  type: 'object',
  description: 'An answer, or a webhook as it is sent.',
  required: ['headers', 'body'],
  additionalProperties: false,
  properties: {
    status: { type: 'integer', description: 'Of an answer.' },
    method: { ...text, description: 'Of a webhook.' },
    headers,
    body: { ...text, description: 'Cut where it is long; a file is told by its size.' },
  },
} as const

const exchange = {
  type: 'object',
  description: 'The first exchange in which it showed itself.',
  required: ['place', 'method', 'url', 'diff', 'asserts'],
  additionalProperties: false,
  properties: {
    place: { ...text, description: 'The route, or "webhook".' },
    method: text,
    url: text,
    request: {
      type: 'object',
      required: ['headers', 'body'],
      additionalProperties: false,
      properties: { headers, body: text },
    },
    healthy: { ...message, description: 'What the healthy mock answers.' },
    healthy_from: {
      enum: ['the same call', 'a healthy run'],
      description:
        'Whether that was to be the answer to this very call, or was one to such a call in a run without a mutant.',
    },
    mutated: { ...message, description: 'What the mutant answered; missing: a webhook that was not sent.' },
    diff: { ...texts, description: 'What differs, a line each: "- status 200", "+ status 409".' },
    asserts: { ...text, description: 'What a test that notices it asserts.' },
  },
} as const

const run = {
  type: 'object',
  description: 'One run of the command.',
  required: ['green', 'exit_code', 'timed_out', 'ms'],
  additionalProperties: false,
  properties: {
    green: { type: 'boolean' },
    exit_code: { type: ['integer', 'null'], description: 'null: a signal ended it, or it was a function.' },
    signal: text,
    timed_out: { type: 'boolean' },
    ms: { type: 'number', minimum: 0 },
    output: { ...text, description: 'The end of what it printed, where it matters.' },
  },
} as const

const result = {
  type: 'object',
  description: 'A mutant or a correct variant.',
  required: ['id', 'kind', 'clause', 'what', 'operations', 'noticeable_by', 'outcome', 'verdict', 'runs'],
  additionalProperties: false,
  properties: {
    id: text,
    kind: { enum: ['mutant', 'variant'] },
    clause: { ...text, description: 'What it breaks; of a variant, what grants its freedom.' },
    what: { ...text, description: 'In a sentence.' },
    severity: { enum: ['must', 'may'], description: 'must: a client that does not notice loses something.' },
    loses: { enum: losses },
    operations: { ...texts, description: 'Where it shows: routes, "webhook", "journal".' },
    noticeable_by: { type: 'array', items: { enum: signs } },
    outcome: {
      enum: outcomes,
      description:
        'noticed: the command failed or timed out, twice. accepted, refused: of a variant. skipped: its routes are not called, or it changed no answer. unclear: two runs differ.',
    },
    verdict: { enum: verdicts },
    why: { ...text, description: 'Of skipped and unclear.' },
    runs: { type: 'array', items: run },
    exchange,
    taken_over: { type: 'boolean', description: 'From the report that --since names.' },
    expected: { type: 'boolean', description: 'Listed in --expected-failures.' },
  },
} as const

const operation = {
  type: 'object',
  required: ['route', 'calls', 'fields'],
  additionalProperties: false,
  properties: { route: text, calls: count, fields: { ...texts, description: 'Of its answers.' } },
} as const

const clause = {
  type: 'object',
  required: ['id', 'noticed', 'reached'],
  additionalProperties: false,
  properties: { id: text, noticed: count, reached: count },
} as const

/** The id of the published schema. */
export const mutationSchemaId = 'understudy-mock/mutation.schema.json'

export const MutationReport = {
  title: 'MutationReport',
  description:
    'What `understudy mutate` found: which broken servers a test suite notices, and which correct ones it refuses.',
  type: 'object',
  required: [
    'schema_version',
    'understudy',
    'command',
    'started_at',
    'ms',
    'seed',
    'jobs',
    'ok',
    'why',
    'complete',
    'score',
    'summary',
    'outcomes',
    'healthy',
    'clauses',
    'results',
  ],
  additionalProperties: false,
  properties: {
    ...documentFields,
    understudy: { ...text, description: 'The version that made it.' },
    command: { ...text, description: 'What was run.' },
    started_at: { ...text, description: 'UTC, ISO 8601.' },
    ms: { type: 'number', minimum: 0 },
    seed: text,
    jobs: { ...count, description: 'Runs in parallel.' },
    ok: {
      type: 'boolean',
      description: 'Whether what was asked for holds: --min-score, --require, --expected-failures.',
    },
    why: { ...text, description: 'The result in a sentence.' },
    complete: { type: 'boolean', description: 'false: it was stopped before its end.' },
    score: {
      type: ['number', 'null'],
      description: 'Mutants noticed, of those reached, in percent; null where none was reached.',
    },
    summary: { ...VerdictSummary, description: 'How many of the results have each verdict.' },
    outcomes: {
      type: 'object',
      description: 'How many have each outcome.',
      required: outcomes,
      additionalProperties: false,
      properties: { noticed: count, unnoticed: count, accepted: count, refused: count, skipped: count, unclear: count },
    },
    expected: expectedSchema,
    healthy: {
      type: 'object',
      description: 'The runs without a mutant, and what they touched.',
      required: ['runs', 'operations', 'webhooks', 'never_called'],
      additionalProperties: false,
      properties: {
        runs: { type: 'array', items: run },
        operations: { type: 'array', items: operation },
        webhooks: { ...count, description: 'Attempts to deliver one, in the first run.' },
        never_called: { ...texts, description: 'Routes that no call went to.' },
      },
    },
    clauses: { type: 'array', items: clause, description: 'The score by clause: mutants noticed, of those reached.' },
    results: { type: 'array', items: result },
  },
} as const

export type MutationReport = FromSchema<typeof MutationReport>
export type MutationResult = FromSchema<typeof result>
export type MutationExchange = FromSchema<typeof exchange>
export type MutationRun = FromSchema<typeof run>
export type MutationMessage = FromSchema<typeof message>
