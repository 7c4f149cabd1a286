/**
 * What a run of the suite says, as one JSON document. The schema is published (contracts/report.schema.json), the types
 * are derived from it, and every reporter writes this and nothing else.
 */
import type { FromSchema } from 'json-schema-to-ts'

export const verdicts = ['holds', 'broken', 'not_tried'] as const
export type Verdict = (typeof verdicts)[number]

const text = { type: 'string' } as const
const count = { type: 'integer', minimum: 0 } as const
const texts = { type: 'array', items: text } as const
const verdict = { enum: verdicts, description: 'not_tried is neither good nor bad: nothing was proved.' } as const
const headers = { type: 'object', additionalProperties: text } as const

export const Evidence = {
  type: 'object',
  required: ['check', 'holds', 'expected', 'found'],
  additionalProperties: false,
  properties: {
    check: { ...text, description: 'The id of the check that saw it; "explore" for a sequence that nobody wrote.' },
    holds: { type: 'boolean' },
    expected: text,
    found: text,
    pointer: { ...text, description: 'Where in the answer: a JSON pointer into its body, or "header Retry-After".' },
    request: {
      type: 'object',
      required: ['method', 'url', 'headers'],
      additionalProperties: false,
      properties: { method: text, url: text, headers, body: { ...text, description: 'Cut after 2,000 characters.' } },
    },
    response: {
      type: 'object',
      required: ['status', 'headers'],
      additionalProperties: false,
      properties: {
        status: { ...count, description: '0: no answer came.' },
        headers,
        body: { ...text, description: 'Cut after 2,000 characters.' },
        ms: { type: 'number' },
      },
    },
    curl: { ...text, description: 'Reproduces it: a line, or several that build on one another; keys are variables.' },
  },
} as const

const clauseResult = {
  type: 'object',
  required: ['id', 'text', 'level', 'verdict', 'notes', 'checks', 'evidence'],
  additionalProperties: false,
  properties: {
    id: text,
    text: { ...text, description: 'The documented sentence.' },
    level: { enum: ['core', 'wider', 'open'] },
    verdict,
    reason: { ...text, description: 'Of not_tried: why.' },
    needs: { ...texts, description: 'Of not_tried: what would have to be given to try it.' },
    notes: { ...texts, description: 'Which documented variant was seen, where there is a choice.' },
    checks: { ...texts, description: 'The checks that speak for it.' },
    evidence: { type: 'array', items: Evidence },
  },
} as const

const checkResult = {
  type: 'object',
  required: ['id', 'title', 'clauses', 'verdict', 'ms', 'requests'],
  additionalProperties: false,
  properties: {
    id: text,
    title: text,
    clauses: texts,
    verdict,
    reason: text,
    ms: { type: 'number' },
    requests: count,
    broken: { ...texts, description: 'The clauses that this check found broken.' },
  },
} as const

const change = {
  type: 'object',
  required: ['clause', 'from', 'to'],
  additionalProperties: false,
  properties: { clause: text, from: verdict, to: verdict },
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
    $schema: text,
    understudy: { ...text, description: 'The version that made it.' },
    target: { ...text, description: 'The base URL.' },
    profile: { enum: ['safe', 'full'] },
    seed: { ...text, description: 'What all chance of the run was drawn from.' },
    started_at: { ...text, description: 'UTC, ISO 8601.' },
    ms: { type: 'number', description: 'How long it took.' },
    complete: { type: 'boolean', description: 'false: it was stopped before its end.' },
    ok: { type: 'boolean', description: 'Whether the run is green; the command then exits 0.' },
    why: { ...text, description: 'The summary in a sentence, and why the run is not green where it is not.' },
    summary: {
      type: 'object',
      required: ['holds', 'broken', 'not_tried'],
      additionalProperties: false,
      properties: { holds: count, broken: count, not_tried: count },
    },
    spent: {
      type: 'object',
      required: ['requests', 'credits', 'sent_bytes'],
      additionalProperties: false,
      properties: {
        requests: count,
        credits: { type: 'number', description: 'Credits that the jobs it started cost at the documented prices.' },
        sent_bytes: count,
      },
    },
    required: {
      type: 'object',
      description: 'What --require asked for, and what of it does not hold.',
      required: ['clauses', 'missing'],
      additionalProperties: false,
      properties: { clauses: texts, missing: texts },
    },
    extensions: { ...texts, description: 'Error codes beyond the documented ones (ERR-2): no violation.' },
    clauses: { type: 'array', items: clauseResult },
    checks: { type: 'array', items: checkResult },
    explored: {
      type: 'object',
      description: 'What --explore did.',
      required: ['sequences', 'calls', 'seed'],
      additionalProperties: false,
      properties: { sequences: count, calls: count, seed: text },
    },
    changes: {
      type: 'object',
      description: 'What --baseline found to have changed.',
      required: ['since', 'changes', 'text'],
      additionalProperties: false,
      properties: {
        since: { ...text, description: "The baseline's started_at." },
        changes: { type: 'array', items: change },
        text: { ...text, description: 'The same in one line.' },
      },
    },
  },
} as const

export type Report = FromSchema<typeof Report>
export type ClauseResult = FromSchema<typeof clauseResult>
export type CheckResult = FromSchema<typeof checkResult>
export type Evidence = FromSchema<typeof Evidence>

/** "41 hold, 2 broken, 5 not tried" */
export const summaryText = ({ holds, broken, not_tried }: Report['summary']): string =>
  `${holds} ${holds === 1 ? 'holds' : 'hold'}, ${broken} broken, ${not_tried} not tried`
