/** RL-3: how often a client looks after its job, and when it stops. */
import { plural } from '../../base/text.ts'
import { type Client, type ClientCall, gapOf, isTerminal } from '../client.ts'
import { broke, type ConductRule, kept, type RuleFinding, time } from '../rule.ts'

/** RL-3: 2 s at first; a little less is a timer's matter. */
const leastMs = 1_900
/** An answer that can't be read is one to try again: after a second at first. */
const leastRetryMs = 900
/** RL-3: 5 to 10 s for long jobs. */
const slowMs = 4_500
/** What a long job is. */
const longMs = 45_000
/** Who comes back much later looks at a finished job, and does not wait for it. */
const afterwardsMs = 60_000

/** Two polls of a job, one after the other. */
interface Pair {
  before: ClientCall
  poll: ClientCall
}

const pairsOf = (polls: readonly ClientCall[]): Pair[] =>
  polls.slice(1).map((poll, i) => ({ before: polls[i] as ClientCall, poll }))

/** A delivery is taken at once, and may be worked on later. */
const workedOnWithinMs = 60_000

/** Polls that something else than the client's own clock has brought about: a webhook, a start, a download too early. */
function withReason(client: Client, polls: readonly ClientCall[]): Set<ClientCall> {
  const isReason = ({ operation, status }: ClientCall) =>
    operation === 'startJob' || (operation === 'getDownload' && status >= 400)
  const id = polls[0]?.jobId
  const reasons = [...client.hooksOf(id).filter(({ status }) => status > 0), ...client.ofJob(id).filter(isReason)].sort(
    (a, b) => a.at - b.at,
  )
  const found = new Set<ClientCall>()
  // Each explains one look at the job: the one that its own pace does not.
  for (const { at } of reasons) {
    const soon = polls.filter(poll => poll.at >= at && poll.at - at <= workedOnWithinMs && !found.has(poll))
    const odd = soon.find(poll => {
      const before = polls[polls.indexOf(poll) - 1]
      return before !== undefined && (isTerminal(before.state) || gapOf(before, poll) < leastMs)
    })
    const explained = odd ?? soon[0]
    if (explained !== undefined) found.add(explained)
  }
  return found
}

/** Polls in one go: a job that is started again, a person who comes back, a program that begins anew are others. */
function sessionsOf(client: Client, polls: readonly ClientCall[]): ClientCall[][] {
  const starts = client.ofJob(polls[0]?.jobId).filter(({ operation }) => operation === 'startJob')
  const sessions: ClientCall[][] = []
  let lastGap = 0
  for (const poll of polls) {
    const before = sessions.at(-1)?.at(-1)
    const gap = before === undefined ? 0 : gapOf(before, poll)
    const isNew =
      before === undefined ||
      isTerminal(before.state) ||
      gap > Math.max(afterwardsMs, 3 * lastGap) ||
      (lastGap > slowMs && gap < lastGap / 2) ||
      starts.some(({ at }) => at >= before.at && at <= poll.at)
    if (isNew) sessions.push([poll])
    else sessions.at(-1)?.push(poll)
    lastGap = isNew ? 0 : gap
  }
  return sessions
}

const eachSession = (
  client: Client,
  judge: (polls: readonly ClientCall[], id: string) => RuleFinding[],
): RuleFinding[] =>
  [...client.polls].flatMap(([id, polls]) => sessionsOf(client, polls).flatMap(session => judge(session, id)))

