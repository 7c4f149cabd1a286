/**
 * Reads a recording of any size: the file is looked through once for where each entry is and when it began, and the
 * entries are then parsed one by one, in the order of their beginnings. Only their places stay in memory.
 *
 * The file is taken apart here and not by a streaming parser, as places are what is needed: to read in another order
 * than the file's, to come back to an entry, and to say where a file is broken.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { fingerprintOf } from '../base/fingerprint.ts'
import { ConfigError } from '../base/options.ts'
import { plural, visible } from '../base/text.ts'
import { shown } from '../contracts/expectation.ts'
import { operationOf, operations } from '../contracts/operations.ts'
import { unpackRecording } from './archive.ts'
import { withBodies } from './beside.ts'
import { type HarEntry, HarLog } from './har.ts'
import { EntryScanner } from './scan.ts'
import { routeStart, type Traffic, trafficOf } from './traffic.ts'
import { fittedTo, understandEntry } from './understand.ts'

const chunkBytes = 1024 * 1024
/** A longer entry has a body in it that no API of ours sends; larger ones belong beside the recording. */
const maxEntryBytes = 256 * 1024 * 1024

export interface HarSource {
  readonly file: string
  /** Where the bodies beside it are. */
  readonly folder: string
  /** All of it but its entries. */
  readonly log: HarLog['log']
  readonly size: number
  /** The base URL that its calls are below, without a slash at its end; undefined where none is one of the API's. */
  readonly base: string | undefined
  /** How many entries lead to a documented route. */
  readonly known: number
  /** Another tool's, which took all keys out: calls that need one were answered well, and none has it. */
  readonly areKeysLeftOut: boolean
  /** The entries in the order of their beginnings, each parsed when it is asked for. */
  entries(): Generator<HarEntry>
  /** The i-th of them, from 0. */
  at(i: number): HarEntry
  /** The same as traffic of the API. */
  traffic(): Generator<Traffic>
  /** Throws for a recording that holds no call of the API at all. */
  requireTraffic(): void
  close(): void
}

export interface HarOptions {
  /** The base URL; by default the one that most of its calls of documented routes have. */
  base?: string
}

/** Opens a recording, packed (gzip, zip) or not. Throws a ConfigError that says where it is broken, and what to do. */
export function openHar(file: string, options: HarOptions = {}): HarSource {
  closeSync(open(file))
  const unpacked = unpackRecording(file)
  const fd = open(unpacked?.file ?? file)
  const close = () => {
    closeSync(fd)
    unpacked?.remove()
  }
  try {
    return { ...index(file, fd, unpacked?.folder ?? dirname(file), options), close }
  } catch (error) {
    close()
    throw error
  }
}

function open(file: string): number {
  try {
    const fd = openSync(file, 'r')
    if (!fstatSync(fd).isDirectory()) return fd
    closeSync(fd)
  } catch (error) {
    throw new ConfigError(`${file} can't be read: ${(error as Error).message}`)
  }
  throw new ConfigError(`${file} is a folder; expected a recording (HAR)`)
}

function index(file: string, fd: number, folder: string, options: HarOptions): Omit<HarSource, 'close'> {
  const scanner = new EntryScanner()
  const chunk = Buffer.allocUnsafe(chunkBytes)
  for (let at = 0; ; ) {
    const read = readSync(fd, chunk, 0, chunkBytes, at)
    if (read === 0) break
    scanner.push(chunk.subarray(0, read))
    at += read
  }
  const { offsets, lengths } = scanner
  if (scanner.size === 0) throw new ConfigError(`${file} is empty; expected a recording (HAR)`)
  const log = shellOf(file, scanner)
  const understood = (i: number) => entryAt(fd, offsets[i] as number, lengths[i] as number)
  const read = (i: number) => withBodies(understood(i) as HarEntry, folder)
  const readable: number[] = []
  const leftOut = { count: 0, first: '' }
  let sawKey = false
  let sawGood = false
  const bases = new Map<string, number>()
  const startedAt = new Float64Array(offsets.length)
  let known = 0
  for (let i = 0; i < offsets.length; i++) {
    const entry = understood(i)
    if (typeof entry === 'string') {
      leftOut.first ||= `entry ${i + 1} (at byte ${offsets[i]}): ${entry}`
      leftOut.count++
      continue
    }
    readable.push(i)
    const { startedDateTime, request, _kind } = entry
    startedAt[i] = Date.parse(startedDateTime)
    const base = _kind === 'webhook' ? undefined : baseOf(request.url)
    if (base === undefined) continue
    known++
    sawGood ||= isGoodWithKey(entry, base)
    sawKey ||= request.headers.some(({ name }) => name.toLowerCase() === 'x-api-key')
    bases.set(base, (bases.get(base) ?? 0) + 1)
  }
  if (readable.length === 0 && leftOut.count > 0)
    throw new ConfigError(
      `${file}: none of its ${plural(leftOut.count, 'entry', 'entries')} can be understood: ${leftOut.first} (HAR 1.2)`,
    )
  const order = Uint32Array.from(readable).sort((a, b) => (startedAt[a] as number) - (startedAt[b] as number) || a - b)
  const [most] = [...bases].sort((a, b) => b[1] - a[1])
  const base = options.base?.replace(/\/+$/, '') ?? most?.[0]

  function* entries(): Generator<HarEntry> {
    for (const i of order) yield read(i)
  }

  function* traffic(): Generator<Traffic> {
    let number = 0
    for (const i of order) yield trafficOf(read(i), { number: ++number, base, fingerprint: fingerprintOf })
  }

  return {
    file,
    folder,
    log: leftOut.count === 0 ? log : { ...log, _incomplete: incompleteText(log, readable.length, leftOut) },
    size: readable.length,
    base,
    known,
    areKeysLeftOut: sawGood && !sawKey && log.creator?.name !== 'understudy',
    entries,
    at: i => read(order[i] as number),
    traffic,
    requireTraffic() {
      if (readable.length === 0) throw new ConfigError(`${file} holds no entries: nothing was recorded`)
      if (known > 0) return
      const hosts = [...new Set([...entries()].map(({ request }) => hostOf(request.url)))]
      const told = hosts.slice(0, 3).join(', ') + (hosts.length > 3 ? ` and ${hosts.length - 3} more` : '')
      throw new ConfigError(
        `${file}: none of its ${readable.length} entries is a call of this API (of ${told}); expected routes such as POST /v1/jobs`,
      )
    },
  }
}

