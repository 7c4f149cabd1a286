/** The journal as a recording: its entries in HAR, with the secrets taken out as wherever they are shown. */

import { STATUS_CODES } from 'node:http'
import { isSecretHeader } from '../base/redaction.ts'
import { plural } from '../base/text.ts'
import type { ExchangeEntry, JournalEntry, JournalFilter, WebhookEntry } from '../client/mock.ts'
import type { Cut, HarEntry } from '../recordings/har.ts'
import { holdsKey } from '../recordings/traffic.ts'
import { harText } from '../recordings/write.ts'
import type { DeliveryAttempt, Entry, Exchange } from './journal.ts'
import type { JournalReader } from './journalView.ts'
import type { Mock } from './mock.ts'
import { isWorldSelected } from './world/worlds.ts'

/** The entries that fit as a recording, piece by piece; `target` is the mock's own base URL. */
export function* journalHar(mock: Mock, filter: JournalFilter, target: string): Generator<string> {
  const { journal, config } = mock
  const { complete, evicted } = journal.read(filter, 0)
  const _incomplete = `${plural(evicted, 'entry', 'entries')} of the journal had to make room; --journal-entries keeps more`
  const about = { _target: target, _seed: config.seed, ...(!complete && { _incomplete }) }
  yield* harText(entriesOf(mock, filter), about)
}

function* entriesOf(mock: Mock, filter: JournalFilter): Generator<HarEntry> {
  const found = [...mock.journal.select(filter), ...keylessOf(mock, filter)].sort((a, b) => a.seq - b.seq)
  for (const entry of found) yield harEntryOf(entry, mock.journal)
}

/** With a key, the keyless calls that belong to its jobs and uploads are in it too: its files, and legacy downloads. */
function keylessOf({ worlds, journal }: Mock, filter: JournalFilter): Entry[] {
  if (filter.key === undefined || filter.key === 'anonymous') return []
  return journal.select({ ...filter, key: 'anonymous', world: undefined }).filter(entry => {
    const world = entry.kind === 'exchange' ? worlds.ofPath(entry.url) : undefined
    return world !== undefined && isWorldSelected(world, filter)
  })
}

export const harEntryOf = (entry: Entry, journal: JournalReader): HarEntry =>
  entry.kind === 'exchange'
    ? ofExchange(entry, journal.show(entry), journal.scheme)
    : ofDelivery(entry, journal.show(entry))

function ofExchange(exchange: Exchange, shown: ExchangeEntry, scheme: string): HarEntry {
  const { at, upload, isOpen, placeOnConnection, credits } = exchange
  // Its client still waits: so long, by now.
  const endedAt = isOpen ? exchange.world.clock.now() : exchange.endedAt
  const { request, response } = shown
  const url = /^https?:/i.test(shown.url) ? shown.url : `${scheme}://${request.headers.host ?? 'localhost'}${shown.url}`
  const keyIn = keyInOf(exchange)
  const time = Math.max(0, endedAt - at)
  const cut = cutOf(exchange)
  return {
    ...common(shown, at, time),
    request: {
      method: shown.method ?? '',
      url,
      ...requestOf(request.headers, url),
      ...(upload !== undefined
        ? { postData: formOf(upload, request.headers) }
        : request.body !== undefined && {
            postData: { mimeType: typeOf(request.headers), text: bodyAsText(request.body) },
          }),
    },
    response: {
      status: exchange.status,
      statusText: STATUS_CODES[exchange.status] ?? '',
      httpVersion: 'HTTP/1.1',
      headers: pairs(response?.headers ?? {}),
      cookies: [],
      redirectURL: '',
      headersSize: -1,
      bodySize: -1,
      content: contentOf(response),
    },
    ...(exchange.connection > 0 && { connection: String(exchange.connection) }),
    _kind: 'call',
    _real_ms: exchange.startedAt,
    ...(shown.request_id !== undefined && { _request_id: shown.request_id }),
    ...(keyIn.length > 0 && { _key_in: keyIn }),
    ...(shown.scenario !== undefined && { _scenario: shown.scenario }),
    ...(shown.rule !== undefined && { _rule: shown.rule }),
    ...(shown.delay_ms !== undefined && { _delay_ms: shown.delay_ms }),
    ...(cut !== undefined && { _cut: cut }),
    ...(placeOnConnection > 0 && { _connection_request: placeOnConnection }),
    ...(credits > 0 && { _credits: credits / 1000 }),
    ...(isOpen && { _is_open: isOpen }),
  }
}

