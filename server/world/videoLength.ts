/**
 * How long a video is, told by its URL alone. An upload's id carries the length that was read from the file, so a job
 * can be billed by any replica, in any world, without looking the upload up.
 */

import { SeededRandom } from '../../base/seed.ts'
import type { Config } from '../config.ts'

/** A foreign video_url's derived length, in seconds. */
const derivedSeconds = { min: 2, max: 30 }

/** Milliseconds; drawn: it plays, and nobody knows how long; unreadable: nothing in it plays. */
export type UploadLength = number | 'drawn' | 'unreadable'

const wordOf = { drawn: '00', unreadable: '0' } as const

/** `vid_` + the world's tag and chance + the milliseconds in base 36, or what stands for an unknown length. */
export const videoIdFor = (unique: string, length: UploadLength): string =>
  `vid_${unique}_${typeof length === 'number' ? length.toString(36) : wordOf[length]}`

/** Milliseconds of video behind a video_url; undefined when it is an upload that can't be read. */
export function durationOf(videoUrl: string, config: Pick<Config, 'seed' | 'videoSeconds'>): number | undefined {
  const given = videoUrl.includes('#t=') && /#t=(?:(\d+(?:\.\d+)?),)?(\d+(?:\.\d+)?)$/.exec(videoUrl)
  if (given) return Math.round(Math.max(0, Number(given[2]) - Number(given[1] ?? 0)) * 1000)
  const upload = /\/files\/uploads\/(vid_[0-9a-z]+_([0-9a-z]{1,8}))\//.exec(videoUrl)
  if (upload && upload[2] !== wordOf.drawn) return Number.parseInt(upload[2] as string, 36) || undefined
  if (config.videoSeconds > 0) return Math.round(config.videoSeconds * 1000)
  // An upload's URL has a port in it, which is another one in each run.
  const name = upload?.[1] ?? videoUrl
  return (
    Math.round(new SeededRandom(config.seed, name).between(derivedSeconds.min, derivedSeconds.max, 'video', 0) * 10) *
    100
  )
}
