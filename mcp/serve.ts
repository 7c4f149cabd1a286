/**
 * The server itself: which tools, pages and prompts there are, on one connection. stdout carries the protocol and nothing else;
 * what goes wrong inside is told on stderr.
 */
import type { Writable } from 'node:stream'
import { fromJsonSchema, McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { aborted, type CommandIo, writeLine } from '../base/commandIo.ts'
import { UnderstudyError } from '../base/errors.ts'
import { packageVersion } from '../base/paths.ts'
import { isSecretName, withoutSecrets } from '../base/redaction.ts'
import type { McpSettings } from './options.ts'
import { addPrompts } from './prompts.ts'
import { addResources } from './resources.ts'
import { AgentSession } from './session.ts'
import type { Tell, ToolAnswer } from './tool.ts'
import { tools } from './tools/index.ts'

/** What a model is told of the server before it calls anything. */
const instructions = `Understudy is a mock of a video-background-removal API, and grades clients of it.
To try a client: start_mock, use_scenario, let the client call the mock's url with its key, then what_happened, conduct and \
why_answered. rehearse does all of that for a command, scenario by scenario. Answers are short; each names a resource with the \
whole. End with stop_mock. Errors of tools say what to do instead.`

/** Serves until the client goes or the signal is aborted; then every mock is stopped and whatever runs is ended. */
export async function serveMcp(io: CommandIo, settings: McpSettings): Promise<void> {
  const session = new AgentSession(settings, io.env)
  const tell = (error: unknown) =>
    writeLine(io.stderr, `understudy mcp: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const gone = new Promise<void>(resolve => {
    for (const event of ['end', 'close', 'error']) io.stdin.once(event, () => resolve())
  })
  const handle = serveStdio(() => buildServer(session, tell), {
    transport: new StdioServerTransport(io.stdin, io.stdout as unknown as Writable),
    onerror: tell,
  })
  writeLine(io.stderr, `understudy mcp ${packageVersion}: serving on stdio${permitted(settings)}`)
  await Promise.race([gone, aborted(io.signal)])
  await session.close()
  await handle.close()
}

function permitted({ allowRun, allowRemote }: McpSettings): string {
  const may = [...(allowRun ? ['may run commands'] : []), ...(allowRemote ? ['may reach other machines'] : [])]
  return may.length === 0 ? '' : `; ${may.join(' and ')}`
}

function buildServer(session: AgentSession, tell: (error: unknown) => void): McpServer {
  const server = new McpServer({ name: 'understudy', version: packageVersion }, { instructions })
  const secrets = Object.entries(session.environment).flatMap(([name, value]) => (isSecretName(name) ? [value] : []))
  secrets.push(session.settings.adminToken)
  const clean = <T>(value: T): T => withoutSecrets(value, secrets) as T
  for (const { name, title, description, input, output, hints, run } of tools) {
    const schemas = { inputSchema: fromJsonSchema(input as object), outputSchema: fromJsonSchema(output as object) }
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
  addResources(server, session)
  addPrompts(server)
  return server
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
