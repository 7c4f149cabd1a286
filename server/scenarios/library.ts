/**
 * The scenarios that can be named: those that ship, those of the user's own folder, and those that were added while the
 * mock runs. Each is read when it is first asked for; files that change are read again, and a broken one changes nothing.
 */
import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { laterReal } from '../clock.ts'
import { ConfigError } from '../config.ts'
import { packageRoot } from '../paths.ts'
import { compile, type Scenario } from './compile.ts'
import { type RuleFormat, type ScenarioFile, scenarioName } from './format.ts'
import { maxScenarioBytes, parseScenario, type Source, takeScenario } from './parse.ts'
import { didYouMean, type PlacedProblem, ScenarioError } from './problems.ts'

export const shippedFolder = join(packageRoot, 'scenarios')
const extensions = ['.yaml', '.yml', '.json']
/** An editor writes a file in steps; it is read when it has been quiet for so long, in real ms. */
const quietMs = 60

interface Known {
  scenario: Scenario
  /** Undefined for one that has no file. */
  file: string | undefined
}

export interface LibraryEvents {
  /** Something may be another scenario now than before. */
  changed: () => void
  /** An edit is broken; what was there before is still played. */
  broken: (error: ScenarioError) => void
}

export class Library {
  readonly #folders: readonly string[]
  readonly #events: LibraryEvents | undefined
  readonly #known = new Map<string, Known>()
  /** Files by their path, for those that are played without being in a folder. */
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
  }

  /** A scenario by its name. Throws a ScenarioError for one that is broken; undefined when there is none. */
  find(name: string): Scenario | undefined {
    const known = this.#known.get(name)
    if (known) return known.scenario
    const file = this.#fileOf(name)
    if (file === undefined) return undefined
    return this.#keep(name, file, this.#load(file, [name]))
  }

  /** The same, where it has to be there. Throws a ScenarioError that says what there is. */
  get(name: string): Scenario {
    const found = this.find(name)
    if (found) return found
    throw this.unknown(name)
  }

  unknown(name: string): ScenarioError {
    const hint =
      didYouMean(name, this.names()) || '; GET /__mock/scenarios or `understudy scenarios list` tell what there is'
    return new ScenarioError([unplaced(name, `there is no such scenario${hint}`)])
  }

  /** A scenario by its file, wherever that is; it can be named from then on. */
  open(path: string): Scenario {
    const file = resolve(path)
    const name = nameOf(file)
    return this.#keep(name, file, this.#load(file, [name]))
  }

  /** A name, or the path of a file: one has a folder or an extension in it. */
  nameOrFile(given: string): Scenario {
    return /[/\\]|\.(ya?ml|json)$/.test(given) ? this.open(given) : this.get(given)
  }

  /** A scenario that was sent or written in a test. It is kept under its name when `keep` says so. */
  take(value: unknown, keep: boolean): Scenario {
    const name = isObject(value) && typeof value.name === 'string' ? value.name : 'inline'
    const scenario = this.#compile(takeScenario(value, name), [name])
    if (keep) this.#add(scenario)
    return scenario
  }

  /** The same from text, with lines and columns in what is refused. */
  takeText(text: string, keep: boolean): Scenario {
    const scenario = this.#compile(parseScenario(text, 'the scenario'), [])
    if (keep) this.#add(scenario)
    return scenario
  }

  /** Every name there is, sorted. */
  names(): string[] {
    const files = this.#folders.flatMap(folder => scenarioFiles(folder).map(nameOf))
    return [...new Set([...files, ...this.#known.keys()])].sort()
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

  #add(scenario: Scenario): void {
    if (scenario.source.name === undefined) {
      throw new ScenarioError([unplaced('the scenario', 'is missing; expected one, as it is found by it', 'name')])
    }
    this.#known.set(scenario.name, { scenario, file: undefined })
    this.#events?.changed()
  }

  #keep(name: string, file: string, scenario: Scenario): Scenario {
    this.#known.set(name, { scenario, file })
    this.#watch(dirname(file))
    return scenario
  }

  #fileOf(name: string): string | undefined {
    if (!new RegExp(scenarioName).test(name)) return undefined
    const paths = this.#folders.flatMap(folder => extensions.map(extension => join(folder, name + extension)))
    return paths.find(isFile)
  }

  /** Reads one file; `chain` are the names that led here by `extends`. */
  #load(file: string, chain: readonly string[]): Scenario {
    const source = parseScenario(readText(file), file)
    const { name } = source.value
    if (name !== undefined && name !== nameOf(file)) {
      source.refuse([
        { path: ['name'], message: `is ${name}, but the file is ${basename(file)}; expected ${nameOf(file)}` },
      ])
    }
    return this.#compile({ ...source, value: { name: nameOf(file), ...source.value } }, chain)
  }

  #compile({ value, refuse }: Source, chain: readonly string[]): Scenario {
    const bases = [value.extends ?? []].flat().map(name => {
      if (chain.includes(name)) {
        refuse([{ path: ['extends'], message: `goes in a circle: ${[...chain, name].join(' → ')}` }])
      }
      const file = this.#fileOf(name)
      const base = file === undefined ? this.#known.get(name)?.scenario : this.#load(file, [...chain, name])
      if (!base) refuse([{ path: ['extends'], message: `${name} is no scenario${didYouMean(name, this.names())}` }])
      return base as Scenario
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
    let changed = false
    for (const [name, { file, scenario }] of this.#known) {
      if (file === undefined) continue
      try {
        const read = this.#load(file, [name])
        this.#broken.delete(name)
        if (JSON.stringify(read.source) === JSON.stringify(scenario.source)) continue
        this.#known.set(name, { scenario: read, file })
        changed = true
      } catch (error) {
        const known = this.#broken.get(name)
        if (!(error instanceof ScenarioError) || known?.message === error.message) continue
        this.#broken.set(name, error)
        this.#events?.broken(error)
      }
    }
    if (changed) this.#events?.changed()
  }
}

