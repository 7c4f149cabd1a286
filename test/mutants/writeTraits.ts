/**
 * Writes server/mutants/traits.ts: where each mutant and variant shows itself, and by what, as an ordinary session finds it.
 *
 *     npx tsx test/mutants/writeTraits.ts [a part of some names: nothing is written then]
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mutants, variants } from '../../server/mutants/index.ts'
import type { Trait } from '../../server/mutants/traits.ts'
import { showingOf, transcriptOf } from './showing.ts'

const [part] = process.argv.slice(2)
const all = [...mutants, ...variants].filter(
  ({ id }) => part === undefined || part.split(',').some(one => id.includes(one)),
)
const ordinary = await transcriptOf()
const traits = new Map<string, Trait>()
const problems: string[] = []
const queue = [...all]
await Promise.all(
  // Most of a session is waiting for one answer after the other.
  Array.from({ length: 3 }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { problem, trait } = await showingOf(next, ordinary)
      traits.set(next.id, trait)
      if (problem !== undefined) problems.push(`${next.id} ${problem}`)
      if (part !== undefined) console.log(next.id, JSON.stringify(trait))
    }
  }),
)
for (const problem of problems) console.error(problem)
console.log(`${all.length} checked, ${problems.length} problems`)
if (part === undefined) {
  const rows = all.map(({ id }) => `  ${JSON.stringify(id)}: ${JSON.stringify(traits.get(id))},`)
  const path = 'server/mutants/traits.ts'
  writeFileSync(
    path,
    `/** Where each shows itself, and by what a client can notice it. Made by test/mutants/writeTraits.ts; the tests hold it true. */
import type { Sign } from './mutant.ts'
import type { MutantPlace } from './mutation.ts'

export interface Trait {
  places: readonly MutantPlace[]
  signs: readonly Sign[]
  /** At any route. */
  anywhere?: true
  /** It changes nothing but refusals, and these were met. */
  statuses?: readonly number[]
}

export const traits: Readonly<Record<string, Trait>> = {
${rows.join('\n')}
}
`,
  )
  spawnSync('npx', ['biome', 'check', '--write', path], { stdio: 'inherit' })
}
process.exitCode = problems.length === 0 ? 0 : 1
