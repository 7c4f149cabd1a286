/**
 * Proves that every mutant is one: an ordinary session on it is answered otherwise than by the mock under the same seed, the
 * first difference is where the mutant says that it shows, and what comes before is the same to the byte. One that is for
 * exploring is answered the same there, and otherwise on its own sequence of calls. Variants differ too, or they would prove
 * nothing. One that never shows itself is VOID.
 */
import type { Sign } from '../../server/mutants/mutant.ts'
import { isMutant, type Mutant, type Variant } from '../../server/mutants/mutant.ts'
import type { Showing } from '../../server/mutants/mutation.ts'
import type { Trait } from '../../server/mutants/traits.ts'
import type { Api } from './client.ts'
import { clientOf } from './client.ts'
import { ordinarySession, sessionOptions } from './session.ts'
import { shortestWays } from './shortestWays.ts'
import { startMutant } from './start.ts'

type Session = (api: Api) => Promise<void>

interface Transcript {
  lines: string[]
  isAnywhere: boolean
  showings: Showing[]
}

const plain = { apply: () => {} }

export async function transcriptOf(
  server: { id?: string; apply: Mutant['apply'] } = plain,
  session: Session = ordinarySession,
): Promise<Transcript> {
  const mock = await startMutant(server, sessionOptions)
  const api = clientOf(mock.url)
  const showings: Showing[] = []
  mock.mutation.onShowing = showing => void showings.push(showing)
  try {
    await api.freeze()
    await session(api)
    return { lines: api.transcript, showings, isAnywhere: mock.mutation.isAnywhere }
  } catch (error) {
    // An answer that stops the session is a difference too.
    return {
      lines: [...api.transcript, `stopped: ${(error as Error).message}`],
      showings,
      isAnywhere: mock.mutation.isAnywhere,
    }
  } finally {
    api.close()
    await mock.close()
  }
}

/** What is wrong with a mutant, and its traits where it is one. */
export async function showingOf(
  server: Mutant | Variant,
  ordinary: Transcript,
): Promise<{ problem?: string; trait: Trait }> {
  const found = await transcriptOf(server)
  const own = isMutant(server) && server.needs === 'explore' ? shortestWays[server.id] : undefined
  if (own === undefined) return judge(ordinary, found)
  if (found.showings.length > 0) return { problem: 'shows itself in an ordinary session', trait: traitOf(found, []) }
  return judge(await transcriptOf(plain, own), await transcriptOf(server, own))
}

function judge(expected: Transcript, found: Transcript): { problem?: string; trait: Trait } {
  const count = Math.max(expected.lines.length, found.lines.length)
  const different = Array.from({ length: count }, (_, i) => i).filter(i => expected.lines[i] !== found.lines[i])
  const pairs = different.map(i => [expected.lines[i] ?? '', found.lines[i] ?? ''] as const)
  const trait = traitOf(found, pairs)
  const [first] = pairs
  if (first === undefined || found.showings.length === 0)
    return {
      problem: first === undefined ? 'is VOID: it is answered as the mock is' : `does not say where: ${first[1]}`,
      trait,
    }
  const isShown = (line: string): boolean =>
    /^(two at once|at its fastest)/.test(line) || found.showings.some(showing => isOf(line, showing))
  const isBefore = !isShown(first[0]) && !isShown(first[1])
  return { ...(isBefore && { problem: `changes something else first: ${first[1].slice(0, 300)}` }), trait }
}

/** Whether a line of a transcript may be what a showing is about: ids are told by their kind alone. */
function isOf(line: string, { place, method, url }: Showing): boolean {
  if (place === 'webhook') return /^\/\w+ (POST|PUT) /.test(line) || line.includes('webhook_events')
  if (place === 'journal') return line.startsWith('journal: ')
  return withoutIds(line).startsWith(`${method} ${withoutIds(url)} `)
}

const withoutIds = (text: string): string =>
  text
    .replace(/^(\w+ )(https?:\/\/[^/ ]+|<url>)/, '$1')
    .replace(/\b(job|vid|req|whd|test)(#\d+|_[0-9a-z]{12,}(_[0-9a-z]+)?)/g, '$1')

function traitOf({ showings, isAnywhere }: Transcript, pairs: readonly (readonly [string, string])[]): Trait {
  const places = [...new Set(showings.flatMap(({ place }) => (place === undefined ? [] : [place])))].sort()
  const found = new Set(showings.flatMap(showing => signsOf(showing, pairs)))
  // On a machine that is busy the healthy mock may be late too: only what differs by nothing else is slow.
  if (pairs.every(([line]) => line.startsWith('at its fastest'))) return { places, signs: ['timing'], anywhere: true }
  const statuses = [...new Set(showings.map(({ healthy }) => healthy?.status ?? 0))].sort((a, b) => a - b)
  return {
    places,
    signs: [...found].sort(),
    ...(isAnywhere && { anywhere: true }),
    ...(statuses.every(status => status >= 400) && { statuses }),
  }
}

function signsOf(showing: Showing, pairs: readonly (readonly [string, string])[]): Sign[] {
  const { place, healthy, mutated } = showing
  if (place === 'webhook') return ['webhook']
  if (healthy === undefined || mutated === undefined) {
    // The mock never came to an answer of its own: the transcript of a healthy one has it.
    const [a, b] = pairs.find(([one, other]) => isOf(one, showing) || isOf(other, showing)) ?? ['', '']
    const [from, to] = [a, b].map(line => / → (\d{3}) .*?x-request-id: \S+ ?(.*)$/s.exec(line))
    return from?.[1] !== to?.[1]
      ? ['status']
      : from?.[2] === to?.[2]
        ? ['header']
        : [place === 'getOutputFile' ? 'file' : 'field']
  }
  if (healthy.status !== mutated.status) return ['status']
  const headers = ({ headers: { 'content-length': _, ...rest } }: typeof healthy) => JSON.stringify(rest)
  const byHeader: Sign[] = headers(healthy) === headers(mutated) ? [] : ['header']
  if (healthy.body === mutated.body) return byHeader
  const sign = place === 'getOutputFile' ? 'file' : isJson(mutated.body) && isJson(healthy.body) ? 'field' : 'body'
  return [...byHeader, sign]
}

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}
