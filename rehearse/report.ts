/**
 * What a rehearsal found, as one JSON document: the user's own program, run once under each scenario. The schema is
 * published, the types are derived from it, and the reporters write this and nothing else.
 */
import type { FromSchema } from 'json-schema-to-ts'
import { conductVerdicts } from '../conduct/report.ts'

const text = { type: 'string' } as const
const count = { type: 'integer', minimum: 0 } as const
const texts = { type: 'array', items: text } as const

const summary = {
  type: 'object',
  required: ['kept', 'broken', 'not_seen'],
  additionalProperties: false,
  properties: { kept: count, broken: count, not_seen: count },
} as const

const scenario = {
  type: 'object',
  description: 'One run of the program.',
  required: ['scenario', 'exit_code', 'finished', 'ms', 'conduct', 'broken', 'ok'],
  additionalProperties: false,
  properties: {
    scenario: text,
    exit_code: { type: ['integer', 'null'], description: 'null: a signal ended it, or it never began.' },
    signal: { ...text, description: 'What ended it: "SIGKILL".' },
    finished: { type: 'boolean', description: 'Whether it came to an end by itself, in time.' },
    ms: { type: 'number', minimum: 0 },
    conduct: { ...summary, description: 'How many rules it kept, broke and gave no occasion for.' },
    broken: { ...texts, description: 'The ids of the rules that it broke.' },
    ok: { type: 'boolean' },
    why: { ...text, description: 'Why it is not ok, beside the rules that it broke.' },
    folder: { ...text, description: 'Where its own report is, and what it printed.' },
  },
} as const

const rule = {
  type: 'object',
  description: 'A rule, over all of the scenarios.',
  required: ['id', 'clause', 'title', 'verdict', 'scenarios', 'advice'],
  additionalProperties: false,
  properties: {
    id: { ...text, description: 'theme.what' },
    clause: text,
    title: text,
    verdict: { enum: conductVerdicts, description: 'broken if it is anywhere; else kept if it is anywhere.' },
    scenarios: { ...texts, description: 'Where it was broken.' },
    advice: text,
  },
} as const

export const Rehearsal = {
  title: 'Rehearsal',
  description: 'What `understudy rehearse` found: scenario by scenario, and rule by rule.',
  type: 'object',
  required: ['understudy', 'command', 'started_at', 'ms', 'ok', 'why', 'summary', 'scenarios', 'rules'],
  additionalProperties: false,
  properties: {
    $schema: text,
    understudy: { ...text, description: 'The version that made it.' },
    command: { ...text, description: 'What was run.' },
    started_at: { ...text, description: 'UTC, ISO 8601.' },
    ms: { type: 'number', minimum: 0 },
    ok: { type: 'boolean', description: 'Whether every scenario is.' },
    why: { ...text, description: 'The result in a sentence.' },
    summary: { ...summary, description: 'Of the rules below.' },
    scenarios: { type: 'array', items: scenario },
    rules: { type: 'array', items: rule },
  },
} as const

export type Rehearsal = FromSchema<typeof Rehearsal>
export type RehearsedScenario = FromSchema<typeof scenario>
export type RehearsedRule = FromSchema<typeof rule>
