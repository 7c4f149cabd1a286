/** The list of jobs (JOB-6). */
import type { App } from '../../server/app.ts'
import { beforeRoute, type Json, type Mutant, rewriteJson } from './tools.ts'

const listing = (id: string, what: string, apply: (app: App) => void): Mutant => ({
  id: `list-${id}`,
  breaks: ['JOB-6'],
  what,
  apply,
})

const ignoring = (parameter: string, change: (query: Json) => void): Mutant =>
  listing(`${parameter}-ignored`, `${parameter} makes no difference`, app =>
    beforeRoute(app, 'listJobs', ({ query }) => change(query)),
  )

export const lists: readonly Mutant[] = [
  listing('oldest-first', 'the oldest job comes first', app =>
    rewriteJson(app, 'listJobs', ({ jobs }) => jobs.reverse()),
  ),
  ignoring('status', query => {
    delete query.status
  }),
  ignoring('limit', query => {
    query.limit = 20
  }),
  ignoring('offset', query => {
    query.offset = 0
  }),
  listing('total-off', 'total counts one too many', app =>
    rewriteJson(app, 'listJobs', body => {
      body.total++
    }),
  ),
  listing('drafts-hidden', 'drafts are not listed', app =>
    rewriteJson(app, 'listJobs', body => {
      body.jobs = body.jobs.filter(({ status }: Json) => status !== 'created')
    }),
  ),
]
