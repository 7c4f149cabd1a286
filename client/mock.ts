/**
 * The public interface of a running mock: startMock() implements it in this process, connectMock() over HTTP.
 *
 * What you pass is camelCase (`topUp`, `requestId`). What you get is the document that the mock's control routes answer,
 * in snake_case as it is on the wire (`request_id`, `key_fingerprint`). Times are a Duration: "500ms", "5s", or ms.
 */
import type { Duration } from '../base/duration.ts'
import type { ConductExpectation } from '../conduct/expectation.ts'
import type { ExpectedWait, ExpectedWaitsOptions } from '../conduct/expectedWaits.ts'
import type { ConductReport } from '../conduct/report.ts'
import type { RuleId, RuleLevel, RuleSet } from '../conduct/rule.ts'
import type { ClauseId } from '../contracts/clauses.ts'
import type { OperationId } from '../contracts/operations.ts'
import type { Job, JobState, WebhookEventName } from '../contracts/schemas.ts'
import type { RuleFormat, ScenarioFile } from './scenarioFormat.ts'
import type { Snapshot } from './snapshotFormat.ts'
import type { MockTls } from './tlsFaults.ts'

export type { MockTls, TlsFailure, TlsFaultName, TlsState } from './tlsFaults.ts'

/** A mock in this process. `await using mock = await startMock()` closes it at the end of its block. */
export interface RunningMock extends AsyncDisposable {
  /** http://127.0.0.1:port, with `tls` https://…; what a client takes as its base URL. */
  readonly url: string
  /** Its TCP port. */
  readonly port: number
  /** A key to use when one is as good as another. Any that starts with test_ has a world of its own. */
  readonly key: string
  /** What all chance was drawn from; pass it again to have the same run again. */
  readonly seed: string
  /** Every request with its response, and every webhook attempt. */
  readonly journal: MockJournal
  /** The time of the whole mock: every job, limit, delay and webhook follows it. */
  readonly clock: MockClock
  /** The clock of one key's worlds: what is done to it holds for that key alone. */
  clockOf(key: string): MockClock
  /**
   * Switches a scenario on: by its name, as an object, or just rules; for every key, or for one. Throws a ScenarioError
   * for one that can't be played.
   */
  use(scenario: ScenarioChoice | readonly RuleFormat[], options?: { key?: string }): ScenarioHandle
  /** The scenario that is active for a key, how it was switched on, and what it overrides. */
  activeScenario(key?: string): ActiveScenario
  /**
   * Why a request was answered as it was: each rule, each condition, and the nearest miss; by its request_id, or by the id
   * of a trace that has only this one. Throws a ControlError for a request that the journal does not have.
   */
  explain(requestId: string): Explanation
  /** Makes or changes a key's world: credits, a top-up, limits, whether it is revoked. Without a key, one is drawn. */
  setKey(change: KeyChange): KeyState
  /**
   * Puts a job into a state, with the charges and webhooks that belong to it. Throws a ControlError for an unknown job,
   * or a state that no documented way leads to (JOB-4).
   */
  setJob(id: string, change: JobChange): Job
  /** The grade of a key's client: which rules of conduct passed or failed. Without a key, of all clients. */
  conduct(key?: string, options?: ConductOptions): ConductReport
  /** The same as an assertion: await mock.expectConduct(key).toKeep('ERR-3') */
  expectConduct(key?: string, options?: ConductOptions): ConductExpectation
  /**
   * Resolves when each call of the operation that the key's client tried again was tried with these waits between its
   * tries: await mock.expectWaits('test_x', 'createJob', ['2s', '4s', '8s'], { tolerance: '20%' }). A wait with jitter is a
   * pair: ['1s', '2s']. Rejects with a ConductError that shows the waits there were.
   */
  expectWaits(
    key: string,
    operation: OperationId,
    waits: readonly ExpectedWait[],
    options?: ExpectedWaitsOptions,
  ): Promise<ConductReport>
  /** The handshakes of a mock that speaks TLS: their faults, and what a client has to trust. */
  readonly tls: MockTls
  /** A key's world as one JSON document. */
  snapshot(key: string): Snapshot
  /** Resets the key's world and puts it into the state of the document. Throws a ControlError for a wrong document. */
  restore(key: string, snapshot: Snapshot): void
  /** Makes a key's worlds as new, the one of its X-Mock-World alone, or all worlds. */
  reset(key?: string, world?: string): void
  /** Stops listening, lets requests finish for a second, cleans up. May be called more than once. */
  close(): Promise<void>
}

