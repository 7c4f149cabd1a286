/**
 * Writes a recording entry by entry. The file is whole JSON after each of them, so that one whose recorder was killed
 * can be read like any other.
 */

import { hash } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import type { HarEntry, HarFile } from './har.ts'

/** Larger bodies are kept beside the recording. */
export const maxInlineBytes = 64 * 1024

export interface HarAbout {
  /** The base URL of what was recorded. */
  _target?: string
  _seed?: string
  /** Why not all that happened is in it. */
  _incomplete?: string
}

/** What stands before the entries, and behind them. */
export function frameOf(about: HarAbout = {}): { head: string; tail: string } {
  const log = {
    version: '1.2',
    creator: { name: 'understudy', version: packageVersion },
    comment: 'Secrets are replaced by [redacted]. Fields with an underscore are of Understudy.',
    ...about,
  }
  return { head: `{"log":${JSON.stringify(log).slice(0, -1)},"entries":[\n`, tail: '\n]}}\n' }
}

/** The recording of another one's entries, piece by piece. */
export function* harText(entries: Iterable<HarEntry>, about?: HarAbout): Generator<string> {
  const { head, tail } = frameOf(about)
  yield head
  let between = ''
  for (const entry of entries) {
    yield between + JSON.stringify(entry)
    between = ',\n'
  }
  yield tail
}

export class HarWriter {
  readonly file: string
  readonly #fd: number
  readonly #tail: string
  #end: number
  #between = ''
  #parts = 0
  readonly #kept = new Set<string>()
  /** Entries so far. */
  size = 0

  /** Throws a ConfigError for a file that can't be written. */
  constructor(file: string, about?: HarAbout) {
    this.file = file
    try {
      mkdirSync(dirname(file), { recursive: true })
      this.#fd = openSync(file, 'w')
    } catch (error) {
      throw new ConfigError(`${file} can't be written: ${(error as Error).message}`)
    }
    const { head, tail } = frameOf(about)
    this.#tail = tail
    this.#end = Buffer.byteLength(head)
    writeSync(this.#fd, head + tail, 0)
  }

  add(entry: HarEntry): void {
    const bytes = Buffer.from(this.#between + JSON.stringify(entry) + this.#tail)
    writeSync(this.#fd, bytes, 0, bytes.length, this.#end)
    this.#end += bytes.length - Buffer.byteLength(this.#tail)
    this.#between = ',\n'
    this.size++
  }

  close(): void {
    ftruncateSync(this.#fd, this.#end + Buffer.byteLength(this.#tail))
    closeSync(this.#fd)
    sweepBodies(this.file)
  }

  /** How many files are beside it. */
  get files(): number {
    return this.#kept.size
  }

  /** Where bytes may be written until all of them are there; keep() then gives them their name. */
  temporary(): string {
    const folder = bodiesFolder(this.file)
    mkdirSync(folder, { recursive: true })
    return join(folder, `${unfinished}${++this.#parts}`)
  }

  /** Keeps bytes that are in memory. */
  keepBytes(bytes: Uint8Array): HarFile {
    const temporary = this.temporary()
    writeFileSync(temporary, bytes)
    return this.keep(temporary, hash('sha256', bytes), bytes.length)
  }

  /** Keeps a finished file beside the recording, by its hash: the same bytes are there once. */
  keep(temporary: string, sha256: string, size: number): HarFile {
    const folder = bodiesFolder(this.file)
    mkdirSync(folder, { recursive: true })
    const path = join(folder, sha256)
    if (existsSync(path)) rmSync(temporary)
    else move(temporary, path)
    this.#kept.add(sha256)
    return { size, sha256, path: `${basename(folder)}/${sha256}` }
  }
}

/** incident.bodies beside incident.har. */
export const bodiesFolder = (file: string): string => `${file.replace(/\.har$/i, '')}.bodies`

const unfinished = '.part-'

/**
 * Removes what a recorder that was killed has left unfinished in a recording's folder, and the folder where it is empty.
 * `all` takes the finished bodies as well: the recording that they belong to is gone.
 */
export function sweepBodies(file: string, all = false): void {
  const folder = bodiesFolder(file)
  if (!existsSync(folder)) return
  const names = readdirSync(folder)
  const gone = names.filter(name => name.startsWith(unfinished) || (all && /^[0-9a-f]{64}$/.test(name)))
  for (const name of gone) rmSync(join(folder, name), { force: true })
  if (gone.length === names.length) rmdirSync(folder)
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    // Another file system.
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    copyFileSync(from, to)
    rmSync(from)
  }
}
