import t from 'tap'
import type { ClauseId } from '../../contracts/clauses.ts'
import { mutants, variants } from '../../server/mutants/index.ts'
import { isMutant, type Mutant } from '../../server/mutants/mutant.ts'
import { checks } from '../../suite/checks/index.ts'
import { isLarge, judgeServer } from '../mutants/judge.ts'
import { otherFormats } from './checking.ts'

/** Each clause is broken once, by the first mutant that breaks it; `npm run prove` has them all, and judges each by the whole suite. */
const sample = new Map<ClauseId, Mutant>()
for (const mutant of mutants)
  if (mutant.needs !== 'explore' && !isLarge(mutant))
    for (const id of mutant.breaks) if (!sample.has(id)) sample.set(id, mutant)

/** What no check is about by itself, each answer is judged by: it takes the whole suite. */
const hasCheck = ({ breaks }: Mutant): boolean => breaks.every(id => checks.some(({ clauses }) => clauses.includes(id)))
const [ofWhole, ...more] = [...new Set(sample.values())].filter(mutant => !hasCheck(mutant))

t.test('each clause that a mutant breaks is seen broken', async t => {
  const inSequencesAlone = mutants.flatMap(({ breaks }) => breaks).filter(id => !sample.has(id))
  t.same(inSequencesAlone, [])
  for (const mutant of new Set(sample.values())) {
    if (mutant === ofWhole) continue
    const only = hasCheck(mutant) ? { only: [...mutant.breaks] } : {}
    const { problems } = await judgeServer(mutant, { seed: mutant.id, skip: otherFormats, ...only })
    t.same(problems, [], `${mutant.id}: ${mutant.breaks.join(' ')}`)
  }
  t.same(more, [], 'the next test has the one that takes the whole suite')
})

t.test('of a broken server the whole suite accuses nothing else, and of a different one nothing', async t => {
  const different = variants.find(({ id }) => id === 'create-202')
  const servers = [ofWhole, different].filter(server => server !== undefined)
  t.same(servers.map(isMutant), [true, false])
  for (const server of servers) {
    const { problems } = await judgeServer(server, { seed: server.id, skip: otherFormats })
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
