/** The few JSON Schemas that every document is made of. */

export const textSchema = { type: 'string' } as const

export const countSchema = { type: 'integer', minimum: 0 } as const

export const textsSchema = { type: 'array', items: textSchema } as const
