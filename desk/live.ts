/** The journal as it grows: rows from the mock's stream, kept in their order, at most so many. */
import { signal } from '@preact/signals'
import type { JournalRow, RowPage } from '../client/desk.ts'
import { ask, Refusal, send } from './api.ts'

/** Older ones make room; the mock may still have them. */
export const maxRows = 10_000
const slack = 1_000

export interface Source {
  /** Oldest first. */
  readonly rows: readonly JournalRow[]
  /** Counts on when `rows` have changed. */
  readonly version: { readonly value: number }
  /** Rows that were added at the end since `epoch`; when that is another, look at all of them again. */
  readonly added: number
  readonly epoch: number
}

class Live implements Source {
  rows: JournalRow[] = []
  readonly version = signal(0)
  readonly state = signal<'connecting' | 'live' | 'lost'>('connecting')
  /** Entries that are not here any more: they made room in the mock, or in this page. */
  readonly gone = signal(0)
  added = 0
  epoch = 0
  #evicted = 0
  #dropped = 0
  #last = 0
  #seed: string | undefined
  #isDue = false

  /** Follows the mock until the page is closed. */
  async follow(): Promise<never> {
    for (;;) {
      try {
        await this.#once()
      } catch (error) {
        if (!(error instanceof Refusal) && !(error instanceof TypeError)) console.error(error)
      }
      this.state.value = 'lost'
      await new Promise(resolve => setTimeout(resolve, 1000))
    }
  }

  async #once(): Promise<void> {
    const answer = await send('journal/stream?view=rows')
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    // What comes until the past is known waits for it.
    let waiting: JournalRow[] | undefined = []
    const past = this.#readPast().then(() => {
      const held = waiting ?? []
      waiting = undefined
      this.#add(held)
      this.state.value = 'live'
    })
    past.catch(() => void reader.cancel())
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const events = (text + decoder.decode(value, { stream: true })).split('\n\n')
      text = events.pop() as string
      for (const event of events) {
        const at = event.indexOf('\ndata: ')
        if (at === -1) continue
        const rows = JSON.parse(event.slice(at + 7)) as JournalRow[]
        if (waiting) waiting.push(...rows)
        else this.#add(rows)
      }
    }
  }

  async #readPast(): Promise<void> {
    const { seed } = await ask<{ seed: string }>('../__mock')
    const isSame = this.#seed === seed
    const path = `journal?view=rows&limit=${maxRows}`
    const page = await ask<RowPage>(isSame ? `${path}&since=${this.#last}` : `${path}&order=newest`)
    if (!isSame) this.clear()
    this.#seed = seed
    this.#evicted = page.evicted
    this.#add(isSame ? page.entries : page.entries.reverse())
    // More than were asked for.
    if (!isSame && page.count !== null) this.#dropped += Math.max(0, page.count - page.entries.length)
    this.#tell()
  }

  #add(rows: readonly JournalRow[]): void {
    for (const row of rows) {
      if (row.seq <= this.#last) continue
      this.#last = row.seq
      this.rows.push(row)
      this.added++
    }
    if (this.rows.length > maxRows + slack) {
      this.#dropped += this.rows.length - maxRows
      this.rows.splice(0, this.rows.length - maxRows)
    }
    this.#tell()
  }

  clear(): void {
    this.rows = []
    this.added = 0
    this.epoch++
    this.#last = 0
    this.#evicted = 0
    this.#dropped = 0
    this.#tell()
  }

  /** After the mock's own journal was emptied: what is new goes on from here. */
  emptied(): void {
    const last = this.#last
    this.clear()
    this.#last = last
  }

  /** Once a frame, however much comes; a page that is not looked at is told a little later. */
  #tell(): void {
    if (this.#isDue) return
    this.#isDue = true
    const tell = () => {
      if (!this.#isDue) return
      this.#isDue = false
      this.gone.value = this.#evicted + this.#dropped
      this.version.value++
    }
    requestAnimationFrame(tell)
    setTimeout(tell, 250)
  }
}

export const live = new Live()

/** The rows of a source that fit, brought up to date at a small cost when rows were only added. */
export class FilteredRows {
  readonly #source: Source
  readonly #fits: (row: JournalRow) => boolean
  /** Oldest first. */
  rows: JournalRow[] = []
  /** How many were added at the end, ever. */
  added = 0
  #seen = 0
  #epoch = -1

  constructor(source: Source, fits: (row: JournalRow) => boolean) {
    this.#source = source
    this.#fits = fits
  }

  update(): this {
    const { rows, added, epoch } = this.#source
    if (epoch !== this.#epoch) {
      this.#epoch = epoch
      this.#seen = 0
      this.rows = []
      this.added = 0
    }
    const fresh = Math.min(rows.length, added - this.#seen)
    this.#seen = added
    for (let i = rows.length - fresh; i < rows.length; i++) {
      const row = rows[i] as JournalRow
      if (!this.#fits(row)) continue
      this.rows.push(row)
      this.added++
    }
    const oldest = rows[0]?.seq ?? 0
    let gone = 0
    while (gone < this.rows.length && (this.rows[gone] as JournalRow).seq < oldest) gone++
    if (gone > 0) this.rows.splice(0, gone)
    return this
  }
}
