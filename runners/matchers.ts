/** Matchers in the form that the `expect.extend` of Jest, Vitest and Playwright share. */

import { ConductError, expectationOn, knownRule } from '../conduct/expectation.ts'
import type { ExpectedWait, ExpectedWaitsOptions } from '../conduct/expectedWaits.ts'
import { checkWaits } from '../conduct/expectedWaits.ts'
import { resultsFor } from '../conduct/grade.ts'
import type { RuleId } from '../conduct/rule.ts'
import type { ClauseId } from '../contracts/clauses.ts'
import type { OperationId } from '../contracts/operations.ts'
import type { Understudy } from './fixture.ts'

/** What `expect(understudy)` can do beside the runner's own matchers. */
export interface ConductMatchers {
  /**
   * Passes when each of the rules, or some rule of each of the clauses, was kept and none broken; without a name, when no rule
   * was broken. Fails where the situation never arose: await expect(understudy).toKeepConduct('ERR-3')
   */
  toKeepConduct(...names: (ClauseId | RuleId)[]): Promise<void>
  /**
   * Passes when each call of the operation that was tried again was tried with these waits between its tries:
   * await expect(understudy).toHaveWaited('createJob', ['2s', '4s'], { tolerance: '20%' })
   */
  toHaveWaited(operation: OperationId, waits: readonly ExpectedWait[], options?: ExpectedWaitsOptions): Promise<void>
}

/** What a runner asks of a matcher. */
export interface MatcherResult {
  pass: boolean
  message: () => string
}

/** For runners without matchers of spies. */
export interface CallMatchers {
  /** expect(await understudy.calls('createJob')).toHaveBeenCalledTimes(1) */
  toHaveBeenCalledTimes(times: number): void
}

export const conductMatchers = {
  async toKeepConduct(
    this: { isNot?: boolean },
    understudy: Understudy,
    ...names: (ClauseId | RuleId)[]
  ): Promise<MatcherResult> {
    const report = await checkedSubject(understudy, 'toKeepConduct').conduct()
    const expectation = expectationOn(() => report)
    const [first, ...others] = names
    const result = await resultOf(
      () => (first === undefined ? expectation.toBreakNothing() : expectation.toKeep(first, ...others)),
      () => `${names.join(', ') || 'every rule'} was kept`,
    )
    // What never arose was neither kept nor broken: it fails with and without `.not`.
    const arose = names.every(name => resultsFor(report.rules, knownRule(name)).some(one => one.verdict !== 'skipped'))
    return arose ? result : { ...result, pass: this.isNot === true }
  },

  async toHaveWaited(
    understudy: Understudy,
    operation: OperationId,
    waits: readonly ExpectedWait[],
    options?: ExpectedWaitsOptions,
  ): Promise<MatcherResult> {
    const report = await checkedSubject(understudy, 'toHaveWaited').conduct()
    return resultOf(
      () => checkWaits(report, operation, waits, options),
      () => `${operation} was tried again with the waits ${waits.join(', ')}`,
    )
  },
}

export const callMatchers = {
  toHaveBeenCalledTimes(calls: { entries?: readonly unknown[]; getMockName?: () => string }, times: number) {
    if (calls?.entries === undefined)
      throw new TypeError('toHaveBeenCalledTimes() takes what calls() resolves with: expect(await understudy.calls())')
    const found = calls.entries.length
    const message = () => `${calls.getMockName?.()} was called ${found} times; expected ${times}`
    return { pass: found === times, message }
  },
}

function checkedSubject(given: Partial<Understudy> | undefined, matcher: string): Understudy {
  if (typeof given?.conduct === 'function') return given as Understudy
  throw new TypeError(`${matcher}() takes the fixture: await expect(understudy).${matcher}(…)`)
}

async function resultOf(check: () => unknown, kept: () => string): Promise<MatcherResult> {
  try {
    await check()
    return { pass: true, message: kept }
  } catch (error) {
    if (!(error instanceof ConductError)) throw error
    return { pass: false, message: () => error.message }
  }
}
