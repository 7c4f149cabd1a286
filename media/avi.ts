/**
 * How long an AVI plays, by counting its pictures: what its header says was often never filled in, as by whatever writes to
 * a pipe or was ended early, or is plainly wrong. Its index counts for it where there is one.
 */
import type { ByteWindow } from './byteWindow.ts'
import { type Frames, maxCounted } from './frames.ts'

/** RIFF's and a list's own head: name, size, kind. */
const listHead = 12
const chunkHead = 8
const indexEntry = 16

interface Stream {
  isVideo: boolean
  /** ms that a picture stays; 0: not said. */
  frameMs: number
}

export async function aviFrames(bytes: ByteWindow): Promise<Frames | undefined> {
  const streams: Stream[] = []
  let counted = new Map<number, number>()
  for (let at = 0, seen = 0; at + chunkHead <= bytes.size && seen < maxCounted; seen++) {
    const view = await bytes.at(at, 64)
    if (view.byteLength < listHead) break
    const [name, size, kind] = [fourCc(view, 0), view.getUint32(4, true), fourCc(view, 8)]
    // Lists that hold what is looked for are entered, whatever size they were given.
    const isOpen = name === 'RIFF' || (name === 'LIST' && ['hdrl', 'strl', 'movi', 'rec '].includes(kind))
    if (name === 'strh' && view.byteLength >= chunkHead + 36) streams.push(streamOf(view))
    const stream = pictureOf(name)
    if (stream !== undefined) counted.set(stream, (counted.get(stream) ?? 0) + 1)
    if (name === 'idx1' && counted.size === 0) counted = await countIndex(bytes, at + chunkHead, size)
    const end = at + chunkHead + size + (size % 2)
    // Ten minutes of pictures needn't be walked through where an index of them follows.
    const isIndexed = kind === 'movi' && (await nameAt(bytes, end)) === 'idx1'
    at = isOpen && !isIndexed ? at + listHead : end
  }
  const number = streams.findIndex(({ isVideo }) => isVideo)
  if (number === -1) return undefined
  const count = counted.get(number) ?? 0
  const ms = count * (streams[number] as Stream).frameMs
  return { count, ms: ms > 0 ? ms : undefined }
}

/** "00dc": a picture of stream 0, packed or not. */
function pictureOf(name: string): number | undefined {
  const [, stream] = /^(\d\d)d[bc]$/.exec(name) ?? []
  return stream === undefined ? undefined : Number(stream)
}

function streamOf(view: DataView): Stream {
  const [scale, rate] = [view.getUint32(chunkHead + 20, true), view.getUint32(chunkHead + 24, true)]
  return { isVideo: fourCc(view, chunkHead) === 'vids', frameMs: rate > 0 ? (scale * 1000) / rate : 0 }
}

async function nameAt(bytes: ByteWindow, at: number): Promise<string | undefined> {
  return at + chunkHead <= bytes.size ? fourCc(await bytes.at(at, chunkHead), 0) : undefined
}

async function countIndex(bytes: ByteWindow, from: number, size: number): Promise<Map<number, number>> {
  const counted = new Map<number, number>()
  const end = Math.min(from + size, bytes.size, from + indexEntry * maxCounted)
  for (let at = from; at + indexEntry <= end; at += indexEntry) {
    const stream = pictureOf(fourCc(await bytes.at(at, indexEntry), 0))
    if (stream !== undefined) counted.set(stream, (counted.get(stream) ?? 0) + 1)
  }
  return counted
}

const fourCc = (view: DataView, at: number): string =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3))
