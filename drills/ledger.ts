/**
 * Every job that a drill wanted to have, and what it was told of it. Behind the load the list of jobs is read (JOB-6) and
 * both are laid side by side: a job that was accepted and is not there is lost, a second one of the same create is doubled.
 */
import { plural } from '../base/text.ts'
import type { Jobs } from './report.ts'

/** What marks a job as this drill's own, in its metadata (JOB-1, GO-7). */
const markField = 'understudy_drill'

type Fate = 'open' | 'accepted' | 'refused' | 'unanswered'

interface Intent {
  fate: Fate
  ids: string[]
}

/** A page of the list; undefined where it could not be read. */
export type ReadPage = (limit: number, offset: number) => Promise<unknown | undefined>
/** Whether a job is there, asked by its id; undefined where nobody could tell. */
export type FindJob = (id: string) => Promise<boolean | undefined>

const pageSize = 100
const mostPages = 5_000
/** Where the list can't be read: this many are asked for one by one. */
const mostAsked = 1_000

export class JobLedger {
  readonly #tag: string
  readonly #intents: Intent[] = []

  constructor(tag: string) {
    this.#tag = tag
  }

  /** A new create: its number. */
  intend(): number {
    return this.#intents.push({ fate: 'open', ids: [] }) - 1
  }

  /** What is told apart by: an Idempotency-Key (ID-1), and a mark in the job's metadata. */
  markOf(n: number): string {
    return `${this.#tag}.${n}`
  }

  metadataOf(n: number): Record<string, string> {
    return { [markField]: this.markOf(n) }
  }

  accepted(n: number, id: string): void {
    const intent = this.#intents[n] as Intent
    intent.fate = 'accepted'
    if (!intent.ids.includes(id)) intent.ids.push(id)
  }

  /** An answer that is no success. A later one may be. */
  refused(n: number): void {
    const intent = this.#intents[n] as Intent
    if (intent.fate !== 'accepted') intent.fate = 'refused'
  }

  unanswered(n: number): void {
    const intent = this.#intents[n] as Intent
    if (intent.fate !== 'accepted') intent.fate = 'unanswered'
  }

  async audit(readPage: ReadPage, findJob: FindJob): Promise<Jobs> {
    const of = (fate: Fate) => this.#intents.filter(intent => intent.fate === fate).length
    const counts = {
      intended: this.#intents.length,
      accepted: of('accepted'),
      refused: of('refused'),
      unanswered: of('unanswered') + of('open'),
    }
    const ids = this.#intents.flatMap(intent => intent.ids)
    if (ids.length === 0 && counts.unanswered === 0)
      return { ...counts, lost: [], doubled: [], checked: true, text: 'no job was made' }
    const listed = await this.#list(readPage, new Set(ids))
    const said = this.#intents.flatMap(intent => intent.ids.slice(1))
    if (listed === undefined) return this.#byId(counts, ids, said, findJob)
    const missing = ids.filter(id => !listed.ids.has(id))
    const lost = await stillMissing(missing.slice(0, mostAsked), findJob)
    if (lost === undefined) {
      const text = `${missing.length} accepted jobs are not in the list, and could not be asked for one by one`
      return { ...counts, lost: [], doubled: [], checked: false, text }
    }
    const seen = [...listed.marked].flatMap(([n, found]) => {
      const told = this.#intents[n]?.ids[0] ?? found[0]
      return found.filter(id => id !== told)
    })
    const doubled = [...new Set([...said, ...seen])]
    const orphans = [...listed.marked.keys()].filter(n => this.#intents[n]?.fate === 'unanswered').length
    return { ...counts, lost, doubled, checked: true, text: ledgerText(counts, lost, doubled, orphans) }
  }

  /** Every job of this drill that the list shows: its ids, and those of each create; undefined where there is no such list. */
  async #list(readPage: ReadPage, missing: Set<string>) {
    const ids = new Set<string>()
    const shown = new Set<string>()
    const marked = new Map<number, string[]>()
    // A server may show fewer than it was asked for: what comes next begins where this page ended.
    for (let page = 0, offset = 0; page < mostPages; page++) {
      const answer = await readPage(pageSize, offset)
      const jobs = Array.isArray(answer) ? answer : (answer as { jobs?: unknown } | undefined)?.jobs
      if (!Array.isArray(jobs)) return page === 0 ? undefined : { ids, marked }
      offset += jobs.length
      const before = shown.size
      for (const job of jobs) {
        const id = (job as { id?: unknown } | null)?.id
        if (typeof id !== 'string' || shown.has(id)) continue
        shown.add(id)
        const n = this.#numberOf(job)
        // Newest first (JOB-6): what comes later was there before.
        if (n !== undefined) marked.set(n, [id, ...(marked.get(n) ?? [])])
        if (n !== undefined || missing.has(id)) ids.add(id)
        missing.delete(id)
      }
      // It shows the same page again.
      if (shown.size === before) return { ids, marked }
      // Those of others may be many: behind the last of one's own, a page without any is the end.
      if (missing.size === 0 && !jobs.some(job => this.#numberOf(job) !== undefined)) return { ids, marked }
    }
    return undefined
  }

  #numberOf(job: unknown): number | undefined {
    const { metadata } = (job ?? {}) as { metadata?: Record<string, unknown> | null }
    const mark = metadata?.[markField]
    if (typeof mark !== 'string' || !mark.startsWith(`${this.#tag}.`)) return undefined
    const n = Number(mark.slice(this.#tag.length + 1))
    return this.#intents[n] === undefined ? undefined : n
  }

  async #byId(counts: Counts, ids: string[], doubled: string[], findJob: FindJob): Promise<Jobs> {
    const lost = await stillMissing(ids.slice(0, mostAsked), findJob)
    if (lost === undefined) {
      const text = 'neither the list of jobs nor a job could be read'
      return { ...counts, lost: [], doubled, checked: false, text }
    }
    const asked = ids.length > mostAsked ? ` (${mostAsked} of them were asked for)` : ''
    const text = `${ledgerText(counts, lost, doubled, 0)}${asked}; the list of jobs could not be read, so only doubles that were answered are seen`
    return { ...counts, lost, doubled, checked: true, text }
  }
}

/** A list may lag, or page in its own way: lost is what is not there when it is asked for. undefined: nobody could tell. */
async function stillMissing(ids: readonly string[], findJob: FindJob): Promise<string[] | undefined> {
  const lost: string[] = []
  for (const id of ids) {
    const isThere = await findJob(id)
    if (isThere === undefined) return undefined
    if (!isThere) lost.push(id)
  }
  return lost
}

type Counts = Pick<Jobs, 'intended' | 'accepted' | 'refused' | 'unanswered'>

function ledgerText(
  { intended, accepted, unanswered }: Counts,
  lost: string[],
  doubled: string[],
  orphans: number,
): string {
  const parts = [
    `${plural(intended, 'job')} wanted, ${accepted} accepted`,
    `${lost.length} lost, ${doubled.length} doubled`,
  ]
  if (unanswered > 0) parts.push(`${unanswered} without an answer, of which ${orphans} are there all the same`)
  return parts.join('; ')
}
