/**
 * How long a WebM or Matroska plays whose header does not say, as Duration is optional there (RFC 9559, 5.1.2.10): each
 * browser's MediaRecorder that is given a timeslice, and each muxer that writes to a pipe, leaves it out. Told by the
 * times of its blocks, so that a file that was cut while it was written has a length too.
 */
import type { ByteWindow } from './byteWindow.ts'
import { unsigned, vint } from './ebml.ts'
import { type Frames, maxCounted } from './frames.ts'

/** Elements whose inside is looked at; an id means the same wherever it stands, so that sizes needn't be known. */
const masters = new Set([
  0x18538067, // Segment
  0x1549a966, // Info
  0x1654ae6b, // Tracks
  0xae, // TrackEntry
  0x1f43b675, // Cluster
  0xa0, // BlockGroup
])
const ids = {
  timestampScale: 0x2ad7b1,
  trackNumber: 0xd7,
  trackType: 0x83,
  defaultDuration: 0x23e383,
  clusterTime: 0xe7,
  simpleBlock: 0xa3,
  block: 0xa1,
  blockDuration: 0x9b,
} as const
const videoTrack = 1
/** An id, a size, and of a block its track and time. */
const headBytes = 8 + 8 + 8 + 2
const defaultScaleNs = 1_000_000

interface Track {
  isVideo: boolean
  /** ns; 0: not said. */
  frameNs: number
  /** In the file's ticks. */
  first: number
  last: number
  blocks: number
  /** Of the last block, in ticks; 0: not said. */
  lastTicks: number
}

/** Counts the video's blocks; undefined where the file's structure breaks before the first. */
export async function matroskaFrames(bytes: ByteWindow): Promise<Frames | undefined> {
  const tracks = new Map<number, Track>()
  let scaleNs = defaultScaleNs
  let clusterTime = 0
  let number = 0
  let current: Track | undefined
  const trackOf = (id: number): Track => {
    const track = tracks.get(id) ?? { isVideo: false, frameNs: 0, first: 0, last: 0, blocks: 0, lastTicks: 0 }
    tracks.set(id, track)
    return track
  }
  try {
    for (let at = 0, seen = 0; at < bytes.size && seen < maxCounted; seen++) {
      const view = await bytes.at(at, headBytes)
      const id = vint(view, 0, true)
      const size = vint(view, id.length, false)
      const from = id.length + size.length
      if (masters.has(id.value)) {
        at += from
        if (id.value === 0xae) number = 0
        continue
      }
      const value = () => unsigned(view, from, from + Math.min(size.value, 8))
      if (id.value === ids.timestampScale) scaleNs = value() || defaultScaleNs
      else if (id.value === ids.clusterTime) clusterTime = value()
      else if (id.value === ids.trackNumber) {
        number = value()
        trackOf(number)
      } else if (id.value === ids.trackType) trackOf(number).isVideo = value() === videoTrack
      else if (id.value === ids.defaultDuration) trackOf(number).frameNs = value()
      else if (id.value === ids.blockDuration && current !== undefined) current.lastTicks = value()
      else if (id.value === ids.simpleBlock || id.value === ids.block) {
        const track = vint(view, from, false)
        current = trackOf(track.value)
        addBlock(current, clusterTime + view.getInt16(from + track.length))
      }
      // Nothing else is written without its size.
      if (size.unknown) break
      at += from + size.value
    }
  } catch (error) {
    // The file ends in the midst of a head: what came before it plays.
    if (!(error instanceof RangeError)) throw error
  }
  return framesOf([...tracks.values()], scaleNs)
}

function addBlock(track: Track, time: number): void {
  track.first = track.blocks === 0 ? time : Math.min(track.first, time)
  track.last = track.blocks === 0 ? time : Math.max(track.last, time)
  track.blocks++
  track.lastTicks = 0
}

/** From the first block of all tracks to the end of the last one. */
function framesOf(tracks: Track[], scaleNs: number): Frames | undefined {
  const played = tracks.filter(({ blocks }) => blocks > 0)
  if (played.length === 0) return undefined
  const count = played.reduce((sum, { isVideo, blocks }) => sum + (isVideo ? blocks : 0), 0)
  const first = Math.min(...played.map(track => track.first))
  const end = Math.max(...played.map(track => track.last + lastTicksOf(track, scaleNs)))
  const ms = ((end - first) * scaleNs) / 1e6
  return { count, ms: ms > 0 ? ms : undefined }
}

/** How long the last block stays: as the file says, else as long as the others did. */
function lastTicksOf({ lastTicks, frameNs, first, last, blocks }: Track, scaleNs: number): number {
  if (lastTicks > 0) return lastTicks
  if (frameNs > 0) return frameNs / scaleNs
  return blocks > 1 ? (last - first) / (blocks - 1) : 0
}
