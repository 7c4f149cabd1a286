/**
 * One run of a sample client under one scenario. Time is the mock's clock of the client's key, which is frozen: it is
 * stepped from one due time to the next, and only while nobody is at work. So a slow machine makes a run slower, and
 * never makes it another one.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { SeededRandom } from '../../base/seed.ts'
import type { Timer } from '../../base/timerHeap.ts'
import type { Request } from './environment.ts'
import { type Answer, type Clip, type Delivery, type Endpoint, type Environment, lostAnswer } from './environment.ts'

/** The client is stopped after so long, by its clock. */
const limitMs = 45 * 60_000
/** What is still to come when the client is done, such as a late webhook, is waited for so long, by its clock. */
const lingerMs = 60_000
/** Real time in which something has to move: only a fault of this harness stands still. */
const watchdogMs = 60_000

/**
 * Each call says which it is, so that its entry in the journal can be told. By this header a scenario's chance is drawn by
 * that too, and not by the call's body, in which there are ports.
 */
export const callHeader = 'x-mock-draw'

/** Whose webhooks are being sent: connections that are opened in here belong to the run. */
const sending = new AsyncLocalStorage<Run>()
subscribe('net.client.socket', message => sending.getStore()?.hookOpened((message as { socket: Socket }).socket))

/** A call on its way: it is over when its client has the answer, and the mock has written it down. */
interface Underway {
  hasAnswer: boolean
  isRecorded: boolean
  /** The mock will never answer: only the client's patience ends it. */
  isSilent: boolean
  /** The client waits no longer. */
  isGivenUp: boolean
  /** The mock knows that it is over. */
  isClosed: boolean
}

export interface RunOptions {
  name: string
  base: string
  key: string
  webhookUrl: string
  webhookSecret: string
  clips: readonly Clip[]
  /** The clock of the key's world, frozen. */
  clock: Clock
  agent: Agent
}

const isUnwritten = ({ isRecorded, isSilent, isClosed }: Underway): boolean => !isRecorded || (isSilent && !isClosed)

/** Thrown in the client's face when its time is up. */
class Stopped extends Error {}

export class Run implements Environment {
  readonly base: string
  readonly key: string
  readonly webhookUrl: string
  readonly webhookSecret: string
  readonly clips: readonly Clip[]
  readonly #name: string
  readonly #clock: Clock
  readonly #agent: Agent
  readonly #chance: SeededRandom
  readonly #startedAt: number
  #draws = 0
  #sent = 0
  readonly #timers = new Set<{ at: number; run: () => void }>()
  /** Of the mock: its jobs, late webhooks, and answers that it delays. */
  readonly #serverTimers = new Set<{ timer: Timer; isPause: boolean }>()
  readonly #calls = new Map<string, Underway>()
  #hooksUnderway = 0
  #endpoint: Endpoint | undefined
  #isPoked = false
  #turns = 0
  #stopped = false
  #doneAt: number | undefined
  #finish = () => {}

  constructor({ name, base, key, webhookUrl, webhookSecret, clips, clock, agent }: RunOptions) {
    this.#name = name
    this.base = base
    this.key = key
    this.webhookUrl = webhookUrl
    this.webhookSecret = webhookSecret
    this.clips = clips
    this.#clock = clock
    this.#agent = agent
    this.#chance = new SeededRandom('conduct', name)
    this.#startedAt = clock.now()
    this.#watch(clock)
  }

  /** Lets the client do all that it does, and the mock what follows from it. Resolves with what the client says of it. */
  async play(client: (environment: Environment) => Promise<string>): Promise<string> {
    const over = new Promise<void>((resolve, reject) => {
      this.#finish = resolve
      let seen = -1
      const watchdog = setInterval(() => {
        if (this.#turns === seen) reject(new Error(`${this.#name} stands still: ${this.#state()}`))
        seen = this.#turns
      }, watchdogMs)
      watchdog.unref()
      this.#finish = () => {
        clearInterval(watchdog)
        resolve()
      }
    })
    const said = client(this).catch((error: Error) => {
      if (!(error instanceof Stopped)) throw error
      return 'was stopped'
    })
    const done = said.finally(() => {
      this.#doneAt = this.now()
      this.#poke()
    })
    await Promise.all([done, over])
    return said
  }

  now(): number {
    return this.#clock.now()
  }

  random(): number {
    return this.#chance.draw('client', this.#draws++)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.#refuseWhenStopped()
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const cancel = this.#after(ms, () => {
        signal?.removeEventListener('abort', wake)
        if (this.#stopped) reject(new Stopped())
        else resolve()
      })
      const wake = () => {
        cancel()
        resolve()
      }
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  async call(request: Request): Promise<Answer> {
    this.#refuseWhenStopped()
    const id = `${this.#name} ${this.#sent++}`
    const underway: Underway = {
      hasAnswer: false,
      isRecorded: false,
      isSilent: false,
      isGivenUp: false,
      isClosed: false,
    }
    this.#calls.set(id, underway)
    const answer = await this.#send(request, id, underway)
    underway.hasAnswer = true
    this.#note(id, underway)
    this.#refuseWhenStopped()
    return answer
  }

  receive(endpoint: Endpoint): void {
    this.#endpoint = endpoint
  }

  /** The mock has written a call down. */
  recorded(id: string, fault: string | undefined): void {
    const underway = this.#calls.get(id)
    if (underway === undefined) return
    underway.isRecorded = true
    underway.isSilent = fault === 'no_answer' || fault === 'stall_body'
    this.#note(id, underway)
  }

