/**
 * A scenario as it is played in one world: how often each rule was met and fired, since when, and what comes of a call.
 * No HTTP in here: what it decides is carried out by pipeline/scenario.ts.
 */

import type { Clock } from '../../base/clock.ts'
import { hash32, hash53 } from '../../base/fingerprint.ts'
import type { SeededRandom } from '../../base/seed.ts'
import type { ActivationSource } from '../../client/mock.ts'
import type { OperationId } from '../../contracts/operations.ts'
import type { Account } from '../world/account.ts'
import { Credits } from '../world/credits.ts'
import { fits } from './compile.ts'
import type { Scenario } from './compiledScenario.ts'
import type { Delay } from './compileThen.ts'
import type { RuleRequest } from './conditions.ts'
import type { ScenarioRule } from './rule.ts'
import type { RuleIndex } from './ruleIndex.ts'

/** How a scenario was switched on; the later ones are the narrower ones, and win. */
export const activationSources = {
  serve: 'by --scenario, for every key',
  put_all: 'by PUT /__mock/scenario, for every key',
  put_key: 'by PUT /__mock/scenario, for this key',
  key: "by the key's name",
  header: 'by the header X-Mock-Scenario, for one request',
  fault: 'by the header X-Mock-Fault, for one request',
} as const satisfies Record<ActivationSource, string>

/** A scenario that is switched on, and how often its rules have fired in all worlds. */
export class Activation {
  /** Of one that was put: by this the control routes find it. */
  readonly id: string
  readonly source: ActivationSource
  /** Another one when its file is edited. */
  scenario: Scenario
  /** Whether the library knows it by its name, so that an edit reaches it. */
  readonly isNamed: boolean
  readonly #fired = new Map<string, number>()
  readonly #waiting = new Set<() => void>()

  constructor(source: ActivationSource, scenario: Scenario, isNamed: boolean, id = '') {
    this.id = id
    this.source = source
    this.scenario = scenario
    this.isNamed = isNamed
  }

  count(rule: string): number {
    return this.#fired.get(rule) ?? 0
  }

