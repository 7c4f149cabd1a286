/**
 * The schema that scenario files are validated with: client/scenarioFormat.ts with each fault's own parameters in it.
 * scenarios/scenario.schema.json, by which editors complete a scenario, is made from it (npm run docs).
 */

import { parseDuration } from '../../base/duration.ts'
import { faultField, type LimitFormat, scenarioFormat } from '../../client/scenarioFormat.ts'
import { faults } from '../faults/index.ts'
import type { LimitSpec } from '../world/limits.ts'
import type { WalkedSchema } from './schemaErrors.ts'

/** The faults, as they describe themselves. */
const faultSchema = {
  description: faultField.description,
  anyOf: [
    {
      enum: Object.keys(faults),
      description: Object.entries(faults)
        .map(([name, { summary }]) => `${name}: ${summary}`)
        .join('; '),
    },
    ...Object.entries(faults).map(([name, { summary, params }]) => ({
      type: 'object',
      description: summary,
      additionalProperties: false,
      required: ['type'],
      properties: { type: { const: name }, ...params },
    })),
  ],
}

/** The whole schema, with the faults in it: what files are validated with. */
export const scenarioSchema = withFaults(scenarioFormat) as WalkedSchema

function withFaults(schema: unknown): unknown {
  if (schema === faultField) return faultSchema
  if (Array.isArray(schema)) return schema.map(withFaults)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withFaults(value)]))
}

/** The same for editors, which know nothing of `reads`. */
export const editorSchema = (): object =>
  JSON.parse(JSON.stringify(scenarioSchema, (name, value) => (name === 'reads' ? undefined : value)))

export const msOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseDuration(text)

export const limitOf = (given: LimitFormat | undefined): LimitSpec | undefined =>
  typeof given === 'object' ? { limit: given.calls, windowMs: msOf(given.per) as number } : given
