/**
 * `understudy-mock/vitest`: the mock as a fixture of Vitest.
 *
 *     import { expect, test } from 'understudy-mock/vitest'
 *     test('orders one job', async ({ understudy }) => {
 *       await order(understudy.url, understudy.key)
 *       expect(await understudy.calls('createJob')).toHaveBeenCalledTimes(1)
 *     })
 */
import { test as base, expect } from 'vitest'
import { type FixtureOptions, type FixtureWorker, openFixture, type Understudy } from './fixture.ts'
import { type ConductMatchers, conductMatchers } from './matchers.ts'

export type { Calls, ConductLevel, FixtureOptions, FixtureWorker, Understudy } from './fixture.ts'
export type { ConductMatchers } from './matchers.ts'

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the parameter as Vitest declares it
  interface Matchers<T = any> extends ConductMatchers {}
  interface ProvidedContext {
    /** Options of the fixture, from `test.provide` in vitest.config. */
    understudyOptions?: FixtureOptions
  }
}

expect.extend(conductMatchers)

/** The `test` of Vitest with the fixture `understudy`. A worker's mock starts with the first test that asks for it. */
export const test = base.extend<{
  understudyOptions: FixtureOptions
  understudyWorker: FixtureWorker
  understudy: Understudy
}>({
  understudyOptions: [{}, { scope: 'worker', injected: true }],
  understudyWorker: [
    async ({ understudyOptions }, use) => {
      const worker = await openFixture(understudyOptions)
      await use(worker)
      await worker.close()
    },
    { scope: 'worker' },
  ],
  understudy: async ({ understudyWorker, task }, use) => {
    const { understudy, end } = await understudyWorker.begin([task.file.name, task.id, task.name])
    await use(understudy)
    const { problem, text } = await end()
    const isFailed = task.result?.state === 'fail'
    // Vitest shows what a test prints beside it, in each of its reporters.
    if (isFailed || problem !== undefined)
      console.error(problem === undefined || !isFailed ? text : `${text}\n${problem}`)
    if (problem !== undefined && !isFailed) throw problem
  },
})

export const it = test
export { expect }
