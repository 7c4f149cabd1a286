/** What a person can ask for by name in their editor. */
import type { McpServer } from '@modelcontextprotocol/server'
import { lateSchema } from './lateSchema.ts'

export function addPrompts(server: McpServer): void {
  const argsSchema = lateSchema<{ command?: string; files?: string }>({
    type: 'object',
    properties: {
      command: { type: 'string', description: 'command that runs the client once, such as: node client.js' },
      files: { type: 'string', description: "the client's files" },
    },
  })
  server.registerPrompt(
    'survive_the_api',
    {
      title: 'Make this client survive the API',
      description:
        'Rehearses a client against every failure that the API documents, and mends it until it keeps the rules.',
      argsSchema,
    },
    ({ command, files }) => ({
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: surviveText(command, files) } }],
    }),
  )
}

const surviveText = (command: string | undefined, files: string | undefined): string => `\
Make ${files ? `the client in ${files}` : 'the API client of this project'} survive the video API, and show that it does.

1. Read the client${files ? '' : ' (find it first)'}. It must take the base URL from UNDERSTUDY_BASE_URL and the key from UNDERSTUDY_API_KEY, or have both \
in its arguments. ${command ? `This runs it once: ${command}` : 'Find the command that runs it once, from upload or create to download; write a small script if there is none.'}
2. Call rehearse with that command and the scenarios none, internal-error-once, rate-limited-then-ok and timeout-504-job-created. If the \
server may run no commands: mock with action: "start", use_scenario, run the client yourself against its url, then conduct.
3. For each rule that failed read what the client did and the advice. Look up the clause in understudy://clauses. Ask why_answered \
when an answer surprises you. Mend the cause in the client, not the scenario: retries with growing pauses and jitter, Retry-After kept, \
one Idempotency-Key for all tries of one job, no retry of what can't succeed, an end to polling.
4. Rehearse again, then with job-stuck, job-fails, connection-reset, retry-after-date, poll-fails-once, download-cut and \
insufficient-credits, then with all scenarios.
5. Call mutate with the command of the client's tests and sample: 40, where there are any: what it names as unnoticed, they don't prove.
6. Call mock with action: "stop". Report which rules failed before and pass now, what you changed and why, and what was not tried.`
