/**
 * `understudy-mock/playwright`: the mock as a fixture of Playwright Test.
 *
 *     import { expect, test } from 'understudy-mock/playwright'
 *     test('orders one job', async ({ understudy, page }) => { … })
 */
import { test as base, expect as baseExpect } from '@playwright/test'
import { type FixtureOptions, type FixtureWorker, openFixture, type Understudy } from './fixture.ts'
import { callMatchers, conductMatchers } from './matchers.ts'

export type { Calls, ConductLevel, FixtureOptions, FixtureWorker, Understudy } from './fixture.ts'

export interface UnderstudyTestFixtures {
  /** The key of this test and what it needs of the mock. */
  understudy: Understudy
}

export interface UnderstudyWorkerFixtures {
  /** Options of the fixture: `use: { understudyOptions: { … } }` in playwright.config. */
  understudyOptions: FixtureOptions
  /** The mock of the worker: its url and key are what an app server of the worker is started with. */
  understudyWorker: FixtureWorker
}

/** The `test` of Playwright with the fixture `understudy`. A worker's mock starts with the first test that asks for it. */
export const test = base.extend<UnderstudyTestFixtures, UnderstudyWorkerFixtures>({
  understudyOptions: [{}, { scope: 'worker', option: true }],
  understudyWorker: [
    async ({ understudyOptions }, use, { parallelIndex }) => {
      const worker = await openFixture(understudyOptions, String(parallelIndex))
      await use(worker)
      await worker.close()
    },
    { scope: 'worker' },
  ],
  understudy: async ({ understudyWorker }, use, info) => {
    const { testId, repeatEachIndex, title } = info
    const { understudy, end } = await understudyWorker.begin([testId, String(repeatEachIndex), title])
    await use(understudy)
    const { problem, text, har } = await end()
    const isFailed = info.status !== info.expectedStatus
    if (isFailed || problem !== undefined) {
      await info.attach('understudy journal', { body: text, contentType: 'text/plain' })
      await info.attach('understudy.har', { body: har, contentType: 'application/json' })
    }
    if (problem === undefined) return
    if (isFailed) await info.attach('understudy conduct', { body: problem.message, contentType: 'text/plain' })
    else throw problem
  },
})

export const expect = baseExpect.extend({ ...conductMatchers, ...callMatchers })
