/** How a job goes, from how it is written; a timeline has to keep JOB-4. */

import type { JobFormat } from '../../client/scenarioFormat.ts'
import { type JobState, webhookEvents } from '../../contracts/schemas.ts'
import type { PlanChanges, WebhookFault } from '../world/plan.ts'
import { msOf } from './format.ts'
import type { ScenarioProblem } from './problems.ts'

/** A job's plan over another one: what decides the same is not mixed. */
export function mergeJobs(base: JobFormat | undefined, own: JobFormat | undefined): JobFormat | undefined {
  if (!base || !own) return own ?? base
  const { timeline, ...single } = base
  const { outcome: _o, queue: _q, duration: _d, stuck_at: _s, ...neither } = single
  if (own.timeline) return { ...neither, ...own }
  const decides = (own.outcome ?? own.queue ?? own.duration ?? own.stuck_at) !== undefined
  return { ...single, ...(timeline && !decides && { timeline }), ...own }
}

export function compileJob(
  given: JobFormat | undefined,
  path: ScenarioProblem['path'],
  problems: ScenarioProblem[],
): PlanChanges | undefined {
  if (given === undefined) return undefined
  const timeline = timelineOf(given.timeline, [...path, 'timeline'], problems)
  if (given.timeline && (given.outcome ?? given.queue ?? given.duration ?? given.stuck_at) !== undefined) {
    problems.push({
      path: [...path, 'timeline'],
      message: 'stands beside outcome, queue, duration or stuck_at, which it decides itself',
    })
  }
  const changes: PlanChanges = {
    outcome: given.outcome,
    error: given.error,
    queueMs: msOf(given.queue),
    processingMs: msOf(given.duration),
    stuckAt: given.stuck_at,
    webhooks: webhooksOf(given.webhooks),
    ...timeline,
  }
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

/** JOB-4 holds for a timeline too: states by the documented moves, progress never back. */
function timelineOf(
  steps: JobFormat['timeline'],
  path: ScenarioProblem['path'],
  problems: ScenarioProblem[],
): PlanChanges | undefined {
  if (steps === undefined) return undefined
  let at = 0
  let progress = 0
  let begunAt: number | undefined
  let state = 'pending' as JobState
  const points: { atMs: number; progress: number }[] = []
  steps.forEach((step, i) => {
    const say = (field: string, message: string) => problems.push({ path: [...path, i, field], message })
    const afterMs = msOf(step.after) as number
    if (afterMs < at) say('after', `is ${step.after}, earlier than the step before it`)
    at = Math.max(at, afterMs)
    if (state === 'completed' || state === 'failed') say('after', `can never come: the job has ${state} before (JOB-4)`)
    if (step.progress !== undefined && step.progress < progress)
      say('progress', `is ${step.progress}, less than before: progress never goes back (JOB-4)`)
    progress = Math.max(progress, step.progress ?? 0)
    if (step.status !== undefined) {
      if (step.status === 'processing' && state === 'processing') say('status', 'is processing already')
      if (begunAt === undefined && step.status !== 'processing')
        say('status', `is ${step.status}, but the job has not been processing before (JOB-4)`)
      if (step.status === 'processing') begunAt ??= at
      state = step.status
    } else if (begunAt === undefined) say('progress', 'comes before the job is processing (JOB-4)')
    if (step.progress !== undefined) points.push({ atMs: at - (begunAt ?? at), progress: step.progress })
  })
  const ends = state === 'completed' || state === 'failed'
  return {
    outcome: ends ? (state as 'completed' | 'failed') : 'stuck',
    queueMs: begunAt ?? at,
    processingMs: ends ? at - (begunAt ?? at) : Number.POSITIVE_INFINITY,
    points: points.filter(point => !ends || point.atMs < at - (begunAt ?? at)),
  }
}

const defaultCopies = 2
const defaultLateMs = 30_000
const defaultStaleMs = 600_000

function webhooksOf(given: JobFormat['webhooks']): PlanChanges['webhooks'] {
  if (given === undefined) return undefined
  const isOne = typeof given === 'string' || 'type' in given
  return Object.fromEntries(
    webhookEvents.flatMap(event => {
      const fault = isOne ? given : (given as Record<string, typeof given>)[event]
      return fault === undefined ? [] : [[event, webhookFaultOf(fault as never)]]
    }),
  )
}

function webhookFaultOf(
  given: WebhookFault['type'] | { type: WebhookFault['type']; copies?: number; by?: string },
): WebhookFault {
  const { type, copies = defaultCopies, by } = typeof given === 'string' ? { type: given } : given
  return { type, copies, lateMs: msOf(by) ?? (type === 'stale' ? defaultStaleMs : defaultLateMs) } as WebhookFault
}
