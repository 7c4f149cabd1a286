/** What the tools that run a command of the user's have in common. */
import { parseAs } from '../../base/options.ts'
import { redactBody } from '../../base/redaction.ts'
import { visible } from '../../base/text.ts'
import { rehearseOptions } from '../../rehearse/options.ts'
import type { ToolContext } from '../tool.ts'

export const commandField = {
  type: 'array',
  items: { type: 'string' },
  minItems: 1,
  description: 'the program and its arguments, without a shell: ["node", "client.js"]',
} as const

export const envField = {
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'variables for the command; {url}, {key} and {secret} are replaced',
} as const

export const commandHints = { readOnlyHint: false, destructiveHint: true, openWorldHint: true }

/** How a command is run, for every tool that runs one. Throws a ConfigError where none may be. */
export function commandOf(
  { command, env = {} }: { command: readonly string[]; env?: Readonly<Record<string, string>> | undefined },
  { session }: ToolContext,
) {
  session.refuseRun()
  return {
    command: command as [string, ...string[]],
    environment: session.environment,
    env: Object.entries(env).map(([name, value]) => parseAs(rehearseOptions.env, `${name}=${value}`, 'env')?.[0] ?? ''),
  }
}

/** What a program printed, without what is named like a secret. */
export const printed = (output: string): string => redactBody(visible(output), 'text/plain')
