/** startMock(): the mock for tests and tools, in this process. It listens on a real socket and leaves nothing behind. */

import type { Socket } from 'node:net'
import { type Clock, realDelay } from '../base/clock.ts'
import type { Duration } from '../base/duration.ts'
import { ControlError } from '../base/errors.ts'
import { ConfigError, durationToMs, refuseUnknown } from '../base/options.ts'
import { keepTickShape } from '../base/tickShape.ts'
import {
  checkedFilter,
  checkedRule,
  checkedSpeed,
  checkedTlsFault,
  defaultWithin,
  entriesTooLate,
  firedTooLate,
  keyChangeBody,
  refuseUnfired,
  scenarioOf,
} from '../client/commands.ts'
import type {
  EntryOf,
  JournalEntry,
  JournalFilter,
  JournalPage,
  MockClock,
  RunningMock,
  ScenarioChoice,
  ScenarioHandle,
  WaitOptions,
  WorldSelector,
} from '../client/mock.ts'
import type { RuleFormat } from '../client/scenarioFormat.ts'
import { expectationOn } from '../conduct/expectation.ts'
import { checkWaits } from '../conduct/expectedWaits.ts'
import type { App, AppParts } from './app.ts'
import { buildApp } from './app.ts'
import { conductOf } from './conduct.ts'
import { type Config, completeConfig, type MockOptions, readTlsFault } from './config.ts'
import { clocksOf, refuseStepTooFar } from './control/clock.ts'
import { changeJob } from './control/jobs.ts'
import { defaultKey, setKey } from './control/keys.ts'
import { activeScenario, countsOf, explainRequest, useScenario } from './control/scenarios.ts'
import { resetAll, restore, snapshot } from './control/snapshot.ts'
import { tlsOf, tlsPart, useTlsFault } from './control/tls.ts'
import { ApiError } from './errors.ts'
import { journalHar } from './journalHar.ts'
import { makeLog } from './log.ts'
import type { Mock } from './mock.ts'
import { answerByHeader } from './mutants/byHeader.ts'
import { removeReadyFile, writeReadyFile } from './readyFile.ts'
import { unplayable } from './tls/gate.ts'
import { tlsMaterial } from './tls/material.ts'

/** How long close() lets requests finish, in ms, before it breaks them off. */
const graceMs = 1_000

/**
 * Starts a mock and resolves when it is ready. By default on a free port, silent. Throws a ConfigError for a wrong
 * option, or a port that is taken.
 */
export async function startMock(given: MockOptions = {}): Promise<RunningMock> {
  keepTickShape()
  const config = completeConfig({ port: 0, logLevel: 'silent', ...given })
  return listen(buildApp(config, await makeLog(config.logLevel), await prepareParts(config)))
}

/** What the app is built of that takes its time. Throws a ConfigError for files that can't be used. */
export async function prepareParts(config: Config): Promise<AppParts> {
  const tls = await tlsMaterial(config)
  const fault = config.tlsFault === undefined ? undefined : readTlsFault(config.tlsFault)?.name
  const problem = tls && fault && unplayable(fault, tls)
  if (problem !== undefined) throw new ConfigError(`--tls-fault is ${problem}`)
  // Loaded here: 60 files that a mock without it is not to wait for.
  const spans =
    config.otlp === undefined ? undefined : (await import('./spans.ts')).makeSpanSender(config.otlp, tls !== undefined)
  return { tls, spans }
}

/** Mutants are loaded where one is asked for: by the option now, by a header later. */
async function switchMutantsOn(app: App): Promise<void> {
  const { mutant } = app.mock.config
  if (mutant !== undefined) {
    const { applyMutant, mutantNamed } = await import('./mutants/index.ts')
    applyMutant(app, mutantNamed(mutant, 'The option mutant'))
  }
  answerByHeader(app)
}

