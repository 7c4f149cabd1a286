/** connectMock(): the methods of startMock()'s result for a mock in another process, by its control routes. */
import { monotonicMs } from '../base/clock.ts'
import { ControlError } from '../base/errors.ts'
import { NoAnswer } from '../base/http.ts'
import { baseOf } from '../base/inputs.ts'
import { durationToMs, refuseUnknown } from '../base/options.ts'
import { makeTransport } from '../base/send.ts'
import { TargetError } from '../base/targetError.ts'
import type { Trust } from '../base/wire.ts'
import { expectationOn, knownRule } from '../conduct/expectation.ts'
import { checkWaits } from '../conduct/expectedWaits.ts'
import { checkRuleOptions } from '../conduct/grade.ts'
import type { ConductReport } from '../conduct/report.ts'
import type { Job } from '../contracts/schemas.ts'
import {
  type ActivationState,
  checkedFilter,
  checkedRule,
  checkedSpeed,
  checkedTlsFault,
  conductOptionNames,
  countUnknown,
  defaultWithin,
  durationText,
  entriesTooLate,
  firedTooLate,
  keyChangeBody,
  refuseUnfired,
  scenarioOf,
} from './commands.ts'
import { type AskControl, type ControlAnswer, controlOf, isClock, messageIn, queryOf } from './control.ts'
import { openEntryStream } from './entryStream.ts'
import type {
  ActiveScenario,
  ConductOptions,
  ConnectedMock,
  ConnectedScenario,
  EntryOf,
  Explanation,
  JournalEntry,
  JournalFilter,
  JournalPage,
  KeyState,
  MockClock,
  Promised,
  ScenarioChoice,
  WaitOptions,
  WorldSelector,
} from './mock.ts'
import { ScenarioError } from './scenarioError.ts'
import type { Snapshot } from './snapshotFormat.ts'
import type { TlsState } from './tlsFaults.ts'

export interface ConnectOptions extends Trust {
  /** The token that the mock was started with; it opens the control routes of a mock that is not on loopback. */
  adminToken?: string
}

/** ms that one answer may take. */
const timeoutMs = 10_000
/** The longest that one request waits on the mock; its route allows 60 s. */
const longestWaitMs = 30_000
const entriesInPage = 10_000

/**
 * Connects to a running mock. Throws a TargetError when nothing listens at `url`, when what listens is not a mock, is an
 * older one, or keeps its control routes closed; a ConfigError when `url` is not an http or https URL.
 */
