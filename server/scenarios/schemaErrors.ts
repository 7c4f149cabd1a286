/**
 * What of a value does not fit a JSON Schema, in the way that Ajv says it (allErrors, verbose), by walking the schema. Ajv
 * makes a program of a schema first: of the scenario's, which is large and used a few times, that holds up every other
 * call for longer than all the walks take. test/server/scenarioFormat.test.ts holds the two against each other.
 */

/** The keywords that the scenario's schema has. */
export interface WalkedSchema {
  type?: string | readonly string[]
  enum?: readonly unknown[]
  const?: unknown
  anyOf?: readonly WalkedSchema[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minItems?: number
  maxItems?: number
  items?: WalkedSchema
  minProperties?: number
  maxProperties?: number
  required?: readonly string[]
  propertyNames?: WalkedSchema
  additionalProperties?: boolean | WalkedSchema
  properties?: Readonly<Record<string, WalkedSchema>>
  patternProperties?: Readonly<Record<string, WalkedSchema>>
}

export interface SchemaError {
  keyword: keyof WalkedSchema
  /** Where in the value: /rules/0/when. */
  instancePath: string
  /** Where in the schema: #/properties/rules/type. */
  schemaPath: string
  params: { additionalProperty?: string; missingProperty?: string; allowedValue?: unknown }
  parentSchema: WalkedSchema
  data: unknown
}

/** Keywords of the schema that say nothing of a value. */
const annotations = ['$schema', '$id', 'title', 'description', 'reads', 'default', 'example']
const walked = [
  ...['type', 'enum', 'const', 'anyOf', 'minimum', 'maximum', 'exclusiveMinimum', 'minLength', 'maxLength', 'pattern'],
  ...['minItems', 'maxItems', 'items', 'minProperties', 'maxProperties', 'required', 'propertyNames'],
  ...['additionalProperties', 'properties', 'patternProperties'],
]

/** The keywords of a schema that this walk would pass over: there must be none. */
export function unknownKeywords(schema: object): string[] {
  const { properties, patternProperties, anyOf, items, propertyNames, additionalProperties } = schema as WalkedSchema
  const inner = [
    ...Object.values({ ...properties, ...patternProperties }),
    ...(anyOf ?? []),
    ...[items, propertyNames, additionalProperties].filter(one => typeof one === 'object'),
  ]
  const own = Object.keys(schema).filter(name => !walked.includes(name) && !annotations.includes(name))
  return [...own, ...inner.flatMap(unknownKeywords)]
}

/** All that does not fit; the errors of the forms of an `anyOf` right in front of its own. */
export function schemaErrors(schema: WalkedSchema, value: unknown): SchemaError[] {
  const errors: SchemaError[] = []
  walk(schema, value, '', '#', errors)
  return errors
}

function walk(
  schema: WalkedSchema,
  data: unknown,
  instancePath: string,
  schemaPath: string,
  errors: SchemaError[],
): void {
  const say = (keyword: SchemaError['keyword'], params: SchemaError['params'] = {}) =>
    errors.push({ keyword, instancePath, schemaPath: `${schemaPath}/${keyword}`, params, parentSchema: schema, data })
  const { type, const: only, enum: some, anyOf } = schema
  if (type !== undefined && ![type].flat().some(one => isOfType(one, data))) say('type')
  if (only !== undefined && data !== only) say('const', { allowedValue: only })
  if (some !== undefined && !some.includes(data)) say('enum')
  if (anyOf !== undefined) {
    const before = errors.length
    const fits = anyOf.some((form, i) => {
      const start = errors.length
      walk(form, data, instancePath, `${schemaPath}/anyOf/${i}`, errors)
      return errors.length === start
    })
    if (fits) errors.length = before
    else say('anyOf')
  }
  if (isOfType('number', data)) walkNumber(schema, data as number, say)
  else if (typeof data === 'string') walkText(schema, data, say)
  else if (Array.isArray(data)) {
    if (data.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) say('maxItems')
    if (data.length < (schema.minItems ?? 0)) say('minItems')
    const { items } = schema
    if (items === undefined) return
    for (const [i, item] of data.entries()) walk(items, item, `${instancePath}/${i}`, `${schemaPath}/items`, errors)
  } else if (isOfType('object', data)) {
    walkFields(schema, data as Fields, instancePath, schemaPath, errors, say)
  }
}

type Say = (keyword: SchemaError['keyword'], params?: SchemaError['params']) => void
type Fields = Readonly<Record<string, unknown>>

function walkNumber({ minimum, maximum, exclusiveMinimum }: WalkedSchema, data: number, say: Say): void {
  if (data > (maximum ?? Number.POSITIVE_INFINITY)) say('maximum')
  if (data < (minimum ?? Number.NEGATIVE_INFINITY)) say('minimum')
  if (data <= (exclusiveMinimum ?? Number.NEGATIVE_INFINITY)) say('exclusiveMinimum')
}

function walkText({ minLength = 0, maxLength, pattern }: WalkedSchema, data: string, say: Say): void {
  // In characters, and not in halves of them.
  const length = minLength > 0 || maxLength !== undefined ? [...data].length : 0
  if (length > (maxLength ?? Number.POSITIVE_INFINITY)) say('maxLength')
  if (length < minLength) say('minLength')
  if (pattern !== undefined && !patternOf(pattern).test(data)) say('pattern')
}

function walkFields(
  schema: WalkedSchema,
  data: Fields,
  instancePath: string,
  schemaPath: string,
  errors: SchemaError[],
  say: Say,
): void {
  const { properties = {}, patternProperties = {}, additionalProperties, propertyNames } = schema
  const names = Object.keys(data)
  if (names.length > (schema.maxProperties ?? Number.POSITIVE_INFINITY)) say('maxProperties')
  if (names.length < (schema.minProperties ?? 0)) say('minProperties')
  for (const name of schema.required ?? []) if (data[name] === undefined) say('required', { missingProperty: name })
  for (const name of names) {
    if (propertyNames !== undefined) {
      const start = errors.length
      walk(propertyNames, name, instancePath, `${schemaPath}/propertyNames`, errors)
      if (errors.length > start) say('propertyNames')
    }
    const place = `${instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const patterns = Object.entries(patternProperties).filter(([pattern]) => patternOf(pattern).test(name))
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (own === undefined && patterns.length === 0) {
      if (additionalProperties === false) say('additionalProperties', { additionalProperty: name })
      else if (typeof additionalProperties === 'object')
        walk(additionalProperties, data[name], place, `${schemaPath}/additionalProperties`, errors)
    }
    // As in a JSON text: undefined is not there.
    if (own !== undefined && data[name] !== undefined)
      walk(own, data[name], place, `${schemaPath}/properties/${name}`, errors)
    for (const [pattern, inner] of patterns)
      walk(inner, data[name], place, `${schemaPath}/patternProperties/${pattern}`, errors)
  }
}

function isOfType(type: string, data: unknown): boolean {
  if (type === 'null') return data === null
  if (type === 'array') return Array.isArray(data)
  if (type === 'object') return typeof data === 'object' && data !== null && !Array.isArray(data)
  if (type === 'integer') return Number.isInteger(data)
  if (type === 'number') return Number.isFinite(data)
  return typeof data === type
}

const patterns = new Map<string, RegExp>()

function patternOf(pattern: string): RegExp {
  const known = patterns.get(pattern) ?? new RegExp(pattern, 'u')
  patterns.set(pattern, known)
  return known
}
