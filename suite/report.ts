/**
 * What a run of the suite says, as one JSON document. The schema is published (suite/report.schema.json), the types
 * are derived from it, and every reporter writes this and nothing else.
 */

import type { FromSchema } from 'json-schema-to-ts'
import { countSchema, Evidence, textSchema, textsSchema } from '../contracts/evidence.ts'
import { verdicts } from '../contracts/verdict.ts'

const verdict = { enum: verdicts, description: 'not_tried is neither good nor bad: nothing was proved.' } as const

const clauseResult = {
  type: 'object',
  required: ['id', 'text', 'level', 'verdict', 'notes', 'checks', 'evidence'],
  additionalProperties: false,
  properties: {
    id: textSchema,
    text: { ...textSchema, description: 'The documented sentence.' },
    level: { enum: ['core', 'wider', 'open'] },
    verdict,
    reason: { ...textSchema, description: 'Of not_tried: why.' },
    needs: { ...textsSchema, description: 'Of not_tried: what would have to be given to try it.' },
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
    broken: { ...textsSchema, description: 'The clauses that this check found broken.' },
  },
} as const

const change = {
  type: 'object',
  required: ['clause', 'from', 'to'],
  additionalProperties: false,
  properties: { clause: textSchema, from: verdict, to: verdict },
} as const

export const Report = {
  title: 'Report',
  description: 'What a run of `understudy check` says of an endpoint, clause by clause.',
  type: 'object',
  required: [
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
    $schema: textSchema,
    understudy: { ...textSchema, description: 'The version that made it.' },
    target: { ...textSchema, description: 'The base URL.' },
    profile: { enum: ['safe', 'full'] },
    seed: { ...textSchema, description: 'What all chance of the run was drawn from.' },
    started_at: { ...textSchema, description: 'UTC, ISO 8601.' },
    ms: { type: 'number', description: 'How long it took.' },
    complete: { type: 'boolean', description: 'false: it was stopped before its end.' },
    ok: { type: 'boolean', description: 'Whether the run is green; the command then exits 0.' },
    why: { ...textSchema, description: 'The summary in a sentence, and why the run is not green where it is not.' },
    summary: {
      type: 'object',
      required: ['holds', 'broken', 'not_tried'],
      additionalProperties: false,
      properties: { holds: countSchema, broken: countSchema, not_tried: countSchema },
    },
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
      description: 'What --require asked for, and what of it does not hold.',
      required: ['clauses', 'missing'],
      additionalProperties: false,
      properties: { clauses: textsSchema, missing: textsSchema },
    },
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

/** "41 hold, 2 broken, 5 not tried" */
export const summaryText = ({ holds, broken, not_tried }: Report['summary']): string =>
  `${holds} ${holds === 1 ? 'holds' : 'hold'}, ${broken} broken, ${not_tried} not tried`
