/** The filter box: words, and name:value for what a row has a column of. All that is given has to fit. */
import type { JournalRow } from '../client/desk.ts'

export interface RowFilter {
  /** Whether the row fits by what it shows. */
  fits(row: JournalRow): boolean
  /** Words that may stand in headers and bodies too, which only the mock has. */
  words: readonly string[]
  /** The same as `fits`, but for the words. */
  fitsNames(row: JournalRow): boolean
  /** Names that are none. */
  unknown: readonly string[]
}

type Test = (row: JournalRow, value: string) => boolean

const has = (text: string | null | undefined, value: string): boolean => text?.toLowerCase().includes(value) ?? false

/** What can be asked for by name, and what it means. */
export const filterNames: Readonly<Record<string, { what: string; test: Test }>> = {
  status: {
    what: '402, 4xx, or 0 for no answer',
    test: ({ status }, value) =>
      /^\dxx$/.test(value) ? Math.floor(status / 100) === Number(value[0]) : String(status) === value,
  },
  method: { what: 'GET, POST', test: ({ method }, value) => method.toLowerCase() === value },
  route: {
    what: 'POST /v1/jobs, in quotes, or a part of it',
    test: ({ route, url }, value) => has(route ?? url, value),
  },
  world: { what: "the key's fingerprint, with /X-Mock-World", test: ({ world }, value) => has(world, value) },
  job: { what: 'a job_id', test: ({ job_id: id }, value) => has(id, value) },
  req: { what: 'a request_id', test: ({ request_id: id }, value) => has(id, value) },
  rule: { what: 'the rule that fired', test: ({ rule }, value) => has(rule, value) },
  scenario: { what: 'the scenario that was active', test: ({ scenario }, value) => has(scenario, value) },
  code: { what: "an error's code", test: ({ code }, value) => has(code, value) },
  trace: {
    what: 'the id of a trace, or a traceparent',
    test: ({ trace_id: id }, value) => has(id, value.replace(/^[0-9a-f]{2}-([0-9a-f]{32})-.*/, '$1')),
  },
  kind: {
    what: 'call or webhook',
    test: ({ kind }, value) => (kind === 'webhook' ? 'webhook' : 'call').startsWith(value),
  },
  seq: {
    what: 'places in the journal, such as 120-140',
    test: ({ seq }, value) => {
      const [from = 0, to = from] = value.split('-').map(Number)
      return seq >= from && seq <= to
    },
  },
  from: { what: 'a time, such as 10:31 or an ISO date', test: ({ time }, value) => time >= timeLike(time, value) },
  to: { what: 'the same', test: ({ time }, value) => time < timeLike(time, value) },
}

/** "10:31" is that time of the row's own day; all times are UTC. */
function timeLike(time: string, value: string): string {
  return /^\d\d:/.test(value) ? `${time.slice(0, 11)}${value}` : value.toUpperCase()
}

/** Without its quotes, in small letters. */
const bare = (text: string): string => text.replace(/^"|"$/g, '').toLowerCase()

export function parseFilter(text: string): RowFilter {
  const words: string[] = []
  const unknown: string[] = []
  const tests: ((row: JournalRow) => boolean)[] = []
  for (const [part] of text.matchAll(/(?:[^\s":]+:)?"[^"]*"?|\S+/g)) {
    const [, name, given = ''] = /^([a-z]+):(.*)$/s.exec(part) ?? []
    const known = name === undefined || !Object.hasOwn(filterNames, name) ? undefined : filterNames[name]
    const value = bare(known ? given : part)
    if (value === '') continue
    if (known) tests.push(row => known.test(row, value))
    else if (name !== undefined && !/^(https?|file)$/.test(name)) unknown.push(name)
    else words.push(value)
  }
  const fitsNames = (row: JournalRow) => tests.every(test => test(row))
  return {
    words,
    unknown,
    fitsNames,
    fits: row => fitsNames(row) && (words.length === 0 || words.every(word => textOf(row).includes(word))),
  }
}

/** All that a row shows, for words. */
function textOf(row: JournalRow): string {
  const { method, url, route, status, code, said, request_id, job_id, world, rule, scenario, trace_id, event } = row
  return [
    method,
    url,
    route,
    status,
    code,
    said,
    request_id,
    job_id,
    world,
    rule,
    scenario,
    trace_id,
    event,
    row.fault,
    row.delivery_id,
  ]
    .join(' ')
    .toLowerCase()
}

/** The filter with one name set to a value, or without it. */
export function withName(text: string, name: string, value: string | undefined): string {
  const rest = text.replace(new RegExp(`(^|\\s)${name}:("[^"]*"?|\\S*)`, 'g'), '$1').trim()
  const quoted = value !== undefined && /\s/.test(value) ? `"${value}"` : value
  return quoted === undefined ? rest : `${name}:${quoted} ${rest}`.trim()
}

export function filteredBy(text: string, name: string): string {
  return new RegExp(`(?:^|\\s)${name}:(?:"([^"]*)"?|(\\S*))`).exec(text)?.slice(1).find(Boolean) ?? ''
}
