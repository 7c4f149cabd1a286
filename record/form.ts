/** A multipart form, taken apart while it streams by. */
import { PassThrough } from 'node:stream'
import { FormReader } from '../base/form.ts'
import { boundaryOf } from '../base/multipart.ts'
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
  readonly #bytes = new PassThrough()
  /** Resolves when its end was read, or what it can't be read for. */
  readonly #reading: Promise<void> | undefined
  #problem: string | undefined

  constructor(store: Store, type: string) {
    this.#store = store
    const boundary = boundaryOf(type)
    if (boundary === undefined) this.#problem = 'it has no boundary'
    else
      this.#reading = this.#read(boundary).catch(error => {
        this.#problem ??= error.message
      })
  }

  /** A promise where the disk needs a while to take it. */
  push(chunk: Buffer): Promise<unknown> | undefined {
    this.size += chunk.length
    if (this.#problem !== undefined) return undefined
    return this.#bytes.write(chunk) ? undefined : firstOf(this.#bytes, ['drain'])
  }

  /** What is kept of it: no file of a form that was cut, nothing at all of one that can't be read. */
  async finish(isWhole: boolean): Promise<KeptForm> {
    this.#bytes.end()
    await this.#reading
    if (isWhole && this.#problem !== undefined) {
      for (const { body } of this.#parts) await body.discard()
      return { comment: `a form that can't be read (${this.#problem}): its ${this.size} bytes were not kept` }
    }
    const kept: KeptForm = { params: [] }
    const isRead = this.#problem === undefined
    for (const part of this.#parts) await this.#keep(part, isRead, kept)
    return kept
  }

  async #read(boundary: string): Promise<void> {
    for await (const arriving of new FormReader(this.#bytes, boundary, { maxParts }).parts()) {
      const { name = '', filename: fileName, type: contentType, content } = arriving
      const type = fileName === undefined ? (contentType ?? 'text/plain') : contentType
      const body = new RecordedBody(this.#store, { type, asFile: fileName !== undefined, isRequest: true })
      const part: Part = { name, fileName, contentType, body, isWhole: false }
      this.#parts.push(part)
      for await (const chunk of content) await body.push(chunk)
      part.isWhole = true
    }
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
}
