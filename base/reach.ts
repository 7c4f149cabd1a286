/** Asks a running server: where it is, and what to say if nobody answers. */
import { existsSync } from 'node:fs'
import type { CommandIo } from './commandIo.ts'
import { NoAnswer } from './http.ts'
import { ConfigError, parseAs, portOption } from './options.ts'
import { type TlsFiles, trustOf } from './pem.ts'
import { isOfCertificate, makeTransport } from './send.ts'
import { TargetError } from './targetError.ts'

const usualTimeoutMs = 3_000

/** How a verb is told where this machine's mock is. */
type Here = Pick<CommandIo, 'env' | 'mock'>

const portOf = ({ env: { UNDERSTUDY_PORT: port }, mock }: Here): number =>
  port ? parseAs(portOption, port, 'UNDERSTUDY_PORT') : (mock?.port ?? portOption.default())

/** Whether this machine's mock speaks TLS: where its variables, which a container has too, or its configuration file say so. */
function speaksTls({ env, mock }: Here): boolean {
  const variables = Object.entries(env).filter(([name, value]) => /^UNDERSTUDY_TLS(_|$)/.test(name) && value)
  return variables.length === 0
    ? mock?.tls === true
    : variables.some(([, value = '']) => !/^(off|false|0)$/.test(value))
}

/** The files of a caller of a mock: without a `ca` it trusts what this machine's mock has written for its clients. */
export function tlsFilesOf({ ca, clientCert, clientKey }: TlsFiles, { env, mock }: Here): TlsFiles {
  const written = env.UNDERSTUDY_TLS_CA_OUT || mock?.tlsCaOut
  // A mock that has not started yet has written nothing, and other servers can be asked all the same.
  const isThere = ca === undefined && written !== undefined && existsSync(written)
  return { ca: isThere ? written : ca, clientCert, clientKey }
}

/** The URL that was given, or this machine's mock. Throws a ConfigError if it isn't a URL. */
export function mockUrl(given: string | undefined, here: Here): string {
  const scheme = speaksTls(here) ? 'https' : 'http'
  const base = given ?? `${scheme}://127.0.0.1:${portOf(here)}`
  if (/^https?:\/\//.test(base) && URL.canParse(base)) return base.replace(/\/$/, '')
  throw new ConfigError(`${JSON.stringify(base)} is not a URL; expected one such as http://127.0.0.1:4010`)
}

/** What opens /__mock off loopback. */
export const adminHeaders = (adminToken: string | undefined): Record<string, string> =>
  adminToken === undefined ? {} : { 'X-Admin-Token': adminToken }

export interface ReachOptions extends TlsFiles {
  headers?: Record<string, string>
  /** ms for the whole answer; 3 s by default. */
  timeoutMs?: number
}

export interface Reached {
  status: number
  text: string
  /** undefined where the answer is not JSON. */
  json: unknown
}

/** The answer to a GET. Throws a TargetError if there is none in time, a ConfigError for files that can't be used. */
export async function reach(
  url: string,
  { headers = {}, timeoutMs = usualTimeoutMs, ...files }: ReachOptions = {},
): Promise<Reached> {
  const { send, close } = makeTransport(trustOf(files))
  try {
    const { status, bytes } = await send({ method: 'GET', url, headers, timeoutMs })
    const text = new TextDecoder().decode(bytes)
    return { status, text, json: jsonIn(text) }
  } catch (error) {
    throw error instanceof NoAnswer ? unreached(url, error) : error
  } finally {
    close()
  }
}

/** What a verb says of a server that gave no answer. */
export function unreached(url: string, { cause, message }: NoAnswer): TargetError {
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException
  const isOfTls = isOfCertificate(code) || code === 'EPROTO' || code.startsWith('ERR_SSL')
  return new TargetError(
    isOfTls ? `${url}: ${message}` : `${url} does not answer (${code || message}); is the server running?`,
  )
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