export async function connectMock(url: string, options: ConnectOptions = {}): Promise<ConnectedMock> {
  refuseUnknown(options, ['adminToken', 'insecure', 'ca', 'onlyLoopback'])
  const { adminToken, ...trust } = options
  const base = baseOf(url)
  const over = new AbortController()
  const transport = makeTransport(trust, over.signal)
  const send = controlOf({ base, send: transport.send, adminToken, timeoutMs })

  /** The answer, whatever its status. */
  const request: AskControl = async (...given) => {
    if (over.signal.aborted) throw new TargetError(`${base}: close() has disconnected from it`)
    try {
      return await send(...given)
    } catch (error) {
      throw error instanceof NoAnswer ? new TargetError(`${base}: ${error.message}`) : error
    }
  }
  /** The document that a control route answers. */
  const ask = async <T>(method: string, path: string, body?: unknown, extraMs?: number): Promise<T> => {
    const answer = await request(method, path, body, extraMs)
    if (answer.status === 200) return answer.json as T
    throw new ControlError(messageIn(answer), answer.status)
  }

  const { key, seed, ca } = await identify(base, request).catch(error => {
    transport.close()
    throw error
  })

  async function readPage(filter: JournalFilter, limit: number, rest: Record<string, string | number> = {}) {
    const wait = typeof rest.wait === 'string' ? durationToMs(rest.wait as `${number}ms`) : 0
    const query = queryOf({ ...filterQuery(filter), limit, ...rest })
    return ask<JournalPage & { met?: boolean }>('GET', `journal${query}`, undefined, wait)
  }

  async function readAll(filter: JournalFilter): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = []
    let { since } = filter
    do {
      const page = await readPage({ ...filter, ...(since !== undefined && { since }) }, entriesInPage)
      for (const entry of page.entries) entries.push(entry)
      since = page.next ?? undefined
    } while (since !== undefined)
    return entries
  }

  const conduct = async (key?: string, options: ConductOptions = {}): Promise<ConductReport> => {
    refuseUnknown(options, conductOptionNames)
    checkRuleOptions(options)
    const {
      maxPollTime,
      require,
      ended,
      stoppedAt: stopped_at,
      silentSince: silent_since,
      alone,
      level,
      rules,
    } = options
    for (const name of require ?? []) knownRule(name)
    const max_poll_time = maxPollTime === undefined ? undefined : durationText(maxPollTime)
    const query = {
      key,
      max_poll_time,
      require: require?.join(','),
      ended,
      stopped_at,
      silent_since,
      alone,
      level,
      rules,
    }
    return ask('GET', `conduct${queryOf(query)}`)
  }

  const clockOf = (selector: WorldSelector): Promised<MockClock> => {
    const change = async (body: object) => void (await ask('POST', 'clock', { ...selector, ...body }))
    return {
      now: async () => Date.parse((await ask<{ now: string }>('GET', `clock${queryOf({ ...selector })}`)).now),
      freeze: () => change({ freeze: true }),
      resume: () => change({ freeze: false }),
      step: async by => change({ step: durationText(by) }),
      setSpeed: async factor => change({ speed: checkedSpeed(factor) }),
    }
  }

  const listening = new Set<() => void>()
  const close = async (): Promise<void> => {
    for (const stop of listening) stop()
    over.abort()
    transport.close()
  }

  return {
    url: base,
    key,
    seed,
    journal: {
      entries: async <F extends JournalFilter>(filter?: F) => (await readAll(checked(filter))) as EntryOf<F>[],
      read: async <F extends JournalFilter>(filter?: F, limit = 1000) =>
        (await readPage(checked(filter), limit)) as JournalPage<EntryOf<F>>,
      async count(filter) {
        const { count, evicted } = await readPage(checked(filter), 0)
        if (count === null) throw countUnknown(evicted)
        return count
      },
      async har(filter) {
        const answer = await request('GET', `journal.har${queryOf(filterQuery(checked(filter)))}`)
        if (answer.status === 200) return answer.text
        throw new ControlError(messageIn(answer), answer.status)
      },
      async waitFor<F extends JournalFilter>(filter: F, options: WaitOptions = {}) {
        refuseUnknown(options, ['atLeast', 'within'])
        const { atLeast = 1, within = defaultWithin } = options
        checkedFilter(filter)
        const met = await waitOver(durationToMs(within), wait => readPage(filter, 0, { wait, atLeast }))
        const entries = await readAll(filter)
        if (met) return entries as EntryOf<F>[]
        throw entriesTooLate(filter, atLeast, within, entries.length, (await readPage({}, 0)).count)
      },
      async listen<F extends JournalFilter>(filter: F, listener: (entry: EntryOf<F>) => void) {
        checkedFilter(filter)
        const stop = await openEntryStream({
          url: `${base}/__mock/journal/stream${queryOf(filterQuery(filter))}`,
          headers: adminToken === undefined ? {} : { 'X-Admin-Token': adminToken },
          trust,
          listener: listener as (entry: JournalEntry) => void,
        })
        const end = () => {
          listening.delete(end)
          stop()
        }
        listening.add(end)
        return end
      },
      clear: async key => void (await ask('DELETE', `journal${queryOf({ key })}`)),
    },
    clock: clockOf({}),
    clockOf: key => clockOf({ key }),
    async use(choice, options = {}) {
      refuseUnknown(options, ['key'])
      const scenario = scenarioOf(choice)
      const answer = await request('POST', 'scenario', { scenario, ...options })
      if (answer.status === 200) return scenarioHandle(ask, answer.json as ActivationState)
      throw scenarioRefusal(scenario, answer)
    },
    activeScenario: key => ask<ActiveScenario>('GET', `scenario${queryOf({ key })}`),
    explain: requestId => ask<Explanation>('GET', `explain/${encodeURIComponent(requestId)}`),
    setKey: async change => ask<KeyState>('POST', 'keys', keyChangeBody(change)),
    async setJob(id, change) {
      refuseUnknown(change, ['status', 'progress', 'error', 'hold'])
      return ask<Job>('POST', `jobs/${encodeURIComponent(id)}`, change)
    },
    conduct,
    expectConduct: (key, options) => expectationOn(() => conduct(key, options)),
    expectWaits: async (key, operation, waits, options) => checkWaits(await conduct(key), operation, waits, options),
    tls: {
      ca,
      async use(fault, options = {}) {
        refuseUnknown(options, ['connections'])
        return ask<TlsState>('POST', 'tls', checkedTlsFault(fault, options.connections))
      },
      end: () => ask<TlsState>('DELETE', 'tls'),
      state: () => ask<TlsState>('GET', 'tls'),
    },
    snapshot: key => ask<Snapshot>('GET', `snapshot${queryOf({ key })}`),
    restore: async (key, document) => void (await ask('PUT', `snapshot${queryOf({ key })}`, document)),
    reset: async (key, world) => void (await ask('POST', 'reset', { key, world })),
    close,
    [Symbol.asyncDispose]: close,
  }
}

