/**
 * Validation with the contract's own schemas, and its errors in words: which field, what was found, what was expected.
 */

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { JSONSchema } from 'json-schema-to-ts'
import { formatCount, plural } from '../../base/text.ts'
import { expectationOf, type SchemaPart, shown } from '../../contracts/expectation.ts'
import { apiError } from '../errors.ts'

/** JSON nested deeper than this is refused: nobody means it, and it would be walked again on every answer. */
const maxDepth = 32

const shared = {
  useDefaults: true,
  verbose: true,
  allowUnionTypes: true,
  strict: true,
  keywords: ['example', 'reads'],
}
const formats = (ajv: Ajv): Ajv => ajv.addFormat('uri', text => URL.canParse(text)).addFormat('binary', true)
// One of each for all mocks of a process: it remembers what it has compiled, and a test may start a mock of its own.
const bodies = formats(new Ajv(shared))
const queries = formats(new Ajv({ ...shared, coerceTypes: true, strictNumbers: false }))

/** A body must be what it says; a query is text, so its numbers are read from it. */
export const validatorCompiler: FastifySchemaCompiler<JSONSchema> = ({ schema, httpPart }) => {
  // Compiled with a route's first call: compiling them all would take as long as the rest of the start.
  let validate: ValidateFunction | undefined
  return data => {
    validate ??= (httpPart === 'body' ? bodies : queries).compile(schema as object)
    return validate(data) ? true : { error: describe(validate.errors?.[0], httpPart ?? 'body') }
  }
}

/** Refuses what is nested too deep; its own recursion is bounded by that. */
export function refuseDeepJson(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= maxDepth) throw apiError('invalid_json', `nested deeper than ${maxDepth} levels`)
  for (const inner of Object.values(value)) refuseDeepJson(inner, depth + 1)
}

function describe(error: ErrorObject | undefined, part: string): Error {
  if (!error) return apiError('invalid_field')
  const field = error.instancePath.slice(1).replaceAll('/', '.')
  const where = field === '' ? `the ${part === 'querystring' ? 'query' : part}` : field
  if (error.keyword === 'required') {
    const missing = [field, error.params.missingProperty].filter(Boolean).join('.')
    const expected = expectationOf(error.parentSchema?.properties?.[error.params.missingProperty] ?? {})
    return apiError('invalid_field', `${missing} is missing; expected ${expected}`)
  }
  if (error.keyword === 'additionalProperties') {
    const known = Object.keys(error.parentSchema?.properties ?? {})
    return apiError(
      'invalid_field',
      `${shown(error.params.additionalProperty)} is unknown; expected one of ${known.join(', ')}`,
    )
  }
  if (error.keyword === 'maxLength') {
    return apiError(
      'invalid_field',
      `${where} has ${plural(String(error.data).length, 'character')}; expected at most ${formatCount(error.params.limit as number)}`,
    )
  }
  const schema = error.keyword === 'type' || error.parentSchema ? (error.parentSchema as SchemaPart) : {}
  return apiError('invalid_field', `${where} is ${shown(error.data)}; expected ${expectationOf(schema)}`)
}
