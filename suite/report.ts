/**
 * What a run of the suite says, as one JSON document. The schema is published (suite/report.schema.json), the types
 * are derived from it, and every reporter writes this and nothing else.
 */

import type { FromSchema } from 'json-schema-to-ts'
import { countSchema, textSchema, textsSchema } from '../base/jsonSchema.ts'
import { Evidence } from '../contracts/evidence.ts'
import { VerdictSummary, verdicts } from '../contracts/verdict.ts'
import { documentFields } from '../reports/document.ts'
import { expectedSchema } from '../reports/expectedFailures.ts'
import { profiles } from './needs.ts'

const verdict = { enum: verdicts, description: 'skipped: nothing was proved, neither good nor bad.' } as const

const clauseResult = {
  type: 'object',
  required: ['id', 'text', 'level', 'verdict', 'notes', 'checks', 'evidence'],
  additionalProperties: false,
  properties: {
    id: textSchema,
    text: { ...textSchema, description: 'The documented sentence.' },
    level: { enum: ['core', 'wider', 'open'] },
    verdict,
    expected: { type: 'boolean', description: 'Its failure is listed in --expected-failures, and fails nothing.' },
    reason: { ...textSchema, description: 'Of skipped: why.' },
    needs: { ...textsSchema, description: 'Of skipped: what would have to be given to try it.' },
    notes: { ...textsSchema, description: 'Which documented variant was seen, where there is a choice.' },
    checks: { ...textsSchema, description: 'The checks that speak for it.' },
    evidence: { type: 'array', items: Evidence },
  },
} as const

const checkResult = {
  type: 'object',
  required: ['id', 'title', 'clauses', 'verdict', 'ms', 'requests'],
  additionalProperties: false,
  properties: {
    id: textSchema,
    title: textSchema,
    clauses: textsSchema,
    verdict,
    reason: textSchema,
    ms: { type: 'number' },
    requests: countSchema,
    failed: { ...textsSchema, description: 'The clauses that failed in this check.' },
  },
} as const

const change = {
  type: 'object',
  required: ['clause', 'from', 'to'],
  additionalProperties: false,
  properties: { clause: textSchema, from: verdict, to: verdict },
} as const

/** The id of the published schema. */
export const reportSchemaId = 'understudy-mock/report.schema.json'

export const Report = {
  title: 'Report',
  description: 'What a run of `understudy check` says of an endpoint, clause by clause.',
  type: 'object',
  required: [
    'schema_version',
    'understudy',
    'target',
    'profile',
    'seed',
    'started_at',
    'ms',
    'complete',
    'ok',
    'why',
    'summary',
    'spent',
    'required',
    'extensions',
    'clauses',
    'checks',
  ],
  additionalProperties: false,
  properties: {
    ...documentFields,
    understudy: { ...textSchema, description: 'The version that made it.' },
    target: { ...textSchema, description: 'The base URL.' },
    profile: { enum: profiles },
    seed: { ...textSchema, description: 'What all chance of the run was drawn from.' },
    started_at: { ...textSchema, description: 'UTC, ISO 8601.' },
    ms: { type: 'number', description: 'How long it took.' },
    complete: { type: 'boolean', description: 'false: it was stopped before its end.' },
    incomplete: { ...textSchema, description: 'Of a recording: why not all that happened was judged.' },
    ok: { type: 'boolean', description: 'Whether the run is green; the command then exits 0.' },
    why: { ...textSchema, description: 'The summary in a sentence, and why the run is not green where it is not.' },
    summary: { ...VerdictSummary, description: 'How many of the clauses have each verdict.' },
    spent: {
      type: 'object',
      required: ['requests', 'credits', 'sent_bytes'],
      additionalProperties: false,
      properties: {
        requests: countSchema,
        credits: { type: 'number', description: 'Credits that the jobs it started cost at the documented prices.' },
        sent_bytes: countSchema,
      },
    },
    required: {
      type: 'object',
      description: 'What --require asked for, and what of it has not passed.',
      required: ['clauses', 'missing'],
      additionalProperties: false,
      properties: { clauses: textsSchema, missing: textsSchema },
    },
    expected: expectedSchema,
    extensions: { ...textsSchema, description: 'Error codes beyond the documented ones (ERR-2): no violation.' },
    clauses: { type: 'array', items: clauseResult },
    checks: { type: 'array', items: checkResult },
    explored: {
      type: 'object',
      description: 'What --explore did.',
      required: ['sequences', 'calls', 'seed'],
      additionalProperties: false,
      properties: { sequences: countSchema, calls: countSchema, seed: textSchema },
    },
    changes: {
      type: 'object',
      description: 'What --baseline found to have changed.',
      required: ['since', 'changes', 'text'],
      additionalProperties: false,
      properties: {
        since: { ...textSchema, description: "The baseline's started_at." },
        changes: { type: 'array', items: change },
        text: { ...textSchema, description: 'The same in one line.' },
      },
    },
  },
} as const

export type Report = FromSchema<typeof Report>
export type ClauseResult = FromSchema<typeof clauseResult>
export type CheckResult = FromSchema<typeof checkResult>
