/**
 * Is a file what its name says, whole, and how long does it play? Told by its structure, so that half a file, or one in
 * another container, is noticed. A picture's own data is not decoded.
 */
import type { OutputFormat } from '../contracts/schemas.ts'
import { unsigned, vint } from './ebml.ts'

export interface Container {
  /** undefined: bytes of nothing that is documented. */
  format: OutputFormat | undefined
  /** What is wrong with it: it ends too early, or has no picture in it. */
  problem: string | undefined
  /** Seconds that it plays; undefined where the file does not say. */
  seconds: number | undefined
}

export function inspect(bytes: Uint8Array): Container {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const format = formatOf(bytes, view)
    if (format === undefined) return { format, problem: describe(bytes), seconds: undefined }
    return { format, problem: undefined, seconds: undefined, ...readers[format](bytes, view) }
  } catch (error) {
    // Every reader walks by the lengths that the file gives: past its end it is cut.
    if (error instanceof RangeError)
      return { format: formatOf(bytes, view), problem: 'it ends too early', seconds: undefined }
    throw error
  }
}

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length))

function describe(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty'
  const head = ascii(bytes, 0, 12).replace(/[^\x20-\x7e]/g, '.')
  return `it begins with ${JSON.stringify(head)}, which no documented format does`
}

