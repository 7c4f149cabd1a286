/** DL-3: that an output is the output of its own input. What its container tells anywhere; its pictures where ffmpeg is at hand. */
import { plural } from '../../base/text.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { alphaFormats, type OutputFormat } from '../../contracts/schemas.ts'
import type { Video } from '../../media/clip.ts'
import { differenceOf, type Examined, movementOf, sharesOf } from '../../media/examine.ts'
import type { Probe } from '../probe.ts'

/** An output, and what it should be of. */
export interface Shown {
  exchange: ObservedExchange
  /** The field that its URL was in. */
  pointer: string
  format: OutputFormat
  clip: Video
  /** The job's inputs. */
  fields: Readonly<Record<string, unknown>>
}

/** A frame of most clips: longer is no matter of rounding. */
const frameSeconds = 0.04
const share = 0.02

/** Its length is that of its input: to a frame, or 2 %. `seconds` is what its container says. */
export function expectLength(
  t: Probe,
  { exchange, pointer, clip }: Omit<Shown, 'fields' | 'format'>,
  seconds: number,
): void {
  // A container counts in ms, and the sound may end a packet later.
  const allowed = Math.max(frameSeconds + 0.03, clip.seconds * share)
  t.expect(
    'DL-3',
    Math.abs(seconds - clip.seconds) <= allowed,
    `a film as long as its input, ${clip.seconds} s`,
    `${Math.round(seconds * 1000) / 1000} s`,
    { exchange, pointer },
  )
}

/** Less of a picture than that is a speck. */
const speck = 0.005
/** Differences of so many 255ths are those of a codec. */
const codecNoise = 24

/** What is in the pictures, held against the input's. Nothing is said of what ffmpeg can't decode on this machine. */
export async function expectPictures(t: Probe, shown: Shown): Promise<void> {
  const { exchange, pointer, format, clip, fields } = shown
  const examine = await t.environment.examiner?.()
  if (examine === undefined || typeof examine === 'string') return
  // ffmpeg reads no animated WebP before its version 8.
  if (format === 'webp') return
  const [input, film] = await Promise.all([
    examine(clip.bytes).catch(() => undefined),
    examine(exchange.bytes).catch((error: Error) => error.message),
  ])
  if (input === undefined) return
  const place = { exchange, pointer }
  if (typeof film === 'string') return void t.expect('DL-3', false, 'a film that can be decoded', film, place)
  if (fields.composition === undefined) expectSize(t, film, input, place)
  expectRate(t, film, input, format, place)
  if (film.frames !== undefined && input.rate !== undefined) {
    const due = Math.round(clip.seconds * input.rate)
    const isDue = Math.abs(film.frames - due) <= Math.max(1, due * share)
    t.expect('DL-3', isDue, `${due} frames, as many as its input has`, plural(film.frames, 'frame'), place)
  }
  const { clear, solid, brightness } = sharesOf(film.pictures)
  const isTransparent =
    alphaFormats.includes(format) &&
    (fields.bg_type ?? 'transparent') === 'transparent' &&
    fields.background === undefined
  if (isTransparent) {
    const found = `${percent(clear)} of it is clear, ${percent(solid)} solid`
    t.expect(
      'DL-3',
      clear > speck && solid > speck,
      'alpha that shows the subject alone: clear and solid pixels',
      found,
      place,
    )
  }
  if (solid <= speck || brightness === undefined) return
  const isDark = (sharesOf(input.pictures).brightness ?? 0) < codecNoise
  t.expect(
    'DL-3',
    isDark || brightness > 8,
    'pictures that show something',
    brightness > 8 ? 'they do' : 'they are black',
    place,
  )
  if (movementOf(input.pictures) > 1) {
    const moves = movementOf(film.pictures) > 0.02
    t.expect(
      'DL-3',
      moves,
      'pictures that move, as those of the input',
      moves ? 'they move' : 'all are the same',
      place,
    )
  }
  if (fields.composition === undefined) {
    const { upright, flipped } = differenceOf(film.pictures, input.pictures)
    const isUpsideDown = flipped < codecNoise && upright > 2 * flipped
    t.expect(
      'DL-3',
      !isUpsideDown,
      'pictures the right way up',
      isUpsideDown ? 'they are upside down' : 'they are',
      place,
    )
  }
  const kept = input.hasAudio ? (film.hasAudio ? 'kept' : 'left out') : undefined
  if (kept !== undefined)
    t.expect('DL-3', true, 'sound: kept or left out', kept, {
      ...place,
      note: `the sound of a clip is ${kept} in ${format}`,
    })
}

function expectSize(
  t: Probe,
  film: Examined,
  input: Examined,
  place: { exchange: ObservedExchange; pointer: string },
): void {
  // mp4 has even sizes only.
  const isSame = Math.abs(film.width - input.width) <= 1 && Math.abs(film.height - input.height) <= 1
  t.expect(
    'DL-3',
    isSame,
    `the size of its input, ${input.width} x ${input.height}`,
    `${film.width} x ${film.height}`,
    place,
  )
}

function expectRate(
  t: Probe,
  film: Examined,
  input: Examined,
  format: OutputFormat,
  place: { exchange: ObservedExchange; pointer: string },
): void {
  if (input.rate === undefined || film.rate === undefined) return
  // A GIF counts in hundredths of a second.
  const isOff =
    format === 'gif'
      ? film.rate > input.rate * 1.1 || film.rate < Math.min(input.rate, 50) * 0.9
      : Math.abs(film.rate - input.rate) > input.rate * share
  const round = (rate: number) => plural(Math.round(rate * 100) / 100, 'frame')
  t.expect(
    'DL-3',
    !isOff,
    `the rate of its input, ${round(input.rate)} a second`,
    `${round(film.rate)} a second`,
    place,
  )
}

const percent = (of: number): string => `${Math.round(of * 1000) / 10} %`
