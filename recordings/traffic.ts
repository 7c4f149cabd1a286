/**
 * Recorded traffic as it is judged, graded and played again, whoever recorded it: calls of a client with their answers,
 * and webhooks that it was sent. Made from HAR entries; the mock's journal comes as such entries too.
 */

import type { FormPart } from '../base/http.ts'
import { isSecretHeader, redacted, redactUrl } from '../base/redaction.ts'
import { parse } from '../contracts/answers.ts'
import { codeOf, requestIdOf } from '../contracts/judge.ts'
import type { ObservedExchange } from '../contracts/observedExchange.ts'
import { type OperationId, operationOf, operations } from '../contracts/operations.ts'
import type { Cut, HarEntry, HarParam } from './har.ts'
import { isRequestBodyLeftOut, isTextType } from './leftOut.ts'

interface Common {
  /** Its place in the recording or the journal, from 1. */
  number: number
  /** When it began and when it had ended, ms since the epoch, by the recording's clock. */
  at: number
  endedAt: number
  /** When it began by the machine's clock, where the recording's may have stood still or run fast. */
  realAt: number
  /** Whose it is: the fingerprint of the key, with an X-Mock-World behind a slash; "anonymous" without a key. */
  key: string
  jobId: string | undefined
  scenario: string | undefined
  rule: string | undefined
  fault: string | undefined
}

export interface RecordedCall extends ObservedExchange, Common {
  kind: 'call'
  /** Below the base URL, with its query, as it may be shown. */
  path: string
  /** What its connection is called, where the recording says so: the same for all calls of it. */
  connection: string | undefined
  /** Whether X-Api-Key was sent. */
  hasKey: boolean
  /** Where the key was sent beside that. */
  keyIn: readonly ('url' | 'body' | 'header')[]
  /** Its body is not in the recording, or not all of it. */
  isBodyLeftOut: boolean
  idempotencyKey: string | undefined
  requestId: string | undefined
  /** The envelope's code. */
  code: string | undefined
  /** How it ended without a whole answer; the status is what had arrived of it, or 0. */
  cut: Cut | undefined
  /** Which request of its connection it was, from 1. */
  placeOnConnection: number | undefined
  /** Its client still waited when it was read. */
  isOpen: boolean
  /** What it reserved of the account. */
  credits: number | undefined
}

/** One attempt to deliver a webhook (WH-3). */
export interface RecordedWebhook extends Common {
  kind: 'webhook'
  url: string
  deliveryId: string
  event: string
  /** Header names in lower case. */
  headers: Readonly<Record<string, string>>
  body: string
  json: unknown
  attempt: number | undefined
  /** What the receiver answered; 0 without an answer. */
  status: number
  /** Why it counts as not delivered. */
  error: string | undefined
}

export type Traffic = RecordedCall | RecordedWebhook

/** What reading needs to know beside the entry. */
export interface Reading {
  /** Its number where the entry has none of its own. */
  number: number
  /** The base URL, without a slash at its end; undefined: what is in front of the first route that fits. */
  base: string | undefined
  /** What a key is called where it must not be shown. */
  fingerprint: (key: string) => string
}

export function trafficOf(entry: HarEntry, reading: Reading): Traffic {
  const headers = lowerCase(entry.request.headers)
  const isHook =
    entry._kind === 'webhook' || (entry._kind === undefined && headers['x-webhook-delivery-id'] !== undefined)
  return isHook ? hookOf(entry, headers, reading) : callOf(entry, headers, reading)
}

