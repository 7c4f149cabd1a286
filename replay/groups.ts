/**
 * Calls of one operation and key that were in flight at the same time are compared as a group: which of them met the limit
 * was chance. What differs waits until its counterpart has come, or the group is over.
 */

import type { RecordedCall } from '../recordings/traffic.ts'
import { type ReplayedResponse, signatureOf } from './compare.ts'

export interface Pair {
  /** Its group's number. */
  group: number
  call: RecordedCall
  recorded: ReplayedResponse
  found: ReplayedResponse
}

interface Group {
  left: number
  flights: Set<Promise<void>>
  recorded: Pair[]
  found: Pair[]
}

/** More that wait than this are no matter of chance any more. */
const maxWaiting = 500

export class Groups {
  readonly #sizes: readonly number[]
  readonly #open = new Map<number, Group>()
  readonly #matched: (pair: Pair) => void
  readonly #unmatched: (pair: Pair) => void

  constructor(sizes: readonly number[], matched: (pair: Pair) => void, unmatched: (pair: Pair) => void) {
    this.#sizes = sizes
    this.#matched = matched
    this.#unmatched = unmatched
  }

  sent(group: number, done: Promise<void>): void {
    this.#of(group).flights.add(done)
  }

  /** Two answers that are not alike. */
  differ(pair: Pair): void {
    if (this.#sizes[pair.group] === 1) return this.#unmatched(pair)
    const group = this.#of(pair.group)
    group.recorded.push(pair)
    group.found.push(pair)
    this.#match(group)
    if (group.recorded.length > maxWaiting) this.#flush(group)
  }

  /** One call of a group is over, sent or not. */
  over(id: number, done?: Promise<void>): void {
    const group = this.#of(id)
    if (done) group.flights.delete(done)
    if (--group.left > 0) return
    this.#flush(group)
    this.#open.delete(id)
  }

  /** The calls of a group that are on their way. */
  flights(id: number): Promise<void>[] {
    return [...(this.#open.get(id)?.flights ?? [])]
  }

  close(): void {
    for (const group of this.#open.values()) this.#flush(group)
    this.#open.clear()
  }

  #of(id: number): Group {
    let group = this.#open.get(id)
    if (group === undefined) {
      group = { left: this.#sizes[id] as number, flights: new Set(), recorded: [], found: [] }
      this.#open.set(id, group)
    }
    return group
  }

  #match(group: Group): void {
    for (let i = 0; i < group.recorded.length; ) {
      const pair = group.recorded[i] as Pair
      const signature = signatureOf(pair.recorded)
      const at = group.found.findIndex(({ found }) => signatureOf(found) === signature)
      if (at === -1) {
        i++
        continue
      }
      const [{ found }] = group.found.splice(at, 1) as [Pair]
      group.recorded.splice(i, 1)
      this.#matched({ ...pair, found })
    }
  }

  #flush(group: Group): void {
    const { recorded, found } = group
    group.recorded = []
    group.found = []
    for (const pair of recorded) {
      const own = found.indexOf(pair)
      const [other] = found.splice(own === -1 ? 0 : own, 1)
      this.#unmatched({ ...pair, found: (other ?? pair).found })
    }
  }
}
