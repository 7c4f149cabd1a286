/**
 * `understudy-mock/jest`: the mock as a test environment of Jest. The environment is loaded by Node.js itself, outside of Jest's
 * module loader, so that tests in CommonJS need no option to load an ES module.
 *
 *     // jest.config.js
 *     module.exports = { testEnvironment: 'understudy-mock/jest' }
 *
 * Each test then finds the fixture as the global `understudy`.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type FixtureOptions, type FixtureWorker, openFixture, type RunningTest } from './fixture.ts'
import { conductMatchers } from './matchers.ts'

export type { Calls, ConductLevel, FixtureOptions, FixtureWorker, Understudy } from './fixture.ts'
export type { ConductMatchers } from './matchers.ts'

/** `testEnvironmentOptions: { understudy: { … } }` in Jest's config. */
export interface JestFixtureOptions extends FixtureOptions {
  /** The environment below: jest-environment-node by default, or jest-environment-jsdom. */
  environment?: string
}

/** As much of Jest as is needed here, so that its typings are not. */
interface JestConfig {
  readonly globalConfig?: unknown
  readonly projectConfig: {
    readonly rootDir: string
    readonly testEnvironmentOptions?: { readonly understudy?: JestFixtureOptions }
  }
}

interface JestTest {
  readonly name: string
  readonly parent?: JestTest
  readonly errors: unknown[]
}

interface JestEvent {
  readonly name: string
  readonly test?: JestTest
  readonly runtimeGlobals?: { readonly expect: { extend(matchers: object): void } }
}

interface JestEnvironment {
  global: Record<string, unknown>
  setup(): Promise<void>
  teardown(): Promise<void>
  handleTestEvent?(event: JestEvent, state: unknown): unknown
}

type EnvironmentClass = new (config: JestConfig, context: { testPath: string }) => JestEnvironment

/**
 * What Jest makes an environment by, with `new`: the one of Node.js (or `environment`) with a mock that starts with the first test
 * of a file and is closed after its last.
 */
function understudyEnvironment(config: JestConfig, context: { testPath: string }): JestEnvironment {
  const { rootDir, testEnvironmentOptions } = config.projectConfig
  const { environment = 'jest-environment-node', ...options } = testEnvironmentOptions?.understudy ?? {}
  const below = new (loadFromJest(rootDir, environment))(config, context)
  const [teardown, handle] = [below.teardown.bind(below), below.handleTestEvent?.bind(below)]
  let worker: FixtureWorker | undefined
  let running: RunningTest | undefined

  async function begin(test: JestTest): Promise<void> {
    worker ??= await openFixture(options)
    running = await worker.begin([context.testPath, ...titlesOf(test)])
    below.global.understudy = running.understudy
  }

  async function end(test: JestTest): Promise<void> {
    const ending = await running?.end()
    running = undefined
    below.global.understudy = undefined
    if (ending === undefined) return
    const { problem, text } = ending
    if (problem !== undefined) test.errors.push(problem)
    // Jest has no attachments: what goes into each of its reports are the messages of a failed test.
    if (test.errors.length > 0) test.errors.push(Object.assign(new Error(text), { stack: text }))
  }

  below.handleTestEvent = async (event, state) => {
    await handle?.(event, state)
    if (event.name === 'setup') event.runtimeGlobals?.expect.extend(conductMatchers)
    if (event.name === 'test_started' && event.test) await begin(event.test)
    if (event.name === 'test_done' && event.test) await end(event.test)
  }
  below.teardown = async () => {
    await worker?.close()
    await teardown()
  }
  return below
}

export default understudyEnvironment

const titlesOf = ({ name, parent }: JestTest): string[] => [...(parent === undefined ? [] : titlesOf(parent)), name]

/**
 * An environment that the user has installed, or the one that came with Jest, which strict package managers show to Jest alone:
 * there it is found by the row of packages that depend on each other.
 */
function loadFromJest(rootDir: string, name: string): EnvironmentClass {
  let require = createRequire(join(rootDir, 'package.json'))
  for (const next of ['jest', '@jest/core', 'jest-config', undefined]) {
    try {
      const loaded = require(name) as EnvironmentClass & { default?: EnvironmentClass }
      return loaded.default ?? loaded
    } catch (error) {
      if (next === undefined || (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
      require = createRequire(require.resolve(`${next}/package.json`))
    }
  }
  throw new Error(`${name} was not found`)
}
