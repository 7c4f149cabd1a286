/**
 * What is to be known of an upload before its background can be removed: its size, rate and sound, and by the borders of a few
 * frames, what kind of a background it has.
 */
import type { VideoType } from '../../contracts/schemas.ts'
import { type FfmpegEnd, openedAs, runFfmpeg } from '../../media/ffmpeg.ts'

/** How the subject is told from what is behind it. */
export type Key =
  /** One colour: what is near it goes. By its hue where it has one, as of a green screen, else by its distance. */
  | { by: 'colour'; filter: 'chromakey' | 'colorkey'; colour: string; similarity: number; blend: number }
  /** It stands still: what differs from it stays. In these frames it is seen. */
  | { by: 'difference'; samples: Samples }
  /** It moves: nothing of it can be told, and a soft oval stands for the subject. */
  | { by: 'oval' }

export interface Look {
  /** As it is shown: turned upright, in pixels. */
  width: number
  height: number
  /** Frames a second, as ffmpeg reads them: 30000/1001. */
  rate: string
  hasAudio: boolean
  key: Key
}

/** It says in a sentence what is wrong with the video. */
export class RenderError extends Error {
  /** Whether the same would come of another try. */
  readonly isFinal: boolean
  readonly isCancelled: boolean
  constructor(sentence: string, { isFinal = true, isCancelled = false } = {}) {
    super(sentence)
    this.isFinal = isFinal && !isCancelled
    this.isCancelled = isCancelled
  }
}

const lookMs = 30_000

export async function look(path: string, type: VideoType, durationMs: number, signal: AbortSignal): Promise<Look> {
  const samples = samplesOf(durationMs)
  // At the same time; both have ended when this has, however it does. What is wrong with the file as such is said first.
  const [probed, frames] = await Promise.allSettled([
    probe(path, type, signal),
    sampleFrames(path, type, samples, signal),
  ])
  if (probed.status === 'rejected') throw probed.reason
  if (frames.status === 'rejected') throw frames.reason
  return { ...probed.value, key: keyOf(frames.value, samples) }
}

interface ProbedStream {
  codec_type?: string
  codec_name?: string
  width?: number
  height?: number
  avg_frame_rate?: string
  r_frame_rate?: string
  duration?: string
  nb_read_packets?: string
  sample_aspect_ratio?: string
  disposition?: { attached_pic?: number }
  side_data_list?: { rotation?: number }[]
  tags?: { rotate?: string }
}

async function probe(path: string, type: VideoType, signal: AbortSignal): Promise<Omit<Look, 'key'>> {
  const ask = async (...more: string[]) => {
    const args = ['-v', 'error', ...more, '-show_streams', '-show_format', '-of', 'json', ...openedAs(path, type)]
    const ended = await runFfmpeg('ffprobe', args, { timeoutMs: lookMs, signal })
    refuse(ended, 'it can not be opened')
    return JSON.parse(ended.stdout.toString()) as { streams: ProbedStream[]; format: { duration?: string } }
  }
  let { streams, format } = await ask()
  const isPicture = ({ codec_type, disposition }: ProbedStream) => codec_type === 'video' && !disposition?.attached_pic
  let video = streams.find(isPicture)
  if (video?.width === undefined || video.height === undefined) throw new RenderError('no picture is in it')
  // What was written live says no rate, or that of its clock: its frames are counted.
  if (rateIn(video.avg_frame_rate) === undefined) {
    ;({ streams, format } = await ask('-count_packets'))
    video = streams.find(isPicture) as ProbedStream
    const seconds = Number(video.duration ?? format.duration)
    if (seconds > 0) video.avg_frame_rate = `${Math.round((Number(video.nb_read_packets) / seconds) * 1000)}/1000`
  }
  const turned = Math.abs(
    video.side_data_list?.find(data => data.rotation)?.rotation ?? Number(video.tags?.rotate ?? 0),
  )
  const [width, height] = [video.width as number, video.height as number]
  const isSideways = turned % 180 === 90
  return {
    width: isSideways ? height : width,
    height: isSideways ? width : height,
    rate: rateIn(video.avg_frame_rate) ?? rateIn(video.r_frame_rate) ?? '25/1',
    hasAudio: streams.some(({ codec_type, codec_name }) => codec_type === 'audio' && codec_name !== undefined),
  }
}

