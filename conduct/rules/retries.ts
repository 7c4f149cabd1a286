/** RL-3: how long a client waits between its tries, how often it tries, and how long in all. */
import { type Chain, type Client, type ClientCall, mayPass, restMs, waitAfter } from '../client.ts'
import type { ConductChain } from '../report.ts'
import { broke, type ConductRule, callText, kept, type RuleFinding, time } from '../rule.ts'
import { leastMs } from './errors.ts'
import { notBackText, waitsGivenUp } from './limits.ts'

/** RL-3: 1-2 s, 2-4 s, 4-8 s, then 8-16 s; a little less is a timer's matter. */
const least = (tries: number): number => 0.9 * Math.min(8_000, 1_000 * 2 ** tries)
/** A poll that failed may just wait for the next one's turn (RL-3: 5 to 10 s). */
const leastOfPoll = 4_500

interface Wait {
  failed: ClientCall
  next: ClientCall
  ms: number
  /** How many tries there were before. */
  tries: number
}

/** A wait that the server asked for is none of the client's own steps; after a rest they begin anew. */
function waitsOf(chain: Chain): Wait[] {
  const waits = chain.slice(1).map((next, i) => {
    const failed = chain[i] as ClientCall
    return { failed, next, ms: waitAfter(failed, next) }
  })
  return numbered(waits, isOwn)
}

function numbered<W extends { ms: number }>(waits: readonly W[], isOwn: (wait: W) => boolean): (W & OwnWait)[] {
  let tries = 0
  return waits.map(wait => {
    const one = { ...wait, tries }
    if (wait.ms > restMs) tries = 0
    else if (isOwn(wait)) tries++
    return one
  })
}

/** Waits that the client chose itself: no Retry-After told it how long. */
const isOwn = ({ failed }: Pick<Wait, 'failed'>): boolean => failed.retryAfterMs === undefined

export const grow: ConductRule = {
  id: 'retries.grow',
  level: 'should',
  since: '2026-11',
  tolerance: 'a tenth of each wait',
  clauses: ['RL-3'],
  title: 'The waits between tries grow: 1-2 s, 2-4 s, 4-8 s, then 8-16 s',
  advice:
    'Double the wait with each try, up to a cap of 8-16 s: delay = min(8, 2 ** tries) * (1 + Math.random()) seconds.',
  provoke: ['outage-of-30s', 'no-answer'],
  judge: client =>
    client.chains.flatMap((chain): RuleFinding[] => {
      const waits = waitsOf(chain)
      const own = waits.filter(isOwn)
      const [first] = own
      if (waits.length < 2 || first === undefined) return []
      const isPoll = chain[0]?.operation === 'getJob'
      const told = `waited ${waits.map(({ ms }) => time(ms)).join(', then ')} between tries of ${callText(chain[0] as ClientCall)}`
      // That its waits are too short by RL-3 is another rule's matter, and so is who does not wait at all.
      if (first.ms < leastMs)
        return first.ms >= shortestMs && own.length > 2 && !isGrowing(own)
          ? [broke(`${told}; each wait is to be about twice the one before`, ...chain)]
          : []
      const short = waits.find(wait => {
        const due = isPoll ? Math.min(least(wait.tries), leastOfPoll) : least(wait.tries)
        return wait.tries > 0 && isOwn(wait) && wait.ms < due
      })
      if (short === undefined) return waits.slice(1).some(isOwn) ? [kept(told, ...chain)] : []
      return [
        broke(`${told}; the ${ordinal(short.tries)} wait is ${time(least(short.tries) / 0.9)} at least`, ...chain),
      ]
    }),
}

/** What is drawn from a range that doubles is half of that at the least. */
const isGrowing = (waits: readonly Wait[]): boolean => {
  const from = (waits[0] as Wait).ms
  return waits.every(({ ms, tries }) => tries < 2 || ms >= Math.min(least(3), 0.45 * from * 2 ** tries))
}

const ordinal = (tries: number): string => ['first', 'second', 'third', 'fourth'][tries] ?? `${tries + 1}th`

