/**
 * What a rehearsal found, as one JSON document: the user's own program, run once under each scenario. The schema is
 * published, the types are derived from it, and the reporters write this and nothing else.
 */
import type { FromSchema } from 'json-schema-to-ts'
import { textSchema as text, textsSchema as texts } from '../base/jsonSchema.ts'
import { ruleLevels, ruleSets } from '../conduct/rule.ts'
import { VerdictSummary, verdicts } from '../contracts/verdict.ts'
import { documentFields } from '../reports/document.ts'
import { expectedSchema } from '../reports/expectedFailures.ts'

const scenario = {
  type: 'object',
  description: 'One run of the program.',
  required: ['scenario', 'exit_code', 'finished', 'ms', 'verdict', 'conduct', 'failed', 'noted'],
  additionalProperties: false,
  properties: {
    scenario: text,
    exit_code: { type: ['integer', 'null'], description: 'null: a signal ended it, or it never began.' },
    signal: { ...text, description: 'What ended it: "SIGKILL".' },
    finished: { type: 'boolean', description: 'Whether it came to an end by itself, in time.' },
    ms: { type: 'number', minimum: 0 },
    verdict: {
      enum: verdicts,
      description:
        'passed: the program ended well in this scenario and no rule failed. skipped: the scenario did not come up.',
    },
    conduct: { ...VerdictSummary, description: 'How many of the rules of conduct have each verdict.' },
    failed: { ...texts, description: 'The ids of the rules that failed, and fail it.' },
    noted: { ...texts, description: 'Of those that failed and fail nothing: "should" by their level, or expected.' },
    why: { ...text, description: 'Why it failed, beside the rules, or was skipped.' },
    folder: { ...text, description: 'Where its own report is, and what it printed.' },
  },
} as const

const rule = {
  type: 'object',
  description: 'A rule, over all of the scenarios.',
  required: ['id', 'clause', 'level', 'title', 'verdict', 'scenarios', 'advice'],
  additionalProperties: false,
  properties: {
    id: { ...text, description: 'theme.what' },
    clause: text,
    level: { enum: ruleLevels, description: 'Whether its failure fails the rehearsal.' },
    title: text,
    verdict: { enum: verdicts, description: 'failed if it failed in any scenario; else passed if it passed in any.' },
    scenarios: { ...texts, description: 'Where it failed.' },
    said: { ...text, description: 'What several runs together show that none shows alone.' },
    expected: { type: 'boolean', description: 'Each of its failures is listed in --expected-failures.' },
    advice: text,
  },
} as const

/** The id of the published schema. */
export const rehearsalSchemaId = 'understudy-mock/rehearsal.schema.json'

export const Rehearsal = {
  title: 'Rehearsal',
  description: 'What `understudy rehearse` found: scenario by scenario, and rule by rule.',
  type: 'object',
  required: [
    'schema_version',
    'understudy',
    'command',
    'started_at',
    'ms',
    'ok',
    'why',
    'summary',
    'level',
    'rule_set',
    'scenarios',
    'rules',
  ],
  additionalProperties: false,
  properties: {
    ...documentFields,
    understudy: { ...text, description: 'The version that made it.' },
    command: { ...text, description: 'What was run.' },
    started_at: { ...text, description: 'UTC, ISO 8601.' },
    ms: { type: 'number', minimum: 0 },
    ok: { type: 'boolean', description: 'Whether every scenario passed.' },
    why: { ...text, description: 'The result in a sentence.' },
    summary: { ...VerdictSummary, description: 'How many of the rules below have each verdict.' },
    level: { enum: ruleLevels, description: 'The lowest level whose failure fails it.' },
    rule_set: { enum: ruleSets, description: 'The rules that were graded by: those of that date.' },
    expected: expectedSchema,
    scenarios: { type: 'array', items: scenario },
    rules: { type: 'array', items: rule },
  },
} as const

export type Rehearsal = FromSchema<typeof Rehearsal>
export type RehearsedScenario = FromSchema<typeof scenario>
export type RehearsedRule = FromSchema<typeof rule>
