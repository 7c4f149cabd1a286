/** The conditions of a rule on the call itself. Each can say whether it is met, and what it asked for and found. */

import { isGlobMatch } from '../../base/glob.ts'
import { isSecretName, redacted, redactUrl } from '../../base/redaction.ts'
import type { WhenFormat } from '../../client/scenarioFormat.ts'

/** A call as the conditions see it: the one that has just come, or one that is read from the journal again. */
export interface RuleRequest {
  readonly method: string
  readonly url: string
  readonly key: string | undefined
  readonly jobState: string | undefined
  header(name: string): string | undefined
  /** The parsed JSON body; undefined where there is none. */
  readonly body: unknown
}

export interface Condition {
  /** The field of `when` that it stands for: "header user-agent". */
  readonly what: string
  readonly expected: string
  /** The texts of which the call has to have one; undefined where it isn't as simple. Rules are found by these. */
  readonly exact: readonly string[] | undefined
  isMet(call: RuleRequest): boolean
  read(call: RuleRequest): Value
  /** What the call has there. */
  found(call: RuleRequest): string
}

export type Value = string | number | boolean | null | undefined

/** In the order in which they cost the least. */
export function conditionsOf(when: WhenFormat): Condition[] {
  const { method, key, job_state, header, query, body } = when
  return [
    ...(method === undefined ? [] : [condition('method', [method].flat(), call => call.method)]),
    ...(key === undefined ? [] : [{ ...condition('key', [key].flat(), call => call.key), found: keyKind }]),
    ...(job_state === undefined ? [] : [condition('job_state', [job_state].flat(), call => call.jobState)]),
    ...fields('header', header, name => {
      const lower = name.toLowerCase()
      return call => call.header(lower)
    }),
    ...fields('query', query, name => call => queryValue(call.url, name)),
    ...fields('body', body, name => {
      const path = name.split('.')
      return call => fieldAt(call.body, path)
    }),
  ]
}

/** What the call has, without what it carries of secrets. */
function shownAs(what: string, value: Value): string {
  if (value === undefined || value === null) return 'absent'
  const name = what.slice(what.indexOf(' ') + 1)
  const last = name.split('.').at(-1) as string
  return isSecretName(last) ? redacted : redactUrl(String(value))
}

/** A key is not shown, only whether there was one. */
const keyKind = ({ key }: RuleRequest): string => (key === undefined ? 'no key' : 'another key')

function fields(
  what: string,
  asked: Record<string, Value | readonly Value[]> | undefined,
  reader: (name: string) => (call: RuleRequest) => Value,
): Condition[] {
  return Object.entries(asked ?? {}).map(([name, value]) => condition(`${what} ${name}`, [value].flat(), reader(name)))
}

function condition(what: string, expected: readonly Value[], read: (call: RuleRequest) => Value): Condition {
  const tests = expected.map(testOf)
  const isMet = tests.length === 1 ? (tests[0] as Test) : (found: Value) => tests.some(test => test(found))
  return {
    what,
    expected: expected.map(value => (value === null ? 'absent' : String(value))).join(' or '),
    exact: expected.every(isExact) ? [...new Set(expected.map(String))] : undefined,
    isMet: call => isMet(read(call)),
    read,
    found: call => shownAs(what, read(call)),
  }
}

const isExact = (value: Value): boolean => value !== null && !(typeof value === 'string' && value.includes('*'))

type Test = (found: Value) => boolean

function testOf(expected: Value): Test {
  if (expected === null) return found => found === undefined || found === null
  if (typeof expected === 'string' && expected.includes('*')) {
    return found => found !== undefined && found !== null && isGlobMatch(expected, String(found))
  }
  // A header or a query parameter is a text, whatever the scenario writes.
  return found => found === expected || (typeof found === 'string' && found === String(expected))
}

function queryValue(url: string, name: string): string | undefined {
  const start = url.indexOf('?')
  return start < 0 ? undefined : (new URLSearchParams(url.slice(start)).get(name) ?? undefined)
}

function fieldAt(body: unknown, path: readonly string[]): Value {
  let at = body
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return typeof at === 'object' && at !== null ? JSON.stringify(at) : (at as Value)
}
