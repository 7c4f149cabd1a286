/** Who may call, and what is whose (AUTH-1 to AUTH-3, GO-1). */
import { type OperationId, operations } from '../../contracts/operations.ts'
import { apiError } from '../errors.ts'
import { startJob, viewOf } from '../world/jobs.ts'
import {
  afterKey,
  asItArrives,
  beforeRoute,
  jobIdOf,
  jobIn,
  onCase,
  ownJobOf,
  restatusCase,
  rewriteErrors,
  rewriteJson,
} from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

/** The routes that need a key. */
const keyed = (Object.keys(operations) as OperationId[]).filter(id => operations[id].auth === 'key')

/** Whom a route takes a caller without a valid key for. */
const stranger = 'test_stranger'

/** Lets callers in who have no key, or one that nobody knows. */
const letIn = (mutation: Mutation, operation: OperationId, whom: 'no key' | 'an unknown key'): void =>
  asItArrives(mutation, operation, request => {
    const { headers } = request.raw
    const key = headers['x-api-key'] as string | undefined
    const isValid = key !== undefined && mutation.mock.worlds.ofKey(key, undefined) !== undefined
    if (isValid || (key === undefined) !== (whom === 'no key')) return
    headers['x-api-key'] = mutation.mock.worlds.ofId(jobIdOf(request))?.key ?? stranger
    mutation.acted(request)
  })

const openDoor = (operation: OperationId, route: string): Mutant => ({
  id: `missing-key-passes-${operation}`,
  breaks: ['AUTH-1'],
  what: `${route} needs no key`,
  apply: mutation => letIn(mutation, operation, 'no key'),
})

const lazyDoor = (operation: OperationId, route: string): Mutant => ({
  id: `unknown-key-passes-${operation}`,
  breaks: ['AUTH-1'],
  also: operation === 'getJob' ? ['GO-1', 'AUTH-3'] : ['GO-1'],
  what: `${route} takes any key`,
  apply: mutation => letIn(mutation, operation, 'an unknown key'),
})

const shutDoor = (operation: OperationId, route: string): Mutant => ({
  id: `legacy-key-needed-${operation}`,
  breaks: ['AUTH-2'],
  what: `${route} needs a key`,
  apply: mutation =>
    afterKey(mutation, operation, ({ exchange }) => {
      if (exchange.keyState === 'none') throw apiError('missing_api_key')
    }),
})

/** The header is known by one spelling of its name, as by a map that nobody made for headers. */
const spelled = (name: string): Mutant => ({
  id: `key-header-spelled-${name}`,
  breaks: ['AUTH-1'],
  what: `the key is taken from ${name} alone, not from other spellings of that name`,
  apply: mutation =>
    asItArrives(mutation, keyed, request => {
      const { rawHeaders, headers } = request.raw
      if (rawHeaders.includes(name) || headers['x-api-key'] === undefined) return
      delete headers['x-api-key']
      mutation.acted(request)
    }),
})

/** The job that a call names, and its world, where it is another key's. */
function foreignJobOf(mutation: Mutation, request: Parameters<typeof ownJobOf>[0]) {
  const world = mutation.mock.worlds.ofId(jobIdOf(request))
  const job = world?.jobs.get(jobIdOf(request))
  return world && job && !ownJobOf(request) ? { world, job } : undefined
}

