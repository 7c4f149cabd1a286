import type { Incoming, Outgoing } from '../base/http.ts'
import type { OutputFormat } from '../contracts/schemas.ts'
import type { Video } from '../media/clip.ts'
import type { Examined } from '../media/examine.ts'

/** The time that the suite waits by: real time, or the clock of a mock in the same process, which a test can step. */
export interface SuiteClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Delivery {
  headers: Readonly<Record<string, string>>
  body: string
  /** What the listener answered. */
  answered: number
  /** Milliseconds since the epoch, by the suite's clock. */
  at: number
}

export type Answering = (delivery: Omit<Delivery, 'answered'>, before: readonly Delivery[]) => number

export interface Listener {
  /** A URL for one job's webhooks; `answer` says the status of each, given those before it. Without one all are 200. */
  open(name: string, answer?: Answering): { url: string; deliveries: Delivery[] }
  /** Waits until `isMet`, asked with each delivery, for `withinMs` of the suite's clock; false when that time was over. */
  until(isMet: () => boolean, withinMs: number): Promise<boolean>
}

/** What the mock's own controls do for the suite. */
export interface MockSupport {
  /** A key that nothing was done with yet. */
  freshKey(): Promise<string>
  /** A key with a limit of its own. */
  limitedKey(calls: number, seconds: number): Promise<string>
  /** Headers by which calls without a key have a limit of their own. */
  limitedAddress(calls: number, seconds: number): Promise<Record<string, string>>
  /** Headers that make one call answer with an error of the catalogue. */
  provoke(error: string): Record<string, string>
}

/** All that the suite was given to work with. */
export interface SuiteEnvironment {
  /** Without a slash at its end. */
  base: string
  send(out: Outgoing): Promise<Incoming>
  sleep(ms: number): Promise<void>
  now(): number
  /** Hex HMAC-SHA256. */
  hmac(secret: string, text: string): string
  /** A text that no earlier run has drawn, from the seed. */
  tag(what: string): string
  keys: { main?: string; second?: string; emptyAccount?: string }
  /** What must not be shown, by the name that stands for it; keys that are drawn on the way are added. */
  secrets: Record<string, string>
  /** A key that no endpoint knows. */
  unknownKey: string
  failingUrl?: string
  webhookSecret?: string
  listener?: Listener
  mockSupport?: MockSupport
  /** Which of these the server's logs have, once all calls are made. */
  findInLogs?(ids: readonly string[]): Promise<ReadonlySet<string>>
  clips: { short: Video; longer: Video; difficult: Video; others: readonly Video[] }
  outputFormat: OutputFormat
  /** Decodes films; a text where nothing here can, and why. */
  examiner?(): Promise<((bytes: Uint8Array) => Promise<Examined>) | string>
  /** Extra headers for every call. */
  headers: Readonly<Record<string, string>>
  timeoutMs: number
  /** The longest that a Retry-After is waited for. */
  maxWaitMs: number
  /** Waited beyond a Retry-After, in ms: timers and the way there are not exact. */
  graceMs: number
  /** The longest that a job is waited for. */
  jobTimeoutMs: number
  /** Polls at this pace at first (RL-3: 2 s), slower by and by. */
  pollMs: number
  /** A job that was started may wait in a queue for so long, and show nothing of its start. */
  queueMs: number
  /** Calls of a burst without a limit of its own. */
  burst: number
}
