/** The OpenAPI document of /__mock, made from its own routes as they are registered: GET /__mock/openapi.json. */
import type { RouteOptions } from 'fastify'
import { lazy } from '../../base/lazy.ts'
import { packageVersion } from '../../base/paths.ts'
import { ErrorEnvelope } from '../../contracts/schemas.ts'

/** They are the docs' own, and many. */
const loadSentences = lazy(() => import('../docs/controlRoutes.ts'))

type Json = Record<string, unknown>

type Added = Pick<RouteOptions, 'method' | 'url' | 'schema'>

/** Routes that are added to it come into the document. */
export class ControlDocument {
  readonly #routes: Added[] = []

  add({ method, url, schema }: Added): void {
    // The desk's page and its files are for a browser.
    if (url === '/__mock/' || url.startsWith('/__mock/assets/')) return
    // A protocol of its own, which says itself what there is.
    if (url === '/__mock/mcp') return
    if (url.startsWith('/__mock')) this.#routes.push({ method, url, schema })
  }

  /** The document for a server at this URL. */
  async at(serverUrl: string): Promise<Json> {
    const { controlRoutes } = await loadSentences()
    const whats = new Map(controlRoutes.map(({ method, path, what }) => [`${method} ${path}`, what]))
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
      paths: this.#pathsWith(whats),
      components: {
        securitySchemes: { adminToken: { type: 'apiKey', in: 'header', name: 'X-Admin-Token' } },
        schemas: { ErrorEnvelope },
      },
    }
  }

  #pathsWith(whats: ReadonlyMap<string, string>): Json {
    const paths: Record<string, Json> = {}
    for (const { method, url, schema } of this.#routes) {
      const path = url.replace(/:(\w+)/g, '{$1}')
      for (const one of [method].flat()) {
        if (one === 'HEAD' || one === 'OPTIONS') continue
        const what = (whats.get(`${one} ${path}`) ?? `${one} ${path}`).replaceAll('`', '')
        const summary = `${what[0]?.toUpperCase()}${what.slice(1)}`
        paths[path] ??= {}
        const operations = paths[path] as Json
        const statuses = [400, 403, 404, ...(schema?.body === undefined ? [] : [408]), 413]
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
            ...Object.fromEntries(statuses.map(status => [status, refusal])),
          },
        }
      }
    }
    return paths
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

/** What is no JSON, by the end of its path. */
const contents = {
  '/stream': 'text/event-stream',
  '/incident': 'application/zip',
  '/output': 'application/octet-stream',
}

const contentOf = (path: string): string =>
  Object.entries(contents).find(([end]) => path.endsWith(end))?.[1] ?? 'application/json'

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
