/**
 * Faults that no single call shows, nor any handful that a check would make: each remembers something that a call has
 * left behind, and shows it only when certain others follow. The tests know the shortest way to each.
 */

import { asItArrives, countOn, idempotencyKeyOf, type Json, jobIdOf, keyOf, onAnswer, rewriteJson } from './change.ts'
import { draftSequenceMutants } from './draftSequences.ts'
import type { Mutant } from './mutant.ts'

export const sequenceMutants: readonly Mutant[] = [
  {
    id: 'replay-of-started-draft-listed-twice',
    breaks: ['JOB-6'],
    also: ['GO-3', 'ID-1'],
    what: 'when the create of a draft is replayed after its start, the list has it twice',
    needs: 'explore',
    apply(mutation) {
      const twice = new Set<string>()
      rewriteJson(mutation, 'createJob', ({ id, status }, { context }) => {
        const now = context.world.jobs.get(id)?.view.status
        if (context.replayed && status === 'created' && now !== 'created') twice.add(id)
      })
      rewriteJson(mutation, 'listJobs', body => {
        body.jobs = body.jobs.flatMap((job: Json) => (twice.has(job.id) ? [job, job] : [job]))
      })
    },
  },
  {
    id: 'early-download-of-draft-shows-progress',
    breaks: ['JOB-4'],
    what: 'a draft whose download was asked for shows progress 100 at the first look after its start',
    needs: 'explore',
    apply(mutation) {
      const asked = new Set<string>()
      onAnswer(mutation, 'getDownload', ({ status }, request) => {
        const id = jobIdOf(request)
        if (status === 400 && mutation.mock.worlds.ofId(id)?.jobs.get(id)?.view.status === 'created') asked.add(id)
      })
      rewriteJson(mutation, 'getJob', job => {
        if (job.status !== 'created' && asked.delete(job.id)) job.progress = 100
      })
    },
  },
  {
    id: 'early-downloads-stick',
    breaks: ['DL-1'],
    also: ['DL-2', 'ERR-4'],
    what: 'a download that was asked for both of the draft and of the running job stays refused',
    needs: 'explore',
    apply(mutation) {
      const asked = new Set<string>()
      onAnswer(mutation, 'getDownload', (answer, request) => {
        const id = jobIdOf(request)
        const status = mutation.mock.worlds.ofId(id)?.jobs.get(id)?.view.status
        if (answer.status === 400) asked.add(`${id} ${status}`)
        const isRunning = asked.has(`${id} pending`) || asked.has(`${id} processing`)
        if (answer.status >= 300 || !isRunning || !asked.has(`${id} created`)) return
        answer.status = 400
        const { requestId } = request.exchange
        answer.body = { error: { code: 'invalid_request', message: 'Job not completed', request_id: requestId } }
      })
    },
  },
  {
    id: 'upload-after-two-refusals-is-the-one-before',
    breaks: ['UP-3'],
    // The next one may be one that is sent again under its key.
    also: ['GO-3', 'ID-1'],
    what: 'after two refused uploads in a row, the next one is answered as the last good one was',
    needs: 'explore',
    apply(mutation) {
      const last = new Map<string, Json>()
      const refused = new Map<string, number>()
      onAnswer(mutation, ['uploadVideo', 'uploadVideoLegacy'], (answer, request) => {
        const key = keyOf(request)
        if (answer.status === 400) return void countOn(refused, key)
        if (answer.status >= 300) return
        if ((refused.get(key) ?? 0) >= 2 && last.has(key)) answer.body = last.get(key)
        refused.delete(key)
        last.set(key, answer.body)
      })
    },
  },
  {
    id: 'idempotency-key-of-two-makes-another-job',
    breaks: ['ID-1'],
    also: ['GO-3'],
    what: 'when two keys have used one Idempotency-Key, neither is answered again but gets another job',
    needs: 'explore',
    apply(mutation) {
      const users = new Map<string, Set<string>>()
      asItArrives(mutation, 'createJob', request => {
        const name = idempotencyKeyOf(request)
        if (name === undefined) return
        const keys = users.get(name) ?? new Set()
        const isAgain = keys.has(keyOf(request))
        users.set(name, keys.add(keyOf(request)))
        if (keys.size < 2) return
        delete request.raw.headers['idempotency-key']
        if (isAgain) mutation.acted(request)
      })
    },
  },
  {
    id: 'corrected-create-is-not-listed',
    breaks: ['JOB-6'],
    what: 'a create that was refused and is sent again, corrected, with its Idempotency-Key, makes a job that no list has',
    needs: 'explore',
    apply(mutation) {
      const refused = new Set<string>()
      const unlisted = new Set<string>()
      onAnswer(mutation, 'createJob', ({ status, body }, request) => {
        const name = `${keyOf(request)} ${idempotencyKeyOf(request)}`
        if (status === 400 && idempotencyKeyOf(request) !== undefined) refused.add(name)
        if (status < 300 && refused.has(name)) unlisted.add(body.id)
      })
      rewriteJson(mutation, 'listJobs', body => {
        body.jobs = body.jobs.filter(({ id }: Json) => !unlisted.has(id))
      })
    },
  },
  ...draftSequenceMutants,
]