/** Whether it was answered well by a route that needs a key. */
function isGoodWithKey({ request, response: { status } }: HarEntry, base: string): boolean {
  const operation = operationOf(request.method, request.url.slice(base.length))
  return operation !== undefined && operations[operation].auth === 'key' && status >= 200 && status < 300
}

/** What is in front of the documented route; undefined where there is none. */
function baseOf(url: string): string | undefined {
  const found = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]+)([^#]*)/i.exec(url)
  if (!found) return undefined
  const [, origin = '', path = ''] = found
  const start = routeStart(path)
  return isRoute(path.slice(start)) ? origin + path.slice(0, start) : undefined
}

/** A documented route that is no sign of any other API: everybody has a /health. */
const isRoute = (path: string): boolean => {
  const operation = operationOf('GET', path) ?? operationOf('POST', path)
  return operation !== undefined && operation !== 'getHealth'
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'no URL')

/** What a file is that is not JSON, where its first bytes tell. */
function whyNot(text: string, error: Error): string {
  if (text.startsWith('\x28\xb5\x2f\xfd') || /^\(.?.?\/.?\ufffd/.test(text)) return 'it is packed (zstd); unpack it'
  if (text.slice(0, 4).includes('\0')) return 'it is UTF-16; save it as UTF-8'
  return visible(error.message)
}

let compiledLog: ValidateFunction | undefined
/** Compiled with the first recording: most runs read none. */
const logValidator = (): ValidateFunction =>
  (compiledLog ??= new Ajv({ verbose: true, strict: false, logger: false, validateSchema: false, meta: false }).compile(
    HarLog,
  ))

function shellOf(file: string, scanner: EntryScanner): HarLog['log'] {
  const { offsets } = scanner
  const which = (i: number) => `entry ${i + 1}`
  if (scanner.openEntryAt !== undefined) {
    throw new ConfigError(
      `${file} ends in the midst of ${which(offsets.length)}, which begins at byte ${scanner.openEntryAt}: it was cut off. ` +
        `Record it again, or close it behind ${offsets.length === 0 ? 'its beginning' : which(offsets.length - 1)} with ]}}`,
    )
  }
  let shell: unknown
  try {
    shell = JSON.parse(scanner.shell)
  } catch (error) {
    if (scanner.isOpen && offsets.length > 0)
      throw new ConfigError(
        `${file} ends behind ${which(offsets.length - 1)}: it was cut off, or its last ]}} is missing`,
      )
    throw new ConfigError(
      `${file} is not JSON: ${whyNot(scanner.shell, error as Error)}; expected a recording (HAR 1.2)`,
    )
  }
  const fitted = fittedTo(HarLog, shell) as HarLog | undefined
  if (fitted !== undefined) return fitted.log
  const isLog = logValidator()
  isLog(shell)
  throw new ConfigError(`${file} is not a recording: ${problem()}; expected HAR 1.2, {"log": {"entries": [...]}}`)

  function problem(): string {
    const [error] = isLog.errors ?? []
    return error?.keyword === 'required'
      ? `${error.instancePath}/${error.params.missingProperty} is missing`
      : `${error?.instancePath || 'it'} is ${shown(error?.data)}`
  }
}

/** The entry, or why it can't be understood. */
function entryAt(fd: number, offset: number, length: number): HarEntry | string {
  if (length > maxEntryBytes) return `it has ${length} bytes; expected at most ${maxEntryBytes}`
  const bytes = Buffer.allocUnsafe(length)
  readSync(fd, bytes, 0, length, offset)
  try {
    return understandEntry(JSON.parse(bytes.toString()))
  } catch (error) {
    if (error instanceof SyntaxError) return `it is not JSON: ${visible(error.message)}`
    throw error
  }
}

function incompleteText(
  { _incomplete: own }: HarLog['log'],
  kept: number,
  { count, first }: { count: number; first: string },
): string {
  const which = count === 1 ? first : `the first: ${first}`
  const told = `${kept} of ${kept + count} entries were read, ${count} left out: ${which}`
  return own === undefined ? told : `${own}; ${told}`
}
