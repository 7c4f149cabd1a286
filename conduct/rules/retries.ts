/** RL-3: how long a client waits between its tries. */
import { type Chain, type ClientCall, waitAfter } from '../client.ts'
import { broke, type ConductRule, callText, kept, type RuleFinding, time } from '../rule.ts'
import { leastMs } from './errors.ts'

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

/** A wait that the server asked for is none of the client's own steps. */
function waitsOf(chain: Chain): Wait[] {
  let tries = 0
  return chain.slice(1).map((next, i) => {
    const failed = chain[i] as ClientCall
    return { failed, next, ms: waitAfter(failed, next), tries: failed.retryAfterMs === undefined ? tries++ : tries }
  })
}

/** Waits that the client chose itself: no Retry-After told it how long. */
const isOwn = ({ failed }: Wait): boolean => failed.retryAfterMs === undefined

export const grow: ConductRule = {
  id: 'retries.grow',
  clauses: ['RL-3'],
  title: 'The waits between tries grow: 1-2 s, 2-4 s, 4-8 s, then 8-16 s',
  advice:
    'Double the wait with each try, up to a cap of 8-16 s: delay = min(8, 2 ** tries) * (1 + Math.random()) seconds.',
  provoke: ['outage-of-30s', 'no-answer'],
  judge: client =>
    client.chains.flatMap((chain): RuleFinding[] => {
      const waits = waitsOf(chain)
      // Who does not wait at all is told so by another rule.
      if (waits.length < 2 || (waits[0] as Wait).ms < leastMs) return []
      const isPoll = chain[0]?.operation === 'getJob'
      const short = waits.find(wait => {
        const due = isPoll ? Math.min(least(wait.tries), leastOfPoll) : least(wait.tries)
        return wait.tries > 0 && isOwn(wait) && wait.ms < due
      })
      const told = `waited ${waits.map(({ ms }) => time(ms)).join(', then ')} between tries of ${callText(chain[0] as ClientCall)}`
      if (short === undefined) return waits.slice(1).some(isOwn) ? [kept(told, ...chain)] : []
      return [
        broke(`${told}; the ${ordinal(short.tries)} wait is ${time(least(short.tries) / 0.9)} at least`, ...chain),
      ]
    }),
}

const ordinal = (tries: number): string => ['first', 'second', 'third', 'fourth'][tries] ?? `${tries + 1}th`

export const jitter: ConductRule = {
  id: 'retries.jitter',
  clauses: ['RL-3'],
  title: 'The waits between tries have jitter: no two clients come back at the same moment',
  advice:
    'Draw each wait anew from its range, such as base * (1 + Math.random()): clients that failed together must not come back together.',
  provoke: ['outage-of-30s', 'no-answer'],
  judge(client) {
    const own = client.chains.flatMap(waitsOf).filter(wait => isOwn(wait) && wait.ms >= leastMs)
    if (own.length < 3) return []
    const units = own.map(({ ms, tries }) => ms / Math.min(8, 2 ** tries))
    const constants = own.map(({ ms }) => ms)
    const isRigid = isSame(units) || isSame(constants) || isRound(constants)
    const shown = own.slice(0, 6)
    const told = `waited ${shown.map(({ ms }) => `${(ms / 1000).toFixed(3)} s`).join(', ')}`
    const facts = shown.flatMap(({ failed, next }) => [failed, next])
    return [isRigid ? broke(`${told}: always the same`, ...new Set(facts)) : kept(told, ...new Set(facts))]
  },
}

/** Three that agree to a hundredth, or more to a fiftieth: chance does that less than once in a thousand times. */
function isSame(values: readonly number[]): boolean {
  return Math.max(...values) / Math.min(...values) < (values.length === 3 ? 1.01 : 1.02)
}

/** All on the half second, or a little after it: four that chance has drawn are so once in five thousand times. */
const isRound = (values: readonly number[]): boolean => values.length > 3 && values.every(ms => ms % 500 <= 60)
