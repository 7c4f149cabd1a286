/**
 * How long a video is, told by its URL alone. An upload's id carries the length that was read from the file, so a job
 * can be billed by any replica, in any world, without looking the upload up.
 */

import { SeededRandom } from '../../base/seed.ts'
import type { Config } from '../config.ts'

/** A foreign video_url's derived length, in seconds. */
const derivedSeconds = { min: 2, max: 30 }

/** `vid_` + the world's tag and chance + the milliseconds in base 36; 0 when they can't be read. */
export const videoIdFor = (unique: string, durationMs: number | undefined): string =>
  `vid_${unique}_${(durationMs ?? 0).toString(36)}`

/** Milliseconds of video behind a video_url; undefined when it is an upload whose length can't be read. */
export function durationOf(videoUrl: string, config: Pick<Config, 'seed' | 'videoSeconds'>): number | undefined {
  const given = videoUrl.includes('#t=') && /#t=(?:(\d+(?:\.\d+)?),)?(\d+(?:\.\d+)?)$/.exec(videoUrl)
  if (given) return Math.round(Math.max(0, Number(given[2]) - Number(given[1] ?? 0)) * 1000)
  const upload = /\/files\/uploads\/vid_[0-9a-z]+_([0-9a-z]{1,8})\//.exec(videoUrl)
  if (upload) return Number.parseInt(upload[1] as string, 36) || undefined
  if (config.videoSeconds > 0) return Math.round(config.videoSeconds * 1000)
  return (
    Math.round(
      new SeededRandom(config.seed, videoUrl).between(derivedSeconds.min, derivedSeconds.max, 'video', 0) * 10,
    ) * 100
  )
}
