/** RL-3: how often a client looks after its job, and when it stops. */
import { type Client, type Fact, isTerminal } from '../client.ts'
import { broke, type Finding, kept, type Rule, time } from '../rule.ts'

/** RL-3: 2 s at first; a little less is a timer's matter. */
const leastMs = 1_900
/** RL-3: 5 to 10 s for long jobs. */
const slowMs = 4_500
/** What a long job is. */
const longMs = 45_000
/** Who comes back much later looks at a finished job, and does not wait for it. */
const afterwardsMs = 60_000

/** Two polls of a job, one after the other. */
interface Pair {
  before: Fact
  poll: Fact
}

const pairsOf = (polls: readonly Fact[]): Pair[] =>
  polls.slice(1).map((poll, i) => ({ before: polls[i] as Fact, poll }))

/** Something else than its own clock may have made the client look: a webhook, a start, a download that was too early. */
function hasReason(client: Client, { before, poll }: Pair): boolean {
  const between = ({ at }: { at: number }) => at >= before.at && at <= poll.at
  const isReason = ({ operation, status }: Fact) =>
    operation === 'startJob' || (operation === 'getDownload' && status >= 400) || operation === 'createJob'
  return (
    client.hooksOf(poll.jobId).some(hook => hook.status > 0 && hook.at <= poll.at && hook.endedAt >= before.at) ||
    client.ofJob(poll.jobId).some(call => isReason(call) && between(call))
  )
}

const eachPair = (client: Client, judge: (pair: Pair) => Finding[]): Finding[] =>
  [...client.polls.values()].flatMap(polls => pairsOf(polls).flatMap(judge))

export const pace: Rule = {
  id: 'polling.pace',
  clauses: ['RL-3'],
  title: 'A job is polled every 2 s, and not more often',
  advice: 'Wait 2 s between polls at first; better still, give a webhook_url and poll only as a fallback.',
  provoke: ['job-slow-progress'],
  judge: client =>
    eachPair(client, pair => {
      const { before, poll } = pair
      if (!before.isGood || isTerminal(before.state) || hasReason(client, pair)) return []
      const ms = poll.at - before.at
      const said = `polled ${poll.jobId} again after ${time(ms)}`
      return [ms < leastMs ? broke(said, before, poll) : kept(said, before, poll)]
    }),
}

export const slowsDown: Rule = {
  id: 'polling.slows-down',
  clauses: ['RL-3'],
  title: 'A long job is polled less often: every 5 to 10 s',
  advice: 'Let the pause between polls grow, for instance by half each time, from 2 s up to 10 s.',
  provoke: ['job-slow-progress', 'job-stuck'],
  judge: client =>
    [...client.polls].flatMap(([id, polls]): Finding[] => {
      const waiting = polls.filter(({ state }) => state !== undefined && !isTerminal(state))
      const [first] = waiting
      const last = waiting.at(-1)
      if (first === undefined || last === undefined || last.at - first.at < longMs || waiting.length < 4) return []
      const recent = pairsOf(waiting).slice(-3)
      const slowest = Math.max(...recent.map(({ before, poll }) => poll.at - before.at))
      const said = `polled ${id} every ${time(slowest)} after ${time(last.at - first.at)}`
      const facts = waiting.slice(-3)
      return [slowest < slowMs ? broke(said, ...facts) : kept(said, ...facts)]
    }),
}

export const stops: Rule = {
  id: 'polling.stops',
  clauses: ['RL-3', 'JOB-4'],
  title: 'A job that is completed or failed is polled no more',
  advice: 'End the poll loop on completed and on failed: both are final.',
  provoke: ['webhook-lost', 'job-fails'],
  judge: client =>
    [...client.polls.values()].flatMap((polls): Finding[] => {
      const end = polls.find(({ state }) => isTerminal(state))
      if (end === undefined) return []
      const more = pairsOf(polls.slice(polls.indexOf(end))).find(
        pair =>
          isTerminal(pair.before.state) &&
          pair.poll.at >= pair.before.endedAt &&
          pair.poll.at - pair.before.endedAt < afterwardsMs &&
          !hasReason(client, pair),
      )
      if (more === undefined) return [kept(`stopped when it was ${end.state}`, end)]
      const { before, poll } = more
      return [
        broke(
          `polled again ${time(poll.at - before.endedAt)} after it was told that the job is ${before.state}`,
          before,
          poll,
        ),
      ]
    }),
}

/** Shorter watches tell nothing: nearly any job takes that long. */
const shortestWatchMs = 30_000

export const givesUp: Rule = {
  id: 'polling.gives-up',
  clauses: ['GO-5', 'RL-3'],
  title: 'A job that never ends is given up some time',
  advice:
    'Give the poll loop an end of its own, such as 20 minutes, and treat the job as failed then: alert, and offer to try again.',
  provoke: ['job-stuck'],
  judge: (client, { now, patienceMs }) =>
    [...client.polls].flatMap(([id, polls]): Finding[] => {
      if (polls.some(({ state }) => isTerminal(state))) return []
      const told = polls.filter(({ state }) => state !== undefined)
      const first = told[0]
      const last = polls.at(-1)
      if (first === undefined || last === undefined) return []
      const watched = last.at - first.at
      const facts = [first, ...told.slice(-1)]
      if (watched >= patienceMs)
        return [broke(`still polled ${id} after ${time(watched)}, though it never ended`, ...facts)]
      const isOver = now - last.endedAt >= afterwardsMs && watched >= shortestWatchMs
      return isOver ? [kept(`gave ${id} up after ${time(watched)}`, ...facts)] : []
    }),
}
