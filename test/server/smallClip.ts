/** The short clip, smaller and shorter: what a test makes of it takes a tenth of the time. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../base/paths.ts'

const run = promisify(execFile)
let made: Promise<Buffer> | undefined

export const smallSize = { width: 160, height: 90, frames: 10 }

/** 10 frames of 160 x 90 at 25 a second, with their sound; made once, as small.mp4 of the folder. */
export function smallClip(folder: string): Promise<Buffer> {
  made ??= (async () => {
    const source = join(packageRoot, 'fixtures', 'clips', 'short.mp4')
    const args = [
      '-v',
      'error',
      '-t',
      String(smallSize.frames / 25),
      '-i',
      source,
      '-vf',
      'scale=160:90',
      '-c:a',
      'copy',
      '-movflags',
      'faststart',
    ]
    const file = join(folder, 'small.mp4')
    await run('ffmpeg', [...args, '-y', file])
    return readFile(file)
  })()
  return made
}
