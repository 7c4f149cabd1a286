/** A file of any size, looked at here and there: what lies around a place is read at once and kept till the next place. */
import { type FileHandle, open } from 'node:fs/promises'

/** Enough for many small pictures, and little where one is passed over after the other. */
const windowBytes = 16 * 1024

export class ByteWindow {
  readonly size: number
  readonly #file: FileHandle
  #from = 0
  #view: DataView = new DataView(new ArrayBuffer(0))

  private constructor(file: FileHandle, size: number) {
    this.#file = file
    this.size = size
  }

  static async open(path: string): Promise<ByteWindow> {
    const file = await open(path)
    const { size } = await file.stat()
    return new ByteWindow(file, size)
  }

  /** The bytes from a place on: at least `length` of them, or as many as there are up to the file's end. */
  async at(position: number, length: number): Promise<DataView> {
    const isThere = position >= this.#from && position + length <= this.#from + this.#view.byteLength
    if (!isThere) {
      const bytes = await this.read(Math.max(length, windowBytes), position)
      this.#from = position
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    return new DataView(this.#view.buffer, this.#view.byteOffset + position - this.#from)
  }

  /** The bytes themselves, fewer at the file's end. */
  async read(length: number, position: number): Promise<Uint8Array> {
    const { buffer, bytesRead } = await this.#file.read(new Uint8Array(length), 0, length, position)
    return buffer.subarray(0, bytesRead)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close()
  }
}
