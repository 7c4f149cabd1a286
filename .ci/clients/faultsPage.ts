/** docs/faults.md, from what was measured. */
import { type FaultClient, faultClients, faultGroups, faultTimeoutMs, keptCases } from './faultClients.ts'
import type { FaultMeasurements, FaultRow, SeenFault } from './faults.ts'

interface Measured {
  client: FaultClient
  row: FaultRow
}

/** The faults whose answer is whole and right, only late. */
const slow = new Set(['slow_head', 'dribble', 'bandwidth', 'slow_upload'])
/** The faults that a status tells of: to see no exception is the ordinary way. */
const told = new Set(['wrong_status', 'broken_envelope', 'proxy_html', 'close_unread'])
const timeoutFaults = ['no_answer', 'slow_head', 'stall_body', 'dribble']

/** An exception's text without what changes from run to run, nor a cause that says the same again. */
function errorText(error: string): string {
  const [outer = '', ...causes] = error
    .replace(/https?:\/\/[^\s"')]+/g, 'URL')
    .replace(/HTTPConnectionPool\(host=[^)]*\)/g, 'HTTPConnectionPool(…)')
    .replace(/tcp \S+->\S+: /g, 'tcp …: ')
    .replace(/after \d{4} milliseconds/, 'after 2000 milliseconds')
    .replace(/with \d+ out of (\d+) bytes/, 'with … out of $1 bytes')
    .replace(/\bjob_[a-z0-9]+/g, 'job_…')
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('`', "'")
    .replaceAll('|', '\\|')
    .split(' <- ')
  const message = (text: string): string => text.slice(text.indexOf('"'))
  const cause = causes.find(
    one => message(one) !== message(outer) && message(one) !== '"undefined"' && !/^\w+ ""$/.test(one),
  )
  return [outer, ...(cause === undefined ? [] : [cause])].map(short).join(' <- ')
}

const short = (text: string): string => (text.length > 90 ? `${text.slice(0, 90)}…` : text)

function cellText(fault: string, seen: SeenFault): string {
  const again = seen.sent > 1 ? `, **sent ${seen.sent} times**` : ''
  // curl tells of 100 Continue too.
  const status = (seen.status ?? 0) < 200 ? '' : `${seen.status}, `
  if (seen.isStopped) return `no end in 20 s${again}`
  if (seen.error !== undefined) {
    const where = { call: '', body: ' at the body', json: ' at the JSON', none: '' }[seen.where]
    return `${status}\`${errorText(seen.error)}\`${where}${again}`
  }
  if (slow.has(fault)) return `the time-out does not fire: ${seen.status} after ${seen.seconds.toFixed(0)} s${again}`
  if (fault === 'wrong_content_type') return `taken all the same${again}`
  if (told.has(fault)) return `${seen.status}, no exception${again}`
  const instead =
    seen.value === 'object'
      ? `${seen.bytes ?? 0} bytes`
      : seen.value === '""'
        ? 'its data is `""`'
        : 'its data is a text'
  return `**silent**: ${seen.status}, ${instead}${again}`
}

function keptText(seen: SeenFault): string {
  const again = seen.sent > 1 ? `**sent ${seen.sent} times**, ` : ''
  return `${again}${seen.error === undefined ? 'success' : 'an error'}`
}

/** By what is left when each of the four kinds of slowness has had its time. */
function coversText({ row }: Measured): string {
  const fires = (fault: string): boolean => {
    const seen = row.seen[fault]
    if (seen === undefined) return false
    // Who tries again after its time-out may still be at it.
    return seen.isStopped ? seen.sent > 1 : seen.error !== undefined && seen.seconds > 1.5
  }
  const [silence, head, stall, drip] = timeoutFaults.map(fires)
  if (silence && head && stall && drip) return 'all of it'
  if (silence && head && !stall) return 'the head alone'
  if (silence && stall && !drip) return head ? 'the head, then each silence' : 'each silence alone'
  return timeoutFaults.filter((_, i) => [silence, head, stall, drip][i]).join(', ') || 'none of them'
}

const list = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : names.join(', '))

