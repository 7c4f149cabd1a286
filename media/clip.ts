import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { ConfigError } from '../base/options.ts'
import { knownContentsOf, typeOfName } from './video.ts'
export async function clipAt(file: string, seconds?: number): Promise<Video> {
  const name = basename(file)
  const type = typeOfName(name)
  if (type === undefined)
    throw new ConfigError(`${file} has no extension of a video; expected .mp4, .mov, .webm or .avi (UP-2)`)
  const bytes = new Uint8Array(await readFile(file))
  const sha256 = () => createHash('sha256').update(bytes).digest('hex')
  const ms = seconds === undefined ? (await knownContentsOf(file, sha256())).durationMs : seconds * 1000
  if (ms === undefined) throw new ConfigError(`${file} has no length that can be read; expected a playable video`)
  return { name, type, path: resolve(file), bytes, seconds: ms / 1000 }
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
