/**
 * What ffmpeg is told: from where the frames come, how the background goes, what comes behind, and how it is written. Plain
 * functions from a job's inputs to arguments.
 */
import type { Job, OutputFormat, VideoType } from '../../contracts/schemas.ts'
import { openedAs } from '../../media/ffmpeg.ts'
import { type Key, type Look, RenderError, type Samples, sampleCount, sampled } from './look.ts'

/** What of a job says how its output looks. */
export type Wanted = Pick<Job, 'output_format' | 'bg_type' | 'bg_color' | 'background' | 'composition'>

/** Where the frames come from. */
export type Source =
  | { path: string; type: VideoType; look: Look; plate: string | undefined }
  /** Nothing that could be read: a clip is drawn, with the text of a file in it. */
  | { textFile: string | undefined }

export interface Recipe {
  source: Source
  wanted: Wanted
  /** Seconds that it plays. */
  seconds: number
  /** A picture for behind, in a file of our own. */
  image: string | undefined
  threads: number
  /** Bytes; ffmpeg stops there. */
  maxBytes: number
}

/** The clip that is drawn where there is none. */
const drawn = { width: 320, height: 180, rate: '25/1' }

/** No canvas of more pixels: an output of it would take gigabytes. */
const maxCanvas = 4096 * 4096

export function ffmpegArgs(recipe: Recipe, out: string): string[] {
  const { source, wanted, seconds, image, threads } = recipe
  const format = wanted.output_format
  const { width, height, rate } = 'look' in source ? source.look : drawn
  const shownRate = format === 'gif' ? atMost50(rate) : rate
  const frames = framesOf(seconds, shownRate)
  const hasAudio = 'look' in source && source.look.hasAudio && audio[format] !== undefined
  const inputs: string[] = []
  const chains: string[] = []
  if ('look' in source) {
    inputs.push(...openedAs(source.path, source.type))
    // Two that are one length: pictures that come late or end early are held.
    const even = `fps=${shownRate}:start_time=0,tpad=stop=-1:stop_mode=clone,trim=end_frame=${frames}`
    chains.push(`[0:V:0]${even}[even]`, ...keyed(source.look.key, { width, height, rate: shownRate, frames }))
    if (source.look.key.by === 'difference') inputs.push('-i', `file:${source.plate}`)
  } else chains.push(...drawnChains(source.textFile, { ...drawn, rate: shownRate, frames }))
  const imageIndex = inputs.filter(argument => argument === '-i').length
  if (image !== undefined) inputs.push('-i', `file:${image}`)
  chains.push(
    ...composed(wanted, { width, height, rate: shownRate, frames }, image === undefined ? undefined : imageIndex),
  )
  const isClear = isTransparent(wanted)
  chains.push(`[done]${written[format].filter(isClear)}[out]`)
  if (hasAudio) chains.push(`[0:a:0]aresample=async=1:first_pts=0,atrim=end=${seconds},asetpts=PTS-STARTPTS[sound]`)
  return [
    ...['-hide_banner', '-nostdin', '-v', 'error', '-y'],
    ...['-threads', String(threads), '-filter_complex_threads', String(threads)],
    ...inputs,
    ...['-filter_complex', chains.join(';'), '-map', '[out]'],
    ...(hasAudio ? ['-map', '[sound]', ...(audio[format] as string[])] : []),
    // Whatever the filters do: so many, and no more.
    ...['-frames:v', String(frames)],
    ...written[format].codec(isClear),
    ...['-threads', String(threads), '-map_metadata', '-1', '-map_chapters', '-1'],
    ...['-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact'],
    ...(format === 'png_sequence' ? [] : ['-fs', String(recipe.maxBytes)]),
    ...['-progress', 'pipe:1', `file:${out}`],
  ]
}

/** Where a difference is measured from: what is the same in most of the samples. */
export function plateArgs(path: string, type: VideoType, samples: Samples, out: string): string[] {
  const { inputs, graph } = sampled(path, type, samples, 'format=gbrp')
  const median = `${graph};[samples]setpts=N/TB,tmedian=radius=${(sampleCount - 1) / 2}[out]`
  return [
    '-nostdin',
    '-v',
    'error',
    '-y',
    ...inputs,
    '-filter_complex',
    median,
    '-map',
    '[out]',
    '-frames:v',
    '1',
  ].concat(['-pix_fmt', 'rgb24', '-f', 'image2', '-update', '1', `file:${out}`])
}

