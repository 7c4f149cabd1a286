/** The few JSON Schemas that every document is made of. */

export const textSchema = { type: 'string' } as const

export const countSchema = { type: 'integer', minimum: 0 } as const

export const textsSchema = { type: 'array', items: textSchema } as const

/** Keywords that say something of one type only. */
const ofType: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  array: ['items', 'minItems', 'maxItems', 'uniqueItems'],
  object: ['properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'maxProperties'],
}

/** The same schema with `type: [a, b]` written as `anyOf`: what ajv takes in its strict mode, as editors and CI use it. */
export function withoutTypeUnions(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutTypeUnions)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).map(([name, value]) => [name, withoutTypeUnions(value)] as const)
  const types = Object.fromEntries(entries).type
  if (!Array.isArray(types)) return Object.fromEntries(entries)
  const branches = types.map(type => ({
    type,
    ...Object.fromEntries(entries.filter(([name]) => ofType[type]?.includes(name))),
  }))
  const typed = new Set(types.flatMap(type => ofType[type] ?? []))
  const rest = entries.filter(([name]) => name !== 'type' && !typed.has(name))
  return { ...Object.fromEntries(rest), anyOf: branches }
}