/** A wait between two tries, and which of them it was, from 0. */
export interface OwnWait {
  ms: number
  tries: number
}

/** Shorter waits tell nothing of their own: they are all overhead; longer ones are none of the steps. */
const shortestMs = 200
const isTelling = ({ ms }: { ms: number }): boolean => ms >= shortestMs && ms <= restMs

/** The waits of a reported chain that the client chose itself. */
export function ownWaitsOf({ tries }: ConductChain): OwnWait[] {
  const waits = tries.slice(1).map(({ wait_ms = 0 }, i) => ({ ms: wait_ms, isOwn: tries[i]?.asked_ms === undefined }))
  return numbered(waits, wait => wait.isOwn).filter(wait => wait.isOwn && isTelling(wait))
}

export const jitter: ConductRule = {
  id: 'retries.jitter',
  level: 'should',
  since: '2026-11',
  tolerance: '60 ms of overhead',
  clauses: ['RL-3'],
  title: 'The waits between tries have jitter: no two clients come back at the same moment',
  advice:
    'Draw each wait anew from its range, such as base * (1 + Math.random()): clients that failed together must not come back together.',
  provoke: ['outage-of-30s', 'no-answer'],
  judge(client) {
    const own = client.chains.flatMap(waitsOf).filter(wait => isOwn(wait) && isTelling(wait))
    const isRigid = isWithoutJitter(own)
    if (isRigid === undefined) return []
    const facts = new Set(own.slice(0, 6).flatMap(({ failed, next }) => [failed, next]))
    return [isRigid ? broke(`${waitsText(own)}: always the same`, ...facts) : kept(waitsText(own), ...facts)]
  },
}

/** "waited 1.033 s, 2.009 s" */
export const waitsText = (waits: readonly OwnWait[]): string =>
  `waited ${waits
    .slice(0, 6)
    .map(({ ms }) => `${(ms / 1000).toFixed(3)} s`)
    .join(', ')}`

/** What a machine under load adds to a timer: it adds, and never multiplies. */
const overheadMs = 60
/** What overhead rarely comes to. */
const plainJitterMs = 250
/** A machine that stood still for a moment adds more to a wait in so many. */
const oneInMany = 4
/** Chance draws waits that look rigid less often than once in so many times. */
const rarely = 10_000
/** No timer is more exact. */
const exactMs = 5

/** Ways in which waits without jitter follow from the first: one time, doubling (to RL-3's cap), one step more each. */
const schedules: readonly ((tries: number) => number)[] = [
  () => 1,
  tries => 2 ** tries,
  tries => Math.min(8, 2 ** tries),
  tries => tries + 1,
]

/** Whether waits, in one run or in several, are those of a fixed schedule; undefined where they are too few to tell. */
export function isWithoutJitter(waits: readonly OwnWait[]): boolean | undefined {
  if (waits.length < 3) return undefined
  const excesses = schedules.map(step => {
    // Overhead is never negative: the smallest tells the schedule's unit.
    const unit = Math.min(...waits.map(({ ms, tries }) => ms / step(tries)))
    return waits.map(({ ms, tries }) => ({ ms, excess: ms - unit * step(tries) }))
  })
  if (excesses.some(isRigid)) return true
  return excesses.every(isScattered) ? false : undefined
}

/** All but a few are as near to the schedule as chance hardly ever has them. */
function isRigid(all: readonly { ms: number; excess: number }[]): boolean {
  const near = all.filter(({ excess }) => excess <= overheadMs)
  const odd = all.length - near.length
  if (odd > Math.floor(all.length / oneInMany) || near.length < 3) return false
  const width = Math.max(exactMs, ...near.map(({ excess }) => excess))
  // By chance each but the one that gave the unit would lie anywhere in its range; which of them are odd is chance too.
  const odds = near.map(({ ms }) => Math.min(1, width / ms)).sort((a, b) => b - a)
  const chance = odds.slice(0, -1).reduce((product, one) => product * one, all.length ** odd)
  return chance < 1 / rarely
}

