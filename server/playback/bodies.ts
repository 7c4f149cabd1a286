/** The bodies of a recording: in it, beside it, or, of an output whose bytes were not kept, the mock's own file. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, join, resolve, sep } from 'node:path'
import { outputsFolder } from '../../base/paths.ts'
import type { HarEntry, HarFile } from '../../recordings/har.ts'

/** Bytes of a file, from `start` on. */
export interface FileBody {
  readonly path: string
  readonly start: number
  readonly size: number
}

/** Text, bytes, or a file. */
export type PlaybackBody = string | Buffer | FileBody

/** Longer JSON is no answer of the API; it is sent as it is. */
const maxJsonBytes = 16 * 1024 * 1024

export const bodySize = (body: PlaybackBody): number => (isFile(body) ? body.size : Buffer.byteLength(body))

export const isFile = (body: PlaybackBody): body is FileBody => typeof body === 'object' && 'path' in body

/** The body of an answer as it was recorded; '' where nothing is left of it. `folder` is the recording's. */
export function answerBodyOf({ request, response }: HarEntry, folder: string): PlaybackBody {
  const { text, encoding, _file: file, mimeType = '' } = response.content ?? {}
  if (text !== undefined && encoding === 'base64') {
    const bytes = Buffer.from(text, 'base64')
    return /json/i.test(mimeType) ? bytes.toString() : bytes
  }
  if (text !== undefined) return text
  const kept = fileOf(file, folder) ?? outputOf(request.url, response)
  return kept !== undefined && /json/i.test(mimeType) && kept.size <= maxJsonBytes ? readText(kept) : (kept ?? '')
}

/** The text of a JSON body that was sent; undefined where it isn't known, or not all of it. */
export function requestTextOf({ request, _cut: cut }: HarEntry, folder: string): string | undefined {
  const { text, _file: file } = request.postData ?? {}
  if (cut?.when === 'in_request') return undefined
  if (text !== undefined) return text.endsWith('… (cut)') ? undefined : text
  const kept = fileOf(file, folder)
  if (kept !== undefined && kept.size <= maxJsonBytes) return readText(kept)
  return hadBody(request) ? undefined : ''
}

/** What was refused by its head alone has its body nowhere: the headers say that there was one. */
function hadBody({ headers, bodySize = 0, postData }: HarEntry['request']): boolean {
  if (bodySize > 0 || postData?._file !== undefined) return true
  const said = headers.find(({ name }) => /^(content-length|transfer-encoding)$/i.test(name))
  return said !== undefined && said.value !== '0'
}

/** A file beside the recording, never one outside of its folder: a recording may come from anywhere. */
function fileOf(file: HarFile | undefined, folder: string): FileBody | undefined {
  if (file?.path === undefined) return undefined
  try {
    const path = realpathSync(resolve(folder, file.path))
    if (!path.startsWith(realpathSync(folder) + sep)) return undefined
    const found = statSync(path)
    return found.isFile() ? { path, start: 0, size: found.size } : undefined
  } catch {
    return undefined
  }
}

/** The journal keeps no files: an output is played from those that the mock has, so that it can be watched. */
function outputOf(url: string, { status, headers }: HarEntry['response']): FileBody | undefined {
  const name = /\/files\/outputs\/[^/?#]+\/([\w.-]+)(?:[?#]|$)/.exec(url)?.[1]
  if (name === undefined || (status !== 200 && status !== 206)) return undefined
  const path = join(outputsFolder, basename(name))
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) return undefined
  const range = headers.find(header => header.name.toLowerCase() === 'content-range')?.value
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(range ?? '') ?? []
  if (from === undefined || Number(from) >= size) return { path, start: 0, size }
  return { path, start: Number(from), size: Math.min(Number(to), size - 1) - Number(from) + 1 }
}

const readText = ({ path }: FileBody): string => readFileSync(path, 'utf8')
