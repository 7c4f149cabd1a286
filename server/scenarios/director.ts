/**
 * Which scenario is played where. Four ways switch one on, from the widest to the narrowest, and the narrower wins:
 * --scenario, PUT /__mock/scenario, the key's name, a header of one request.
 */
import type { Logger } from 'pino'
import type { OperationId } from '../../contracts/operations.ts'
import { scenarioOfKey } from '../magic.ts'
import type { World } from '../world/world.ts'
import { isSelected } from '../world/worlds.ts'
import type { Scenario } from './compile.ts'
import { faultOfHeader } from './faultHeader.ts'
import { Library } from './library.ts'
import { Activation, Play, type Way, ways } from './play.ts'
import type { ScenarioError } from './problems.ts'

/** What one world plays now, and has played of what is still switched on. */
interface Stage {
  epoch: number
  play: Play | undefined
  /** What the key's name asked for and can't have. */
  refused: ScenarioError | undefined
  readonly plays: Map<Activation, Play>
}

/** What GET /__mock/scenario tells. */
export interface ActiveScenario {
  scenario: string | null
  way: Way | null
  why: string
  description?: string
  clauses?: readonly string[]
  /** Milliseconds by the world's clock since the first call; null before it. */
  since_first_call_ms?: number | null
  /** Each rule, how many calls fitted it and how often it fired in this world. */
  rules?: { name: string; met?: number; fired: number }[]
  /** What is switched on too, but a narrower way won over it. */
  outranked: { scenario: string; way: Way; why: string }[]
}

export class Director {
  readonly library: Library
  #served: Activation | undefined
  #all: Activation | undefined
  readonly #byKey = new Map<string, Activation>()
  readonly #byName = { key: new Map<string, Activation>(), header: new Map<string, Activation>() }
  readonly #stages = new WeakMap<World, Stage>()
  /** Counts on whenever another scenario may be the one to play. */
  #epoch = 0

  /** Throws a ScenarioError for a `scenario` (a name or file) that can't be played. */
  constructor(folder: string | undefined, scenario: string | undefined, log: Logger) {
    this.library = new Library(folder, {
      changed: () => this.#libraryChanged(),
      broken: error => log.warn({ problems: error.problems }, `a broken edit is not played: ${error.message}`),
    })
    if (scenario !== undefined) this.#served = new Activation('serve', this.library.nameOrFile(scenario), true)
  }

  /** What is played in a world. Throws what is wrong with the scenario that its key names. */
  playOf(world: World): Play | undefined {
    const stage = this.#stages.get(world)
    const current = stage?.epoch === this.#epoch ? stage : this.#refresh(world)
    if (current.refused) throw current.refused
    return current.play
  }

  /** What the headers of one request ask for. Throws a ScenarioError. */
  playOfHeader(world: World, name: string): Play {
    return this.#play(this.#stageOf(world), this.#named('header', name), world)
  }

  /** X-Mock-Fault: played once, for one request. */
  playOfFault(world: World, text: string, operation: OperationId): Play {
    return new Play(new Activation('fault', faultOfHeader(text, operation), false), world)
  }

  /** Switches a scenario on for every key or for one. It begins anew, even if it was on before. */
  put(scenario: Scenario, key: string | undefined, isNamed: boolean): Activation {
    const activation = new Activation(key === undefined ? 'put_all' : 'put_key', scenario, isNamed)
    if (key === undefined) this.#all = activation
    else this.#byKey.set(key, activation)
    this.#epoch++
    return activation
  }

  /** Takes back what was put: for one key, or for every key and each of them. False when there was nothing. */
  end(key: string | undefined): boolean {
    const was = key === undefined ? this.#all !== undefined || this.#byKey.size > 0 : this.#byKey.has(key)
    if (key === undefined) {
      this.#all = undefined
      this.#byKey.clear()
    } else this.#byKey.delete(key)
    this.#epoch++
    return was
  }

  /** Takes back one activation, if nothing else was put in its place. */
  endActivation(activation: Activation): void {
    if (this.#all === activation) this.#all = undefined
    for (const [key, put] of this.#byKey) if (put === activation) this.#byKey.delete(key)
    this.#epoch++
  }

  /** The world begins anew, and so does what it plays. */
  forget(world: World): void {
    this.#stages.delete(world)
  }

  /** What holds for every key that has nothing narrower. */
  forAll(): Activation | undefined {
    return this.#all ?? this.#served
  }

  active(world: World): ActiveScenario {
    const candidates = this.#candidates(world)
    const play = this.playOf(world)
    const told = (activation: Activation) => ({
      scenario: activation.scenario.name,
      way: activation.way,
      why: ways[activation.way],
    })
    const outranked = candidates.filter(candidate => candidate !== play?.activation).map(told)
    if (!play) return { scenario: null, way: null, why: 'none is switched on', outranked }
    const { scenario, activation } = play
    return {
      ...told(activation),
      description: scenario.description,
      clauses: scenario.clauses,
      since_first_call_ms: play.startedAt === undefined ? null : Math.round(world.clock.now() - play.startedAt),
      rules: scenario.rules.map(({ name, index }) => ({
        name,
        met: play.met[index] as number,
        fired: play.fired[index] as number,
      })),
      outranked,
    }
  }

  close(): void {
    this.library.close()
  }

  #stageOf(world: World): Stage {
    let stage = this.#stages.get(world)
    if (!stage) {
      stage = { epoch: -1, play: undefined, refused: undefined, plays: new Map() }
      this.#stages.set(world, stage)
    }
    return stage
  }

  #refresh(world: World): Stage {
    const stage = this.#stageOf(world)
    stage.epoch = this.#epoch
    stage.refused = undefined
    try {
      const [narrowest] = this.#candidates(world)
      stage.play = narrowest && this.#play(stage, narrowest, world)
    } catch (error) {
      stage.play = undefined
      stage.refused = error as ScenarioError
    }
    return stage
  }

  /** What is switched on for a world, the narrowest first. */
  #candidates(world: World): Activation[] {
    const name = world.key === undefined ? undefined : scenarioOfKey(world.key)
    const found: (Activation | undefined)[] = [
      name === undefined ? undefined : this.#named('key', name),
      [...this.#byKey].findLast(([key]) => isSelected(world, { key }))?.[1],
      this.#all,
      this.#served,
    ]
    return found.filter(activation => activation !== undefined)
  }

  #named(way: 'key' | 'header', name: string): Activation {
    const known = this.#byName[way].get(name)
    if (known) return known
    const activation = new Activation(way, this.library.get(name), true)
    this.#byName[way].set(name, activation)
    return activation
  }

  #play(stage: Stage, activation: Activation, world: World): Play {
    const known = stage.plays.get(activation)
    if (known?.scenario === activation.scenario) return known
    const play = new Play(activation, world)
    stage.plays.set(activation, play)
    return play
  }

  #libraryChanged(): void {
    const named = [
      this.#served,
      this.#all,
      ...this.#byKey.values(),
      ...this.#byName.key.values(),
      ...this.#byName.header.values(),
    ]
    for (const activation of named) {
      if (activation?.isNamed) activation.scenario = this.library.find(activation.scenario.name) ?? activation.scenario
    }
    this.#epoch++
  }
}
