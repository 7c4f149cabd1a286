/** startMock(): the mock for tests and tools, in this process. It listens on a real socket and leaves nothing behind. */

import type { Socket } from 'node:net'
import { pino } from 'pino'
import { type Clock, realDelay } from '../base/clock.ts'
import { parseDuration } from '../base/duration.ts'
import { ConfigError } from '../base/options.ts'
import { plural } from '../base/text.ts'
import type { RuleFormat } from '../client/scenarioFormat.ts'
import type { Snapshot } from '../client/snapshotFormat.ts'
import type { ConductReport } from '../conduct/report.ts'
import type { Job } from '../contracts/schemas.ts'
import type { App } from './app.ts'
import { buildApp } from './app.ts'
import { type ConductExpectation, type ConductOptions, conductOf, expectationOn } from './conduct.ts'
import { completeConfig, type MockOptions } from './config.ts'
import { clocksOf } from './control/clock.ts'
import { resetAll } from './control/index.ts'
import { changeJob, type JobChange } from './control/jobs.ts'
import { type KeyChange, type KeyState, setKey } from './control/keys.ts'
import { activeScenario, explainRequest, type ScenarioChoice, useScenario } from './control/scenarios.ts'
import { restore, snapshot } from './control/snapshot.ts'
import { journalHar } from './journalHar.ts'
import type { JournalEntry, JournalFilter, JournalPage } from './journalView.ts'
import type { Mock } from './mock.ts'
import type { ActiveScenario } from './scenarios/activeScenarios.ts'
import type { Explanation } from './scenarios/explain.ts'

import type { WorldSelector } from './world/worlds.ts'

/** How long close() lets requests finish, in ms, before it breaks them off. */
const graceMs = 1_000

export interface RunningMock {
  /** http://127.0.0.1:port; what a client takes as its base URL. */
  readonly url: string
  readonly port: number
  /** A key to use when one is as good as another. Any that starts with test_ has a world of its own. */
  readonly key: string
  /** What all chance was drawn from; pass it again to have the same run again. */
  readonly seed: string
  readonly journal: MockJournal
  readonly clock: MockClock
  /** The clock of one key's worlds: what is done to it holds for that key alone. */
  clockOf(key: string): MockClock
  /**
   * Switches a scenario on: by its name, as an object, or just rules; for every key, or for one. Throws a ScenarioError
   * for one that can't be played.
   */
  use(scenario: ScenarioChoice | readonly RuleFormat[], options?: { key?: string }): ScenarioHandle
  /** What is active for a key, by which of the four ways, and why. */
  activeScenario(key?: string): ActiveScenario
  /** Why a request was answered as it was: each rule, each condition, and the nearest miss. */
  explain(requestId: string): Explanation
  /** Makes or changes a key's world: credits, a top-up, limits, whether it is revoked. Without a key, one is drawn. */
  setKey(change: KeyChange): KeyState
  /** Puts a job into a state by hand, with the charges and webhooks that belong to it. */
  setJob(id: string, change: JobChange): Job
  /** The grade of a key's client: which rules of conduct it kept, broke, or was never in the situation to. */
  conduct(key?: string, options?: ConductOptions): ConductReport
  /** The same as an assertion: await mock.expectConduct(key).toKeep('ERR-3') */
  expectConduct(key?: string, options?: ConductOptions): ConductExpectation
  /** A key's world as one JSON document. */
  snapshot(key: string): Snapshot
  /** Resets the key's world and puts it into the state of the document. */
  restore(key: string, snapshot: Snapshot): void
  /** Makes a key's worlds as new, the one of its X-Mock-World alone, or all worlds. */
  reset(key?: string, world?: string): void
  /** Stops listening, lets requests finish for a second, cleans up. May be called more than once. */
  close(): Promise<void>
}

