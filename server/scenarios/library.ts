/**
 * The scenarios that can be named: those that ship, those of the user's own folder, and those that were added while the
 * mock runs. Each is read when it is first asked for; files that change are read again, and a broken one changes nothing.
 */

import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { laterReal } from '../../base/clock.ts'
import { didYouMean } from '../../base/didYouMean.ts'
import { ConfigError } from '../../base/options.ts'
import { packageRoot } from '../../base/paths.ts'
import { formatCount } from '../../base/text.ts'
import { type PlacedProblem, ScenarioError } from '../../client/scenarioError.ts'
import { type RuleFormat, type ScenarioFile, scenarioName } from '../../client/scenarioFormat.ts'
import { compile } from './compile.ts'
import type { Scenario } from './compiledScenario.ts'
import { mergeJobs } from './compileJob.ts'
import { maxScenarioBytes, parseScenario, type Source, takeScenario } from './parse.ts'
import { readScenario } from './parsed.ts'

export const shippedFolder = join(packageRoot, 'scenarios')
const extensions = ['.yaml', '.yml', '.json']
/** An editor writes a file in steps; it is read when it has been quiet for so long, in real ms. */
const quietMs = 60

interface Known {
  scenario: Scenario
  /** Undefined for one that was added. */
  file: string | undefined
  /** It was asked for by its path: it is that file, whatever else has its name. */
  isOpened: boolean
}

/** One reading of files: each is read once, however often it is extended. */
interface Reading {
  /** Files on the way from the first one to this. */
  readonly chain: readonly string[]
  readonly done: Map<string, Scenario>
}

export interface LibraryEvents {
  /** Something may be another scenario now than before. */
  changed: () => void
  /** A file is broken; what was there before is still played. */
  broken: (error: ScenarioError) => void
  /** These are played as their files have them now. */
  reread: (names: string[]) => void
}

export class Library {
  readonly #folders: readonly string[]
  readonly #events: LibraryEvents | undefined
  readonly #known = new Map<string, Known>()
  /** By name: what is wrong with the files of those that are played as they were before. */
  readonly #broken = new Map<string, ScenarioError>()
  readonly #watchers = new Map<string, FSWatcher>()
  #quiet: (() => void) | undefined

  /** `folder` is the user's own; its scenarios come before the shipped ones. Files are watched when `events` are given. */
  constructor(folder: string | undefined, events?: LibraryEvents) {
    this.#folders = folder === undefined ? [shippedFolder] : [resolve(folder), shippedFolder]
    this.#events = events
    if (folder !== undefined && !isFolder(folder)) {
      throw new ConfigError(`The scenarios folder ${folder} can't be read; expected a folder with .yaml or .json files`)
    }
    if (folder === undefined || !events) return
    this.#watch(resolve(folder))
    for (const name of scenarioFiles(folder).map(nameOf)) {
      try {
        this.find(name)
      } catch (error) {
        events.broken(error as ScenarioError)
      }
    }
  }

  /** A scenario by its name. Throws a ScenarioError for one that is broken; undefined when there is none. */
  find(name: string): Scenario | undefined {
    const known = this.#known.get(name)
    if (known) return known.scenario
    const file = this.#fileOf(name)
    if (file === undefined) return undefined
    return this.#keep(file, false)
  }

  /** The same, where it has to be there. Throws a ScenarioError that says what there is. */
  get(name: string): Scenario {
    const found = this.find(name)
    if (found) return found
    throw this.unknown(name)
  }

  /** The text of its file; undefined for one that has none, or is written in JSON. */
  textOf(name: string): string | undefined {
    this.get(name)
    const file = this.#known.get(name)?.file
    return file === undefined || file.endsWith('.json') ? undefined : readFileSync(file, 'utf8')
  }

  unknown(name: string): ScenarioError {
    const hint =
      didYouMean(name, this.names()) || '; `understudy scenarios list` or GET /__mock/scenarios tell what there is'
    return new ScenarioError([unplaced(name, `there is no such scenario${hint}`)])
  }

  /** A scenario by its file, wherever that is; it can be named from then on. */
  open(path: string): Scenario {
    return this.#keep(resolve(path), true)
  }

  /** A name, or the path of a file: one has a folder or an extension in it. */
  nameOrFile(given: string): Scenario {
    return /[/\\]|\.(ya?ml|json)$/.test(given) ? this.open(given) : this.get(given)
  }

