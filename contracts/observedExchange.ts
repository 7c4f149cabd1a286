/** A request and its answer, as the suite saw them, and how they are shown as evidence. */

import type { FormPart, Sent } from '../base/http.ts'
import { plural } from '../base/text.ts'
import type { Evidence } from './evidence.ts'

import type { OperationId } from './operations.ts'

/** An answer. Header names are in lower case. */
export interface ObservedExchange {
  sent: Sent
  operation: OperationId | undefined
  status: number
  headers: Readonly<Record<string, string>>
  /** Of a text answer; '' for a binary file. */
  text: string
  /** Parsed, whatever the content type says; undefined when it isn't JSON. */
  json: unknown
  bytes: Uint8Array
  ms: number
}

/** What no answer came to. */
export const unansweredOf = (sent: Sent): ObservedExchange => ({
  sent,
  operation: undefined,
  status: 0,
  headers: {},
  text: '',
  json: undefined,
  bytes: new Uint8Array(),
  ms: 0,
})

const maxShown = 2_000
/** What of a request says nothing to a reader. */
const ordinary = new Set([
  'host',
  'connection',
  'content-length',
  'accept',
  'user-agent',
  'accept-encoding',
  'x-mock-world',
])

/** Takes secrets out of a text, each for the name of the variable that holds it. */
export type Redact = (text: string) => string

/** A shorter text is too common to be taken out wherever it stands. */
const minSecretLength = 4

/** Secrets by the name that stands for them; the longest first, as one may be part of another. */
export function redactor(secrets: Readonly<Record<string, string>>): Redact {
  const known = Object.entries(secrets)
    .flatMap(([name, secret]) =>
      [...new Set([secret, escaped(secret), encodeURIComponent(secret)])].map(one => [name, one] as const),
    )
    .filter(([, secret]) => secret !== '')
    .sort((a, b) => b[1].length - a[1].length)
  return text => {
    const whole = known.reduce((shown, [name, secret]) => {
      if (secret.length < minSecretLength) return shown === secret ? `$${name}` : shown
      return shown.replaceAll(secret, `$${name}`)
    }, text)
    return whole.includes('…') ? known.reduce(withoutBeginning, whole) : whole
  }
}

/** A text that was cut in the midst of a secret still has its beginning. */
function withoutBeginning(text: string, [name, secret]: readonly [name: string, secret: string]): string {
  let shown = text
  for (let length = secret.length - 1; length >= minSecretLength; length--) {
    shown = shown.replaceAll(`${secret.slice(0, length)}…`, `$${name}…`)
  }
  return shown
}

/** As it stands in JSON. */
const escaped = (secret: string): string => JSON.stringify(secret).slice(1, -1)

type Exchange = Pick<Evidence, 'request' | 'response' | 'curl'>

/** What the report shows of an exchange: no key is in it, long bodies are cut. */
export function exchangeOf({ sent, status, headers, text, bytes, ms }: ObservedExchange, redact: Redact): Exchange {
  const shown = (headers: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)]))
  const body = bodyOf(sent)
  const answer = text === '' && bytes.length > 0 ? `(${plural(bytes.length, 'byte')})` : text
  return {
    request: {
      method: sent.method,
      url: redact(sent.url),
      headers: shown(sent.headers),
      ...(body !== undefined && { body: limitEvidence(redact(body)) }),
    },
    response: {
      status,
      headers: shown(headers),
      ...(answer !== '' && { body: limitEvidence(redact(answer)) }),
      ms: Math.round(ms),
    },
    curl: curlOf(sent, redact),
  }
}

function bodyOf({ body, form }: Sent): string | undefined {
  if (body !== undefined) return body
  return form
    ?.map(({ field, filename, type, size }) => `${field}: ${filename} (${type ?? 'no type'}, ${plural(size, 'byte')})`)
    .join('\n')
}

const limitEvidence = (text: string): string =>
  text.length > maxShown ? `${text.slice(0, maxShown)}… (${plural(text.length - maxShown, 'more character')})` : text

/** A line for a shell that sends the same; a key is the variable that holds it. */
export function curlOf({ method, url, headers, body, form }: Sent, redact: Redact): string {
  const words = ['curl', '-i']
  if (method !== (body === undefined && form === undefined ? 'GET' : 'POST')) words.push('-X', method)
  words.push(quote(redact(url)))
  for (const [name, value] of Object.entries(headers)) {
    const own = form !== undefined && name.toLowerCase() === 'content-type'
    if (!own && !ordinary.has(name.toLowerCase())) words.push('-H', quote(`${name}: ${redact(value)}`))
  }
  if (body !== undefined) words.push('--data-raw', quote(redact(body)))
  for (const part of form ?? [])
    words.push(...(part.type === undefined && part.path ? untyped(part) : ['-F', formWord(part)]))
  return words.join(' ')
}

/** A part of curl's -F. */
function formWord({ field, filename, type, path, text }: FormPart): string {
  const content = text !== undefined && /^[\w .,-]+$/.test(text) ? text : `@${path ?? filename}`
  const name = content === `@${filename}` ? '' : `;filename=${filename}`
  return quote(`${field}=${content}${name}${type === undefined ? '' : `;type=${type}`}`)
}

/** The same without a type, which curl's -F would give it by its name (UP-4). */
function untyped({ field, filename, path = filename }: FormPart): string[] {
  const head = `--part\\r\\nContent-Disposition: form-data; name="${field}"; filename="${filename.replaceAll('%', '%%')}"\\r\\n\\r\\n`
  const body = `@<(printf -- ${quote(head)}; cat ${quote(path)}; printf '\\r\\n--part--\\r\\n')`
  return ['-H', quote('Content-Type: multipart/form-data; boundary=part'), '--data-binary', body]
}

const variable =
  /\$(API_KEY|SECOND_KEY|EMPTY_ACCOUNT_KEY|LIMITED_KEY\d*|WEBHOOK_SECRET|HEADER_\w+|JOB_\d+|VIDEO_\d+|IDEM_\d+)\b/
const otherDollar =
  /\$(?!(API_KEY|SECOND_KEY|EMPTY_ACCOUNT_KEY|LIMITED_KEY\d*|WEBHOOK_SECRET|HEADER_\w+|JOB_\d+|VIDEO_\d+|IDEM_\d+)\b)/g

/** For a POSIX shell: in single quotes, but where a variable stands for a key. */
const quote = (text: string): string =>
  variable.test(text)
    ? `"${text.replace(/["\\`]/g, '\\$&').replace(otherDollar, '\\$')}"`
    : /^[\w./:@%+,=-]+$/.test(text)
      ? text
      : `'${text.replaceAll("'", `'\\''`)}'`
