/** Files beside a recording. One may come from anywhere: nothing outside of its folder is read, by no path and no link. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { HarEntry, HarFile } from './har.ts'
import { isTextType } from './leftOut.ts'

export interface FileBeside {
  path: string
  /** Bytes. */
  size: number
}

/** The file of that path, seen from the recording's folder; undefined where there is none inside of it. */
export function fileBeside(folder: string, path: string | undefined): FileBeside | undefined {
  if (path === undefined || path === '') return undefined
  try {
    // A recording made on Windows may have been carried elsewhere.
    const found = realpathSync(resolve(folder, path.replaceAll('\\', '/')))
    if (!found.startsWith(realpathSync(folder) + sep)) return undefined
    const about = statSync(found)
    return about.isFile() ? { path: found, size: about.size } : undefined
  } catch {
    return undefined
  }
}

/** A longer text is left where it lies. */
export const maxReadBytes = 16 * 1024 * 1024

/** The entry with the texts that lie beside it, and without the files that are not there. */
export function withBodies(entry: HarEntry, folder: string): HarEntry {
  const { request, response } = entry
  const { postData } = request
  const { content } = response
  const isBeside = postData?._body_file ?? content?._body_file ?? postData?.params?.some(param => param._body_file)
  if (!isBeside) return entry
  const params = postData?.params?.map(param => found(param, folder))
  return {
    ...entry,
    request: {
      ...request,
      ...(postData && { postData: { ...read(postData, folder), ...(params !== undefined && { params }) } }),
    },
    response: { ...response, ...(content && { content: read(content, folder) }) },
  }
}

interface Body {
  mimeType?: string
  text?: string
  encoding?: string
  _body_file?: HarFile
}

/** Its file with its size, where the recording did not say it, or without a path, where there is none. */
function found<T extends { _body_file?: HarFile }>(body: T, folder: string): T {
  const file = body._body_file
  if (file?.path === undefined) return body
  const beside = fileBeside(folder, file.path)
  if (beside !== undefined) return { ...body, _body_file: { ...file, size: file.size ?? beside.size } }
  const { path: _gone, ...rest } = file
  return { ...body, _body_file: rest }
}

function read<T extends Body>(given: T, folder: string): T {
  const body = found(given, folder)
  const beside = fileBeside(folder, body._body_file?.path)
  if (beside === undefined || body.text !== undefined) return body
  if (!isTextType(body.mimeType) || beside.size > maxReadBytes) return body
  const { encoding: _none, ...rest } = body
  return { ...rest, text: readFileSync(beside.path, 'utf8') } as T
}
