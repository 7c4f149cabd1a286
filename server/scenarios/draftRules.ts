/** The rules of a scenario that is drafted from recorded calls, what they say in words, and the clauses they break. */
import type { JobFormat, RuleFormat, ThenFormat } from '../../client/scenarioFormat.ts'
import { type OperationId, routeOf } from '../../contracts/operations.ts'

export interface DraftEvent {
  then: ThenFormat
  facts: string[]
  what: string
}

export interface DraftCalls {
  count: number
  events: Map<number, DraftEvent>
  /** ms of good answers, and of those that took long. */
  good: number[]
  slow: { n: number; ms: number; facts: string }[]
}

export const countFailures = (byRoute: ReadonlyMap<OperationId, DraftCalls>): number =>
  [...byRoute.values()].reduce((sum, { events }) => sum + events.size, 0)

export function webhooksThen(webhooks: Record<string, string>): JobFormat['webhooks'] {
  const types = [...new Set(Object.values(webhooks))]
  return (types.length === 1 ? types[0] : webhooks) as JobFormat['webhooks']
}

/**
 * The last calls come first: a rule counts only the calls that no rule above it took, so that each number is the one of
 * the recording.
 */
export function draftedRules(operation: OperationId, { events }: DraftCalls): { rule: RuleFormat; facts: string[] }[] {
  const runs: { from: number; to: number; event: DraftEvent }[] = []
  for (const [n, event] of [...events].sort((a, b) => a[0] - b[0])) {
    const last = runs.at(-1)
    if (last?.to === n - 1 && JSON.stringify(last.event.then) === JSON.stringify(event.then)) {
      last.to = n
      last.event.facts.push(...event.facts)
    } else runs.push({ from: n, to: n, event: { ...event, facts: [...event.facts] } })
  }
  return runs.toReversed().map(({ from, to, event }) => {
    const calls = from === to ? from : `${from}-${to}`
    const name = `${operation} ${calls}: ${event.what}`.replace(/[^\w .:-]/g, '-').slice(0, 100)
    return {
      rule: { name, when: { route: routeOf(operation) as string, calls }, then: event.then },
      facts: toldOf(event.facts),
    }
  })
}

const toldOf = (facts: string[]): string[] =>
  facts.length <= 3 ? facts : [...facts.slice(0, 2), `and ${facts.length - 2} more until ${facts.at(-1)}`]

export function draftSummary(routes: ReadonlyMap<OperationId, DraftCalls>): string[] {
  const counts = new Map<string, number>()
  for (const [operation, { events }] of routes) {
    for (const { what } of events.values()) {
      const name = `${what} on ${routeOf(operation)}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${count} x ${name}`)
}

/** What such a scenario puts to the test. */
export function draftClauses(rules: readonly RuleFormat[]): string[] {
  const found = new Set<string>()
  const add = (...ids: string[]): void => {
    for (const id of ids) found.add(id)
  }
  for (const { then } of rules) {
    if (then.error !== undefined) add('ERR-3')
    if (then.error === 'rate_limited') add('RL-2', 'RL-3')
    if (then.error === 'insufficient_credits') add('CR-3')
    if (then.error === 'invalid_api_key') add('AUTH-1')
    if (then.fault !== undefined || then.body !== undefined || then.delay !== undefined) add('ERR-3', 'GO-5')
    if (then.job?.outcome !== undefined) add('JOB-4', 'GO-5')
    if (then.job?.webhooks !== undefined) add('WH-1', 'WH-2')
  }
  return [...found]
}
