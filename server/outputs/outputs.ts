/**
 * The files that jobs come to. Made from the uploads by ffmpeg, a few at a time and once for the same content and inputs; where
 * there is no ffmpeg, or the user wants none, the canned output that ships, fitted to the job's length.
 */
import { hash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { monotonicMs } from '../../base/clock.ts'
import { ConfigError } from '../../base/options.ts'
import { outputsFolder } from '../../base/paths.ts'
import type { OutputFormat } from '../../contracts/schemas.ts'
import { type Ffmpeg, findFfmpeg } from '../../media/ffmpeg.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { UploadSource, Uploads } from '../uploads.ts'
import type { JobRecord, Making } from '../world/jobStore.ts'
import { outputName } from '../world/jobs.ts'
import type { World } from '../world/world.ts'
import { fitCanned, framesToFit, sizeToFit } from './fit.ts'
import { RenderError } from './look.ts'
import { Pool } from './pool.ts'
import { extensions, render, type Way, ways } from './render.ts'

interface Made {
  way: Way
  path: string
  bytes: number
}

/** One that is being made, and for whom. */
interface Task {
  made: Promise<Made>
  stop: AbortController
  worlds: Set<World>
}

/** Changes with what is made, so that no older version's files are taken for this one's. */
const version = 1
const maxProblems = 1_000

export class Outputs {
  readonly #config: Config
  readonly #uploads: Uploads
  readonly #log: Log
  readonly #pool: Pool
  readonly #threads: number
  /** By key, the one that was used least recently first. */
  readonly #made = new Map<string, Made>()
  #bytes = 0
  readonly #tasks = new Map<string, Task>()
  readonly #fitted = new Map<string, Promise<Made>>()
  /** What can't be made, and why: another try would come to the same. */
  readonly #problems = new Map<string, string>()
  /** Ids of uploads that are no file here. An id is told when its file is there, so none turns up later. */
  readonly #nowhere = new Set<string>()
  #found: Promise<void> | undefined
  #isClosed = false

  constructor(config: Config, uploads: Uploads, log: Log) {
    this.#config = config
    this.#uploads = uploads
    this.#log = log
    this.#pool = new Pool(config.renderJobs)
    // All of them together take half of the cores: the other half is for who polls meanwhile.
    this.#threads = Math.max(1, Math.floor(availableParallelism() / 2 / config.renderJobs))
  }

  /** What there will be, in a line. Throws a ConfigError where outputs have to be made and can't be. */
  async describe(): Promise<string> {
    if (this.#config.outputs === 'canned') return 'canned'
    const found = await findFfmpeg()
    if (!('missing' in found)) return `made by ffmpeg ${found.version}`
    if (this.#config.outputs === undefined) return `canned: ${found.missing}`
    throw new ConfigError(
      `Outputs can't be made: ${found.missing}. Install ffmpeg 5 or newer, or start with --outputs canned`,
    )
  }

  /**
   * A job is being processed: its output is begun. undefined where nothing is to be waited for: it is there already, or is made
   * when somebody asks for it, as that of a video_url that is no upload.
   */
  begin(world: World, job: JobRecord): Making | undefined {
    if (this.#config.outputs === 'canned' || this.#isClosed) return undefined
    const videoId = this.#uploads.idIn(job.view.video_url)
    if (videoId === undefined) return undefined
    const known = this.#uploads.known(videoId)
    const content = known?.sha256 ?? (this.#nowhere.has(videoId) ? namedIn(job) : undefined)
    const before = content === undefined ? undefined : this.#made.get(keyOf(job, content))
    if (before !== undefined) {
      job.message = messages[before.way]
      return undefined
    }
    const making: Making = {
      isOver: false,
      isCancelled: false,
      problem: undefined,
      message: undefined,
      done: Promise.resolve(),
    }
    making.done = this.#make(world, job, known)
      .then(made => {
        making.message = made && messages[made.way]
      })
      .catch((error: unknown) => {
        making.isCancelled = error instanceof RenderError && error.isCancelled
        making.problem = error instanceof RenderError ? error.message : 'the output could not be made'
      })
      .finally(() => {
        making.isOver = true
      })
    return making
  }

  /** The file of a completed job, made now where it isn't there yet: a folder, and a name in it. */
  async file(world: World, job: JobRecord): Promise<{ root: string; name: string }> {
    const made = await this.#make(world, job, undefined).catch(error => {
      if (error instanceof RenderError) return undefined
      throw error
    })
    if (made !== undefined) return { root: dirname(made.path), name: basename(made.path) }
    return this.#canned(job)
  }

  /** What was begun for a world alone is given up. */
  forget(world: World): void {
    for (const task of this.#tasks.values()) {
      if (task.worlds.delete(world) && task.worlds.size === 0) task.stop.abort()
    }
  }

  /** Ends what is being made, and resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    const tasks = [...this.#tasks.values()]
    for (const { stop } of tasks) stop.abort()
    await Promise.allSettled([...tasks.map(({ made }) => made), ...this.#fitted.values()])
  }

  /** undefined where nothing is made here. Rejects with a RenderError. */
  async #make(world: World, job: JobRecord, given: UploadSource | undefined): Promise<Made | undefined> {
    if (this.#config.outputs === 'canned') return undefined
    const ffmpeg = await findFfmpeg()
    if ('missing' in ffmpeg) return undefined
    const videoId = this.#uploads.idIn(job.view.video_url)
    const source = given ?? (videoId === undefined ? undefined : await this.#uploads.locate(videoId))
    if (videoId !== undefined && source === undefined) {
      if (this.#nowhere.size === maxProblems) this.#nowhere.clear()
      this.#nowhere.add(videoId)
    }
    // One that plays no more, as it had to make room, still has its length and its name.
    const key = keyOf(job, source?.sha256 ?? namedIn(job))
    await this.#readFolder()
    return (await this.#kept(key)) ?? (await this.#task(key, world, job, source, ffmpeg))
  }

  async #kept(key: string): Promise<Made | undefined> {
    const made = this.#made.get(key)
    if (made === undefined) return undefined
    // Another mock on the same folder, or who cleans folders up, may have taken it.
    const isThere = await stat(made.path).then(
      () => true,
      () => false,
    )
    if (this.#made.get(key) === made) {
      this.#made.delete(key)
      if (isThere) this.#made.set(key, made)
      else this.#bytes -= made.bytes
    }
    return isThere ? made : undefined
  }

  #task(key: string, world: World, job: JobRecord, source: UploadSource | undefined, ffmpeg: Ffmpeg): Promise<Made> {
    const problem = this.#problems.get(key)
    if (problem !== undefined) return Promise.reject(new RenderError(problem))
    let task = this.#tasks.get(key)
    if (task === undefined || task.stop.signal.aborted) {
      const stop = new AbortController()
      const made = this.#pool.run(() => this.#render(key, job, source, ffmpeg, stop.signal))
      const begun: Task = { made, stop, worlds: new Set() }
      task = begun
      this.#tasks.set(key, task)
      const forget = () => {
        if (this.#tasks.get(key) === begun) this.#tasks.delete(key)
      }
      made.then(forget, forget)
    }
    task.worlds.add(world)
    if (this.#isClosed) task.stop.abort()
    return task.made
  }

  async #render(
    key: string,
    { view, durationMs = 0 }: JobRecord,
    source: UploadSource | undefined,
    ffmpeg: Ffmpeg,
    signal: AbortSignal,
  ): Promise<Made> {
    const startedAt = monotonicMs()
    try {
      await mkdir(this.#uploads.outputsFolder, { recursive: true })
      const made = await render({
        from: source ?? { name: nameOf(view.video_url) },
        wanted: view,
        durationMs,
        to: way => join(this.#uploads.outputsFolder, `${key}.${way}.${extensions[view.output_format]}`),
        workFolder: await this.#uploads.workFolder(),
        ffmpeg,
        threads: this.#threads,
        maxBytes: Math.min(this.#config.outputBytes, maxOneBytes),
        signal,
      })
      await this.#keep(key, made)
      const ms = Math.round(monotonicMs() - startedAt)
      this.#log.debug({ job_id: view.id, ms, bytes: made.bytes, way: made.way }, 'an output was made')
      return made
    } catch (error) {
      if (!(error instanceof RenderError)) throw error
      if (error.isFinal) {
        if (this.#problems.size >= maxProblems) this.#problems.clear()
        this.#problems.set(key, error.message)
      }
      const level = error.isFinal ? 'warn' : 'error'
      if (!signal.aborted) this.#log[level]({ job_id: view.id }, `the output could not be made: ${error.message}`)
      throw error
    }
  }

  async #keep(key: string, made: Made): Promise<void> {
    const before = this.#made.get(key)
    if (before !== undefined) this.#bytes -= before.bytes
    this.#made.delete(key)
    this.#made.set(key, made)
    this.#bytes += made.bytes
    const gone: string[] = []
    for (const [oldest, { path, bytes }] of this.#made) {
      if (this.#bytes <= this.#config.outputBytes || oldest === key) break
      this.#made.delete(oldest)
      this.#bytes -= bytes
      gone.push(path)
    }
    // Who is being sent one of them has it open.
    await Promise.allSettled(gone.map(path => rm(path, { force: true })))
  }

  /** What an earlier mock on the same data folder has made. */
  #readFolder(): Promise<void> {
    this.#found ??= (async () => {
      const folder = this.#uploads.outputsFolder
      const found: (Made & { key: string; at: number })[] = []
      for (const name of await readdir(folder).catch(() => [])) {
        const [key = '', way = ''] = name.split('.', 2)
        const path = join(folder, name)
        const file = await stat(path).catch(() => undefined)
        const known = ways.find(one => one === way)
        if (known !== undefined && file !== undefined)
          found.push({ key, way: known, path, bytes: file.size, at: file.mtimeMs })
      }
      for (const { key, at: _, ...made } of found.sort((a, b) => a.at - b.at)) await this.#keep(key, made)
    })()
    return this.#found
  }

  /** The canned output, as long as the job; as it ships, where that would take more than may be kept. */
  async #canned({ view, durationMs = 0 }: JobRecord): Promise<{ root: string; name: string }> {
    const { output_format: format } = view
    const asItShips = { root: outputsFolder, name: outputName(format) }
    const frames = framesToFit(durationMs)
    if (frames === undefined) return asItShips
    if ((await sizeToFit(format, frames)) > Math.min(this.#config.outputBytes, maxOneBytes)) return asItShips
    const key = hash('sha256', `canned ${version} ${format} ${frames}`).slice(0, 40)
    const path = join(this.#uploads.outputsFolder, `${key}.canned.${extensions[format]}`)
    try {
      await this.#readFolder()
      const made = (await this.#kept(key)) ?? (await this.#once(key, () => this.#fit(key, format, frames, path)))
      return { root: dirname(made.path), name: basename(made.path) }
    } catch (error) {
      this.#log.error({ job_id: view.id, err: error }, 'the canned output could not be fitted to the length of its job')
      return asItShips
    }
  }

  /** Who asks while it is being written waits for the same. */
  #once(key: string, make: () => Promise<Made>): Promise<Made> {
    const before = this.#fitted.get(key)
    if (before !== undefined) return before
    const made = make().finally(() => this.#fitted.delete(key))
    this.#fitted.set(key, made)
    return made
  }

  async #fit(key: string, format: OutputFormat, frames: number, path: string): Promise<Made> {
    const folder = await this.#uploads.workFolder()
    try {
      const out = join(folder, basename(path))
      await fitCanned(format, frames, out)
      await mkdir(dirname(path), { recursive: true })
      await rename(out, path)
      const made: Made = { way: 'canned', path, bytes: (await stat(path)).size }
      await this.#keep(key, made)
      return made
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** One output, however much may be kept in all. */
const maxOneBytes = 2 * 1024 ** 3

const messages: Record<Way, string | undefined> = {
  colour: undefined,
  difference: undefined,
  oval: 'The background moves: the mock cut out a soft oval in place of the subject',
  drawn: undefined,
  canned: undefined,
}

/** The same content, length and inputs have the same output. */
function keyOf({ view, durationMs }: JobRecord, content: string): string {
  const { output_format, bg_type, bg_color, background, composition } = view
  const inputs = [version, content, durationMs, output_format, bg_type, bg_color, background, composition]
  return hash('sha256', JSON.stringify(inputs)).slice(0, 40)
}

/** What an output is made of where there is no content: the name of the video. */
const namedIn = ({ view }: JobRecord): string => `name ${nameOf(view.video_url)}`

/** The last part of a URL's path, as somebody would read it. */
function nameOf(videoUrl: string): string {
  const path = videoUrl.split(/[?#]/, 1)[0] as string
  const last = path.slice(path.lastIndexOf('/') + 1)
  let name = last
  try {
    name = decodeURIComponent(last)
  } catch {
    // It stays as it is written.
  }
  return name.replace(/\p{C}/gu, '').slice(0, 36) || new URL(videoUrl).hostname
}
