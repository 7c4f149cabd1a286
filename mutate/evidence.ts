/** The exchange in which a mutant showed itself, as a report tells it: what differs, and what a test would assert. */
import { isSecretHeader, redacted } from '../base/redaction.ts'
import { shorten } from '../base/text.ts'
import type { ExchangeEntry } from '../client/mock.ts'
import { routeOf } from '../contracts/operations.ts'
import type { Message, Showing } from '../server/mutants/mutation.ts'
import type { MutationExchange, MutationMessage } from './report.ts'

/** Of a body, characters. */
const maxBody = 2_000
const maxDiff = 12

/** Headers that differ from answer to answer, or say nothing. */
const restless =
  /^(date|connection|keep-alive|content-length|x-request-id|(x-)?ratelimit.*|etag|last-modified|accept-ranges|vary|host|user-agent|accept.*|sec-fetch-.*|x-webhook-(delivery-id|timestamp|signature))$/i

/** Fields of a job that change as it goes on. */
const onItsWay = /^(jobs\.\d+\.)?(status|progress|output_url|billing_status|webhook_events|error)\b/

/** `healthyRun` are the exchanges of a run without a mutant: where the mutant kept the answer from coming to be, one is taken from there. */
export function exchangeShown(showing: Showing, healthyRun: readonly ExchangeEntry[]): MutationExchange {
  const { place, method, url, request, mutated } = showing
  const likened = showing.healthy === undefined && place !== 'webhook' ? alike(showing, healthyRun) : undefined
  const healthy = showing.healthy ?? likened
  const route = place === 'webhook' ? place : (routeOf(place) ?? `${method} ${url.split('?', 1)[0]}`)
  const all = changesOf(healthy, mutated, likened !== undefined)
  // Another job of another run is elsewhere on its way: what that changes is no fault, unless nothing else differs.
  const telling = likened === undefined ? all : all.filter(({ kind, name }) => kind !== 'field' || !onItsWay.test(name))
  const changes = telling.length > 0 ? telling : all
  return {
    place: route,
    method,
    url: shorten(url, 300),
    ...(request && {
      request: { headers: withoutSecrets(quiet(request.headers)), body: shorten(request.body, maxBody) },
    }),
    ...(healthy && { healthy: messageFor(healthy), healthy_from: likened ? 'a healthy run' : 'the same call' }),
    ...(mutated && { mutated: messageFor(mutated) }),
    diff: changes.slice(0, maxDiff).flatMap(({ lines }) => lines),
    asserts: assertionOf(route, changes[0], healthy, mutated),
  }
}

const withoutSecrets = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, isSecretHeader(name) ? redacted : value]))

const quiet = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !restless.test(name)))

const messageFor = ({ status, method, headers, body }: Message): MutationMessage => ({
  ...(status !== undefined && { status }),
  ...(method !== undefined && { method }),
  headers: withoutSecrets(headers),
  body: shorten(body, maxBody),
})

/** An answer to such a call in a run without a mutant; the one with another status tells most. */
function alike({ place, url, mutated }: Showing, run: readonly ExchangeEntry[]): Message | undefined {
  const calls = run.filter(({ route }) => route !== null && route === routeOf(place))
  const form = (one: string) => one.split('?', 1)[0]?.replace(/\b(job|vid)_\w+/g, '$1')
  const found =
    calls.find(call => form(call.url) === form(url) && call.status !== mutated?.status) ??
    calls.find(call => form(call.url) === form(url)) ??
    calls[0]
  if (found === undefined) return undefined
  const { status, response } = found
  const body = response?.body
  return {
    status,
    headers: response?.headers ?? {},
    body: typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body),
  }
}

interface Change {
  kind: 'status' | 'header' | 'field' | 'body' | 'message'
  /** The header's name, or the field's path. */
  name: string
  from: unknown
  to: unknown
  lines: string[]
}

