/**
 * What one client did, as the rules look at it: small facts of its calls in the order of their beginnings, its retries as
 * chains, its polls by job. Whole bodies are not kept, so that a recording of any length can be graded.
 */
import type { FormPart } from '../base/http.ts'
import { jsonValueText } from '../base/text.ts'
import { type OperationId, operations } from '../contracts/operations.ts'
import type { Cut } from '../recordings/har.ts'

import type { RecordedCall, RecordedWebhook, Traffic } from '../recordings/traffic.ts'

/** What is kept of a call. */
export interface ClientCall {
  kind: 'call'
  number: number
  at: number
  endedAt: number
  realAt: number
  key: string
  method: string
  path: string
  operation: OperationId | undefined
  status: number
  code: string | undefined
  message: string | undefined
  cut: Cut | undefined
  /** A 2xx that says what it should, as far as a client can tell: JSON where JSON is due. */
  isGood: boolean
  /** ms from its end on that the answer asks to wait (RL-2); undefined where it asks nothing that can be read. */
  retryAfterMs: number | undefined
  /** How it asks; "malformed" is neither seconds nor a date. */
  retryAfter: 'absent' | 'seconds' | 'date' | 'malformed'
  /** As it was sent. */
  retryAfterText: string | undefined
  /** Its client still waited when it was read. */
  isOpen: boolean
  /** What it reserved of the account. */
  credits: number | undefined
  jobId: string | undefined
  requestId: string | undefined
  idempotencyKey: string | undefined
  /** The state that the answer gives the job. */
  state: string | undefined
  /** The same number for the same request, byte for byte, whatever its headers. */
  intent: number
  /** The same number for the same body. */
  sameBody: number
  /** The same for what a client means by it: a retry may change the body a little. */
  purpose: string
  /** Its connection had been used before: it may have been closed meanwhile, without the client knowing. */
  isReused: boolean
  hasKey: boolean
  keyIn: RecordedCall['keyIn']
  /** The rule of a scenario that made the answer. */
  rule: string | undefined
  file: FormPart | undefined
  /** Bytes that the request announced. */
  length: number | undefined
  /** Of a create: whether it carries metadata, for the caller's own ids (GO-7). */
  hasMetadata: boolean
  /** Of a create: whether it names a webhook_url. */
  hasWebhook: boolean
}

/** What is kept of a webhook. */
export type ClientWebhook = Pick<
  RecordedWebhook,
  | 'kind'
  | 'number'
  | 'at'
  | 'endedAt'
  | 'key'
  | 'jobId'
  | 'deliveryId'
  | 'event'
  | 'attempt'
  | 'status'
  | 'error'
  | 'fault'
>

/** Attempts at one thing, each begun when the one before had failed in a way that may pass. The last may have succeeded. */
export type Chain = readonly ClientCall[]

export class Client {
  readonly key: string
  readonly calls: readonly ClientCall[]
  readonly webhooks: readonly ClientWebhook[]
  readonly chains: readonly Chain[]
  /** Polls of each job, in order. */
  readonly polls: ReadonlyMap<string, readonly ClientCall[]>
  readonly #byJob = new Map<string, ClientCall[]>()
  readonly #byPurpose = new Map<string, ClientCall[]>()
  readonly #hooksByJob = new Map<string, ClientWebhook[]>()

