/** Each answer by itself, by the same rules as the suite's; and the documented cases by their messages. */

import { hash53 } from '../../base/fingerprint.ts'
import { describeResponse, field } from '../../contracts/answers.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import { codeOf, hasCode, judge, requestIdOf } from '../../contracts/judge.ts'
import { creditsPerMinute } from '../../contracts/schemas.ts'
import type { Observed } from '../../recordings/traffic.ts'
import { own } from './ledger.ts'
import type { Observer } from './observer.ts'

/** Beyond the documented routes only /v1/ is surely the API's: the rest of a host may be somebody else's. */
const isJudged = ({ call }: Observed): boolean => call.operation !== undefined || call.path.startsWith('/v1/')

export const answers: Observer = {
  id: 'traffic.answers',
  title: 'each answer by itself: its shape, its envelope, its code, its headers',
  clauses: [
    'ERR-1',
    'ERR-2',
    'ERR-3',
    'ERR-5',
    'UP-3',
    'JOB-2',
    'JOB-4',
    'JOB-5',
    'JOB-6',
    'GO-7',
    'DL-1',
    'CR-2',
    'US-1',
    'US-2',
    'RL-2',
  ],
  watch: look => ({
    call(exchange) {
      const { call, index, isWhole, hasBody } = exchange
      if (!isWhole || !hasBody || !isJudged(exchange) || call.status === 304) return
      for (const { clauses, holds, expected, found, pointer, note } of judge(call, new Map())) {
        // Which request_id was there before is another observer's matter.
        if (clauses.includes('ERR-6')) continue
        const place = { ...(pointer !== undefined && { pointer }), ...(note !== undefined && { note }) }
        look(index, clauses, holds, expected, found, place)
      }
    },
  }),
}

/** One call that is written down twice begins twice, nearly at once. */
const sameWithinMs = 500

export const requestIds: Observer = {
  id: 'traffic.request-ids',
  title: 'no two answers have one request_id',
  clauses: ['ERR-6'],
  watch(look) {
    const ids = new Map<string, { which: number; at: number }>()
    return {
      call(exchange) {
        const { call, index, isWhole, hasBody } = exchange
        if (!isWhole || !hasBody || !isJudged(exchange) || call.status < 400) return
        const id = requestIdOf(call)
        if (id === undefined) return
        const expected = 'a request_id that no other answer has'
        // The same call twice, as a page and its service worker write it down, and the first answer again (ID-1) are the same answer.
        const which = hash53(
          call.idempotencyKey === undefined
            ? `${call.sent.method} ${call.path}`
            : `${call.idempotencyKey} ${call.path}`,
        )
        const first = ids.get(id)
        if (id === '') look(index, 'ERR-6', false, expected, 'an empty one', { pointer: '/error/request_id' })
        else if (first === undefined) {
          ids.set(own(id), { which, at: call.at })
          look(index, 'ERR-6', true, expected, id, { pointer: '/error/request_id' })
        } else if (first.which !== which || (call.idempotencyKey === undefined && call.at - first.at > sameWithinMs)) {
          const found = `${JSON.stringify(id)}, which another call was answered with before`
          look(index, 'ERR-6', false, expected, found, { pointer: '/error/request_id' })
        }
      },
    }
  },
}

interface Case {
  operations: readonly string[]
  says: RegExp
  status: number
  clauses: readonly ClauseId[]
}

const uploads = ['uploadVideo', 'uploadVideoLegacy']
const cases: readonly Case[] = [
  { operations: uploads, says: /^Invalid file type/i, status: 400, clauses: ['ERR-4'] },
  { operations: uploads, says: /^File too large/i, status: 400, clauses: ['ERR-4', 'ERR-5'] },
  { operations: ['getJob'], says: /^Job not found/i, status: 404, clauses: ['ERR-4'] },
  { operations: ['getDownload'], says: /^Job not completed/i, status: 400, clauses: ['ERR-4', 'DL-2'] },
  { operations: ['getDownload'], says: /^Job not found/i, status: 404, clauses: ['DL-2'] },
  { operations: ['createJob'], says: /^Processing failed/i, status: 500, clauses: ['ERR-4'] },
]

export const documentedCases: Observer = {
  id: 'traffic.cases',
  title: 'the documented cases have their status, health is 200, prices are the documented ones',
  clauses: ['ERR-4', 'ERR-5', 'DL-2', 'CR-1', 'CR-3', 'SYS-1'],
  watch: look => ({
    call(exchange) {
      const { call, index, isWhole, hasBody, isGood } = exchange
      if (!isWhole) return
      if (call.operation === 'getHealth' && call.status < 500 && call.status !== 429 && call.status !== 304)
        look(index, 'SYS-1', call.status === 200, '200', describeResponse(call))
      if (!hasBody) return
      if (call.status >= 400) {
        const message = (field(call, 'error') as { message?: unknown } | undefined)?.message
        for (const { operations, says, status, clauses } of cases) {
          if (typeof message !== 'string' || !operations.includes(call.operation ?? '') || !says.test(message)) continue
          const isRight = call.status === status
          look(
            index,
            isRight ? clauses.slice(0, 1) : clauses,
            isRight,
            `${status} for this case`,
            describeResponse(call),
          )
        }
        if ((call.status === 402 && codeOf(call) !== undefined) || codeOf(call) === 'insufficient_credits') {
          const isRight = call.status === 402 && hasCode(call, 'insufficient_credits')
          look(index, 'CR-3', isRight, '402 insufficient_credits', describeResponse(call), { pointer: '/error/code' })
        }
      }
      if (call.operation !== 'getPricing' || !isGood) return
      const prices = field(call, 'model_pricing_credits_per_minute')
      if (typeof prices !== 'object' || prices === null) return
      for (const [model, rate] of Object.entries(creditsPerMinute)) {
        const found = (prices as Record<string, unknown>)[model]
        const pointer = `/model_pricing_credits_per_minute/${model}`
        look(index, 'CR-1', found === rate, `${rate} credits a minute`, String(found), { pointer })
      }
    },
  }),
}
