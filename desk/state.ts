/** What the whole page shares: where it is, what it says aloud, which rows are marked. */
import { computed, signal } from '@preact/signals'

/** "#/calls/req_1?q=status:4xx" is { view: 'calls', id: 'req_1', query: q=… }. */
function readPlace(): Place {
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [view = '', ...rest] = path.split('/').map(part => decodePart(part))
  return { view: view === '' ? 'calls' : view, id: rest.join('/') || undefined, query: new URLSearchParams(search) }
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export interface Place {
  view: string
  id: string | undefined
  query: URLSearchParams
}

export const place = signal<Place>(readPlace())
addEventListener('hashchange', () => {
  place.value = readPlace()
})

export const linkTo = (view: string, id?: string, query?: Record<string, string>): string => {
  const search = query && Object.values(query).some(Boolean) ? `?${new URLSearchParams(query)}` : ''
  return `#/${view}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${search}`
}

export function go(link: string): void {
  if (location.hash !== link) location.hash = link
}

/** The journal's filter; it is a part of the address, so that it can be sent to somebody. */
export const filterText = signal(place.value.query.get('q') ?? '')
addEventListener('hashchange', () => {
  const given = place.value.query.get('q')
  if (place.value.view === 'calls' && given !== null) filterText.value = given
})

/** What a call is found by in the address: its request_id; what has none, by its place. */
export const idOf = (row: { request_id?: string; seq: number }): string => row.request_id || String(row.seq)

/** The journal, filtered. */
export const journalLink = (q: string): string => linkTo('calls', undefined, { q })
export const worldLink = (world: string): string => journalLink(`world:${world}`)

/** Marked rows, by their seq. */
export const marked = signal<ReadonlySet<number>>(new Set())
export function mark(seq: number, isMarked = !marked.value.has(seq)): void {
  const next = new Set(marked.value)
  if (isMarked) next.add(seq)
  else next.delete(seq)
  marked.value = next
}

export const said = signal<{ text: string; isBad: boolean; n: number } | undefined>(undefined)
let saidTimes = 0
/** Says something in the corner of the page, and to a screen reader. */
export function announce(text: string, isBad = false): void {
  const n = ++saidTimes
  said.value = { text, isBad, n }
  setTimeout(() => said.value?.n === n && (said.value = undefined), isBad ? 8000 : 2500)
}

const narrow = matchMedia('(max-width: 44rem)')
const isNarrowNow = signal(narrow.matches)
narrow.addEventListener('change', () => {
  isNarrowNow.value = narrow.matches
})
export const isNarrow = computed(() => isNarrowNow.value)

/** What the scenario editor was opened with. */
export const draft = signal<{ name: string; yaml: string; notes: readonly string[] } | undefined>(undefined)
