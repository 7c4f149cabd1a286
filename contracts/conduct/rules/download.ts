/** ERR-4 and DL-2: the output is asked for when there is one. */
import type { Client, Fact } from '../client.ts'
import { broke, kept, outcome, type Rule } from '../rule.ts'

export const afterCompletion: Rule = {
  id: 'download.after-completion',
  clauses: ['ERR-4', 'DL-2'],
  title: 'The download is asked for only when the job is completed',
  advice:
    'Poll GET /v1/jobs/{job_id} (or wait for job.completed) until the status is completed, and ask for the download then.',
  provoke: ['job-slow-progress'],
  judge: client =>
    client.calls.flatMap(call => {
      if (call.operation !== 'getDownload') return []
      if (knewOfIt(client, call)) return [kept('asked for the download when the job was completed', call)]
      // It may know from elsewhere: only where it was wrong it surely did not.
      const isTooEarly = call.status === 400 || call.status === 409
      return isTooEarly
        ? [broke(`asked for the download of ${call.jobId} before it was completed: ${outcome(call)}`, call)]
        : []
    }),
}

const knewOfIt = (client: Client, call: Fact): boolean =>
  client.ofJob(call.jobId).some(({ state, endedAt }) => state === 'completed' && endedAt <= call.at + 1) ||
  client.hooksOf(call.jobId).some(({ event, at }) => event === 'job.completed' && at <= call.at) ||
  // A list shows states too, and is not kept.
  client.calls.some(({ operation, isGood, endedAt }) => operation === 'listJobs' && isGood && endedAt <= call.at)
