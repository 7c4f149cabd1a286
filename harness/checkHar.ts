/** checkHar(): the clauses that recorded traffic shows kept or broken, without sending anything. */
import { readFileSync } from 'node:fs'
import { basename, join, normalize } from 'node:path'
import { clauses } from '../contracts/clauses.ts'
import type { HarEntry } from '../contracts/har.ts'
import { carriesSecret, redactBody, redacted } from '../contracts/redaction.ts'
import { compare } from '../contracts/suite/baseline.ts'
import type { Report } from '../contracts/suite/report.ts'
import { type Redact, redactor, type Seen } from '../contracts/suite/seen.ts'
import type { Observed } from '../contracts/suite/traffic/observer.ts'
import { type Filter, isFilterName, Tribunal } from '../contracts/suite/traffic/tribunal.ts'
import { type Call, type Hook, lowerCase, trafficOf } from '../contracts/traffic.ts'
import { monotonicMs } from '../server/clock.ts'
import { ConfigError } from '../server/config.ts'
import { type HarSource, openHar } from '../server/har/read.ts'
import { packageVersion } from '../server/paths.ts'
import { fingerprintOf } from '../server/world/worlds.ts'

export interface CheckHarOptions extends Filter {
  /** What is in front of the documented routes; by default it is told by most of the calls. */
  base?: string
  require?: readonly string[]
  /** A report of before: what changed since is in the new one. */
  baseline?: Report
}

/**
 * Judges a recording (HAR 1.2) of any size. Throws a ConfigError for a file that can't be read, or that holds no call of
 * the API. Nothing that the report holds is secret.
 */
export function checkHar(file: string, options: CheckHarOptions = {}): Report {
  refuse(options)
  const startedMs = monotonicMs()
  const source = openHar(file, options.base === undefined ? {} : { base: options.base })
  try {
    source.requireTraffic()
    const tribunal = new Tribunal(options)
    const secrets = new Secrets()
    let ours = 0
    for (const { entry, index, seen, hook } of observations(source)) {
      secrets.add(entry)
      if (isByHand(entry)) tribunal.forget()
      if (hook) tribunal.hook(hook, index)
      if (seen?.isOurs) ours++
      if (seen) tribunal.call(seen)
    }
    tribunal.end()
    if (ours === 0)
      throw new ConfigError(`${file} holds no call below ${source.base}; say another base URL with --base`)
    const exchanges = evidenceOf(source, tribunal.wanted())
    const report = tribunal.report({
      understudy: packageVersion,
      target: `${basename(file)} (${source.base})`,
      startedAt: new Date(startedMs).toISOString(),
      ms: monotonicMs() - startedMs,
      redact: secrets.redactIn([...exchanges.values()]),
      exchanges,
      ...(options.require && { require: options.require }),
    })
    return options.baseline === undefined ? report : { ...report, changes: compare(options.baseline, report) }
  } finally {
    source.close()
  }
}

export function requireOurs(file: string, ours: number, { base }: HarSource): void {
  if (ours === 0) throw new ConfigError(`${file} holds no call below ${base}; say another base URL with --base`)
}

function refuse({ only = [], skip = [], require = [] }: CheckHarOptions): void {
  for (const [flag, names] of Object.entries({ only, skip })) {
    const wrong = names.find(name => !isFilterName(name))
    if (wrong !== undefined)
      throw new ConfigError(
        `--${flag} names ${JSON.stringify(wrong)}; expected clauses or what recordings are looked at for, as --list FILE.har shows them`,
      )
  }
  const wrong = require.find(name => name !== 'core' && !(name.toUpperCase() in clauses))
  if (wrong !== undefined)
    throw new ConfigError(`--require names ${JSON.stringify(wrong)}; expected "core", or clauses such as ERR-1`)
}

export interface Observation {
  entry: HarEntry
  index: number
  seen?: Observed
  hook?: Hook
}

