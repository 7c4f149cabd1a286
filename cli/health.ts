/** `understudy health [URL]`: 0 when GET /health answers 200, 1 when it answers otherwise, 3 when nobody answers. */
import { Command } from 'commander'
import { ConfigError, completeConfig, readEnvironment } from '../server/config.ts'

const answerWithinMs = 3_000

export function healthCommand(): Command {
  return new Command('health')
    .description('ask a running server whether it is up: exit 0 if so, 1 if it is ill, 3 if nobody answers')
    .argument('[url]', 'its base URL (default: this machine, port UNDERSTUDY_PORT or 4010)')
    .action(async (given: string | undefined) => {
      process.exitCode = await health(given ?? `http://127.0.0.1:${completeConfig(readEnvironment()).port}`)
    })
}

async function health(base: string): Promise<number> {
  if (!/^https?:\/\//.test(base) || !URL.canParse(base)) {
    throw new ConfigError(`${JSON.stringify(base)} is no URL; expected one such as http://127.0.0.1:4010`)
  }
  const url = `${base.replace(/\/$/, '')}/health`
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) })
    if (answer.status === 200) {
      console.log(`${url} is up`)
      return 0
    }
    console.error(`understudy: ${url} answered ${answer.status}; expected 200`)
    return 1
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException }
    console.error(
      `understudy: ${url} does not answer (${cause?.code ?? cause?.message ?? message}); is the server running?`,
    )
    return 3
  }
}