export interface MockJournal {
  /** The entries that fit, oldest first. */
  entries(filter?: JournalFilter): JournalEntry[]
  /** The same with what a reader needs to know: how many were evicted, whether it is complete. */
  read(filter?: JournalFilter, limit?: number): JournalPage
  /** How many fit. Throws when some may have been evicted, instead of answering too low. */
  count(filter?: JournalFilter): number
  /** The entries that fit as a recording: HAR 1.2, without secrets. serve --replay and `understudy replay` play it. */
  har(filter?: JournalFilter): string
  /**
   * Waits until at least `atLeast` (default 1) entries fit, and gives them. Throws when they don't within `within`
   * (default 5s, real time), with what was there instead.
   */
  waitFor(filter: JournalFilter, options?: { atLeast?: number; within?: string }): Promise<JournalEntry[]>
  /** Calls `listener` with each new entry that fits, until the returned function is called. */
  listen(filter: JournalFilter, listener: (entry: JournalEntry) => void): () => void
  clear(key?: string): void
}

export interface MockClock {
  /** Milliseconds since the epoch, by the mock's clock. */
  now(): number
  /** Stops the time; step() still moves it. */
  freeze(): void
  resume(): void
  /** Moves the time on by "10m", "1.5s", or a number of ms. All that falls due on the way happens, in order. */
  step(by: string | number): void
  /** Makes the time pass so many times as fast. */
  setSpeed(factor: number): void
}

/** A scenario that a test has switched on. */
export interface ScenarioHandle {
  /** How often a rule has fired since, in all worlds. Throws for a name that no rule has. */
  count(rule: string): number
  /** Each rule, and how often it has fired since. */
  readonly counts: Record<string, number>
  /** Resolves when a rule has fired `times` times (default 1). Throws when it has not `within` (default 5s, real time). */
  fired(rule: string, options?: { times?: number; within?: string }): Promise<void>
  /** Throws when a rule has never fired, and says which. */
  assertAllFired(): void
  /** Switches it off again. */
  end(): void
  [Symbol.dispose](): void
}

export const defaultKey = 'test_key'

/**
 * Starts a mock and resolves when it is ready. By default on a free port, silent. Throws a ConfigError for a wrong
 * option, or a port that is taken.
 */
export async function startMock(given: MockOptions = {}): Promise<RunningMock> {
  const config = completeConfig({ port: 0, logLevel: 'silent', ...given })
  return listen(buildApp(config, pino({ level: config.logLevel })))
}

