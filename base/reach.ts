/** Asking a running server something: where it is, and what to say when nobody answers. */
import { ConfigError, parseAs, portOption } from './options.ts'

const answerWithinMs = 3_000

type Environment = Readonly<Record<string, string | undefined>>

const portIn = ({ UNDERSTUDY_PORT: port }: Environment): number =>
  port ? parseAs(portOption, port, 'UNDERSTUDY_PORT') : portOption.default()

/** The URL that was given, or this machine's mock. Throws a ConfigError for what is no URL. */
export function mockUrl(given: string | undefined, environment: Environment = process.env): string {
  const base = given ?? `http://127.0.0.1:${portIn(environment)}`
  if (/^https?:\/\//.test(base) && URL.canParse(base)) return base.replace(/\/$/, '')
  throw new ConfigError(`${JSON.stringify(base)} is no URL; expected one such as http://127.0.0.1:4010`)
}

/** The answer to a GET; undefined when nobody answers, with that said on stderr and exit code 3. */
export async function reach(url: string, headers: Record<string, string> = {}): Promise<Response | undefined> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(answerWithinMs) })
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException }
    console.error(
      `understudy: ${url} does not answer (${cause?.code ?? cause?.message ?? message}); is the server running?`,
    )
    process.exitCode = 3
    return undefined
  }
}
