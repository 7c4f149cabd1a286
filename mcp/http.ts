/**
 * The same server over streamable HTTP, at /__mock/mcp of a mock: its tools are about that mock unless they name another. A request
 * carries all that it needs, of the revision of 2026-07-28 as of those before it; what tools have started is the endpoint's, and
 * every client of it has the same.
 */
import { createMcpHandler } from '@modelcontextprotocol/server'
import type { Environment } from '../base/commandIo.ts'
import type { AgentEndpoint } from '../server/control/agents.ts'
import type { McpSettings } from './options.ts'
import { buildMcpServer } from './server.ts'
import { AgentSession } from './session.ts'

export interface HttpSettings {
  /** The mock that serves it. */
  url: string
  settings: McpSettings
  environment: Environment
  /** Told of bugs. */
  tell(error: unknown): void
}

export function serveMcpOverHttp({ url, settings, environment, tell }: HttpSettings): AgentEndpoint {
  const session = new AgentSession(settings, environment, 'serve --mcp-')
  // What a client did wrong, it is told itself.
  const handler = createMcpHandler(() => buildMcpServer(session, tell))
  return {
    async answer(request) {
      // Again after the tool mock has stopped all, which leaves it running.
      // It is this very process that answers: whom others have to trust is no question here.
      await session.attach(url, { insecure: true })
      return handler.fetch(request)
    },
    async close() {
      await session.close()
      await handler.close()
    },
  }
}
