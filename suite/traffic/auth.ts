/** AUTH-1 to AUTH-3, GO-1: who was let in, and whose a job is. */

import { describeResponse } from '../../contracts/answers.ts'
import { codeOf, hasCode } from '../../contracts/judge.ts'
import { operations } from '../../contracts/operations.ts'
import type { Observed, RecordedCall } from '../../recordings/traffic.ts'
import { isTold, type Observer } from './observer.ts'

/** Without a key wherever one may stand: a tool may have taken headers out, but not this client's other ways. */
const isKeyless = ({ call }: Observed): boolean =>
  !call.hasKey &&
  // A call without any header is one whose headers were not recorded.
  Object.keys(call.sent.headers).length > 0 &&
  call.keyIn.length === 0 &&
  call.key.split('/', 1)[0] === 'anonymous' &&
  !Object.keys(call.sent.headers).some(name => /^(authorization|cookie)$/i.test(name))

const authOf = ({ operation }: RecordedCall) => operation && operations[operation].auth
const isTrouble = ({ status }: RecordedCall): boolean => status === 429 || status >= 500

const maxWaiting = 100

export const auth: Observer = {
  id: 'traffic.auth',
  title: "a key is asked for where it is needed and not elsewhere, and a job is its own key's",
  clauses: ['AUTH-1', 'AUTH-2', 'AUTH-3', 'GO-1'],
  watch(look, ledger) {
    /** What is only true if keys are in this recording at all. */
    const waiting: (() => void)[] = []
    const ifKeysAreShown = (say: () => void): void => {
      if (ledger.hasKeys) say()
      else if (waiting.length < maxWaiting) waiting.push(say)
    }
    /** A key that nobody knows was refused on /api/*: there keys count (AUTH-2, open). */
    let legacyKeysCount = false
    let goodAt: number | undefined
    let refusedAt: number | undefined
    return {
      call(exchange) {
        const { call, index, isWhole, isGood } = exchange
        if (!isWhole || isTrouble(call)) return
        const needs = authOf(call)
        const said = describeResponse(call)
        if (needs === 'key' && isKeyless(exchange)) {
          const isRight = call.status === 401 && hasCode(call, 'missing_api_key')
          // Whether the path, the method or the body is looked at before the key is not documented.
          if (isRight || isGood || call.status === 401 || call.status === 403)
            ifKeysAreShown(() =>
              look(index, 'AUTH-1', isRight, '401 missing_api_key', said, { pointer: '/error/code' }),
            )
        }
        if (needs === 'optional_key' && isKeyless(exchange) && (isGood || call.status === 401 || call.status === 403)) {
          // One with a key that was taken out would be invalid_api_key.
          if (isGood || codeOf(call) !== 'invalid_api_key')
            ifKeysAreShown(() => look(index, 'AUTH-2', isGood, 'an answer without a key', said))
        }
        if (call.hasKey && codeOf(call) === 'invalid_api_key' && call.status !== 401)
          look(index, ['AUTH-1', 'GO-1'], false, '401 invalid_api_key', said)
        if (needs === 'optional_key' && call.hasKey && codeOf(call) === 'invalid_api_key') legacyKeysCount = true
        if (needs === 'key' && call.hasKey) {
          if (call.status === 401) {
            const code = codeOf(call)
            const isEmpty = Object.entries(call.sent.headers).some(
              ([name, value]) => /^x-api-key$/i.test(name) && value.trim() === '',
            )
            if (code === 'invalid_api_key') {
              refusedAt ??= index
              look(index, 'AUTH-1', true, '401 invalid_api_key', said)
            } else if (code === 'missing_api_key' && !isEmpty)
              look(index, 'AUTH-1', false, '401 invalid_api_key, as a key was sent', said, { pointer: '/error/code' })
          } else if (isGood) goodAt ??= index
        }
        const { jobId } = call
        const asksForJob = ['getJob', 'startJob', 'getDownload'].includes(call.operation ?? '')
        if (!asksForJob || jobId === undefined || !isTold(call.key)) return
        const maker = ledger.jobs.get(jobId)?.maker
        if (maker === undefined || !isTold(maker) || maker === call.key) return
        if (needs === 'optional_key' && isGood && !legacyKeysCount) return
        if (call.status === 404 || isGood || call.status === 403)
          look(index, 'AUTH-3', call.status === 404, '404, as another key made the job', said)
      },
      end() {
        if (ledger.hasKeys) for (const say of waiting) say()
        if (goodAt === undefined || refusedAt === undefined) return
        look(goodAt, 'GO-1', true, '2xx with a valid key', 'it is')
        look(refusedAt, 'GO-1', true, '401 with an invalid key', 'it is')
      },
    }
  },
}

/** AUTH-3 and JOB-6 of lists: see lists.ts. */
export const isForeign = (
  id: unknown,
  key: string,
  jobs: ReadonlyMap<string, { maker: string | undefined }>,
): boolean => {
  const maker = typeof id === 'string' ? jobs.get(id)?.maker : undefined
  return maker !== undefined && isTold(maker) && isTold(key) && maker !== key
}