  constructor(key: string, calls: readonly ClientCall[], hooks: readonly ClientWebhook[]) {
    this.key = key
    this.calls = calls
    this.webhooks = hooks
    const byIntent = new Map<number, ClientCall[]>()
    const polls = new Map<string, ClientCall[]>()
    for (const call of calls) {
      pushTo(byIntent, call.intent, call)
      pushTo(this.#byPurpose, call.purpose, call)
      if (call.jobId !== undefined) pushTo(this.#byJob, call.jobId, call)
      if (call.operation === 'getJob' && call.jobId !== undefined && call.method === 'GET')
        pushTo(polls, call.jobId, call)
    }
    for (const hook of hooks) if (hook.jobId !== undefined) pushTo(this.#hooksByJob, hook.jobId, hook)
    this.chains = [...byIntent.values()].flatMap(chainsOf)
    this.polls = polls
  }

  ofJob(id: string | undefined): readonly ClientCall[] {
    return (id !== undefined && this.#byJob.get(id)) || []
  }

  hooksOf(id: string | undefined): readonly ClientWebhook[] {
    return (id !== undefined && this.#hooksByJob.get(id)) || []
  }

  /** Calls that mean the same, begun when this one had ended. */
  again(call: ClientCall): readonly ClientCall[] {
    return (this.#byPurpose.get(call.purpose) ?? []).filter(
      other => other.number !== call.number && isAfter(call, other),
    )
  }

  get last(): ClientCall | undefined {
    return this.calls.at(-1)
  }
}

/** Failures that may pass: too many calls, the server's own, no whole answer (ERR-3). */
export const mayPass = ({ status, cut, at, endedAt }: ClientCall): boolean =>
  cut?.by === 'client'
    ? endedAt - at >= patienceMs
    : cut !== undefined || status === 0 || status === 429 || status >= 500

/** A client that goes away sooner did not give up on the server: somebody closed a page. */
const patienceMs = 1_000

/** A request that will be refused again, however often it is sent (ERR-3). */
export const isClientError = ({ status, cut }: ClientCall): boolean => cut === undefined && clientErrors.has(status)
const clientErrors = new Set([400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422])

export const isTerminal = (state: string | undefined): boolean => state === 'completed' || state === 'failed'

/** Longer than any documented wait (RL-3): what comes then begins the steps anew. */
export const restMs = 20_000
/** What comes later is no retry, but a new attempt of somebody. */
export const retriedWithinMs = 5 * 60_000
/** A client that gives up on a silent server may begin anew before its old connection is closed. */
const overlapMs = 1_000

/** It was told nothing, or nothing more, and the connection stayed open. */
export const isSilent = ({ cut }: ClientCall): boolean => cut?.how === 'silence'

/** Whether the next call came when this one was over, as far as that can be told. */
export const isAfter = (call: ClientCall, next: ClientCall): boolean =>
  next.at >= (call.cut?.by === 'client' ? call.at : call.endedAt - (isSilent(call) ? overlapMs : 0))

/**
 * ms between a failure and the next attempt: by the recording's clock, or by the machine's where that is more, as a
 * client may wait in real time while a test has the clock stand still.
 */
export const waitAfter = (failed: ClientCall, next: ClientCall): number => {
  const ms = Math.max(next.at - failed.endedAt, next.realAt - failed.realAt - (failed.endedAt - failed.at))
  return isSilent(failed) ? Math.max(0, ms) : ms
}

/** The same between the beginnings of two calls. */
export const gapOf = (before: ClientCall, next: ClientCall): number =>
  Math.max(next.at - before.at, next.realAt - before.realAt)

function chainsOf(attempts: readonly ClientCall[]): Chain[] {
  const chains: Chain[] = []
  let chain: ClientCall[] = []
  const end = () => {
    if (chain.length > 1) chains.push(chain)
    chain = []
  }
  for (const attempt of attempts) {
    const before = chain.at(-1)
    if (before !== undefined) {
      // Two at once are no retry of one another.
      const isRetry =
        attempt.at >= before.endedAt - (isSilent(before) ? overlapMs : 0) &&
        waitAfter(before, attempt) <= Math.max(retriedWithinMs, 3 * (before.retryAfterMs ?? 0))
      if (!isRetry) end()
    }
    chain.push(attempt)
    if (!mayPass(attempt)) end()
  }
  end()
  return chains
}

/** All clients in the traffic, by their keys. */
export class Clients {
  readonly #calls = new Map<string, ClientCall[]>()
  readonly #hooks = new Map<string, ClientWebhook[]>()
  readonly #intents = new Map<string, number>()
  readonly #connections = new Set<string>()
  /** Whose a job or an upload is. */
  readonly #owners = new Map<string, string>()
  calls = 0
  webhooks = 0
  startedAt: number | undefined
  endedAt = 0

  add(traffic: Traffic): void {
    this.startedAt = Math.min(this.startedAt ?? traffic.at, traffic.at)
    this.endedAt = Math.max(this.endedAt, traffic.endedAt)
    if (traffic.kind === 'webhook') return this.#addHook(traffic)
    this.calls++
    const { connection, placeOnConnection } = traffic
    const isSeen = connection !== undefined && this.#connections.has(connection)
    // Of a connection's requests not all may be here: those of other keys, or before the recording began.
    const isReused = placeOnConnection === undefined ? isSeen : placeOnConnection > 1
    if (connection !== undefined) this.#connections.add(connection)
    const fact = factOf(traffic, isReused, text => this.#intentOf(text))
    pushTo(this.#calls, traffic.key, fact)
    if (traffic.key === 'anonymous') return
    for (const id of idsIn(traffic)) this.#owners.set(id, traffic.key)
  }

  /** What was asked for without a key belongs to whom the job or the upload belongs to. */
  all(): Client[] {
    const calls = new Map<string, ClientCall[]>([...this.#calls].map(([key, facts]) => [key, [...facts]]))
    const strangers = calls.get('anonymous') ?? []
    calls.set('anonymous', [])
    for (const fact of strangers) {
      const owner = namesIn(fact.path).flatMap(name => this.#owners.get(name) ?? [])[0]
      pushTo(calls, owner ?? 'anonymous', fact)
    }
    const hooks = new Map(this.#hooks)
    // A recording that knows no world of a webhook knows its job.
    for (const hook of hooks.get('anonymous') ?? []) {
      const owner = this.#owners.get(hook.jobId ?? '')
      if (owner !== undefined) pushTo(hooks, owner, { ...hook, key: owner })
    }
    const keys = [...new Set([...calls.keys(), ...hooks.keys()])]
    return keys
      .map(key => new Client(key, (calls.get(key) ?? []).sort(byTime), (hooks.get(key) ?? []).sort(byTime)))
      .filter(client => client.calls.length > 0 || client.webhooks.length > 0)
  }

  #addHook({
    kind,
    number,
    at,
    endedAt,
    key,
    jobId,
    deliveryId,
    event,
    attempt,
    status,
    error,
    fault,
  }: RecordedWebhook): void {
    this.webhooks++
    pushTo(this.#hooks, key, {
      kind,
      number,
      at,
      endedAt,
      key,
      jobId,
      deliveryId,
      event,
      attempt,
      status,
      error,
      fault,
    })
  }

  #intentOf(text: string): number {
    const known = this.#intents.get(text)
    if (known !== undefined) return known
    this.#intents.set(text, this.#intents.size)
    return this.#intents.size - 1
  }
}

const byTime = (a: { at: number; number: number }, b: { at: number; number: number }) =>
  a.at - b.at || a.number - b.number

function factOf(call: RecordedCall, isReused: boolean, intentOf: (text: string) => number): ClientCall {
  const { sent, operation, status, json, path, cut, headers } = call
  const file = sent.form?.find(({ field }) => field === 'file') ?? sent.form?.[0]
  const length = Number(headerIn(sent.headers, 'content-length'))
  const isUpload = operation === 'uploadVideo' || operation === 'uploadVideoLegacy'
  // A refused upload's file was not looked at, but its length was announced: of the same file it is the same.
  const upload = length >= 0 ? `${length} bytes` : `${file?.filename} ${file?.size}`
  // What was left out of the recording is like nothing else.
  const unknown = call.isBodyLeftOut ? `unknown ${call.number}` : ''
  const body = isUpload ? upload : (sent.body ?? unknown)
  // Two jobs may be made of the same: a key of its own says that a call is no retry of another. A range is progress.
  const own = `${call.idempotencyKey ?? ''} ${headerIn(sent.headers, 'range') ?? ''}`
  const given: Given = call.operation === 'createJob' ? parsed(sent.body) : {}
  const bare = path.split('?', 1)[0] as string
  const purpose =
    operation === 'createJob'
      ? `create ${jsonValueText(given.video_url ?? unknown)}`
      : isUpload
        ? `upload ${upload}`
        : `${sent.method} ${bare}`
  const isJson = operation === undefined || operations[operation].tag === 'files' || json !== undefined
  return {
    kind: 'call',
    number: call.number,
    at: call.at,
    endedAt: call.endedAt,
    realAt: call.realAt,
    key: call.key,
    method: sent.method,
    path,
    operation,
    isReused,
    status,
    code: call.code,
    message: messageIn(json),
    cut,
    isGood: status >= 200 && status < 300 && cut === undefined && isJson,
    ...askedWait(headers, call.endedAt),
    isOpen: call.isOpen,
    credits: call.credits,
    jobId: call.jobId,
    requestId: call.requestId,
    idempotencyKey: call.idempotencyKey,
    state: operation === 'getJob' && status === 200 && cut === undefined ? stateIn(json) : undefined,
    intent: intentOf(`${sent.method} ${documentedPath(path, operation)} ${body} ${own}`),
    sameBody: intentOf(`body ${body}`),
    purpose,
    hasKey: call.hasKey,
    keyIn: call.keyIn,
    rule: call.rule === 'none' ? undefined : call.rule,
    file,
    length: length >= 0 ? length : undefined,
    hasMetadata:
      typeof given.metadata === 'object' && given.metadata !== null && Object.keys(given.metadata).length > 0,
    hasWebhook: typeof given.webhook_url === 'string',
  }
}

interface Given {
  video_url?: unknown
  metadata?: unknown
  webhook_url?: unknown
}

/** Clocks that differ by less are one. */
const sameClockMs = 2_000

/** What Retry-After asks for: seconds, or a date, which has its server's clock (RFC 9110 10.2.3). */
function askedWait(
  headers: RecordedCall['headers'],
  endedAt: number,
): Pick<ClientCall, 'retryAfter' | 'retryAfterMs' | 'retryAfterText'> {
  const asked = headers['retry-after']
  if (asked === undefined) return { retryAfter: 'absent', retryAfterMs: undefined, retryAfterText: undefined }
  const retryAfterText = asked.slice(0, 100)
  if (/^\d{1,9}$/.test(asked)) return { retryAfter: 'seconds', retryAfterMs: Number(asked) * 1000, retryAfterText }
  const date = /^[A-Z][a-z]{2,8}, /.test(asked) ? Date.parse(asked) : Number.NaN
  if (Number.isNaN(date)) return { retryAfter: 'malformed', retryAfterMs: undefined, retryAfterText }
  const served = Date.parse(headers.date ?? '')
  // Of a clock that is another, the second in which the answer left may have been nearly over.
  const isOther = Math.abs(served - endedAt) >= sameClockMs
  const retryAfterMs = Math.max(0, isOther ? date - served - 1000 : date - endedAt)
  return { retryAfter: 'date', retryAfterMs, retryAfterText }
}

function parsed(text: string | undefined): object {
  try {
    return Object(JSON.parse(text ?? ''))
  } catch {
    return {}
  }
}

const stateIn = (json: unknown): string | undefined => textIn(json, 'status')
const messageIn = (json: unknown): string | undefined =>
  textIn((json as { error?: unknown } | null | undefined)?.error, 'message')

function textIn(value: unknown, name: string): string | undefined {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return typeof found === 'string' ? found : undefined
}

const headerIn = (headers: Readonly<Record<string, string>>, asked: string): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === asked)?.[1]

/** Parameters that the API does not know change nothing about a request. */
function documentedPath(path: string, operation: OperationId | undefined): string {
  const [bare = '', query] = path.split('?')
  if (query === undefined || operation === undefined) return path
  const { query: schema } = operations[operation] as { query?: { properties?: object } }
  const known = Object.keys(schema?.properties ?? {})
  return [bare, ...query.split('&').filter(pair => known.includes(pair.split('=', 1)[0] as string))].join(' ')
}

/** The ids of a job or an upload that the call speaks of. */
function idsIn({ jobId, json }: RecordedCall): string[] {
  const video = textIn(json, 'video_id')
  return [jobId, video].filter(id => id !== undefined)
}

const namesIn = (path: string): string[] => (path.split('?', 1)[0] as string).split('/')

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