/** A rate that is one: 0/0 is said where it isn't known, and 1000/1 where each ms has a time of its own. */
function rateIn(text: string | undefined): string | undefined {
  const [frames = 0, seconds = 1] = (text ?? '').split('/').map(Number)
  const rate = frames / seconds
  return rate >= 0.1 && rate <= 240 ? text : undefined
}

/** As many as the plate needs to see behind who moves. */
export const sampleCount = 7

/** Frames of all of a video: of a short one all is decoded once, of a longer one what leads to each of some times, in seconds. */
export type Samples = { everySeconds: number } | { times: readonly number[] }

/** One key frame to ten seconds is usual: to decode up to seven of them is dearer than all of a short video. */
const shortMs = 60_000

function samplesOf(durationMs: number): Samples {
  if (durationMs <= shortMs) return { everySeconds: Math.max(durationMs, 1) / 1000 / sampleCount }
  return {
    times: Array.from({ length: sampleCount }, (_, i) => Math.round((durationMs * (i + 0.5)) / sampleCount) / 1000),
  }
}

/** The inputs and the filter that give the frames as [samples], each through `filter` first. What nothing else refers to is left out. */
export function sampled(
  path: string,
  type: VideoType,
  samples: Samples,
  filter: string,
): { inputs: string[]; graph: string } {
  const opened = ['-skip_frame', 'noref', ...openedAs(path, type)]
  if ('everySeconds' in samples) {
    const rate = `fps=${(1 / samples.everySeconds).toFixed(6)}:start_time=0,trim=end_frame=${sampleCount}`
    return { inputs: opened, graph: `[0:V:0]${rate},${filter}[samples]` }
  }
  const { times } = samples
  const one = (i: number) => `[${i}:V:0]trim=end_frame=1,${filter},setpts=0[f${i}]`
  const graph = `${times.map((_, i) => one(i)).join(';')};${times.map((_, i) => `[f${i}]`).join('')}concat=n=${times.length}[samples]`
  return { inputs: times.flatMap(time => ['-ss', String(time), ...opened]), graph }
}

const small = { width: 96, height: 54 }

/** Small pictures of some moments, RGB. What can't be reached, as behind the end of a cut file, is left out. */
async function sampleFrames(
  path: string,
  type: VideoType,
  samples: Samples,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const { width, height } = small
  const frameBytes = width * height * 3
  const { inputs, graph } = sampled(path, type, samples, `scale=${width}:${height}:flags=neighbor,format=rgb24`)
  const args = ['-nostdin', '-v', 'error', ...inputs, '-filter_complex', graph, '-map', '[samples]']
  args.push('-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1')
  const ended = await runFfmpeg('ffmpeg', args, { timeoutMs: lookMs, signal })
  refuse({ ...ended, code: 0 }, '')
  const count = Math.floor(ended.stdout.length / frameBytes)
  if (count === 0) throw new RenderError(`no picture of it can be decoded${lastWords(ended.stderr)}`)
  return Array.from({ length: count }, (_, i) => ended.stdout.subarray(i * frameBytes, (i + 1) * frameBytes))
}

type Rgb = [number, number, number]

/** Two colours further apart are two, in 255ths of a channel. */
const sameColour = 20
/** With more of it, what is near a colour is the half of the picture. */
const mostNoise = 0.04
/** So much of the border has to be of one kind: who is in the picture may reach to it. */
const mostly = 0.8
/** A subject that differs by less from what is behind it has holes in it. */
const clearly = 40
/** Less than that, and nobody would be left. */
const leastSubject = 0.01

