/** A form (multipart/form-data, RFC 7578), read part by part as it arrives. */
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type PartDisposition, partDisposition } from './multipart.ts'

/** What stands before a part's content. */
const maxHeadBytes = 16 * 1024
const lineEnd = Buffer.from('\r\n')
const headEnd = Buffer.from('\r\n\r\n')

/** A part of a form: a file, or a text where it has no filename. */
export interface ArrivingPart extends PartDisposition {
  /** Its Content-Type as it was sent; undefined where it says none (UP-4). */
  type: string | undefined
  content: Readable
}

export interface FormLimits {
  maxParts: number
  /** A part of more bytes fails with what tooLarge makes. */
  maxPartBytes?: number
  tooLarge?: (maxBytes: number) => Error
}

/**
 * Nothing is read that nobody asks for, and a body that has come to its end has a verdict at once, whatever is missing in
 * it: no parser is waited for that waits itself.
 */
export class FormReader {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #boundary: Buffer
  readonly #limits: FormLimits
  /** Read, and not handed on. The line end belongs to the boundary, and the first boundary may have none before it. */
  #held: Buffer = lineEnd

  constructor(body: Readable, boundary: string, limits: FormLimits) {
    this.#chunks = body.iterator({ destroyOnReturn: false })
    this.#boundary = Buffer.from(`\r\n--${boundary}`, 'latin1')
    this.#limits = limits
  }

  /** Each part is to be read before the next is asked for. Throws a plain Error that says what is broken. */
  async *parts(): AsyncGenerator<ArrivingPart, void> {
    const { maxParts, maxPartBytes } = this.#limits
    try {
      await this.#pass(this.#contentOf(maxPartBytes))
      for (let count = 1; !(await this.#isClosed()); count++) {
        if (count > maxParts) throw new Error(`it has more than ${maxParts} parts`)
        const head = headOf(await this.#head())
        const content = this.#contentOf(maxPartBytes)
        yield { ...head, content }
        if (!content.readableEnded) await this.#pass(content)
      }
      await this.#rest(maxHeadBytes)
    } finally {
      // A client that is still sending is let finish, so that it gets to see the answer.
      this.#rest().catch(() => {})
    }
  }

  #contentOf(maxBytes?: number): Readable {
    // Whoever reads it meets its error; with nobody there, it is none of the process.
    return Readable.from(this.#untilBoundary(maxBytes), { objectMode: false }).on('error', () => {})
  }

  async *#untilBoundary(maxBytes = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer, void> {
    let left = maxBytes
    for (;;) {
      const at = this.#held.indexOf(this.#boundary)
      // Where none is, one may have begun at the end of what is there.
      const sure = at === -1 ? Math.max(0, this.#held.length - this.#boundary.length + 1) : at
      left -= sure
      if (left < 0) throw this.#limits.tooLarge?.(maxBytes) ?? new Error(`a part has more than ${maxBytes} bytes`)
      const content = this.#held.subarray(0, sure)
      this.#held = this.#held.subarray(at === -1 ? sure : at + this.#boundary.length)
      if (sure > 0) yield content
      if (at !== -1) return
      await this.#readMore()
    }
  }

  /** Whether the boundary that was read is the last one. */
  async #isClosed(): Promise<boolean> {
    while (this.#held.length < 2) await this.#readMore()
    return this.#held.toString('latin1', 0, 2) === '--'
  }

  /** From behind the boundary to the empty line. */
  async #head(): Promise<string> {
    let end = this.#held.indexOf(headEnd)
    while (end === -1 && this.#held.length <= maxHeadBytes) {
      await this.#readMore()
      end = this.#held.indexOf(headEnd)
    }
    if (end === -1 || end > maxHeadBytes)
      throw new Error(`the header of a part has no empty line (CRLF CRLF) within ${maxHeadBytes} bytes`)
    const head = this.#held.subarray(0, end)
    this.#held = this.#held.subarray(end + headEnd.length)
    if (head.includes(this.#boundary)) throw new Error('a part ends within its header')
    return head.toString()
  }

  async #readMore(): Promise<void> {
    // What a client that goes away leaves behind is a broken form like others.
    const { value, done } = await this.#chunks.next().catch(error => {
      throw new Error(error.message)
    })
    if (done) throw new Error('it has arrived whole, without its closing boundary')
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value])
  }

  async #pass(content: Readable): Promise<void> {
    await finished(content.resume())
  }

  /** Reads what follows and throws it away, up to `maxBytes` and what comes with them. */
  async #rest(maxBytes = Number.POSITIVE_INFINITY): Promise<void> {
    for (let left = maxBytes; left > 0; ) {
      const { value, done } = await this.#chunks.next()
      if (done) return
      left -= value.length
    }
  }
}

function headOf(head: string): PartDisposition & Pick<ArrivingPart, 'type'> {
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  const fieldOf = (name: string) =>
    lines.find(line => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1)
  const type = fieldOf('content-type')?.trim()
  return { ...partDisposition(fieldOf('content-disposition') ?? ''), type: type === '' ? undefined : type }
}
