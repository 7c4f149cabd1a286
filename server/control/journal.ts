/** GET /__mock/journal: a page, after waiting for it if asked to; as HAR too. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { realDelay } from '../../base/clock.ts'
import { parseDuration } from '../../base/duration.ts'
import type { RowPage } from '../../client/desk.ts'
import type { JournalFilter, JournalPage, WorldSelector } from '../../client/mock.ts'
import { apiError } from '../errors.ts'
import { journalHar } from '../journalHar.ts'
import { rowOf } from '../journalRows.ts'
import type { EntryFilter } from '../journalView.ts'
import type { Mock } from '../mock.ts'
import { ownBaseUrl } from '../routes/baseUrl.ts'

const maxWaitMs = 60_000

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

/** The entries that fit as a recording. */
export const journalRecording =
  (mock: Mock) =>
  (request: FastifyRequest<JournalRoute>, reply: FastifyReply): void => {
    const pieces = journalHar(mock, filterOf(request.query), ownBaseUrl(request))
    reply.type('application/json; charset=utf-8').header('content-disposition', 'attachment; filename="journal.har"')
    reply.send(Readable.from(pieces, { objectMode: false }))
  }

export function filterOf({
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
