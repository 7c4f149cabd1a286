/**
 * A mutant that is on: it knows whether it has shown itself, and keeps the first exchange in which it did, with the answer
 * that was meant and the one that was given. The journal has what the mock meant to say.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OperationId } from '../../contracts/operations.ts'
import type { App } from '../app.ts'
import type { Mock } from '../mock.ts'
import type { WebhookAttempt } from '../webhooks.ts'
import type { World } from '../world/world.ts'

/** Where a mutant shows: an operation, a webhook, or the mock's own journal. */
export type MutantPlace = OperationId | 'webhook' | 'journal'

/** An answer, or a webhook as it is sent. */
export interface Message {
  /** Of an answer. */
  status?: number
  /** Of a webhook. */
  method?: string
  headers: Record<string, string>
  /** A file is told by its size. */
  body: string
}

/** What is sent to a receiver of webhooks. */
type Sent = Pick<WebhookAttempt, 'method' | 'headers' | 'body'>

/** One exchange in which a mutant showed itself. */
export interface Showing {
  place: MutantPlace | undefined
  method: string
  url: string
  /** What the client had sent; undefined for a webhook. */
  request: { headers: Record<string, string>; body: string } | undefined
  /** What the mock meant. undefined: the request was treated otherwise, so that nobody knows it. */
  healthy: Message | undefined
  /** What was given in its place. undefined: nothing was sent. */
  mutated: Message | undefined
}

/** Where a fault that was made earlier shows: in answers of these operations that pass the test. */
interface Later {
  operations: readonly OperationId[]
  isSeen: (text: string, request: FastifyRequest) => boolean
}

interface Acted {
  healthy: Message | undefined
  isSure: boolean
}

export class Mutation {
  readonly id: string
  readonly fastify: FastifyInstance
  readonly mock: Mock
  /** How many answers and webhooks were changed. */
  count = 0
  first: Showing | undefined
  /** Where it has shown itself. */
  readonly places = new Set<MutantPlace>()
  /** It may show at any route: which those are, only the calls of a client can tell. */
  isAnywhere = false
  /** Of all that it has changed, the healthy and the mutated: for those who ask. */
  onShowing: ((showing: Showing) => void) | undefined
  readonly #acted = new WeakMap<FastifyRequest, Acted>()
  readonly #later: Later[] = []
  /** undefined: all of them. */
  readonly #worlds: WeakSet<World> | undefined

  /** `only` some worlds: those of calls that asked for it. */
  constructor(id: string, { fastify, mock }: App, only?: WeakSet<World>) {
    this.id = id
    this.fastify = fastify
    this.mock = mock
    this.#worlds = only
  }

  /** Whether what happens in this world is its business. */
  isMeant(world: World): boolean {
    return this.#worlds === undefined || this.#worlds.has(world)
  }

  /** Where it may come in. */
  showsAt(where: '*' | OperationId | readonly OperationId[]): void {
    const isMany = typeof where !== 'string' && where.length > manyOperations
    this.isAnywhere ||= where === '*' || isMany
  }

  /** The answer to this request is another one than the mock's; `healthy` is that, where it is known. */
  acted(request: FastifyRequest, healthy?: Message): void {
    const before = this.#acted.get(request)
    this.#acted.set(request, { healthy: before?.healthy ?? healthy, isSure: true })
  }

  /** The same before it is known; what is returned takes it back. */
  acting(request: FastifyRequest): () => void {
    if (!this.#acted.has(request)) this.#acted.set(request, { healthy: undefined, isSure: false })
    return () => {
      if (this.#acted.get(request)?.isSure === false) this.#acted.delete(request)
    }
  }

  /** Something is otherwise now, and will be seen in answers that show one of these texts, such as a job's id. */
  showsLater(text: string, operations: readonly OperationId[] = ['getJob', 'listJobs']): void {
    this.showsWhere(operations, answer => answer.includes(text))
  }

  /** The same with a test of one's own. */
  showsWhere(operations: readonly OperationId[], isSeen: Later['isSeen']): void {
    if (this.#later.length < maxLater) this.#later.push({ operations, isSeen })
  }

  /** A webhook was changed, or not sent. */
  altered(meant: Sent | undefined, sent: Sent | undefined, url: string): void {
    const message = (one: Sent | undefined): Message | undefined =>
      one && { method: one.method, headers: { ...one.headers }, body: one.body }
    this.#keep({
      place: 'webhook',
      method: meant?.method ?? 'POST',
      url,
      request: undefined,
      healthy: message(meant),
      mutated: message(sent),
    })
  }

  /** What the mock's own journal says was changed. */
  changedJournal(healthy: string, mutated: string): void {
    const message = (body: string): Message => ({ status: 200, headers: {}, body })
    this.#keep({
      place: 'journal',
      method: 'GET',
      url: '/__mock/journal',
      request: undefined,
      healthy: message(healthy),
      mutated: message(mutated),
    })
  }

  /** The last step of every answer, behind all that a mutant changes. */
  watch(): void {
    this.fastify.addHook('onSend', (request, reply, payload, done) => {
      const operation = request.exchange?.operation as OperationId | undefined
      const text = textOf(payload)
      const isLate = this.#later.some(
        ({ operations, isSeen }) => operation !== undefined && operations.includes(operation) && isSeen(text, request),
      )
      if (!isLate && !this.#acted.has(request)) return done(null, payload)
      if (this.mock.config.mockHeaders) reply.header('x-mock-mutant', this.id)
      this.#keep({
        place: operation ?? (request.url.startsWith('/__mock/') ? 'journal' : undefined),
        method: request.method,
        url: request.url,
        request: {
          headers: textsOf(request.headers),
          body: typeof request.body === 'object' && request.body !== null ? jsonOf(request.body) : '',
        },
        healthy: this.#acted.get(request)?.healthy,
        mutated: messageOf(reply, text),
      })
      done(null, payload)
    })
  }

  #keep(showing: Showing): void {
    this.count++
    this.first ??= showing
    if (showing.place !== undefined) this.places.add(showing.place)
    this.onShowing?.(showing)
  }
}

/** A list of more routes than that is as good as all. */
const manyOperations = 6

/** What is noted of jobs that will look otherwise: enough for any run. */
const maxLater = 1_000

export const messageOf = (reply: FastifyReply, body: string): Message => ({
  status: reply.statusCode,
  headers: textsOf(reply.getHeaders()),
  body,
})

/** A body as a text; a file or a stream as its size, where that is known. */
export const textOf = (payload: unknown): string => {
  if (typeof payload === 'string') return payload
  if (!Buffer.isBuffer(payload)) return payload === null || payload === undefined ? '' : '(a stream)'
  const text = payload.toString()
  return text.includes('\u0000') || text.includes('\ufffd') ? `(${payload.length} bytes)` : text
}

const textsOf = (headers: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  )

/** A form in the making holds streams. */
function jsonOf(body: object): string {
  try {
    return JSON.stringify(body)
  } catch {
    return ''
  }
}
