import t from 'tap'
import type { ClauseId } from '../../contracts/clauses.ts'
import { onAnswer, rewriteJson } from '../../server/mutants/change.ts'
import { mutants, variants } from '../../server/mutants/index.ts'
import { isMutant, type Mutant, type Variant } from '../../server/mutants/mutant.ts'
import { checks } from '../../suite/checks/index.ts'
import { isLarge, judgeServer } from '../mutants/judge.ts'
import { clauseOf, otherFormats } from './checking.ts'

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

t.test('pending is a draft, or a job in its queue: neither is taken for the other', async t => {
  const draftIsPending = variants.find(({ id }) => id === 'draft-is-pending')
  let first: string | undefined
  const queuesLater: Variant = {
    id: 'queues-later',
    grants: 'JOB-4',
    what: 'a draft is pending, and so are jobs in the queue, which the first one does not have to wait in',
    apply(mutation) {
      draftIsPending?.apply(mutation)
      onAnswer(mutation, 'createJob', ({ body }, request) => {
        if ((request.body as { auto_start?: boolean }).auto_start !== false) first ??= body.id
      })
      rewriteJson(mutation, 'getJob', job => {
        if (job.id === first && job.status === 'pending') job.status = 'processing'
      })
    },
  }
  const queued = await judgeServer(queuesLater, { seed: 'queue', only: ['jobs.draft', 'jobs.auto-start'] })
  t.same(queued.problems, [])
  t.equal(clauseOf(queued.report, 'JOB-4').verdict, 'skipped', 'by two checks of several')
  t.ok(first)

  const startsAtOnce = mutants.find(({ id }) => id === 'draft-starts-at-once') as Mutant
  const only = ['jobs.draft', 'jobs.alpha-start', 'jobs.list']
  const started = await judgeServer(startsAtOnce, { seed: 'queue', only })
  t.same(started.problems, [])
  for (const id of ['JOB-6', 'JOB-7'] as const)
    t.match(clauseOf(started.report, id), { verdict: 'skipped', reason: /a draft does not wait here \(JOB-3\)/ })

  let isFirst = true
  const both: Mutant = {
    ...startsAtOnce,
    breaks: ['JOB-3', 'JOB-5'],
    apply(mutation) {
      startsAtOnce.apply(mutation)
      rewriteJson(mutation, 'getJob', job => {
        if (isFirst) delete job.model
        isFirst = false
      })
    },
  }
  const { problems } = await judgeServer(both, { seed: 'queue', only })
  t.same(problems, [], 'what an answer lacks is told all the same')
})

t.test('there are at least 80 mutants and 15 correct variants, each with a name of its own', async t => {
  t.ok(mutants.length >= 80, `${mutants.length} mutants`)
  t.ok(variants.length >= 15, `${variants.length} variants`)
  const ids = [...mutants, ...variants].map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  t.ok(mutants.filter(({ needs }) => needs === 'explore').length >= 5, 'some break only after a sequence of calls')
})