/** The frames of [even] with the background's pixels made clear, as [key]. */
function keyed(key: Key, frame: Frame): string[] {
  if (key.by === 'colour') {
    const { filter, colour, similarity, blend } = key
    return [`[even]${filter}=${colour}:${similarity}:${blend},format=rgba[key]`]
  }
  if (key.by === 'oval') return [...oval(frame), `[even]format=rgba[full]`, `[full][oval]alphamerge[key]`]
  // What differs in any channel, as the sum of all of them; little is noise, and the rest is made whole.
  const sum = 'colorchannelmixer=rr=1:rg=1:rb=1:gr=1:gg=1:gb=1:br=1:bg=1:bb=1'
  return [
    `[even]format=gbrp,split[now][kept]`,
    `[1:v]format=gbrp,loop=loop=-1:size=1,fps=${frame.rate}[plate]`,
    `[now][plate]blend=all_mode=difference:shortest=1,${sum},format=gray,lut=y='clip((val-30)*6,0,255)'[mask]`,
    `[kept][mask]alphamerge,format=rgba[key]`,
  ]
}

/** A soft oval that sways, drawn small and made large, as each pixel costs. */
function oval({ width, height, rate, frames }: Frame): string[] {
  const away = `hypot((X/W-0.5-0.08*sin(0.8*T))/0.3,(Y/H-0.55-0.03*cos(1.1*T))/0.46)`
  const drawing = `color=black:s=64x36:r=${rate},format=gray,geq=lum='255*clip((1.1-${away})*5,0,1)'`
  return [`${drawing},scale=${width}:${height}:flags=bilinear,trim=end_frame=${frames}[oval]`]
}

function drawnChains(textFile: string | undefined, frame: Frame): string[] {
  const { width, height, rate, frames } = frame
  const size = `s=${width}x${height}:r=${rate}`
  const text =
    textFile === undefined
      ? ''
      : `,drawtext=textfile=${escaped(textFile)}:expansion=none:fontsize=16:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=6:x=(w-tw)/2:y=h-th-16`
  return [
    ...oval(frame),
    `gradients=${size}:c0=0x2b4c9b:c1=0xc2416b:nb_colors=2:seed=7:speed=0.01,format=rgba,trim=end_frame=${frames}[full]`,
    `[full][oval]alphamerge${text}[key]`,
  ]
}

/** What the chains between the first and the last have in common; each of them ends by itself. */
interface Frame {
  frames: number
  width: number
  height: number
  rate: string
}

/** [key] on its canvas and before what comes behind it, as [done]. */
function composed(wanted: Wanted, { width, height, rate }: Frame, imageInput: number | undefined): string[] {
  const { canvas, foreground } = wanted.composition ?? {}
  const colour = colourBehind(wanted)
  const isPlain = canvas === undefined && foreground === undefined
  if (isPlain && colour === undefined) return ['[key]null[done]']
  const [w, h] = [Math.round(canvas?.width ?? width), Math.round(canvas?.height ?? height)]
  if (w < 1 || h < 1 || w * h > maxCanvas)
    throw new RenderError(`its composition's canvas is ${w} x ${h}; expected 1 to ${maxCanvas} pixels`)
  const { anchor = 'center', scale = 1, offset } = foreground ?? {}
  const [sw, sh] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
  if (sw * sh > maxCanvas)
    throw new RenderError(`its foreground is scaled to ${sw} x ${sh}; expected at most ${maxCanvas} pixels`)
  const at = (low: RegExp, high: RegExp, size: string, by: number) => {
    const place = low.test(anchor)
      ? '0'
      : high.test(anchor)
        ? `${size.toUpperCase()}-${size}`
        : `(${size.toUpperCase()}-${size})/2`
    return `'${place}+${Math.round(by)}'`
  }
  const x = at(/left|start/i, /right|end/i, 'w', offset?.x ?? 0)
  const y = at(/top/i, /bottom/i, 'h', offset?.y ?? 0)
  const behind =
    imageInput === undefined
      ? `color=c=${colour ?? 'black@0'}:s=${w}x${h}:r=${rate},format=rgba[behind]`
      : `[${imageInput}:v]scale=${w}:${h}:force_original_aspect_ratio=increase,crop=${w}:${h},format=rgba,loop=loop=-1:size=1,fps=${rate}[behind]`
  return [
    behind,
    `[key]${scale === 1 ? 'null' : `scale=${sw}:${sh}`}[front]`,
    `[behind][front]overlay=x=${x}:y=${y}:format=rgb:shortest=1[done]`,
  ]
}

