/** Idempotency-Key (ID-1), and what it is for (GO-3). */
import type { OperationId } from '../../contracts/operations.ts'
import type { App } from '../../server/app.ts'
import { apiError } from '../../server/errors.ts'
import type { Idempotency } from '../../server/world/idempotency.ts'
import {
  afterKey,
  asItArrives,
  beforeValidation,
  type Mutant,
  onAnswer,
  overcharging,
  restatusCase,
  rewriteJson,
} from './tools.ts'

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
  apply: app =>
    asItArrives(app, operation, ({ raw }) => {
      delete raw.headers['idempotency-key']
    }),
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
  apply(app) {
    const seen = new WeakSet<Idempotency>()
    afterKey(app, operation, ({ context }) => {
      const records = context.world.idempotency
      if (seen.has(records)) return
      seen.add(records)
      const match = records.match.bind(records)
      records.match = (key, fingerprint) => {
        const fits = records.records().some(kept => kept.key === key && kept.fingerprint === fingerprint)
        return fits || !key.startsWith(`${operation} `) ? match(key, fingerprint) : answer(records, key)
      }
    })
  },
})

const firstAnswer = (records: Idempotency, key: string) => records.records().find(kept => kept.key === key)

/** Two at the same time don't see each other; the first is held up, so that there is such a time. */
function race(app: App): void {
  const underway = new Set<string>()
  const mine = new WeakMap<object, string>()
  asItArrives(app, 'createJob', ({ raw }) => {
    const { headers } = raw
    if (headers['idempotency-key'] === undefined) return
    const id = `${headers['x-api-key']} ${headers['idempotency-key']}`
    if (underway.has(id)) {
      delete headers['idempotency-key']
      return
    }
    underway.add(id)
    mine.set(raw, id)
  })
  app.fastify.addHook('preHandler', async ({ raw }) => {
    if (mine.has(raw)) await new Promise(resolve => setTimeout(resolve, 50))
  })
  app.fastify.addHook('onResponse', async ({ raw }) => {
    underway.delete(mine.get(raw) ?? '')
  })
}

export const idempotency: readonly Mutant[] = [
  ignored('createJob', 'a create with the same Idempotency-Key makes another job', ['ID-1', 'GO-3']),
  ignored('startJob', 'a start with the same Idempotency-Key is answered anew', ['ID-1']),
  ignored('uploadVideo', 'an upload with the same Idempotency-Key makes another video', ['ID-1'], ['GO-3']),
  {
    id: 'replay-charges',
    breaks: ['ID-1'],
    also: ['GO-3', 'CR-1'],
    what: 'a create that is answered again is charged for again',
    apply(app) {
      const charge = overcharging(app)
      rewriteJson(app, 'createJob', ({ id }, { context }) => {
        const job = context.replayed ? context.world.jobs.get(id) : undefined
        if (job) charge(context.world, job.price)
      })
    },
  },
  {
    id: 'replay-answers-otherwise',
    breaks: ['ID-1'],
    what: 'a create that is sent again is answered otherwise',
    apply: app =>
      onAnswer(app, 'createJob', ({ body }, { context }) => {
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
    apply: app => restatusCase(app, routes, 'idempotency_mismatch', 409),
  },
  {
    id: 'other-body-400',
    breaks: ['ID-1'],
    what: 'another body under the same Idempotency-Key is answered 400',
    apply: app => restatusCase(app, routes, 'idempotency_mismatch', 400),
  },
  {
    id: 'two-in-flight-make-two',
    breaks: ['ID-1'],
    also: ['GO-3'],
    what: 'two creates with the same Idempotency-Key at the same time make two jobs',
    apply: app => race(app),
  },
  {
    id: 'upload-boundary-compared',
    breaks: ['ID-1'],
    what: 'the same file under the same Idempotency-Key is refused where its form has another boundary',
    apply(app) {
      const first = new Map<string, string>()
      beforeValidation(app, 'uploadVideo', ({ headers }) => {
        const id = `${headers['x-api-key']} ${headers['idempotency-key']}`
        if (headers['idempotency-key'] === undefined) return
        if ((first.get(id) ?? headers['content-type']) !== headers['content-type'])
          throw apiError('idempotency_mismatch')
        first.set(id, headers['content-type'] ?? '')
      })
    },
  },
]
