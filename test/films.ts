/** What ffmpeg says of films: for the tests of what was made, and of what ships. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Film {
  /** ffmpeg's name of the container. */
  container: string
  seconds: number
  width: number
  height: number
  /** Frames a second, to two places. */
  rate: number
  /** In the order of the streams, such as vp9 and opus. */
  codecs: string[]
  /** All that is said of it. */
  said: string
  /** Of every frame, as the filter left them; none without a filter. */
  pixels: Buffer
}

/** The filter that leaves every frame's alpha, 0 to 255. */
export const alpha = 'format=rgba,alphaextract'

/**
 * What ffmpeg says of some films, and their pixels through a filter, by way of files in a folder. In one process: it takes
 * longer to start than to decode them. One film at least needs a filter. Rejects where ffmpeg finds something wrong with one.
 */
export async function filmsOf(
  folder: string,
  ...films: readonly (readonly [path: string, filter?: string])[]
): Promise<Film[]> {
  const args = ['-hide_banner', '-nostdin', '-xerror', '-y', '-v', 'level+info']
  // ffmpeg's own VP9 decoder drops the alpha.
  for (const [path, filter] of films)
    args.push(...(path.endsWith('.webm') && filter === alpha ? ['-c:v', 'libvpx-vp9'] : []), '-i', path)
  const decoded = films.flatMap(([, filter], i) => (filter === undefined ? [] : [{ i, filter }]))
  args.push('-filter_complex', decoded.map(({ i, filter }) => `[${i}:v]${filter}[out${i}]`).join(';'))
  const pixelsOf = (i: number) => join(folder, `pixels-${i}`)
  for (const { i } of decoded) args.push('-map', `[out${i}]`, '-f', 'rawvideo', pixelsOf(i))
  const { stderr } = await run('ffmpeg', args, { maxBuffer: 1e8 })
  const complaint = /^.*\[(error|fatal)\].*/m.exec(stderr)
  if (complaint !== null) throw new Error(`ffmpeg does not like what it was given: ${complaint[0]}`)
  const [opened = ''] = stderr.split(/^\[info\] Stream mapping:/m)
  const inputs = opened.split(/^\[info\] Input #\d+, /m).slice(1)
  return Promise.all(
    films.map(async ([, filter], i) => {
      const said = inputs[i] as string
      const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(said) ?? []
      const [, width, height] = /Video: .*?\b(\d{2,})x(\d{2,})\b/.exec(said) ?? []
      return {
        container: said.split(', from', 1)[0] as string,
        seconds: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
        width: Number(width),
        height: Number(height),
        rate: Number(/([\d.]+) fps/.exec(said)?.[1]),
        codecs: [...said.matchAll(/(?:Video|Audio): (\w+)/g)].map(([, codec]) => codec as string),
        said,
        pixels: filter === undefined ? Buffer.alloc(0) : await readFile(pixelsOf(i)),
      }
    }),
  )
}
