/** Asks a running server: where it is, and what to say if nobody answers. */
import type { CommandIo, Environment } from './commandIo.ts'
import { NoAnswer } from './http.ts'
import { certificateIn, defined, existing } from './inputs.ts'
import { ConfigError, parseAs, portOption } from './options.ts'
import { isOfCertificate, makeTransport } from './send.ts'
import { TargetError } from './targetError.ts'

const usualTimeoutMs = 3_000

/** How a verb is told where this machine's mock is. */
type Here = Pick<CommandIo, 'env' | 'mock'>

const portOf = ({ env: { UNDERSTUDY_PORT: port }, mock }: Here): number =>
  port ? parseAs(portOption, port, 'UNDERSTUDY_PORT') : (mock?.port ?? portOption.default())

/** Whether the mock of this environment speaks TLS: where its variables, which a container has too, say so. */
const speaksTls = (environment: Environment): boolean =>
  Object.entries(environment).some(
    ([name, value]) => /^UNDERSTUDY_TLS(_|$)/.test(name) && !/^(off|false|0)?$/.test(value ?? ''),
  )

/** The file that a caller trusts: what it was given, or what this environment's mock has written for its clients. */
export const trustedFile = (given: string | undefined, environment: Environment): string | undefined =>
  given ?? (environment.UNDERSTUDY_TLS_CA_OUT || undefined)

/** The URL that was given, or this machine's mock. Throws a ConfigError if it isn't a URL. */
export function mockUrl(given: string | undefined, here: Here): string {
  const scheme = speaksTls(here.env) ? 'https' : 'http'
  const base = given ?? `${scheme}://127.0.0.1:${portOf(here)}`
  if (/^https?:\/\//.test(base) && URL.canParse(base)) return base.replace(/\/$/, '')
  throw new ConfigError(`${JSON.stringify(base)} is not a URL; expected one such as http://127.0.0.1:4010`)
}

/** What opens /__mock off loopback. */
export const adminHeaders = (adminToken: string | undefined): Record<string, string> =>
  adminToken === undefined ? {} : { 'X-Admin-Token': adminToken }

export interface ReachOptions {
  headers?: Record<string, string>
  /** ms for the whole answer; 3 s by default. */
  timeoutMs?: number
  /** A PEM file of a certificate authority to trust beside the system's. */
  ca?: string | undefined
}

export interface Reached {
  status: number
  text: string
  /** undefined where the answer is not JSON. */
  json: unknown
}

/** The answer to a GET. Throws a TargetError if there is none in time, a ConfigError for a `ca` that is no certificate. */
export async function reach(
  url: string,
  { headers = {}, timeoutMs = usualTimeoutMs, ca }: ReachOptions = {},
): Promise<Reached> {
  const trusted = ca === undefined ? undefined : certificateIn(existing(ca, 'ca'))
  const { send, close } = makeTransport(defined({ ca: trusted }))
  try {
    const { status, bytes } = await send({ method: 'GET', url, headers, timeoutMs })
    const text = new TextDecoder().decode(bytes)
    return { status, text, json: jsonIn(text) }
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    const { code = '' } = (error.cause ?? {}) as NodeJS.ErrnoException
    if (isOfCertificate(code) || code === 'EPROTO' || code.startsWith('ERR_SSL'))
      throw new TargetError(`${url}: ${error.message}`)
    throw new TargetError(`${url} does not answer (${code || error.message}); is the server running?`)
  } finally {
    close()
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
