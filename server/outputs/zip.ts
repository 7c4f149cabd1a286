/** A png_sequence: the frames as a zip, stored as they are, since a PNG is packed already. */
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { Zip, type ZipInputFile } from 'fflate'

export interface ZipEntry {
  name: string
  chunks: Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>
}

/** So that the same frames make the same bytes. */
const writtenAt = new Date(2024, 0, 1)

/** The bytes of a zip, as its entries come. */
export async function* zipped(entries: Iterable<ZipEntry>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    ready.push(chunk)
  })
  for (const { name, chunks } of entries) {
    const file: ZipInputFile = { filename: name, size: 0, crc: 0, compression: 0, mtime: writtenAt }
    zip.add(file)
    for await (const chunk of chunks) {
      file.size += chunk.length
      file.crc = crc32(chunk, file.crc)
      file.ondata?.(null, chunk, false)
      yield* ready.splice(0)
    }
    file.ondata?.(null, new Uint8Array(), true)
    yield* ready.splice(0)
  }
  zip.end()
  yield* ready.splice(0)
}

/** Writes the PNG files of a folder, in the order of their names, to a zip; gives its bytes. A piece is in memory at a time. */
export async function zipFrames(folder: string, out: string, maxBytes: number, signal: AbortSignal): Promise<number> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.png')).sort(byLength)
  // Each is opened when it is its turn.
  function* frames() {
    for (const name of names) yield { name, chunks: createReadStream(join(folder, name), { signal }) }
  }
  let size = 0
  async function* counted() {
    for await (const chunk of zipped(frames())) {
      size += chunk.length
      if (size > maxBytes) throw new RangeError(`the frames take more than ${maxBytes} bytes`)
      yield chunk
    }
  }
  await pipeline(counted, createWriteStream(out), { signal })
  return size
}

/** frame_9999 comes before frame_10000. */
const byLength = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1)
