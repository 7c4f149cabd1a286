/**
 * The same load from several threads, each with connections of its own. When a request is due, what it is and what becomes of
 * its answer stays here; sending and reading is theirs, as it is what takes the time. Requests and answers cross in bundles.
 */
import { once } from 'node:events'
import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { monotonicMs } from '../../base/clock.ts'
import type { Outbound } from '../calls.ts'
import {
  type LoadConnections,
  type LoadResponse,
  type LoadSender,
  openWire,
  refuseClosed,
  unanswered,
  type WireOptions,
} from './wire.ts'

/** What a thread is told: requests to send, or to end. */
type Order = { requests: OrderedRequest[] } | { isOver: true }
interface OrderedRequest extends Pick<Outbound, 'method' | 'path' | 'headers' | 'body'> {
  id: number
  /** The body of a good answer is needed. */
  keeps: boolean
}

/** What it tells, with what it has sent and received by then, in bytes. */
interface Told {
  answers: { id: number; answered: LoadResponse }[]
  bytesSent: number
  bytesReceived: number
}

interface Thread {
  worker: Worker
  requests: OrderedRequest[]
  inFlight: number
  bytesSent: number
  bytesReceived: number
  /** It has told for the first time. */
  ready: Promise<unknown>
  over: Promise<unknown>
  /** As it was when somebody last asked how busy it is. */
  loop: EventLoopUtilization
}

interface Asked {
  handedAt: number
  thread: Thread
  done: (answered: LoadResponse) => void
}

interface ThreadData {
  isLoadThread: true
  options: WireOptions
  /** Of the thread that gives the orders: see clockOffset. */
  offset: number
}

/**
 * monotonicMs() counts from when its thread began, as the machine's clock had it then. What this gives is the difference to a
 * clock that all threads share.
 */
const clockOffset = (): number => monotonicMs() - Number(process.hrtime.bigint()) / 1e6

/** Resolves when all of them are ready to send. `maxConnections` is that of all together; each has one at least. */
export async function openThreads(options: WireOptions, count: number): Promise<LoadSender> {
  const threads = new LoadThreads(options, Math.min(count, options.maxConnections))
  await threads.ready
  return threads
}

class LoadThreads implements LoadSender {
  readonly #threads: Thread[]
  readonly #asked = new Map<number, Asked>()
  #nextId = 0
  #isFlushing = false
  #isClosed = false
  #received = 0

