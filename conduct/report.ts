/**
 * How a client is graded, as one JSON document. The schema is published (conduct/report.schema.json), the types are
 * derived from it, and every reporter writes this and nothing else.
 */
import type { FromSchema } from 'json-schema-to-ts'

import { countSchema as count, textSchema as text, textsSchema as texts } from '../base/jsonSchema.ts'
import { inconclusiveFaults, VerdictSummary, verdicts } from '../contracts/verdict.ts'
import { documentFields } from '../reports/document.ts'
import { expectedSchema } from '../reports/expectedFailures.ts'
import { ruleLevels, ruleSets } from './rule.ts'

/** Why a rule is skipped, where nothing more is known. */
export const neverArose = 'the situation never arose'

const entry = {
  type: 'object',
  description: 'A call of the client, or a webhook that it was sent, with its answer.',
  required: ['number', 'time', 'what'],
  additionalProperties: false,
  properties: {
    number: { ...count, description: "The journal's seq, or the place in the recording." },
    time: { ...text, description: 'When it began: UTC, ISO 8601.' },
    ended: { ...text, description: 'When it ended: UTC, ISO 8601.' },
    what: { ...text, description: 'In a line: "POST /v1/jobs → 429 rate_limited, Retry-After 2".' },
    request_id: text,
    job_id: text,
  },
} as const

export const ConductEvidence = {
  type: 'object',
  required: ['passed', 'said', 'key', 'entries'],
  additionalProperties: false,
  properties: {
    passed: { type: 'boolean' },
    said: { ...text, description: 'What the client did: "came back after 0.3 s, though asked to wait 2 s".' },
    key: { ...text, description: "The fingerprint of the client's key." },
    entries: { type: 'array', items: entry, description: 'By which it is seen, in their order.' },
  },
} as const

const chainTry = {
  type: 'object',
  required: ['number', 'time', 'ms', 'outcome'],
  additionalProperties: false,
  properties: {
    number: { ...count, description: "The journal's seq, or the place in the recording." },
    time: { ...text, description: 'When it began: UTC, ISO 8601.' },
    ms: { type: 'number', minimum: 0, description: 'How long it took.' },
    outcome: { ...text, description: '"429 rate_limited", "200", "no whole answer"' },
    wait_ms: { type: 'number', description: 'How long the client waited before it, from the end of the try before.' },
    asked_ms: { type: 'number', minimum: 0, description: 'How long its answer asked to wait.' },
  },
} as const

const chain = {
  type: 'object',
  description: 'Tries of one call, each begun when the one before had failed.',
  required: ['key', 'call', 'operation', 'tries'],
  additionalProperties: false,
  properties: {
    key: { ...text, description: "The fingerprint of the client's key." },
    call: { ...text, description: '"POST /v1/jobs"' },
    operation: { type: ['string', 'null'], description: '"createJob"; null where the path is not documented.' },
    tries: { type: 'array', items: chainTry },
  },
} as const

const ruleResult = {
  type: 'object',
  required: ['id', 'clause', 'level', 'clauses', 'title', 'verdict', 'seen', 'evidence', 'advice', 'provoke'],
  additionalProperties: false,
  properties: {
    id: { ...text, description: 'theme.what' },
    clause: { ...text, description: 'The clause that it comes from.' },
    clauses: { ...texts, description: 'That one, and the others that say so too.' },
    level: {
      enum: ruleLevels,
      description: 'Whether its failure fails the grade: a "should" does with --level should only.',
    },
    title: { ...text, description: 'What a good client does.' },
    verdict: { enum: verdicts, description: `skipped is neither good nor bad: ${neverArose}.` },
    seen: { ...count, description: 'How often the situation arose.' },
    reason: { ...text, description: 'Of skipped: why.' },
    fault: { enum: inconclusiveFaults, description: 'Of inconclusive: whose fault it is.' },
    expected: { type: 'boolean', description: 'Its failure is listed in --expected-failures, and fails nothing.' },
    tolerance: { ...text, description: 'How much less than its limit it lets pass: "50 ms".' },
    evidence: {
      type: 'array',
      items: ConductEvidence,
      description: 'The breaches; of a rule that passed, up to three.',
    },
    advice: { ...text, description: 'What to do about it.' },
    provoke: { ...texts, description: 'Scenarios that bring the situation about.' },
  },
} as const

/** The id of the published schema. */
export const conductSchemaId = 'understudy-mock/conduct.schema.json'

export const ConductReport = {
  title: 'ConductReport',
  description: 'What `understudy conduct` says of a client, rule by rule.',
  type: 'object',
  required: [
    'schema_version',
    'understudy',
    'source',
    'key',
    'keys',
    'calls',
    'webhooks',
    'paths',
    'ok',
    'why',
    'summary',
    'required',
    'level',
    'rule_set',
    'late_ms',
    'chains',
    'rules',
  ],
  additionalProperties: false,
  properties: {
    ...documentFields,
    understudy: { ...text, description: 'The version that made it.' },
    source: { ...text, description: 'What was read: "the journal of http://127.0.0.1:4010", or a file.' },
    key: { ...text, description: 'The fingerprint of the key whose calls were graded; "all" for those of every key.' },
    keys: { ...texts, description: 'The keys that were found.' },
    started_at: { ...text, description: 'When the first of the calls began: UTC, ISO 8601.' },
    calls: count,
    webhooks: count,
    paths: { ...texts, description: 'The paths of GO-5 that were seen: success, failure, timeout, retry, …' },
    incomplete: { ...text, description: 'Why not all that the client did was seen.' },
    ok: { type: 'boolean', description: 'Whether no rule failed and all that is required passed.' },
    why: { ...text, description: 'The summary in a sentence, and why it is not green where it is not.' },
    summary: { ...VerdictSummary, description: 'How many of the rules have each verdict.' },
    required: {
      type: 'object',
      description: 'What --require asked for (clauses or rules), and what of it has not passed.',
      required: ['rules', 'missing'],
      additionalProperties: false,
      properties: { rules: texts, missing: texts },
    },
    level: { enum: ruleLevels, description: 'The lowest level whose failure fails the grade.' },
    rule_set: { enum: ruleSets, description: 'The rules that were graded by: those of that date.' },
    late_ms: {
      type: 'number',
      minimum: 0,
      description:
        "How late the mock's own timers were at the most: a wait that missed its limit by less is inconclusive.",
    },
    expected: expectedSchema,
    chains: { type: 'array', items: chain, description: 'The calls that were tried again, the first hundred.' },
    rules: { type: 'array', items: ruleResult },
  },
} as const

export type ConductReport = FromSchema<typeof ConductReport>
export type ConductChain = FromSchema<typeof chain>
export type RuleResult = FromSchema<typeof ruleResult>
export type ConductEvidence = FromSchema<typeof ConductEvidence>
export type EvidenceEntry = FromSchema<typeof entry>