/** The entries in their order, each as a call with what is known of it, or as a webhook. */
export function* observations(source: HarSource): Generator<Observation> {
  let index = 0
  for (const entry of source.entries()) {
    const traffic = read(entry, index, source)
    yield traffic.kind === 'webhook'
      ? { entry, index, hook: traffic }
      : { entry, index, seen: observed(entry, traffic, index, source) }
    index++
  }
}

/** The entry as traffic; what its own recorder did not say of the key's world is in its headers. */
function read(entry: HarEntry, index: number, source: HarSource): Call | Hook {
  const traffic = trafficOf(withBody(entry, source), {
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

const typeOf = ({ response }: HarEntry): string => response.content?.mimeType ?? ''

const maxKeptBytes = 16 * 1024 * 1024

/** A large JSON body lies beside the recording. */
function withBody(entry: HarEntry, { folder }: HarSource): HarEntry {
  const { content } = entry.response
  const { path, size = 0 } = content?._file ?? {}
  if (content?.text !== undefined || path === undefined || size > maxKeptBytes || !/json/i.test(typeOf(entry)))
    return entry
  const inside = normalize(path)
  if (/^([/\\]|\.\.|[a-z]:)/i.test(inside)) return entry
  try {
    const text = readFileSync(join(folder, inside), 'utf8')
    return { ...entry, response: { ...entry.response, content: { ...content, text } } }
  } catch {
    return entry
  }
}

/** The mock was changed from outside: what it was before says nothing of what it is now. */
const isByHand = ({ request }: HarEntry): boolean =>
  request.method !== 'GET' && /\/__mock\/(reset|restore|snapshot|jobs|clock)\b/.test(request.url)

function observed(entry: HarEntry, call: Call, index: number, { base }: HarSource): Observed {
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

/** Whether all of the body was written down: other tools leave it out, or cut it; the journal cuts long ones. */
function isBodyThere({ response }: HarEntry, { text, json, headers }: Call): boolean {
  const { content = {} } = response
  if (text === '')
    return (content.text ?? '') === '' && content._file === undefined && headers['content-length'] === '0'
  if (text.endsWith('… (cut)')) return false
  return json !== undefined || (content.size ?? 0) <= Buffer.byteLength(text)
}

/** Read once more: only now it is known which of them are evidence. */
const evidenceOf = (source: HarSource, wanted: Set<number>): Map<number, Seen> =>
  new Map([...wanted].map(index => [index, seenOf(read(source.at(index), index, source), source.at(index))]))

/** Longer bodies are cut for the report anyway. */
const maxText = 64 * 1024

function seenOf(traffic: Call | Hook, entry: HarEntry): Seen {
  if (traffic.kind === 'call') return { ...traffic, text: traffic.text.slice(0, maxText), json: undefined }
  const { url, headers, body, status } = traffic
  const sent = { method: 'POST', url, headers, body: body.slice(0, maxText) }
  return {
    sent,
    operation: undefined,
    status,
    headers: {},
    text: '',
    json: undefined,
    bytes: new Uint8Array(),
    ms: entry.time ?? 0,
  }
}

const maxSecrets = 100_000

/** Keys, tokens and cookies of a recording: another tool's has them as they were sent. */
export class Secrets {
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
  redactIn(exchanges: readonly Seen[]): Redact {
    const all = JSON.stringify(exchanges.map(({ sent, headers, text }) => [sent, headers, text]))
    const present = [...this.#known].filter(([value]) => all.includes(JSON.stringify(value).slice(1, -1)))
    return redactorOf(present)
  }

  redact(): Redact {
    return redactorOf([...this.#known])
  }
}

const keyNames = ['API_KEY', 'SECOND_KEY']

function redactorOf(known: readonly (readonly [value: string, name: string])[]): Redact {
  let keys = 0
  const secrets = known.map(([value, name], i) => {
    const variable = name === 'X_API_KEY' ? keyNames[keys++] : undefined
    return [variable ?? `HEADER_${name}_${i + 1}`, value] as const
  })
  const take = redactor(Object.fromEntries(secrets))
  return text => redactBody(take(text), '')
}