export const authMutants: readonly Mutant[] = [
  {
    id: 'missing-key-wrong-code',
    breaks: ['AUTH-1'],
    what: 'a missing key is called invalid_api_key',
    apply: mutation =>
      rewriteErrors(mutation, '*', 'missing_api_key', error => {
        error.code = 'invalid_api_key'
      }),
  },
  {
    id: 'unknown-key-wrong-code',
    breaks: ['AUTH-1'],
    what: 'an unknown key is called missing_api_key',
    apply: mutation =>
      rewriteErrors(mutation, '*', 'invalid_api_key', error => {
        error.code = 'missing_api_key'
      }),
  },
  spelled('X-Api-Key'),
  spelled('x-api-key'),
  openDoor('getUsageSummary', 'GET /v1/usage/summary'),
  openDoor('listJobs', 'GET /v1/jobs'),
  openDoor('startJob', 'POST /v1/jobs/{job_id}/start'),
  openDoor('uploadVideo', 'POST /v1/uploads'),
  lazyDoor('getUsageEvents', 'GET /v1/usage/events'),
  lazyDoor('createJob', 'POST /v1/jobs'),
  lazyDoor('getJob', 'GET /v1/jobs/{job_id}'),
  shutDoor('uploadVideoLegacy', 'POST /api/upload'),
  shutDoor('getDownload', 'GET /api/download/{job_id}'),
  shutDoor('getPricing', 'GET /api/pricing'),
  {
    id: 'valid-key-refused-on-usage',
    breaks: ['GO-1'],
    also: ['AUTH-1', 'US-1'],
    what: 'GET /v1/usage/summary refuses a valid key',
    apply: mutation =>
      afterKey(mutation, 'getUsageSummary', () => {
        throw apiError('invalid_api_key')
      }),
  },
  {
    id: 'foreign-job-shown',
    breaks: ['AUTH-3'],
    also: ['ERR-4'],
    what: 'GET /v1/jobs/{job_id} shows the jobs of other keys',
    apply: mutation =>
      beforeRoute(mutation, 'getJob', (request, reply) => {
        const found = foreignJobOf(mutation, request)
        if (found) return reply.send(viewOf(found.world, found.job))
      }),
  },
  {
    id: 'foreign-job-started',
    breaks: ['AUTH-3'],
    what: 'another key can start a draft',
    apply: mutation =>
      beforeRoute(mutation, 'startJob', (request, reply) => {
        const found = foreignJobOf(mutation, request)
        if (!found) return
        startJob(found.world, found.job, {})
        const { id, status } = found.job.view
        return reply.send({ success: true, id, status, message: 'Job started' })
      }),
  },
  {
    id: 'foreign-jobs-listed',
    breaks: ['AUTH-3'],
    also: ['JOB-6'],
    what: "the list has all keys' jobs",
    apply: mutation =>
      rewriteJson(mutation, 'listJobs', (body, request) => {
        const { limit, offset, status } = request.query as { limit: number; offset: number; status: undefined }
        const pages = [...mutation.mock.worlds].map(world => ({ world, ...world.jobs.page(limit, offset, status) }))
        const jobs = pages.flatMap(({ world, jobs }) => jobs.map(job => jobIn(body, world, job)))
        const total = pages.reduce((sum, page) => sum + page.total, 0)
        Object.assign(body, { jobs: jobs.slice(0, limit), total })
      }),
  },
  {
    id: 'foreign-download',
    breaks: ['AUTH-3'],
    what: 'another key can download',
    apply: mutation =>
      beforeRoute(mutation, 'getDownload', (request, reply) => {
        const view = foreignJobOf(mutation, request)?.job.view
        if (request.exchange.keyState !== 'valid' || view?.status !== 'completed') return
        return reply.send({ success: true, download_url: view.output_url, output_format: view.output_format })
      }),
  },
  {
    id: 'foreign-job-403',
    breaks: ['AUTH-3'],
    also: ['ERR-4'],
    what: "another key's job is answered 403, which says that it is there",
    apply: mutation =>
      onCase(mutation, 'getJob', 'job_not_found', (answer, request) => {
        if (foreignJobOf(mutation, request)) answer.status = 403
      }),
  },
  {
    id: 'foreign-start-400',
    breaks: ['AUTH-3'],
    also: ['ERR-5'],
    what: "starting another key's job is answered 400",
    apply: mutation => restatusCase(mutation, 'startJob', 'job_not_found', 400),
  },
]
