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

/**
 * Milliseconds of fixtures/clips by their SHA-256: what the documentation uploads, and what `demo`, `check` and `drill` send. For them
 * nobody waits until the reader is loaded, which takes half a second. test/fixtures.test.ts compares them with it.
 */
const shippedMs: Readonly<Record<string, number>> = {
  bb148c15e9031643ec69bc61a167f1f82c3ff63299729343f7f2e9ab802aa071: 2000, // short.mp4
  '0c0eafe77c1ead4e6569f3c3b47a7eefff45878f9da76dfe6f1a850dd09ab25f': 2000, // short.mov
  '1681e1d7e7c45a6dcd235726b91d042ed4633508f2fec42e71fe295d469eb9a5': 2007, // short.webm
  '705803df4a3aba1a00a363daad3dc632e44dd6017d9df0cde3d8b1021f9aaf22': 2000, // short.avi
  bb275bcff9d073a00eb8b7a2079bd3c95269690c1920fdbfb5cf664fc0a924b0: 12000, // longer.mp4
  f0f8b274b11c922435b84693e19ed67d2076d42810cdc99a3dc5035455723edb: 12000, // longer.mov
  '00da6d3870eddbe8099a598ba2c0682ee85f90343f4e5135dcbfe7b5fbf18fa6': 12007, // longer.webm
  e06b3a6dfb9b89574ef7d654c89d0527ef9526c9a480ee475e430bdec17c7d26: 12000, // longer.avi
  fb507a1e5b99461d184bba0cef7751576a5c50e1a4d6665e49989ff82b7bca30: 3000, // difficult.mp4
  d096cd2fff233d6cde77305ef4b2083a1faf4616e2cacc83d5a6fd4fc353568b: 3000, // difficult.mov
  d4e1acbdadad5d7503c50d7bdf1f3d35f0f7189b8aa1e07df51a558220131ce4: 3007, // difficult.webm
  '8f61b0680c4df1bcc69d59333fe93ac057e977931a892b339b2c2b4bb296ca1a': 3000, // difficult.avi
}

/** Contents by what is in the file: a load sends the same clip thousands of times, and reading one takes some 15 ms. */
const known = new Map<string, Contents>()
const mostKnown = 1_000

/** The same as contentsOf, of a file whose SHA-256 is known. */
export async function knownContentsOf(path: string, sha256: string): Promise<Contents> {
  const durationMs = shippedMs[sha256]
  if (durationMs !== undefined) return { durationMs, plays: true, isSoundOnly: false }
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
