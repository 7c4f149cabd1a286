/** A call as the recording has it, HAR 1.2, without its secrets. */

import { fingerprintOf } from '../base/fingerprint.ts'
import { redacted } from '../base/redaction.ts'
import type { Cut, HarEntry } from '../recordings/har.ts'

import type { Kept } from './body.ts'
import type { KeptForm } from './form.ts'
import { pairsOf, type RawHeaders } from './headers.ts'
import type { RecorderSecrets } from './secrets.ts'

/** What is known of a call when it is over; times in ms since the epoch. */
export interface Facts {
  number: number
  at: number
  /** When the request had been sent, and when the head of the answer came. */
  sentAt: number | undefined
  headAt: number | undefined
  endAt: number
  method: string
  /** As the target got it, absolute. */
  url: string
  httpVersion: string
  /** As the client sent them; the Host is the target's. */
  headers: RawHeaders
  requestSize: number
  body: Kept & KeptForm
  answer: { status: number; statusText: string; httpVersion: string; headers: RawHeaders } | undefined
  answerSize: number
  content: Kept
  serverIp: string | undefined
  connection: string | undefined
  /** Which request of the client's connection it was, from 1. */
  placeOnConnection: number
  cut: Cut | undefined
  comments: string[]
}

export function entryOf(facts: Facts, secrets: RecorderSecrets): HarEntry {
  const { at, answer, cut, content } = facts
  const key = headerValue(facts.headers, 'x-api-key')
  const split = headerValue(facts.headers, 'x-mock-world')
  const keyIn = keyInOf(facts, secrets)
  const headers = answer?.headers ?? []
  const comment = [...facts.comments, facts.body.comment, content.comment].filter(text => text !== undefined).join('; ')
  const scenario = headerValue(headers, 'x-mock-scenario')
  const rule = headerValue(headers, 'x-mock-rule')
  return {
    startedDateTime: new Date(at).toISOString(),
    ...timesOf(facts),
    request: requestOf(facts, secrets),
    response: {
      status: answer?.status ?? 0,
      statusText: secrets.clean(answer?.statusText ?? ''),
      httpVersion: answer?.httpVersion ?? '',
      headers: shown(headers, secrets),
      cookies: [...pairsOf(headers)].flatMap(([name, value]) => (/^set-cookie$/i.test(name) ? [setCookie(value)] : [])),
      redirectURL: secrets.cleanUrl(headerValue(headers, 'location') ?? ''),
      headersSize:
        answer === undefined ? -1 : sizeOf(`${answer.httpVersion} ${answer.status} ${answer.statusText}`, headers),
      bodySize: answer === undefined ? -1 : facts.answerSize,
      content: {
        size: content.decodedSize ?? facts.answerSize,
        mimeType: headerValue(headers, 'content-type') ?? '',
        ...keptText(content, secrets),
      },
    },
    cache: {},
    ...(facts.serverIp !== undefined && { serverIPAddress: facts.serverIp }),
    ...(facts.connection !== undefined && { connection: facts.connection }),
    ...(comment !== '' && { comment: secrets.clean(comment) }),
    _number: facts.number,
    _kind: 'call',
    _world:
      key === undefined ? 'anonymous' : fingerprintOf(key) + (split === undefined ? '' : `/${secrets.clean(split)}`),
    ...(keyIn.length > 0 && { _key_in: keyIn }),
    _connection_request: facts.placeOnConnection,
    ...(scenario !== undefined && { _scenario: secrets.clean(scenario) }),
    ...(rule !== undefined && { _rule: secrets.clean(rule) }),
    ...(cut !== undefined && {
      _cut: { ...cut, ...(cut.message !== undefined && { message: secrets.clean(cut.message) }) },
    }),
  }
}

