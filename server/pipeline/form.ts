/**
 * An upload's form (multipart/form-data, RFC 7578). @fastify/multipart reads it; this looks on as its bytes pass by, for what
 * the parser keeps to itself: how a part's header is written, and that a body has come to its end without the form's.
 */
import type { Multipart, MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { boundaryOf, type PartDisposition, partDisposition } from '../../base/multipart.ts'
import { apiError } from '../errors.ts'

/** What stands before a part's content, at most. */
const maxHeadBytes = 16 * 1024
const lineEnd = Buffer.from('\r\n')
const headEnd = Buffer.from('\r\n\r\n')

/** A part of a form: a file, or a text. */
export interface FormPart {
  name: string
  filename: string | undefined
  /** In lower case, without parameters; undefined where it says none (UP-4). */
  type: string | undefined
  /** undefined for a text. */
  file: MultipartFile['file'] | undefined
}

export const tooLarge = (maxBytes: number) => apiError('file_too_large', `expected at most ${maxBytes} bytes`)

type Head = PartDisposition & Pick<FormPart, 'type'>

/** Each part is to be read before the next is asked for. Throws a plain Error that says what is broken. */
export async function* readForm(
  request: FastifyRequest,
  limits: { files: number; fields: number; parts: number; fileSize: number },
): AsyncGenerator<FormPart, void> {
  const onlooker = new FormOnlooker(request, limits.fileSize)
  const parts = request.parts({ limits })
  for (;;) {
    const next = parts.next()
    const isOver = await Promise.race([next.then(() => false), onlooker.over.then(() => true)])
    // What comes after the last boundary is nobody's, and may never end.
    if (isOver && !onlooker.hasMore) return
    const { value: part, done } = await next
    if (done) return
    yield onlooker.seen(part as Multipart)
  }
}

class FormOnlooker {
  /** Resolves when too much comes after the last boundary; rejects when the body can no longer become a whole form. */
  readonly over: Promise<void>
  readonly #boundary: Buffer
  readonly #heads: Head[] = []
  /** What was not looked at yet. The line end belongs to the boundary, and the first boundary may have none before it. */
  #held: Buffer = lineEnd
  #where: 'content' | 'boundary' | 'head' | 'end' = 'content'
  #file: MultipartFile['file'] | undefined
  readonly #maxBytes: number
  /** Bytes before the first boundary, and after the last. */
  #outside = 0
  /** The first boundary has come. */
  #isInside = false

  constructor({ raw, headers }: FastifyRequest, maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#boundary = Buffer.from(`\r\n--${boundaryOf(headers['content-type'] ?? '') ?? ''}`, 'latin1')
    this.over = new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        if (this.#where === 'end') return
        this.#where = 'end'
        reject(error)
        // Whoever reads it waits for a parser that may wait for ever.
        this.#file?.destroy(error)
      }
      // Before the parser's own: a part's header is known when its part is.
      raw.on('data', chunk => {
        if (this.#where !== 'end') this.#look(chunk, fail)
        else this.#outside += chunk.length
        if (this.#where === 'end' && this.#outside > this.#maxBytes) resolve()
      })
      raw.once('end', () => fail(new Error('it has arrived whole, without its closing boundary')))
    })
    this.over.catch(() => {})
  }

  /** Whether there are parts that the parser has not given yet. */
  get hasMore(): boolean {
    return this.#heads.length > 0
  }

  /** A part that the parser has found, with its header as it was written. */
  seen(part: Multipart): FormPart {
    const { filename, type } = this.#heads.shift() ?? { filename: undefined, type: undefined }
    this.#file = part.type === 'file' ? part.file : undefined
    return { name: part.fieldname, filename, type, file: this.#file }
  }

  #look(chunk: Buffer, fail: (error: Error) => void): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    while (this.#step(fail)) {}
  }

  /** Looks at what is there; whether there may be more in it. */
  #step(fail: (error: Error) => void): boolean {
    if (this.#where === 'end') return false
    if (this.#where === 'boundary') {
      if (this.#held.length < 2) return false
      const next = this.#held.toString('latin1', 0, 2)
      this.#where = next === '--' ? 'end' : 'head'
      if (next === '--' || next === '\r\n') return true
      // No client writes the blanks that RFC 2046 allows here, and the parser reads no part behind them.
      fail(new Error(`a boundary is followed by ${JSON.stringify(next)}; expected CRLF, or "--" behind the last one`))
      return false
    }
    const [sought, next] =
      this.#where === 'content' ? [this.#boundary, 'boundary' as const] : [headEnd, 'content' as const]
    const at = this.#held.indexOf(sought)
    if (next === 'content') {
      const head = this.#held.subarray(0, at === -1 ? this.#held.length : at)
      const problem = this.#problemOf(head) ?? (at === -1 ? undefined : this.#note(head.toString()))
      if (problem !== undefined) {
        fail(new Error(problem))
        return false
      }
    }
    if (at !== -1) {
      this.#held = this.#held.subarray(at + sought.length)
      this.#where = next
      this.#isInside = true
    } else if (next === 'boundary') {
      // Its beginning may be there.
      const passed = Math.max(0, this.#held.length - sought.length + 1)
      this.#held = this.#held.subarray(passed)
      // A part's own size is the parser's matter.
      if (!this.#isInside) this.#outside += passed
      if (this.#outside > this.#maxBytes) fail(tooLarge(this.#maxBytes))
    }
    return at !== -1
  }

  #problemOf(head: Buffer): string | undefined {
    if (head.length > maxHeadBytes)
      return `the header of a part has no empty line (CRLF CRLF) within ${maxHeadBytes} bytes`
    return head.includes(this.#boundary) ? 'a part ends within its header' : undefined
  }

  /** Keeps what a part's header says, or gives what is wrong with it. */
  #note(head: string): string | undefined {
    const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
    const fieldOf = (name: string) =>
      lines.find(line => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1)
    try {
      const disposition = partDisposition(fieldOf('content-disposition') ?? '')
      const type = fieldOf('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
      // RFC 7578, 4.2 asks each part for both.
      if (disposition.disposition !== 'form-data' || disposition.name === undefined)
        return 'a part has no Content-Disposition: form-data with a name'
      this.#heads.push({ ...disposition, type: type || undefined })
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }
}
