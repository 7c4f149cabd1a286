/** The list of jobs (JOB-6). */

import { type Json, jobIn, rewriteJson } from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

const listing = (id: string, what: string, apply: (mutation: Mutation) => void): Mutant => ({
  id: `list-${id}`,
  breaks: ['JOB-6'],
  what,
  apply,
})

const ignoring = (parameter: 'limit' | 'offset' | 'status', instead: unknown): Mutant =>
  listing(`${parameter}-ignored`, `${parameter} makes no difference`, mutation =>
    rewriteJson(mutation, 'listJobs', (body, { query, context: { world } }) => {
      const { limit, offset, status } = { ...(query as Record<string, Json>), [parameter]: instead } as Record<
        string,
        Json
      >
      const page = world.jobs.page(limit, offset, status)
      const jobs = page.jobs.map(job => jobIn(body, world, job))
      Object.assign(body, { jobs, total: page.total, limit, offset })
    }),
  )

export const listMutants: readonly Mutant[] = [
  listing('oldest-first', 'the oldest job comes first', mutation =>
    rewriteJson(mutation, 'listJobs', ({ jobs }) => jobs.reverse()),
  ),
  ignoring('status', undefined),
  ignoring('limit', 20),
  ignoring('offset', 0),
  listing('total-off', 'total counts one too many', mutation =>
    rewriteJson(mutation, 'listJobs', body => {
      body.total++
    }),
  ),
  listing('drafts-hidden', 'drafts are not listed', mutation =>
    rewriteJson(mutation, 'listJobs', body => {
      body.jobs = body.jobs.filter(({ status }: Json) => status !== 'created')
    }),
  ),
]
