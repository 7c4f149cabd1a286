/** The journal line by line, for who follows it live: what a table shows of an entry, at a fraction of its cost. */
import { redactUrl } from '../base/redaction.ts'
import type { JournalRow } from '../client/desk.ts'
import { routeOf } from '../contracts/operations.ts'
import type { Entry, Exchange } from './journal.ts'
import type { JournalReader } from './journalView.ts'

/** A line of an entry, with every secret taken out. */
export const rowOf = (entry: Entry, journal: JournalReader): JournalRow => journal.redact(bareRow(entry), entry)

/** The same as JSON: most rows hold no secret, and need not be taken apart again. */
export function rowText(entry: Entry, journal: JournalReader): string {
  const row = bareRow(entry)
  const text = JSON.stringify(row)
  return journal.mayHoldSecret(text, entry) ? JSON.stringify(journal.redact(row, entry)) : text
}

function bareRow(entry: Entry): JournalRow {
  const url = redactUrl(entry.url)
  const row: JournalRow = {
    seq: entry.seq,
    kind: entry.kind,
    time: new Date(entry.at).toISOString(),
    method: entry.kind === 'webhook' ? 'POST' : entry.method,
    url: url.length > maxUrl ? url.slice(0, maxUrl) : url,
    route: null,
    status: entry.status,
    ms: Math.round(entry.ms * 1000) / 1000,
    world: entry.world.name,
    job_id: entry.jobId,
  }
  if (entry.trace !== undefined) row.trace_id = entry.trace.traceId
  if (entry.kind === 'webhook') {
    row.delivery_id = entry.deliveryId
    row.event = entry.event
    row.attempt = entry.attempt
    row.fault = entry.fault
    row.said = entry.error ?? undefined
    return row
  }
  row.route = routeOf(entry.operation)
  row.request_id = entry.requestId
  if (entry.aborted) row.aborted = true
  if (entry.ruleContext !== undefined || entry.played !== undefined) Object.assign(row, decisionOf(entry))
  if (entry.status >= 400) Object.assign(row, errorIn(entry.responseBody))
  return row
}

/** A table shows no more of it. */
const maxUrl = 500

function decisionOf({ ruleContext, played }: Exchange): Partial<JournalRow> | undefined {
  const fault = played?.fault
  if (ruleContext === undefined) return fault === undefined ? undefined : { fault }
  const { fired, decider } = ruleContext
  return {
    scenario: decider.scenario.name,
    rule: fired?.rule.name,
    fault: fired?.rule.then.fault?.name ?? fault,
  }
}

const maxSaid = 200

/** Of the envelope, which may be cut or broken by a fault: as much as is there. */
function errorIn(body: string | Buffer | undefined): Pick<JournalRow, 'code' | 'said'> {
  const text = body === undefined ? '' : String(body).slice(0, 2000)
  const code = /"code":"([^"\\]{1,60})"/.exec(text)?.[1]
  const said = /"message":"((?:[^"\\]|\\.){1,400})"/.exec(text)?.[1]?.replace(/\\(["\\/])/g, '$1')
  return { code, said: said?.slice(0, maxSaid) }
}
