/** Idempotency-Key (ID-1), and what it is for (GO-3). */
import type { FastifyRequest } from 'fastify'
import { laterReal } from '../../base/clock.ts'
import type { OperationId } from '../../contracts/operations.ts'
import { apiError } from '../errors.ts'
import type { Idempotency } from '../world/idempotency.ts'
import { afterKey, asItArrives, beforeValidation, onAnswer, overcharging, restatusCase, rewriteJson } from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

const routes = ['createJob', 'startJob', 'uploadVideo'] as const

const ignored = (
  operation: OperationId,
  what: string,
  breaks: Mutant['breaks'],
  also: Mutant['also'] = [],
): Mutant => ({
  id: `idempotency-ignored-${operation}`,
  breaks,
  also,
  what,
  apply(mutation) {
    const used = new Set<string>()
    asItArrives(mutation, operation, request => {
      const { headers } = request.raw
      const name = headers['idempotency-key']
      if (name === undefined) return
      delete headers['idempotency-key']
      const id = `${headers['x-api-key']} ${request.url} ${name}`
      if (used.has(id)) mutation.acted(request)
      used.add(id)
    })
  },
})

/** What another body under the same key gets, instead of the refusal. */
const mismatched = (
  id: string,
  operation: OperationId,
  what: string,
  answer: (records: Idempotency, key: string) => { answer: unknown } | undefined,
): Mutant => ({
  id,
  breaks: ['ID-1'],
  what,
  apply(mutation) {
    const seen = new WeakSet<Idempotency>()
    let current: FastifyRequest | undefined
    beforeValidation(mutation, operation, request => {
      current = request
    })
    afterKey(mutation, operation, request => {
      current = request
      const records = request.context.world.idempotency
      if (seen.has(records)) return
      seen.add(records)
      const match = records.match.bind(records)
      records.match = (key, fingerprint) => {
        const fits = records.records().some(kept => kept.key === key && kept.fingerprint === fingerprint)
        if (fits || !key.startsWith(`${operation} `)) return match(key, fingerprint)
        const isOther = records.records().some(kept => kept.key === key)
        if (isOther && current !== undefined) mutation.acted(current)
        return answer(records, key)
      }
    })
  },
})

const firstAnswer = (records: Idempotency, key: string) => records.records().find(kept => kept.key === key)

/** Two at the same time don't see each other; the first is held up, so that there is such a time. */
function race(mutation: Mutation): void {
  const underway = new Set<string>()
  const mine = new WeakMap<object, string>()
  asItArrives(mutation, 'createJob', request => {
    const { raw } = request
    const { headers } = raw
    if (headers['idempotency-key'] === undefined) return
    const id = `${headers['x-api-key']} ${headers['idempotency-key']}`
    if (underway.has(id)) {
      delete headers['idempotency-key']
      mutation.acted(request)
      return
    }
    underway.add(id)
    mine.set(raw, id)
  })
  mutation.fastify.addHook('preHandler', async ({ raw }) => {
    if (mine.has(raw)) await new Promise<void>(resolve => laterReal(50, resolve))
  })
  mutation.fastify.addHook('onResponse', async ({ raw }) => {
    underway.delete(mine.get(raw) ?? '')
  })
}

export const idempotencyMutants: readonly Mutant[] = [
  ignored('createJob', 'a create with the same Idempotency-Key makes another job', ['ID-1', 'GO-3']),
  ignored('startJob', 'a start with the same Idempotency-Key is answered anew', ['ID-1']),
  ignored('uploadVideo', 'an upload with the same Idempotency-Key makes another video', ['ID-1'], ['GO-3']),
  {
    id: 'replay-charges',
    breaks: ['ID-1'],
    also: ['GO-3', 'CR-1'],
    what: 'a create that is answered again is charged for again',
    apply(mutation) {
      const charge = overcharging(mutation)
      rewriteJson(mutation, 'createJob', ({ id }, { context }) => {
        const job = context.replayed ? context.world.jobs.get(id) : undefined
        if (job) charge(context.world, job.price)
      })
    },
  },
  {
    id: 'replay-answers-otherwise',
    breaks: ['ID-1'],
    what: 'a create that is sent again is answered otherwise',
    apply: mutation =>
      onAnswer(mutation, 'createJob', ({ body }, { context }) => {
        if (context.replayed) body.message = 'Duplicate request'
      }),
  },
  mismatched(
    'other-body-replays-create',
    'createJob',
    'another body under the same Idempotency-Key gets the first answer',
    firstAnswer,
  ),
  mismatched(
    'other-body-replays-upload',
    'uploadVideo',
    'another file under the same Idempotency-Key gets the first answer',
    firstAnswer,
  ),
  mismatched(
    'other-body-makes-a-job',
    'createJob',
    'another body under the same Idempotency-Key makes another job',
    () => undefined,
  ),
  {
    id: 'other-body-409',
    breaks: ['ID-1'],
    what: 'another body under the same Idempotency-Key is answered 409',
    apply: mutation => restatusCase(mutation, routes, 'idempotency_mismatch', 409),
  },
  {
    id: 'other-body-400',
    breaks: ['ID-1'],
    what: 'another body under the same Idempotency-Key is answered 400',
    apply: mutation => restatusCase(mutation, routes, 'idempotency_mismatch', 400),
  },
  {
    id: 'two-in-flight-make-two',
    breaks: ['ID-1'],
    also: ['GO-3'],
    what: 'two creates with the same Idempotency-Key at the same time make two jobs',
    apply: mutation => race(mutation),
  },
  {
    id: 'upload-boundary-compared',
    breaks: ['ID-1'],
    what: 'the same file under the same Idempotency-Key is refused where its form has another boundary',
    apply(mutation) {
      const first = new Map<string, string>()
      beforeValidation(mutation, 'uploadVideo', ({ headers }) => {
        const id = `${headers['x-api-key']} ${headers['idempotency-key']}`
        if (headers['idempotency-key'] === undefined) return
        if ((first.get(id) ?? headers['content-type']) !== headers['content-type'])
          throw apiError('idempotency_mismatch')
        first.set(id, headers['content-type'] ?? '')
      })
    },
  },
]
