/** The OpenAPI 3.1 document, made from the catalogues of operations, errors, clauses and schemas. */
import { type Clause, type ClauseId, clauses } from './clauses.ts'
import { type ErrorCase, type ErrorCaseName, errorCases, errorClasses, errorCodes, statusOf } from './errors.ts'
import { examples } from './examples.ts'
import { errorsOf, type Operation, operations } from './operations.ts'
import * as schemas from './schemas.ts'

type Json = Record<string, unknown>

const text = { type: 'string' }
const wholeNumber = { type: 'integer' }

const components = new Map<object, string>()
for (const schema of Object.values(schemas)) {
  if (typeof schema === 'object' && 'title' in schema && 'type' in schema) components.set(schema, schema.title)
}

const tagTexts: Record<Operation['tag'], string> = {
  uploads: 'Videos, as they are sent in (UP-1 to UP-4).',
  jobs: 'Jobs from draft to end (JOB-1 to JOB-7).',
  download: 'What a job has made (DL-1 to DL-3).',
  usage: 'What was used, and what it cost (US-1, US-2, CR-1).',
  system: 'Whether the server is up.',
  files: 'The files that the URLs of answers lead to (DL-3).',
  admin: 'Keys and settings, for operators (AD-1).',
}

/** The document of the API at `serverUrl`, an absolute URL or a path. */
export function buildOpenApi(version: string, serverUrl = '/'): Json {
  const document = documentOf(version, serverUrl)
  // Schemas of parameters are written where they are used: the rest of the components is what is referred to.
  const { schemas } = document.components
  for (let left = Object.keys(schemas).length + 1; Object.keys(schemas).length < left; ) {
    left = Object.keys(schemas).length
    const text = JSON.stringify(document)
    for (const name of Object.keys(schemas)) if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
  }
  return document
}

function documentOf(version: string, serverUrl: string): Json & { components: Json & { schemas: Json } } {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Video background removal API, as Understudy stands in for it',
      version,
      description:
        'Every route, error and clause of the documented contract. Understudy is independent of the makers of the API.',
      contact: { name: 'Understudy', url: 'https://www.npmjs.com/package/understudy-mock' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: serverUrl }],
    tags: [...new Set(Object.values(operations).map(({ tag }) => tag))].map(name => ({
      name,
      description: tagTexts[name],
    })),
    paths: paths(),
    webhooks: Object.fromEntries(schemas.webhookEvents.map(event => [event, webhook(event)])),
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        adminToken: { type: 'apiKey', in: 'header', name: 'X-Admin-Token' },
      },
      headers: {
        'X-Request-Id': { description: "Unique per answer; found in the server's logs (ERR-6).", schema: text },
        'Retry-After': { description: 'Whole seconds; waiting that long is enough (RL-2).', schema: wholeNumber },
        RateLimit: { description: 'What is left of each limit, and for how long (RL-2).', schema: text },
        'RateLimit-Policy': { description: 'The limits and their windows (RL-2).', schema: text },
        'X-RateLimit-Limit': { description: 'Calls in a window.', schema: wholeNumber },
        'X-RateLimit-Remaining': { description: 'Calls left in this window.', schema: wholeNumber },
        'X-RateLimit-Reset': { description: 'When the window ends, seconds since the epoch.', schema: wholeNumber },
      },
      schemas: Object.fromEntries([...components].map(([schema, title]) => [title, component(schema, title)])),
    },
  }
}

function component(schema: object, title: string): Json {
  const example = (examples as Json)[title]
  return { ...(withRefs(schema, true) as Json), ...(example !== undefined && { examples: [example] }) }
}

/** The same schema, with each named one inside of it as a reference. */
function withRefs(schema: unknown, isRoot = false): unknown {
  if (Array.isArray(schema)) return schema.map(item => withRefs(item))
  if (typeof schema !== 'object' || schema === null) return schema
  const title = components.get(schema)
  if (title !== undefined && !isRoot) return { $ref: `#/components/schemas/${title}` }
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withRefs(value)]))
}

function paths(): Json {
  const found: Record<string, Json> = {}
  for (const [id, operation] of Object.entries<Operation>(operations)) {
    found[operation.path] ??= {}
    Object.assign(found[operation.path] as Json, { [operation.method.toLowerCase()]: describe(id, operation) })
  }
  return found
}

function describe(id: string, operation: Operation): Json {
  return {
    operationId: id,
    tags: [operation.tag],
    summary: operation.summary,
    description: operation.clauses.map(clause => `**${clause}** ${sentenceOf(clause)}`).join('\n\n'),
    security: { key: [{ apiKey: [] }], optional_key: [{}, { apiKey: [] }], admin: [{ adminToken: [] }], none: [] }[
      operation.auth
    ],
    parameters: parametersOf(operation),
    ...(operation.body && { requestBody: requestBodyOf(operation) }),
    responses: responsesOf(operation),
  }
}

const sentenceOf = (id: ClauseId): string => {
  const { text, open }: Clause = clauses[id]
  return open === undefined ? text : `${text} (open: ${open})`
}

interface Properties {
  properties?: Record<string, unknown>
}

