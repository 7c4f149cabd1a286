/** What a sample client is given: the API, its own webhook endpoint, and a time and a chance that are not the machine's. */

export interface Environment {
  /** The base URL, without a slash at its end. */
  readonly base: string
  readonly key: string
  /** Where its webhooks arrive, and what they are signed with (WH-2). */
  readonly webhookUrl: string
  readonly webhookSecret: string
  /** The videos that it is to bring through, one after the other. */
  readonly clips: readonly Clip[]
  /** Milliseconds since the epoch. */
  now(): number
  /** Waits; no longer than until `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** From 0 to 1. */
  random(): number
  /** Sends a request. It always comes to an answer: one that was lost has status 0. */
  call(request: Request): Promise<Answer>
  /** Opens the webhook endpoint. */
  receive(endpoint: Endpoint): void
}

export interface Clip {
  filename: string
  /** Its MIME type. */
  type: string
  bytes: Buffer
  model: 'original' | 'pro'
}

export interface Request {
  method: string
  url: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  /** How long the whole answer may take. */
  timeoutMs: number
}

export interface Answer {
  /** 0 where the connection broke, or the time was up, before the head. */
  status: number
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>
  bytes: Buffer
  /** Whether all of the body has come. */
  isWhole: boolean
  /** When it had come, ms since the epoch by the client's clock. */
  at: number
}

/** A webhook as it arrives. */
export interface Delivery {
  id: string
  event: string
  timestamp: string
  signature: string | undefined
  body: string
}

export interface Endpoint {
  /** The status to answer with; undefined keeps the sender waiting until it gives up. */
  answer(delivery: Delivery): number | undefined
  /** What is done with it once it is answered. */
  act(delivery: Delivery): void
}

export const lostAnswer: Answer = { status: 0, headers: {}, bytes: Buffer.alloc(0), isWhole: false, at: 0 }
