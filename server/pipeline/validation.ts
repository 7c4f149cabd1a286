/**
 * Validation with the contract's own schemas, and its errors in words: which field, what was found, what was expected.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { JSONSchema } from 'json-schema-to-ts'
import { apiError } from '../errors.ts'

/** JSON nested deeper than this is refused: nobody means it, and it would be walked again on every answer. */
const maxDepth = 32

/** A body must be what it says; a query is text, so its numbers are read from it. */
export function makeValidatorCompiler(): FastifySchemaCompiler<JSONSchema> {
  const shared = {
    useDefaults: true,
    verbose: true,
    allowUnionTypes: true,
    strict: true,
    keywords: ['example', 'reads'],
  }
  const bodies = formats(new Ajv(shared))
  const queries = formats(new Ajv({ ...shared, coerceTypes: true, strictNumbers: false }))
  return ({ schema, httpPart }) => {
    // Compiled with a route's first call: compiling them all would take as long as the rest of the start.
    let validate: ValidateFunction | undefined
    return data => {
      validate ??= (httpPart === 'body' ? bodies : queries).compile(schema as object)
      return validate(data) ? true : { error: describe(validate.errors?.[0], httpPart ?? 'body') }
    }
  }
}

const formats = (ajv: Ajv): Ajv => ajv.addFormat('uri', text => URL.canParse(text)).addFormat('binary', true)

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
      `${where} has ${String(error.data).length} characters; expected ${error.params.limit} at the most`,
    )
  }
  const schema = error.keyword === 'type' || error.parentSchema ? (error.parentSchema as JsonSchema) : {}
  return apiError('invalid_field', `${where} is ${shown(error.data)}; expected ${expectationOf(schema)}`)
}

interface JsonSchema {
  type?: string | readonly string[]
  enum?: readonly unknown[]
  format?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  items?: JsonSchema
  oneOf?: readonly JsonSchema[]
  anyOf?: readonly JsonSchema[]
  const?: unknown
  /** What it wants, in words; a scenario's schema has that where a pattern says nothing to a person. */
  reads?: string
}

/** What a schema asks for, in words. */
export function expectationOf(schema: JsonSchema): string {
  if (schema.reads !== undefined) return schema.reads
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.const !== undefined) return String(schema.const)
  const forms = schema.oneOf ?? schema.anyOf
  if (forms) return [...new Set(forms.map(expectationOf))].join(', or ')
  if (schema.format === 'uri') return 'an http or https URL'
  if (schema.type === 'array') {
    const count = schema.minItems === schema.maxItems ? `${schema.minItems ?? 0} items` : 'a list'
    return `${count}, each ${expectationOf(schema.items ?? {})}`
  }
  if (schema.type === 'string') return `a text${lengthOf(schema)}`
  if (schema.type === 'integer' || schema.type === 'number') {
    return `${schema.type === 'integer' ? 'a whole number' : 'a number'}${rangeOf(schema)}`
  }
  if (schema.type === 'boolean') return 'true or false'
  return schema.type === undefined ? 'another value' : [schema.type].flat().map(withArticle).join(' or ')
}

const withArticle = (type: string): string => (type === 'null' ? type : `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`)

function rangeOf({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  return minimum === undefined ? '' : ` of ${minimum} or more`
}

function lengthOf({ minLength = 0, maxLength }: JsonSchema): string {
  return maxLength === undefined ? '' : ` of ${minLength} to ${maxLength} characters`
}

/** What was found, short enough for a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