function callOf(entry: HarEntry, headers: Record<string, string>, reading: Reading): RecordedCall {
  const { request, response } = entry
  const answered = lowerCase(response.headers)
  const path = pathBelow(request.url, reading.base)
  const text = contentText(response.content)
  const operation = operationOf(request.method === 'HEAD' ? 'GET' : request.method, path)
  const isFile = operation !== undefined && operations[operation].tag === 'files'
  const json = text === '' || isFile ? undefined : parse(text)
  const seen = { json, status: response.status }
  const key = headers['x-api-key']
  const body = request.postData?.text
  const parts = request.postData?.params ?? []
  const form = parts.length > 0 ? parts.flatMap(partOf) : undefined
  return {
    kind: 'call',
    ...commonOf(entry, reading, key),
    jobId: entry._job_id ?? jobIdOf(operation, path, json),
    sent: {
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers.map(({ name, value }) => [name, value])),
      ...(body !== undefined && form === undefined && { body }),
      ...(form !== undefined && { form }),
    },
    operation,
    connection: entry.connection,
    status: response.status,
    headers: answered,
    text,
    json,
    bytes: new Uint8Array(),
    ms: entry.time ?? 0,
    path: shownPath(path, key),
    hasKey: key !== undefined,
    keyIn: entry._key_in ?? keyIn(entry, key),
    isBodyLeftOut: isRequestBodyLeftOut(entry),
    idempotencyKey: headers['idempotency-key'],
    requestId: entry._request_id ?? requestIdOf(seen) ?? answered['x-request-id'],
    code: codeOf(seen),
    cut: entry._cut ?? cutOf(response.status),
    placeOnConnection: entry._connection_request,
    isOpen: entry._is_open === true,
    credits: entry._credits,
  }
}

function hookOf(entry: HarEntry, headers: Record<string, string>, reading: Reading): RecordedWebhook {
  const body = entry.request.postData?.text ?? ''
  const json = parse(body) as { data?: { id?: unknown } | null } | undefined
  const id = json?.data?.id
  const { status } = entry.response
  const isGood = status >= 200 && status < 300
  return {
    kind: 'webhook',
    ...commonOf(entry, reading, undefined),
    jobId: entry._job_id ?? (typeof id === 'string' ? id : undefined),
    url: entry.request.url,
    deliveryId: entry._delivery?.id ?? headers['x-webhook-delivery-id'] ?? '',
    event: entry._delivery?.event ?? headers['x-webhook-event'] ?? '',
    headers,
    body,
    json,
    attempt: entry._delivery?.attempt,
    status,
    error: entry._delivery === undefined ? (isGood ? undefined : `answered ${status}`) : entry._delivery.error,
  }
}

/** Of two calls within a millisecond a time of HAR doesn't say which came first; one that was edited is what counts. */
function startOf({ startedDateTime, _started_ms: exact = Number.NaN }: HarEntry): number {
  const at = Date.parse(startedDateTime)
  return Math.floor(exact) === at ? exact : at
}

function commonOf(entry: HarEntry, { number, fingerprint }: Reading, key: string | undefined): Omit<Common, 'jobId'> {
  const at = startOf(entry)
  const answered = lowerCase(entry.response.headers)
  return {
    number: entry._number ?? number,
    at,
    endedAt: at + Math.max(0, entry.time ?? 0),
    realAt: entry._real_ms ?? at,
    key: entry._world ?? (key === undefined ? 'anonymous' : key === redacted ? 'redacted' : fingerprint(key)),
    scenario: entry._scenario ?? answered['x-mock-scenario'],
    rule: entry._rule ?? answered['x-mock-rule'],
    fault: entry._fault,
  }
}

/** Another tool's recording may have the key in the path, or other secrets in the query. */
function shownPath(path: string, key: string | undefined): string {
  const shown = redactUrl(path)
  return key === undefined || key.length < 8 ? shown : shown.replaceAll(key, redacted)
}

/** Browsers' tools write 0, or nothing, where there was no answer: a page that is left ends its calls so too. */
const cutOf = (status: number): Cut | undefined =>
  status > 0 ? undefined : { by: 'client', when: 'before_head', how: 'closed' }

