/** What the control routes take. It is not part of the API's contract, so it is no part of contracts/ either. */
const key = { type: 'string', minLength: 1, maxLength: 256 } as const
const world = { type: 'string', minLength: 1, maxLength: 200 } as const

export const keyQuery = { type: 'object', additionalProperties: false, properties: { key, world } } as const
export const keyBody = { type: 'object', additionalProperties: false, properties: { key, world } } as const

export const journalQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    key,
    world,
    kind: { enum: ['exchange', 'webhook'] },
    route: { type: 'string' },
    status: { type: 'string', pattern: '^([1-5][xX][xX]|[0-9]{1,3})$' },
    job_id: { type: 'string' },
    request_id: { type: 'string' },
    since: { type: 'string' },
    limit: { type: 'integer', minimum: 0, maximum: 10_000, default: 1000 },
    wait: { type: 'string' },
    atLeast: { type: 'integer', minimum: 1, default: 1 },
  },
} as const
