/** GET /__mock/worlds and /__mock/jobs: what the desk shows of each world, and what happened to each job. */
import type { JobList, JobTimeline, WorldList, WorldState } from '../../client/desk.ts'
import type { WorldSelector } from '../../client/mock.ts'
import type { JobState } from '../../contracts/schemas.ts'
import type { Mock } from '../mock.ts'
import type { JobRecord } from '../world/jobStore.ts'
import { viewOf } from '../world/jobs.ts'
import type { World } from '../world/world.ts'
import { isWorldSelected } from '../world/worlds.ts'
import { clockStateOf } from './clock.ts'
import { accountIn, stateOf } from './keys.ts'

export interface WorldsQuery extends WorldSelector {
  limit: number
}

/** The worlds that were called last, newest first. */
export function listWorlds(mock: Mock, { limit, ...selector }: WorldsQuery): WorldList {
  const found = chosen(mock, selector).sort((a, b) => b.lastUsed - a.lastUsed)
  return { worlds: found.slice(0, limit).map(world => worldState(mock, world)), count: found.length }
}

/** A key that has no world yet gets none by being looked for. */
const chosen = ({ worlds }: Mock, selector: WorldSelector): World[] =>
  [...worlds].filter(world => isWorldSelected(world, selector))

function worldState(mock: Mock, world: World): WorldState {
  const state = stateOf(mock, world)
  const { limits } = accountIn(mock, world)
  const now = world.clock.now()
  const endsAt = (window: { endsAt: number } | undefined): string | null =>
    window !== undefined && now < window.endsAt ? iso(window.endsAt) : null
  return {
    ...state,
    name: world.name,
    entries: world.journal.size,
    evicted: world.journal.evicted,
    rate_limit_ends_at: endsAt(limits.requests),
    job_limit_ends_at: endsAt(limits.jobs),
    clock: clockStateOf(world.clock),
    active: mock.scenarios.active(world),
  }
}

export interface JobsQuery extends WorldSelector {
  limit: number
  status?: JobState
  job_id?: string
}

/** The newest jobs of the worlds that fit, each with what the journal has of it. */
export function listJobs(mock: Mock, { limit, status, job_id: jobId, ...selector }: JobsQuery): JobList {
  const worlds = chosen(mock, selector)
  let count = 0
  const found: { world: World; job: JobRecord }[] = []
  for (const world of worlds) {
    world.clock.catchUp()
    if (jobId !== undefined) {
      const job = world.jobs.get(jobId)
      if (job) found.push({ world, job })
      count += job ? 1 : 0
      continue
    }
    const { jobs, total } = world.jobs.page(limit, 0, status)
    count += total
    for (const job of jobs) found.push({ world, job })
  }
  found.sort((a, b) => b.job.view.created_at.localeCompare(a.job.view.created_at) || b.job.n - a.job.n)
  const shown = found.slice(0, limit)
  const timelines = new Map(shown.map(({ world, job }) => [job.view.id, timelineOf(world, job)]))
  // A legacy poll needs no key, and is in the journal of those without one.
  for (const world of new Set([...shown.map(one => one.world), ...keylessWorlds(mock)])) addEvents(world, timelines)
  return {
    jobs: shown.map(({ world, job }) => {
      const timeline = timelines.get(job.view.id) as JobTimeline
      return mock.journal.redactIn(timeline, world)
    }),
    count,
  }
}

const keylessWorlds = ({ worlds }: Mock): World[] => [...worlds].filter(({ key }) => key === undefined)

function timelineOf(world: World, job: JobRecord): JobTimeline {
  const { timer, view } = job
  return {
    world: world.name,
    job: structuredClone(viewOf(world, job)),
    attempt: job.attempt,
    credits: job.price / 1000,
    processing_at: job.processingSince > 0 && view.status !== 'pending' ? iso(job.processingSince) : null,
    due_at: timer === undefined || timer.cancelled ? null : iso(timer.at),
    completed_at: job.completedAt > 0 ? iso(job.completedAt) : null,
    polls: [],
    deliveries: [],
  }
}

/** Of a job that is polled without end, the last are enough. */
const maxPolls = 200

function addEvents(world: World, timelines: ReadonlyMap<string, JobTimeline>): void {
  for (const entry of world.journal) {
    const timeline = entry.jobId === null ? undefined : timelines.get(entry.jobId)
    if (timeline === undefined) continue
    const common = { seq: entry.seq, time: iso(entry.at), status: entry.status }
    if (entry.kind === 'webhook') {
      const { deliveryId, event, attempt, error } = entry
      timeline.deliveries.push({ ...common, delivery_id: deliveryId, event, attempt, error })
    } else if (entry.operation === 'getJob' || entry.operation === 'getDownload') {
      if (timeline.polls.length >= maxPolls) timeline.polls.shift()
      timeline.polls.push(common)
    }
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
