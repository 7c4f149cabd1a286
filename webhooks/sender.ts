/** Sends deliveries to a receiver, and writes down what came of each. */
import { monotonicMs, wallClockMs } from '../base/clock.ts'
import { NoAnswer } from '../base/http.ts'
import { SeededRandom } from '../base/seed.ts'
import type { Transport } from '../base/send.ts'
import { examples } from '../contracts/examples.ts'
import type { Job, JobState } from '../contracts/schemas.ts'
import { type Delivery, deliveryOf } from './delivery.ts'

export interface Attempt {
  delivery: Delivery
  /** 0: no answer came; `text` then says why. */
  status: number
  headers: Readonly<Record<string, string>>
  text: string
  ms: number
  /** ms that an answer may take (WH-3). */
  withinMs: number
}

export interface Sent {
  event: string
  data?: object
  /** null: without one. */
  id?: string | null
  /** Its timestamp, ms since the epoch; now by default. */
  at?: number
  /** null: not signed; the receiver's own by default. */
  secret?: string | null
  /** What is signed and sent as the body, whatever it is. */
  rawBody?: string
  /** What somebody on the way makes of it, after it was signed. */
  change?: (delivery: Delivery) => Delivery
  /** ms that its body takes to arrive. */
  overMs?: number
}

export interface SenderOptions {
  url: string
  transport: Transport
  /** Headers with each delivery. */
  headers: Readonly<Record<string, string>>
  secret: string | undefined
  nextSecret: string | undefined
  /** Fields that each job is to have. */
  job: Readonly<Record<string, unknown>>
  timeoutMs: number
  seed: string
  /** By real time, but for tests. */
  sleep: (ms: number) => Promise<void>
}

const pieces = 10

export class Sender {
  readonly #options: SenderOptions
  readonly #random: SeededRandom
  #jobs = 0
  #deliveries = 0

  constructor(options: SenderOptions) {
    this.#options = options
    this.#random = new SeededRandom(options.seed)
  }

  get nextSecret(): string | undefined {
    return this.#options.nextSecret
  }

  now = wallClockMs
  deliveryId = (): string => `whd_${this.#random.id('delivery', this.#deliveries++)}`

  /** A job of its own, as a webhook carries one (JOB-5). */
  job(status: JobState, id = `job_${this.#random.id('job', this.#jobs++)}`): Job {
    const isDone = status === 'completed'
    return {
      ...examples.Job,
      id,
      status,
      progress: isDone ? 100 : 30,
      output_url: isDone ? examples.Job.output_url : null,
      created_at: new Date(this.now()).toISOString(),
      webhook_url: this.#options.url,
      ...this.#options.job,
    }
  }

  async send({ event, change = one => one, overMs = 0, ...given }: Sent): Promise<Attempt> {
    const { secret } = this.#options
    const parts = {
      event,
      data:
        given.data ??
        this.job(event === 'job.completed' ? 'completed' : event === 'job.failed' ? 'failed' : 'processing'),
      id: given.id === undefined ? this.deliveryId() : (given.id ?? undefined),
      at: given.at ?? this.now(),
      secret: given.secret === undefined ? secret : (given.secret ?? undefined),
    }
    return this.#post(change(deliveryOf(parts, given.rawBody)), overMs)
  }

  /** The same bytes again. */
  resend = ({ delivery }: Attempt): Promise<Attempt> => this.#post(delivery, 0)

  async #post(delivery: Delivery, overMs: number): Promise<Attempt> {
    const { url, transport, headers, timeoutMs, sleep } = this.#options
    const bytes = new TextEncoder().encode(delivery.body)
    async function* slowly() {
      const size = Math.ceil(bytes.length / pieces)
      for (let at = 0; at < bytes.length; at += size) {
        if (at > 0) await sleep(overMs / pieces)
        yield bytes.subarray(at, at + size)
      }
    }
    const startedAt = monotonicMs()
    try {
      const answer = await transport.send({
        method: 'POST',
        url,
        headers: { ...headers, ...delivery.headers },
        content: overMs === 0 ? bytes : { size: bytes.length, chunks: slowly },
        timeoutMs: timeoutMs + overMs,
      })
      const { status, ms } = answer
      return { delivery, status, headers: answer.headers, text: textOf(answer.bytes), ms, withinMs: timeoutMs }
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      const ms = monotonicMs() - startedAt
      return { delivery, status: 0, headers: {}, text: error.message, ms, withinMs: timeoutMs }
    }
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, 2000))
