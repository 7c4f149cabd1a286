/**
 * Uploads on disk. They stream into a folder of their own and are looked at on the way; what is refused or broken off
 * leaves nothing behind.
 */

import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConfigError } from '../base/options.ts'
import { tagOf } from '../base/seed.ts'
import { type VideoType, videoTypes } from '../contracts/schemas.ts'
import { knownContentsOf, sniff, sniffBytes, typeOfName, videoTypeOf } from '../media/video.ts'
import { apiError } from './errors.ts'
import { type UploadLength, videoIdFor } from './world/videoLength.ts'
import type { World } from './world/world.ts'

/** A world keeps the files of this many uploads; the oldest goes first. Its video_url still tells its length. */
const maxUploadsPerWorld = 1_000
const temporaryPrefix = 'understudy-'

/** A file that has arrived whole, and may be kept or dropped. */
export interface Received {
  path: string
  /** Bytes. */
  size: number
  sha256: string
  type: VideoType
  filename: string
}

/** The file of an upload, for who makes something of it. */
export interface UploadSource {
  path: string
  sha256: string
  type: VideoType
}

export class Uploads {
  /** The data folder, or a temporary one once something has arrived: most mocks of tests are sent no file. */
  #madeFolder: string | undefined
  readonly #isTemporary: boolean
  readonly #kept = new WeakMap<World, string[]>()
  /** Those that this mock has taken, by their ids. */
  readonly #sources = new Map<string, UploadSource>()
  /** Whose files these are: what arrives half in a shared data folder is told apart by it. */
  readonly #owner = `${process.pid}.${nextOwner++}`
  #incoming = 0

  /** Opens `dataDir`, or a temporary folder after sweeping away those that killed processes left behind. */
  constructor(dataDir: string | undefined) {
    this.#isTemporary = dataDir === undefined
    try {
      if (dataDir === undefined) {
        accessSync(tmpdir(), constants.W_OK)
        sweepLeftovers()
      } else this.#madeFolder = makeRooms(resolve(dataDir))
    } catch (error) {
      const where = dataDir === undefined ? `The temporary folder ${tmpdir()}` : `The data folder ${dataDir}`
      throw new ConfigError(`${where} can't be written: ${(error as Error).message}; choose one with --data-dir`)
    }
    living.add(this.#owner)
    if (!this.#isTemporary) this.#sweepIncoming(name => !isAlive(name))
  }

  get #folder(): string {
    if (this.#madeFolder === undefined) {
      const folder = mkdtempSync(join(tmpdir(), temporaryPrefix))
      writeFileSync(join(folder, 'owner'), this.#owner)
      this.#madeFolder = makeRooms(folder)
    }
    return this.#madeFolder
  }

  /**
   * Streams a file to disk. Throws the catalogue's invalid_file_type or invalid_upload, and leaves nothing behind then.
   * `claimed` is the part's Content-Type, or undefined where the client sent none (UP-4).
   */
  async receive(stream: Readable, filename: string, claimed: string | undefined): Promise<Received> {
    refuseWrongClaim(filename, claimed)
    const path = join(this.#folder, 'incoming', `${this.#owner}.${this.#incoming++}`)
    const sha256 = createHash('sha256')
    let size = 0
    let type: VideoType | undefined
    let head = Buffer.alloc(0)

    async function* inspect(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length
        sha256.update(chunk)
        if (type === undefined) {
          head = Buffer.concat([head, chunk.subarray(0, sniffBytes)])
          // Refused at its first bytes: what follows needn't be written.
          if (head.length >= sniffBytes) type = await typeOf(head)
        }
        yield chunk
      }
    }

    // Opened before anything can fail: a file that came into being after its removal would stay.
    const file = await this.#create(path)
    try {
      await pipeline(stream, inspect, file.createWriteStream())
      if (size === 0) throw apiError('invalid_upload', 'the field "file" is empty; expected a video')
      type ??= await typeOf(head)
      return { path, size, sha256: sha256.digest('hex'), type, filename }
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  }

  /** What cleans temporary folders up may have taken ours away; it is made anew then. */
  async #create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      for (const name of ['incoming', 'uploads']) await mkdir(join(this.#folder, name), { recursive: true })
      return open(path, 'wx')
    }
  }

  drop(received: Received): Promise<void> {
    return rm(received.path, { force: true })
  }

  /**
   * Moves a received file to where its video_url finds it, and gives its video_id, which carries its length. Throws
   * invalid_file_type for one that has sound only, and drops it.
   */
  async keep(world: World, received: Received): Promise<string> {
    const id = await this.#move(world, received).catch(async error => {
      await this.drop(received)
      throw error
    })
    const kept = this.#kept.get(world) ?? []
    this.#kept.set(world, kept)
    kept.push(id)
    const oldest = kept.length > maxUploadsPerWorld ? kept.shift() : undefined
    if (oldest !== undefined) {
      this.#sources.delete(oldest)
      await rm(this.#folderOf(oldest), { recursive: true, force: true })
    }
    return id
  }

  async #move(world: World, { path, sha256, filename, type }: Received): Promise<string> {
    const { durationMs, plays, isSoundOnly } = await knownContentsOf(path, sha256)
    if (isSoundOnly)
      throw apiError('invalid_file_type', `the field "file" holds sound and no picture; expected one of ${supported}`)
    const { id, folder } = await this.#newFolder(world, durationMs ?? (plays ? 'drawn' : 'unreadable'))
    try {
      const file = join(folder, `${nameOf(filename)}${sha256}.${videoTypes[type][0]}`)
      await rename(path, file)
      this.#sources.set(id, { path: file, sha256, type })
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
    return id
  }