  hasFired(rule: string): void {
    this.#fired.set(rule, this.count(rule) + 1)
    for (const look of this.#waiting) look()
  }

  /** Resolves when a rule has fired `times` times, or when `waited` does; true when it has. */
  wait(rule: string, times: number, waited: Promise<unknown>): Promise<boolean> {
    if (this.count(rule) >= times) return Promise.resolve(true)
    let look = () => {}
    const met = new Promise<boolean>(resolve => {
      look = () => this.count(rule) >= times && resolve(true)
      this.#waiting.add(look)
    })
    return Promise.race([met, waited.then(() => false)]).finally(() => this.#waiting.delete(look))
  }
}

/** What a rule makes of one call. */
export interface FiredRule {
  readonly run: ScenarioRun
  readonly rule: ScenarioRule
  /** How often the rule had fired before, in this world. */
  readonly n: number
  /** The number in [0, 1) that chance decided by; undefined where nothing was left to it. */
  readonly draw: number | undefined
  readonly delayMs: number
  /** When the delay is over, by the world's clock: it counts from here, whatever the handler takes. */
  readonly overAt: number
}

/** A rule whose own conditions a call fitted: it counted the call, and fired or did not because of one more thing. */
export interface Counted {
  readonly rule: ScenarioRule
  /** The call was the n-th that fitted the rule, and the rule had fired so often before. */
  readonly n: number
  readonly fired: number
  readonly unmet: 'calls' | 'time' | 'times' | 'for' | 'probability' | undefined
  readonly draw: number | undefined
}

export type Decision = FiredRule | { waitsForBodyAt: number } | undefined

/** Of more rules that counted a call, an explanation only says so: each call's entry keeps them. */
export const maxCounted = 32

/** One call under a scenario: what was decided of it, and what can't be worked out later of why. */
export class RuleContext {
  /** What is played in the world. */
  readonly run: ScenarioRun
  /** What decides of this call: the same, or its X-Mock-Fault. */
  readonly decider: ScenarioRun
  /** Milliseconds since the first call. */
  readonly sinceStart: number
  fired: FiredRule | undefined = undefined
  /** The state of the call's job, where a rule asks for it. */
  jobState: string | undefined = undefined
  /** The rules that the call fitted. */
  readonly counted: Counted[] = []
  /** The rule that waits for the body; undefined when none does. */
  waitsAt: number | undefined = undefined

  constructor(run: ScenarioRun, decider: ScenarioRun, sinceStart: number) {
    this.run = run
    this.decider = decider
    this.sinceStart = sinceStart
  }
}

/** The world that a scenario runs in, as far as the run needs it. */
export interface ScenarioWorld {
  readonly clock: Clock
  readonly account: Account
  readonly random: SeededRandom
  /** Whether answers name their scenario and rule in X-Mock-* headers. */
  readonly config: { readonly mockHeaders: boolean }
}

/** At most this many different requests are told apart by chance; the oldest is forgotten first. */
const maxIdentities = 10_000

export class ScenarioRun {
  readonly activation: Activation
  readonly scenario: Scenario
  /** Whose calls it meets; its clock is the one that counts. */
  readonly world: ScenarioWorld
  /** The world's own credits and limits, or those of the scenario. */
  readonly account: Account
  readonly #random: SeededRandom
  readonly #addsHeaders: boolean
  /** World time of the first call; undefined before. */
  startedAt: number | undefined
  /** Calls that came with the key. */
  calls = 0
  /** By rule: how many calls fitted it (until it was spent), how often it fired, when it first did. */
  readonly met: number[]
  readonly fired: number[]
  readonly firedAt: (number | undefined)[]
  /** Requests where chance decided, by their hash, and how often each came. */
  readonly identities = new Map<number, number>()
  /** By rule: it has had all of its calls, and is not asked again. */
  readonly #isSpent: boolean[]

  constructor(activation: Activation, world: ScenarioWorld) {
    const { scenario } = activation
    this.activation = activation
    this.scenario = scenario
    this.world = world
    this.#random = world.random
    this.#addsHeaders = world.config.mockHeaders
    this.met = scenario.rules.map(() => 0)
    this.fired = scenario.rules.map(() => 0)
    this.firedAt = scenario.rules.map(() => undefined)
    this.#isSpent = scenario.rules.map(() => false)
    const { credits, requests, jobs, idempotencyMs } = scenario.account
    const { limits } = world.account
    this.account = {
      credits: credits === undefined ? world.account.credits : new Credits(credits),
      limits: requests === undefined && jobs === undefined ? limits : limits.with(requests, jobs),
      idempotencyMs: idempotencyMs ?? world.account.idempotencyMs,
    }
  }

  /** The key is revoked by now, by what has been counted. */
  get isKeyRevoked(): boolean {
    const { revokedAfterCalls, revokedAfterMs } = this.scenario.account
    if (revokedAfterCalls !== undefined && this.calls >= revokedAfterCalls) return true
    if (revokedAfterMs === undefined || this.startedAt === undefined) return false
    return this.world.clock.now() - this.startedAt >= revokedAfterMs
  }

  /** Adds the headers that name the scenario and the rule that fired. */
  addHeaders(headers: Record<string, string>, fired: FiredRule | undefined): void {
    if (!this.#addsHeaders) return
    headers['x-mock-scenario'] = this.scenario.name
    headers['x-mock-rule'] = fired === undefined ? 'none' : fired.rule.name
  }

  /** Milliseconds since its first call, which this one may be. */
  since(at: number): number {
    this.startedAt ??= at
    return at - this.startedAt
  }

  /** Counts a call that came with a key; true when the key was revoked before it. */
  isRevoked(): boolean {
    const was = this.isKeyRevoked
    this.calls++
    return was
  }

  /**
   * What the rules make of a call: the first that fires decides. Where a rule needs the body, and there can be none
   * yet, the rest is decided later, `from` that rule on. `counted` gets each rule that counted the call.
   */
  decide(
    operation: OperationId,
    call: RuleRequest,
    sinceStart: number,
    hasBody: boolean,
    from: number,
    counted: Counted[],
  ): Decision {
    const rules = this.scenario.rulesOf.get(operation) as RuleIndex
    const upTo = hasBody ? Number.POSITIVE_INFINITY : rules.firstWithBody
    for (const rule of rules.candidates(call)) {
      const { index, probability } = rule
      if (index < from || this.#isSpent[index]) continue
      if (index >= upTo) break
      if (!fits(rule, call)) continue
      const n = (this.met[index] as number) + 1
      this.met[index] = n
      const unmet = this.#unmet(rule, n, sinceStart)
      const draw = unmet === undefined ? this.#draw(rule, operation, call) : undefined
      const isOut = probability !== undefined && draw !== undefined && draw >= probability
      if (counted.length < maxCounted) {
        counted.push({ rule, n, fired: this.fired[index] as number, unmet: isOut ? 'probability' : unmet, draw })
      }
      if (unmet === undefined && !isOut) return this.#fire(rule, sinceStart, draw)
    }
    return upTo === Number.POSITIVE_INFINITY ? undefined : { waitsForBodyAt: upTo }
  }

  #unmet(rule: ScenarioRule, n: number, sinceStart: number): Counted['unmet'] {
    const { index, calls, after, first, time, times, forMs } = rule
    if (n >= (calls?.to ?? Number.POSITIVE_INFINITY) || n >= after + first) this.#isSpent[index] = true
    if (!isTurn(rule, n)) return 'calls'
    if (time && (sinceStart < time.fromMs || sinceStart >= time.toMs)) return 'time'
    if ((this.fired[index] as number) >= times) return 'times'
    const firedAt = this.firedAt[index]
    return firedAt === undefined || sinceStart - firedAt < forMs ? undefined : 'for'
  }

  #fire(rule: ScenarioRule, sinceStart: number, draw: number | undefined): FiredRule {
    const { index, probability } = rule
    const n = this.fired[index] as number
    this.fired[index] = n + 1
    this.firedAt[index] ??= sinceStart
    this.activation.hasFired(rule.name)
    // What is left of the draw after the probability decides the delay: one draw a call.
    const share = draw === undefined ? 0 : draw / (probability ?? 1)
    const delayMs = delayAtShare(rule.then.delay, share)
    return { run: this, rule, n, draw, delayMs, overAt: delayMs === 0 ? 0 : this.world.clock.now() + delayMs }
  }

  /**
   * A draw that belongs to the request and not to its turn: the same request gets the same one whatever else goes on at
   * the same time. What tells requests apart is method, URL and body (of an upload its size), or X-Mock-Draw; the same one
   * again draws again.
   */
  #draw(rule: ScenarioRule, operation: OperationId, call: RuleRequest): number | undefined {
    if (rule.probability === undefined && typeof rule.then.delay !== 'object') return undefined
    const asked = call.header('x-mock-draw') ?? `${call.method} ${call.url} ${contentOf(call)}`
    const identity = `${rule.name} ${operation} ${asked}`
    const id = hash53(identity)
    const again = this.identities.get(id) ?? 0
    if (again === 0 && this.identities.size >= maxIdentities) {
      this.identities.delete(this.identities.keys().next().value as number)
    }
    this.identities.set(id, again + 1)
    return this.#random.draw(`scenario ${this.scenario.name} ${rule.name}`, hash32(identity), again)
  }
}

/** Whether it is the turn of the n-th call that fits. */
function isTurn({ calls, after, first, every }: ScenarioRule, n: number): boolean {
  if (calls && (n < calls.from || n > calls.to)) return false
  const behind = n - after
  return behind > 0 && behind <= first && behind % every === 0
}

/** The delay that a share of all calls stays under: between two percentiles it grows evenly. */
export function delayAtShare(delay: Delay | undefined, share: number): number {
  if (delay === undefined) return 0
  if (typeof delay === 'number') return delay
  const next = delay.findIndex(point => point.share > share)
  const to = delay[next] as { share: number; ms: number }
  const from = delay[next - 1] as { share: number; ms: number }
  return from.ms + ((share - from.share) / (to.share - from.share)) * (to.ms - from.ms)
}

/** What tells one body from another: an upload is still on its way, so only its size does. */
const contentOf = (call: RuleRequest): string =>
  call.body === undefined ? (call.header('content-length') ?? '') : JSON.stringify(call.body)
