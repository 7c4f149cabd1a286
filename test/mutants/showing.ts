/**
 * Proves that every mutant is one: an ordinary session on it is answered otherwise than by the mock under the same seed, the
 * first difference is where the mutant says that it shows, and what comes before is the same to the byte. One that is for
 * exploring is answered the same there, and otherwise on its own sequence of calls. Variants differ too, or they would prove
 * nothing. One that never shows itself is VOID.
 */
import type { Sign } from '../../server/mutants/mutant.ts'
import { isMutant, type Mutant, type Variant } from '../../server/mutants/mutant.ts'
import type { Place, Showing } from '../../server/mutants/mutation.ts'
import type { Api } from './client.ts'
import { clientOf } from './client.ts'
import { ordinarySession, sessionOptions } from './session.ts'
import { shortestWays } from './shortestWays.ts'
import { startMutant } from './start.ts'

type Session = (api: Api) => Promise<void>

interface Transcript {
  lines: string[]
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
    return { lines: api.transcript, showings }
  } catch (error) {
    // An answer that stops the session is a difference too.
    return { lines: [...api.transcript, `stopped: ${(error as Error).message}`], showings }
  } finally {
    api.close()
    await mock.close()
  }
}

/** Where a mutant showed itself, and by what a client can notice it. */
export interface Trait {
  places: Place[]
  signs: Sign[]
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
    found.showings.some(({ place, method, url }) =>
      place === 'webhook'
        ? / POST | PUT |^\//.test(line) || line.includes('webhook_events')
        : line.includes(`${method} ${url} `) || line.startsWith('journal: ') || line.startsWith('two at once'),
    ) || line.startsWith('at its fastest')
  const isBefore = !isShown(first[0]) && !isShown(first[1])
  return { ...(isBefore && { problem: `changes something else first: ${first[1].slice(0, 300)}` }), trait }
}

function traitOf({ showings }: Transcript, pairs: readonly (readonly [string, string])[]): Trait {
  const places = [...new Set(showings.flatMap(({ place }) => (place === undefined ? [] : [place])))].sort()
  const found = new Set<Sign>()
  const shown = pairs.filter(([a, b]) =>
    showings.some(({ method, url }) => [a, b].some(l => l.includes(`${method} ${url} `))),
  )
  for (const [a, b] of shown.slice(0, 3)) for (const sign of signsOf(a, b)) found.add(sign)
  if (places.includes('webhook')) found.add('webhook')
  if (pairs.some(([a]) => a.startsWith('at its fastest'))) found.add('timing')
  if (found.size === 0) found.add('field')
  return { places, signs: [...found].sort() }
}

function signsOf(expected: string, found: string): Sign[] {
  const [a, b] = [partsOf(expected), partsOf(found)]
  if (a === undefined || b === undefined) return ['status']
  const isFile = /\/files\//.test(expected)
  return [
    ...(a.status !== b.status ? (['status'] as const) : []),
    ...(a.headers !== b.headers && a.status === b.status ? (['header'] as const) : []),
    ...(a.body === b.body || a.status !== b.status
      ? []
      : isFile
        ? (['file'] as const)
        : isJson(b.body)
          ? (['field'] as const)
          : (['body'] as const)),
  ]
}

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

/** "GET /v1/jobs {} → 200 name: value | … body" */
function partsOf(line: string): { status: string; headers: string; body: string } | undefined {
  const [, status, rest = ''] = / → (\d{3}) (.*)$/s.exec(line) ?? []
  if (status === undefined) return undefined
  const at = Math.max(0, rest.search(/(?<= )([{[<]|Too Many|\d+ bytes)/))
  return { status, headers: rest.slice(0, at), body: rest.slice(at) }
}
