/** The OpenAPI document of /__mock, made from its own routes as they are registered: GET /__mock/openapi.json. */
import type { RouteOptions } from 'fastify'
import { packageVersion } from '../../base/paths.ts'
import { ErrorEnvelope } from '../../contracts/schemas.ts'

type Json = Record<string, unknown>

/** What each route is for. A test refuses a route that has no sentence here. */
export const controlSummaries: Readonly<Record<string, string>> = {
  'GET /__mock': 'Which mock this is: its version, its seed, and a key to use',
  'GET /__mock/openapi.json': 'This document',
  'GET /__mock/journal': 'What was called and which webhooks were sent, oldest first',
  'GET /__mock/journal/stream': 'The same as it happens, as server-sent events',
  'GET /__mock/journal.har': 'The same as a recording (HAR 1.2)',
  'DELETE /__mock/journal': 'Empties the journal',
  'GET /__mock/conduct': 'Grades the clients by their calls so far',
  'POST /__mock/reset': 'Makes worlds new: no jobs, no calls, no scenario',
  'POST /__mock/webhooks/{delivery_id}/redeliver': 'Sends a webhook again, with the same id',
  'GET /__mock/scenario': 'The active scenario, and what it has done',
  'PUT /__mock/scenario': 'Activates a scenario in the place of the one before',
  'POST /__mock/scenario': 'Activates a scenario above those that are active',
  'DELETE /__mock/scenario': 'Ends what PUT activated',
  'GET /__mock/scenario/{id}': 'One activation; waits for a rule to be met where it is asked to',
  'DELETE /__mock/scenario/{id}': 'Ends one activation',
  'GET /__mock/scenarios': 'The scenarios that there are',
  'POST /__mock/scenarios': 'Adds or validates a scenario, as JSON or YAML',
  'GET /__mock/scenarios/{name}': 'A scenario as it is written',
  'DELETE /__mock/scenarios/{name}': 'Removes a scenario that was added',
  'GET /__mock/explain/{request_id}': 'Why a request was answered as it was',
  'GET /__mock/clock': 'The clock of a world, or of all',
  'POST /__mock/clock': 'Freezes, steps or speeds up the clock',
  'GET /__mock/keys': 'The keys that were used, with their limits and credits',
  'POST /__mock/keys': 'Sets credits, limits or the validity of a key',
  'POST /__mock/jobs/{job_id}': 'Changes the state of a job',
  'GET /__mock/snapshot': 'A world as a document',
  'PUT /__mock/snapshot': 'Puts a world back as a document has it',
}

/** Routes that are added to it come into the document. */
export class ControlDocument {
  readonly #paths: Record<string, Json> = {}

  add({ method, url, schema }: Pick<RouteOptions, 'method' | 'url' | 'schema'>): void {
    const path = url.replace(/:(\w+)/g, '{$1}')
    for (const one of [method].flat()) {
      if (!path.startsWith('/__mock') || one === 'HEAD' || one === 'OPTIONS') continue
      const summary = controlSummaries[`${one} ${path}`] ?? `${one} ${path}`
      this.#paths[path] ??= {}
      const operations = this.#paths[path] as Json
      operations[one.toLowerCase()] = {
        operationId: operationIdOf(one, path),
        tags: ['control'],
        summary,
        description: `${summary}.`,
        parameters: parametersOf(path, published(schema?.querystring) as Parameters | undefined),
        ...(schema?.body !== undefined && {
          requestBody: { required: false, content: { 'application/json': { schema: published(schema.body) } } },
        }),
        responses: {
          200: { description: 'Done', content: { [contentOf(path)]: {} } },
          ...Object.fromEntries([400, 403, 404, 413].map(status => [status, refusal])),
        },
      }
    }
  }

  /** The document for a server at this URL. */
  at(serverUrl: string): Json {
    return {
      openapi: '3.1.0',
      info: {
        title: 'The control routes of Understudy',
        version: packageVersion,
        description:
          'The mock in your hand: scenarios, clock, journal, keys. None of it is part of the API that the mock stands in for. Off loopback it takes the admin token.',
        contact: { name: 'Understudy', url: 'https://www.npmjs.com/package/understudy-mock' },
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: serverUrl }],
      tags: [{ name: 'control', description: 'What steers the mock.' }],
      security: [{}, { adminToken: [] }],
      paths: this.#paths,
      components: {
        securitySchemes: { adminToken: { type: 'apiKey', in: 'header', name: 'X-Admin-Token' } },
        schemas: { ErrorEnvelope },
      },
    }
  }
}

interface Parameters {
  properties?: Record<string, object>
  required?: readonly string[]
}

const refusal = {
  description: 'Refused: the message says what was found and what was expected',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorEnvelope' } } },
}

/** Without the words that are for our own errors (contracts/expectation.ts). */
const published = (schema: unknown): unknown =>
  schema === undefined
    ? undefined
    : JSON.parse(JSON.stringify(schema, (name, value) => (name === 'reads' ? undefined : value)))

const contentOf = (path: string): string => (path.endsWith('/stream') ? 'text/event-stream' : 'application/json')

/** "getJournalHar" of GET /__mock/journal.har */
const operationIdOf = (method: string, path: string): string =>
  [method.toLowerCase(), ...(path.replace('/__mock', 'control').match(/\w+/g) ?? [])]
    .map((word, i) => (i === 0 ? word : word[0]?.toUpperCase() + word.slice(1)))
    .join('')

function parametersOf(path: string, { properties = {}, required = [] }: Parameters = {}): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
  return [...inPath, ...inQuery]
}
