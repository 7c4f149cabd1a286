/**
 * `understudy mcp`: the server on stdin and stdout. stdout carries the protocol and nothing else; what goes wrong inside is told
 * on stderr.
 */
import type { Writable } from 'node:stream'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { aborted, type CommandIo, writeLine } from '../base/commandIo.ts'
import { packageVersion } from '../base/paths.ts'
import type { McpSettings } from './options.ts'
import { buildMcpServer } from './server.ts'
import { AgentSession } from './session.ts'

/** Serves until the client goes or the signal is aborted; then every mock is stopped and whatever runs is ended. */
export async function serveMcp(io: CommandIo, settings: McpSettings): Promise<void> {
  const session = new AgentSession(settings, io.env)
  const tell = (error: unknown) =>
    writeLine(io.stderr, `understudy mcp: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const gone = new Promise<void>(resolve => {
    for (const event of ['end', 'close', 'error']) io.stdin.once(event, () => resolve())
  })
  const handle = serveStdio(() => buildMcpServer(session, tell), {
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
