import { fingerprintOf } from '../base/fingerprint.ts'
import { ConfigError } from '../base/options.ts'
import { carriesSecret, redactBody, redacted } from '../base/redaction.ts'
import type { ObservedExchange } from '../contracts/observedExchange.ts'
import { type Redact, redactor } from '../contracts/observedExchange.ts'
import type { HarEntry } from './har.ts'
import type { HarSource } from './read.ts'
import { lowerCase, type Observed, type RecordedCall, type RecordedWebhook, trafficOf } from './traffic.ts'
export function requireOurs(file: string, ours: number, { base }: HarSource): void {
  if (ours === 0) throw new ConfigError(`${file} holds no call below ${base}; say another base URL with --base`)
}

/** The entries in their order, each as a call with what is known of it, or as a webhook. */
export function* observations(source: HarSource): Generator<Observation> {
  let index = 0
  for (const entry of source.entries()) {
    const traffic = read(entry, index, source)
    yield traffic.kind === 'webhook'
      ? { entry, index, webhook: traffic }
      : { entry, index, seen: observed(entry, traffic, index, source) }
    index++
  }
}

/** Keys, tokens and cookies of a recording: another tool's has them as they were sent. */
export class RecordingSecrets {
  readonly #known = new Map<string, string>()

  add({ request, response }: HarEntry): void {
    for (const { name, value } of [...request.headers, ...response.headers]) {
      if (!carriesSecret(name) || value === '' || value === redacted) continue
      this.#keep(name, value)
      const token = /^\w+ (.+)$/.exec(value)?.[1]
      if (/authorization$/i.test(name) && token !== undefined) this.#keep(name, token)
    }
  }

  #keep(name: string, value: string): void {
    if (this.#known.has(value) || this.#known.size >= maxSecrets) return
    this.#known.set(value, name.toUpperCase().replace(/\W/g, '_'))
  }

  /** Takes out what is in these exchanges, and whatever is named like a secret or signed. */
  redactIn(exchanges: readonly ObservedExchange[]): Redact {
    const all = JSON.stringify(exchanges.map(({ sent, headers, text }) => [sent, headers, text]))
    const present = [...this.#known].filter(([value]) => all.includes(JSON.stringify(value).slice(1, -1)))
    return redactorOf(present)
  }

  redact(): Redact {
    return redactorOf([...this.#known])
  }
}

export interface Observation {
  entry: HarEntry
  index: number
  seen?: Observed
  webhook?: RecordedWebhook
}

/** The entry as traffic; what its own recorder did not say of the key's world is in its headers. */
export function read(entry: HarEntry, index: number, source: HarSource): RecordedCall | RecordedWebhook {
  const traffic = trafficOf(entry, {
    number: index + 1,
    base: source.base,
    fingerprint: fingerprintOf,
  })
  if (traffic.kind === 'webhook') return traffic
  const split = entry._world === undefined ? lowerCase(entry.request.headers)['x-mock-world'] : undefined
  const headers =
    traffic.headers['content-type'] === undefined && /^[\w.+-]+\/[\w.+-]+/.test(typeOf(entry))
      ? { ...traffic.headers, 'content-type': typeOf(entry) }
      : traffic.headers
  return { ...traffic, headers, ...(split !== undefined && { key: `${traffic.key}/${split}` }) }
}

export function observed(entry: HarEntry, call: RecordedCall, index: number, { base }: HarSource): Observed {
  const isOurs = entry._kind === 'call' || base === undefined || call.sent.url.startsWith(`${base}/`)
  const { method } = call.sent
  // An answer from a browser's own cache is none of the server's.
  const isCached = (entry as { _fromCache?: unknown })._fromCache !== undefined
  const isWhole =
    call.cut === undefined &&
    call.status > 0 &&
    entry.response.headers.length > 0 &&
    !isCached &&
    method !== 'HEAD' &&
    method !== 'OPTIONS' &&
    !call.path.startsWith('/__mock')
  const isFile = call.operation === 'getOutputFile' || call.operation === 'getUploadedFile'
  return {
    call,
    index,
    isOurs,
    isWhole,
    hasBody: isWhole && !isFile && isBodyThere(entry, call),
    isGood: isWhole && call.status >= 200 && call.status < 300,
  }
}

export const maxSecrets = 100_000

export function redactorOf(known: readonly (readonly [value: string, name: string])[]): Redact {
  let keys = 0
  const secrets = known.map(([value, name], i) => {
    const variable = name === 'X_API_KEY' ? keyNames[keys++] : undefined
    return [variable ?? `HEADER_${name}_${i + 1}`, value] as const
  })
  const take = redactor(Object.fromEntries(secrets))
  return text => redactBody(take(text), '')
}

export const typeOf = ({ response }: HarEntry): string => response.content?.mimeType ?? ''

/** Whether all of the body was written down: other tools leave it out, or cut it; the journal cuts long ones. */
export function isBodyThere({ response }: HarEntry, { text, json, headers }: RecordedCall): boolean {
  const { content = {} } = response
  if (text === '')
    return (content.text ?? '') === '' && content._body_file === undefined && headers['content-length'] === '0'
  if (text.endsWith('… (cut)')) return false
  return json !== undefined || (content.size ?? 0) <= Buffer.byteLength(text)
}

export const keyNames = ['API_KEY', 'SECOND_KEY']