/** Puts a built app on its port. Throws a ConfigError for a port that is taken, and for a mutant that there is not. */
export async function listen(app: App): Promise<RunningMock> {
  const { fastify, mock } = app
  const { config, journal, worlds } = mock
  let closing: Promise<void> | undefined
  const sockets = new Set<Socket>()
  fastify.server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  let port = config.port

  async function shutDown(): Promise<void> {
    if (config.readyFile !== undefined) removeReadyFile(config.readyFile, port)
    mock.webhooks.close()
    mock.scenarios.close()
    for (const response of mock.held) response.destroy()
    mock.tls?.close()
    const ending = mock.outputs.close()
    const finished = fastify.close()
    // Connections that never carried a request are none that Node would call idle.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    const grace = new AbortController()
    await Promise.race([finished, realDelay(graceMs, grace.signal)])
    grace.abort()
    fastify.server.closeAllConnections()
    await finished
    worlds.close()
    await ending
    mock.playback?.close()
    mock.clock.close()
    mock.uploads.close()
    await mock.spans?.close()
  }

  const close = (): Promise<void> => {
    closing ??= shutDown()
    return closing
  }

  try {
    await switchMutantsOn(app)
    if (config.outputs === 'made') await mock.outputs.describe()
    await fastify.listen({
      port: config.port,
      host: config.host === 'localhost' ? '127.0.0.1' : config.host,
      listenTextResolver: () => '',
    })
  } catch (error) {
    await close()
    if (error instanceof ConfigError) throw error
    throw explainListenError(error as NodeJS.ErrnoException, config.host, config.port)
  }
  const address = fastify.server.address()
  if (typeof address === 'object' && address) port = address.port
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  const url = `${mock.tls === undefined ? 'http' : 'https'}://${host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '[::1]' : host}:${port}`
  if (config.readyFile !== undefined) {
    try {
      await writeReadyFile(config.readyFile, { url, port, seed: config.seed, key: defaultKey, ...tlsPart(mock) })
    } catch (error) {
      await close()
      throw error
    }
  }
  return {
    url,
    port,
    key: defaultKey,
    seed: config.seed,
    journal: {
      entries: <F extends JournalFilter>(filter?: F) => journal.entries(checked(filter)) as EntryOf<F>[],
      read: <F extends JournalFilter>(filter?: F, limit?: number) =>
        journal.read(checked(filter), limit) as JournalPage<EntryOf<F>>,
      count: filter => journal.count(checked(filter)),
      har: filter => [...journalHar(mock, checked(filter), url)].join(''),
      listen: <F extends JournalFilter>(filter: F, listener: (entry: EntryOf<F>) => void) =>
        journal.listen(checkedFilter(filter), listener as (entry: JournalEntry) => void),
      clear: key => journal.clear({ key }),
      async waitFor<F extends JournalFilter>(filter: F, options: WaitOptions = {}) {
        refuseUnknown(options, ['atLeast', 'within'])
        const { atLeast = 1, within = defaultWithin } = options
        checkedFilter(filter)
        const gone = new AbortController()
        const met = await journal.wait(filter, atLeast, waited(within, gone.signal))
        gone.abort()
        const entries = journal.entries(filter)
        if (met) return entries as EntryOf<F>[]
        throw entriesTooLate(filter, atLeast, within, entries.length, journal.read({}, 0).count)
      },
    },
    clock: clockHandle(mock, {}),
    clockOf: key => clockHandle(mock, { key }),
    use: (choice, options = {}) => {
      refuseUnknown(options, ['key'])
      return run(() => scenarioHandle(mock, choice, options.key))
    },
    activeScenario: key => run(() => activeScenario(mock, { key })),
    explain: requestId => run(() => explainRequest(mock, requestId)),
    setKey: change => run(() => setKey(mock, keyChangeBody(change))),
    setJob: (id, change) => {
      refuseUnknown(change, ['status', 'progress', 'error', 'hold'])
      return run(() => changeJob(mock, id, change))
    },
    conduct: (key, options) => conductOf(mock, { key }, options),
    expectConduct: (key, options) => expectationOn(() => conductOf(mock, { key }, options)),
    expectWaits: async (key, operation, waits, options) =>
      checkWaits(conductOf(mock, { key }), operation, waits, options),
    tls: {
      ca: mock.tls?.ca,
      use: (fault, options = {}) => {
        refuseUnknown(options, ['connections'])
        return run(() => useTlsFault(mock, checkedTlsFault(fault, options.connections)))
      },
      end: () => run(() => tlsOf(mock).end()),
      state: () => run(() => tlsOf(mock).state()),
    },
    snapshot: key => run(() => snapshot(mock, { key })),
    restore: (key, document) => run(() => restore(mock, document, { key }, url)),
    reset: (key, world) => resetAll(mock, { key, world }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** While it waits the mock's server keeps the process alive; a wait that outlives a mock keeps nothing. */
const waited = (within: Duration, gone: AbortSignal): Promise<void> =>
  realDelay(durationToMs(within), gone, { keepsAlive: false })

const checked = (filter: JournalFilter = {}): JournalFilter => checkedFilter(filter)

/** The clock of the whole mock, or of one key. */
function clockHandle(mock: Mock, selector: WorldSelector): MockClock {
  const clocks = () => run(() => clocksOf(mock, selector))
  const each = (change: (clock: Clock) => void) => clocks().forEach(change)
  return {
    now: () => (clocks()[0] as Clock).now(),
    freeze: () => each(clock => clock.freeze()),
    resume: () => each(clock => clock.resume()),
    step: by => {
      const ms = durationToMs(by)
      run(() => refuseStepTooFar(clocks(), ms))
      each(clock => clock.step(ms))
    },
    setSpeed: factor => {
      checkedSpeed(factor)
      each(clock => clock.setSpeed(factor))
    },
  }
}

function scenarioHandle(
  mock: Mock,
  choice: ScenarioChoice | readonly RuleFormat[],
  key: string | undefined,
): ScenarioHandle {
  const activation = useScenario(mock, scenarioOf(choice), key)
  const rules = () => activation.scenario.rules.map(({ name }) => name)
  const known = (rule: string) => checkedRule(activation.scenario.name, rules(), rule)
  const end = () => mock.scenarios.endActivation(activation)
  return {
    count: rule => activation.count(known(rule)),
    get counts() {
      return countsOf(activation)
    },
    async fired(rule, options = {}) {
      refuseUnknown(options, ['times', 'within'])
      const { times = 1, within = defaultWithin } = options
      known(rule)
      const gone = new AbortController()
      const met = await activation.wait(rule, times, waited(within, gone.signal))
      gone.abort()
      if (!met) throw firedTooLate(rule, times, within, activation.count(rule))
    },
    assertAllFired: () => refuseUnfired(activation.scenario.name, countsOf(activation)),
    end,
    [Symbol.dispose]: end,
  }
}

/** What a control route would refuse is refused here with the same message. */
function run<T>(command: () => T): T {
  try {
    return command()
  } catch (error) {
    throw error instanceof ApiError ? new ControlError(error.message, error.status) : error
  }
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
