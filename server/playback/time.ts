import type { HarEntry } from '../../recordings/har.ts'
import type { Mock } from '../mock.ts'

/** What a time of the recording is by the world's clock; ms. */
export const scaled = ({ config }: Mock, ms: number): number => (config.speed === 'instant' ? 0 : ms / config.speed)

/** What the recording took till the answer's head; ms. */
export function waitOf({ timings, time }: HarEntry): number {
  const wait = timings?.wait ?? -1
  return wait >= 0 ? wait : Math.max(0, time ?? 0)
}
