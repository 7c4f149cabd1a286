/** The bodies of a recording: in it, beside it, or, of an output whose bytes were not kept, the mock's own file. */
import { readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { outputsFolder } from '../../base/paths.ts'
import { fileBeside, maxReadBytes } from '../../recordings/beside.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { isAnswerBodyLeftOut, isRequestBodyLeftOut } from '../../recordings/leftOut.ts'

/** Bytes of a file, from `start` on. */
export interface FileBody {
  readonly path: string
  readonly start: number
  readonly size: number
  /** It stands for a body that was not kept, which may have been longer. */
  readonly isStandIn?: true
}

/** Text, bytes, or a file. */
export type PlaybackBody = string | Buffer | FileBody

export const bodySize = (body: PlaybackBody): number => (isFile(body) ? body.size : Buffer.byteLength(body))

export const isFile = (body: PlaybackBody): body is FileBody => typeof body === 'object' && 'path' in body

/** The body of an answer as it was recorded; '' where nothing is left of it. `folder` is the recording's. */
export function answerBodyOf({ request, response }: HarEntry, folder: string): PlaybackBody {
  const { text, encoding, _body_file: file, mimeType = '' } = response.content ?? {}
  if (text !== undefined && encoding === 'base64') {
    const bytes = Buffer.from(text, 'base64')
    return /json/i.test(mimeType) ? bytes.toString() : bytes
  }
  if (text !== undefined) return text
  const beside = fileBeside(folder, file?.path)
  return (beside && { ...beside, start: 0 }) ?? outputOf(request.url, response) ?? ''
}

/** Whether there was a body that nobody has: nothing in the recording, and no output of the mock's own. */
export const isAnswerLost = (entry: HarEntry): boolean =>
  isAnswerBodyLeftOut(entry) && outputOf(entry.request.url, entry.response) === undefined

/** The text of a JSON body that was sent; undefined where it isn't known, or not all of it. */
export function requestTextOf(entry: HarEntry, folder: string): string | undefined {
  if (isRequestBodyLeftOut(entry)) return undefined
  const { text, _body_file: file } = entry.request.postData ?? {}
  if (text !== undefined) return text.endsWith('… (cut)') ? undefined : text
  const beside = fileBeside(folder, file?.path)
  return beside === undefined ? '' : beside.size <= maxReadBytes ? readFileSync(beside.path, 'utf8') : undefined
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
  if (from === undefined || Number(from) >= size) return { path, start: 0, size, isStandIn: true }
  return { path, start: Number(from), size: Math.min(Number(to), size - 1) - Number(from) + 1, isStandIn: true }
}
