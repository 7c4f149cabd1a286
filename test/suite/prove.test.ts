import t from 'tap'
import type { ClauseId } from '../../contracts/clauses.ts'
import { mutants, variants } from '../../server/mutants/index.ts'
import type { Mutant } from '../../server/mutants/mutant.ts'
import { checks } from '../../suite/checks/index.ts'
import { isLarge, judgeServer } from '../mutants/judge.ts'

/** Each clause is broken once, by the first mutant that breaks it; `npm run prove` has them all, and judges each by the whole suite. */
const sample = new Map<ClauseId, Mutant>()
for (const mutant of mutants)
  if (mutant.needs !== 'explore' && !isLarge(mutant))
    for (const id of mutant.breaks) if (!sample.has(id)) sample.set(id, mutant)

t.test('each clause that a mutant breaks is seen broken', async t => {
  const inSequencesAlone = mutants.flatMap(({ breaks }) => breaks).filter(id => !sample.has(id))
  t.same(inSequencesAlone, [])
  for (const mutant of new Set(sample.values())) {
    // What no check is about by itself, each answer is judged by.
    const hasCheck = mutant.breaks.every(id => checks.some(({ clauses }) => clauses.includes(id)))
    const { problems } = await judgeServer(mutant, { seed: mutant.id, ...(hasCheck && { only: [...mutant.breaks] }) })
    t.same(problems, [], `${mutant.id}: ${mutant.breaks.join(' ')}`)
  }
})

t.test('of a broken server the whole suite accuses nothing else, and of a different one nothing', async t => {
  for (const server of [...mutants.slice(0, 1), ...variants.slice(0, 2)]) {
    const { problems } = await judgeServer(server, { seed: server.id })
    t.same(problems, [], server.id)
  }
})

t.test('there are at least 80 mutants and 15 correct variants, each with a name of its own', async t => {
  t.ok(mutants.length >= 80, `${mutants.length} mutants`)
  t.ok(variants.length >= 15, `${variants.length} variants`)
  const ids = [...mutants, ...variants].map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  t.ok(mutants.filter(({ needs }) => needs === 'explore').length >= 5, 'some break only after a sequence of calls')
})
