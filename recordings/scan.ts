/** Finds the entries of a HAR in its bytes, however they come, without parsing them. */

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

/** A file that never comes to its entries is not kept in memory for that. */
const maxShellBytes = 16 * 1024 * 1024

export class EntryScanner {
  /** Where each entry begins, and how many bytes it has. */
  readonly offsets: number[] = []
  readonly lengths: number[] = []
  size = 0
  #shell: Buffer[] = []
  #shellBytes = 0
  #depth = 0
  #inString = false
  #escaped = false
  /** The key that a value is awaited for, by depth. */
  readonly #keys: string[] = []
  #text: number[] | undefined
  #last = ''
  /** The depth of log.entries while we are in there. */
  #entriesDepth = -1
  #entryAt = -1

  /** Where the entry begins that never ended. */
  get openEntryAt(): number | undefined {
    return this.#entryAt === -1 ? undefined : this.#entryAt
  }

  /** The file ended before all that it had opened was closed. */
  get isOpen(): boolean {
    return this.#depth > 0
  }

  /** All but the entries, as JSON. */
  get shell(): string {
    return Buffer.concat(this.#shell)
      .toString()
      .replace(/^\ufeff/, '')
  }

  push(chunk: Buffer): void {
    const from = this.size
    this.size += chunk.length
    let kept = this.#entriesDepth === -1 ? 0 : -1
    for (let i = 0; i < chunk.length; i++) {
      if (this.#inString) {
        i = this.#skipString(chunk, i)
        continue
      }
      const byte = chunk[i] as number
      if (byte === quote) {
        this.#inString = true
        if (this.#depth === this.#entriesDepth && this.#entryAt === -1) this.#entryAt = from + i
        this.#text = this.#depth <= 2 && this.#entriesDepth === -1 ? [] : undefined
      } else if (byte === colon) {
        if (this.#text !== undefined) this.#last = Buffer.from(this.#text).toString()
        this.#keys[this.#depth] = this.#last
      } else if (byte === openBrace || byte === openBracket) {
        if (this.#depth === this.#entriesDepth && this.#entryAt === -1) this.#entryAt = from + i
        this.#depth++
        if (byte === openBracket && this.#depth === 3 && this.#isEntries()) {
          this.#entriesDepth = 3
          this.#keep(chunk.subarray(kept, i + 1))
          kept = -1
        }
      } else if (byte === closeBrace || byte === closeBracket) {
        if (this.#depth === this.#entriesDepth) {
          this.#endBare(from + i)
          this.#entriesDepth = -1
          kept = i
        }
        this.#depth--
        if (this.#depth === this.#entriesDepth && this.#entryAt !== -1) this.#endEntry(from + i + 1)
      } else if (this.#depth === this.#entriesDepth) {
        if (byte === comma) this.#endBare(from + i)
        else if (this.#entryAt === -1 && byte > 0x20) this.#entryAt = from + i
      }
    }
    if (kept !== -1) this.#keep(chunk.subarray(kept))
  }

  /** From within a string to its end, or the chunk's; the place of the last byte that was read. */
  #skipString(chunk: Buffer, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] as number
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escaped = true
      else if (byte === quote) {
        this.#inString = false
        return i
      }
      if (this.#text !== undefined && this.#text.length < 100) this.#text.push(byte)
    }
    return chunk.length
  }

  #isEntries(): boolean {
    return this.#keys[1] === 'log' && this.#keys[2] === 'entries' && this.offsets.length === 0
  }

  #endEntry(end: number): void {
    this.offsets.push(this.#entryAt)
    this.lengths.push(end - this.#entryAt)
    this.#entryAt = -1
  }

  /** Something among the entries that is no object: parsing it says so. */
  #endBare(end: number): void {
    if (this.#entryAt !== -1) this.#endEntry(end)
  }

  #keep(bytes: Buffer): void {
    this.#shellBytes += bytes.length
    if (this.#shellBytes <= maxShellBytes) this.#shell.push(Buffer.from(bytes))
  }
}
