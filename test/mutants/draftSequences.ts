/** Faults that show only after a sequence of calls (see sequences.ts): those of drafts and their starts. */
import { createJob } from '../../server/world/jobs.ts'
import {
  beforeRoute,
  countOn,
  type Json,
  jobIdOf,
  keyOf,
  type Mutant,
  onAnswer,
  overcharging,
  ownJobOf,
  rewriteJson,
} from './tools.ts'

const transparentMp4 = { output_format: 'mp4', bg_type: 'transparent' }
const draft = { auto_start: false, metadata: { user: 7 } }

export const draftSequences: readonly Mutant[] = [
  {
    id: 'refused-start-loses-metadata',
    breaks: ['JOB-5'],
    also: ['GO-7', 'JOB-3'],
    what: 'a draft whose start was refused loses its metadata when it is started with overrides',
    needs: 'explore',
    async shows(api) {
      const id = await api.job(draft)
      await api.post(`/v1/jobs/${id}/start`, transparentMp4)
      await api.post(`/v1/jobs/${id}/start`, { model: 'light' })
      await api.get(`/v1/jobs/${id}`)
    },
    apply(app) {
      const refused = new Set<string>()
      onAnswer(app, 'startJob', ({ status }, request) => {
        if (status >= 400) refused.add(jobIdOf(request))
      })
      beforeRoute(app, 'startJob', request => {
        const job = ownJobOf(request)
        if (job?.view.status === 'created' && refused.has(job.view.id) && Object.keys(request.body ?? {}).length > 0)
          job.view.metadata = undefined
      })
    },
  },
  {
    id: 'refused-start-charges-double',
    breaks: ['CR-1'],
    also: ['CR-3', 'GO-3', 'JOB-3'],
    what: 'a draft whose start as a transparent mp4 was refused is charged twice when it completes',
    needs: 'explore',
    async shows(api) {
      const id = await api.job(draft)
      await api.post(`/v1/jobs/${id}/start`, transparentMp4)
      await api.post(`/v1/jobs/${id}/start`)
      await api.step('30s')
      await api.get('/v1/usage/summary?days=1')
    },
    apply(app) {
      const charge = overcharging(app)
      const refused = new Set<string>()
      onAnswer(app, 'startJob', ({ status }, request) => {
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
    async shows(api) {
      const id = await api.job(draft)
      await api.get(`/v1/jobs/${id}`, { key: 'test_b' })
      await api.post(`/v1/jobs/${id}/start`)
      await api.get(`/v1/jobs/${id}`)
    },
    apply(app) {
      const hidden = new Set<string>()
      onAnswer(app, 'getJob', ({ status }, request) => {
        const id = jobIdOf(request)
        if (status === 404 && app.mock.worlds.ofId(id)?.jobs.get(id)?.view.status === 'created') hidden.add(id)
      })
      beforeRoute(app, 'getJob', request => {
        const job = ownJobOf(request)
        if (job && hidden.has(job.view.id) && job.view.status !== 'created')
          Object.assign(request.params as Json, { job_id: 'job_gone' })
      })
    },
  },
  {
    id: 'third-start-makes-another-job',
    breaks: ['JOB-3'],
    also: ['GO-3', 'JOB-6', 'ID-1'],
    what: 'the third start of a job makes another one',
    needs: 'explore',
    async shows(api) {
      const id = await api.job(draft)
      for (let n = 0; n < 3; n++) await api.post(`/v1/jobs/${id}/start`)
      await api.get('/v1/jobs')
    },
    apply(app) {
      const starts = new Map<string, number>()
      rewriteJson(app, 'startJob', ({ id }, request) => {
        const job = countOn(starts, id) === 3 ? ownJobOf(request) : undefined
        if (job) createJob(request.context.world, { ...job.view, auto_start: false } as Json, job.baseUrl)
      })
    },
  },
  {
    id: 'late-start-comes-first',
    breaks: ['JOB-6'],
    what: 'a draft that is started after a later draft was comes before that in the list',
    needs: 'explore',
    async shows(api) {
      const first = await api.job(draft)
      const second = await api.job(draft)
      await api.post(`/v1/jobs/${second}/start`)
      await api.post(`/v1/jobs/${first}/start`)
      await api.get('/v1/jobs')
    },
    apply(app) {
      const latest = new Map<string, { n: number; id: string }>()
      const raised = new Set<string>()
      rewriteJson(app, 'startJob', (_accepted, request) => {
        const job = ownJobOf(request)
        if (job?.attempt !== 1) return
        const { n, view } = job
        const before = latest.get(keyOf(request))
        if (before && n < before.n) raised.add(view.id)
        else latest.set(keyOf(request), { n, id: view.id })
      })
      rewriteJson(app, 'listJobs', body => {
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
    async shows(api) {
      const id = await api.job(draft)
      await api.post(`/v1/jobs/${id}/start`, {}, { key: 'test_b' })
      await api.post(`/v1/jobs/${id}/start`, {}, { key: 'test_b' })
      await api.get('/v1/jobs', { key: 'test_b' })
    },
    apply(app) {
      const tries = new Map<string, number>()
      onAnswer(app, 'startJob', ({ status }, request) => {
        if (status === 404) countOn(tries, `${keyOf(request)} ${jobIdOf(request)}`)
      })
      rewriteJson(app, 'listJobs', (body, request) => {
        for (const [name, count] of tries) {
          const [key, id = ''] = name.split(' ')
          const job = app.mock.worlds.ofId(id)?.jobs.get(id)
          if (key !== keyOf(request) || count < 2 || job?.view.status !== 'created') continue
          body.jobs.unshift(job.view)
          body.total++
        }
      })
    },
  },
]