export interface MockJournal {
  /** The entries that fit, oldest first. */
  entries<const F extends JournalFilter>(filter?: Known<F>): EntryOf<F>[]
  /** The same in a page: how many entries fit, how many were evicted, where the next page begins. `limit` is 1000. */
  read<const F extends JournalFilter>(filter?: Known<F>, limit?: number): JournalPage<EntryOf<F>>
  /** How many fit. Throws a JournalEvictedError when some may have been evicted, instead of a count that is too low. */
  count(filter?: JournalFilter): number
  /** The entries that fit as a recording: HAR 1.2, without secrets. serve --replay and `understudy replay` play it. */
  har(filter?: JournalFilter): string
  /**
   * Resolves with the entries once at least `atLeast` (default 1) fit. Rejects with a WaitTimeoutError after `within`
   * (default 4s, real time), which says what was there instead.
   */
  waitFor<const F extends JournalFilter>(filter: Known<F>, options?: WaitOptions): Promise<EntryOf<F>[]>
  /** Calls `listener` with each new entry that fits, until the returned function is called. */
  listen<const F extends JournalFilter>(filter: Known<F>, listener: (entry: EntryOf<F>) => void): () => void
  /** Forgets the entries of a key, or all. */
  clear(key?: string): void
}

export interface MockClock {
  /** Milliseconds since the epoch, by the mock's clock. */
  now(): number
  /** Stops the time; step() still moves it. */
  freeze(): void
  /** Lets the time pass again. */
  resume(): void
  /** Moves the time on. All that falls due on the way happens, in order. */
  step(by: Duration): void
  /** Makes the time pass so many times as fast; above 0, up to 1,000,000. */
  setSpeed(factor: number): void
}

/** A scenario that a test has switched on. `using lost = mock.use(…)` switches it off at the end of its block. */
export interface ScenarioHandle extends Disposable {
  /** How often a rule has fired since, in all worlds. Throws a ConfigError for a name that no rule has. */
  count(rule: string): number
  /** Each rule, and how often it has fired since. */
  readonly counts: Readonly<Record<string, number>>
  /**
   * Resolves when a rule has fired `times` times (default 1). Rejects with a WaitTimeoutError after `within` (default 4s,
   * real time).
   */
  fired(rule: string, options?: { times?: number; within?: Duration }): Promise<void>
  /** Throws a ControlError when a rule has never fired, and says which. */
  assertAllFired(): void
  /** Switches it off again. */
  end(): void
}

/**
 * A mock in another process, such as a container: the same methods as RunningMock, each of which resolves when the mock
 * has answered. Rejects with a TargetError when the mock can't be reached. close() disconnects; the mock goes on.
 */
export interface ConnectedMock
  extends Promised<
      Omit<RunningMock, 'journal' | 'clockOf' | 'use' | 'expectConduct' | 'port' | typeof Symbol.asyncDispose>
    >,
    AsyncDisposable {
  readonly journal: ConnectedJournal
  clockOf(key: string): Promised<MockClock>
  use(scenario: ScenarioChoice | readonly RuleFormat[], options?: { key?: string }): Promise<ConnectedScenario>
  expectConduct(key?: string, options?: ConductOptions): ConductExpectation
}

export interface ConnectedJournal extends Promised<Pick<MockJournal, 'count' | 'har' | 'clear'>> {
  entries<const F extends JournalFilter>(filter?: Known<F>): Promise<EntryOf<F>[]>
  read<const F extends JournalFilter>(filter?: Known<F>, limit?: number): Promise<JournalPage<EntryOf<F>>>
  waitFor<const F extends JournalFilter>(filter: Known<F>, options?: WaitOptions): Promise<EntryOf<F>[]>
  /** Resolves when the mock listens: what comes from then on is not missed. */
  listen<const F extends JournalFilter>(filter: Known<F>, listener: (entry: EntryOf<F>) => void): Promise<() => void>
}

export interface ConnectedScenario
  extends Promised<Omit<ScenarioHandle, 'counts' | typeof Symbol.dispose>>,
    AsyncDisposable {
  readonly counts: Promise<Readonly<Record<string, number>>>
}

/** The same methods, each of which answers with a promise. */
export type Promised<T> = {
  [Name in keyof T]: T[Name] extends (...given: infer Given) => infer Result
    ? (...given: Given) => Promise<Awaited<Result>>
    : T[Name] extends object
      ? Promised<T[Name]>
      : T[Name]
}

