/** `understudy mcp`: a server of the Model Context Protocol over stdio, for coding agents. */
import type { ExitCode } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { readVariables } from '../base/variables.ts'
import { type McpSettings, mcpOptions } from './options.ts'

export const setUpMcp: VerbSetup = (verb, run) =>
  addOptions(verb, mcpOptions, 'mcp').action(
    run(async (io, flags: McpSettings): Promise<ExitCode> => {
      const settings: McpSettings = { ...readVariables(mcpOptions, io.env, 'mcp'), ...flags }
      // Loaded here, so that --help is quick and nobody else pays for the protocol.
      const { serveMcp } = await import('./serve.ts')
      await serveMcp(io, settings)
      return 0
    }),
  )
