/**
 * A request's body as it was recorded: its text with the new ids in it, or a form put together again, with its file from
 * beside the recording. What was not kept is stood in for by something that the endpoint will answer alike.
 */

import { hash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { formFrame, type PartHead } from '../base/multipart.ts'
import { packageRoot } from '../base/paths.ts'
import type { Content } from '../base/wire.ts'
import { parse } from '../contracts/answers.ts'
import { fileBeside } from '../recordings/beside.ts'
import type { HarEntry, HarParam } from '../recordings/har.ts'
import type { RecordedCall } from '../recordings/traffic.ts'
import type { Ids } from './ids.ts'

export interface ReplayBody {
  content: Content | undefined
  /** Where it is another one than that of the recorded request. */
  contentType?: string
  /** Its text, for what is looked for in it. */
  text?: string
  note?: string
  /** Something else is sent in the place of its file. */
  isStandIn?: boolean
  /** Why it can't be sent at all. */
  missing?: string
}

const boundary = 'understudy-replay-boundary'

/** `files`: those of other calls with its Idempotency-Key. */
export function bodyOf(
  entry: HarEntry,
  call: RecordedCall,
  folder: string,
  ids: Ids,
  files: readonly HarParam[],
): ReplayBody {
  const { postData } = entry.request
  const type = harHeader(entry, 'content-type') ?? postData?.mimeType ?? ''
  if (/^multipart\/form-data/i.test(type)) return formOf(entry, call, folder, files)
  if (call.isBodyLeftOut && call.cut === undefined)
    return { content: undefined, missing: 'its body is not in the recording' }
  if (postData === undefined) return { content: undefined }
  if (postData.text === undefined && postData._body_file !== undefined) {
    const beside = fileBeside(folder, postData._body_file.path)
    if (beside === undefined) return { content: undefined, missing: 'its body is not in the recording' }
    return { content: fromDisk(beside.path) }
  }
  if (postData.encoding === 'base64') return { content: inMemory(Buffer.from(postData.text ?? '', 'base64')) }
  if (postData.text === undefined) {
    const pairs = (postData.params ?? []).map(({ name, value = '' }): [string, string] => [name, ids.text(value)])
    return { content: inMemory(Buffer.from(String(new URLSearchParams(pairs)))) }
  }
  if (postData.text.endsWith('… (cut)'))
    return { content: undefined, missing: 'its body was not kept whole in the recording' }
  return rewritten(postData.text, ids)
}

function rewritten(text: string, ids: Ids): ReplayBody {
  const json = parse(text)
  const now = json === undefined ? ids.text(text) : JSON.stringify(ids.json(json))
  // What nothing is to be changed in goes as it came, spaces and all.
  const isSame = json === undefined ? now === text : now === JSON.stringify(json)
  const sent = isSame ? text : now
  return { content: inMemory(Buffer.from(sent)), text }
}

function formOf(entry: HarEntry, call: RecordedCall, folder: string, files: readonly HarParam[]): ReplayBody {
  const { postData } = entry.request
  const params = postData?.params ?? []
  if (params.length === 0 && postData?.text !== undefined && postData.text !== '')
    return { content: inMemory(Buffer.from(postData.text, postData.encoding === 'base64' ? 'base64' : 'utf8')) }
  const contentType = `multipart/form-data; boundary=${boundary}`
  const [known] = isAnyFile(call) ? files : []
  const lacking = params.length > 0 ? undefined : known ? { params: [known] } : standInFor(entry, call)
  const notes = new Set<string>()
  let isStandIn = lacking !== undefined && known === undefined
  if (lacking?.note !== undefined) notes.add(lacking.note)
  const parts = (lacking?.params ?? params).map(param => {
    const part = partOf(lacking ? param : withFile(param, call, folder, files), call, folder, notes)
    isStandIn ||= part.isStandIn === true
    return part
  })
  const { heads, tail } = formFrame(
    parts.map(({ head }) => head),
    boundary,
  )
  const size = parts.reduce((sum, { content }, i) => sum + content.size + (heads[i] as Uint8Array).length, tail.length)
  return {
    content: {
      size,
      async *chunks() {
        for (const [i, { content }] of parts.entries()) {
          yield heads[i] as Uint8Array
          yield* content.chunks()
        }
        yield tail
      },
    },
    contentType,
    isStandIn,
    ...(notes.size > 0 && { note: [...notes].join('; ') }),
  }
}

/** Whether its file may have been any: it was not refused for what it was. */
const isAnyFile = ({ status, cut }: RecordedCall): boolean =>
  cut !== undefined || status < 400 || [401, 402, 408, 429].includes(status) || status >= 500

/** A part whose bytes are missing, with those that another call of the same Idempotency-Key sent under that name. */
function withFile(param: HarParam, call: RecordedCall, folder: string, files: readonly HarParam[]): HarParam {
  if (!isFile(param) || (isBodyRecorded(param, folder) && call.cut?.when !== 'in_request') || !isAnyFile(call))
    return param
  const sha256 = param._body_file?.sha256 || undefined
  const isPart = call.cut !== undefined || sha256 === undefined
  const same = files.find(
    ({ name, fileName, _body_file: file }) =>
      name === param.name && fileName === param.fileName && (isPart || file?.sha256 === sha256),
  )
  return same ?? param
}

const isFile = ({ fileName, _body_file: file }: HarParam): boolean => fileName !== undefined || file !== undefined

const pathOf = ({ _body_file: file }: HarParam, folder: string): string | undefined =>
  fileBeside(folder, file?.path)?.path ?? clipOfHash(file?.sha256)

/** Whether it is a file whose bytes are there. */
export const isBodyRecorded = (param: HarParam, folder: string): boolean =>
  isFile(param) && (param.value !== undefined || pathOf(param, folder) !== undefined)

interface Part {
  head: PartHead
  content: Content
  isStandIn?: boolean
}

function partOf(param: HarParam, call: RecordedCall, folder: string, notes: Set<string>): Part {
  const { name, fileName, contentType, value, _body_file: file } = param
  const hasFile = isFile(param)
  const head: PartHead = {
    field: quoted(name),
    ...(hasFile && { filename: quoted(fileName ?? ''), type: contentType || undefined }),
  }
  if (!hasFile) return { head, content: inMemory(Buffer.from(value ?? '')) }
  const path = pathOf(param, folder)
  if (path !== undefined) return { head, content: fromDisk(path) }
  if (value !== undefined) return { head, content: inMemory(Buffer.from(value)) }
  const isTaken = call.status < 400
  const clip = isTaken ? clipFor(fileName ?? '') : undefined
  if (clip !== undefined) {
    notes.add(`the bytes of ${fileName} are not in the recording: ${basename(clip)} was sent in their place`)
    return { head, content: fromDisk(clip), isStandIn: true }
  }
  notes.add(
    `the bytes of ${fileName || 'a file'} are not in the recording: as many of no meaning were sent in their place`,
  )
  return { head, content: filler(file?.size ?? 1024), isStandIn: true }
}

/** An upload of which nothing is known but its answer, as the endpoint never looked at it. */
function standInFor(entry: HarEntry, { status, text }: RecordedCall): { params: HarParam[]; note?: string } {
  const size = Number(harHeader(entry, 'content-length') ?? 0)
  if (status === 400 && /no file|field/i.test(text)) return { params: [] }
  if (status === 400 && /file type/i.test(text) && entry._rule === undefined)
    return {
      params: [{ name: 'file', fileName: 'file.txt', contentType: 'text/plain', _body_file: { size: 64, sha256: '' } }],
    }
  if (status === 400 && /too large/i.test(text) && entry._rule === undefined)
    return {
      params: [{ name: 'file', fileName: 'large.mp4', contentType: 'video/mp4', _body_file: { size, sha256: '' } }],
    }
  const clip = join(clipsFolder, 'short.mp4')
  return {
    params: [
      { name: 'file', fileName: 'short.mp4', contentType: 'video/mp4', _body_file: { size, sha256: hashOf(clip) } },
    ],
    note: 'its file is not in the recording: short.mp4 was sent in its place',
  }
}

const inMemory = (bytes: Uint8Array): Content => ({ size: bytes.length, chunks: () => [bytes] })

const fromDisk = (path: string): Content => ({ size: statSync(path).size, chunks: () => createReadStream(path) })

const zeros = new Uint8Array(64 * 1024)
const filler = (size: number): Content => ({
  size,
  *chunks() {
    for (let left = size; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length))
  },
})

const clipsFolder = join(packageRoot, 'fixtures', 'clips')
const clipNames = ['short', 'longer', 'difficult'].flatMap(name =>
  ['mp4', 'mov', 'webm', 'avi'].map(ext => `${name}.${ext}`),
)
const hashes = new Map<string, string>()

function hashOf(path: string): string {
  const known = hashes.get(path) ?? hash('sha256', readFileSync(path))
  hashes.set(path, known)
  return known
}

/** The clips that ship are what many a test uploads. */
const clipOfHash = (sha256: string | undefined): string | undefined =>
  sha256 === undefined || sha256 === ''
    ? undefined
    : clipNames.map(name => join(clipsFolder, name)).find(path => existsSync(path) && hashOf(path) === sha256)

function clipFor(name: string): string {
  const path = join(clipsFolder, `short${extname(name).toLowerCase()}`)
  return existsSync(path) && extname(name) !== '' ? path : join(clipsFolder, 'short.mp4')
}

const quoted = (text: string): string => text.replace(/["\r\n]/g, sign => encodeURIComponent(sign))

export const harHeader = ({ request }: HarEntry, name: string): string | undefined =>
  request.headers.find(header => header.name.toLowerCase() === name)?.value
