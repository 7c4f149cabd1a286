/** Faults that show only after a sequence of calls (see sequences.ts): those of drafts and their starts. */
import type { FastifyRequest } from 'fastify'
import type { JobRecord } from '../world/jobStore.ts'
import { createJob } from '../world/jobs.ts'
import {
  beforeRoute,
  countOn,
  type Json,
  jobIdOf,
  keyOf,
  onAnswer,
  overcharging,
  ownJobOf,
  rewriteJson,
} from './change.ts'
import type { Mutant } from './mutant.ts'

export const draftSequenceMutants: readonly Mutant[] = [
  {
    id: 'refused-start-loses-metadata',
    breaks: ['JOB-5'],
    also: ['GO-7', 'JOB-3'],
    what: 'a draft whose start was refused loses its metadata when it is started with overrides',
    needs: 'explore',
    apply(mutation) {
      const refused = new Set<string>()
      const loseMetadata = ({ view }: JobRecord): void => {
        if (view.metadata !== undefined && view.metadata !== null) mutation.showsLater(view.id)
        view.metadata = undefined
      }
      onAnswer(mutation, 'startJob', ({ status }, request) => {
        if (status >= 400) refused.add(jobIdOf(request))
      })
      beforeRoute(mutation, 'startJob', request => {
        const job = ownJobOf(request)
        if (job?.view.status === 'created' && refused.has(job.view.id) && Object.keys(request.body ?? {}).length > 0)
          loseMetadata(job)
      })
    },
  },
  {
    id: 'refused-start-charges-double',
    breaks: ['CR-1'],
    also: ['CR-3', 'GO-3', 'JOB-3'],
    what: 'a draft whose start as a transparent mp4 was refused is charged twice when it completes',
    needs: 'explore',
    apply(mutation) {
      const charge = overcharging(mutation)
      const refused = new Set<string>()
      onAnswer(mutation, 'startJob', ({ status }, request) => {
        const job = ownJobOf(request)
        if (!job) return
        if (status === 400 && job.view.status === 'created') refused.add(job.view.id)
        else if (status < 300 && refused.delete(job.view.id)) charge(request.context.world, job.price)
      })
    },
  },
  {
    id: 'foreign-look-at-draft-hides-job',
    breaks: ['AUTH-3'],
    also: ['ERR-4', 'GO-1', 'JOB-5'],
    what: 'a draft that another key has asked for is not found by its owner once it is started',
    needs: 'explore',
    apply(mutation) {
      const hidden = new Set<string>()
      const hide = (request: FastifyRequest): void => {
        Object.assign(request.params as Json, { job_id: 'job_gone' })
        mutation.acted(request)
      }
      onAnswer(mutation, 'getJob', ({ status }, request) => {
        const id = jobIdOf(request)
        if (status === 404 && mutation.mock.worlds.ofId(id)?.jobs.get(id)?.view.status === 'created') hidden.add(id)
      })
      beforeRoute(mutation, 'getJob', request => {
        const job = ownJobOf(request)
        if (job && hidden.has(job.view.id) && job.view.status !== 'created') hide(request)
      })
    },
  },
  {
    id: 'third-start-makes-another-job',
    breaks: ['JOB-3'],
    also: ['GO-3', 'JOB-6', 'ID-1'],
    what: 'the third start of a job makes another one',
    needs: 'explore',
    apply(mutation) {
      const starts = new Map<string, number>()
      rewriteJson(mutation, 'startJob', ({ id }, request) => {
        const job = countOn(starts, id) === 3 ? ownJobOf(request) : undefined
        if (!job) return
        const other = createJob(request.context.world, { ...job.view, auto_start: false } as Json, job.baseUrl)
        mutation.showsLater(other.view.id)
      })
    },
  },
  {
    id: 'late-start-comes-first',
    breaks: ['JOB-6'],
    what: 'a draft that is started after a later draft was comes before that in the list',
    needs: 'explore',
    apply(mutation) {
      const latest = new Map<string, { n: number; id: string }>()
      const raised = new Set<string>()
      rewriteJson(mutation, 'startJob', (_accepted, request) => {
        const job = ownJobOf(request)
        if (job?.attempt !== 1) return
        const { n, view } = job
        const before = latest.get(keyOf(request))
        if (before && n < before.n) raised.add(view.id)
        else latest.set(keyOf(request), { n, id: view.id })
      })
      rewriteJson(mutation, 'listJobs', body => {
        const isRaised = ({ id }: Json) => Number(raised.has(id))
        body.jobs.sort((a: Json, b: Json) => isRaised(b) - isRaised(a))
      })
    },
  },
  {
    id: 'foreign-starts-share-draft',
    breaks: ['AUTH-3'],
    also: ['JOB-6'],
    what: "a draft that another key has tried to start twice is in that one's list",
    needs: 'explore',
    apply(mutation) {
      const tries = new Map<string, number>()
      onAnswer(mutation, 'startJob', ({ status }, request) => {
        if (status === 404) countOn(tries, `${keyOf(request)} ${jobIdOf(request)}`)
      })
      rewriteJson(mutation, 'listJobs', (body, request) => {
        for (const [name, count] of tries) {
          const [key, id = ''] = name.split(' ')
          const job = mutation.mock.worlds.ofId(id)?.jobs.get(id)
          if (key !== keyOf(request) || count < 2 || job?.view.status !== 'created') continue
          body.jobs.unshift(job.view)
          body.total++
        }
      })
    },
  },
]
