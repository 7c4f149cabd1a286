/**
 * The canned outputs, fitted to the length of a job: their frames are repeated or cut, and not decoded. Length right; size and
 * picture canned.
 */
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { unzipSync } from 'fflate'
import { outputsFolder } from '../../base/paths.ts'
import type { OutputFormat } from '../../contracts/schemas.ts'
import { outputName } from '../world/jobs.ts'
import { zipped } from './zip.ts'

/** What ships: 2 s of 25 frames each. */
const cannedFrames = 50
const frameMs = 40

/** How many frames the output of a job has; undefined where the canned output is as long as it is to be. */
export function framesToFit(durationMs: number): number | undefined {
  const frames = Math.round(durationMs / frameMs)
  return frames <= 0 || Math.abs(durationMs - cannedFrames * frameMs) <= frameMs ? undefined : frames
}

/** Roughly, in bytes. */
export async function sizeToFit(format: OutputFormat, frames: number): Promise<number> {
  const canned = await readFile(join(outputsFolder, outputName(format)))
  return (canned.length / cannedFrames) * frames
}

/** Writes the canned output with so many frames. */
export async function fitCanned(format: OutputFormat, frames: number, out: string): Promise<void> {
  const canned = join(outputsFolder, outputName(format))
  if (format === 'webm' || format === 'mp4' || format === 'mov') {
    // Loaded here, as few need it.
    const { loopFilm } = await import('./loop.ts')
    return loopFilm(format, canned, out, frames)
  }
  const bytes = await readFile(canned)
  await pipeline(writers[format](bytes, frames), createWriteStream(out))
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const writers = {
  gif: fitGif,
  webp: fitWebp,
  png_sequence: fitSequence,
} satisfies Partial<Record<OutputFormat, (bytes: Buffer, frames: number) => Chunks>>

/** GIF89a: what precedes the frames, the frames, the trailer. Each frame is disposed of before the next. */
function* fitGif(bytes: Buffer, count: number): Generator<Uint8Array> {
  const table = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  const afterBlocks = (from: number) => {
    let at = from
    for (let size = bytes.readUInt8(at); size > 0; size = bytes.readUInt8(at)) at += size + 1
    return at + 1
  }
  const frames: Uint8Array[] = []
  let at = 13 + table(bytes.readUInt8(10))
  let from = at
  let head = bytes.subarray(0, at)
  while (bytes.readUInt8(at) !== 0x3b) {
    if (bytes.readUInt8(at) === 0x21) {
      const isControl = bytes.readUInt8(at + 1) === 0xf9
      at = afterBlocks(at + 2)
      // That it plays without end, and the like.
      if (!isControl && frames.length === 0) {
        head = bytes.subarray(0, at)
        from = at
      }
    } else {
      at = afterBlocks(at + 10 + table(bytes.readUInt8(at + 9)) + 1)
      frames.push(bytes.subarray(from, at))
      from = at
    }
  }
  yield head
  yield* repeated(frames, count)
  yield bytes.subarray(at, at + 1)
}

/** RFC 9649: the chunk of each frame is ANMF. What is drawn anew from the first on does not blend with the last. */
function* fitWebp(bytes: Buffer, count: number): Generator<Uint8Array> {
  const head: Buffer[] = []
  const frames: Buffer[] = []
  for (let at = 12; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4)
    const end = at + 8 + size + (size % 2)
    const chunk = bytes.subarray(at, end)
    ;(bytes.toString('latin1', at, at + 4) === 'ANMF' ? frames : head).push(chunk)
    at = end
  }
  const [first, ...others] = frames as [Buffer, ...Buffer[]]
  const unblended = Buffer.from(first)
  unblended.writeUInt8(first.readUInt8(23) | 2, 23)
  const all = [...repeated([unblended, ...others], count)]
  const riff = Buffer.from(bytes.subarray(0, 12))
  riff.writeUInt32LE(4 + [...head, ...all].reduce((sum, { length }) => sum + length, 0), 4)
  yield riff
  yield* head
  yield* all
}

function fitSequence(bytes: Buffer, count: number): AsyncIterable<Uint8Array> {
  const found = unzipSync(bytes)
  const names = Object.keys(found).sort()
  const digits = Math.max(4, String(count).length)
  const entries = function* () {
    for (let i = 0; i < count; i++)
      yield {
        name: `frame_${String(i + 1).padStart(digits, '0')}.png`,
        chunks: [found[names[i % names.length] as string] as Uint8Array<ArrayBuffer>],
      }
  }
  return zipped(entries())
}

function* repeated<T>(frames: readonly T[], count: number): Generator<T> {
  for (let i = 0; i < count; i++) yield frames[i % frames.length] as T
}
