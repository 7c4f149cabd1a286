/** What was expected and what was found, with the exchange and the command that shows it again: the proof beside a verdict. */
import type { FromSchema } from 'json-schema-to-ts'
import { countSchema, textSchema } from '../base/jsonSchema.ts'

const headersSchema = { type: 'object', additionalProperties: textSchema } as const

export const Evidence = {
  type: 'object',
  required: ['check', 'passed', 'expected', 'found'],
  additionalProperties: false,
  properties: {
    check: {
      ...textSchema,
      description: 'The id of the check that saw it; "explore" for a generated sequence.',
    },
    passed: { type: 'boolean' },
    expected: textSchema,
    found: textSchema,
    pointer: {
      ...textSchema,
      description: 'Where in the answer: a JSON pointer into its body, or "header Retry-After".',
    },
    request: {
      type: 'object',
      required: ['method', 'url', 'headers'],
      additionalProperties: false,
      properties: {
        method: textSchema,
        url: textSchema,
        headers: headersSchema,
        body: { ...textSchema, description: 'Cut after 2,000 characters.' },
      },
    },
    response: {
      type: 'object',
      required: ['status', 'headers'],
      additionalProperties: false,
      properties: {
        status: { ...countSchema, description: '0: no answer came.' },
        headers: headersSchema,
        body: { ...textSchema, description: 'Cut after 2,000 characters.' },
        ms: { type: 'number' },
      },
    },
    curl: {
      ...textSchema,
      description: 'Reproduces it: a line, or several that build on one another; keys are variables.',
    },
  },
} as const

export type Evidence = FromSchema<typeof Evidence>
