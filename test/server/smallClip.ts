/** The short clip, smaller and shorter: what a test makes of it takes an eighth of the time. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../base/paths.ts'

const run = promisify(execFile)
let made: Promise<Buffer> | undefined

/** 1 s of 160 x 90 at 25 a second, with its sound; made once, as small.mp4 of the folder. */
export function smallClip(folder: string): Promise<Buffer> {
  made ??= (async () => {
    const source = join(packageRoot, 'fixtures', 'clips', 'short.mp4')
    const args = [
      '-v',
      'error',
      '-t',
      '1',
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
