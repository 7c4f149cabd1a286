/** POST /__mock/jobs/{id}: a job's state by hand. */

import type { JobChange, WorldSelector } from '../../client/mock.ts'
import type { Job, JobState } from '../../contracts/schemas.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import * as jobs from '../world/jobs.ts'
import { worldOf } from './select.ts'

/** `selector` says whose job it is, where a snapshot has given one id to two worlds; without it, the first one's. */
export function changeJob(mock: Mock, id: string, change: JobChange, selector: WorldSelector = {}): Job {
  const { status, progress, error, hold } = change
  const isWhose = selector.key !== undefined || selector.world !== undefined
  const world = isWhose ? worldOf(mock, selector) : mock.worlds.ofId(id)
  world?.clock.catchUp()
  const job = world?.jobs.get(id)
  if (!world || !job) throw apiError('job_not_found', `there is no job ${JSON.stringify(id)}`)
  const { view, plan } = job
  jobs.viewOf(world, job)
  if (progress !== undefined) refuseProgress(view, status ?? view.status, progress)
  if (error !== undefined) job.plan = { ...plan, error }
  if (status !== undefined && !jobs.forceJob(world, job, status)) {
    job.plan = plan
    throw apiError(
      'invalid_field',
      `status is ${status}, but no documented way leads there from ${view.status} (JOB-4)`,
    )
  }
  if (progress !== undefined) view.progress = progress
  if (hold) {
    world.clock.cancel(job.timer)
    job.timer = undefined
    job.plan = { ...job.plan, outcome: 'stuck', stuckAt: view.progress, points: undefined }
  }
  job.json = undefined
  return structuredClone(jobs.viewOf(world, job))
}

/** JOB-4: progress never goes back, and only a job in processing has some. */
function refuseProgress(view: Job, status: JobState, progress: number): void {
  if (status !== 'processing') {
    throw apiError(
      'invalid_field',
      `progress is ${progress}, but the job is ${status}; expected it with processing (JOB-4)`,
    )
  }
  if (view.status !== 'processing' || progress >= view.progress) return
  throw apiError('invalid_field', `progress is ${progress}, the job is at ${view.progress}: it never goes back (JOB-4)`)
}