  /** The path of an upload's file; undefined when there is none of that id and name. */
  async find(videoId: string, filename: string): Promise<string | undefined> {
    if (!/^vid_[0-9a-z]+_[0-9a-z]+$/.test(videoId)) return undefined
    const folder = this.#folderOf(videoId)
    const [file] = await readdir(folder).catch(() => [])
    return file?.startsWith(nameOf(filename)) ? join(folder, file) : undefined
  }

  /** The upload that a video_url is of; undefined for any other. */
  idIn(videoUrl: string): string | undefined {
    return /\/files\/uploads\/(vid_[0-9a-z]+_[0-9a-z]+)\//.exec(videoUrl)?.[1]
  }

  /** One that this mock has taken itself. */
  known(videoId: string): UploadSource | undefined {
    return this.#sources.get(videoId)
  }

  /** One of whoever keeps files in the same data folder; undefined where it is there no more. */
  async locate(videoId: string): Promise<UploadSource | undefined> {
    const known = this.#sources.get(videoId)
    if (known !== undefined) return known
    const folder = this.#folderOf(videoId)
    const [file] = await readdir(folder).catch(() => [])
    const type = file === undefined ? undefined : typeOfName(file)
    if (file === undefined || type === undefined) return undefined
    // One that an older version has kept is told apart by its id.
    const [, sha256 = videoId] = /\.([\da-f]{64})\.\w+$/.exec(file) ?? []
    return { path: join(folder, file), sha256, type }
  }

  /** Where outputs are kept: with the uploads, and as long as they. */
  get outputsFolder(): string {
    return join(this.#folder, 'outputs')
  }

  /** An empty folder for something that is being made; what a killed process leaves of it goes at the next start. */
  async workFolder(): Promise<string> {
    const folder = join(this.#folder, 'incoming', `${this.#owner}.${this.#incoming++}`)
    await mkdir(folder, { recursive: true })
    return folder
  }

  /** Removes the files of one world's uploads. */
  forget(world: World): void {
    for (const id of this.#kept.get(world) ?? []) {
      this.#sources.delete(id)
      rmSync(this.#folderOf(id), { recursive: true, force: true })
    }
    this.#kept.delete(world)
  }

  close(): void {
    if (this.#isTemporary) {
      if (this.#madeFolder !== undefined) rmSync(this.#madeFolder, { recursive: true, force: true })
    } else this.#sweepIncoming(name => name.startsWith(`${this.#owner}.`))
    living.delete(this.#owner)
  }

  #sweepIncoming(goes: (name: string) => boolean): void {
    const folder = join(this.#folder, 'incoming')
    // Somebody may have taken the whole folder away before us.
    if (!existsSync(folder)) return
    for (const name of readdirSync(folder)) if (goes(name)) rmSync(join(folder, name), { recursive: true, force: true })
  }

  /** After a restart on the same data folder and seed, numbers that are taken are passed over. */
  async #newFolder(world: World, durationMs: UploadLength): Promise<{ id: string; folder: string }> {
    for (;;) {
      const id = videoIdFor(`${world.tag}${world.random.id('upload', world.nextUpload++)}`, durationMs)
      const folder = this.#folderOf(id)
      try {
        await mkdir(folder)
        return { id, folder }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }

  #folderOf(videoId: string): string {
    return join(this.#folder, 'uploads', videoId)
  }
}

/** Makes what is missing of a folder of uploads. */
function makeRooms(folder: string): string {
  for (const room of ['incoming', 'uploads']) mkdirSync(join(folder, room), { recursive: true })
  return folder
}

/** What a file is kept as: a client's own name may be too long for a disk, or mean something to it. */
const nameOf = (filename: string): string => `${tagOf(12, filename)}.`

const supported = Object.keys(videoTypes).join(', ')

/** UP-2: a claimed type must be a supported one. Generic claims are none: clients send them for want of a better. */
function refuseWrongClaim(filename: string, claimed: string | undefined): void {
  if (claimed !== undefined && !/^(application|binary)\/octet-stream$/i.test(claimed)) {
    if (videoTypeOf(claimed) === undefined)
      throw apiError('invalid_file_type', `the field "file" is ${claimed}; expected one of ${supported}`)
    return
  }
  if (!filename.includes('.') || typeOfName(filename)) return
  throw apiError(
    'invalid_file_type',
    `the field "file" is named ${filename}; expected the extension of one of ${supported}`,
  )
}

async function typeOf(head: Buffer): Promise<VideoType> {
  const sniffed = await sniff(head)
  if ('type' in sniffed) return sniffed.type
  throw apiError('invalid_file_type', `the field "file" holds ${sniffed.found}; expected one of ${supported}`)
}

let hasSwept = false

/** Temporary folders whose process is gone: after a kill -9 nobody else takes them away. Once a process, as it takes a while. */
function sweepLeftovers(): void {
  if (hasSwept) return
  hasSwept = true
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(temporaryPrefix)) continue
    const folder = join(tmpdir(), name)
    const owner = readOwner(join(folder, 'owner'))
    if (owner !== undefined && !isAlive(owner)) rmSync(folder, { recursive: true, force: true })
  }
}

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** This process's own mocks; a process that had the same pid before, as the first of a container has, is none of them. */
const living = new Set<string>()
let nextOwner = 0

/** Whether the mock that left `name` behind, which begins with its pid and number, is still there. */
function isAlive(name: string): boolean {
  const [pid = '', number = ''] = name.split('.')
  if (pid === String(process.pid)) return living.has(`${pid}.${number}`)
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