  /** A scenario that was sent, or written in a test. It is kept under its name when `keep` says so. */
  take(value: unknown, keep: boolean): Scenario {
    const name = isObject(value) && typeof value.name === 'string' ? value.name : 'inline'
    return this.#take(takeScenario(value, name), keep)
  }

  /** The same from text, with lines and columns in what is refused. */
  takeText(text: string, keep: boolean): Scenario {
    return this.#take(parseScenario(text, 'the scenario'), keep)
  }

  /** A scenario as `source` has it: with all that it extended, which may stand in the shadow of its own rules. */
  restore(value: unknown): Scenario {
    const { value: written, refuse } = takeScenario(value, 'the scenario')
    return compile({ ...written, ...(written.rules && { rules: [] }) }, written.rules ?? [], refuse)
  }

  /** Takes back one that was added; false when there is none. What ships under its name is there again. */
  remove(name: string): boolean {
    const known = this.#known.get(name)
    if (known === undefined || known.file !== undefined) return false
    this.#known.delete(name)
    this.#events?.changed()
    return true
  }

  /** Every name there is, sorted. */
  names(): string[] {
    const files = this.#folders.flatMap(folder => scenarioFiles(folder).map(nameOf))
    return [...new Set([...files, ...this.#known.keys()])].sort()
  }

  /** Reads what has not been read yet, a file at a time, so that other calls get their turn; then list() takes a moment. */
  async readAll(): Promise<void> {
    for (const name of this.names()) {
      if (this.#known.has(name)) continue
      try {
        this.find(name)
      } catch {
        // list() tells it.
      }
      await setImmediate()
    }
  }

  /** Every scenario there is, and what is wrong with those that are broken. */
  list(): { name: string; file: string | undefined; scenario?: Scenario; problems?: readonly PlacedProblem[] }[] {
    return this.names().map(name => {
      const file = this.#known.get(name)?.file ?? this.#fileOf(name)
      try {
        const scenario = this.get(name)
        return { name, file, scenario, problems: this.#broken.get(name)?.problems }
      } catch (error) {
        return { name, file, problems: (error as ScenarioError).problems }
      }
    })
  }

  close(): void {
    this.#quiet?.()
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #take(source: Source, keep: boolean): Scenario {
    const scenario = this.#compile(source, { chain: [], done: new Map() })
    if (!keep) return scenario
    if (source.value.name === undefined) {
      throw new ScenarioError([unplaced('the scenario', 'is missing; expected one, as it is found by it', 'name')])
    }
    this.#known.set(scenario.name, { scenario, file: undefined, isOpened: false })
    this.#events?.changed()
    return scenario
  }

  #keep(file: string, isOpened: boolean): Scenario {
    this.#watch(dirname(file))
    const scenario = this.#load(file, { chain: [], done: new Map() })
    this.#known.set(nameOf(file), { scenario, file, isOpened })
    return scenario
  }

  /** The file of a name: in the folder of the one that asks for it, the user's, or the shipped one. */
  #fileOf(name: string, beside?: string, not: readonly string[] = []): string | undefined {
    if (!new RegExp(scenarioName).test(name)) return undefined
    const folders = beside === undefined ? this.#folders : [beside, ...this.#folders]
    const paths = folders.flatMap(folder => extensions.map(extension => join(folder, name + extension)))
    return paths.find(path => !not.includes(path) && isFile(path))
  }

  #load(file: string, { chain, done }: Reading): Scenario {
    const known = done.get(file)
    if (known) return known
    const source = readScenario(readText(file), file)
    const own = nameOf(file)
    if (!new RegExp(scenarioName).test(own)) {
      throw new ScenarioError([
        unplaced(file, `is named ${own}; expected lower case with hyphens, as it is found by that`),
      ])
    }
    const { name = own } = source.value
    if (name !== own) {
      source.refuse([{ path: ['name'], message: `is ${name}, but the file is ${basename(file)}; expected ${own}` }])
    }
    const value = { ...source.value, name }
    const scenario = this.#compile({ ...source, value }, { chain: [...chain, file], done })
    done.set(file, scenario)
    return scenario
  }

  #compile({ value, refuse }: Source, reading: Reading): Scenario {
    const { chain } = reading
    const beside = chain.length === 0 ? undefined : dirname(chain.at(-1) as string)
    const bases = [value.extends ?? []].flat().map(name => {
      const added = this.#known.get(name)
      if (added && added.file === undefined) return added.scenario
      // A file of the same name as the one that extends it is another one: the user's own over the shipped.
      const file = this.#fileOf(name, beside, chain)
      if (file !== undefined) return this.#load(file, reading)
      const isCircle = this.#fileOf(name, beside) !== undefined
      const circle = [...chain.map(nameOf), name].join(' → ')
      const why = isCircle
        ? `goes in a circle: ${circle}`
        : `${name} is not a scenario${didYouMean(name, this.names())}`
      refuse([{ path: ['extends'], message: why }])
      throw new Error('a problem that was not refused')
    })
    return merge(value, bases, refuse)
  }

  #watch(folder: string): void {
    if (!this.#events || this.#watchers.has(folder)) return
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#whenQuiet())
      watcher.on('error', () => watcher.close())
      this.#watchers.set(folder, watcher)
    } catch {
      // A file system that can't be watched: the scenario stays as it was read.
    }
  }

