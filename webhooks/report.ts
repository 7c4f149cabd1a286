/**
 * What `understudy webhook-check` found, as one JSON document. The schema is published, the types are derived from it, and
 * the reporters write this and nothing else.
 */
import type { FromSchema } from 'json-schema-to-ts'
import { textSchema as text, textsSchema as texts } from '../base/jsonSchema.ts'
import { Evidence } from '../contracts/evidence.ts'
import { inconclusiveFaults, VerdictSummary, verdicts } from '../contracts/verdict.ts'
import { documentFields } from '../reports/document.ts'

const check = {
  type: 'object',
  required: ['id', 'title', 'clauses', 'level', 'verdict', 'ms', 'advice', 'evidence'],
  additionalProperties: false,
  properties: {
    id: { ...text, description: 'receiver.what' },
    title: text,
    clauses: texts,
    level: { enum: ['must', 'should'], description: 'Only a must that failed fails the run.' },
    verdict: { enum: verdicts },
    reason: { ...text, description: 'Of skipped and inconclusive: why.' },
    needs: { ...text, description: 'Of skipped: the option that it would take.' },
    fault: { enum: inconclusiveFaults, description: 'Of inconclusive: whose fault that is.' },
    ms: { type: 'number', minimum: 0 },
    advice: text,
    evidence: { type: 'array', items: Evidence },
  },
} as const

/** The id of the published schema. */
export const receiverSchemaId = 'understudy-mock/receiver.schema.json'

export const ReceiverReport = {
  title: 'ReceiverReport',
  description: 'What `understudy webhook-check` found: check by check.',
  type: 'object',
  required: [
    'schema_version',
    'understudy',
    'target',
    'seed',
    'started_at',
    'ms',
    'complete',
    'ok',
    'why',
    'summary',
    'checks',
  ],
  additionalProperties: false,
  properties: {
    ...documentFields,
    understudy: { ...text, description: 'The version that made it.' },
    target: { ...text, description: 'Where the deliveries went.' },
    seed: { ...text, description: 'What all ids were drawn from.' },
    started_at: { ...text, description: 'UTC, ISO 8601.' },
    ms: { type: 'number', minimum: 0 },
    complete: { type: 'boolean', description: 'false: it was stopped before its end.' },
    ok: { type: 'boolean', description: 'Whether no must failed, and something was proved.' },
    why: { ...text, description: 'The result in a sentence.' },
    summary: { ...VerdictSummary, description: 'How many of the checks have each verdict.' },
    checks: { type: 'array', items: check },
  },
} as const

export type ReceiverReport = FromSchema<typeof ReceiverReport>
export type ReceiverResult = FromSchema<typeof check>