function parametersOf(operation: Operation): Json[] {
  const { params = {}, query = {} } = operation as { params?: Properties; query?: Properties }
  const path = Object.entries(params.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema,
  }))
  const search = Object.entries(query.properties ?? {}).map(([name, schema]) => ({ name, in: 'query', schema }))
  const header = {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'The same key and body again get the first answer again (ID-1).',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  }
  return [...path, ...search, ...(operation.idempotent ? [header] : [])]
}

function requestBodyOf({ body, bodyOptional, tag }: Operation): Json {
  const type = tag === 'uploads' ? 'multipart/form-data' : 'application/json'
  return { required: !bodyOptional, content: { [type]: { schema: withRefs(body) } } }
}

const header = (name: string) => [name, { $ref: `#/components/headers/${name}` }]
const limitHeaders = [
  'RateLimit',
  'RateLimit-Policy',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
]

function responsesOf(operation: Operation): Json {
  const shared = ['X-Request-Id', ...(operation.limits ? limitHeaders : [])]
  const answers: Json = operation.answer
    ? { 200: answer('Done', shared, { 'application/json': { schema: withRefs(operation.answer) } }) }
    : {
        200: answer('The file', shared, fileContent(operation)),
        206: answer('The range asked for', shared, fileContent(operation)),
        304: { description: 'The file is as it was: If-None-Match or If-Modified-Since was sent.' },
      }
  for (const [status, names] of byStatus(errorsOf(operation))) answers[status] = errorAnswer(names, shared, status)
  return answers
}

const outputTypes: Record<schemas.OutputFormat, string> = {
  webm: 'video/webm',
  mov: 'video/quicktime',
  mp4: 'video/mp4',
  gif: 'image/gif',
  webp: 'image/webp',
  png_sequence: 'application/zip',
}

/** The types that a file may have: of an output those of the formats, of an upload those that are taken (UP-2). */
function fileContent({ path }: Operation): Json {
  const types = path.includes('/outputs/') ? Object.values(outputTypes) : Object.keys(schemas.videoTypes)
  return Object.fromEntries(types.map(type => [type, { schema: { type: 'string', format: 'binary' } }]))
}

const answer = (description: string, headers: string[], content: Json): Json => ({
  description,
  headers: Object.fromEntries(headers.map(header)),
  content,
})

function byStatus(names: ErrorCaseName[]): Map<number, ErrorCaseName[]> {
  const found = new Map<number, ErrorCaseName[]>()
  for (const name of names) found.set(statusOf(name), [...(found.get(statusOf(name)) ?? []), name])
  return new Map([...found].sort(([a], [b]) => a - b))
}

function errorAnswer(names: ErrorCaseName[], headers: string[], status: number): Json {
  const description = names.map(name => `${errorCases[name].message}: ${errorCases[name].action}`).join(' ')
  const content = {
    schema: { $ref: '#/components/schemas/ErrorEnvelope' },
    examples: Object.fromEntries(
      names.map(name => [name, { summary: errorCases[name].message, value: envelopeOf(name) }]),
    ),
  }
  return answer(description, status === 429 ? [...headers, 'Retry-After'] : headers, { 'application/json': content })
}

/** An example of a case's envelope. */
export const envelopeOf = (name: ErrorCaseName): schemas.ErrorEnvelope => ({
  error: { code: errorCases[name].code, message: errorCases[name].message, request_id: 'req_k3f9az00001c' },
})

function webhook(event: string): Json {
  const parameter = (name: string, description: string, required = true) => ({
    name,
    in: 'header',
    required,
    description,
    schema: text,
  })
  return {
    post: {
      operationId: `on_${event.replace('.', '_')}`,
      // No key is sent along: the signature is what tells it from a forged one.
      security: [],
      summary: `Sent to the job's webhook_url: ${event}`,
      description: ['WH-1', 'WH-2', 'WH-3'].map(id => `**${id}** ${sentenceOf(id as ClauseId)}`).join('\n\n'),
      parameters: [
        parameter('X-Webhook-Event', `Always ${event}.`),
        parameter('X-Webhook-Delivery-Id', 'Unique per delivery, the same on each try.'),
        parameter('X-Webhook-Timestamp', 'ISO 8601; part of what is signed.'),
        parameter(
          'X-Webhook-Signature',
          'sha256= and the hex HMAC-SHA256 of timestamp + "." + raw body; when a secret is set.',
          false,
        ),
      ],
      requestBody: { required: true, content: { 'application/json': { schema: withRefs(schemas.WebhookEvent) } } },
      responses: { '2XX': { description: 'Received. Anything else, or nothing within 5 s, is tried again.' } },
    },
  }
}

/** The catalogue of errors as rows, for the docs: one for each case. */
export const errorRows = (): (ErrorCase & { name: string; status: number; documented: boolean; whatToDo: string })[] =>
  (Object.keys(errorCases) as ErrorCaseName[]).map(name => {
    const { documented, class: errorClass } = errorCodes[errorCases[name].code]
    return { ...errorCases[name], name, status: statusOf(name), documented, whatToDo: errorClasses[errorClass] }
  })
