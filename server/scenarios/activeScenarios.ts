/**
 * Which scenario is played where. Four ways switch one on, from the widest to the narrowest, and the narrower wins:
 * --scenario, PUT /__mock/scenario, the key's name, a header of one request.
 */

import { fingerprintOf } from '../../base/fingerprint.ts'
import type { ActiveScenario } from '../../client/mock.ts'
import type { ScenarioError } from '../../client/scenarioError.ts'
import type { OperationId } from '../../contracts/operations.ts'
import type { Log } from '../log.ts'
import { scenarioOfKey } from '../testValues.ts'
import type { World } from '../world/world.ts'
import { isWorldSelected } from '../world/worlds.ts'
import type { Scenario } from './compiledScenario.ts'
import { faultOfHeader } from './faultHeader.ts'
import { Library } from './library.ts'

import { Activation, activationSources, ScenarioRun } from './scenarioRun.ts'

/** What one world plays now, and has played of what is still switched on. */
interface WorldScenarios {
  epoch: number
  run: ScenarioRun | undefined
  /** What the key's name asked for and can't have. */
  refused: ScenarioError | undefined
  readonly runs: Map<Activation, ScenarioRun>
}

export class ActiveScenarios {
  readonly library: Library
  #served: Activation | undefined
  /** What was put, for every key or one (by its fingerprint), the latest last. */
  #put: { activation: Activation; key: string | undefined }[] = []
  #activations = 0
  readonly #byName = { key: new Map<string, Activation>(), header: new Map<string, Activation>() }
  readonly #faults = new Map<string, Activation>()
  readonly #byWorld = new WeakMap<World, WorldScenarios>()
  /** Counts on whenever another scenario may be the one to play. */
  #epoch = 0

  /** Throws a ScenarioError for a `scenario` (a name or file) that can't be played. */
  constructor(folder: string | undefined, scenario: string | undefined, log: Log) {
    this.library = new Library(folder, {
      changed: () => this.#libraryChanged(),
      broken: error => log.warn({ problems: error.problems }, `not played: ${error.message}`),
      reread: names => log.info({ scenarios: names }, `read again: ${names.join(', ')}`),
    })
    if (scenario !== undefined) this.#served = new Activation('serve', this.library.nameOrFile(scenario), true)
  }

  /** What is played in a world. Throws what is wrong with the scenario that its key names. */
  runOf(world: World): ScenarioRun | undefined {
    const { run, refused } = this.#current(world)
    if (refused) throw refused
    return run
  }

  /** The same, where a key that can't have what it asks for plays nothing. */
  findRun(world: World): ScenarioRun | undefined {
    return this.#current(world).run
  }

