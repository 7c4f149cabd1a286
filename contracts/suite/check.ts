/**
 * What a check is, and what it may use. A check knows HTTP as calls and answers only; who sends them, reads files and
 * listens for webhooks is handed in, so that nothing in here opens a socket.
 */
import type { ClauseId } from '../clauses.ts'
import type { OutputFormat } from '../schemas.ts'
import type { Probe } from './probe.ts'
import type { FormPart, Sent } from './seen.ts'

export interface Check {
  /** theme.what; stable, as reports and filters name it. */
  id: string
  /** The sentence that it tries. */
  title: string
  /** What it speaks for: each of these needs a finding before the check counts as done. */
  clauses: readonly ClauseId[]
  /** Anything but small calls. What has a cost runs in the profile `full` only. */
  costs?: Costs
  needs?: readonly Need[]
  run(t: Probe): Promise<void>
}

export interface Costs {
  /** Credits that its jobs cost at the documented prices. */
  credits?: number
  /** Jobs that it starts; 1 where it costs credits and says nothing else. */
  jobs?: number
  /** Calls sent at once to meet a limit. */
  burst?: number
  /** Bytes of an upload beyond a few MB. */
  upload?: number
  /** Reads or waits so long, in s, that it is no small thing. */
  seconds?: number
}

/** What a check can't do without, and what would have to be given. */
export const needs = {
  key: { reason: 'no API key was given', give: '--key' },
  secondKey: { reason: 'no second API key was given', give: '--second-key' },
  poorKey: { reason: 'no key of an account without credits was given', give: '--poor-key' },
  failingUrl: { reason: 'no video is known that this endpoint fails on', give: '--failing-url' },
  provoke: { reason: 'nothing can make this endpoint answer so from outside', give: "the mock's own /__mock" },
  listener: { reason: 'the endpoint does not know how to reach this machine', give: '--webhook-url' },
  webhookSecret: { reason: 'the secret that signs webhooks was not given', give: '--webhook-secret' },
  logs: { reason: "the server's logs were not given", give: '--logs' },
} as const satisfies Record<string, { reason: string; give: string }>
export type Need = keyof typeof needs

export interface Incoming {
  status: number
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  bytes: Uint8Array
  ms: number
}

export interface Outgoing extends Sent {
  /** The body's bytes, all at once or as they are made. */
  content?: Uint8Array | { size: number; chunks: () => Iterable<Uint8Array> }
  timeoutMs: number
}

/** No HTTP answer came: refused, cut, timed out. */
export class NoAnswer extends Error {}

export interface Video {
  name: string
  type: string
  /** Where it lies, for a line that sends it again. */
  path?: string
  bytes: Uint8Array
  /** Seconds; what it will be charged by. */
  seconds: number
}

export interface Delivery {
  headers: Readonly<Record<string, string>>
  body: string
  /** What the listener answered. */
  answered: number
  /** Real ms since the epoch. */
  at: number
}

export type Answering = (delivery: Omit<Delivery, 'answered'>, before: readonly Delivery[]) => number

export interface Listener {
  /** A URL for one job's webhooks; `answer` says the status of each, given those before it. Without one all are 200. */
  open(name: string, answer?: Answering): { url: string; deliveries: Delivery[] }
  /** Resolves when `isMet` does, looked at with each delivery, or after `withinMs`; true when it was met. */
  until(isMet: () => boolean, withinMs: number): Promise<boolean>
}

/** What the mock's own controls do for the suite. */
export interface Aid {
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
export interface Kit {
  /** Without a slash at its end. */
  base: string
  send(out: Outgoing): Promise<Incoming>
  sleep(ms: number): Promise<void>
  now(): number
  /** Hex HMAC-SHA256. */
  hmac(secret: string, text: string): string
  /** A text that no earlier run has drawn, from the seed. */
  tag(what: string): string
  keys: { main?: string; second?: string; poor?: string }
  /** What must not be shown, by the name that stands for it; keys that are drawn on the way are added. */
  secrets: Record<string, string>
  /** A key that no endpoint knows. */
  unknownKey: string
  failingUrl?: string
  webhookSecret?: string
  listener?: Listener
  aid?: Aid
  /** Which of these the server's logs have, once all calls are made. */
  findInLogs?(ids: readonly string[]): Promise<ReadonlySet<string>>
  clips: { short: Video; longer: Video; difficult: Video; others: readonly Video[] }
  outputFormat: OutputFormat
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
  /** Calls of a burst without a limit of its own. */
  burst: number
}

export type { FormPart, Sent }