function formatOf(bytes: Uint8Array, view: DataView): OutputFormat | undefined {
  if (bytes.length < 12) return undefined
  const head = ascii(bytes, 0, 4)
  if (ascii(bytes, 4, 4) === 'ftyp') return ascii(bytes, 8, 4).startsWith('qt') ? 'mov' : 'mp4'
  // An older QuickTime file has no ftyp.
  if (['moov', 'mdat', 'wide'].includes(ascii(bytes, 4, 4))) return 'mov'
  if (view.getUint32(0) === 0x1a45dfa3) return 'webm'
  if (head === 'GIF8') return 'gif'
  if (head === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP') return 'webp'
  if (head === 'PK\x03\x04') return 'png_sequence'
  return undefined
}

type Reader = (bytes: Uint8Array, view: DataView) => Partial<Container>

const readers: Record<OutputFormat, Reader> = {
  mp4: readMp4,
  mov: readMp4,
  webm: readWebm,
  gif: readGif,
  webp: readWebp,
  png_sequence: readZip,
}

/** ISO/IEC 14496-12: boxes, each with its size; the film's length is in moov/mvhd. */
function readMp4(bytes: Uint8Array, view: DataView): Partial<Container> {
  let seconds: number | undefined
  let hasMedia = false
  for (const { type, from, to } of boxes(bytes, view, 0, bytes.length)) {
    if (type === 'mdat') hasMedia = true
    if (type !== 'moov') continue
    for (const inner of boxes(bytes, view, from, to))
      if (inner.type === 'mvhd') seconds = movieSeconds(view, inner.from)
  }
  if (seconds === undefined) return { problem: 'it has no moov box, so nothing can play it' }
  return hasMedia ? { seconds } : { problem: 'it has no mdat box: no pictures are in it', seconds }
}

function* boxes(bytes: Uint8Array, view: DataView, from: number, to: number) {
  for (let at = from; at < to; ) {
    const short = view.getUint32(at)
    const head = short === 1 ? 16 : 8
    const size = short === 1 ? Number(view.getBigUint64(at + 8)) : short === 0 ? to - at : short
    if (size < head || at + size > to) throw new RangeError()
    yield { type: ascii(bytes, at + 4, 4), from: at + head, to: at + size }
    at += size
  }
}

function movieSeconds(view: DataView, at: number): number {
  const isLong = view.getUint8(at) === 1
  const scale = view.getUint32(at + (isLong ? 20 : 12))
  const length = isLong ? Number(view.getBigUint64(at + 24)) : view.getUint32(at + 16)
  return length / scale
}

/** RFC 8794: elements, each with id and size; the length is in Segment/Info/Duration. */
function readWebm(bytes: Uint8Array, view: DataView): Partial<Container> {
  let seconds: number | undefined
  let hasMedia = false
  let last = 0
  for (const { id, from, to } of elements(view, 0, bytes.length)) {
    if (id !== 0x18538067) continue
    for (const inner of elements(view, from, to)) {
      if (inner.id === 0x1549a966) seconds = infoSeconds(view, inner.from, inner.to)
      if (inner.id === 0x1f43b675) {
        hasMedia = true
        for (const part of elements(view, inner.from, inner.to)) {
          if (part.id === 0xe7) last = unsigned(view, part.from, part.to)
        }
      }
    }
  }
  if (!hasMedia) return { problem: 'it has no cluster: no pictures are in it' }
  // A live recording says no duration; its last cluster's time is the least that it plays.
  return { seconds: seconds ?? last / 1000 }
}

function* elements(view: DataView, from: number, to: number) {
  for (let at = from; at < to; ) {
    const id = vint(view, at, true)
    const size = vint(view, at + id.length, false)
    const start = at + id.length + size.length
    const end = size.unknown ? to : start + size.value
    if (end > to) throw new RangeError()
    yield { id: id.value, from: start, to: end }
    at = end
  }
}

function infoSeconds(view: DataView, from: number, to: number): number | undefined {
  let scale = 1_000_000
  let ticks: number | undefined
  for (const { id, from: start, to: end } of elements(view, from, to)) {
    if (id === 0x2ad7b1) scale = unsigned(view, start, end)
    if (id === 0x4489) ticks = end - start === 4 ? view.getFloat32(start) : view.getFloat64(start)
  }
  return ticks === undefined ? undefined : (ticks * scale) / 1e9
}

/** GIF89a: blocks up to the trailer; a picture's delay is in the control block before it, in hundredths. */
function readGif(_bytes: Uint8Array, view: DataView): Partial<Container> {
  const table = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  let at = 13 + table(view.getUint8(10))
  let frames = 0
  let hundredths = 0
  for (;;) {
    const block = view.getUint8(at++)
    if (block === 0x3b) break
    if (block === 0x21) {
      if (view.getUint8(at) === 0xf9) hundredths += view.getUint16(at + 3, true)
      at = afterBlocks(view, at + 1)
    } else if (block === 0x2c) {
      frames++
      at = afterBlocks(view, at + 9 + table(view.getUint8(at + 8)) + 1)
    } else return { problem: 'a block of it is not a GIF block' }
  }
  return frames === 0 ? { problem: 'it has no picture' } : { seconds: hundredths / 100 }
}

function afterBlocks(view: DataView, from: number): number {
  let at = from
  for (let size = view.getUint8(at); size > 0; size = view.getUint8(at)) at += size + 1
  return at + 1
}

/** RFC 9649: chunks; each ANMF is a frame with its duration in ms. */
function readWebp(bytes: Uint8Array, view: DataView): Partial<Container> {
  const end = 8 + view.getUint32(4, true)
  if (end > bytes.length) throw new RangeError()
  let pictures = 0
  let ms = 0
  for (let at = 12; at + 8 <= end; ) {
    const type = ascii(bytes, at, 4)
    const size = view.getUint32(at + 4, true)
    if (at + 8 + size > end) throw new RangeError()
    if (type.startsWith('VP8') && type !== 'VP8X') pictures++
    if (type === 'ANMF') {
      pictures++
      ms += view.getUint16(at + 20, true) + view.getUint8(at + 22) * 65_536
    }
    at += 8 + size + (size % 2)
  }
  return pictures === 0 ? { problem: 'it has no picture' } : { seconds: ms / 1000 }
}

/** APPNOTE 6.3: the directory at the end, whose entries have to be PNG files. Nothing in it says how long a picture stays. */
function readZip(bytes: Uint8Array, view: DataView): Partial<Container> {
  let end = bytes.length - 22
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--
  if (end < 0) return { problem: 'it ends too early: it has no directory' }
  const entries = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  let pictures = 0
  for (let i = 0; i < entries; i++) {
    if (view.getUint32(at, true) !== 0x02014b50) return { problem: 'its directory is broken' }
    const nameLength = view.getUint16(at + 28, true)
    const name = ascii(bytes, at + 46, nameLength)
    const local = view.getUint32(at + 42, true)
    if (view.getUint32(local, true) !== 0x04034b50) return { problem: `${name} is not where the directory says` }
    if (/\.png$/i.test(name)) pictures++
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return pictures === 0 ? { problem: 'it has no PNG file' } : { seconds: undefined }
}