  constructor(options: WireOptions, count: number) {
    this.#threads = Array.from({ length: count }, (_, n) => {
      // The first ones have one more where it can't be divided.
      const maxConnections = Math.floor(options.maxConnections / count) + (n < options.maxConnections % count ? 1 : 0)
      return this.#startThread({ ...options, maxConnections })
    })
  }

  get ready(): Promise<unknown> {
    return Promise.all(this.#threads.map(({ ready }) => ready))
  }

  get inFlight(): number {
    return this.#asked.size
  }

  get bytesSent(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.bytesSent, 0)
  }

  get bytesReceived(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.bytesReceived, this.#received)
  }

  utilization(): number {
    const { eventLoopUtilization } = performance
    const busy = this.#threads.map(thread => {
      const now = thread.worker.performance.eventLoopUtilization()
      const { utilization } = eventLoopUtilization(now, thread.loop)
      thread.loop = now
      return utilization
    })
    return Math.max(...busy)
  }

  received(bytes: number): void {
    this.#received += bytes
  }

  send(out: Outbound, wants: (status: number) => boolean, done: (answered: LoadResponse) => void): void {
    if (this.#isClosed) return refuseClosed(done)
    const { method, path, headers, body, needsBody } = out
    const id = this.#nextId++
    const thread = this.#threads.reduce((best, other) => (other.inFlight < best.inFlight ? other : best))
    this.#asked.set(id, { handedAt: monotonicMs(), thread, done })
    thread.inFlight++
    thread.requests.push({
      id,
      method,
      path,
      headers,
      ...(body !== undefined && { body }),
      keeps: needsBody || wants(200),
    })
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(() => this.#flush())
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#flush()
      this.#isClosed = true
      for (const { worker } of this.#threads) worker.postMessage({ isOver: true } satisfies Order)
    }
    await Promise.all(this.#threads.map(({ over }) => over))
  }

  #flush(): void {
    this.#isFlushing = false
    for (const thread of this.#threads) {
      if (thread.requests.length === 0) continue
      thread.worker.postMessage({ requests: thread.requests } satisfies Order)
      thread.requests = []
    }
  }

  #startThread(options: WireOptions): Thread {
    const data: ThreadData = { isLoadThread: true, options, offset: clockOffset() }
    // The file that this is in, source or bundle: its last lines are what the thread does.
    const here = import.meta.url
    // A thread has no part in tsx, which a checkout runs by, and Node 20 reads no TypeScript by itself.
    const fromSource = () =>
      `import('${import.meta.resolve('tsx/esm/api')}').then(({ register }) => (register(), import('${here}')))`
    const worker = here.endsWith('.ts')
      ? new Worker(fromSource(), { eval: true, workerData: data })
      : new Worker(new URL(here), { workerData: data })
    const thread: Thread = {
      worker,
      requests: [],
      inFlight: 0,
      bytesSent: 0,
      bytesReceived: 0,
      ready: once(worker, 'message'),
      over: new Promise(resolve => worker.once('exit', resolve)),
      loop: worker.performance.eventLoopUtilization(),
    }
    worker.on('message', (told: Told) => this.#take(thread, told))
    worker.once('error', error => this.#lose(thread, `its generator ended: ${error.message}`))
    worker.once('exit', () => this.#lose(thread, 'the drill was stopped'))
    return thread
  }

  #take(thread: Thread, { answers, bytesSent, bytesReceived }: Told): void {
    Object.assign(thread, { bytesSent, bytesReceived })
    for (const { id, answered } of answers) {
      const asked = this.#asked.get(id)
      if (asked === undefined) continue
      this.#asked.delete(id)
      thread.inFlight--
      const { buffer, byteOffset, byteLength } = answered.body
      // Between the threads a Buffer becomes a plain array of bytes.
      const body = Buffer.from(buffer, byteOffset, byteLength)
      const ownLagMs = answered.waited ? 0 : Math.max(0, answered.sentAt - asked.handedAt)
      asked.done({ ...answered, body, ownLagMs })
    }
  }

  /** What a thread that is gone still had to answer. */
  #lose(lost: Thread, error: string): void {
    const now = monotonicMs()
    for (const [id, { thread, done }] of this.#asked) {
      if (thread !== lost) continue
      this.#asked.delete(id)
      done({ ...unanswered(error), sentAt: now, endedAt: now, waited: true })
    }
  }
}

/** What a thread does: sends what it is told, and tells what came of it. */
async function runThread({ options, offset }: ThreadData, port: NonNullable<typeof parentPort>): Promise<void> {
  const shift = offset - clockOffset()
  const wire: LoadConnections = await openWire(options)
  let answers: Told['answers'] = []
  const tell = () => {
    const { bytesSent, bytesReceived } = wire
    port.postMessage({ answers, bytesSent, bytesReceived } satisfies Told)
    answers = []
  }
  const send = ({ id, keeps, ...out }: OrderedRequest) =>
    wire.send(
      out,
      status => keeps || status < 200 || status >= 300,
      answered => {
        // All that have come in one turn of the loop cross together.
        if (answers.length === 0) setImmediate(tell)
        answers.push({
          id,
          answered: {
            ...answered,
            // A small Buffer is part of a large one, which would be copied whole.
            body: Uint8Array.from(answered.body) as Buffer,
            sentAt: answered.sentAt + shift,
            endedAt: answered.endedAt + shift,
          },
        })
      },
    )
  port.on('message', async (order: Order) => {
    if ('requests' in order) return order.requests.forEach(send)
    await wire.close()
    tell()
    port.close()
  })
  tell()
}

if (!isMainThread && parentPort !== null && (workerData as ThreadData | null)?.isLoadThread === true)
  await runThread(workerData as ThreadData, parentPort)
