/** What is known to be secret in a session, and how it is taken out of whatever is written. */
import { carriesSecret, isSecretName, redactBody, redacted, redactUrl, secretsInJson } from '../base/redaction.ts'

/** A shorter text is too common to be taken out wherever it stands. */
const minLength = 8
/** A server may set a new cookie with every answer: the oldest are forgotten then. Keys and tokens never are. */
const maxCookies = 2000
/** Of a secret that a cut has left the beginning of. */
const minStart = 4

export class RecorderSecrets {
  /** Values, with the forms in which they may stand in a text. */
  readonly #known = new Map<string, string[]>()
  readonly #cookies = new Set<string>()
  readonly #keys = new Set<string>()
  /** All forms, the longest first: a secret may be a part of another. */
  #forms: string[] | undefined

  /** `given` are secrets whatever their length. */
  constructor(given: readonly string[] = []) {
    for (const value of given) this.#add(value)
  }

  /** Learns the secrets of a request's head. */
  noteRequest(rawHeaders: readonly string[], url: string): void {
    this.#noteHeaders(rawHeaders)
    const query = url.indexOf('?')
    if (query !== -1) this.#noteForm(url.slice(query + 1))
  }

  /** Learns those of an answer's head: the cookies that it sets. */
  noteAnswer(rawHeaders: readonly string[]): void {
    this.#noteHeaders(rawHeaders)
  }

  /** Learns those of a request's body: what its fields are named like secrets. */
  noteBody(text: string, type: string): void {
    if (/urlencoded/i.test(type)) this.#noteForm(text)
    else for (const { name, value } of secretsInJson(text)) this.noteField(name, value)
  }

  /** Learns what a parameter or a field holds, where its name is that of a secret. */
  noteField(name: string, value: string): void {
    if (!isSecretName(name)) return
    if (/^(x-)?api[-_]?key$/i.test(name) && value.length >= minLength) this.#keys.add(value)
    this.note(value)
  }

  note(value: string | undefined): void {
    if (value !== undefined && value.length >= minLength && value !== redacted) this.#add(value)
  }

  /** Whether a key that was sent as such, in this call or before, stands in the text. */
  hasKey(text: string): boolean {
    for (const key of this.#keys) for (const form of this.#known.get(key) ?? []) if (text.includes(form)) return true
    return false
  }

  /** The text without any of the secrets, in each of their forms. */
  clean(text: string): string {
    let cleaned = text
    for (const form of this.#allForms()) if (cleaned.includes(form)) cleaned = cleaned.replaceAll(form, redacted)
    return cleaned
  }

  /** A header's value; that of one which carries a secret by its name is taken out whole. */
  cleanHeader(name: string, value: string): string {
    if (carriesSecret(name)) return redacted
    const isUrl = /^(content-)?location$|^referer$/i.test(name)
    return this.clean(isUrl ? this.cleanUrl(value) : redactBody(value, 'text/plain'))
  }

  /** A URL, absolute or not; a part of it that holds a secret in an encoding of its own goes whole. */
  cleanUrl(url: string): string {
    return this.clean(redactUrl(url)).replace(/[^/?&=#;,:]+/g, part => {
      if (!part.includes('%') && !part.includes('+')) return part
      const plain = decoded(part)
      return this.clean(plain) === plain ? part : redacted
    })
  }

  /** A body that is text; `isWhole` false: it was cut, maybe in the midst of a secret. */
  cleanBody(text: string, type: string, isWhole = true): string {
    const cleaned = this.clean(redactBody(text, type, value => this.clean(value)))
    return isWhole ? cleaned : this.#withoutStart(cleaned)
  }

  /** Every text in a value. */
  cleanDeep<T>(value: T): T {
    if (typeof value === 'string') return this.clean(value) as T
    if (Array.isArray(value)) return value.map(item => this.cleanDeep(item)) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.cleanDeep(item)])) as T
  }

  #withoutStart(text: string): string {
    for (const form of this.#allForms()) {
      for (let length = Math.min(form.length - 1, text.length); length >= minStart; length--)
        if (text.endsWith(form.slice(0, length))) return text.slice(0, -length) + redacted
    }
    return text
  }

  #noteHeaders(raw: readonly string[]): void {
    for (let i = 0; i < raw.length; i += 2) {
      const [name, value] = [(raw[i] as string).toLowerCase(), raw[i + 1] as string]
      if (name === 'cookie') for (const pair of value.split(';')) this.#noteCookie(pair)
      else if (name === 'set-cookie') this.#noteCookie(value.split(';', 1)[0] as string)
      else if (carriesSecret(name)) this.#noteValue(name, value)
    }
  }

  #noteValue(name: string, value: string): void {
    if (name === 'x-api-key' && value.length >= minLength) this.#keys.add(value)
    this.note(value)
    const [, scheme = '', rest = ''] = /^(\w+)\s+(.+)$/.exec(value) ?? []
    if (!name.endsWith('authorization') || rest === '') return
    this.note(rest)
    if (scheme.toLowerCase() !== 'basic') return
    const plain = Buffer.from(rest, 'base64').toString()
    this.note(plain)
    this.note(plain.slice(plain.indexOf(':') + 1))
  }

  #noteCookie(pair: string): void {
    const value = pair.slice(pair.indexOf('=') + 1).trim()
    if (value.length < minLength || this.#known.has(value)) return
    this.#add(value)
    this.#cookies.add(value)
    const [oldest] = this.#cookies
    if (this.#cookies.size <= maxCookies || oldest === undefined) return
    this.#cookies.delete(oldest)
    this.#known.delete(oldest)
    this.#forms = undefined
  }

  #noteForm(text: string): void {
    for (const pair of text.split('&')) {
      const at = pair.indexOf('=')
      if (at !== -1) this.noteField(decoded(pair.slice(0, at)), decoded(pair.slice(at + 1)))
    }
  }

  #add(value: string): void {
    this.#cookies.delete(value)
    if (this.#known.has(value)) return
    this.#known.set(value, formsOf(value))
    this.#forms = undefined
  }

  #allForms(): string[] {
    this.#forms ??= [...new Set([...this.#known.values()].flat())].sort((a, b) => b.length - a.length)
    return this.#forms
  }
}

/** As it is, in a URL, in a form, in JSON, in HTML; a header's bytes are read as Latin-1, a body's as UTF-8. */
function formsOf(value: string): string[] {
  const forms = new Set<string>()
  for (const text of [value, Buffer.from(value, 'latin1').toString().toWellFormed()]) {
    const encoded = encodeURIComponent(text.toWellFormed())
    forms.add(text)
    forms.add(encoded)
    forms.add(encoded.replace(/%../g, sign => sign.toLowerCase()))
    forms.add(encoded.replaceAll('%20', '+'))
    forms.add(JSON.stringify(text).slice(1, -1))
    forms.add(JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'))
    forms.add(text.replaceAll('&', '&amp;'))
  }
  return [...forms]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
