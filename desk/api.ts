/** The control routes, asked from a page. The admin token lives in this module's memory only: a reload forgets it. */
import { signal } from '@preact/signals'

/** Whether the mock wants its admin token; the page then asks for it once. */
export const needsToken = signal(false)
let token: string | undefined
let tokenGiven: (() => void)[] = []

export function giveToken(given: string): void {
  token = given
  needsToken.value = false
  for (const go of tokenGiven) go()
  tokenGiven = []
}

/** What the mock says that is wrong; 0 where it did not answer at all. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

interface Asking {
  method?: string
  /** As JSON; a text, a Blob or a buffer as it is. */
  body?: unknown
  type?: string
  accept?: string
  signal?: AbortSignal
}

/** Below /__mock/, wherever that is. */
export async function send(path: string, { method, body, type, accept, signal: end }: Asking = {}): Promise<Response> {
  const isRaw = typeof body === 'string' || body instanceof Blob || body instanceof ArrayBuffer
  for (;;) {
    const headers: Record<string, string> = {
      ...(token !== undefined && { 'X-Admin-Token': token }),
      ...(body !== undefined && { 'Content-Type': type ?? 'application/json' }),
      ...(accept !== undefined && { Accept: accept }),
    }
    const answer = await fetch(new URL(path, document.baseURI), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers,
      cache: 'no-store',
      ...(body !== undefined && { body: isRaw ? (body as BodyInit) : JSON.stringify(body) }),
      ...(end && { signal: end }),
    }).catch(error => {
      throw end?.aborted ? error : new Refusal(0, 'The mock does not answer. Is it still running?')
    })
    if (answer.ok) return answer
    const text = await answer.text()
    if (answer.status !== 401) throw new Refusal(answer.status, messageIn(text) ?? `It was answered ${answer.status}`)
    needsToken.value = true
    await new Promise<void>(resolve => tokenGiven.push(resolve))
  }
}

export const ask = async <T>(path: string, asking?: Asking): Promise<T> =>
  (await send(path, asking)).json() as Promise<T>

function messageIn(text: string): string | undefined {
  try {
    return JSON.parse(text).error?.message
  } catch {
    return undefined
  }
}

/** "?a=1&b=2" of what is given. */
export function query(given: Record<string, string | number | undefined>): string {
  const found = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) found.set(name, String(value))
  return found.size === 0 ? '' : `?${found}`
}

/** How a world is named to the control routes: a key's fingerprint, and its X-Mock-World. */
export function selectorOf(world: string): { key: string; world?: string } {
  const slash = world.indexOf('/')
  return slash === -1 ? { key: world } : { key: world.slice(0, slash), world: world.slice(slash + 1) }
}

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))