/** Puts a built app on its port. */
export async function listen({ fastify, mock }: App): Promise<RunningMock> {
  const { config, journal, worlds } = mock
  let closing: Promise<void> | undefined
  const sockets = new Set<Socket>()
  fastify.server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  async function shutDown(): Promise<void> {
    mock.webhooks.close()
    mock.scenarios.close()
    for (const response of mock.held) response.destroy()
    const finished = fastify.close()
    // Connections that never carried a request are none that Node would call idle.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    const grace = new AbortController()
    await Promise.race([finished, realDelay(graceMs, grace.signal)])
    grace.abort()
    fastify.server.closeAllConnections()
    await finished
    worlds.close()
    mock.playback?.close()
    mock.clock.close()
    mock.uploads.close()
  }

  const close = (): Promise<void> => {
    closing ??= shutDown()
    return closing
  }

  try {
    await fastify.listen({
      port: config.port,
      host: config.host === 'localhost' ? '127.0.0.1' : config.host,
      listenTextResolver: () => '',
    })
  } catch (error) {
    await close()
    throw explainListenError(error as NodeJS.ErrnoException, config.host, config.port)
  }
  const address = fastify.server.address()
  const port = typeof address === 'object' && address ? address.port : config.port
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  const url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '[::1]' : host}:${port}`
  return {
    url,
    port,
    key: defaultKey,
    seed: config.seed,
    journal: {
      entries: filter => journal.read(filter, Number.POSITIVE_INFINITY).entries,
      read: (filter, limit) => journal.read(filter, limit),
      count: filter => journal.count(filter),
      har: (filter = {}) => [...journalHar(mock, filter, url)].join(''),
      listen: (filter, listener) => journal.listen(filter, listener),
      clear: key => journal.clear({ key }),
      async waitFor(filter, { atLeast = 1, within = '5s' } = {}) {
        const gone = new AbortController()
        const met = await journal.wait(filter, atLeast, realDelay(msOf(within), gone.signal))
        gone.abort()
        const { entries } = journal.read(filter, Number.POSITIVE_INFINITY)
        if (met) return entries
        throw new Error(
          `waited ${within} for ${plural(atLeast, 'entry', 'entries')} with ${JSON.stringify(filter)}, found ${entries.length} of ` +
            `${journal.read({}, 0).count ?? 'many'} in the journal`,
        )
      },
    },
    clock: clockHandle(mock, {}),
    clockOf: key => clockHandle(mock, { key }),
    use: (choice, options = {}) => {
      refuseUnknown(options, ['key'])
      return scenarioHandle(mock, choice, options.key)
    },
    activeScenario: key => activeScenario(mock, { key }),
    explain: requestId => explainRequest(mock, requestId),
    setKey: change => setKey(mock, change),
    setJob: (id, change) => changeJob(mock, id, change),
    conduct: (key, options) => conductOf(mock, { key }, options),
    expectConduct: (key, options) => expectationOn(() => conductOf(mock, { key }, options)),
    snapshot: key => snapshot(mock, { key }),
    restore: (key, document) => restore(mock, document, { key }, url),
    reset: (key, world) => resetAll(mock, { key, world }),
    close,
  }
}

/** A misspelled option would silently do nothing. */
function refuseUnknown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find(name => !known.includes(name))
  if (unknown === undefined) return
  throw new RangeError(`There is no option ${JSON.stringify(unknown)}; expected ${known.join(' or ')}`)
}

/** The clock of the whole mock, or of one key. */
function clockHandle(mock: Mock, selector: WorldSelector): MockClock {
  const each = (change: (clock: Clock) => void) => clocksOf(mock, selector).forEach(change)
  return {
    now: () => (clocksOf(mock, selector)[0] as Clock).now(),
    freeze: () => each(clock => clock.freeze()),
    resume: () => each(clock => clock.resume()),
    step: by => each(clock => clock.step(msOf(by))),
    setSpeed: factor => each(clock => clock.setSpeed(factor)),
  }
}

function scenarioHandle(
  mock: Mock,
  choice: ScenarioChoice | readonly RuleFormat[],
  key: string | undefined,
): ScenarioHandle {
  const given = typeof choice === 'string' || !Array.isArray(choice) ? choice : { rules: choice }
  const activation = useScenario(mock, given as ScenarioChoice, key)
  const rules = () => activation.scenario.rules.map(({ name }) => name)
  const known = (rule: string): string => {
    if (rules().includes(rule)) return rule
    throw new RangeError(
      `${activation.scenario.name} has no rule ${JSON.stringify(rule)}; expected one of ${rules().join(', ')}`,
    )
  }
  const end = () => mock.scenarios.endActivation(activation)
  return {
    count: rule => activation.count(known(rule)),
    get counts() {
      return Object.fromEntries(rules().map(rule => [rule, activation.count(rule)]))
    },
    async fired(rule, options = {}) {
      refuseUnknown(options, ['times', 'within'])
      const { times = 1, within = '5s' } = options
      known(rule)
      const gone = new AbortController()
      const met = await activation.wait(rule, times, realDelay(msOf(within), gone.signal))
      gone.abort()
      if (!met)
        throw new Error(
          `waited ${within} for ${rule} to fire ${plural(times, 'time')}; it fired ${plural(activation.count(rule), 'time')}`,
        )
    },
    assertAllFired() {
      const never = rules().filter(rule => activation.count(rule) === 0)
      if (never.length === 0) return
      throw new Error(
        `${activation.scenario.name}: never fired: ${never.join(', ')}; mock.explain(request_id) tells what each rule lacked`,
      )
    },
    end,
    [Symbol.dispose]: end,
  }
}

function msOf(given: string | number): number {
  const ms = typeof given === 'number' ? given : parseDuration(given)
  if (ms === undefined)
    throw new RangeError(`${JSON.stringify(given)} is no time; expected one such as "500ms", "5s" or "10m"`)
  return ms
}

function explainListenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new ConfigError(`Port ${port} on ${host} is taken; choose another with --port, or --port 0 for a free one`)
  }
  if (error.code === 'EACCES')
    return new ConfigError(`Port ${port} needs more rights; choose one above 1023 with --port`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new ConfigError(`There is no address ${host} on this machine; try --host 127.0.0.1`)
  }
  return error
}
