/**
 * The ids that a server gives: learnt where a recorded answer and the new one differ at the same place, and rewritten
 * wherever they come up later. Nothing is known of how an id looks.
 */

/** A field that holds what a server calls a thing by. A request_id is nobody's to send again. */
const idName = /^(id|url)$|_(id|url)$/
const isUrlName = (name: string): boolean => /(^|_)url$/.test(name)
export const isIdName = (name: string): boolean => idName.test(name) && name !== 'request_id'

/** A shorter text is too common to be taken for an id wherever it stands. */
const minLength = 6
const word = /[\w-]+/g

export interface Bases {
  /** Recorded and new base URL, without a slash at the end. */
  from: string
  to: string
}

/** Why an id is not known: the call that should have brought it. */
export interface Lost {
  call: number
  what: string
  /** The calls at the same time, of which another one may have brought it. */
  group: number
}

export class Ids {
  readonly #bases: Bases
  readonly #new = new Map<string, string>()
  readonly #taken = new Set<string>()
  readonly #lost = new Map<string, Lost>()

  constructor(bases: Bases) {
    this.#bases = bases
  }

  get size(): number {
    return this.#new.size
  }

  /** Walks two answers side by side: first the ids, then the URLs that are not made of them. */
  learn(recorded: unknown, found: unknown): void {
    walk(recorded, found, (name, old, now) => isIdName(name) && !isUrlName(name) && this.set(old, now))
    walk(recorded, found, (name, old, now) => {
      if (isUrlName(name) && name !== 'webhook_url' && this.text(old) !== now) this.set(old, now)
    })
  }

  /** First wins, and nothing new stands for two things that were recorded. */
  set(old: string, now: string): void {
    if (old === now || this.#new.has(old) || this.#taken.has(now)) return
    this.#new.set(old, now)
    this.#taken.add(now)
    this.#lost.delete(old)
  }

  has(old: string): boolean {
    return this.#new.has(old)
  }

  /** Remembers what an answer should have brought and has not. */
  lose(recorded: unknown, lost: Lost): void {
    walk(recorded, undefined, (name, old) => {
      if (isIdName(name) && name !== 'webhook_url' && old !== '' && !this.#new.has(old) && !this.#lost.has(old))
        this.#lost.set(old, lost)
    })
  }

  /** The first thing in a text that never came. */
  lostIn(text: string): Lost | undefined {
    if (this.#lost.size === 0) return undefined
    const whole = this.#lost.get(text)
    if (whole) return whole
    for (const [part] of text.matchAll(word)) {
      const found = this.#lost.get(part)
      if (found) return found
    }
    return undefined
  }

  /** A text as it is to be sent now: a known URL or id as such, or those in it. */
  text(old: string): string {
    const whole = this.#new.get(old)
    if (whole !== undefined && (old.length >= minLength || old.includes('://'))) return whole
    const moved = old.includes(this.#bases.from) ? this.#moved(old) : old
    return moved.replace(word, part => (part.length < minLength ? part : (this.#new.get(part) ?? part)))
  }

  #moved(text: string): string {
    const { from, to } = this.#bases
    let moved = ''
    let at = 0
    for (let next = text.indexOf(from); next !== -1; next = text.indexOf(from, at)) {
      const end = next + from.length
      // A longer port or host is another server.
      const isWhole = end === text.length || !/[\w.-]/.test(text[end] as string)
      moved += text.slice(at, next) + (isWhole ? to : from)
      at = end
    }
    return moved + text.slice(at)
  }

  /** A value of a JSON body; the webhook's address is the client's own. */
  json(value: unknown, name = ''): unknown {
    if (typeof value === 'string') {
      if (name === 'webhook_url') return value
      return isIdName(name) ? (this.#new.get(value) ?? this.text(value)) : this.text(value)
    }
    if (Array.isArray(value)) return value.map(item => this.json(item, name))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.json(item, key)]))
  }

  /** An absolute URL as it is to be asked for now. */
  url(old: string): string {
    const whole = this.#new.get(old)
    if (whole !== undefined) return whole
    const at = old.indexOf('?')
    const [path, query] = at === -1 ? [old, ''] : [old.slice(0, at), old.slice(at)]
    const start = path.startsWith(this.#bases.from) ? this.#bases.from : ''
    const parts = path
      .slice(start.length)
      .split('/')
      .map(part => this.#segment(part))
    return (start === '' ? '' : this.#bases.to) + parts.join('/') + this.text(query)
  }

  #segment(part: string): string {
    const known = this.#new.get(part) ?? this.#new.get(decoded(part))
    return known === undefined ? this.text(part) : encodeURIComponent(known)
  }
}

type Look = (name: string, old: string, now: string) => void

/** Calls `look` for each text of the recorded value that is another one, or missing, in the new value. */
function walk(recorded: unknown, found: unknown, look: Look, name = ''): void {
  if (typeof recorded === 'string') {
    if (typeof found === 'string' ? found !== recorded : found === undefined) look(name, recorded, String(found ?? ''))
  } else if (Array.isArray(recorded)) {
    const list = Array.isArray(found) ? found : []
    for (const [i, item] of recorded.entries()) {
      if (found === undefined || i < list.length) walk(item, list[i], look, name)
    }
  } else if (typeof recorded === 'object' && recorded !== null) {
    const other = (typeof found === 'object' && found !== null ? found : {}) as Record<string, unknown>
    for (const [key, item] of Object.entries(recorded)) {
      if (found === undefined || key in other) walk(item, other[key], look, key)
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
