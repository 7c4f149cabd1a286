/**
 * One body while it streams by: text is held back until it is whole, as a secret may lie across two chunks; what is not
 * text goes to a file beside the recording. Nothing of it is held in memory beyond 8 MiB.
 *
 * Uploaded and downloaded binary files are not searched for secrets: a video has none in it that we would know.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { type EventEmitter, once } from 'node:events'
import { createWriteStream, rmSync, type WriteStream } from 'node:fs'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import type { HarFile } from '../recordings/har.ts'
import { type HarWriter, maxInlineBytes } from '../recordings/write.ts'
import type { RecorderSecrets } from './secrets.ts'

/** A longer text can't be searched for secrets as a whole, and is not kept. */
export const maxTextBytes = 8 * 1024 * 1024

/** Where bodies go. */
export interface Store {
  writer: HarWriter
  secrets: RecorderSecrets
}

export interface BodyAbout {
  type: string | undefined
  /** Content-Encoding. */
  encoding?: string | undefined
  /** Kept as a file however small it is: a part of a form. */
  asFile?: boolean
  /** Whether it is the client's: what its fields hold of secrets is looked for elsewhere too. */
  isRequest?: boolean
}

/** What the recording holds of a body. */
export interface Kept {
  text?: string
  /** Where the body is not text. */
  encoding?: 'base64'
  file?: HarFile
  /** Its length when decoded, where that is not its size on the wire. */
  decodedSize?: number
  /** Whether a key stood in it. */
  hasKey?: boolean
  comment?: string
}

export class RecordedBody {
  /** Bytes so far. */
  size = 0
  readonly #store: Store
  readonly #about: BodyAbout
  readonly #hash = createHash('sha256')
  #chunks: Buffer[] = []
  #isText: boolean | undefined
  #file: WriteStream | undefined
  #problem: string | undefined
  #isOver = false

  constructor(store: Store, about: BodyAbout) {
    this.#store = store
    this.#about = about
    const isEncoded = about.encoding !== undefined && !/^identity$/i.test(about.encoding)
    if (isEncoded || isTextual(about.type)) this.#isText = true
    else if (about.type !== undefined) this.#isText = false
  }

