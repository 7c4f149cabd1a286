/**
 * Reading the journal: filters, paging, waiting, and entries as they may be shown, with every secret taken out.
 */

import { isSecretHeader, redacted, redactField, redactText, redactUrl, withoutSecrets } from '../base/redaction.ts'
import { countUnknown, traceIdIn } from '../client/commands.ts'
import type {
  ExchangeEntry,
  JournalEntry,
  JournalFilter,
  JournalPage,
  WebhookEntry,
  WorldSelector,
} from '../client/mock.ts'
import { routeOf } from '../contracts/operations.ts'
import type { Config } from './config.ts'
import { type DeliveryAttempt, type Entry, type Exchange, evictionText, type Feed, maxBodyBytes } from './journal.ts'
import { answerHeaders } from './pipeline/headers.ts'

import { speaksTls } from './tls/material.ts'
import type { World } from './world/world.ts'
import { isWorldSelected, type Worlds } from './world/worlds.ts'

/** A page has entries of so many bytes, and one at least: as one text it must fit into memory, and soon be made. */
const maxPageBytes = 16 * 1024 * 1024
/** Which entries, with what can be asked over HTTP only: a text that occurs in the URL, a header or a body. */
export type EntryFilter = JournalFilter & { text?: string | undefined }

/** A page of the journal, its entries shown in one way or another. */
export type PageOf<Shown> = Omit<JournalPage, 'entries'> & { entries: Shown[] }

export class JournalReader {
  readonly #worlds: Worlds
  readonly #feed: Feed
  readonly #config: Config
  /** By world: its secrets as they stand in a JSON text. */
  readonly #escaped = new WeakMap<object, readonly string[]>()

  /** What the URLs of its calls begin with. */
  readonly scheme: 'http' | 'https'

  constructor(worlds: Worlds, feed: Feed, config: Config) {
    this.scheme = speaksTls(config) ? 'https' : 'http'
    this.#worlds = worlds
    this.#feed = feed
    this.#config = config
  }

  /** All entries that fit, oldest first. */
  entries(filter: JournalFilter = {}): JournalEntry[] {
    return this.select(filter).map(entry => this.show(entry))
  }

  /** The entries that fit, at most `limit` of them, and as many as a page has bytes for: the oldest first, or the newest. */
  read(filter: EntryFilter = {}, limit = 1000, order: 'oldest' | 'newest' = 'oldest'): JournalPage {
    return this.readAs(entry => this.show(entry), filter, limit, order)
  }

  /** The same, with each entry as `shown` has it. */
  readAs<Shown>(
    shown: (entry: Entry) => Shown,
    filter: EntryFilter,
    limit: number,
    order: 'oldest' | 'newest' = 'oldest',
  ): PageOf<Shown> {
    const found = this.select(filter)
    if (order === 'newest') found.reverse()
    let evicted = this.#worlds.evictedEntries
    const since = typeof filter.since === 'number' ? filter.since : 0
    let complete = this.#worlds.lastEvictedSeq <= since
    for (const world of this.#read(filter)) {
      evicted += world.journal.evicted
      if (world.journal.lastEvictedSeq > since) complete = false
    }
    const page = found.slice(0, Math.min(limit, fittingOf(found)))
    const isLast = page.length === found.length
    return {
      entries: page.map(shown),
      count: complete ? found.length : null,
      evicted,
      complete,
      next: isLast ? null : (page.at(-1)?.seq ?? null),
      limited_by: isLast ? null : page.length === limit ? 'limit' : 'bytes',
    }
  }

  /** The entries themselves, oldest first, with their secrets: for who shows them in another way. */
  select(filter: EntryFilter): Entry[] {
    const fits = matcher(filter)
    const found: Entry[] = []
    for (const world of this.#read(filter)) for (const entry of world.journal) if (fits(entry)) found.push(entry)
    return found.sort((a, b) => a.seq - b.seq)
  }

  /** How many entries fit. Throws a JournalEvictedError when some may have been evicted. */
  count(filter: JournalFilter = {}): number {
    const { count, evicted } = this.read(filter, 0)
    if (count === null) {
      throw countUnknown(evicted)
    }
    return count
  }

  /** The exchange of a request; undefined when it isn't kept, or there never was one. */
  find(requestId: string): Exchange | undefined {
    for (const entry of this.#worlds.ofId(requestId)?.journal ?? []) {
      if (entry.kind === 'exchange' && entry.requestId === requestId) return entry
    }
    return undefined
  }

  /** Resolves when at least `atLeast` entries fit, or when `waited` does; true when they do. */
  async wait(filter: JournalFilter, atLeast: number, waited: Promise<unknown>): Promise<boolean> {
    const fits = matcher(filter)
    const worlds = () => [...this.#read(filter)]
    let count = 0
    for (const world of worlds()) for (const entry of world.journal) if (fits(entry)) count++
    if (count >= atLeast) return true
    let stop = () => {}
    const met = new Promise<boolean>(resolve => {
      stop = this.#feed.listen(entry => {
        if (fits(entry) && isWorldSelected(entry.world, filter) && ++count >= atLeast) resolve(true)
      })
    })
    return Promise.race([met, waited.then(() => false)]).finally(() => stop())
  }