function contentOf(response: ExchangeEntry['response']): HarEntry['response']['content'] {
  const { headers = {}, body } = response ?? {}
  const text = body === undefined ? undefined : bodyAsText(body)
  const size = text === undefined ? Number(headers['content-length'] ?? 0) : Buffer.byteLength(text)
  return { size, mimeType: typeOf(headers), ...(text !== undefined && { text }) }
}

function ofDelivery(attempt: DeliveryAttempt, shown: WebhookEntry): HarEntry {
  const { request } = shown
  return {
    // It is written down when it is over.
    ...common(shown, attempt.at - attempt.ms, attempt.ms),
    request: {
      method: 'POST',
      url: shown.url,
      ...requestOf(request.headers, shown.url),
      postData: { mimeType: 'application/json', text: bodyAsText(request.body) },
    },
    response: {
      status: attempt.status,
      statusText: STATUS_CODES[attempt.status] ?? '',
      httpVersion: 'HTTP/1.1',
      headers: [],
      cookies: [],
      redirectURL: '',
      headersSize: -1,
      bodySize: -1,
      content: { size: 0, mimeType: '' },
    },
    _kind: 'webhook',
    _delivery: {
      id: attempt.deliveryId,
      event: attempt.event,
      attempt: attempt.attempt,
      ...(attempt.error !== null && { error: attempt.error }),
    },
  }
}

const common = (shown: JournalEntry, at: number, time: number) => ({
  startedDateTime: new Date(at).toISOString(),
  _started_ms: at,
  time,
  cache: {},
  timings: { blocked: -1, send: 0, wait: time, receive: 0 },
  _number: shown.seq,
  _world: shown.world,
  ...(shown.job_id !== null && { _job_id: shown.job_id }),
  ...(shown.fault !== undefined && { _fault: shown.fault }),
})

const requestOf = (headers: Readonly<Record<string, string>>, url: string) => ({
  httpVersion: 'HTTP/1.1',
  headers: pairs(headers),
  queryString: [...(URL.canParse(url) ? new URL(url).searchParams : [])].map(([name, value]) => ({ name, value })),
  cookies: [],
  headersSize: -1,
  bodySize: Number(headers['content-length'] ?? -1),
})

/** An upload's file is with the mock: what is known of it stands here in its place. */
function formOf({ filename, size, type, sha256 }: NonNullable<Exchange['upload']>, headers: Record<string, string>) {
  const file = { name: 'file', fileName: filename, contentType: type, value: '', _body_file: { size, sha256 } }
  return { mimeType: typeOf(headers), params: [file] }
}

const pairs = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers).map(([name, value]) => ({ name, value: String(value) }))

const typeOf = (headers: Readonly<Record<string, string>>): string => headers['content-type'] ?? ''

const bodyAsText = (body: unknown): string =>
  body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)

/** What the client met, where that was no whole answer. */
function cutOf(exchange: Exchange): Cut | undefined {
  const { aborted, status, ruleContext, played } = exchange
  if (played?.cut !== undefined && (played.cut.by === 'client' || !(aborted && status === 0))) return played.cut
  const fault = ruleContext?.fired?.rule.then.fault
  const bytes = fault?.params.after_bytes
  // A short answer was whole before anything was cut.
  const size = Number(exchange.responseHeaders?.['content-length'])
  if (typeof bytes === 'number' && fault?.fault.cuts?.when === 'in_body' && size <= bytes) return undefined
  // An upload that was refused before its body was asked for has met no fault.
  const isMet = fault?.fault.cuts?.when !== 'in_request' || status === 0
  if (fault?.fault.cuts !== undefined && isMet)
    return { by: 'server', ...fault.fault.cuts, ...(typeof bytes === 'number' && { bytes }) }
  if (!aborted) return undefined
  return { by: 'client', when: status === 0 ? 'before_head' : 'in_body', how: 'closed' }
}

/** The key is looked for where it has nothing to seek; shorter ones are too common. */
function keyInOf({ requestHeaders, url, requestBody }: Exchange): NonNullable<HarEntry['_key_in']> {
  const at = requestHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'x-api-key')
  const key = at === -1 ? undefined : requestHeaders[at + 1]
  const found: NonNullable<HarEntry['_key_in']> = []
  if (key === undefined || key.length < 8) return found
  if (holdsKey(url, key)) found.push('url')
  if (holdsKey(requestBody ?? '', key)) found.push('body')
  const isElsewhere = (value: string, i: number) =>
    i % 2 === 1 && holdsKey(value, key) && !isSecretHeader(requestHeaders[i - 1] as string)
  if (requestHeaders.some(isElsewhere)) found.push('header')
  return found
}
