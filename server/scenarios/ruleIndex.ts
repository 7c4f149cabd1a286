/**
 * The rules of one operation, found without asking each of them: those that want one certain text somewhere (a key, a
 * header, a field of the body) are looked up by it. A thousand of them cost a call no more than one.
 */

import type { Condition, RuleRequest } from './conditions.ts'
import type { ScenarioRule } from './rule.ts'

interface Lookup {
  readonly read: Condition['read']
  readonly byText: Map<string, ScenarioRule[]>
}

export class RuleIndex {
  readonly #all: readonly ScenarioRule[]
  /** Rules that want nothing that can be looked up. */
  readonly #others: ScenarioRule[] = []
  readonly #lookups = new Map<string, Lookup>()
  /** The place of the first rule that can't be decided without the body; past the end when there is none. */
  readonly firstWithBody: number

  /** `hasBody`: calls of the operation come with a JSON body, so it is waited for where a rule needs it. */
  constructor(rules: readonly ScenarioRule[], hasBody: boolean) {
    this.#all = rules
    const first = hasBody ? rules.find(({ needsBody }) => needsBody) : undefined
    this.firstWithBody = first?.index ?? Number.POSITIVE_INFINITY
    for (const rule of rules) {
      const found = rule.conditions.find(({ what, exact }) => exact !== undefined && what !== 'method')
      if (!found) this.#others.push(rule)
      for (const text of found?.exact ?? []) this.#add(found as Condition, text, rule)
    }
  }

  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  has(rule: ScenarioRule): boolean {
    return this.#all.includes(rule)
  }

  /** The rules that could fit a call, in their order. */
  candidates(call: RuleRequest): readonly ScenarioRule[] {
    if (this.#lookups.size === 0) return this.#others
    let found: readonly ScenarioRule[] = this.#others
    for (const { read, byText } of this.#lookups.values()) {
      const value = read(call)
      const more = value === undefined || value === null ? undefined : byText.get(String(value))
      if (more) found = found.length === 0 ? more : inOrder(found, more)
    }
    return found
  }

  #add({ what, read }: Condition, text: string, rule: ScenarioRule): void {
    const lookup = this.#lookups.get(what) ?? { read, byText: new Map() }
    this.#lookups.set(what, lookup)
    const rules = lookup.byText.get(text)
    if (rules) rules.push(rule)
    else lookup.byText.set(text, [rule])
  }
}

/** Two lists that are each in order, as one. */
function inOrder(some: readonly ScenarioRule[], more: readonly ScenarioRule[]): ScenarioRule[] {
  const merged: ScenarioRule[] = []
  let i = 0
  for (const rule of more) {
    while (i < some.length && (some[i] as ScenarioRule).index < rule.index) merged.push(some[i++] as ScenarioRule)
    merged.push(rule)
  }
  while (i < some.length) merged.push(some[i++] as ScenarioRule)
  return merged
}