/** Its own over what it extends: rules in front, one of the same name in its place, the rest field by field. */
function merge(own: ScenarioFile, bases: readonly Scenario[], refuse: Source['refuse']): Scenario {
  const names = new Set(own.rules?.map(({ name }) => name).filter(name => name !== undefined))
  const inherited: RuleFormat[] = []
  for (const base of bases) {
    for (const rule of base.rules) {
      if (names.has(rule.name)) continue
      names.add(rule.name)
      inherited.push({ ...(base.source.rules?.[rule.index] as RuleFormat), name: rule.name })
    }
  }
  if (bases.length === 0) return compile(own, [], refuse)
  const account = Object.assign({}, ...bases.map(({ source }) => source.account), own.account)
  const jobs = Object.assign({}, ...bases.map(({ source }) => source.jobs), own.jobs)
  const clauses = [...new Set([...(own.clauses ?? []), ...bases.flatMap(({ source }) => source.clauses ?? [])])]
  const { extends: _, ...rest } = own
  const written = {
    ...rest,
    description: own.description ?? bases[0]?.description,
    ...(clauses.length > 0 && { clauses }),
    ...(Object.keys(account).length > 0 && { account }),
    ...(Object.keys(jobs).length > 0 && { jobs }),
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
    throw new ScenarioError([unplaced(file, `has ${size} bytes; expected ${maxScenarioBytes} at the most`)])
  } catch (error) {
    if (error instanceof ScenarioError) throw error
    throw new ScenarioError([unplaced(file, `can't be read: ${(error as Error).message}`)])
  }
}

const nameOf = (file: string): string => basename(file, extname(file))
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

function scenarioFiles(folder: string): string[] {
  const files = readdirSync(folder).filter(file => extensions.includes(extname(file)))
  return files.filter(file => new RegExp(scenarioName).test(nameOf(file)))
}
