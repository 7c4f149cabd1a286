/** The matchers for a runner that has no `expect` of its own. */
import { AssertionError } from 'node:assert'
import {
  type CallMatchers,
  type ConductMatchers,
  callMatchers,
  conductMatchers,
  type MatcherResult,
} from './matchers.ts'

type AllMatchers = ConductMatchers & CallMatchers

/** The matchers that the other runners have too; each throws, or rejects with, an AssertionError. */
export const expect = (subject: unknown): AllMatchers & { not: AllMatchers } => ({
  ...matchersOf(subject, false),
  not: matchersOf(subject, true),
})

type Matcher = (this: { isNot: boolean }, subject: unknown, ...given: never[]) => MatcherResult | Promise<MatcherResult>

function matchersOf(subject: unknown, isNot: boolean): AllMatchers {
  const matchers = { ...conductMatchers, ...callMatchers } as unknown as Record<string, Matcher>
  const judge = ({ pass, message }: MatcherResult) => {
    if (pass === isNot) throw new AssertionError({ message: message() })
  }
  const bound = Object.entries(matchers).map(([name, matcher]) => [
    name,
    (...given: never[]) => {
      const result = matcher.call({ isNot }, subject, ...given)
      return result instanceof Promise ? result.then(judge) : judge(result)
    },
  ])
  return Object.fromEntries(bound)
}