export interface WaitOptions {
  /** How many entries; 1 by default. */
  atLeast?: number
  /** How long to wait, in real time; 4s by default, below the 5s of most test runners. */
  within?: Duration
}

/** Which worlds: those of a key, or the one of a key's X-Mock-World; `anonymous` is the key of calls without one. */
export interface WorldSelector {
  /** An API key, its fingerprint, or "anonymous". */
  key?: string
  /** The value of X-Mock-World. */
  world?: string
}

/** Which entries; all that is given has to fit. */
export interface JournalFilter extends WorldSelector {
  /** Requests, or attempts to deliver a webhook; without it, both. */
  kind?: 'exchange' | 'webhook'
  /** An operation's id (getJob), its route ("GET /v1/jobs/{job_id}"), or its path alone. Exchanges only. */
  route?: OperationId | (string & {})
  /** 429, or 4xx for a class. */
  status?: string | number
  /** What has to do with this job. */
  jobId?: string
  /** The one request that was answered with this id. Exchanges only. */
  requestId?: string
  /** What belongs to this trace: its id of 32 hexadecimal digits, or a whole traceparent. */
  trace?: string
  /** Only what came later: an entry's seq, or an ISO 8601 time. */
  since?: number | string
  /** Only what came earlier: an entry's seq, or an ISO 8601 time. */
  before?: number | string
}

/** A filter without fields that are not known. */
export type Known<F extends JournalFilter> = F & { [Name in Exclude<keyof F, keyof JournalFilter>]: never }

/** The kind of entry that a filter lets through. */
export type EntryOf<F extends JournalFilter> = F extends { kind: 'webhook' }
  ? WebhookEntry
  : F extends { kind: 'exchange' } | { route: string } | { requestId: string }
    ? ExchangeEntry
    : JournalEntry

/** An entry of the journal; `kind` tells which. */
export type JournalEntry = ExchangeEntry | WebhookEntry

interface CommonEntry {
  /** Counts up over all worlds. */
  seq: number
  /** When it ended: UTC, ISO 8601. */
  time: string
  /** The key's fingerprint; with X-Mock-World, a slash and its value follow. */
  world: string
  job_id: string | null
  /** Of the client's traceparent (W3C); of a webhook, that of the call that has made or started its job. */
  trace_id?: string
  url: string
  /** 0: no HTTP answer. */
  status: number
  /** How long it took. */
  ms: number
  request: { headers: Record<string, string>; body?: unknown }
  /** The fault that a rule caused. */
  fault?: string
  /** That its world had to make room for others before, and when: what it held then is gone. */
  note?: string
}

/** A request and what it was answered. */
export interface ExchangeEntry extends CommonEntry {
  kind: 'exchange'
  request_id: string
  method: string
  /** "GET /v1/jobs/{job_id}"; null for a path that is not documented. */
  route: string | null
  /** The client went away before the answer was sent. */
  aborted: boolean
  /** Which request of its connection it was, from 1. */
  connection_request?: number
  /** The scenario that was active. */
  scenario?: string
  /** The rule that fired. */
  rule?: string
  /** The number from 0 to 1 that chance decided by. */
  draw?: number
  delay_ms?: number
  upload?: { filename: string; size: number; type: string; sha256: string }
  /** Of a poll: how long its job had been due, and waited for its output, in ms of real time. */
  output_wait_ms?: number
  response?: { headers: Record<string, string>; body?: unknown }
}

/** An attempt to deliver a webhook. */
export interface WebhookEntry extends CommonEntry {
  kind: 'webhook'
  delivery_id: string
  event: WebhookEventName
  /** 1 for the first. */
  attempt: number
  /** Why it failed. */
  error: string | null
  next_try_at: string | null
}

export interface JournalPage<E extends JournalEntry = JournalEntry> {
  entries: E[]
  /** How many entries fit the filter; null when some may have been evicted, so that a count is never too low. */
  count: number | null
  /** Entries of the worlds read that had to make room. */
  evicted: number
  /** Whether all that ever fitted the filter is still there. */
  complete: boolean
  /** Pass as `since` for the next page, or as `before` where the newest come first; null on the last. */
  next: number | null
  /** Why there is more than this page has: `limit`, or the bytes that a page may have; null when there is no more. */
  limited_by: 'limit' | 'bytes' | null
}

/** A scenario by its name, or as it is written in a file. */
export type ScenarioChoice = string | ScenarioFile

/** Requests a minute, 0 for no limit; or requests in a time. */
export type LimitChange = number | { calls: number; per: Duration }

