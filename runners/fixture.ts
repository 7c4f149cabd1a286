/**
 * What the adapters of the test runners share: one mock for each worker process, one key for each test. A key has a world of its
 * own, so that tests of one worker can run at the same time.
 */

import { threadId } from 'node:worker_threads'
import { hash53 } from '../base/fingerprint.ts'
import { ConfigError, refuseUnknown } from '../base/options.ts'
import { plural } from '../base/text.ts'
import { connectMock } from '../client/connect.ts'
import { entryLines } from '../client/entryLine.ts'
import type {
  ConductOptions,
  ConnectedMock,
  ConnectedScenario,
  ExchangeEntry,
  JournalEntry,
  JournalFilter,
  KeyChange,
  KeyState,
  MockClock,
  Promised,
  ScenarioChoice,
  WaitOptions,
} from '../client/mock.ts'
import type { RuleFormat } from '../client/scenarioFormat.ts'
import { type ConductError, conductProblem } from '../conduct/expectation.ts'
import type { ConductReport } from '../conduct/report.ts'
import type { OperationId } from '../contracts/operations.ts'
import type { MockOptions } from '../server/config.ts'

/** What a broken rule of conduct has to be to fail a test: a must (default), any, or nothing does. */
export type ConductLevel = 'must' | 'should' | 'off'

export interface FixtureOptions {
  /** Options of the worker's mock, those of startMock(); `{ speed: 'instant' }` by default. */
  mock?: MockOptions
  /** A mock that runs already, such as a container; then none is started. */
  url?: string
  /** Its token, where it is not on loopback. */
  adminToken?: string
  /** Which broken rules of conduct fail a test after it has run: must by default, should, or off. */
  conduct?: ConductLevel
  /**
   * Whether each test has a key of its own (default), or all tests of a worker have the same: for an app that is started with
   * its key. The world is as new for each test either way.
   */
  keyPer?: 'test' | 'worker'
}

/** The calls of a test's client so far. A spy by its form: the matchers that a runner has for spies take it. */
export interface Calls {
  (): never
  /** The entries of the journal, oldest first. */
  readonly entries: readonly ExchangeEntry[]
  /** The arguments of each call, as a spy has them: the body that was sent. */
  readonly mock: { readonly calls: readonly (readonly [body: unknown])[] }
  readonly _isMockFunction: true
  getMockName(): string
}

/** What a test is given. Its methods concern its own key alone. */
export interface Understudy {
  /** http://127.0.0.1:port; what the client takes as its base URL. */
  readonly url: string
  /** The API key of this test; no other test has it at the same time. */
  readonly key: string
  /** The whole mock of the worker. What is done to it without a key concerns every test of the worker. */
  readonly mock: ConnectedMock
  /** The time of this test's world. */
  readonly clock: Promised<MockClock>
  /** Switches a scenario on until the end of the test. Rejects with a ScenarioError for one that can't be played. */
  use(scenario: ScenarioChoice | readonly RuleFormat[]): Promise<ConnectedScenario>
  /** Credits, limits, whether the key is revoked. */
  setKey(change: Omit<KeyChange, 'key' | 'world'>): Promise<KeyState>
  /** The calls of an operation ("createJob"), or of all: expect(await understudy.calls('createJob')).toHaveBeenCalledTimes(1) */
  calls(operation?: OperationId): Promise<Calls>
  /** The journal of this test: its calls and webhooks. */
  journal(filter?: Omit<JournalFilter, 'key' | 'world'>): Promise<JournalEntry[]>
  /** Resolves once entries fit. Rejects with a WaitTimeoutError after `within`, 4s by default. */
  waitFor(filter?: Omit<JournalFilter, 'key' | 'world'>, options?: WaitOptions): Promise<JournalEntry[]>
  /** The grade of this test's client up to now. */
  conduct(options?: ConductOptions): Promise<ConductReport>
  /** Which broken rules fail this one test after it has run: 'off' for a test that itself calls as no client should. */
  gradeConduct(level: ConductLevel): void
}

/** What is known of a test once it has run. */
export interface Ending {
  /** Rules of conduct that the client broke; undefined where it broke none, or nothing is graded. */
  problem: ConductError | undefined
  /** The journal in lines, for people. */
  text: string
  /** The journal as a recording (HAR 1.2), without secrets. */
  har: string
}

export interface RunningTest {
  understudy: Understudy
  /** Grades the client, reads the journal and makes the world as new. */
  end(): Promise<Ending>
}

/** The mock of a worker process. */
export interface FixtureWorker {
  readonly url: string
  /** The key of all its tests, where `keyPer` is worker; and one to start an app with. */
  readonly key: string
  readonly mock: ConnectedMock
  /** Gives a test its key. `name` tells it from all others: file, title, and what else its runner repeats it by. */
  begin(name: readonly string[]): Promise<RunningTest>
  close(): Promise<void>
}

const levels: readonly ConductLevel[] = ['must', 'should', 'off']

/**
 * Starts the worker's mock, or connects to the one of `url`. `worker` tells it from the other workers of a mock that they share, the
 * same in each run where the runner numbers them.
 */
