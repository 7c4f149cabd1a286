/**
 * The rules of one operation, found without asking each of them: those that want one certain text somewhere (a key, a
 * header, a field of the body) are looked up by it. A thousand of them cost a call no more than one.
 */
import type { Rule } from './compile.ts'
import type { Call, Condition } from './conditions.ts'

interface Lookup {
  readonly read: Condition['read']
  readonly byText: Map<string, Rule[]>
}

export class RuleIndex {
  readonly #all: readonly Rule[]
  /** Rules that want nothing that can be looked up. */
  readonly #others: Rule[] = []
  readonly #lookups = new Map<string, Lookup>()
  /** The place of the first rule that can't be decided without the body; past the end when there is none. */
  readonly firstWithBody: number

  /** `hasBody`: calls of the operation come with a JSON body, so it is waited for where a rule needs it. */
  constructor(rules: readonly Rule[], hasBody: boolean) {
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

  /** The rules that could fit a call, in their order. */
  candidates(call: Call): readonly Rule[] {
    if (this.#lookups.size === 0) return this.#others
    let found: readonly Rule[] = this.#others
    for (const { read, byText } of this.#lookups.values()) {
      const value = read(call)
      const more = value === undefined || value === null ? undefined : byText.get(String(value))
      if (more) found = found.length === 0 ? more : inOrder(found, more)
    }
    return found
  }

  #add({ what, read }: Condition, text: string, rule: Rule): void {
    const lookup = this.#lookups.get(what) ?? { read, byText: new Map() }
    this.#lookups.set(what, lookup)
    const rules = lookup.byText.get(text)
    if (rules) rules.push(rule)
    else lookup.byText.set(text, [rule])
  }
}

/** Two lists that are each in order, as one. */
function inOrder(some: readonly Rule[], more: readonly Rule[]): Rule[] {
  const merged: Rule[] = []
  let i = 0
  for (const rule of more) {
    while (i < some.length && (some[i] as Rule).index < rule.index) merged.push(some[i++] as Rule)
    merged.push(rule)
  }
  while (i < some.length) merged.push(some[i++] as Rule)
  return merged
}