const checked = (filter: JournalFilter = {}): JournalFilter => checkedFilter(filter)

const filterQuery = ({ jobId, requestId, ...same }: JournalFilter) => ({
  ...same,
  job_id: jobId,
  request_id: requestId,
})

interface About {
  understudy?: unknown
  key: string
  seed: string
  tls?: { ca?: string }
}

/** The mock's key and seed, and the authority of its certificate. Throws a TargetError that says what is there instead. */
async function identify(
  base: string,
  request: AskControl,
): Promise<{ key: string; seed: string; ca: string | undefined }> {
  const about = await request('GET', '')
  const { understudy, key, seed, tls } = (about.json ?? {}) as About
  if (about.status === 200 && typeof understudy === 'string') return { key, seed, ca: tls?.ca }
  const clock = await request('GET', 'clock')
  if (isClock(clock.json)) throw new TargetError(`${base} is an older mock, which this client does not know; update it`)
  const isClosed = /closed off loopback|X-Admin-Token/.test(messageIn(clock))
  throw new TargetError(
    isClosed
      ? `${base} keeps its control routes closed (${clock.status}: ${messageIn(clock)}); start the mock with --admin-token and give the same as {adminToken}`
      : `${base} is not a mock: GET /__mock/clock was answered ${clock.status}${/TLS/.test(messageIn(clock)) ? ` (${messageIn(clock)})` : ''}`,
  )
}

function scenarioRefusal(scenario: ScenarioChoice, answer: ControlAnswer): Error {
  const message = messageIn(answer)
  if (answer.status !== 400 || /key/.test(message.slice(0, 30))) return new ControlError(message, answer.status)
  const file = typeof scenario === 'string' ? scenario : (scenario.name ?? 'the scenario')
  return new ScenarioError([{ file, line: undefined, column: undefined, field: '', message }])
}

/** Asks the mock to wait, again and again until the time is over; each request waits for a part of it. */
async function waitOver(ms: number, wait: (part: `${number}ms`) => Promise<{ met?: boolean }>): Promise<boolean> {
  const until = monotonicMs() + ms
  for (;;) {
    const left = Math.max(0, until - monotonicMs())
    const { met } = await wait(`${Math.min(left, longestWaitMs)}ms`)
    if (met || monotonicMs() >= until) return met === true
  }
}

function scenarioHandle(
  ask: <T>(method: string, path: string, body?: unknown, extraMs?: number) => Promise<T>,
  { id, scenario, counts: begun }: ActivationState,
): ConnectedScenario {
  const rules = Object.keys(begun)
  /** What end() has answered: the mock forgets what was ended. */
  let ended: ActivationState['counts'] | undefined
  const counts = async () => ended ?? (await ask<ActivationState>('GET', `scenario/${id}`)).counts
  const end = async () => {
    ended ??= (await ask<ActivationState>('DELETE', `scenario/${id}`)).counts
  }
  return {
    async count(rule) {
      checkedRule(scenario, rules, rule)
      return (await counts())[rule] as number
    },
    get counts() {
      return counts()
    },
    async fired(rule, options = {}) {
      refuseUnknown(options, ['times', 'within'])
      const { times = 1, within = defaultWithin } = options
      checkedRule(scenario, rules, rule)
      const met = await waitOver(durationToMs(within), async wait => {
        if (ended !== undefined) return { met: (ended[rule] as number) >= times }
        return ask('GET', `scenario/${id}${queryOf({ rule, times, wait })}`, undefined, durationToMs(wait))
      })
      if (!met) throw firedTooLate(rule, times, within, (await counts())[rule] as number)
    },
    assertAllFired: async () => refuseUnfired(scenario, await counts()),
    end,
    [Symbol.asyncDispose]: end,
  }
}
