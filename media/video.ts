/** What a video is, told by its bytes and not by what it claims: its type, and how long it is. */
import type { MediaInfo, MediaInfoResult } from 'mediainfo.js'
import { lazy } from '../base/lazy.ts'
import { type VideoType, videoTypeAliases, videoTypes } from '../contracts/schemas.ts'
import { aviFrames } from './avi.ts'
import { ByteWindow } from './byteWindow.ts'
import { matroskaFrames } from './matroska.ts'

const loadFileType = lazy(() => import('file-type'))
const loadReader = lazy(async () => (await import('mediainfo.js')).default({ format: 'object' }))

/** A type is known by this many bytes at the most. */
export const sniffBytes = 4100

/**
 * The documented type that the first bytes are of, or what else they are (UP-2, UP-4). Phones write MP4 with a 3GPP brand
 * in front, and say among the compatible brands that it is MP4 all the same (ISO/IEC 14496-12, 4.3).
 */
export async function sniff(head: Uint8Array): Promise<{ type: VideoType } | { found: string }> {
  const { fileTypeFromBuffer } = await loadFileType()
  const found = await fileTypeFromBuffer(head)
  if (!found) return { found: 'bytes of no known video format' }
  const type = videoTypeOf(found.mime)
  if (type !== undefined) return { type }
  return /^video\/3gpp2?$/.test(found.mime) && isMp4Too(head) ? { type: 'video/mp4' } : { found: found.mime }
}

/** Brands of MP4 in its file type box: size, "ftyp", major brand, version, then the compatible ones. */
function isMp4Too(head: Uint8Array): boolean {
  const { length, buffer, byteOffset } = head
  const end = Math.min(new DataView(buffer, byteOffset, length).getUint32(0), length)
  for (let at = 16; at + 4 <= end; at += 4)
    if (/^(iso\w|mp4\d|avc1|M4V |mmp4)$/.test(String.fromCharCode(...head.subarray(at, at + 4)))) return true
  return false
}

/** The documented type of a media type, under whatever name browsers and systems have for it; undefined for any other. */
export function videoTypeOf(mime: string): VideoType | undefined {
  const name = (mime.split(';', 1)[0] as string).trim().toLowerCase()
  if (Object.hasOwn(videoTypes, name)) return name as VideoType
  return Object.hasOwn(videoTypeAliases, name) ? videoTypeAliases[name as keyof typeof videoTypeAliases] : undefined
}

/** The type that a file name's extension stands for, if it has one that does (UP-4). */
export function typeOfName(filename: string): VideoType | undefined {
  const extension = /\.([^.]+)$/.exec(filename)?.[1]?.toLowerCase()
  return (Object.keys(videoTypes) as VideoType[]).find(type => videoTypes[type].some(known => known === extension))
}

/** What is in a file. */
export interface Contents {
  /** Milliseconds that it plays; undefined where that can't be found. */
  durationMs: number | undefined
  /** Whether there are pictures in it that a player would show, however long. */
  plays: boolean
  /** It has sound, and no pictures. */
  isSoundOnly: boolean
}

const nothing: Contents = { durationMs: undefined, plays: false, isSoundOnly: false }

let busy: Promise<unknown> = Promise.resolve()

/** Contents by what is in the file: a load sends the same clip thousands of times, and reading one takes some 15 ms. */
const known = new Map<string, Contents>()
const mostKnown = 1_000

/** The same as contentsOf, of a file whose SHA-256 is known. */
export async function knownContentsOf(path: string, sha256: string): Promise<Contents> {
  const before = known.get(sha256)
  if (before !== undefined) return before
  const contents = await contentsOf(path)
  if (known.size >= mostKnown) known.clear()
  known.set(sha256, contents)
  return contents
}

/** Looks into a video file. What can't be made sense of has nothing in it; rejects where the file itself can't be read. */
export function contentsOf(path: string): Promise<Contents> {
  // The reader does one file at a time.
  const next = busy
    .then(() => read(path))
    .catch((error: NodeJS.ErrnoException) => {
      // Of a disk or a lack of descriptors: it says nothing of the video, and is not to be remembered of it.
      if (error.syscall !== undefined) throw error
      return nothing
    })
  busy = next.catch(() => {})
  return next
}

async function read(path: string): Promise<Contents> {
  const media = await loadReader()
  await using file = await ByteWindow.open(path)
  const tracks = await tracksOf(media, file)
  const has = (type: string) => tracks.some(track => track['@type'] === type)
  const isSoundOnly = has('Audio') && !has('Video')
  const saidMs = positive(Number(tracks.find(track => track['@type'] === 'General')?.Duration) * 1000)
  const head = file.size < 4 ? 0 : (await file.at(0, 4)).getUint32(0)
  // A Matroska may leave its length out; an AVI's is often wrong.
  const needsCount = head === riff || (head === ebml && saidMs === undefined)
  const frames = needsCount ? await (head === riff ? aviFrames(file) : matroskaFrames(file)) : undefined
  const durationMs = positive(frames?.ms) ?? saidMs
  const isFilled = tracks.some(track => track['@type'] === 'Video' && Number(track.FrameCount) > 0)
  return {
    durationMs: durationMs === undefined ? undefined : Math.round(durationMs),
    plays: durationMs !== undefined || (frames?.count ?? 0) > 0 || isFilled,
    isSoundOnly,
  }
}

const riff = 0x52494646
const ebml = 0x1a45dfa3

async function tracksOf(media: MediaInfo<'object'>, file: ByteWindow) {
  const { media: found }: MediaInfoResult = await media.analyzeData(file.size, (length, at) => file.read(length, at))
  return found?.track ?? []
}

const positive = (ms: number | undefined): number | undefined =>
  ms !== undefined && ms > 0 && Number.isFinite(ms) ? ms : undefined
