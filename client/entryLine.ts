/** An entry of the journal in a line, for people. */
import { formatDuration, oneLine } from '../base/text.ts'
import type { JournalEntry } from './mock.ts'

/** "POST /v1/jobs → 500 internal_error (rule fails-twice)" */
export function entryLine(entry: JournalEntry): string {
  if (entry.kind === 'webhook') {
    const error = entry.error === null ? '' : ` ${entry.error}`
    return oneLine(`webhook ${entry.event} to ${entry.url}, attempt ${entry.attempt} → ${entry.status}${error}`)
  }
  const { method, url, status, response, rule, fault, aborted, delay_ms } = entry
  const told = [
    ...(rule === undefined ? [] : [`rule ${rule}`]),
    ...(fault === undefined ? [] : [`fault ${fault}`]),
    ...(delay_ms ? [`delayed ${formatDuration(delay_ms)}`] : []),
    ...(aborted ? ['the client went away'] : []),
  ]
  const { error } = (response?.body ?? {}) as { error?: { code?: unknown } }
  const code = typeof error?.code === 'string' ? error.code : ''
  const answered = status === 0 ? 'no answer' : `${status} ${code}`.trim()
  return oneLine(`${method} ${url} → ${answered}${told.length === 0 ? '' : ` (${told.join(', ')})`}`)
}

/** ms between an entry and the one before it of the same world, by its seq. */
export function waitsBefore(entries: readonly JournalEntry[]): Map<number, number> {
  const ends = new Map<string, number>()
  const waits = new Map<number, number>()
  for (const { seq, world, time, ms } of entries) {
    const endedAt = Date.parse(time)
    const before = ends.get(world)
    if (before !== undefined) waits.set(seq, Math.max(0, Math.round(endedAt - ms - before)))
    ends.set(world, endedAt)
  }
  return waits
}

/** A line for each entry: "#12 +2.0 s POST /v1/jobs → 200 req_123456", with the wait before it. */
export function entryLines(entries: readonly JournalEntry[]): string[] {
  const waits = waitsBefore(entries)
  return entries.map(entry => {
    const wait = waits.get(entry.seq)
    const id = entry.kind === 'exchange' ? ` ${entry.request_id}` : ''
    return `#${entry.seq} ${wait === undefined ? '' : `+${formatDuration(wait)} `}${entryLine(entry)}${id}`
  })
}