  /** The mock has seen the end of a call: when a client gave up is then in its journal, too. */
  closed(id: string): void {
    const underway = this.#calls.get(id)
    if (underway === undefined) return
    underway.isClosed = true
    this.#note(id, underway)
  }

  #note(id: string, underway: Underway): void {
    if (underway.hasAnswer && !isUnwritten(underway)) this.#calls.delete(id)
    this.#poke()
  }

  /** A webhook has arrived; `answer` sends the status and resolves when it is sent, or nobody waits for it any more. */
  async deliver(delivery: Delivery, answer: (status: number | undefined) => Promise<void>): Promise<void> {
    this.#hooksUnderway++
    const status = this.#endpoint === undefined ? 404 : this.#endpoint.answer(delivery)
    await answer(status)
    this.#hooksUnderway--
    // As all that the client does on its own, it waits until nobody is at work: several webhooks may have come at once.
    if (status !== undefined) this.#after(0, () => this.#endpoint?.act(delivery))
    this.#poke()
  }

  /** The mock has opened a connection to the webhook endpoint. */
  hookOpened(socket: Socket): void {
    this.#hooksUnderway++
    socket.once('close', () => {
      this.#hooksUnderway--
      this.#poke()
    })
  }

  #send({ method, url, headers, body, timeoutMs }: Request, id: string, underway: Underway): Promise<Answer> {
    return new Promise(resolve => {
      const chunks: Buffer[] = []
      let response: IncomingMessage | undefined
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const request = httpRequest(url, {
        method,
        agent: this.#agent,
        headers: { ...length, ...headers, [callHeader]: id },
      })
      const settle = () => {
        cancel()
        if (response === undefined) return resolve(lostAnswer)
        const { statusCode = 0, headers: told, complete } = response
        resolve({
          status: statusCode,
          headers: told as Answer['headers'],
          bytes: Buffer.concat(chunks),
          isWhole: complete,
          at: this.now(),
        })
      }
      const cancel = this.#after(timeoutMs, () => {
        underway.isGivenUp = true
        request.destroy()
      })
      request.once('error', settle)
      request.once('response', found => {
        response = found
        found.on('data', chunk => chunks.push(chunk))
        found.once('error', settle)
        found.once('close', settle)
      })
      request.end(body)
    })
  }

  /** Runs `run` in `ms` of the client's time, unless the returned function is called before. */
  #after(ms: number, run: () => void): () => void {
    const timer = { at: this.now() + ms, run }
    this.#timers.add(timer)
    this.#poke()
    return () => {
      this.#timers.delete(timer)
      this.#poke()
    }
  }

  /** Notes what the mock's clock is to wake it for. Only an answer's delay asks to be told when it is dropped. */
  #watch(clock: Clock): void {
    const after = clock.after.bind(clock)
    clock.after = (ms, run, dropped) => {
      const timer = after(
        ms,
        () => {
          this.#serverTimers.delete(noted)
          run()
        },
        dropped,
      )
      const noted = { timer, isPause: dropped !== undefined }
      this.#serverTimers.add(noted)
      this.#poke()
      return timer
    }
  }

  /** Something has changed: when all that follows from it at once has happened, it may be time to go on. */
  #poke(): void {
    if (this.#isPoked) return
    this.#isPoked = true
    setImmediate(() => {
      this.#isPoked = false
      this.#turn()
    })
  }

  #turn(): void {
    this.#turns++
    if (this.#isBusy()) return
    const at = this.#nextDue()
    if (this.#doneAt !== undefined && (at === undefined || at > this.#doneAt + lingerMs)) return this.#finish()
    // The client does something of which nothing is known: there is nothing like that.
    if (at === undefined) return
    if (!this.#stopped && at > this.#startedAt + limitMs) return this.#stop()
    // In whole ms: sums of fractions would end just before the time that is due, again and again.
    sending.run(this, () => this.#clock.step(Math.max(0, Math.ceil(at - this.now()))))
    this.#runDue()
    this.#poke()
  }

  /** Whether anybody does something that takes real time, and none of the clock's. */
  #isBusy(): boolean {
    if (this.#hooksUnderway > 0) return true
    let waiting = 0
    for (const underway of this.#calls.values()) {
      const { hasAnswer, isSilent, isGivenUp } = underway
      if (hasAnswer && isUnwritten(underway)) return true
      if (!hasAnswer && isGivenUp) return true
      if (!hasAnswer && !isSilent) waiting++
    }
    if (waiting === 0) return false
    let paused = 0
    for (const { isPause, timer } of this.#serverTimers) if (isPause && !timer.cancelled) paused++
    return waiting > paused
  }

  #nextDue(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const { at } of this.#timers) next = Math.min(next, at)
    for (const noted of this.#serverTimers) {
      if (noted.timer.cancelled) this.#serverTimers.delete(noted)
      else next = Math.min(next, noted.timer.at)
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  #runDue(): void {
    const now = this.now()
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > now) break
      this.#timers.delete(timer)
      timer.run()
    }
  }

  /** Ends all that the client waits for; whatever it tries from now on is refused. */
  #stop(): void {
    this.#stopped = true
    const waiting = [...this.#timers]
    this.#timers.clear()
    for (const { run } of waiting) run()
    this.#poke()
  }

  #refuseWhenStopped(): void {
    if (this.#stopped) throw new Stopped(`${this.#name} was stopped`)
  }

  #state(): string {
    return JSON.stringify({
      calls: [...this.#calls],
      hooks: this.#hooksUnderway,
      timers: this.#timers.size,
      serverTimers: this.#serverTimers.size,
      done: this.#doneAt !== undefined,
      virtualMs: this.now() - this.#startedAt,
    })
  }
}