function repeatsText({ row }: Measured): string {
  const faults = Object.values(faultGroups).flatMap(Object.keys)
  const alone = faults.filter(fault => (row.seen[fault]?.sent ?? 0) > 1).map(fault => `\`${fault}\``)
  const kept = Object.keys(keptCases).filter(name => (row.seen[name]?.sent ?? 0) > 1)
  return list([...alone, ...(kept.length > 0 ? [`on a kept connection: ${kept.join('; ')}`] : [])])
}

const silentText = ({ row }: Measured): string =>
  list(
    Object.values(faultGroups)
      .flatMap(Object.keys)
      .filter(fault => {
        const seen = row.seen[fault]
        return seen !== undefined && seen.error === undefined && !slow.has(fault) && !told.has(fault) && !seen.isStopped
      })
      .map(fault => `\`${fault}\``),
  )

const nameText = ({ client, row }: Measured): string =>
  row.version.startsWith('Node') || client.package !== undefined || client.registry === 'system'
    ? `${client.name} ${row.version.replace('Node.js ', '')}`
    : `${client.name} (${row.version})`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

export function faultsPage(found: FaultMeasurements): string {
  const measured = faultClients.flatMap((client): Measured[] => {
    const row = found[client.name]
    return row === undefined ? [] : [{ client, row }]
  })
  const missing = faultClients.filter(({ name }) => found[name] === undefined).map(({ name }) => name)
  const dates = [...new Set(measured.map(({ row }) => row.date))].sort()
  const groups = Object.entries(faultGroups).map(([title, faults]) => {
    const names = Object.keys(faults)
    const rows = measured.map(one => [
      nameText(one),
      ...names.map(name => (one.row.seen[name] === undefined ? '' : cellText(name, one.row.seen[name]))),
    ])
    return `## ${title}\n\n${table(['client', ...names.map(name => `\`${name}\``)], rows)}\n`
  })
  return `<!-- Made by \`npm run clients:faults\`: change .ci/clients/, not this file. -->

# What your code will see

*For everybody who writes the \`catch\`, or wants to know whether there will be anything to catch.*

Each [fault on the wire](reference/faults.md) against the HTTP clients of seven languages, a browser, curl and wget: what their caller
gets, to the letter, where it gets it, and how often the request was sent. To see one yourself, send the header that the column names:
\`X-Mock-Fault: reset\`.

Measured ${dates.length > 1 ? `from ${dates[0]} to ${dates.at(-1)}` : `on ${dates[0]}`}, with a time-out of ${faultTimeoutMs / 1000} s in each client's ordinary option. Where nothing is said the request was sent once.
**Silent** means that a broken answer looks like a good one.${missing.length > 0 ? ` Not measured: ${missing.join(', ')}.` : ''}

## In short

${table(
  ['client', 'its time-out', 'covers', 'sends again by itself', 'takes in silence'],
  measured.map(one => [nameText(one), one.client.timeout, coversText(one), repeatsText(one), silentText(one)]),
)}

A time-out that covers *each silence* is set back by every byte: an answer that drips in never ends it. One that covers the
head alone leaves a body that stalls to wait for ever. Java's client, curl and wget hand the body over as it came: its JSON is yours to read.

${groups.join('\n')}
The slow ones take some 4 s, the upload longer, so that it shows whom the time-out covers. \`broken_envelope\` is an error whose envelope lacks a field: whoever
reads \`error.code\` unguarded fails there.

## Who sends again by itself

The second call on a kept connection meets the fault, once, and a second try would get through. For a POST the job was made before its answer
was lost: sent twice is two jobs, unless it carries an \`Idempotency-Key\`. wget sends its POSTs on a new connection, and again all the same.

${table(
  ['client', ...Object.keys(keptCases)],
  measured.map(one => [
    nameText(one),
    ...Object.keys(keptCases).map(name => (one.row.seen[name] === undefined ? '' : keptText(one.row.seen[name]))),
  ]),
)}

\`\`\`console norun
$ npm run clients:faults
$ npm run clients:faults -- axios
\`\`\`

The programs lie in \`.ci/clients/\`, each named after its client.

Next: [Faults](reference/faults.md) · [What libraries do by default](clients.md) · [Troubleshooting](guides/troubleshooting.md)
`
}
