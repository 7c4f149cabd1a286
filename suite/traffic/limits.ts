/** RL-1, RL-2, GO-2: whether waiting as long as Retry-After says is enough, and whose limit it is. */

import { describeResponse } from '../../contracts/answers.ts'
import { type Operation, operations } from '../../contracts/operations.ts'
import type { RecordedCall } from '../../recordings/traffic.ts'
import { isTold, type Observer } from './observer.ts'

/** Waited beyond a Retry-After before anybody is accused: clocks and ways differ. */
const graceMs = 1_000

interface Last {
  operation: string
  endedAt: number
  /** Of a whole 429: its Retry-After in s, and which limit it tells of. */
  retryAfter: number | undefined
  limit: string
}

const isLimited = ({ operation }: RecordedCall): boolean =>
  operation !== undefined && ((operations[operation] as Operation).limits ?? []).length > 0

/** Which limit an answer tells of: a server may have several for one key. */
const limitOf = ({ headers }: RecordedCall): string => {
  const policy = headers['ratelimit-policy'] ?? ''
  return `${policy} ${headers['x-ratelimit-limit'] ?? headers['ratelimit-limit'] ?? ''}`
}

/** Creations have a limit of their own; only the same one may be compared. */
const isSameLimit = (last: Last, call: RecordedCall): boolean => {
  const creates = [last.operation, call.operation].filter(operation => operation === 'createJob').length
  if (creates === 1 || limitOf(call) !== last.limit) return false
  return creates === 0 || last.limit.trim() !== ''
}

export const limits: Observer = {
  id: 'traffic.limits',
  title: "waiting as long as Retry-After says is enough, and one key's limit is not another's",
  clauses: ['RL-1', 'RL-2', 'GO-2'],
  watch(look) {
    const lastOf = new Map<string, Last>()
    const refused = new Set<string>()
    let held: { key: string; until: number; index: number } | undefined
    return {
      call({ call, index, isWhole, isGood }) {
        if (!isLimited(call)) return
        const { key, at, endedAt, status, operation = '' } = call
        const last = lastOf.get(key)
        const said = /^\d+$/.exec(call.headers['retry-after'] ?? '')?.[0]
        const retryAfter = isWhole && status === 429 && said !== undefined ? Number(said) : undefined
        lastOf.set(key, { operation, endedAt, retryAfter, limit: limitOf(call) })
        if (isWhole && isTold(key) && last?.retryAfter !== undefined) {
          const freeAt = last.endedAt + last.retryAfter * 1000
          const expected = `an answer after the ${last.retryAfter} s of Retry-After`
          if (status !== 429 && at >= freeAt)
            look(index, 'RL-2', true, expected, describeResponse(call), { pointer: 'header Retry-After' })
          else if (status === 429 && at >= freeAt + graceMs && isSameLimit(last, call))
            look(index, 'RL-2', false, expected, describeResponse(call), { pointer: 'header Retry-After' })
        }
        if (status === 429 && isWhole) {
          refused.add(key)
          if (retryAfter !== undefined && isTold(key)) held = { key, until: endedAt + retryAfter * 1000, index }
        } else if (isGood) {
          if (refused.delete(key))
            look(index, 'GO-2', true, 'after a 429, a client that backs off gets through', describeResponse(call))
          if (held && held.key !== key && isTold(key) && at < held.until && endedAt < held.until)
            look(index, 'RL-1', true, 'an answer to another key, while one is limited', describeResponse(call))
        }
      },
    }
  },
}
