/** Makes one output: looks at the upload, and runs ffmpeg. Everything on the way is in a folder of its own, which goes at the end. */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFormat, VideoType } from '../../contracts/schemas.ts'
import { type Ffmpeg, runFfmpeg } from '../../media/ffmpeg.ts'
import { fetchImage } from './image.ts'
import { type Key, type Look, look, RenderError, refuse } from './look.ts'
import { ffmpegArgs, plateArgs, type Source, type Wanted } from './recipe.ts'
import { zipFrames } from './zip.ts'

/** How the subject was told from its background; drawn: there was no upload, and so neither; canned: nothing was made. */
export const ways = ['colour', 'difference', 'oval', 'drawn', 'canned'] as const satisfies (
  | Key['by']
  | 'drawn'
  | 'canned'
)[]
export type Way = (typeof ways)[number]

export interface Order {
  /** What is shown: an upload's file, or a name to be drawn. */
  from: { path: string; type: VideoType; sha256: string } | { name: string }
  wanted: Wanted
  durationMs: number
  /** Where the output goes; `way` is put into its name. */
  to: (way: Way) => string
  /** An empty folder for this one. */
  workFolder: string
  ffmpeg: Ffmpeg
  threads: number
  maxBytes: number
  signal: AbortSignal
}

/**
 * What looks have seen, by content: one upload is often asked for in several formats and at the same time, and a test suite
 * gives one clip to many mocks of its process.
 */
const looks = new Map<string, Promise<Look>>()
const mostLooks = 100

/** Half an hour: what takes longer is no clip to try an app with. */
const renderMs = 30 * 60_000

export const extensions: Record<OutputFormat, string> = {
  webm: 'webm',
  mov: 'mov',
  mp4: 'mp4',
  gif: 'gif',
  webp: 'webp',
  png_sequence: 'png_sequence.zip',
}

/** Gives the way, the path and the bytes. Throws a RenderError that says what is wrong with the video, or what else went wrong. */
export async function render(order: Order): Promise<{ way: Way; path: string; bytes: number }> {
  const { wanted, workFolder, threads, maxBytes, signal, durationMs } = order
  try {
    const source = await sourceOf(order)
    const behind = wanted.background
    const image =
      behind?.type === 'image' ? await fetchImage(behind.image_url, join(workFolder, 'behind'), signal) : undefined
    const isSequence = wanted.output_format === 'png_sequence'
    const frames = join(workFolder, 'frames')
    if (isSequence) await mkdir(frames)
    const made = join(workFolder, `output.${extensions[wanted.output_format]}`)
    const out = isSequence ? join(frames, 'frame_%04d.png') : made
    const recipe = { source, wanted, seconds: durationMs / 1000, image, threads, maxBytes }
    const ended = await runFfmpeg('ffmpeg', ffmpegArgs(recipe, out), {
      timeoutMs: renderMs,
      signal,
      isBackground: true,
    })
    refuse(ended, 'it can not be decoded')
    if (!/^frame=[1-9]/m.test(ended.stdout.toString())) throw new RenderError('no picture of it can be decoded')
    const bytes = isSequence ? await zipFrames(frames, made, maxBytes, signal) : (await stat(made)).size
    // ffmpeg stops there, and is content.
    if (bytes >= maxBytes) throw new RenderError(`its output takes more than ${maxBytes} bytes`)
    const way = 'look' in source ? source.look.key.by : 'drawn'
    const path = order.to(way)
    await rename(made, path)
    return { way, path, bytes }
  } catch (error) {
    throw asRenderError(error, maxBytes)
  } finally {
    await rm(workFolder, { recursive: true, force: true }).catch(() => {})
  }
}

async function sourceOf({ from, durationMs, workFolder, ffmpeg, signal }: Order): Promise<Source> {
  if ('name' in from) {
    const textFile = join(workFolder, 'name.txt')
    await writeFile(textFile, from.name)
    return { textFile: ffmpeg.drawsText ? textFile : undefined }
  }
  const { path, type, sha256 } = from
  // One that failed may have been another's, who gave it up.
  const before = await looks.get(sha256)?.catch(() => undefined)
  const seen = before ?? (await begunLook())
  if (seen.key.by !== 'difference') return { ...from, look: seen, plate: undefined }
  const plate = join(workFolder, 'plate.png')
  const ended = await runFfmpeg('ffmpeg', plateArgs(path, type, seen.key.samples, plate), {
    timeoutMs: renderMs,
    signal,
    isBackground: true,
  })
  refuse(ended, 'it can not be decoded')
  return { ...from, look: seen, plate }

  function begunLook(): Promise<Look> {
    const begun = look(path, type, durationMs, signal)
    if (looks.size >= mostLooks) looks.clear()
    looks.set(sha256, begun)
    return begun
  }
}

function asRenderError(error: unknown, maxBytes: number): RenderError {
  if (error instanceof RenderError) return error
  const { code, message, name } = error as NodeJS.ErrnoException
  if (name === 'AbortError') return new RenderError('its making was cancelled', { isCancelled: true })
  if (error instanceof RangeError) return new RenderError(`its output takes more than ${maxBytes} bytes`)
  if (code === 'ENOSPC' || code === 'EDQUOT') return new RenderError('the disk is full', { isFinal: false })
  return new RenderError(message, { isFinal: false })
}