  #current(world: World): WorldScenarios {
    const state = this.#byWorld.get(world)
    return state?.epoch === this.#epoch ? state : this.#refresh(world)
  }

  /** What the headers of one request ask for. Throws a ScenarioError. */
  runOfHeader(world: World, name: string): ScenarioRun {
    return this.#run(this.#stateOf(world), this.#named('header', name), world)
  }

  /** X-Mock-Fault: for one request. The same fault again in a world takes up where it was, as its turns may count. */
  runOfFault(world: World, text: string, operation: OperationId): ScenarioRun {
    const id = `${operation} ${text}`
    let activation = this.#faults.get(id)
    if (!activation) {
      activation = new Activation('fault', faultOfHeader(text, operation), false)
      if (this.#faults.size >= maxFaults) this.#forgetFaults()
      this.#faults.set(id, activation)
    }
    return this.#run(this.#stateOf(world), activation, world)
  }

  #forgetFaults(): void {
    this.#faults.clear()
    this.#epoch++
  }

  /**
   * Switches a scenario on for every key or for one, by its fingerprint. It begins anew, even if it was on before, and
   * is above what was put earlier: when it ends, that is there again.
   */
  put(scenario: Scenario, key: string | undefined, isNamed: boolean): Activation {
    const activation = new Activation(
      key === undefined ? 'put_all' : 'put_key',
      scenario,
      isNamed,
      String(++this.#activations),
    )
    this.#put.push({ activation, key })
    this.#epoch++
    return activation
  }

  /** Takes back all that was put: for one key, or for every key and each of them. False when there was nothing. */
  end(key: string | undefined): boolean {
    return this.#drop(put => key === undefined || put.key === key || put.key === fingerprintOf(key))
  }

  /** Takes back what was put for the same key, or for every key, beside this. */
  endOthers(activation: Activation): void {
    const kept = this.#put.find(put => put.activation === activation)
    this.#drop(put => put.key === kept?.key && put !== kept)
  }

  /** What was put and is still switched on. */
  findActivation(id: string): Activation | undefined {
    return this.#put.find(({ activation }) => activation.id === id)?.activation
  }

  endActivation(activation: Activation): void {
    this.#drop(put => put.activation === activation)
  }

  #drop(goes: (put: { activation: Activation; key: string | undefined }) => boolean): boolean {
    const before = this.#put.length
    this.#put = this.#put.filter(put => !goes(put))
    this.#epoch++
    return this.#put.length < before
  }

  /** The world begins anew, and so does what it plays. */
  forget(world: World): void {
    this.#byWorld.delete(world)
  }

  /** What holds for every key that has nothing narrower. */
  forAll(): Activation | undefined {
    return this.#put.findLast(({ key }) => key === undefined)?.activation ?? this.#served
  }

  active(world: World): ActiveScenario {
    const { run, refused } = this.#current(world)
    if (refused)
      return { scenario: null, source: 'key', why: `the key's name asks for one: ${refused.message}`, overridden: [] }
    const candidates = this.#candidates(world)
    const described = (activation: Activation) => ({
      scenario: activation.scenario.name,
      source: activation.source,
      why: activationSources[activation.source],
    })
    const overridden = candidates.filter(candidate => candidate !== run?.activation).map(described)
    if (!run) return { scenario: null, source: null, why: 'none is switched on', overridden }
    const { scenario, activation } = run
    return {
      ...described(activation),
      description: scenario.description,
      clauses: scenario.clauses,
      since_first_call_ms: run.startedAt === undefined ? null : Math.round(world.clock.now() - run.startedAt),
      rules: scenario.rules.map(({ name, index }) => ({
        name,
        met: run.met[index] as number,
        fired: run.fired[index] as number,
      })),
      overridden,
    }
  }

  close(): void {
    this.library.close()
  }

  #stateOf(world: World): WorldScenarios {
    let state = this.#byWorld.get(world)
    if (!state) {
      state = { epoch: -1, run: undefined, refused: undefined, runs: new Map() }
      this.#byWorld.set(world, state)
    }
    return state
  }

  #refresh(world: World): WorldScenarios {
    const state = this.#stateOf(world)
    state.epoch = this.#epoch
    state.refused = undefined
    try {
      const candidates = this.#candidates(world)
      const [narrowest] = candidates
      state.run = narrowest && this.#run(state, narrowest, world)
      // What has ended is not played again.
      for (const activation of state.runs.keys()) {
        const isPut = activation.source === 'put_all' || activation.source === 'put_key'
        const isOver = isPut
          ? !candidates.includes(activation)
          : activation.source === 'fault' && this.#faults.size === 0
        if (isOver) state.runs.delete(activation)
      }
    } catch (error) {
      state.run = undefined
      state.refused = error as ScenarioError
    }
    return state
  }

  /** What is switched on for a world, the narrowest first. */
  #candidates(world: World): Activation[] {
    const name = world.key === undefined ? undefined : scenarioOfKey(world.key)
    const found: (Activation | undefined)[] = [
      name === undefined ? undefined : this.#named('key', name),
      ...this.#put
        .filter(({ key }) => key !== undefined && isWorldSelected(world, { key }))
        .map(({ activation }) => activation)
        .reverse(),
      ...this.#put
        .filter(({ key }) => key === undefined)
        .map(({ activation }) => activation)
        .reverse(),
      this.#served,
    ]
    return found.filter(activation => activation !== undefined)
  }

  #named(source: 'key' | 'header', name: string): Activation {
    const known = this.#byName[source].get(name)
    if (known) return known
    const activation = new Activation(source, this.library.get(name), true)
    this.#byName[source].set(name, activation)
    return activation
  }

  #run(state: WorldScenarios, activation: Activation, world: World): ScenarioRun {
    const known = state.runs.get(activation)
    if (known?.scenario === activation.scenario) return known
    const run = new ScenarioRun(activation, world)
    state.runs.set(activation, run)
    return run
  }

  /** A scenario that can be played; what is wrong with another one is told to whoever asks for it. */
  #found(name: string): Scenario | undefined {
    try {
      return this.library.find(name)
    } catch {
      return undefined
    }
  }

  #libraryChanged(): void {
    for (const named of Object.values(this.#byName)) {
      for (const [name, activation] of named) {
        const found = this.#found(name)
        // A key or header that names what is gone is told so.
        if (found) activation.scenario = found
        else named.delete(name)
      }
    }
    for (const activation of [this.#served, ...this.#put.map(({ activation }) => activation)]) {
      if (activation?.isNamed) activation.scenario = this.#found(activation.scenario.name) ?? activation.scenario
    }
    this.#epoch++
  }
}

/** Different faults that are kept count of; a test uses few. */
const maxFaults = 1_000
