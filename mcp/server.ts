/**
 * What an agent is served, by whichever connection: which tools, pages and prompts there are.
 */
import { McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { UnderstudyError } from '../base/errors.ts'
import { packageVersion } from '../base/paths.ts'
import { isSecretName, withoutSecrets } from '../base/redaction.ts'
import { lateSchema } from './lateSchema.ts'
import { addPrompts } from './prompts.ts'
import { addResources } from './resources.ts'
import type { AgentSession } from './session.ts'
import type { Tell, ToolAnswer } from './tool.ts'
import { renamedTools, tools } from './tools/index.ts'

/** What a model is told of the server before it calls anything. */
const instructions = `Understudy is a mock of a video-background-removal API, and grades clients of it.
To try a client: mock (action start), use_scenario, let the client call the mock's url with its key, then what_happened, conduct and \
why_answered. rehearse does all of that for a command, scenario by scenario; mutate says what its tests would not notice. Answers are short; each names a resource with the \
whole. End with mock (action stop). Errors of tools say what to do instead.`

/** A server for one connection; several may share a session. `tell` is told of bugs. */
export function buildMcpServer(session: AgentSession, tell: (error: unknown) => void): McpServer {
  const server = new McpServer({ name: 'understudy', version: packageVersion }, { instructions })
  const secrets = Object.entries(session.environment).flatMap(([name, value]) => (isSecretName(name) ? [value] : []))
  secrets.push(session.settings.adminToken)
  const clean = <T>(value: T): T => withoutSecrets(value, secrets) as T
  for (const { name, title, description, input, output, hints, run } of tools) {
    const schemas = { inputSchema: lateSchema(input as object), outputSchema: lateSchema(output as object) }
    server.registerTool(name, { title, description, annotations: hints, ...schemas }, async (args, context) => {
      try {
        const signal = AbortSignal.any([context.mcpReq.signal, session.signal])
        const answer = await run(args as never, { session, signal, tell: progressOf(context) })
        return resultOf(clean(answer), session)
      } catch (error) {
        if (!isExpected(error)) tell(error)
        return { isError: true, content: [{ type: 'text', text: clean((error as Error).message) }] }
      }
    })
  }
  answerOldNames(server)
  addResources(server, session)
  addPrompts(server)
  return server
}

/** A skill or a prompt that somebody has copied may name a tool as it was called before: it is told the new name. */
function answerOldNames(server: McpServer): void {
  for (const [old, now] of Object.entries(renamedTools))
    server.registerTool(old, {}, () => ({
      isError: true,
      content: [{ type: 'text', text: `the tool ${old} is now called ${now}` }],
    }))
  // They can be called, and nobody is told of them.
  const listed = tools.map(({ name, title, description, input, output, hints }) => ({
    ...{ name, title, description, annotations: hints },
    ...{ inputSchema: input as { type: 'object' }, outputSchema: output as { type: 'object' } },
  }))
  server.server.setRequestHandler('tools/list', () => ({ tools: listed }))
}

/** What a caller can do something about: a wrong option, an unknown id, nobody there, a file that can't be read. */
const isExpected = (error: unknown): boolean =>
  error instanceof UnderstudyError || (error instanceof Error && 'syscall' in error)

function resultOf({ text, data, whole }: ToolAnswer, session: AgentSession) {
  const content: ({ type: 'text'; text: string } | ReturnType<AgentSession['keep']>)[] = [{ type: 'text', text }]
  if (whole !== undefined) content.push(session.keep(whole))
  return { content, structuredContent: data }
}

/** Tells a client that asked for it how far a tool is. One that is gone does not matter. */
function progressOf({ mcpReq: { _meta, notify } }: ServerContext): Tell {
  const progressToken = _meta?.progressToken
  if (progressToken === undefined) return () => {}
  let last = 0
  return (progress, total, message) => {
    // The protocol wants each to be more than the one before.
    last = Math.max(progress, last + 1e-6)
    const params = { progressToken, progress: last, message, ...(total !== undefined && { total }) }
    notify({ method: 'notifications/progress', params }).catch(() => {})
  }
}
