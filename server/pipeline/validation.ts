/**
 * Validation and serialization by the contract's own schemas, and the errors in words: which field, what was found, what was expected.
 */

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import fastJsonStringify from 'fast-json-stringify'
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'
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
  // The schemas are our own, and a test holds them against the meta-schema; to compile that one takes 50 ms.
  validateSchema: false,
  meta: false,
  // V8 does the same for what is called often; here it would be a quarter of each compilation.
  code: { optimize: false },
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

type Serialize = (data: unknown) => string
const serializers = new WeakMap<object, Serialize>()

/** Likewise with the first answer of its schema, once a process: Fastify's own compiles them all at each start. */
export const serializerCompiler: FastifySerializerCompiler<JSONSchema> = ({ schema }) => {
  let serialize: Serialize | undefined
  return data => {
    serialize ??= serializerOf(schema as object)
    return serialize(data)
  }
}

function serializerOf(schema: object): Serialize {
  const known = serializers.get(schema)
  if (known) return known
  const serialize = fastJsonStringify(schema) as Serialize
  serializers.set(schema, serialize)
  return serialize
}

/** Refuses what is nested too deep; its own recursion is bounded by that. */
export function refuseDeepJson(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= maxDepth) throw apiError('invalid_json', `nested deeper than ${maxDepth} levels`)
  // Each create comes through here: no list of its fields is made, and no call for what has none.
  for (const name in value) {
    const inner = (value as Record<string, unknown>)[name]
    if (typeof inner === 'object') refuseDeepJson(inner, depth + 1)
  }
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
