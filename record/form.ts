/**
 * A multipart form, taken apart while it streams by. Dicer is what Busboy reads parts with; Busboy itself would not say
 * whether a part had a Content-Type (UP-4).
 */
import type { Readable } from 'node:stream'
import { Dicer } from '@fastify/busboy'
import { boundaryOf, partDisposition } from '../base/multipart.ts'
import { isSecretName, redacted } from '../base/redaction.ts'
import type { HarParam } from '../recordings/har.ts'
import { firstOf, RecordedBody, type Store } from './body.ts'

/** A form of more parts is none of this API's. */
const maxParts = 1000

interface Part {
  name: string
  fileName: string | undefined
  contentType: string | undefined
  body: RecordedBody
  isWhole: boolean
  /** Resolves when all of it was read: Dicer may say that it has finished while a part still waits for the disk. */
  ended: Promise<void>
}

export interface KeptForm {
  params?: HarParam[]
  comment?: string
  /** Whether a key stood in one of its fields. */
  hasKey?: boolean
}

export class Form {
  size = 0
  readonly #store: Store
  readonly #parts: Part[] = []
  readonly #dicer: Dicer | undefined
  #problem: string | undefined
  #isRead = false

  constructor(store: Store, type: string) {
    this.#store = store
    const boundary = boundaryOf(type)
    if (boundary === undefined) {
      this.#problem = 'it has no boundary'
      return
    }
    this.#dicer = new Dicer({ boundary })
    this.#dicer.on('error', (error: Error) => {
      this.#problem ??= error.message
    })
    this.#dicer.on('finish', () => {
      this.#isRead = true
    })
    this.#dicer.on('part', part => this.#take(part))
  }

  /** A promise where the disk needs a while to take it. */
  push(chunk: Buffer): Promise<unknown> | undefined {
    this.size += chunk.length
    if (this.#dicer === undefined || this.#problem !== undefined || this.#isRead) return undefined
    return this.#dicer.write(chunk) ? undefined : this.#until('drain')
  }

  /** What is kept of it: no file of a form that was cut, nothing at all of one that can't be read. */
  async finish(isWhole: boolean): Promise<KeptForm> {
    if (isWhole && this.#dicer !== undefined && this.#problem === undefined) {
      if (!this.#isRead) {
        const over = this.#until('finish')
        this.#dicer.end()
        await over
      }
      if (this.#problem === undefined) await Promise.all(this.#parts.map(({ ended }) => ended))
    }
    const isRead = this.#isRead && this.#problem === undefined
    if (isWhole && !isRead) {
      for (const { body } of this.#parts) await body.discard()
      const why = this.#problem ?? 'it has no end'
      return { comment: `a form that can't be read (${why}): its ${this.size} bytes were not kept` }
    }
    const kept: KeptForm = { params: [] }
    for (const part of this.#parts) await this.#keep(part, isRead, kept)
    return kept
  }

  #take(stream: Readable): void {
    stream.on('error', () => {})
    stream.on('header', (header: Readonly<Record<string, string[] | undefined>>) => {
      const { name = '', filename: fileName } = partDisposition(utf8(header['content-disposition']?.[0] ?? ''))
      const contentType = header['content-type']?.[0]
      if (this.#parts.length >= maxParts) this.#problem ??= `it has more than ${maxParts} parts`
      const type = fileName === undefined ? (contentType ?? 'text/plain') : contentType
      const body = new RecordedBody(this.#store, { type, asFile: fileName !== undefined, isRequest: true })
      const part: Part = {
        name,
        fileName,
        contentType,
        body,
        isWhole: false,
        ended: new Promise(resolve => {
          stream.once('end', () => {
            part.isWhole = true
            resolve()
          })
        }),
      }
      if (this.#problem === undefined) this.#parts.push(part)
      stream.on('data', (chunk: Buffer) => {
        const wait = this.#problem === undefined ? body.push(chunk) : undefined
        if (wait === undefined) return
        stream.pause()
        wait.then(() => stream.resume())
      })
    })
  }

  async #keep({ name, fileName, contentType, body, isWhole }: Part, isRead: boolean, form: KeptForm): Promise<void> {
    const { secrets } = this.#store
    const common = { name: secrets.clean(name), ...(contentType !== undefined && { contentType }) }
    if (fileName === undefined && isSecretName(name)) {
      const value = body.peek()
      secrets.noteField(name, value)
      if (secrets.hasKey(value)) form.hasKey = true
      await body.discard()
      form.params?.push({ ...common, value: redacted })
      return
    }
    const { text, file, comment, hasKey } = await body.finish(isRead || isWhole, false)
    if (hasKey) form.hasKey = true
    if (comment !== undefined)
      form.comment = `${form.comment === undefined ? '' : `${form.comment}; `}${name}: ${comment}`
    form.params?.push({
      ...common,
      ...(fileName !== undefined && { fileName: secrets.clean(fileName) }),
      // A file's value is empty: some readers of HAR ask each parameter for one.
      ...(text !== undefined ? { value: text } : fileName !== undefined && { value: '' }),
      ...(file !== undefined && { _body_file: file }),
    })
  }

  /** Until then, or until it is clear that it will not come. */
  #until(event: 'drain' | 'finish'): Promise<unknown> {
    return firstOf(this.#dicer as Dicer, [...new Set([event, 'finish', 'close', 'error'])])
  }
}

/** Browsers and clients write a name's bytes as they are, in UTF-8. */
const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString()
