/**
 * Proves that every mutant is one: an ordinary session on it must be answered otherwise than by the mock. One that is
 * for exploring must be answered the same there, and otherwise on its own sequence of calls. Variants must differ too,
 * or they would prove nothing.
 *
 *     node --import=tsx test/mutants/selfcheck.ts [id, or a part of one]
 */
import { clientOf } from './client.ts'
import { mutants } from './mutants.ts'
import { ordinarySession, sessionOptions } from './session.ts'
import { type Mutant, startMutant, type Variant } from './tools.ts'
import { variants } from './variants.ts'

type Session = NonNullable<Mutant['shows']>

const plain: Pick<Mutant, 'apply'> = { apply: () => {} }
/** Most of a session is waiting for one answer after the other. */
const atOnce = 3

async function transcriptOf(server: Pick<Mutant, 'apply'>, session: Session): Promise<string[]> {
  const mock = await startMutant(server, sessionOptions)
  const api = clientOf(mock.url)
  try {
    await api.freeze()
    await session(api)
    return api.transcript
  } catch (error) {
    // An answer that stops the session is a difference too.
    return [...api.transcript, `stopped: ${(error as Error).message}`]
  } finally {
    api.close()
    await mock.close()
  }
}

/** The first line in which two transcripts differ, from a little before where they do; undefined when they don't. */
function differenceOf(expected: readonly string[], found: readonly string[]): string | undefined {
  const lines = Math.max(expected.length, found.length)
  const different = Array.from({ length: lines }, (_, i) => i).filter(i => expected[i] !== found[i])
  const [at] = different
  if (at === undefined) return undefined
  const [mock = 'nothing more', mutant = 'nothing more'] = [expected[at], found[at]]
  let same = 0
  while (mock[same] === mutant[same]) same++
  const call = mock.slice(0, mock.indexOf(' {'))
  const shown = (line: string) => line.slice(Math.max(0, same - 60), same + 140)
  return `  ${different.length} of ${lines} lines differ, first ${call}\n    mock:   ${shown(mock)}\n    mutant: ${shown(mutant)}`
}

/** What is wrong with a mutant; nothing when its fault shows where it should. */
async function problemOf(server: Mutant | Variant, expected: readonly string[]): Promise<string | undefined> {
  const difference = differenceOf(expected, await transcriptOf(server, ordinarySession))
  if (process.argv[2]) console.log(`${server.id}\n${difference ?? '  the same'}`)
  const shows = 'shows' in server ? server.shows : undefined
  if (shows === undefined) return difference === undefined ? 'is answered as the mock is' : undefined
  if (difference !== undefined) return `shows in an ordinary session:\n${difference}`
  const own = differenceOf(await transcriptOf(plain, shows), await transcriptOf(server, shows))
  if (process.argv[2]) console.log(own ?? '  the same')
  return own === undefined ? 'does not show on its own sequence' : undefined
}

const startedAt = performance.now()
const wanted = (process.argv[2] ?? '').split(',')
const all = [...mutants, ...variants].filter(({ id }) => wanted.some(part => id.includes(part)))
const problems: string[] = []

for (const { id } of all) {
  if (all.filter(other => other.id === id).length > 1) problems.push(`${id} is there twice`)
}
const expected = await transcriptOf(plain, ordinarySession)
const again = differenceOf(expected, await transcriptOf(plain, ordinarySession))
if (again) problems.push(`the mock does not answer the session the same each time:\n${again}`)

const queue = [...all]
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const problem = await problemOf(next, expected)
      if (problem) problems.push(`${next.id} ${problem}`)
    }
  }),
)

for (const problem of problems) console.error(problem)
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(
  `${mutants.length} mutants, ${variants.length} variants; ${all.length} checked in ${seconds} s, ${problems.length} problems`,
)
process.exitCode = problems.length === 0 ? 0 : 1