export async function openFixture(
  given: FixtureOptions = {},
  worker = given.url === undefined ? '0' : `${process.pid} ${threadId}`,
): Promise<FixtureWorker> {
  const options = checkedOptions(given)
  const { conduct: usualLevel = 'must', keyPer = 'test', adminToken } = options
  // A runner reads test files to list them, too: the server is loaded for tests that run, and where none is up.
  const server = options.url === undefined ? await import('../server/start.ts') : undefined
  const own = await server?.startMock({ speed: 'instant', ...options.mock })
  const token = adminToken ?? options.mock?.adminToken
  const mock = await connectMock(own?.url ?? (options.url as string), token === undefined ? {} : { adminToken: token })
  const workerKey = keyOf(['worker', worker])
  /** The keys of the tests that run now: two may have the same title. */
  const inUse = new Set<string>()

  function takeKey(name: readonly string[]): string {
    const wanted = keyPer === 'worker' ? workerKey : keyOf(name)
    if (inUse.has(wanted) && keyPer === 'worker')
      throw new ConfigError('Two tests run at the same time in one worker and share its key; take keyPer: "test"')
    let key = wanted
    for (let n = 2; inUse.has(key); n++) key = `${wanted}-${n}`
    inUse.add(key)
    return key
  }

  return {
    url: mock.url,
    key: workerKey,
    mock,
    async begin(name) {
      const key = takeKey(name)
      let level = usualLevel
      // A mock that runs on may still have what an earlier run left.
      await mock.reset(key)
      return {
        understudy: understudyOf(mock, key, changed => {
          level = checkedLevel(changed)
        }),
        async end() {
          try {
            const report = level === 'off' ? undefined : await mock.conduct(key, { level })
            const problem = report && conductProblem(report)
            // Where it was noticed says nothing: what was done is in the message.
            if (problem !== undefined) problem.stack = String(problem)
            const entries = await mock.journal.entries({ key })
            return {
              problem,
              text: journalText(key, entries),
              har: await mock.journal.har({ key }),
            }
          } finally {
            await mock.reset(key)
            inUse.delete(key)
          }
        },
      }
    },
    async close() {
      await mock.close()
      await own?.close()
    },
  }
}

function understudyOf(mock: ConnectedMock, key: string, gradeConduct: (level: ConductLevel) => void): Understudy {
  return {
    url: mock.url,
    key,
    mock,
    clock: mock.clockOf(key),
    use: scenario => mock.use(scenario, { key }),
    setKey: change => mock.setKey({ ...change, key }),
    async calls(operation) {
      const filter = { kind: 'exchange', key, ...(operation !== undefined && { route: operation }) } as const
      return spyOf(await mock.journal.entries(filter), operation ?? 'the API')
    },
    journal: (filter = {}) => mock.journal.entries({ ...filter, key } as JournalFilter),
    waitFor: (filter = {}, options = {}) => mock.journal.waitFor({ ...filter, key } as JournalFilter, options),
    conduct: options => mock.conduct(key, options),
    gradeConduct,
  }
}

function spyOf(entries: readonly ExchangeEntry[], name: string): Calls {
  const spy = (): never => {
    throw new TypeError(`calls() is a record of the calls of ${name}; it calls nothing`)
  }
  const calls = entries.map(({ request }) => [request.body] as const)
  return Object.assign(spy, { entries, mock: { calls }, _isMockFunction: true as const, getMockName: () => name })
}

/** No clash with the keys that mean something to the mock (test_invalid…): a hexadecimal number follows the prefix. */
function keyOf(name: readonly string[]): string {
  const title = (name.at(-1) ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const slug = title.slice(0, 40).replace(/^-+|-+$/g, '')
  return [`test_${hash53(name.join('\n')).toString(16)}`, ...(slug === '' ? [] : [slug])].join('_')
}

const journalText = (key: string, entries: readonly JournalEntry[]): string =>
  entries.length === 0
    ? `Understudy: no call of this test came to the mock. Does the client send the key ${key} to the mock's URL?`
    : [
        `Understudy: ${plural(entries.length, 'entry', 'entries')} of the journal, key ${key}`,
        ...entryLines(entries),
      ].join('\n  ')

function checkedLevel(level: ConductLevel): ConductLevel {
  if (levels.includes(level)) return level
  throw new ConfigError(`conduct is ${JSON.stringify(level)}; expected ${levels.join(', ')}`)
}

function checkedOptions(options: FixtureOptions): FixtureOptions {
  refuseUnknown(options, ['mock', 'url', 'adminToken', 'conduct', 'keyPer'])
  const { conduct, keyPer, url, mock } = options
  if (conduct !== undefined) checkedLevel(conduct)
  if (keyPer !== undefined && keyPer !== 'test' && keyPer !== 'worker')
    throw new ConfigError(`keyPer is ${JSON.stringify(keyPer)}; expected test or worker`)
  if (url !== undefined && mock !== undefined)
    throw new ConfigError('url names a mock that runs already, and mock has options for one to start; give one of them')
  return options
}