export function keyOf(frames: readonly Uint8Array[], samples: Samples): Key {
  const border = borderPixels()
  const seen = frames.flatMap(frame => border.map(at => pixel(frame, at)))
  const colour = medianColour(seen)
  const near = seen.map(one => distance(one, colour)).filter(far => far < sameColour)
  near.sort((a, b) => a - b)
  // Noise and compression leave no background quite even.
  const noise = (near[Math.floor(near.length * 0.95)] ?? 0) / 255
  if (near.length >= mostly * seen.length && noise <= mostNoise) {
    const isHued = Math.max(...colour) - Math.min(...colour) > 90
    return {
      by: 'colour',
      filter: isHued ? 'chromakey' : 'colorkey',
      colour: `0x${colour.map(channel => channel.toString(16).padStart(2, '0')).join('')}`,
      similarity: rounded(0.03 + noise * 1.5),
      blend: rounded(isHued ? 0.06 : 0.08),
    }
  }
  if (frames.length < sampleCount) return { by: 'oval' }
  const plate = frames[0]?.map((_, at) => median(frames.map(frame => frame[at] as number))) as Uint8Array
  const differs = (frame: Uint8Array, at: number) => distance(pixel(frame, at), pixel(plate, at)) > sameColour
  const still = border.filter(at => frames.filter(frame => differs(frame, at)).length <= 1).length
  const all = Array.from({ length: small.width * small.height }, (_, i) => i)
  const subject = frames.flatMap(frame =>
    all.filter(at => differs(frame, at)).map(at => distance(pixel(frame, at), pixel(plate, at))),
  )
  const share = subject.length / (all.length * frames.length)
  const isClear = share >= leastSubject && share < 0.5 && median(subject) >= clearly
  if (still >= mostly * border.length && isClear) return { by: 'difference', samples }
  return { by: 'oval' }
}

/** The picture's edge but its lower one, where people stand or are cut off. */
function borderPixels(): number[] {
  const { width, height } = small
  const found: number[] = []
  for (let y = 0; y < height * 0.8; y++)
    for (let x = 0; x < width; x++) if (y < 2 || x < 2 || x >= width - 2) found.push(y * width + x)
  return found
}

const pixel = (frame: Uint8Array, at: number): Rgb => [
  frame[at * 3] as number,
  frame[at * 3 + 1] as number,
  frame[at * 3 + 2] as number,
]

const medianColour = (colours: readonly Rgb[]): Rgb =>
  [0, 1, 2].map(channel => median(colours.map(colour => colour[channel] as number))) as Rgb

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number

/** As colorkey measures it: the length of the difference, over that of the longest there is, in 255ths. */
const distance = (a: Rgb, b: Rgb): number =>
  Math.sqrt(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2) / 3)

const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** Throws what a run that did not end well means for the job. */
export function refuse({ code, killed, stderr }: Pick<FfmpegEnd, 'code' | 'killed' | 'stderr'>, what: string): void {
  if (killed === 'cancelled') throw new RenderError('its making was cancelled', { isCancelled: true })
  if (killed === 'too slow') throw new RenderError('it takes too long to process', { isFinal: false })
  if (/No space left on device/i.test(stderr)) throw new RenderError('the disk is full', { isFinal: false })
  if (killed === 'by a signal') throw new RenderError('ffmpeg was ended from outside', { isFinal: false })
  const [, colour] = /Cannot find color '([^']*)'/.exec(stderr) ?? []
  if (colour !== undefined)
    throw new RenderError(`its background's color "${colour}" is none; expected RGB or a CSS colour`)
  if (code !== 0) throw new RenderError(what + lastWords(stderr))
}

/** The last of what ffmpeg said, without our own file names. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map(line => line.replace(/(file:)?[^\s:'"]*\/[^\s:'"]+/g, 'the video').trim())
  const last = lines.findLast(line => line !== '' && !/^(Error|Conversion|Finishing|Nothing|Output file)/.test(line))
  return last === undefined ? '' : ` (${last.slice(0, 160)})`
}
