/** The pages that an agent can read: the contract, the scenarios, the docs, and what its tools have found. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { ConfigError } from '../base/options.ts'
import { packageRoot, packageVersion } from '../base/paths.ts'
import { clauses } from '../contracts/clauses.ts'
import { buildOpenApi, errorRows } from '../contracts/openapi.ts'
import { editorSchema } from '../server/scenarios/format.ts'
import { Library } from '../server/scenarios/library.ts'
import type { AgentSession } from './session.ts'

interface Page {
  name: string
  title: string
  description: string
  mimeType: string
  text(): string
}

const json = (value: unknown): string => JSON.stringify(value, null, 2)

const pages: readonly Page[] = [
  {
    name: 'clauses',
    title: 'The contract, clause by clause',
    description: 'Every documented sentence with its id, as reports and tools cite it.',
    mimeType: 'text/markdown',
    text: () =>
      Object.entries(clauses)
        .map(([id, { text, level }]) => `- **${id}** (${level}) ${text}`)
        .join('\n'),
  },
  {
    name: 'errors',
    title: 'Errors and what a client should do',
    description: 'Each error with its status, code, message, and whether to retry.',
    mimeType: 'application/json',
    text: () => json(errorRows()),
  },
  {
    name: 'scenarios',
    title: 'Scenarios that ship',
    description: 'The name of each, what it is for, and its clauses. The whole of one: understudy://scenarios/{name}',
    mimeType: 'text/markdown',
    text: () =>
      new Library(undefined)
        .list()
        .map(({ name, scenario }) =>
          `- ${name}: ${scenario?.description ?? ''} ${scenario?.clauses.join(' ') ?? ''}`.trim(),
        )
        .join('\n'),
  },
  {
    name: 'scenario-format',
    title: 'How a scenario is written',
    description: 'JSON Schema of a scenario, for use_scenario and for files.',
    mimeType: 'application/schema+json',
    text: () => json(editorSchema()),
  },
  {
    name: 'openapi',
    title: 'OpenAPI of the API',
    description: 'OpenAPI 3.1 document of all routes.',
    mimeType: 'application/json',
    text: () => json(buildOpenApi(packageVersion)),
  },
]

export function addResources(server: McpServer, session: AgentSession): void {
  for (const { name, text, ...about } of pages) {
    const uri = `understudy://${name}`
    server.registerResource(name, uri, about, async () => ({
      contents: [{ uri, mimeType: about.mimeType, text: text() }],
    }))
  }
  addFamily(server, {
    name: 'scenario',
    template: 'understudy://scenarios/{name}',
    title: 'A scenario',
    mimeType: 'application/yaml',
    // The page understudy://scenarios lists them, with what each is for.
    isListed: false,
    ids: () => new Library(undefined).list().map(({ name }) => name),
    text: name => readFileSync(join(packageRoot, 'scenarios', `${name}.yaml`), 'utf8'),
  })
  addFamily(server, {
    name: 'doc',
    template: 'understudy://docs/{+name}',
    title: 'A page of the docs',
    mimeType: 'text/markdown',
    ids: docPages,
    text: name => readFileSync(join(packageRoot, 'docs', name), 'utf8'),
  })
  addFamily(server, {
    name: 'result',
    template: 'understudy://results/{name}',
    title: 'The whole answer of a tool',
    mimeType: 'application/json',
    ids: () => [...session.kept.keys()],
    text: id => json(session.kept.get(id)?.document),
  })
}

interface Family {
  name: string
  template: string
  title: string
  mimeType: string
  /** Whether each stands in the list of all resources; by default it does. */
  isListed?: boolean
  ids(): readonly string[]
  text(id: string): string
}

/** Resources of one kind, told apart by a name; any other name than those that are listed leads to no file. */
function addFamily(server: McpServer, { name, template, title, mimeType, isListed = true, ids, text }: Family): void {
  const uriOf = (id: string) => template.replace(/\{.*\}/, id)
  const list = async () => ({ resources: ids().map(id => ({ uri: uriOf(id), name: id, mimeType })) })
  const complete = (given: string) => ids().filter(id => id.startsWith(given))
  server.registerResource(
    name,
    new ResourceTemplate(template, { list: isListed ? list : undefined, complete: { name: complete } }),
    { title, mimeType },
    async (uri, variables) => {
      const id = String(variables.name)
      if (!ids().includes(id))
        throw new ConfigError(`there is no ${name} ${JSON.stringify(id)}; list the resources to see which there are`)
      return { contents: [{ uri: uri.href, mimeType, text: text(id) }] }
    },
  )
}

function docPages(): string[] {
  const folder = join(packageRoot, 'docs')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => name.replaceAll('\\', '/'))
  return names.filter(name => name.endsWith('.md')).sort()
}
