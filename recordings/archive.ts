/** Packed recordings: Playwright's .har.zip, with its bodies in it, and a .har that somebody has packed with gzip or zip. */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, normalize } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type UnzipFileInfo, unzipSync } from 'fflate'
import { ConfigError } from '../base/options.ts'

/** What a packed recording may have, and what may become of it: it is unpacked in memory. */
const maxPackedBytes = 512 * 1024 * 1024
const maxUnpackedBytes = 1024 * 1024 * 1024
const maxFiles = 200_000

export interface UnpackedRecording {
  /** The recording itself. */
  file: string
  /** Where the bodies beside it are. */
  folder: string
  /** Takes it away again. */
  remove(): void
}

/** The recording that is in an archive; undefined for a file that is none. Throws a ConfigError for one that can't be used. */
export function unpackRecording(file: string): UnpackedRecording | undefined {
  const kind = kindOf(file)
  if (kind === undefined) return undefined
  const { size } = statSync(file)
  if (size > maxPackedBytes)
    throw new ConfigError(
      `${file} is packed and has ${size} bytes; expected at most ${maxPackedBytes}: unpack it first`,
    )
  const bytes = readFileSync(file)
  const har = kind === 'gzip' ? gunzipped(file, bytes) : undefined
  const files = kind === 'zip' ? unzipped(file, bytes) : undefined
  const folder = mkdtempSync(join(tmpdir(), 'understudy-har-'))
  const remove = () => {
    process.off('exit', remove)
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', remove)
  try {
    if (har !== undefined) {
      const path = join(folder, 'recording.har')
      writeFileSync(path, har)
      return { file: path, folder: dirname(file), remove }
    }
    const name = recordingIn(file, Object.keys(files ?? {}))
    for (const [path, content] of Object.entries(files ?? {})) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    return { file: join(folder, name), folder: dirname(join(folder, name)), remove }
  } catch (error) {
    remove()
    throw error
  }
}

function kindOf(file: string): 'gzip' | 'zip' | undefined {
  const head = Buffer.alloc(4)
  const fd = openSync(file, 'r')
  readSync(fd, head, 0, 4, 0)
  closeSync(fd)
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  // An empty archive has nothing but its end.
  return head.toString('latin1', 0, 2) === 'PK' && [0x0403, 0x0605].includes(head.readUInt16LE(2)) ? 'zip' : undefined
}

function gunzipped(file: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxUnpackedBytes })
  } catch (error) {
    throw new ConfigError(`${file} is packed with gzip and can't be unpacked: ${whyOf(error)}`)
  }
}

const whyOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge : (error as Error).message

const tooLarge = `it has more than ${maxUnpackedBytes} bytes when unpacked`

/** Its files by their paths; the library makes none of them longer than the archive said that it is. */
function unzipped(file: string, bytes: Buffer): Record<string, Uint8Array> {
  let size = 0
  let count = 0
  const filter = ({ name, originalSize }: UnzipFileInfo): boolean => {
    if (!isInside(name)) return false
    size += originalSize
    if (size > maxUnpackedBytes) throw new Error(tooLarge)
    if (++count > maxFiles) throw new Error(`it has more than ${maxFiles} files`)
    return true
  }
  try {
    return unzipSync(bytes, { filter })
  } catch (error) {
    throw new ConfigError(`${file} is a zip archive that can't be unpacked: ${(error as Error).message}`)
  }
}

/** A file, of the archive's own: no folder, no path out of it, and nothing that a system has added. */
const isInside = (name: string): boolean =>
  !name.endsWith('/') &&
  !/^([/\\]|[a-z]:)|\0|__MACOSX/i.test(name) &&
  !normalize(name.replaceAll('\\', '/')).split(/[/\\]/).includes('..')

function recordingIn(file: string, names: readonly string[]): string {
  const found = names.filter(name => /\.har$/i.test(name) && !basename(name).startsWith('.'))
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  const what = found.length === 0 ? 'none is in it' : `it has ${found.length}: ${found.slice(0, 3).join(', ')}`
  throw new ConfigError(`${file} is a zip archive; expected one recording (.har) in it, and ${what}`)
}
