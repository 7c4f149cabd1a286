/** JOB-4: states only go forward, terminal ones stay, progress never goes back; polls that overlap have no order. */

import { field } from '../../contracts/answers.ts'
import type { JobFacts, Span } from './ledger.ts'
import { own } from './ledger.ts'
import { isAfter, type Look, type Observer } from './observer.ts'

/** One page knows created, another pending, for a job that has not begun. */
const ranks: Readonly<Record<string, number>> = { created: 0, pending: 0, processing: 1, completed: 2, failed: 2 }

/**
 * A failed job may be started again by somebody who is not in the recording. A server that takes a failure back shows
 * it at the next poll; so soon nobody starts it by hand.
 */
const soonMs = 10_000

interface Poll extends Span {
  index: number
  status: string
  progress: number | undefined
}

interface Polls {
  /** Those whose end has to pass before all is known that overlaps with them, by their beginnings. */
  queue: Poll[]
  /** Judged, but others may have begun before their end. */
  recent: Poll[]
  furthest: Poll | undefined
  progress: Poll | undefined
}

export const states: Observer = {
  id: 'traffic.states',
  title: "a job's states only go forward, and its progress never back",
  clauses: ['JOB-4', 'JOB-3'],
  watch(look, ledger) {
    const byJob = new Map<string, Polls>()
    return {
      call({ call, index, isGood, hasBody }) {
        const { jobId, operation } = call
        if (jobId === undefined || (operation !== 'getJob' && operation !== 'startJob')) return
        const known = byJob.get(jobId)
        if (known) settle(known, ledger.job(jobId), call.at, look)
        if (operation !== 'getJob' || !isGood || !hasBody) return
        const status = field(call, 'status')
        if (typeof status !== 'string' || !(status in ranks)) return
        const progress = field(call, 'progress')
        const { at, endedAt } = call
        const poll = {
          index,
          at,
          endedAt,
          status: own(status),
          progress: typeof progress === 'number' ? progress : undefined,
        }
        if (known) known.queue.push(poll)
        else byJob.set(own(jobId), { queue: [poll], recent: [], furthest: undefined, progress: undefined })
      },
      end() {
        for (const [id, polls] of byJob) settle(polls, ledger.job(id), Number.POSITIVE_INFINITY, look)
      },
    }
  },
}

function settle(polls: Polls, job: JobFacts, now: number, look: Look): void {
  for (let next = polls.queue[0]; next && next.endedAt < now; next = polls.queue[0]) {
    polls.queue.shift()
    polls.recent = polls.recent.filter(earlier => {
      if (!isAfter(next, earlier)) return true
      advance(polls, earlier)
      return false
    })
    compare(polls, job, next, look)
    polls.recent.push(next)
  }
}

function advance(polls: Polls, poll: Poll): void {
  const { furthest, progress } = polls
  if (furthest === undefined || rankOf(poll) > rankOf(furthest)) polls.furthest = poll
  if (poll.progress !== undefined && poll.progress > (progress?.progress ?? -1)) polls.progress = poll
}

const rankOf = ({ status }: Poll): number => ranks[status] as number

/** Whether a start may have acted between what the two saw. */
const isRestarted = ({ starts = [] }: JobFacts, before: Span, now: Span): boolean =>
  starts.some(start => start.at < now.endedAt && start.endedAt > before.at)

function compare(polls: Polls, job: JobFacts, now: Poll, look: Look): void {
  if (job.isDraft && job.starts === undefined && rankOf(now) === 0)
    look(now.index, 'JOB-3', true, 'a draft that waits', now.status, {
      pointer: '/status',
      note: `a draft is ${now.status}`,
    })
  const before = polls.furthest
  if (before === undefined) return
  const restarted = isRestarted(job, before, now)
  if (restarted && before.status === 'failed') {
    polls.furthest = undefined
    polls.progress = undefined
    return
  }
  const isBack = rankOf(now) < rankOf(before) || (rankOf(before) === 2 && now.status !== before.status)
  const isMaybeRestarted = before.status === 'failed' && (job.maker === undefined || now.at - before.endedAt > soonMs)
  if (isBack && isMaybeRestarted) {
    polls.furthest = undefined
    polls.progress = undefined
    return
  }
  const clauses = isBack && restarted ? (['JOB-4', 'JOB-3'] as const) : (['JOB-4'] as const)
  const expected =
    rankOf(before) === 2 ? `${before.status}, which is terminal` : `${before.status} or what comes after it`
  look(now.index, clauses, !isBack, expected, now.status, { pointer: '/status' })
  const { progress } = polls
  // What a failed job shows as its progress says nothing of how far it would have come.
  if (isBack || restarted || now.progress === undefined || progress?.progress === undefined || now.status === 'failed')
    return
  const isLess = now.progress < progress.progress
  look(now.index, 'JOB-4', !isLess, `${progress.progress} or more`, String(now.progress), { pointer: '/progress' })
}
