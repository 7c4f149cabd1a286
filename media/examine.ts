/** What is seen of a film: its size and rate, and small pictures of it with their alpha. ffmpeg decodes it. */
import { hash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { runFfmpeg } from './ffmpeg.ts'

export interface Examined {
  /** As it is shown, in pixels. */
  width: number
  height: number
  /** Frames a second; undefined where the container says none. */
  rate: number | undefined
  /** undefined where the container has no frames to count. */
  frames: number | undefined
  hasAudio: boolean
  /** So many moments a second, from the first on; each small, RGBA, in `smallSize`. */
  pictures: Uint8Array[]
}

export const smallSize = { width: 64, height: 36 }
/** Pictures a second. */
const seen = 4
/** Of a longer one, its beginning is looked at. */
const longestSeconds = 20
const examineMs = 60_000

/** By what is in it: the same output comes by two URLs, and again with the next run. */
const known = new Map<string, Promise<Examined>>()
const mostKnown = 32

/** Rejects with an Error that says why it can't be decoded. */
export function examine(bytes: Uint8Array): Promise<Examined> {
  const key = hash('sha256', bytes)
  let examined = known.get(key)
  if (examined === undefined) {
    examined = decode(bytes)
    if (known.size >= mostKnown) known.clear()
    known.set(key, examined)
    examined.catch(() => known.delete(key))
  }
  return examined
}

async function decode(bytes: Uint8Array): Promise<Examined> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-look-'))
  try {
    const frames = framesIn(bytes)
    const file = join(folder, 'film')
    await writeFile(file, frames === undefined ? bytes : Buffer.concat(frames))
    const opened = ['-protocol_whitelist', 'file,pipe', ...(frames === undefined ? [] : ['-f', 'image2pipe'])]
    const { width, height } = smallSize
    // A zip's pictures have no times: one of each six or so.
    const rate = frames === undefined ? `fps=${seen}:start_time=0:round=down` : `select=not(mod(n\\,6))`
    const args = ['-nostdin', '-hide_banner', '-nostats', '-v', 'level+info', '-t', String(longestSeconds)]
    args.push(...opened, ...decoderOf(bytes), '-i', `file:${file}`)
    args.push('-vf', `format=rgba,${rate},scale=${width}:${height}:flags=area`, '-fps_mode', 'passthrough')
    args.push('-pix_fmt', 'rgba', '-an', '-f', 'rawvideo', 'pipe:1')
    const limits = { timeoutMs: examineMs, maxStdout: 64 * 1024 * 1024, maxStderr: 1024 * 1024 }
    const { stdout, stderr } = await runFfmpeg('ffmpeg', args, limits)
    const film = filmIn(stderr)
    if (film === undefined) throw new Error(`ffmpeg finds no film in it ${lastError(stderr)}`.trim())
    const size = width * height * 4
    const count = Math.floor(stdout.length / size)
    if (count === 0) throw new Error(`ffmpeg decodes no picture of it ${lastError(stderr)}`.trim())
    return {
      ...film,
      rate: frames === undefined ? film.rate : undefined,
      frames: frames?.length,
      pictures: Array.from({ length: count }, (_, i) => stdout.subarray(i * size, (i + 1) * size)),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * What ffmpeg says of its input, which is what ffprobe would: that takes as long to start as the decoding takes in all. undefined
 * where it finds no film.
 */
function filmIn(stderr: string): Pick<Examined, 'width' | 'height' | 'rate' | 'hasAudio'> | undefined {
  const [, input = ''] = stderr.split(/^\[info\] Input #0, /m)
  const [streams = ''] = input.split(/^\[info\] (?:Stream mapping:|Output #0)/m)
  // Line by line, as a title may say anything: what comes before the size is the codec and the form of its pixels.
  const lines = streams.split('\n').map(line => line.replace(/^\[info\] +/, ''))
  const isStream = (line: string, kind: string) => /^Stream #0:\d/.test(line) && line.includes(`: ${kind}: `)
  const at = lines.findIndex(line => isStream(line, 'Video'))
  const said = lines[at] ?? ''
  const [, width, height] = /, (\d+)x(\d+)\b/.exec(said) ?? []
  if (width === undefined || height === undefined) return undefined
  const [, count, thousands] = /, ([\d.]+)(k?) fps\b/.exec(said) ?? []
  const rate = Number(count) * (thousands === 'k' ? 1000 : 1)
  const next = lines.findIndex((line, i) => i > at && line.startsWith('Stream #'))
  const own = lines.slice(at + 1, next === -1 ? undefined : next).join('\n')
  const [, turned] = /display ?matrix: rotation of (-?[\d.]+)/i.exec(own) ?? []
  const isSideways = Math.abs(Math.round(Number(turned ?? 0))) % 180 === 90
  const [w, h] = [Number(width), Number(height)]
  return {
    width: isSideways ? h : w,
    height: isSideways ? w : h,
    rate: rate > 0 ? rate : undefined,
    hasAudio: lines.some(line => isStream(line, 'Audio')),
  }
}

/** ffmpeg's own decoders of VP8 and VP9 drop their alpha. */
function decoderOf(bytes: Uint8Array): string[] {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 8192))
  if (head.readUInt32BE(0) !== 0x1a45dfa3) return []
  return head.includes('V_VP9') ? ['-c:v', 'libvpx-vp9'] : head.includes('V_VP8') ? ['-c:v', 'libvpx'] : []
}

/** The PNG files of a png_sequence in order; undefined for anything else. */
function framesIn(bytes: Uint8Array): Uint8Array[] | undefined {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return undefined
  const files = unzipSync(bytes, { filter: ({ name }) => /\.png$/i.test(name) })
  return Object.keys(files)
    .sort()
    .map(name => files[name] as Uint8Array)
}

const lastError = (stderr: string): string => {
  const last = stderr.split('\n').findLast(line => /\[(error|fatal)\]/.test(line)) ?? ''
  return last === '' ? '' : `(${last.replace(/\[(error|fatal)\] /, '').slice(0, 120)})`
}

export interface Shares {
  clear: number
  solid: number
  /** Mean brightness of what is solid, 0 to 255; undefined where nothing is. */
  brightness: number | undefined
}

/** How much of the pictures is seen through, and how much is not. */
export function sharesOf(pictures: readonly Uint8Array[]): Shares {
  let [clear, solid, all, light] = [0, 0, 0, 0]
  for (const picture of pictures) {
    for (let at = 0; at < picture.length; at += 4) {
      all++
      const alpha = picture[at + 3] as number
      if (alpha < 16) clear++
      if (alpha < 240) continue
      solid++
      light += brightnessAt(picture, at)
    }
  }
  return { clear: clear / all, solid: solid / all, brightness: solid === 0 ? undefined : light / solid }
}

const brightnessAt = (picture: Uint8Array, at: number): number =>
  ((picture[at] as number) + (picture[at + 1] as number) + (picture[at + 2] as number)) / 3

/** How much the pictures change from one to the next, in the mean over all channels, 0 to 255. */
export function movementOf(pictures: readonly Uint8Array[]): number {
  let [sum, count] = [0, 0]
  for (const [i, picture] of pictures.entries()) {
    const before = pictures[i - 1]
    if (before === undefined) continue
    for (let at = 0; at < picture.length; at++) {
      sum += Math.abs((picture[at] as number) - (before[at] as number))
      count++
    }
  }
  return count === 0 ? 0 : sum / count
}

/** How far what is solid in one film is from the same place in another one, upright and upside down, 0 to 255. */
export function differenceOf(film: readonly Uint8Array[], other: readonly Uint8Array[]) {
  const { width, height } = smallSize
  const found = { upright: 0, flipped: 0, pixels: 0 }
  for (let i = 0; i < Math.min(film.length, other.length); i++) {
    const [picture, original] = [film[i] as Uint8Array, other[i] as Uint8Array]
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * 4
        if ((picture[at + 3] as number) < 240) continue
        const flippedAt = ((height - 1 - y) * width + x) * 4
        found.upright += colourDistance(picture, at, original, at)
        found.flipped += colourDistance(picture, at, original, flippedAt)
        found.pixels++
      }
    }
  }
  const mean = (sum: number) => (found.pixels === 0 ? 0 : sum / found.pixels)
  return { upright: mean(found.upright), flipped: mean(found.flipped) }
}

const colourDistance = (a: Uint8Array, at: number, b: Uint8Array, bt: number): number =>
  [0, 1, 2].reduce((sum, i) => sum + Math.abs((a[at + i] as number) - (b[bt + i] as number)), 0) / 3