export interface KeyChange extends WorldSelector {
  /** What is available from now on. */
  credits?: number
  /** Credits to add. */
  topUp?: number
  /** Limit of requests (RL-1). What was used of it before is forgotten. */
  rateLimit?: LimitChange
  /** Limit of job creations (RL-1). */
  jobLimit?: LimitChange
  /** true: every call with the key is answered 401 (AUTH-1). */
  revoked?: boolean
}

export interface KeyState {
  /** Only where it was drawn just now. */
  key?: string
  key_fingerprint: string
  /** X-Mock-World, where the key is split by it. */
  world: string | null
  credits: { available: number; reserved: number }
  rate_limit: LimitState | null
  job_limit: LimitState | null
  revoked: boolean
  scenario: string | null
  /** How many jobs are in each state. */
  jobs: Record<string, number>
}

export interface LimitState {
  calls: number
  per_ms: number
  remaining: number
}

export interface JobChange {
  /** It goes there over all the states between, with their charges and webhooks (JOB-4). */
  status?: JobState
  /** 0 to 100; never back (JOB-4). */
  progress?: number
  /** What the error says, if it fails. */
  error?: string
  /** true: it stays as it is from now on. */
  hold?: boolean
}

/** How a scenario was switched on; the later ones are narrower, and win. */
export type ActivationSource = 'serve' | 'put_all' | 'put_key' | 'key' | 'header' | 'fault'

/** What GET /__mock/scenario answers. */
export interface ActiveScenario {
  scenario: string | null
  source: ActivationSource | null
  why: string
  description?: string
  clauses?: readonly string[]
  /** Milliseconds by the world's clock since the first call; null before it. */
  since_first_call_ms?: number | null
  /** Each rule, how many calls fitted it and how often it fired in this world. */
  rules?: { name: string; met?: number; fired: number }[]
  /** What is switched on too, but a narrower source overrides it. */
  overridden: { scenario: string; source: ActivationSource; why: string }[]
}

export interface ExplainedCondition {
  what: string
  expected: string
  found: string
  met: boolean
}

export interface ExplainedRule {
  rule: string
  /**
   * fired; not_met: a condition was not; not_reached: another rule had fired before it; not_asked: the call was refused
   * before its body had come, for which the rule waits.
   */
  verdict: 'fired' | 'not_met' | 'not_reached' | 'not_asked'
  conditions: ExplainedCondition[]
  does: string
}

/** A step of the mock that a call went through; the last of them refused it, where one did. */
export interface ExplainedStep {
  step: 'key' | 'limits' | 'idempotency' | 'schema' | 'credits'
  outcome: 'passed' | 'refused'
  said: string
}

/** What GET /__mock/explain/{request_id} answers. */
export interface Explanation {
  request_id: string
  /** Of the client's traceparent. */
  trace_id?: string
  /** What was asked: "POST /v1/jobs". */
  route: string | null
  status: number
  scenario: string | null
  source: string | null
  why: string
  rule: string | null
  /**
   * Where no rule fired and the answer is an error: its message, what the key's name asks for, and the account that the
   * scenario gives the key.
   */
  reasons: string[]
  /** Key, limits, idempotency, schema, credits, as far as the call came; none where a rule answered before them. */
  steps: ExplainedStep[]
  rules: ExplainedRule[]
  /** The rule that did not fire and had the fewest conditions unmet. */
  nearest: { rule: string; unmet: ExplainedCondition[] } | null
}

export interface ConductOptions {
  /** The longest that a job may be polled that doesn't end, by the mock's clock; 30m by default. */
  maxPollTime?: Duration
  /** Clauses or rules that have to be kept for the report to be ok. */
  require?: readonly (ClauseId | RuleId)[]
  /** true: the client has ended and sends nothing more, so that what it has not done by now it never does. */
  ended?: boolean
  /**
   * When the client was ended from outside, ms since the epoch by the mock's clock: what it was waiting for then, it has
   * not given up.
   */
  stoppedAt?: number
  /**
   * From when on the client's program printed nothing until it ended with exit code 0, ms since the epoch by the mock's clock: who
   * ran it has not been told of a call that it gave up.
   */
  silentSince?: number
  /** true: only one program uses the key, so that nothing that looks hasty is two that ask for the same. */
  alone?: boolean
  /** The lowest level whose failure makes the report not ok; must by default. */
  level?: RuleLevel
  /** The rule set, such as "2026-12"; the newest by default. */
  rules?: RuleSet
}