  /** A promise where the disk needs a while to take it. */
  push(chunk: Buffer): Promise<unknown> | undefined {
    if (chunk.length === 0 || this.#isOver) return undefined
    this.size += chunk.length
    this.#hash.update(chunk)
    this.#isText ??= looksTextual(chunk)
    if (this.#problem !== undefined) return undefined
    if (this.#file !== undefined) return this.#write(chunk)
    // A chunk may be a part of a large buffer of the network's, which it would keep alive.
    this.#chunks.push(chunk)
    if (this.#isText) {
      if (this.size > maxTextBytes)
        this.#drop(`a text of more than ${maxTextBytes} bytes can't be searched for secrets: it was not kept`)
      return undefined
    }
    return this.#about.asFile || this.size > maxInlineBytes ? this.#spill() : undefined
  }

  /** What is in memory of it. */
  peek(): string {
    return Buffer.concat(this.#chunks).toString()
  }

  /** Keeps nothing of it. */
  async discard(): Promise<void> {
    this.#isOver = true
    this.#chunks = []
    if (this.#file !== undefined) rmSync(await this.#closeFile(), { force: true })
  }

  /** What is kept of it. `isWhole` false: it was cut. `keepPart` false: nothing of a file that was cut is kept. */
  async finish(isWhole: boolean, keepPart = true): Promise<Kept> {
    const isKept = isWhole || keepPart
    this.#isOver = true
    const sha256 = this.#hash.digest('hex')
    const unkept = { size: this.size, sha256 }
    if (this.#file !== undefined) {
      const path = await this.#closeFile()
      if (isKept && this.#problem === undefined) return { file: this.#store.writer.keep(path, sha256, this.size) }
      rmSync(path, { force: true })
    }
    if (this.#problem !== undefined) return { file: unkept, comment: this.#problem }
    const bytes = Buffer.concat(this.#chunks)
    this.#chunks = []
    if (!isKept && this.#about.asFile) return { file: unkept }
    return this.#isText ? this.#keepText(bytes, isWhole) : this.#keepBinary(bytes, isWhole)
  }

  #keepText(bytes: Buffer, isWhole: boolean): Kept {
    const { secrets, writer } = this.#store
    const plain = decoded(bytes, this.#about.encoding)
    if (plain === undefined)
      return {
        comment: `a body in the encoding ${this.#about.encoding} that can't be read: ${bytes.length} bytes were not kept`,
      }
    const isUnicode = isUtf8(plain)
    // Byte for byte where it is no UTF-8.
    const charset = isUnicode ? 'utf8' : 'latin1'
    const raw = plain.toString(charset)
    if (this.#about.isRequest) secrets.noteBody(raw, this.#about.type ?? '')
    const text = secrets.cleanBody(raw, this.#about.type ?? '', isWhole)
    const size = {
      ...(plain.length !== bytes.length && { decodedSize: plain.length }),
      ...(this.#about.isRequest && secrets.hasKey(raw) && { hasKey: true }),
    }
    const left = Buffer.from(text, charset)
    if (this.#about.asFile || left.length > maxInlineBytes) return { file: writer.keepBytes(left), ...size }
    return isUnicode ? { text, ...size } : { text: left.toString('base64'), encoding: 'base64', ...size }
  }

  /** A small one may be a text all the same, whatever it was called. */
  #keepBinary(bytes: Buffer, isWhole: boolean): Kept {
    if (this.#about.asFile) return { file: this.#store.writer.keepBytes(bytes) }
    if (isUtf8(bytes) && !bytes.includes(0)) return this.#keepText(bytes, isWhole)
    const left = this.#store.secrets.clean(bytes.toString('latin1'))
    return { text: Buffer.from(left, 'latin1').toString('base64'), encoding: 'base64' }
  }

  #spill(): Promise<unknown> | undefined {
    this.#file = createWriteStream(this.#store.writer.temporary(), { flags: 'wx' })
    this.#file.on('error', error => {
      this.#problem ??= `its bytes were not kept: ${error.message}`
    })
    const chunks = this.#chunks
    this.#chunks = []
    return this.#write(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
  }

  #write(chunk: Buffer): Promise<unknown> | undefined {
    const file = this.#file as WriteStream
    if (file.destroyed || file.write(chunk)) return undefined
    return firstOf(file, ['drain', 'close', 'error'])
  }

  async #closeFile(): Promise<string> {
    const file = this.#file as WriteStream
    const closed = file.closed ? undefined : once(file, 'close').catch(() => {})
    file.end()
    await closed
    return String(file.path)
  }

  #drop(why: string): void {
    this.#problem = why
    this.#chunks = []
  }
}

/** Resolves at the first of these events, and listens to none of them any longer. */
export function firstOf(emitter: EventEmitter, events: readonly string[]): Promise<void> {
  return new Promise(resolve => {
    const go = () => {
      for (const event of events) emitter.off(event, go)
      resolve()
    }
    for (const event of events) emitter.on(event, go)
  })
}

export const isTextual = (type: string | undefined): boolean =>
  type !== undefined && /^text\/|json|xml|html|javascript|urlencoded|yaml|graphql|csv/i.test(type)

/** Of what nobody has said what it is. The chunk may end within a character. */
function looksTextual(chunk: Buffer): boolean {
  const start = chunk.subarray(0, 1024)
  if (start.includes(0)) return false
  for (let less = 0; less < 4 && less < start.length; less++)
    if (isUtf8(start.subarray(0, start.length - less))) return true
  return false
}

/** Without its Content-Encoding; undefined where that can't be taken off. */
function decoded(bytes: Buffer, encoding: string | undefined): Buffer | undefined {
  const options = { maxOutputLength: maxTextBytes }
  try {
    if (encoding === undefined || /^identity$/i.test(encoding)) return bytes
    if (/^(x-)?gzip$/i.test(encoding)) return gunzipSync(bytes, options)
    if (/^deflate$/i.test(encoding)) return inflateSync(bytes, options)
    if (/^br$/i.test(encoding)) return brotliDecompressSync(bytes, options)
  } catch {
    // Broken, cut or too large.
  }
  return undefined
}
