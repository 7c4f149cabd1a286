/** What the control routes take. It is not part of the API's contract, so it is no part of contracts/ either. */

import { tracePattern, traceReads } from '../../client/commands.ts'
import { limitFormat } from '../../client/scenarioFormat.ts'
import { mostFaultyConnections, tlsFaultNames } from '../../client/tlsFaults.ts'
import { ruleLevels, ruleSets } from '../../conduct/rule.ts'
import { jobStates } from '../../contracts/schemas.ts'

const key = { type: 'string', minLength: 1, maxLength: 256 } as const
const world = { type: 'string', minLength: 1, maxLength: 200 } as const

const object = <const P extends Record<string, object>>(properties: P, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})

export const keyQuery = object({ key, world })
export const keyBody = object({ key, world })

const journalFilters = {
  key,
  world,
  kind: { enum: ['exchange', 'webhook'] },
  route: { type: 'string' },
  status: { type: 'string', pattern: '^([1-5][xX][xX]|[0-9]{1,3})$', reads: 'a status such as 429, or 5xx' },
  job_id: { type: 'string' },
  request_id: { type: 'string' },
  trace: { type: 'string', pattern: tracePattern, reads: traceReads },
  since: { type: 'string' },
  before: { type: 'string' },
  text: { type: 'string', maxLength: 500 },
}
export const journalQuery = object({
  ...journalFilters,
  view: { enum: ['entries', 'rows'], default: 'entries' },
  limit: { type: 'integer', minimum: 0, maximum: 10_000, default: 1000 },
  order: { enum: ['oldest', 'newest'], default: 'oldest' },
  wait: { type: 'string' },
  atLeast: { type: 'integer', minimum: 1, default: 1 },
})
/** A recording is not read in pages. */
export const harQuery = object(journalFilters)

export const conductQuery = object({
  key,
  world,
  max_poll_time: { type: 'string' },
  patience: { type: 'string' },
  require: { type: 'string' },
  ended: { type: 'boolean', default: false },
  stopped_at: { type: 'number' },
  silent_since: { type: 'number' },
  alone: { type: 'boolean' },
  level: { enum: ruleLevels },
  rules: { enum: ruleSets },
})

export const clockBody = object({
  key,
  world,
  freeze: { type: 'boolean' },
  step: { type: 'string' },
  speed: { type: 'number', exclusiveMinimum: 0, maximum: 1_000_000 },
})

export const keyChangeSchema = object({
  key,
  world,
  credits: { type: 'number', minimum: 0, maximum: 1e12 },
  top_up: { type: 'number', minimum: 0, maximum: 1e12 },
  rate_limit: limitFormat,
  job_limit: limitFormat,
  revoked: { type: 'boolean' },
})

export const jobChangeBody = object({
  key,
  world,
  status: { enum: jobStates },
  progress: { type: 'integer', minimum: 0, maximum: 100 },
  error: { type: 'string', minLength: 1, maxLength: 2000 },
  hold: { type: 'boolean' },
})

export const scenarioBody = object({ scenario: { type: ['string', 'object'] }, key }, ['scenario'])
export const activationQuery = object({
  rule: { type: 'string' },
  times: { type: 'integer', minimum: 1, default: 1 },
  wait: { type: 'string' },
})
export const scenarioQuery = object({
  validate: { type: 'boolean', default: false },
  problems: { type: 'boolean', default: false },
})
export const restoreQuery = object({ key, world }, ['key'])

export const worldsQuery = object({ key, world, limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50 } })
export const jobsQuery = object({
  key,
  world,
  status: { enum: jobStates },
  job_id: { type: 'string' },
  limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50 },
})
export const draftBody = object(
  {
    seqs: { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1, maxItems: 10_000 },
    name: { type: 'string', maxLength: 64, default: 'drafted' },
  },
  ['seqs'],
)
export const trialBody = object(
  {
    scenario: { type: ['string', 'object'] },
    key,
    world,
    limit: { type: 'integer', minimum: 1, maximum: 10_000, default: 200 },
  },
  ['scenario'],
)
export const tlsFaultBody = object(
  {
    fault: { enum: tlsFaultNames },
    connections: { type: 'integer', minimum: 1, maximum: mostFaultyConnections, default: 1 },
  },
  ['fault'],
)
export const incidentQuery = object({ name: { type: 'string', maxLength: 200, default: 'recording.har' } })