  /** Calls `listener` with each new entry that fits, until the returned function is called. */
  listen(filter: JournalFilter, listener: (entry: JournalEntry) => void): () => void {
    const fits = this.fits(filter)
    return this.#feed.listen(entry => {
      if (fits(entry)) listener(this.show(entry))
    })
  }

  /** Whether an entry fits a filter. */
  fits(filter: EntryFilter): (entry: Entry) => boolean {
    const matches = matcher(filter)
    return entry => matches(entry) && isWorldSelected(entry.world, filter)
  }

  /** Empties the journal of one key's worlds, or of all. */
  clear(filter: WorldSelector = {}): void {
    for (const world of this.#read(filter)) world.journal.clear()
  }

  /** An entry as it may be shown: no key, token or signature is in it. */
  show(entry: Exchange): ExchangeEntry
  show(entry: DeliveryAttempt): WebhookEntry
  show(entry: Entry): JournalEntry
  show(entry: Entry): JournalEntry {
    return this.redact(bareEntry(entry), entry)
  }

  /** The same as JSON: most entries hold no secret, and need not be taken apart again. */
  text(entry: Entry): string {
    const shown = bareEntry(entry)
    const text = JSON.stringify(shown)
    return this.mayHoldSecret(text, entry) ? JSON.stringify(this.redact(shown, entry)) : text
  }

  /** Takes out of what is shown of an entry all that is known to be secret, wherever the client has put it. */
  redact<T>(shown: T, entry: Entry): T {
    return withoutSecrets(shown, [...this.#secretsOf(entry.world), ...secretsIn(entry.requestHeaders)]) as T
  }

  /** Whether one of them may be in a JSON text of the entry. */
  mayHoldSecret(text: string, entry: Entry): boolean {
    let own = this.#escaped.get(entry.world)
    if (own === undefined) {
      own = this.#secretsOf(entry.world).flatMap(secret => (secret ? [inJson(secret)] : []))
      this.#escaped.set(entry.world, own)
    }
    for (const secret of own) if (text.includes(secret)) return true
    for (const secret of secretsIn(entry.requestHeaders))
      if (!own.includes(secret) && text.includes(inJson(secret))) return true
    return false
  }

  /** The same of what is shown of a world itself. */
  redactIn<T>(shown: T, world: Pick<World, 'key'>): T {
    return withoutSecrets(shown, this.#secretsOf(world)) as T
  }

  #secretsOf({ key }: Pick<World, 'key'>): (string | undefined)[] {
    return [key, this.#config.adminToken, this.#config.webhookSecret, this.#config.webhookNextSecret]
  }

  *#read(filter: WorldSelector): Generator<World> {
    for (const world of this.#worlds) if (isWorldSelected(world, filter)) yield world
  }
}

/** What is shown of an entry, but for the secrets that its client has put somewhere else than into a secret's place. */
function bareEntry(entry: Entry): JournalEntry {
  const common = {
    seq: entry.seq,
    time: new Date(entry.at).toISOString(),
    world: entry.world.name,
    job_id: entry.jobId,
    ...(entry.trace !== undefined && { trace_id: entry.trace.traceId }),
    url: redactUrl(entry.url),
    status: entry.status,
    ms: Math.round(entry.ms * 1000) / 1000,
    ...(entry.world.evictedAt !== undefined && { note: evictionText(entry.world.evictedAt) }),
  }
  const request = { headers: shownHeaders(entry.requestHeaders), body: bodyOf(entry.requestBody) }
  const shown: JournalEntry =
    entry.kind === 'webhook'
      ? {
          kind: entry.kind,
          ...common,
          delivery_id: entry.deliveryId,
          event: entry.event,
          attempt: entry.attempt,
          error: entry.error,
          fault: entry.fault,
          next_try_at: entry.nextTryAt === null ? null : new Date(entry.nextTryAt).toISOString(),
          request,
        }
      : {
          kind: entry.kind,
          ...common,
          request_id: entry.requestId,
          method: entry.method,
          route: routeOf(entry.operation),
          aborted: entry.aborted,
          ...(entry.placeOnConnection > 0 && { connection_request: entry.placeOnConnection }),
          ...playedIn(entry),
          ...(entry.played?.fault !== undefined && { fault: entry.played.fault }),
          upload: entry.upload,
          ...(entry.outputWaitMs !== undefined && { output_wait_ms: Math.round(entry.outputWaitMs) }),
          request,
          response:
            entry.status === 0
              ? undefined
              : {
                  headers: shownHeaders(
                    Object.entries(
                      entry.responseHeaders ?? {
                        ...answerHeaders(entry),
                        'content-type': 'application/json; charset=utf-8',
                      },
                    ).flat(),
                  ),
                  body: bodyOf(entry.responseBody?.toString()),
                },
        }
  return shown
}

/** Of a longer body no more is shown. */
function shownBytes(entry: Entry): number {
  const bodies = [entry.requestBody, entry.kind === 'exchange' ? entry.responseBody : undefined]
  return bodies.reduce((sum, body) => sum - Math.max(0, (body?.length ?? 0) - maxBodyBytes), entry.bytes)
}

/** How many of the first entries a page has bytes for. */
function fittingOf(entries: readonly Entry[]): number {
  let left = maxPageBytes
  let fitting = 0
  for (const entry of entries) {
    left -= shownBytes(entry)
    if (left < 0 && fitting > 0) break
    fitting++
  }
  return fitting
}

function playedIn({ ruleContext }: Exchange): Partial<ExchangeEntry> | undefined {
  if (ruleContext === undefined) return undefined
  const { fired, decider } = ruleContext
  return {
    scenario: decider.scenario.name,
    rule: fired?.rule.name,
    fault: fired?.rule.then.fault?.name,
    draw: fired?.draw,
    delay_ms: fired && fired.delayMs > 0 ? Math.round(fired.delayMs) : undefined,
  }
}

function matcher(filter: EntryFilter): (entry: Entry) => boolean {
  const { kind, route, status, jobId, requestId, since, before, trace, text } = filter
  const traceId = trace === undefined ? undefined : (traceIdIn(trace) ?? trace)
  const isWanted = text === undefined || text === '' ? undefined : hasText(text)
  const statusText = status === undefined ? undefined : String(status).toLowerCase()
  const sinceMs = typeof since === 'string' ? Date.parse(since) : undefined
  const beforeMs = typeof before === 'string' ? Date.parse(before) : undefined
  return entry => {
    if (kind !== undefined && entry.kind !== kind) return false
    if (jobId !== undefined && entry.jobId !== jobId) return false
    if (typeof since === 'number' && entry.seq <= since) return false
    if (sinceMs !== undefined && entry.at <= sinceMs) return false
    if (typeof before === 'number' && entry.seq >= before) return false
    if (beforeMs !== undefined && entry.at >= beforeMs) return false
    if (statusText !== undefined && !fitsStatus(entry.status, statusText)) return false
    if (traceId !== undefined && entry.trace?.traceId !== traceId) return false
    if (requestId !== undefined && (entry.kind !== 'exchange' || entry.requestId !== requestId)) return false
    if (isWanted !== undefined && !isWanted(entry)) return false
    if (route === undefined) return true
    return entry.kind === 'exchange' && fitsRoute(entry.operation, route)
  }
}

/** Whether a text occurs in what may be shown of an entry, in capitals or not. */
function hasText(text: string): (entry: Entry) => boolean {
  const wanted = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i')
  return entry =>
    wanted.test(redactUrl(entry.url)) ||
    wanted.test(entry.requestBody ?? '') ||
    (entry.kind === 'exchange'
      ? wanted.test(entry.requestId) || wanted.test(String(entry.responseBody ?? ''))
      : wanted.test(entry.deliveryId) || wanted.test(entry.event)) ||
    entry.requestHeaders.some(
      (value, i) => i % 2 === 1 && !isSecretHeader(entry.requestHeaders[i - 1] as string) && wanted.test(value),
    )
}

const fitsStatus = (status: number, asked: string): boolean =>
  asked.endsWith('xx') ? Math.floor(status / 100) === Number(asked[0]) : status === Number(asked)

function fitsRoute(operation: string | undefined, asked: string): boolean {
  const route = routeOf(operation)
  return operation === asked || route === asked || route?.split(' ')[1] === asked
}

const inJson = (secret: string): string => JSON.stringify(secret).slice(1, -1)

/** A client's calls share their headers, as a journal keeps them: they are looked through once. */
const knownSecrets = new WeakMap<readonly string[], readonly string[]>()

function secretsIn(pairs: readonly string[]): readonly string[] {
  const known = knownSecrets.get(pairs)
  if (known !== undefined) return known
  const found = pairs.filter((_, i) => i % 2 === 1 && isSecretHeader(pairs[i - 1] as string))
  knownSecrets.set(pairs, found)
  return found
}

export function shownHeaders(pairs: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const name = (pairs[i] as string).toLowerCase()
    headers[name] = isSecretHeader(name) ? redacted : [pairs[i + 1]].flat().join(', ')
  }
  return headers
}

/** A body as JSON where it is JSON, cut to 64 KiB, without what its fields and URLs carry of secrets. */
function bodyOf(body: string | undefined): unknown {
  if (body === undefined || body === '') return undefined
  if (body.length < maxBodyBytes) {
    try {
      return JSON.parse(body, redactField)
    } catch {
      return redactText(body)
    }
  }
  return `${redactText(body.slice(0, maxBodyBytes))}… (cut)`
}