/** Most are further from the schedule than any overhead: one that is may have been held up. */
function isScattered(all: readonly { ms: number; excess: number }[]): boolean {
  const sorted = all.map(({ excess }) => excess).sort((a, b) => a - b)
  return (sorted[Math.floor(sorted.length / 2)] as number) > plainJitterMs
}

/** RL-3's steps take more than two minutes for so many. */
const mostTries = 15
/** Longer than RL-3's steps take for the most tries. */
const longestMs = 5 * 60_000

/** Polls go on while their job does: when they end is a rule of its own. */
const isBoundless = (chain: Chain): boolean => chain[0]?.operation === 'getJob'

const triesText = (chain: Chain): string =>
  `tried ${callText(chain[0] as ClientCall)} ${chain.length} times in ${time(lengthOf(chain))}`
const lengthOf = (chain: Chain): number => (chain.at(-1) as ClientCall).at - (chain[0] as ClientCall).at

/** It was given up: the last try failed too, and nothing came of it. */
const wasGivenUp = (chain: Chain, now: number): boolean => {
  const last = chain.at(-1) as ClientCall
  return mayPass(last) && now - last.endedAt > restMs + (last.retryAfterMs ?? 0)
}

/** The time of a file is the kernel's last tick, and an answer may be read before its end is noted. */
const fileTimeMs = 250

export const bounded: ConductRule = {
  id: 'retries.bounded',
  level: 'should',
  since: '2026-12',
  clauses: ['ERR-3', 'GO-5'],
  tolerance: `${fileTimeMs} ms of when it last printed`,
  title: 'A call that keeps failing is given up after a number of tries, and a program that ends there says so',
  advice: `Give each call a number of tries, such as 5 (${mostTries} are too many), and tell your user or an alert when they are used up: end with another exit code than 0, or print a line.`,
  provoke: ['processing-failed', 'timeout-504'],
  judge: (client, { now, silentSince }) => {
    const chains = client.chains.flatMap((chain): RuleFinding[] => {
      if (!isBoundless(chain) && chain.length > mostTries) return [broke(triesText(chain), ...chain)]
      if (!wasGivenUp(chain, now)) return []
      if (isUntold(client, chain.at(-1) as ClientCall, silentSince))
        return [broke(`${triesText(chain)}, gave up, and ${untold}`, ...chain)]
      return isBoundless(chain) ? [] : [kept(`${triesText(chain)}, and gave up`, ...chain)]
    })
    const tried = new Set(client.chains.flat())
    const waits = waitsGivenUp(client, now).filter(call => !tried.has(call) && isUntold(client, call, silentSince))
    return [...chains, ...waits.map(call => broke(`${notBackText(call)}; it ${untold}`, call))]
  },
}

const untold = 'ended with exit code 0 and without a word, as if all were well'

/**
 * The program ended at this failure, and nobody was told. Who called on, or was sent a webhook, may have come by what it wanted
 * in another way.
 */
const isUntold = (client: Client, failed: ClientCall, silentSince: number): boolean =>
  silentSince < failed.endedAt - fileTimeMs &&
  client.calls.every(({ at }) => at <= failed.endedAt) &&
  client.webhooks.every(({ endedAt }) => endedAt <= failed.endedAt)

export const totalTime: ConductRule = {
  id: 'retries.total-time',
  level: 'should',
  since: '2026-12',
  clauses: ['ERR-3', 'GO-5'],
  title: 'All tries of a call together end within five minutes, beside the waits that were asked for',
  advice: 'Give a call a time for all of its tries beside their number, and cap the wait between two of them (8-16 s).',
  provoke: ['processing-failed', 'timeout-504'],
  judge: (client, { now }) =>
    client.chains.flatMap((chain): RuleFinding[] => {
      if (isBoundless(chain) || chain.length > mostTries) return []
      const asked = chain.slice(0, -1).reduce((sum, { retryAfterMs = 0 }) => sum + retryAfterMs, 0)
      if (lengthOf(chain) - asked > longestMs) return [broke(triesText(chain), ...chain)]
      return wasGivenUp(chain, now) ? [kept(`${triesText(chain)}, and gave up`, ...chain)] : []
    }),
}
