/**
 * The links of what goes through: the client sees the target's URLs as the recorder's own, so that it comes back through
 * the recorder; in what it sends they are the target's again, which would not know the recorder's.
 */

/** Larger JSON goes through as it is. */
export const maxLinkedBytes = 1024 * 1024

/** The text with one base URL in place of another, wherever it is the whole of a URL's beginning. */
export class Links {
  readonly #froms: readonly string[]
  readonly #to: string
  readonly #pattern: RegExp
  /** What may be the beginning of a URL: text, byte for byte. */
  #held = ''
  /** By how much it has become longer so far. */
  delta = 0

  constructor(froms: readonly string[], to: string) {
    // JSON may write a slash as \/.
    this.#froms = [...new Set(froms.flatMap(from => [from, escaped(from)]))]
    this.#to = to
    const any = this.#froms.map(from => from.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')
    this.#pattern = new RegExp(`(?:${any})(?![\\w.~%:@-])`, 'g')
  }

  /** As much as can be told by now. */
  push(chunk: Buffer): Buffer {
    const text = this.#held + chunk.toString('latin1')
    const held = this.#openEnd(text)
    this.#held = held === 0 ? '' : text.slice(-held)
    return this.#swap(held === 0 ? text : text.slice(0, -held))
  }

  end(): Buffer {
    const rest = this.#held
    this.#held = ''
    return this.#swap(rest)
  }

  #swap(text: string): Buffer {
    const swapped = text.replace(this.#pattern, from => (from.includes('\\/') ? escaped(this.#to) : this.#to))
    this.delta += swapped.length - text.length
    return Buffer.from(swapped, 'latin1')
  }

  /** Signs at the end that a URL may go on from: also a whole one, whose next sign decides. */
  #openEnd(text: string): number {
    let longest = 0
    for (const from of this.#froms) {
      for (let length = Math.min(from.length, text.length); length > longest; length--)
        if (from.startsWith(text.slice(-length))) longest = length
    }
    return longest
  }
}

const escaped = (url: string): string => url.replaceAll('/', '\\/')

/** A URL of a header; what does not begin with the base stays. */
export function linkFrom(url: string, from: string, to: string): string {
  if (!url.startsWith(from)) return url
  const rest = url.slice(from.length)
  return rest === '' || /^[/?#]/.test(rest) ? to + rest : url
}