  #whenQuiet(): void {
    this.#quiet?.()
    this.#quiet = laterReal(quietMs, () => this.#reread())
  }

  /** Reads anew what has a file: any of them may extend the one that changed. */
  #reread(): void {
    const read: string[] = []
    const done = new Map<string, Scenario>()
    for (const [name, { file: was, scenario, isOpened }] of this.#known) {
      if (was === undefined) continue
      const file = isOpened ? was : this.#fileOf(name)
      if (file === undefined) {
        this.#known.delete(name)
        read.push(`${name} (gone)`)
        continue
      }
      try {
        const now = this.#load(file, { chain: [], done })
        const isMended = this.#broken.delete(name)
        if (JSON.stringify(now.source) === JSON.stringify(scenario.source) && !isMended) continue
        this.#known.set(name, { scenario: now, file, isOpened })
        read.push(name)
      } catch (error) {
        const known = this.#broken.get(name)
        if (!(error instanceof ScenarioError) || known?.message === error.message) continue
        this.#broken.set(name, error)
        this.#events?.broken(error)
      }
    }
    if (read.length > 0) this.#events?.reread(read)
    // Always: a key may wait for a file that has only now come, or been mended.
    this.#events?.changed()
  }
}

/** Its own over what it extends: rules in front, one of the same name in its place, the rest field by field. */
function merge(own: ScenarioFile, bases: readonly Scenario[], refuse: Source['refuse']): Scenario {
  if (bases.length === 0) return compile(own, [], refuse)
  const names = new Set(own.rules?.map(({ name }, i) => name ?? `rule-${i + 1}`))
  const inherited: RuleFormat[] = []
  for (const base of bases) {
    for (const rule of base.source.rules ?? []) {
      // One that was given no name of its own is not meant by the same number elsewhere.
      const isNumbered = /^rule-\d+$/.test(rule.name ?? '')
      const name = isNumbered ? `${base.name} ${rule.name}` : (rule.name as string)
      if (names.has(name)) continue
      names.add(name)
      inherited.push({ ...rule, name })
    }
  }
  const account = Object.assign({}, ...bases.map(({ source }) => source.account), own.account)
  const jobs = [...bases.map(({ source }) => source.jobs), own.jobs].reduce(mergeJobs, undefined)
  const clauses = [...new Set([...(own.clauses ?? []), ...bases.flatMap(({ source }) => source.clauses ?? [])])]
  const description = own.description ?? bases.find(({ source }) => source.description)?.source.description
  const { extends: _, ...rest } = own
  const written = {
    ...rest,
    ...(description !== undefined && { description }),
    ...(clauses.length > 0 && { clauses }),
    ...(Object.keys(account).length > 0 && { account }),
    ...(jobs && { jobs }),
  }
  return compile(written, inherited, refuse)
}

const unplaced = (file: string, message: string, field = ''): PlacedProblem => ({
  file,
  line: undefined,
  column: undefined,
  field,
  message,
})

function readText(file: string): string {
  try {
    const { size } = statSync(file)
    if (size <= maxScenarioBytes) return readFileSync(file, 'utf8')
    throw new ScenarioError([unplaced(file, `has ${size} bytes; expected at most ${formatCount(maxScenarioBytes)}`)])
  } catch (error) {
    if (error instanceof ScenarioError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EISDIR' ? 'is a folder; expected a scenario file' : `can't be read: ${message}`
    throw new ScenarioError([unplaced(file, why)])
  }
}

const nameOf = (file: string): string => basename(file, extname(file))
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** The names of a folder's scenario files. */
export function scenarioFiles(folder: string): string[] {
  const files = readdirSync(folder).filter(file => extensions.includes(extname(file)))
  return files.filter(file => new RegExp(scenarioName).test(nameOf(file)))
}
