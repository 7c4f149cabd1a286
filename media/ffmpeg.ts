/**
 * ffmpeg and ffprobe, where this machine has them: found once, and run with limits. A file that somebody sent is read as what it
 * was taken for and as nothing else, and never leads ffmpeg to the network.
 */
import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { laterReal } from '../base/clock.ts'
import { lazy } from '../base/lazy.ts'
import type { VideoType } from '../contracts/schemas.ts'

export interface Ffmpeg {
  /** As it says it itself, such as 5.1.9. */
  version: string
  /** Whether it can write text into a picture: not every build can. */
  drawsText: boolean
}

export const oldestFfmpeg = 5

/** What outputs are written with. Debian's package, Homebrew's and the usual static builds have them all. */
const neededEncoders = [
  'libvpx-vp9',
  'libx264',
  'prores_ks',
  'gif',
  'libwebp_anim',
  'png',
  'aac',
  'libopus',
  'pcm_s16le',
]

/** What there is, or in words why it is of no use. Looked for once in a process. */
export const findFfmpeg: () => Promise<Ffmpeg | { missing: string }> = lazy(async () => {
  try {
    const ask = (program: Program, ...args: string[]) => runFfmpeg(program, args, { timeoutMs: 20_000 })
    // Which it is and how it was built, it says beside anything else.
    const [{ stdout, stderr: about }, probe] = await Promise.all([
      ask('ffmpeg', '-encoders'),
      ask('ffprobe', '-version'),
    ])
    const encoders = stdout.toString()
    const version = versionIn(about)
    for (const [name, found] of Object.entries({ ffmpeg: version, ffprobe: versionIn(probe.stdout.toString()) }))
      if (Number.parseInt(found, 10) < oldestFfmpeg)
        return { missing: `${name} is ${found}, older than ${oldestFfmpeg}` }
    const absent = neededEncoders.filter(name => !new RegExp(`^ \\S{6} ${name} `, 'm').test(encoders))
    if (absent.length > 0) return { missing: `ffmpeg ${version} was built without ${absent.join(', ')}` }
    return { version, drawsText: about.includes('--enable-libfreetype') }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { missing: code === 'ENOENT' ? 'ffmpeg or ffprobe is not on the PATH' : `ffmpeg does not run: ${message}` }
  }
})

/** A build from git has a name for a version: it is new. */
const versionIn = (about: string): string => /version n?([\w.]+)/.exec(about)?.[1] ?? 'of an unknown version'

export type Program = 'ffmpeg' | 'ffprobe'

export interface RunLimits {
  /** ms of real time; then it is ended. */
  timeoutMs: number
  signal?: AbortSignal
  /** What it may write to its standard output, in bytes. */
  maxStdout?: number
  /** What is kept of its standard error, from the end, in characters. */
  maxStderr?: number
  /** Others come first: for what takes long. */
  isBackground?: boolean
}

export interface FfmpegEnd {
  stdout: Buffer
  /** The last of what it said, with the addresses of its memory taken out. */
  stderr: string
  /** 0: it is content. */
  code: number | null
  /** What ended it, where it did not end by itself. */
  killed: 'cancelled' | 'too slow' | 'by a signal' | undefined
}

/** Runs to the end, however it ends. Rejects where the program can't be started. */
export function runFfmpeg(program: Program, args: readonly string[], limits: RunLimits): Promise<FfmpegEnd> {
  const { timeoutMs, signal, maxStdout = 16 * 1024 * 1024, maxStderr = 8 * 1024, isBackground = false } = limits
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return resolve({ stdout: Buffer.alloc(0), stderr: '', code: null, killed: 'cancelled' })
    // Where this process is killed, nobody else ends it: then its own limit does, of processor time.
    const own = program === 'ffmpeg' ? ['-timelimit', String(Math.ceil(timeoutMs / 250))] : []
    const child = spawn(program, [...own, ...args], { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    living.add(child)
    let killed: FfmpegEnd['killed']
    const end = (why: FfmpegEnd['killed']) => {
      killed ??= why
      child.kill('SIGKILL')
    }
    const cancel = () => end('cancelled')
    const stop = laterReal(timeoutMs, () => end('too slow'))
    signal?.addEventListener('abort', cancel)
    if (isBackground && child.pid !== undefined) goBehind(child.pid)
    const chunks: Buffer[] = []
    let size = 0
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxStdout) chunks.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk).slice(-maxStderr)
    })
    const settle = () => {
      living.delete(child)
      stop()
      signal?.removeEventListener('abort', cancel)
    }
    child.once('error', error => {
      settle()
      reject(error)
    })
    child.once('close', (code, endedBy) => {
      settle()
      if (endedBy !== null) killed ??= 'by a signal'
      resolve({ stdout: Buffer.concat(chunks), stderr: stderr.replace(/ @ 0x[\da-f]+/g, ''), code, killed })
    })
  })
}

/** A program that ends without closing its mocks leaves none of these behind. */
const living = new Set<ReturnType<typeof spawn>>()
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Where all cores are busy, it gets a quarter of what the others get: calls are answered before it goes on. */
function goBehind(pid: number): void {
  try {
    setPriority(pid, 5)
  } catch {
    // It has ended already, or the system won't have it.
  }
}

/** ffmpeg's name of what an upload was taken for: as anything else it is not to be read. */
const demuxers: Record<VideoType, string> = {
  'video/mp4': 'mov',
  'video/quicktime': 'mov',
  'video/webm': 'matroska',
  'video/x-msvideo': 'avi',
}

/** A picture of more pixels is not decoded: 8K has as many. */
export const maxPixels = 7680 * 4320

/** Arguments that open a file that somebody has sent, and nothing else. */
export const openedAs = (path: string, type: VideoType): string[] => [
  '-protocol_whitelist',
  'file,pipe',
  '-f',
  demuxers[type],
  '-max_pixels',
  String(maxPixels),
  '-i',
  `file:${path}`,
]
