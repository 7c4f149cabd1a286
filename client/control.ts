/** The control routes (/__mock) of a running mock, asked over HTTP: what connectMock() and the tools build upon. */
import type { Incoming, Outgoing } from '../base/http.ts'
import { parse } from '../contracts/answers.ts'

export interface ControlTarget {
  /** The mock's base URL. */
  base: string
  send: (out: Outgoing) => Promise<Pick<Incoming, 'status' | 'bytes'>>
  /** Sent along with each request. */
  headers?: Readonly<Record<string, string>>
  /** Opens /__mock off loopback. */
  adminToken?: string | undefined
  /** ms that one answer may take. */
  timeoutMs: number
}

export interface ControlAnswer {
  status: number
  text: string
  /** undefined where the answer is not JSON. */
  json: unknown
}

/** Asks /__mock/`path`; `body` goes as JSON. Rejects with NoAnswer where none comes. */
export type AskControl = (method: string, path: string, body?: unknown, extraMs?: number) => Promise<ControlAnswer>

export const controlOf =
  ({ base, send, headers, adminToken, timeoutMs }: ControlTarget): AskControl =>
  async (method, path, body, extraMs = 0) => {
    const { status, bytes } = await send({
      method,
      url: `${base}/__mock${path === '' ? '' : `/${path}`}`,
      headers: {
        ...headers,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(adminToken !== undefined && { 'X-Admin-Token': adminToken }),
      },
      ...(body !== undefined && { content: new TextEncoder().encode(JSON.stringify(body)) }),
      timeoutMs: timeoutMs + extraMs,
    })
    const text = new TextDecoder().decode(bytes)
    return { status, text, json: parse(text) }
  }

/** The same; undefined where the target is not a mock, or keeps its /__mock closed. */
export async function findControl(target: ControlTarget): Promise<AskControl | undefined> {
  const ask = controlOf(target)
  return isClock((await ask('GET', 'clock')).json) ? ask : undefined
}

/** What only a mock answers, of whatever version. */
export const isClock = (json: unknown): boolean =>
  typeof (json as { frozen?: unknown } | undefined)?.frozen === 'boolean'

/** The message of an error's envelope (ERR-1). */
export const messageIn = ({ status, json }: Pick<ControlAnswer, 'status' | 'json'>): string =>
  (json as { error?: { message?: string } } | undefined)?.error?.message ?? `it was answered ${status}`

/** "?a=1&b=2" of what is given. */
export function queryOf(given: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value))
  return query.size === 0 ? '' : `?${query}`
}
