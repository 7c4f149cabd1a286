/** Asks a running server: where it is, and what to say if nobody answers. */
import type { CommandIo } from './commandIo.ts'
import { ConfigError, parseAs, portOption } from './options.ts'
import { TargetError } from './targetError.ts'

const usualTimeoutMs = 3_000

/** How a verb is told where this machine's mock is. */
type Here = Pick<CommandIo, 'env' | 'mock'>

const portOf = ({ env: { UNDERSTUDY_PORT: port }, mock }: Here): number =>
  port ? parseAs(portOption, port, 'UNDERSTUDY_PORT') : (mock?.port ?? portOption.default())

/** The URL that was given, or this machine's mock. Throws a ConfigError if it isn't a URL. */
export function mockUrl(given: string | undefined, here: Here): string {
  const base = given ?? `http://127.0.0.1:${portOf(here)}`
  if (/^https?:\/\//.test(base) && URL.canParse(base)) return base.replace(/\/$/, '')
  throw new ConfigError(`${JSON.stringify(base)} is not a URL; expected one such as http://127.0.0.1:4010`)
}

/** The answer to a GET. Throws a TargetError if there is none within 3 s, or `timeoutMs`, which its body has to be read in too. */
export async function reach(
  url: string,
  headers: Record<string, string> = {},
  timeoutMs = usualTimeoutMs,
): Promise<Response> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) })
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException }
    throw new TargetError(
      `${url} does not answer (${cause?.code ?? cause?.message ?? message}); is the server running?`,
    )
  }
}
