/** GET /__mock/journal: a page, after waiting for it if asked to, and the same entries as a live stream. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { laterReal, realDelay } from '../../base/clock.ts'
import { parseDuration } from '../../base/duration.ts'
import type { RowPage } from '../../client/desk.ts'
import type { JournalFilter, JournalPage, WorldSelector } from '../../client/mock.ts'
import { apiError } from '../errors.ts'
import { journalHar } from '../journalHar.ts'
import { rowOf, rowText } from '../journalRows.ts'
import type { EntryFilter } from '../journalView.ts'
import type { Mock } from '../mock.ts'
import { ownBaseUrl } from '../routes/baseUrl.ts'

const maxWaitMs = 60_000
/** A listener that doesn't read is let go when this much waits for it. */
const maxBacklogBytes = 8 * 1024 * 1024

export interface JournalRoute {
  Querystring: WorldSelector &
    Pick<JournalFilter, 'kind' | 'route' | 'status'> & {
      job_id?: string
      request_id?: string
      trace?: string
      since?: string
      before?: string
      limit: number
      wait?: string
      order: 'oldest' | 'newest'
      atLeast: number
      text?: string
      view: 'entries' | 'rows'
    }
}

export const journalPage =
  ({ journal }: Mock) =>
  async ({ query, raw }: FastifyRequest<JournalRoute>): Promise<(JournalPage | RowPage) & { met?: boolean }> => {
    const filter = filterOf(query)
    const read = () =>
      query.view === 'rows'
        ? journal.readAs(entry => rowOf(entry, journal), filter, query.limit, query.order)
        : journal.read(filter, query.limit, query.order)
    if (query.wait === undefined) return read()
    const met = await waitAtMost(query.wait, raw, waited => journal.wait(filter, query.atLeast, waited))
    return { met, ...read() }
  }

/** Waits as long as `wait` says, or until the request's connection is closed. */
export async function waitAtMost(
  wait: string,
  request: FastifyRequest['raw'],
  begin: (waited: Promise<unknown>) => Promise<boolean>,
): Promise<boolean> {
  const waitMs = parseDuration(wait)
  if (waitMs === undefined || waitMs > maxWaitMs) {
    throw apiError('invalid_field', `wait is ${JSON.stringify(wait)}; expected a time up to 60s, such as 5s`)
  }
  const gone = new AbortController()
  request.once('close', () => gone.abort())
  const met = await begin(realDelay(waitMs, gone.signal))
  gone.abort()
  return met
}

export const journalStream =
  ({ journal }: Mock) =>
  (request: FastifyRequest<JournalRoute>, reply: FastifyReply): void => {
    const stream = new Readable({ read() {} })
    const send = (text: string): void => {
      stream.push(text)
      if (stream.readableLength > maxBacklogBytes) stream.destroy()
    }
    const filter = filterOf(request.query)
    const stop =
      request.query.view === 'rows'
        ? sendRows(journal, filter, send)
        : journal.listen(filter, entry =>
            send(`id: ${entry.seq}\nevent: ${entry.kind}\ndata: ${JSON.stringify(entry)}\n\n`),
          )
    stream.once('close', stop)
    stream.push(': listening\n\n')
    reply.header('cache-control', 'no-store').type('text/event-stream').send(stream)
  }

/** Rows are sent together, at most so many ms after the first of them; many of them later, as nobody reads so fast. */
const gatherMs = 40
const gatherManyMs = 100
const many = 20

/** Events of many rows: the first comes at once, those that follow it closely come together. */
function sendRows(journal: Mock['journal'], filter: EntryFilter, send: (text: string) => void): () => void {
  let gathered: string[] = []
  let last = 0
  let cancel: (() => void) | undefined
  const flush = (): void => {
    cancel = undefined
    if (gathered.length === 0) return
    send(`id: ${last}\nevent: rows\ndata: [${gathered.join(',')}]\n\n`)
    cancel = laterReal(gathered.length < many ? gatherMs : gatherManyMs, flush)
    gathered = []
  }
  const stop = journal.follow(filter, entry => {
    gathered.push(rowText(entry, journal))
    last = entry.seq
    // Not within the call that is being answered.
    cancel ??= laterReal(0, flush)
  })
  return () => {
    stop()
    cancel?.()
  }
}

/** The entries that fit as a recording. */
export const journalRecording =
  (mock: Mock) =>
  (request: FastifyRequest<JournalRoute>, reply: FastifyReply): void => {
    const pieces = journalHar(mock, filterOf(request.query), ownBaseUrl(request))
    reply.type('application/json; charset=utf-8').header('content-disposition', 'attachment; filename="journal.har"')
    reply.send(Readable.from(pieces, { objectMode: false }))
  }

function filterOf({
  since,
  before,
  key,
  world,
  kind,
  route,
  status,
  job_id,
  request_id,
  trace,
  text,
}: JournalRoute['Querystring']): EntryFilter {
  const filter = { key, world, kind, route, status, jobId: job_id, requestId: request_id, trace, text }
  return { ...filter, ...placeOf('since', since), ...placeOf('before', before) }
}

/** Where a page begins or ends: a seq, or a time. */
function placeOf<Name extends 'since' | 'before'>(name: Name, given: string | undefined) {
  if (given === undefined) return undefined
  if (/^\d+$/.test(given)) return { [name]: Number(given) }
  if (!Number.isNaN(Date.parse(given))) return { [name]: given }
  throw apiError('invalid_field', `${name} is ${JSON.stringify(given)}; expected an entry's seq or an ISO 8601 time`)
}
