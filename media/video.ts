/** What a video is, told by its bytes and not by what it claims: its type, and how long it is. */
import { open } from 'node:fs/promises'
import type { MediaInfo, MediaInfoResult } from 'mediainfo.js'
import { type VideoType, videoTypes } from '../contracts/schemas.ts'

/** A type is known by this many bytes at the most. */
export const sniffBytes = 4100

/** file-type's names, where they differ from the documented ones of UP-2. */
const sameType: Record<string, VideoType> = { 'video/vnd.avi': 'video/x-msvideo', 'video/x-m4v': 'video/mp4' }

/** The documented type that the first bytes are of, or what else they are (UP-2, UP-4). */
export async function sniff(head: Uint8Array): Promise<{ type: VideoType } | { found: string }> {
  // Loaded with the first upload: most runs of the mock never see one, and all would wait for it.
  const { fileTypeFromBuffer } = await import('file-type')
  const found = await fileTypeFromBuffer(head)
  if (!found) return { found: 'bytes of no known video format' }
  const mime = sameType[found.mime] ?? found.mime
  return isVideoType(mime) ? { type: mime } : { found: mime }
}

export const isVideoType = (mime: string): mime is VideoType => mime in videoTypes

/** The type that a file name's extension stands for, if it has one that does (UP-4). */
export function typeOfName(filename: string): VideoType | undefined {
  const extension = /\.([^.]+)$/.exec(filename)?.[1]?.toLowerCase()
  return (Object.keys(videoTypes) as VideoType[]).find(type => videoTypes[type].some(known => known === extension))
}

let reader: Promise<MediaInfo<'object'>> | undefined
let busy: Promise<unknown> = Promise.resolve()

/** Lengths by what is in the file: a load sends the same clip thousands of times, and reading one takes some 15 ms. */
const known = new Map<string, number | undefined>()
const mostKnown = 1_000

/** The same as readDurationMs, of a file whose SHA-256 is known. */
export async function durationMsOf(path: string, sha256: string): Promise<number | undefined> {
  if (known.has(sha256)) return known.get(sha256)
  const ms = await readDurationMs(path)
  if (known.size >= mostKnown) known.clear()
  known.set(sha256, ms)
  return ms
}

/** Milliseconds of video in the file; undefined when they can't be read from it. */
export function readDurationMs(path: string): Promise<number | undefined> {
  // The reader does one file at a time; it is loaded on the first, as most runs of the mock never upload.
  const next = busy.then(() => read(path)).catch(() => undefined)
  busy = next
  return next
}

async function read(path: string): Promise<number | undefined> {
  reader ??= import('mediainfo.js').then(({ default: create }) => create({ format: 'object' }))
  const media = await reader
  await using file = await opened(path)
  const result: MediaInfoResult = await media.analyzeData(file.size, file.read)
  const general = result.media?.track.find(track => track['@type'] === 'General')
  const seconds = Number(general?.Duration)
  return seconds > 0 ? Math.round(seconds * 1000) : undefined
}

async function opened(path: string) {
  const file = await open(path)
  const { size } = await file.stat()
  return {
    size,
    read: async (length: number, position: number) => {
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}
