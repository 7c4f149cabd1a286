import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { ConfigError } from '../base/options.ts'
import { contentsOf, typeOfName } from './video.ts'
export async function clipAt(file: string, seconds?: number): Promise<Video> {
  const name = basename(file)
  const type = typeOfName(name)
  if (type === undefined)
    throw new ConfigError(`${file} has no extension of a video; expected .mp4, .mov, .webm or .avi (UP-2)`)
  const ms = seconds === undefined ? (await contentsOf(file)).durationMs : seconds * 1000
  if (ms === undefined) throw new ConfigError(`${file} has no length that can be read; expected a playable video`)
  return { name, type, path: resolve(file), bytes: new Uint8Array(await readFile(file)), seconds: ms / 1000 }
}

export interface Video {
  name: string
  type: string
  /** Where it lies, for a line that sends it again. */
  path?: string
  bytes: Uint8Array
  /** Seconds; what it will be charged by. */
  seconds: number
}
