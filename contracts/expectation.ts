/** A schema, and a value that does not fit it, in words: for whoever reads an error or a report. */

/** What of a JSON Schema can be put in words. */
export interface SchemaPart {
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
  items?: SchemaPart
  oneOf?: readonly SchemaPart[]
  anyOf?: readonly SchemaPart[]
  const?: unknown
  /** What it wants, in words; a scenario's schema has that where a pattern says nothing to a person. */
  reads?: string
}

/** What a schema asks for, in words. */
export function expectationOf(schema: SchemaPart): string {
  if (schema.reads !== undefined) return schema.reads
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  if (schema.const !== undefined) return String(schema.const)
  const forms = schema.oneOf ?? schema.anyOf
  if (forms) return [...new Set(forms.map(expectationOf))].join(', or ')
  if (schema.format === 'uri') return 'an http or https URL'
  if (schema.type === 'array') {
    const isFixed = schema.minItems !== undefined && schema.minItems === schema.maxItems
    const count = isFixed ? `${schema.minItems} items` : 'a list'
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

function rangeOf({ minimum, maximum, exclusiveMinimum }: SchemaPart): string {
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  return minimum === undefined ? '' : ` of ${minimum} or more`
}

function lengthOf({ minLength = 0, maxLength }: SchemaPart): string {
  return maxLength === undefined ? '' : ` of ${minLength} to ${maxLength} characters`
}

/** What was found, short enough for a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
