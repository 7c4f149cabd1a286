/** What a tool is: a question that an agent has, its answer in short, and the whole of it. */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { durationMs, parseAs } from '../base/options.ts'
import type { AgentSession, KeptDocument } from './session.ts'

/** Tells how far it is: so much of `total`, and what is going on. */
export type Tell = (progress: number, total: number | undefined, message: string) => void

export interface ToolContext {
  session: AgentSession
  /** Aborted when the call is cancelled or the client goes: the tool ends, and leaves nothing running. */
  signal: AbortSignal
  tell: Tell
}

export interface ToolAnswer {
  /** For a model: a few lines. */
  text: string
  /** The same as the tool's output schema has it. */
  data: Record<string, unknown>
  /** All that is known, which is kept as a resource. */
  whole?: KeptDocument
}

export interface AgentTool {
  name: string
  title: string
  description: string
  input: object
  output: object
  hints: { readOnlyHint?: boolean; destructiveHint?: boolean; idempotentHint?: boolean; openWorldHint?: boolean }
  run(args: never, context: ToolContext): Promise<ToolAnswer>
}

/** A tool whose arguments are typed by its input schema. Errors that it throws are told to the model by their message. */
export const defineTool = <const Input extends object>(
  tool: Omit<AgentTool, 'run' | 'input'> & {
    input: Input
    run(args: Input extends JSONSchema ? FromSchema<Input> : never, context: ToolContext): Promise<ToolAnswer>
  },
): AgentTool => tool as unknown as AgentTool

/** Which mock a tool is about. */
export const mockField = {
  type: 'string',
  description: 'URL of the mock; by default the one that was started or attached last',
} as const

/** Whose world a tool is about. */
export const keyField = {
  type: 'string',
  minLength: 1,
  description: 'API key (each that starts with test_ has a world of its own), or its fingerprint',
} as const

/** A field such as "20s", in milliseconds. Throws a ConfigError that names the field. */
export const durationIn = (value: string | undefined, field: string): number | undefined =>
  value === undefined ? undefined : parseAs({ parse: durationMs }, value, field)
