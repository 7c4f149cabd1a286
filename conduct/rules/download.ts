/** ERR-4 and DL-2: the output is asked for when there is one. */
import type { Client, ClientCall } from '../client.ts'
import { broke, type ConductRule, kept, outcome } from '../rule.ts'

export const afterCompletion: ConductRule = {
  id: 'download.after-completion',
  level: 'must',
  since: '2026-11',
  clauses: ['ERR-4', 'DL-2'],
  title: 'After "Job not completed" the status is polled until the job is completed, and the download asked for then',
  advice:
    'Poll GET /v1/jobs/{job_id} (or wait for job.completed) until the status is completed, and ask for the download then.',
  provoke: ['job-slow-progress'],
  judge: client => {
    /** ERR-4: who was refused once, polls the status. */
    const refused = new Map<string | undefined, ClientCall>()
    return client.calls.flatMap(call => {
      // A scenario's refusal tells nothing of the job.
      if (call.operation !== 'getDownload' || call.rule !== undefined) return []
      if (knewOfIt(client, call)) return [kept('asked for the download when the job was completed', call)]
      // It may know from elsewhere, from a list for instance: only where it was wrong it surely did not.
      const isTooEarly = (call.status === 400 || call.status === 409) && !hasListed(client, call)
      if (!isTooEarly) return []
      const first = refused.get(call.jobId)
      refused.set(call.jobId, first ?? call)
      const said = `asked for the download of ${call.jobId} again before it was completed: ${outcome(call)}`
      return first === undefined ? [] : [broke(said, first, call)]
    })
  },
}

const knewOfIt = (client: Client, call: ClientCall): boolean =>
  client.ofJob(call.jobId).some(({ state, endedAt }) => state === 'completed' && endedAt <= call.at + 1) ||
  client.hooksOf(call.jobId).some(({ event, at, fault }) => {
    return event === 'job.completed' && fault !== 'bad_signature' && at <= call.at
  })

const hasListed = (client: Client, call: ClientCall): boolean =>
  client.calls.some(
    ({ operation, isGood, endedAt }) =>
      operation === 'listJobs' && isGood && endedAt <= call.at && call.at - endedAt < 10_000,
  )