const named = { green: '0x00ff00', white: '0xffffff', black: '0x000000', blue: '0x0000ff' } as const

export const isTransparent = ({ background, bg_type }: Wanted): boolean =>
  (background?.type ?? bg_type) === 'transparent'

/** What stands behind the subject, for ffmpeg; undefined for nothing. `background` outranks bg_type, as the newer field. */
export function colourBehind({ background, bg_type, bg_color }: Wanted): string | undefined {
  const type = background?.type ?? bg_type
  if (type === 'transparent') return undefined
  if (type in named) return named[type as keyof typeof named]
  return cssColour(background?.color ?? bg_color ?? 'black')
}

/** RGB or a CSS colour as ffmpeg takes it: it knows the names of CSS. */
function cssColour(colour: unknown): string {
  const hex = (channels: number[]) =>
    `0x${channels
      .map(one =>
        Math.min(255, Math.max(0, Math.round(one)))
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')}`
  if (Array.isArray(colour)) return hex(colour.map(Number))
  const text = String(colour).trim()
  const [, digits] = /^#([\da-f]{3,8})$/i.exec(text) ?? []
  if (digits !== undefined && digits.length < 6)
    return `0x${[...digits.slice(0, 3)].map(digit => digit + digit).join('')}`
  if (digits !== undefined) return `0x${digits.slice(0, 6)}`
  const parts = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/i.exec(text)
  if (parts) return hex(parts.slice(1, 4).map(Number))
  if (/^[a-z]{3,24}$/i.test(text)) return text.toLowerCase()
  throw new RenderError(
    `its background's color ${JSON.stringify(text.slice(0, 40))} is none; expected RGB or a CSS colour`,
  )
}

interface Written {
  /** The last filter, by whether it is to be seen through. */
  filter: (isClear: boolean) => string
  codec: (isClear: boolean) => string[]
}

/** Even sizes, where the format can't have odd ones. */
const even = 'pad=ceil(iw/2)*2:ceil(ih/2)*2'

const written: Record<OutputFormat, Written> = {
  // Its alpha is a second stream beside the first, which alternate reference frames would break.
  webm: {
    filter: isClear => `format=${isClear ? 'yuva420p' : 'yuv420p'}`,
    codec: () =>
      '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -auto-alt-ref 0 -crf 30 -b:v 0 -f webm'.split(' '),
  },
  mov: {
    filter: () => 'format=yuva444p10le',
    codec: () => '-c:v prores_ks -profile:v 4444 -alpha_bits 8 -q:v 12 -vendor apl0 -f mov'.split(' '),
  },
  mp4: {
    filter: () => `${even},format=yuv420p`,
    codec: () => '-c:v libx264 -preset veryfast -crf 20 -movflags +faststart -f mp4'.split(' '),
  },
  // A palette for each frame: one for all of them would have all of them in memory first.
  gif: {
    filter: () =>
      'split[a][b];[a]palettegen=stats_mode=single:reserve_transparent=1[p];[b][p]paletteuse=new=1:dither=none:alpha_threshold=128',
    codec: () => '-loop 0 -f gif'.split(' '),
  },
  webp: {
    filter: () => 'format=bgra',
    codec: () => '-c:v libwebp_anim -quality 70 -compression_level 1 -loop 0 -f webp'.split(' '),
  },
  png_sequence: {
    filter: () => 'format=rgba',
    codec: () => '-c:v png -pred up -compression_level 4 -f image2'.split(' '),
  },
}

/** The others have no sound. */
const audio: Partial<Record<OutputFormat, string[]>> = {
  webm: ['-c:a', 'libopus', '-b:a', '96k'],
  mp4: ['-c:a', 'aac', '-b:a', '128k'],
  mov: ['-c:a', 'pcm_s16le'],
}

const perSecond = (rate: string): number => {
  const [frames = 0, seconds = 1] = rate.split('/').map(Number)
  return frames / seconds
}

export const framesOf = (seconds: number, rate: string): number => Math.max(1, Math.round(seconds * perSecond(rate)))

/** A GIF counts in hundredths of a second, and players take one for ten. */
const atMost50 = (rate: string): string => (perSecond(rate) > 50 ? '50/1' : rate)

/** A path of our own in a filter's option. */
const escaped = (path: string): string => `'${path.replace(/\\/g, '/').replace(/:/g, '\\:').replace(/'/g, "'\\''")}'`