/** How many in a row fit at the most. */
function longestRun<T>(values: readonly T[], fits: (value: T) => boolean): number {
  let longest = 0
  let run = 0
  for (const value of values) {
    run = fits(value) ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return longest
}

/** Once or twice in a row somebody else may have looked, where there may be somebody else. */
const hastyAtLeast = 3

/** It was answered 2xx, and did not say that the job is over; it may have said nothing that can be read. */
const isOnTheWay = ({ status, cut, state }: ClientCall): boolean =>
  status >= 200 && status < 300 && cut === undefined && !isTerminal(state)

export const pace: ConductRule = {
  id: 'polling.pace',
  level: 'must',
  since: '2026-11',
  tolerance: '100 ms',
  clauses: ['RL-3'],
  title: 'A job is polled every 2 s, and not more often',
  advice: 'Wait 2 s between polls at first; better still, give a webhook_url and poll only as a fallback.',
  provoke: ['job-slow-progress'],
  judge: (client, { isAlone }) =>
    eachSession(client, (polls, id): RuleFinding[] => {
      const explained = withReason(client, polls)
      const own = pairsOf(polls).filter(({ before, poll }) => isOnTheWay(before) && !explained.has(poll))
      if (own.length === 0) return []
      const gaps = own.map(({ before, poll }) => gapOf(before, poll))
      const early = own.map(({ before }, i) => (gaps[i] as number) < (before.isGood ? leastMs : leastRetryMs))
      const said = `polled ${id} again after ${gaps.slice(0, 5).map(time).join(', ')}`
      const facts = [...new Set(own.slice(0, 5).flatMap(({ before, poll }) => [before, poll]))]
      const isHasty =
        longestRun(early, isEarly => isEarly) >= (isAlone ? 1 : hastyAtLeast) ||
        (gaps.length > 1 && gaps.every(ms => ms <= 1_000))
      if (isHasty) return [broke(said, ...facts)]
      return early.some(Boolean) ? [] : [kept(said, ...facts)]
    }),
}

export const slowsDown: ConductRule = {
  id: 'polling.slows-down',
  level: 'should',
  since: '2026-11',
  tolerance: '0.5 s',
  clauses: ['RL-3'],
  title: 'A long job is polled less often: every 5 to 10 s',
  advice: 'Let the pause between polls grow, for instance by half each time, from 2 s up to 10 s.',
  provoke: ['job-slow-progress', 'job-stuck'],
  judge: client =>
    eachSession(client, (polls, id): RuleFinding[] => {
      const waiting = polls.filter(({ state }) => state !== undefined && !isTerminal(state))
      const [first] = waiting
      const last = waiting.at(-1)
      if (first === undefined || last === undefined || gapOf(first, last) < longMs || waiting.length < 4) return []
      const recent = pairsOf(waiting).slice(-5)
      const gaps = recent.map(({ before, poll }) => gapOf(before, poll)).sort((a, b) => a - b)
      const usual = gaps[Math.floor(gaps.length / 2)] as number
      const said = `polled ${id} every ${time(usual)} after ${time(gapOf(first, last))}`
      const facts = waiting.slice(-3)
      return [usual < slowMs ? broke(said, ...facts) : kept(said, ...facts)]
    }),
}

export const stops: ConductRule = {
  id: 'polling.stops',
  level: 'must',
  since: '2026-11',
  clauses: ['RL-3', 'JOB-4'],
  title: 'A job that is completed or failed is polled no more',
  advice: 'End the poll loop on completed and on failed: both are final.',
  provoke: ['webhook-lost', 'job-fails'],
  judge: client =>
    [...client.polls.values()].flatMap((polls): RuleFinding[] => {
      const end = polls.find(({ state }) => isTerminal(state))
      if (end === undefined) return []
      const explained = withReason(client, polls)
      const starts = client.ofJob(end.jobId).filter(({ operation }) => operation === 'startJob')
      const after = polls.filter(
        poll =>
          poll.at >= end.endedAt &&
          gapOf(end, poll) < afterwardsMs &&
          !explained.has(poll) &&
          !starts.some(({ at }) => at >= end.at && at <= poll.at),
      )
      // One more look is for the details of what is done; a loop looks again and again.
      if (after.length < 2) return [kept(`stopped when it was ${end.state}`, end)]
      const said = `polled ${plural(after.length, 'more time')} after the job was ${end.state}`
      return [broke(said, end, ...after.slice(0, 5))]
    }),
}

/** Shorter watches tell nothing: nearly any job takes that long. */
const shortestWatchMs = 30_000

export const givesUp: ConductRule = {
  id: 'polling.gives-up',
  level: 'must',
  since: '2026-11',
  clauses: ['GO-5', 'RL-3'],
  title: 'A job that never ends is given up some time',
  advice:
    'Give the poll loop an end of its own, such as 20 minutes, and treat the job as failed then: alert, and offer to try again.',
  provoke: ['job-stuck'],
  judge: (client, { now, maxPollTimeMs }) =>
    eachSession(client, (polls, id): RuleFinding[] => {
      if (polls.some(({ state }) => isTerminal(state))) return []
      const told = polls.filter(isOnTheWay)
      const first = told[0]
      const last = polls.at(-1)
      if (first === undefined || last === undefined) return []
      const watched = gapOf(first, last)
      const facts = [first, ...told.slice(-1)]
      if (watched >= maxPollTimeMs)
        return [broke(`still polled ${id} after ${time(watched)}, though it never ended`, ...facts)]
      const isOver = now - last.endedAt >= afterwardsMs && watched >= shortestWatchMs
      // What ended well in another go was not given up.
      const endedLater = client.polls.get(id)?.some(({ state }) => isTerminal(state)) === true
      return isOver && !endedLater ? [kept(`gave ${id} up after ${time(watched)}`, ...facts)] : []
    }),
}