function requestOf(facts: Facts, secrets: RecorderSecrets): HarEntry['request'] {
  const { method, headers, httpVersion, body } = facts
  const url = secrets.cleanUrl(facts.url)
  const params = body.params?.map(param => ({
    ...param,
    ...(param.value !== undefined && { value: secrets.clean(param.value) }),
  }))
  const mimeType = headerValue(headers, 'content-type') ?? ''
  return {
    method,
    url,
    httpVersion,
    headers: shown(headers, secrets),
    queryString: [...new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? '')].map(([name, value]) => ({
      name: secrets.clean(name),
      value: secrets.clean(value),
    })),
    cookies: cookiesOf(headers),
    headersSize: sizeOf(`${method} ${facts.url.replace(/^\w+:\/\/[^/]*/, '')} ${httpVersion}`, headers),
    bodySize: facts.requestSize,
    ...(facts.requestSize > 0 && {
      postData: { mimeType, ...(params !== undefined ? { params } : keptText(body, secrets)) },
    }),
  }
}

function keptText({ text, encoding, file }: Kept, secrets: RecorderSecrets) {
  return {
    ...(text !== undefined && { text: encoding === undefined ? secrets.clean(text) : text }),
    ...(encoding !== undefined && { encoding }),
    // Playwright's own field for a body beside the recording: it plays ours too.
    ...(file?.path !== undefined && { _file: file.path }),
    ...(file !== undefined && { _body_file: file }),
  }
}

function timesOf({ at, sentAt, headAt, endAt }: Facts): Pick<HarEntry, 'time' | 'timings'> {
  const waitsFrom = Math.min(sentAt ?? headAt ?? endAt, headAt ?? endAt)
  const readsFrom = headAt ?? endAt
  const [send, wait, receive] = [waitsFrom - at, readsFrom - waitsFrom, endAt - readsFrom].map(ms =>
    Math.max(0, Math.round(ms * 1000) / 1000),
  ) as [number, number, number]
  const time = Math.round((send + wait + receive) * 1000) / 1000
  return { time, timings: { blocked: -1, send, wait, receive } }
}

function keyInOf(facts: Facts, secrets: RecorderSecrets): NonNullable<HarEntry['_key_in']> {
  const isInHeader = [...pairsOf(facts.headers)].some(
    ([name, value]) => name.toLowerCase() !== 'x-api-key' && secrets.hasKey(value),
  )
  return [
    ...(secrets.hasKey(facts.url) ? (['url'] as const) : []),
    ...(facts.body.hasKey ? (['body'] as const) : []),
    ...(isInHeader ? (['header'] as const) : []),
  ]
}

const shown = (headers: RawHeaders, secrets: RecorderSecrets) =>
  [...pairsOf(headers)].map(([name, value]) => ({ name, value: secrets.cleanHeader(name, value) }))

export function headerValue(headers: RawHeaders, lowerName: string): string | undefined {
  for (const [name, value] of pairsOf(headers)) if (name.toLowerCase() === lowerName) return value
  return undefined
}

/** A line's end each, and one behind all. */
const sizeOf = (firstLine: string, headers: RawHeaders): number =>
  [...pairsOf(headers)].reduce((size, [name, value]) => size + name.length + value.length + 4, firstLine.length + 4)

const cookiesOf = (headers: RawHeaders) =>
  (headerValue(headers, 'cookie') ?? '')
    .split(';')
    .filter(pair => pair.includes('='))
    .map(pair => ({ name: pair.slice(0, pair.indexOf('=')).trim(), value: redacted }))

function setCookie(header: string) {
  const [pair = '', ...attributes] = header.split(';').map(part => part.trim())
  const attribute = (name: string) =>
    attributes.find(part => part.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
  const has = (name: string) => attributes.some(part => part.toLowerCase() === name)
  const [path, domain, expires] = [attribute('path'), attribute('domain'), attribute('expires')]
  const at = expires === undefined ? Number.NaN : Date.parse(expires)
  return {
    name: pair.slice(0, pair.indexOf('=')),
    value: redacted,
    ...(path !== undefined && { path }),
    ...(domain !== undefined && { domain }),
    ...(!Number.isNaN(at) && { expires: new Date(at).toISOString() }),
    httpOnly: has('httponly'),
    secure: has('secure'),
  }
}