/** Whether a text has the key in it, as a word of its own: keys for tests may read like names. */
export function holdsKey(text: string, key: string): boolean {
  for (const form of new Set([key, encodeURIComponent(key)])) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
      if (!/[\w.-]/.test(text[at - 1] ?? '') && !/[\w.-]/.test(text[at + form.length] ?? '')) return true
    }
  }
  return false
}

/** Another tool's recording may hold the key itself. */
function keyIn({ request }: HarEntry, key: string | undefined): RecordedCall['keyIn'] {
  if (key === undefined || key === redacted || key.length < 8) return []
  const found: RecordedCall['keyIn'][number][] = []
  if (holdsKey(request.url, key)) found.push('url')
  if (holdsKey(request.postData?.text ?? '', key)) found.push('body')
  if (request.headers.some(({ name, value }) => !isSecretHeader(name) && holdsKey(value, key))) found.push('header')
  return found
}

function partOf({ name, fileName, contentType, value, _body_file: file }: HarParam): FormPart[] {
  if (fileName === undefined && file === undefined) return []
  return [
    {
      field: name,
      filename: fileName ?? '',
      type: contentType,
      size: file?.size ?? value?.length ?? 0,
      ...(file?.path !== undefined && { path: file.path }),
      ...(file?.sha256 !== undefined && { sha256: file.sha256 }),
      ...(value !== undefined && { text: value }),
    },
  ]
}

/** The text of a body; '' for a binary one. */
export function contentText(content: HarEntry['response']['content']): string {
  const { text = '', encoding, mimeType = '' } = content ?? {}
  if (encoding !== 'base64') return text
  if (!isTextType(mimeType)) return ''
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), sign => sign.charCodeAt(0)))
  } catch {
    return ''
  }
}

/** Of several headers of one name the values are joined, as HTTP has it. */
export function lowerCase(pairs: HarEntry['request']['headers']): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { name, value } of pairs) {
    const lower = name.toLowerCase()
    found[lower] = found[lower] === undefined ? value : `${found[lower]}, ${value}`
  }
  return found
}

/** A URL below the base; without a base, from where one of the documented routes begins. */
export function pathBelow(url: string, base: string | undefined): string {
  if (base !== undefined && url.startsWith(`${base}/`)) return url.slice(base.length)
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '') || '/'
  return base === undefined ? path.slice(routeStart(path)) : path
}

/** Where in a path a documented route begins; 0 where none does. */
export function routeStart(path: string): number {
  const bare = path.split('?', 1)[0] as string
  for (let at = 0; at !== -1; at = bare.indexOf('/', at + 1)) {
    const rest = bare.slice(at)
    if (operationOf('GET', rest) !== undefined || operationOf('POST', rest) !== undefined) return at
  }
  return 0
}

function jobIdOf(operation: OperationId | undefined, path: string, json: unknown): string | undefined {
  if (operation === 'createJob') {
    const { id } = (json ?? {}) as { id?: unknown }
    return typeof id === 'string' ? id : undefined
  }
  const place = operation && operations[operation].path.split('/').indexOf('{job_id}')
  if (place === undefined || place === -1) return undefined
  const found = path.split('?', 1)[0]?.split('/')[place]
  return found === undefined ? undefined : decoded(found)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A call, and how much of it was recorded. */
export interface Observed {
  call: RecordedCall
  /** Its place in the order of the recording, from 0: evidence is fetched by it. */
  index: number
  /** It was sent to the API, and not to another host, such as one that keeps the files. */
  isOurs: boolean
  /** An answer came to its end, and its headers are there. */
  isWhole: boolean
  /** The answer's body is all there, or surely empty. */
  hasBody: boolean
  /** It was answered 2xx, whole. */
  isGood: boolean
}

/** The JSON object that was sent. */
export function givenBy(call: RecordedCall): Record<string, unknown> | undefined {
  const body = call.sent.body === undefined ? undefined : parse(call.sent.body)
  return typeof body === 'object' && body !== null && !Array.isArray(body)
    ? (body as Record<string, unknown>)
    : undefined
}
