/**
 * `understudy-mock/node-test`: the mock as a fixture of node:test.
 *
 *     import { expect, test } from 'understudy-mock/node-test'
 *     test('orders one job', async (t, understudy) => {
 *       await order(understudy.url, understudy.key)
 *       expect(await understudy.calls('createJob')).toHaveBeenCalledTimes(1)
 *     })
 */
import { after, test as base, type TestContext, type TestOptions } from 'node:test'
import { type FixtureOptions, type FixtureWorker, openFixture, type Understudy } from './fixture.ts'

export { expect } from './expect.ts'
export type { Calls, ConductLevel, FixtureOptions, FixtureWorker, Understudy } from './fixture.ts'
export type { CallMatchers, ConductMatchers } from './matchers.ts'

/** The body of a test; what it returns is awaited. */
export type UnderstudyTestBody = (t: TestContext, understudy: Understudy) => unknown

/** The `test` of node:test, whose body is given the fixture as well. */
export interface UnderstudyTest {
  (name: string, body: UnderstudyTestBody): Promise<void>
  (name: string, options: TestOptions, body: UnderstudyTestBody): Promise<void>
}

/** `test` with options of its own; each call is a mock of its own, which is closed after the last test of the file. */
export function testWith(options: FixtureOptions): UnderstudyTest {
  let worker: Promise<FixtureWorker> | undefined
  after(async () => (await worker)?.close())
  const run = async (t: TestContext, name: string, body: UnderstudyTestBody) => {
    worker ??= openFixture(options)
    const { understudy, end } = await (await worker).begin([process.argv[1] ?? '', name])
    const failure = await Promise.resolve()
      .then(() => body(t, understudy))
      .then(
        () => undefined,
        error => ({ error }),
      )
    const { problem, text } = await end()
    if (failure === undefined && problem === undefined) return
    const told = failure === undefined || problem === undefined ? text : `${text}\n${problem.message}`
    // A reporter shows a line break within one as \\n.
    for (const line of told.split('\n')) t.diagnostic(line)
    if (failure === undefined) throw problem
    throw failure.error
  }
  return (name: string, given: TestOptions | UnderstudyTestBody, body?: UnderstudyTestBody) => {
    const testBody = body ?? (given as UnderstudyTestBody)
    const testOptions = body === undefined ? {} : (given as TestOptions)
    return base(name, testOptions, t => run(t, name, testBody))
  }
}

/** The `test` of node:test. A file's mock starts with its first test. */
export const test = testWith({})
export const it = test
