/** GET /__mock/journal/stream: entries as they come, as server-sent events. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { laterReal } from '../../base/clock.ts'
import type { Entry } from '../journal.ts'
import { rowText } from '../journalRows.ts'
import type { Mock } from '../mock.ts'
import { filterOf, type JournalRoute } from './journal.ts'

/** A listener that doesn't read is let go when this much waits for it. */
const maxBacklogBytes = 8 * 1024 * 1024

export function journalStream({ journal, feed }: Mock) {
  const views = {
    entries: new Broadcast(
      entry => `id: ${entry.seq}\nevent: ${entry.kind}\ndata: ${journal.text(entry)}\n\n`,
      events => events.join(''),
    ),
    rows: new Broadcast(
      entry => rowText(entry, journal),
      (rows, last) => `id: ${last}\nevent: rows\ndata: [${rows.join(',')}]\n\n`,
    ),
  }
  return ({ query }: FastifyRequest<JournalRoute>, reply: FastifyReply): void => {
    const stream = new Readable({ read() {} })
    const stop = views[query.view].listen(feed, journal.fits(filterOf(query)), text => {
      stream.push(text)
      if (stream.readableLength > maxBacklogBytes) stream.destroy()
    })
    stream.once('close', stop)
    stream.push(': listening\n\n')
    reply.header('cache-control', 'no-store').type('text/event-stream').send(stream)
  }
}

/** Entries are sent together, at most so many ms after the first of them; many of them later, as nobody reads so fast. */
const gatherMs = 40
const gatherManyMs = 100
const many = 20

interface Listener {
  readonly fits: (entry: Entry) => boolean
  readonly send: (text: string) => void
}

/**
 * What several listeners get of an entry is written once, and not within the call that it is of: the first entry is sent at
 * once after that, those that follow it closely come together.
 */
class Broadcast {
  readonly #textOf: (entry: Entry) => string
  readonly #join: (texts: readonly string[], last: number) => string
  readonly #listeners = new Set<Listener>()
  #gathered: Entry[] = []
  #cancel: (() => void) | undefined
  #stop = (): void => {}

  /** `textOf` writes an entry, `join` makes an event of several; `last` is the seq of the last of them. */
  constructor(textOf: (entry: Entry) => string, join: (texts: readonly string[], last: number) => string) {
    this.#textOf = textOf
    this.#join = join
  }

  /** Sends what fits to a listener until the returned function is called. */
  listen(feed: Mock['feed'], fits: Listener['fits'], send: Listener['send']): () => void {
    const listener = { fits, send }
    if (this.#listeners.size === 0) this.#stop = feed.listen(entry => this.#gather(entry))
    // What came before is none of its own.
    else this.#flush()
    this.#listeners.add(listener)
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
      this.#stop()
      this.#cancel?.()
      this.#cancel = undefined
      this.#gathered = []
    }
  }

  #gather(entry: Entry): void {
    this.#gathered.push(entry)
    this.#cancel ??= laterReal(0, () => this.#flush())
  }

  #flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const entries = this.#gathered
    if (entries.length === 0) return
    this.#gathered = []
    const texts: (string | undefined)[] = []
    for (const { fits, send } of this.#listeners) {
      const found: string[] = []
      let last = 0
      for (const [i, entry] of entries.entries()) {
        if (!fits(entry)) continue
        texts[i] ??= this.#textOf(entry)
        found.push(texts[i] as string)
        last = entry.seq
      }
      if (found.length > 0) send(this.#join(found, last))
    }
    this.#cancel = laterReal(entries.length < many ? gatherMs : gatherManyMs, () => this.#flush())
  }
}