function changesOf(healthy: Message | undefined, mutated: Message | undefined, isOther: boolean): Change[] {
  if (healthy === undefined || mutated === undefined) {
    const only = healthy ?? mutated
    const sign = healthy === undefined ? '+' : '-'
    return [
      {
        kind: 'message',
        name: only?.headers['X-Webhook-Event'] ?? '',
        from: healthy,
        to: mutated,
        lines: [`${sign} ${only?.status ?? only?.method ?? 'nothing'} ${shorten(only?.body ?? '', 200)}`],
      },
    ]
  }
  const changes: Change[] = []
  const add = (kind: Change['kind'], name: string, from: unknown, to: unknown): void => {
    const line = (sign: string, value: unknown) =>
      value === undefined
        ? []
        : [
            `${sign} ${name === '' ? kind : name}: ${shorten(kind === 'field' ? textOfValue(value) : String(value), 200)}`,
          ]
    changes.push({ kind, name, from, to, lines: [...line('-', from), ...line('+', to)] })
  }
  if (healthy.status !== mutated.status) add('status', 'status', healthy.status, mutated.status)
  if (healthy.method !== mutated.method) add('status', 'method', healthy.method, mutated.method)
  const [a, b] = [lowerCase(healthy.headers), lowerCase(mutated.headers)]
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (a[name] === b[name] || (isOther && restless.test(name)) || name === 'content-length') continue
    add('header', name, a[name], b[name])
  }
  const [from, to] = [json(healthy.body), json(mutated.body)]
  if (from === undefined || to === undefined || Array.isArray(from) !== Array.isArray(to)) {
    if (healthy.body !== mutated.body) add('body', '', shorten(healthy.body, 300), shorten(mutated.body, 300))
  } else compare(from, to, '', isOther, (name, x, y) => add('field', name, x, y))
  return changes
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const json = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : undefined
  } catch {
    return undefined
  }
}

/** What is drawn anew in each run says nothing. */
const isDrawn = (value: unknown): boolean =>
  typeof value === 'string' && /(job|vid|req|whd)_[0-9a-z]{10}|^\d{4}-\d\d-\d\dT|^https?:\/\/127\.0\.0\.1/.test(value)

function compare(
  a: unknown,
  b: unknown,
  path: string,
  isOther: boolean,
  add: (path: string, from: unknown, to: unknown) => void,
): void {
  if (isObject(a) && isObject(b) && Array.isArray(a) === Array.isArray(b)) {
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
      compare(a[name], b[name], path === '' ? name : `${path}.${name}`, isOther, add)
    return
  }
  if (JSON.stringify(a) === JSON.stringify(b) || (isOther && isDrawn(a) && isDrawn(b))) return
  add(path, a, b)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const textOfValue = (value: unknown): string => JSON.stringify(value) ?? ''

/** In a line, what a test asserts that notices this. */
function assertionOf(
  route: string,
  change: Change | undefined,
  healthy: Message | undefined,
  mutated: Message | undefined,
): string {
  const where = route === 'webhook' ? 'the webhook' : `the answer of ${route}`
  if (route === 'webhook' && mutated === undefined)
    return `that the webhook ${change?.name ?? ''} arrives: wait for it, and fail if it does not come`
  if (change === undefined || healthy === undefined)
    return `what ${where} says: its status and the fields that your program reads`
  const { kind, name, from, to } = change
  if (kind === 'status') return `that ${where} has ${name} ${String(from)}`
  if (kind === 'header')
    return `that ${where} has ${from === undefined ? `no header ${name}` : `the header ${name}: ${shorten(String(from), 100)}`}`
  if (kind === 'field') {
    if (from === undefined) return `that ${where} has no other fields than the documented ones`
    if (typeof from !== typeof to || from === null || to === null)
      return `that "${name}" in ${where} is ${typeName(from)}`
    if (isUrl(from) && isUrl(to)) return `that a GET of "${name}" in ${where} gives what it promises`
    return `that "${name}" in ${where} is ${isDrawn(from) ? 'the one that belongs there' : shorten(JSON.stringify(from), 100)}`
  }
  return `what the body of ${where} is`
}

const isUrl = (value: unknown): boolean => typeof value === 'string' && /^https?:/.test(value)

const typeName = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : typeof value === 'string'
          ? 'a text'
          : `a ${typeof value}`
